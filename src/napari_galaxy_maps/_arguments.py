"""What the front door's functions take: paths, settings, apertures, each in the forms that people
give.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from .data.assignments import settle_alternatives
from .data.cube import BandCube
from .data.galaxy import BandImage, Ellipse, Galaxy
from .data.maps import PropertyMaps
from .data.recipe import Recipe
from .exceptions import InputError
from .fits_io.named_files import same_file
from .fits_io.safe_writing import readers
from .measure.apertures.aperture import Aperture
from .measure.apertures.aperture_files import read_apertures
from .progress import Progress, Steps, run_to_end

T = TypeVar("T")
Listener = Callable[[Progress], None]
Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

_NORMALISING = ("WISE_3.4", "Spitzer_3.6")
"""Bands by which the dust model divides; one of them has to be there."""

_log = logging.getLogger("napari_galaxy_maps")


class ImagesRead:
    """The images that `read` has read in this process: nothing that is written takes the place of
    one.
    """

    def __init__(self) -> None:
        self.paths: set[Path] = set()

    def reads(self, place: Path) -> bool:
        """Whether a file is one of them."""
        return any(same_file(place, path) for path in tuple(self.paths))


images_read = ImagesRead()
readers.add(images_read)


def as_paths(paths: Paths) -> list[Path]:
    """Paths as a list; a text is one path, and no list of letters."""
    several = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    return [Path(path).expanduser() for path in several]


def as_list(names: Sequence[str] | None) -> list[str] | None:
    if names is None:
        return None
    return [names] if isinstance(names, str) else list(names)


def recipe_path(path: str | os.PathLike[str], found: Sequence[Path]) -> Path:
    """A recipe's file as it is given, or in the galaxy's folder."""
    given = Path(path).expanduser()
    folder = found[0] if found and found[0].is_dir() else None
    if folder is not None and not given.exists() and (folder / given).is_file():
        return folder / given
    return given


def with_settings(recipe: Recipe, **sections: Mapping[str, Any]) -> Recipe:
    """A copy with settings changed by section and key: those that are not None; tables are merged.

    Raises
    ------
    RecipeError
        When a setting is out of range.
    """
    tree = recipe.model_dump()
    if not names_model(recipe):
        del tree["model"]["name"]
    settle_alternatives(
        tree,
        [
            f"{section}.{key}"
            for section, values in sections.items()
            for key, value in values.items()
            if value is not None
        ],
    )
    for section, values in sections.items():
        for key, value in values.items():
            if isinstance(value, Mapping):
                tree[section][key].update(value)
            elif value is not None:
                tree[section][key] = value
    return Recipe.from_tree(tree, "The settings")


def names_model(recipe: Recipe) -> bool:
    """Whether somebody chose the model, rather than nobody."""
    return "name" in recipe.model.model_fields_set


def settled_recipe(
    source: Galaxy | BandCube, recipe: Recipe | None, **sections: Mapping[str, Any]
) -> Recipe:
    """The settings by which a galaxy or cube is worked on, with a model named."""
    if isinstance(source, Galaxy):
        own, bands = source.recipe, tuple(source.images)
    elif isinstance(source, BandCube):
        text = str(source.provenance.get("recipe", ""))
        own, bands = (Recipe.from_toml(text) if text else Recipe()), source.bands
        # Of the cube, which may have got others.
        known = {"hubble_stage": source.hubble_stage, "redshift": source.redshift}
        own = own.model_copy(update={"galaxy": own.galaxy.model_copy(update=known)})
        if recipe is not None:
            # How the cube was made stays as it was: what is done to it alone can be chosen.
            recipe = own.model_copy(update={"sed": recipe.sed, "model": recipe.model})
    else:
        raise InputError(f"A galaxy or a cube is needed, not a {type(source).__name__}.")
    settings = with_settings(recipe or own or Recipe(), **sections)
    if not names_model(settings):
        dust = any(band in bands for band in _NORMALISING)
        settings.model.name = "dust-forest" if dust else "stellar-unet"
        _log.info("the model is %s, as suits the bands", settings.model.name)
    return settings


def measurable(source: Any) -> PropertyMaps | BandCube | BandImage:
    if isinstance(source, Galaxy):
        raise InputError(
            "A galaxy's images are measured one by one, as in galaxy.images['WISE_3.4'], "
            "or prepared into a cube first."
        )
    if not isinstance(source, PropertyMaps | BandCube | BandImage):
        raise InputError(f"Maps, a cube or an image can be measured, not {type(source).__name__}.")
    return source


def as_apertures(given: Any, source: PropertyMaps | BandCube | BandImage) -> list[Aperture]:
    """Apertures of whatever is given for them."""
    if isinstance(given, str | os.PathLike):
        left_out: list[str] = []
        found = read_apertures(Path(given), source.wcs, left_out)
        for reason in left_out:
            _log.warning("left out: %s", reason)
        return found
    several = [given] if isinstance(given, Ellipse | Aperture) else list(given)
    return [
        Aperture(shape, f"ellipse {number + 1}" if len(several) > 1 else "ellipse")
        if isinstance(shape, Ellipse)
        else shape
        for number, shape in enumerate(several)
    ]


def run_told(steps: Steps[T], progress: Listener | None) -> T:
    """Run steps to their end; what they remark on is logged once."""
    remarks: set[str] = set()

    def listen(sign: Progress) -> None:
        if sign.lasting and sign.detail not in remarks:
            remarks.add(sign.detail)
            _log.info(sign.detail)
        if progress is not None:
            progress(sign)

    return run_to_end(steps, listen)
