"""The chain of preparation, from a galaxy's images to one cube, which remembers what need not be
done again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..bands.registry import get_band
from ..constants import PC_PER_MPC_ARCSEC
from ..data.cube import BandCube
from ..data.galaxy import BandImage, Ellipse, Galaxy
from ..data.properties import Flag
from ..data.recipe import Recipe, StarSettings, parsec_of
from ..exceptions import InputError
from ..progress import Progress, Steps, run_to_end
from .errors.correlation import shared_area
from .errors.error_budget import add_errors, background
from .errors.poisson import check_gains, with_poisson
from .extent import detection_image, measure_ellipse
from .grid.common_grid import Grid, cutout, make_grid
from .grid.pixel_positions import to_pixels
from .impute import impute_steps
from .masks.mask_set import Masks
from .memory import Memory
from .psf.matching import band_kernel, common_psf, keep_broad, ready_kernels, too_broad
from .reddening import deredden, find_reddening
from .sky import subtract_sky
from .stars.catalogue import read_catalogue
from .stars.gaia import fetch_gaia, is_archive
from .stars.star_search import find_stars_steps, fit_stars

__all__ = ["STEPS", "Memory", "prepare", "prepare_steps"]

STEPS = ("sky", "reddening", "stars", "psf", "grid", "errors", "impute")
"""The steps in their order."""


def prepare_steps(
    galaxy: Galaxy, recipe: Recipe, memory: Memory | None = None, masks: Masks | None = None
) -> Steps[BandCube]:
    """Prepare a galaxy's images, yielding after every band of every step.

    Parameters
    ----------
    galaxy : Galaxy
        Its images; they are not changed.
    recipe : Recipe
        Settings of the steps.
    memory : Memory, optional
        Kept between calls, it spares what has not changed.
    masks : Masks, optional
        Stars and patches to mask, as a person left them; None fits those of the recipe's catalogue.

    Yields
    ------
    Progress
        ``step`` one of `STEPS`, ``detail`` what was done, ``result`` the `BandImage` after it.

    Returns
    -------
    BandCube
        All bands at one PSF on one grid with errors.

    Raises
    ------
    InputError
        When the galaxy cannot be found, an image does not show it, or it is smaller than a pixel.
    """
    memory = Memory() if memory is None else memory
    images = dict(galaxy.images)
    if not images:
        raise InputError("There is no image to prepare; add the galaxy's FITS files.")
    total = len(images)
    gains = check_gains(recipe.errors, images)

    ellipse = galaxy.ellipse
    if recipe.sky.enabled:
        if ellipse is None and recipe.sky.model == "polynomial":
            # A polynomial that does not know where the galaxy is would take part of it away.
            ellipse = yield from _measured(galaxy, images, memory)
        for done, (name, image) in enumerate(images.items(), 1):
            images[name] = memory.do("sky", subtract_sky, image, recipe.sky.model_copy(), ellipse)
            yield Progress("sky", done, total, _told(images[name]), images[name])
    if ellipse is None:
        ellipse = yield from _measured(galaxy, images, memory)

    if recipe.reddening.enabled:
        reddening = find_reddening(recipe.reddening, images, ellipse)
        if reddening is None:
            yield Progress(
                "reddening",
                total,
                total,
                "E(B-V) is not known: no reddening removed; give it, or a map",
                lasting=True,
            )
        else:
            for done, (name, image) in enumerate(images.items(), 1):
                images[name] = memory.do("reddening", deredden, image, reddening)
                yield Progress("reddening", done, total, _told(images[name]), images[name])

    masks = yield from _masks(galaxy.name, images, ellipse, recipe.stars, memory, masks)

    common = common_psf(images, recipe.psf)
    fwhm = common.fwhm
    ready = ready_kernels(images, recipe.psf)
    broader = too_broad(images, common, ready) if recipe.psf.enabled else []
    grid = _make_grid(galaxy, ellipse, fwhm, recipe)
    for name in broader if recipe.psf.broader == "leave out" else ():
        image = images.pop(name)
        detail = f"{name} left out: its PSF of {image.fwhm:g} arcsec is wider than {fwhm:g}"
        yield Progress("psf", 0, total, detail, lasting=True)
    total = len(images)
    # Room for the sky outside the galaxy, and for the kernel's wings beyond the grid.
    reach = max(1.5, 1.42 * recipe.grid.extent) * ellipse.a + 8 * max(fwhm, grid.pixel_arcsec)

    bare: dict[str, BandImage] = {}
    masked: dict[str, BandImage] = {}
    shared: dict[str, float] = {}
    for done, (name, image) in enumerate(images.items(), 1):
        cut = memory.do("cut", cutout, image, ellipse, reach)
        if recipe.errors.poisson:
            cut = memory.do("poisson", with_poisson, cut, gains.get(name))
        matched = recipe.psf.enabled and name not in broader
        kernel = memory.do("kernel", band_kernel, cut, common, ready.get(name)) if matched else None
        shared[name] = memory.do("shared", shared_area, cut, kernel, grid.pixel_arcsec)
        if name in broader:
            cut = memory.do("broad", keep_broad, cut, common)
        mask = masks.on(cut, memory.discs)
        if mask is not None and _at_nucleus(mask, cut, ellipse):
            yield Progress(
                "stars",
                done,
                total,
                f"the mask in {name} covers the galaxy's nucleus; look whether it should",
                lasting=True,
            )
        bare[name], masked[name] = memory.match(
            cut, mask, kernel, fwhm, recipe.psf.min_weight, min(fwhm / 6, grid.pixel_arcsec)
        )
        if recipe.psf.enabled:
            yield Progress("psf", done, total, _told(masked[name]), masked[name])

    for note in galaxy.notes:
        yield Progress("grid", 0, total, note, lasting=True)
    gridded: dict[str, BandImage] = {}
    for done, (name, image) in enumerate(masked.items(), 1):
        gridded[name] = memory.resample(image, grid)
        yield Progress("grid", done, total, _told(gridded[name]), gridded[name])

    for done, (name, image) in enumerate(gridded.items(), 1):
        sky = memory.do("background", background, bare[name], ellipse, grid.pixel_arcsec)
        gridded[name] = memory.do("errors", add_errors, image, sky, recipe.errors.model_copy())
        yield Progress("errors", done, total, _told(gridded[name]), gridded[name])

    cube = _to_cube(galaxy, gridded, ellipse, grid, fwhm, recipe, memory, masks, shared)
    if recipe.impute.enabled:
        cube = yield from impute_steps(cube, recipe, galaxy.distance_mpc, memory)
    return cube


def _at_nucleus(mask: np.ndarray, image: BandImage, ellipse: Ellipse) -> bool:
    """Whether a mask holds the pixel in which the galaxy's centre lies."""
    x, y = to_pixels(
        image.wcs, image.shape, np.array([ellipse.ra]), np.array([ellipse.dec]), margin=0.0
    )
    return bool(np.isfinite(x[0]) and mask[round(float(y[0])), round(float(x[0]))])


