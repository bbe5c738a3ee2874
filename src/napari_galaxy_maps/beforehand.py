"""What is said of a galaxy before its maps are predicted: a look at its images, what the model
remarks on its prepared bands, and all that is taken for granted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .bands.registry import get_band
from .data.flags import mostly_unlike_in_words
from .data.galaxy import BandImage, Galaxy
from .exceptions import GalaxyMapsError, ModelError
from .models import suitability
from .models.registry import chosen_model
from .pipeline import distance_of_cube, of_one_galaxy
from .prepare.assumptions import Known
from .prepare.look_ahead import Look, look_steps, seen_in_cube
from .progress import Steps

if TYPE_CHECKING:
    from .data.cube import BandCube
    from .data.recipe import Recipe
    from .prepare.memory import PreparationMemory


def look_at_steps(galaxy: Galaxy, recipe: Recipe, memory: PreparationMemory) -> Steps[Look | None]:
    """Look at the bands of a galaxy that the recipe's model uses (`look_steps`); None where there
    is nothing to be seen, which the preparation says in words.
    """
    used = suitability.used(recipe.model.name, list(galaxy.images))
    images = {name: image for name, image in galaxy.images.items() if name in used}
    if not images:
        return None
    try:
        return (yield from look_steps(replace(galaxy, images=images), recipe, memory))
    except GalaxyMapsError:
        return None


def remarks_before(cube: BandCube, recipe: Recipe) -> list[str]:
    """What the recipe's model remarks on a prepared cube before it predicts from it: what is odd
    about it, and that most of it would be flagged; empty where the model cannot work with it.
    """
    cube, recipe = of_one_galaxy(cube, recipe)
    try:
        model = chosen_model(recipe.model)
        used = model.check_bands(cube.bands)
    except ModelError:
        return []
    flagged = ""
    if hasattr(model, "flagged_ahead"):
        share = model.flagged_ahead(cube.only(used).with_masked_light())
        flagged = mostly_unlike_in_words(share, model.name)
    return [*filter(None, [flagged]), *model.remarks(cube)]


def known_of_cube(cube: BandCube, recipe: Recipe) -> Known:
    """What is known of a prepared cube before a prediction from it; how it was prepared is settled
    and is not asked about.
    """
    one, told = of_one_galaxy(cube, recipe)
    galaxy = Galaxy(
        cube.name,
        {name: BandImage(one.data[i], get_band(name), one.wcs) for i, name in enumerate(one.bands)},
        distance_mpc=distance_of_cube(cube, recipe),
        hubble_stage=one.hubble_stage,
        redshift=one.redshift,
    )
    remarks, look = remarks_before(cube, recipe), Look(None, seen_in_cube(cube))
    return Known(galaxy, told, cube.masks, look, remarks, cube.pixel_arcsec, cube)
