"""Dust taken away from a galaxy's images: recipe and galaxy to maps of attenuation and images."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .data.cube import BandCube
from .data.galaxy import Galaxy
from .data.recipe import Recipe
from .pipeline import model_library_steps, recorded_steps
from .prepare.impute import model_redshift
from .prepare.masks.mask_set import Masks
from .prepare.memory import PreparationMemory
from .prepare.steps import prepare_steps
from .progress import Steps
from .provenance import provenance
from .sed.attenuation_maps import Attenuation, attenuation_steps, check_bands
from .sed.priors import for_attenuation


def attenuation_cube_steps(
    cube: BandCube, recipe: Recipe, known: dict[str, Any] | None = None
) -> Steps[Attenuation]:
    """Maps of attenuation and images without dust of a prepared cube; `known` is the provenance so
    far, by default what the cube knows.

    Raises
    ------
    InputError
        When its bands tell nothing of dust, the redshift is absurd, or its errors are zero.
    """
    cube.check_dimmed()
    check_bands(cube.bands)
    own = recipe.model_copy(update={"sed": for_attenuation(recipe.sed, cube.bands)})
    library, note = yield from model_library_steps(cube, own)
    found = yield from attenuation_steps(cube, library, recipe.model.device, note)
    maps = yield from recorded_steps(found.maps, cube, recipe, known)
    images = replace(found.cube, provenance=maps.provenance)
    return replace(found, maps=maps, cube=images)


def attenuation_maps_steps(
    galaxy: Galaxy,
    recipe: Recipe,
    masks: Masks | None = None,
    memory: PreparationMemory | None = None,
) -> Steps[Attenuation]:
    """Prepare a galaxy, with nothing filled in, and take the dust away from its images.

    Parameters
    ----------
    galaxy : Galaxy
    recipe : Recipe
        Settings of every step.
    masks : Masks, optional
        Stars and patches to mask.
    memory : PreparationMemory, optional
        Of a preparation with nothing filled in.

    Raises
    ------
    GalaxyMapsError
        Whatever is wrong, in a sentence.
    """
    own = recipe.model_copy(deep=True)
    own.impute.enabled = False
    check_bands(list(galaxy.images))
    model_redshift(own.galaxy.redshift, galaxy.distance_mpc)
    cube = yield from prepare_steps(galaxy, own, memory, masks)
    return (yield from attenuation_cube_steps(cube, own, provenance(galaxy, own)))