def _measured(galaxy: Galaxy, images: dict[str, BandImage], memory: Memory) -> Steps[Ellipse]:
    """The ellipse of a galaxy of which none is given, and words about it."""
    near = None if galaxy.ra is None or galaxy.dec is None else (galaxy.ra, galaxy.dec)
    shown = detection_image(replace(galaxy, images=images))
    ellipse = memory.do("extent", measure_ellipse, shown, near)
    yield Progress("sky", len(images), len(images), _told_ellipse(ellipse, shown), lasting=True)
    return ellipse


def _masks(
    name: str,
    images: dict[str, BandImage],
    ellipse: Ellipse,
    settings: StarSettings,
    memory: Memory,
    given: Masks | None,
) -> Steps[Masks]:
    """What is to be masked: as given, or the stars of the catalogue, or those found."""
    if not settings.enabled:
        # The switch is for the Milky Way's stars: what a person has drawn or named holds.
        return Masks() if given is None else given.by_hand() if given.complete else given
    if given is not None and given.complete:
        return given
    by_hand = given or Masks()
    if not (settings.catalogue or settings.find):
        return by_hand
    key = (settings.model_copy(), ellipse, tuple(images.values()))
    if memory.stars is None or not _same_stars(memory.stars[0], key):
        if settings.catalogue:
            catalogue = (
                fetch_gaia(ellipse)
                if is_archive(settings.catalogue)
                else read_catalogue(settings.catalogue)
            )
            stars = yield from fit_stars(images, catalogue, ellipse, settings)
            said = catalogue.meta["notes"]
        else:
            stars, said = (yield from find_stars_steps(images, ellipse, settings)), ()
        memory.stars = ((*key, said), Masks(tuple(stars)))
    for note in memory.stars[0][3]:
        yield Progress("stars", 0, 1, note, lasting=True)
    masks: Masks = memory.stars[1] + by_hand
    count = f"{len(masks.stars)} star{'' if len(masks.stars) == 1 else 's'}"
    doubtful = sum(bool(star.flag) for star in masks.stars)
    look = f", {doubtful} of them to be looked at" if doubtful else ""
    source = (
        "Gaia DR3"
        if is_archive(settings.catalogue)
        else Path(settings.catalogue).name or "the images"
    )
    yield Progress("stars", 1, 1, f"{count} of {source} masked{look}", masks, lasting=True)
    return masks


