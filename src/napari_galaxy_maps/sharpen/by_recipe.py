"""Sharpening as a recipe asks for it: the coarse map is read and prepared, and the result says what
was done.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ..bands.registry import get_band
from ..data.cube import BandCube
from ..data.galaxy import Galaxy
from ..data.maps import PropertyMaps
from ..data.recipe import Recipe
from ..exceptions import GalaxyMapsError, InputError, RecipeError
from ..fits_io.cube_files import is_cube, read_cube
from ..fits_io.galaxies import read_galaxy_steps
from ..fits_io.image_files import find_images
from ..fits_io.map_files import is_maps, read_maps
from ..fits_io.open_fits import sha256
from ..prepare.steps import prepare_steps
from ..progress import Steps
from .sharpened_maps import correction_hdus, sharpen_steps
from .trusted import Trusted, trusted_image, trusted_maps

VERSION = 1
"""Of the arithmetic; it grows when its numbers change."""


def sharpen_by_recipe_steps(
    maps: PropertyMaps, recipe: Recipe, fwhm: float | None = None
) -> Steps[PropertyMaps]:
    """Make predicted maps agree with the coarse map that a recipe names in `sharpen`.

    Parameters
    ----------
    maps : PropertyMaps
        A prediction.
    recipe : Recipe
        By which the maps were made, with `sharpen`; an image is prepared by it.
    fwhm : float, optional
        Of the PSF of `maps` in arcsec, in place of what they say.

    Returns
    -------
    PropertyMaps
        Their provenance says what was done; their extensions hold the maps of corrections.

    Raises
    ------
    GalaxyMapsError
        Whatever is wrong, in a sentence.
    """
    settings = recipe.sharpen
    if maps.provenance.get("sharpened"):
        raise InputError(
            f"{maps.provenance.get('file', 'The prediction')} has been sharpened already; give the "
            "maps as they were predicted, so that the coarse map does not count twice."
        )
    if not settings.coarse:
        raise RecipeError("No coarse map is named; name a file.", "sharpen.coarse")
    path = Path(settings.coarse).expanduser()
    trusted = yield from trusted_steps(maps, recipe)
    done = yield from sharpen_steps(maps, trusted, settings, fwhm)
    known: dict[str, Any] = dict(maps.provenance)
    before = known.get("note", [])
    known["note"] = [*([before] if isinstance(before, str) else before), *done.notes]
    known["recipe"] = recipe.to_toml()
    known["sharpened"] = f"version {VERSION}, {', '.join(done.corrections)}"
    known["inputs"] = {
        **known.get("inputs", {}),
        "coarse map": f"{path.name} sha256 {sha256(path)}",
    }
    extra = tuple(correction_hdus(done))
    return replace(done.maps, provenance=known, extensions=(*maps.extensions, *extra))


def trusted_steps(maps: PropertyMaps, recipe: Recipe) -> Steps[list[Trusted]]:
    """What the recipe's coarse file says, ready to be compared with.

    Raises
    ------
    GalaxyMapsError
        When the file cannot be used, or it is not known what it shows.
    """
    settings = recipe.sharpen
    path = Path(settings.coarse).expanduser()
    if not path.is_file():
        raise InputError(f"{path}, the coarse map, is not there; check the path.")
    if not settings.image:
        if not is_maps(path):
            raise InputError(
                f"{path} holds no maps of properties; if it is a far-infrared image, name its "
                "band, such as SPIRE_250, or fit a truth to it first.",
                "sharpen.image",
            )
        return trusted_maps(read_maps(path), settings.fwhm)
    band = _band(settings.image)
    if is_maps(path):
        raise InputError(f"{path} holds maps and no image; leave out {settings.image}.")
    cube = read_cube(path) if is_cube(path) else (yield from _prepared_steps(path, band, recipe))
    return [trusted_image(cube, band, list(maps), settings.fwhm)]


def _prepared_steps(path: Path, band: str, recipe: Recipe) -> Steps[BandCube]:
    """An image with its sky subtracted and its errors told, at its own PSF."""
    own = recipe.model_copy(deep=True)
    own.input.bands = {**own.input.bands, path.name: band}
    if own.sharpen.fwhm:
        own.input.psf = {**own.input.psf, path.name: own.sharpen.fwhm}
    # What was said of the other images is not about this one.
    own.psf.target, own.psf.kernels, own.grid.pixel = "auto", {}, "auto"
    own.stars.enabled = own.fill.enabled = own.impute.enabled = False
    own.input.leave_out, own.stars.catalogue = [], ""
    skipped: list[str] = []
    files = find_images([path], skipped, told=own.input)
    galaxy: Galaxy = yield from read_galaxy_steps(files, own)
    if band not in galaxy.images:
        found = ", ".join(galaxy.images) or "no image"
        raise InputError(f"{path} holds {found}, and not {band}.")
    galaxy = replace(galaxy, images={band: galaxy.images[band]})
    return (yield from prepare_steps(galaxy, own))


def _band(text: str) -> str:
    try:
        return get_band(text).name
    except (GalaxyMapsError, KeyError) as error:
        raise RecipeError(f"sharpen.image: {error}") from None