def _same_stars(known: tuple[Any, ...], key: tuple[Any, ...]) -> bool:
    same = len(known[2]) == len(key[2]) and all(
        a is b for a, b in zip(known[2], key[2], strict=True)
    )
    return same and bool(known[:2] == key[:2])


def prepare(
    galaxy: Galaxy, recipe: Recipe, callback: Callable[[Progress], None] | None = None
) -> BandCube:
    """Prepare a galaxy's images in one call; see `prepare_steps`."""
    return run_to_end(prepare_steps(galaxy, recipe), callback)


def _told(image: BandImage) -> str:
    return f"{image.band}: {image.notes[-1]}" if image.notes else str(image.band)


def _told_ellipse(ellipse: Ellipse, image: BandImage) -> str:
    return (
        f"no D25 given: ellipse of the 3 sigma isophote of {image.band}, RA {ellipse.ra:.5f}, Dec {ellipse.dec:.5f}, "
        f"semi-axes {ellipse.a:.0f} and {ellipse.b:.0f} arcsec, position angle {ellipse.pa:.0f} degrees"
    )


def _make_grid(galaxy: Galaxy, ellipse: Ellipse, fwhm: float, recipe: Recipe) -> Grid:
    pixel, parsec = recipe.grid.pixel, parsec_of(recipe.grid.pixel)
    # Three pixels a FWHM sample the PSF without many more pixels than independent values.
    size = round(fwhm / 3, 2) if parsec is not None or isinstance(pixel, str) else pixel
    if parsec is not None:
        if galaxy.distance_mpc is None:
            raise InputError(
                f"A pixel of {pixel} needs the galaxy's distance; give it in Mpc (--distance), or the redshift (--redshift)."
            )
        size = parsec / (galaxy.distance_mpc * PC_PER_MPC_ARCSEC)
    return make_grid(ellipse, size, recipe.grid.extent, galaxy.name)


def _to_cube(
    galaxy: Galaxy,
    images: dict[str, BandImage],
    ellipse: Ellipse,
    grid: Grid,
    fwhm: float,
    recipe: Recipe,
    memory: Memory,
    masks: Masks,
    shared: dict[str, float],
) -> BandCube:
    bands = tuple(sorted(images, key=lambda name: get_band(name).pivot))
    data = np.stack([images[name].data for name in bands])
    uncertainty = np.stack([np.asarray(images[name].uncertainty) for name in bands])
    flags = np.zeros(grid.shape, np.int16)
    outside = memory.radius(ellipse, grid) > 1
    flags[outside] |= Flag.OUTSIDE
    for name, plane in zip(bands, data, strict=True):
        flags[memory.near_blank(name, plane, fwhm / grid.pixel_arcsec)] |= Flag.EDGE
    hidden = masks.on_grid(bands, grid.wcs, grid.shape)
    flags[hidden] |= Flag.MASKED
    # The images share the cube's memory, and keep their notes and their origin.
    light = {
        name: replace(images[name], data=data[i], uncertainty=uncertainty[i])
        for i, name in enumerate(bands)
    }
    pixel_pc = (
        None
        if galaxy.distance_mpc is None
        else grid.pixel_arcsec * galaxy.distance_mpc * PC_PER_MPC_ARCSEC
    )
    return BandCube(
        data, uncertainty, bands, grid.wcs, fwhm, grid.pixel_arcsec, pixel_pc, hidden | outside if recipe.grid.cut else hidden,
        flags, galaxy.name, light, masks, np.array([shared[name] for name in bands]),
        np.array([images[name].meta["systematic"] for name in bands]),
    )  # fmt: skip
