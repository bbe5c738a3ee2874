"""A person's own pairs: a galaxy's images in any of ugriz and its true maps, brought to one PSF and
one grid.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...bands.registry import get_band
from ...bands.units import surface_brightness_factor
from ...constants import PC_PER_MPC_ARCSEC, SR_PER_ARCSEC2
from ...cosmology import angular_diameter_distance_mpc
from ...data.cube import BandCube
from ...data.galaxy import BandImage, Galaxy
from ...data.maps import PropertyMaps
from ...data.question import SETTINGS
from ...data.recipe import Recipe
from ...exceptions import InputError, UnresolvedError
from ...fits_io.evidence import ImageWords
from ...fits_io.galaxies import make_galaxy, read_galaxy_steps, settle_all
from ...fits_io.header_words import Words
from ...fits_io.image_files import FITS_ENDINGS, find_images, is_fits_name
from ...fits_io.open_fits import opened, read_text
from ...fits_io.sky_coordinates import image_wcs
from ...fits_io.which_beam import guess_beam
from ...fits_io.which_unit import guess_unit
from ...measure.compare.grid_and_psf import bring_to_grid, smooth
from ...models.stellar_unet.inputs import UGRIZ
from ...models.stellar_unet.outputs import STELLAR_PROPERTIES
from ...models.stellar_unet.shown_cube import redshift_of
from ...prepare.steps import prepare_steps
from ...progress import Steps
from ..datasets.image_truth_pairs import TABLE
from ..datasets.mock_set import scaled_truth
from .read_own_truth import STARS, TruthOptions, brightest, only_where_seen, read_truth

_SAME = 1.05
"""Ratio of two PSFs' widths up to which they are one."""


@dataclass(frozen=True)
class Source:
    """Where a pair is.

    Attributes
    ----------
    name : str
        Of the galaxy.
    images : tuple of Path
    truth : Path
    recipe : Path or None
        What is known of this galaxy.
    cube : bool
        Whether the images are NAME_image.fits: five planes or extensions in one file.
    """

    name: str
    images: tuple[Path, ...]
    truth: Path
    recipe: Path | None = None
    cube: bool = False


@dataclass(frozen=True)
class Pair:
    """A galaxy at one PSF on one grid.

    Attributes
    ----------
    name : str
    images, sigma : ndarray of float32, shape (5, ny, nx)
        MJy/sr; NaN where missing. `sigma` is None where the images have no noise.
    truth : ndarray of float16, shape (7, ny, nx)
        Scaled as `scaled_truth`.
    row : tuple of float
        The columns of `pairs.TABLE`.
    notes : tuple of str
        What was done to bring the two together.
    """

    name: str
    images: np.ndarray
    sigma: np.ndarray | None
    truth: np.ndarray
    row: tuple[float, ...]
    notes: tuple[str, ...] = ()

    @property
    def log_mass(self) -> float:
        """log10 of the mass in Msun; NaN where the distance is not known."""
        return self.row[TABLE.index("log_mass")]


def find_sources(folder: Path) -> list[Source]:
    """The pairs in a folder: a sub-folder for each galaxy with its images and ``truth.fits``, or
    NAME_image.fits with NAME_truth.fits.

    Raises
    ------
    InputError
        When the folder is not there or holds no pair, or a galaxy lacks images or truth.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; give the folder of your galaxies.")
    members = sorted(folder.iterdir())
    found = []
    for member in members:
        ending = next((e for e in FITS_ENDINGS if member.name.lower().endswith(f"_image{e}")), None)
        if ending and is_fits_name(member.name) and member.is_file():
            name = member.name[: -len(f"_image{ending}")]
            truths = [
                folder / f"{name}_truth{e}"
                for e in FITS_ENDINGS
                if (folder / f"{name}_truth{e}").exists()
            ]
            recipe = folder / f"{name}_recipe.toml"
            found.append(
                Source(
                    name,
                    (member,),
                    (*truths, folder / f"{name}_truth.fits")[0],
                    _if_there(recipe),
                    cube=True,
                )
            )
    for member in members:
        if not member.is_dir() or member.name.startswith("."):
            continue
        files = [p for p in sorted(member.iterdir()) if p.is_file() and is_fits_name(p.name)]
        truths = [p for p in files if re.fullmatch(r"truth\..+", p.name.lower())]
        images = tuple(p for p in files if p not in truths)
        if not files:
            continue
        if not images:
            raise InputError(
                f"{member} holds no image beside its truth; add the galaxy's images in any of "
                "ugriz."
            )
        found.append(
            Source(
                member.name,
                images,
                (*truths, member / "truth.fits")[0],
                _if_there(member / "recipe.toml"),
            )
        )
    if not found:
        raise InputError(
            f"{folder} holds no pairs: neither sub-folders with images and truth.fits, nor "
            "NAME_image.fits with NAME_truth.fits."
        )
    return found


def _if_there(path: Path) -> Path | None:
    return path if path.is_file() else None


def read_pair_steps(
    source: Source, recipe: Recipe, options: TruthOptions, number: int
) -> Steps[Pair]:
    """Read a galaxy's images and truth and bring them to the PSF and the grid of the coarser,
    yielding as `prepare_steps` does.

    Parameters
    ----------
    source : Source
    recipe : Recipe
        Of all galaxies; what the galaxy's own says comes first.
    options : TruthOptions
    number : int
        Of the galaxy, kept in the table's column ``seed``.

    Raises
    ------
    GalaxyMapsError
        When images or truth cannot be used, or do not show the same sky; the galaxy is named.
    """
    recipe = _own_recipe(recipe, source)
    known = recipe.galaxy
    distance = known.distance
    if distance is None and known.redshift is not None and known.redshift > 0:
        distance = angular_diameter_distance_mpc(known.redshift)
    truth = read_truth(source.truth, options, distance)
    if known.ra is None or known.dec is None:
        ra, dec = brightest(truth)
        known = known.model_copy(update={"ra": ra, "dec": dec})
    known = known.model_copy(update={"name": source.name})
    recipe = recipe.model_copy(update={"galaxy": known})
    galaxy = (
        _read_cube(source, recipe) if source.cube else (yield from _read_images(source, recipe))
    )
    galaxy = replace(
        galaxy, images={name: image for name, image in galaxy.images.items() if name in UGRIZ}
    )
    if not galaxy.images:
        raise InputError(
            f"{source.name}: none of its images is in {', '.join(UGRIZ)}; say which is with --set "
            "input.bands."
        )
    for image in galaxy.images.values():
        if not _overlap(image, truth):
            raise InputError(
                f"{source.truth} shows another sky than the {image.band} image of {source.name}; "
                "look whether it is of this galaxy."
            )
    fwhm = float(truth.provenance["fwhm"])
    cube = yield from prepare_steps(galaxy, _for_both(recipe, galaxy, truth, fwhm, source))
    notes = []
    if cube.fwhm > fwhm * _SAME:
        truth = smooth(truth, fwhm, cube.fwhm)
        notes.append(f"truth smoothed from {fwhm:.3g} to {cube.fwhm:.3g} arcsec")
    else:
        notes.append(f"images at the truth's PSF of {cube.fwhm:.3g} arcsec")
    moved = only_where_seen(bring_to_grid(truth, cube.wcs, cube.shape), cube.mask)
    if not np.isfinite(moved.values[STARS]).any():
        raise InputError(
            f"{source.truth} shows another sky than the images of {source.name}; look whether it "
            "is of this galaxy."
        )
    return _pair(source.name, cube, moved, distance, number, tuple(notes))


def _own_recipe(recipe: Recipe, source: Source) -> Recipe:
    """The recipe with what the galaxy's own file says."""
    if source.recipe is None:
        return recipe
    import tomllib

    try:
        tree = tomllib.loads(read_text(source.recipe))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{source.recipe} cannot be read as a recipe ({error}).") from None
    whole = recipe.model_dump()
    for section, values in tree.items():
        if isinstance(values, Mapping) and isinstance(whole.get(section), dict):
            whole[section].update(values)
        else:
            whole[section] = values
    return Recipe.from_tree(whole, str(source.recipe))


def _read_images(source: Source, recipe: Recipe) -> Steps[Galaxy]:
    """The galaxy of a folder of images; those in other bands than ugriz are left aside."""
    files = settle_all(find_images(source.images, told=recipe.input), recipe.input)
    files = [file for file in files if file.band is None or file.band.name in UGRIZ]
    if not files:
        raise InputError(
            f"{source.name}: none of its images is in {', '.join(UGRIZ)}; add such images."
        )
    return (yield from read_galaxy_steps(files, recipe))


def _read_cube(source: Source, recipe: Recipe) -> Galaxy:
    """The galaxy of NAME_image.fits: an image of five planes in the order ugriz, with errors in the
    extension ERR or ERROR, or an extension for each band."""
    path = source.images[0]
    with opened(path) as hdus:
        images = [hdu for hdu in hdus if getattr(hdu, "is_image", False) and hdu.shape]
        whole = next((hdu for hdu in images if len(hdu.shape) == 3), None)
        if whole is None:
            return _read_extensions(path, hdus, recipe)
        if len(whole.shape) != 3 or whole.shape[0] != len(UGRIZ):
            raise InputError(
                f"{path} has {whole.shape[0]} planes; give five, u g r i z, or an extension for "
                "each band."
            )
        errors = next((hdu for hdu in images if hdu.name in ("ERR", "ERROR", "SIGMA")), None)
        if errors is not None and errors.shape != whole.shape:
            raise InputError(
                f"{path}: its errors have the shape {errors.shape}, its images {whole.shape}."
            )
        planes = [
            (band, whole.header, whole.data[k], None if errors is None else errors.data[k])
            for k, band in enumerate(UGRIZ)
        ]
        return _galaxy_of(path, planes, recipe)


def _read_extensions(path: Path, hdus: Any, recipe: Recipe) -> Galaxy:
    """The galaxy of extensions named u or SDSS_u, ..., with errors in u_ERR, ..."""
    planes = []
    for band in UGRIZ:
        hdu = next((hdus[name] for name in (band, band[-1]) if name in hdus), None)
        if hdu is None:
            continue
        error = next(
            (hdus[f"{hdu.name}{end}"] for end in ("_ERR", "_ERROR") if f"{hdu.name}{end}" in hdus),
            None,
        )
        if len(hdu.shape) != 2 or (error is not None and error.shape != hdu.shape):
            raise InputError(f"{path}[{hdu.name}] and its errors must be images of one shape.")
        planes.append((band, hdu.header, hdu.data, None if error is None else error.data))
    if not planes:
        there = ", ".join(hdu.name for hdu in hdus if hdu.name) or "none with a name"
        raise InputError(
            f"{path} has neither five planes nor extensions called u, g, r, i or z; there are "
            f"{there}."
        )
    return _galaxy_of(path, planes, recipe)


def _galaxy_of(path: Path, planes: Sequence[tuple[str, Any, Any, Any]], recipe: Recipe) -> Galaxy:
    """The galaxy of (band, header, data, error or None) in one file."""
    from astropy.wcs.utils import proj_plane_pixel_area

    images = {}
    for name, header, data, error in planes:
        band = get_band(name)
        wcs = image_wcs(header, np.shape(data))
        if wcs is None:
            raise InputError(f"{path} has no sky coordinates (WCS) in its header; add them.")
        pixel_sr = float(proj_plane_pixel_area(wcs)) * (np.pi / 180) ** 2
        psf = recipe.input.psf.get(name)
        if isinstance(psf, str):
            raise InputError(
                f"{path}: give the PSF of {name} as a FWHM in arcsec (input.psf.{name})."
            )
        words = ImageWords(
            Words(header), path.name, name, band, float(np.sqrt(pixel_sr / SR_PER_ARCSEC2))
        )
        unit, zero_point = (
            table.get(name) or table.get(path.name)
            for table in (recipe.input.units, recipe.input.zero_points)
        )
        guess = guess_unit(words, unit, zero_point)
        beam = guess_beam(words, guess.unit, psf, recipe.input.beams.get(name))
        questions = (*guess.questions, *beam.questions)
        if questions or guess.unit is None:
            raise UnresolvedError(
                f"{path}, {name}: {questions[0].text} Say it with --set "
                f"input.{SETTINGS[questions[0].about]}.{name}=…"
            )
        factor, note = surface_brightness_factor(
            guess.unit, band, pixel_sr, guess.zero_point, beam.beam, guess.old_pixel, str(path)
        )
        fwhm, unit = beam.fwhm, str(guess.unit)
        images[name] = BandImage(
            np.asarray(data, np.float32) * np.float32(factor),
            band,
            wcs,
            uncertainty=None
            if error is None
            else np.asarray(error, np.float32) * np.float32(factor),
            fwhm=fwhm,
            header=header,
            path=path,
            unit=unit,
            notes=(note,),
            meta={"label": path.name, "factor": factor},
        )
        if not np.isfinite(images[name].data).any():
            del images[name]  # a band without a pixel is a band that is missing
    if not images:
        raise InputError(f"{path} holds no valid pixel: all are blank.")
    return make_galaxy(images, recipe.galaxy)


def _overlap(image: BandImage, truth: PropertyMaps) -> bool:
    """Whether a pixel of the truth that is not empty lies on an image."""
    from ...prepare.grid.pixel_positions import to_pixels

    y, x = np.nonzero(np.isfinite(truth.values[STARS]))
    some = slice(None, None, max(1, len(x) // 500))
    sky = truth.wcs.pixel_to_world(x[some], y[some]).icrs
    found, _ = to_pixels(image.wcs, image.shape, sky.ra.deg, sky.dec.deg)
    return bool(np.isfinite(found).any())


def _for_both(
    recipe: Recipe, galaxy: Galaxy, truth: PropertyMaps, fwhm: float, source: Source
) -> Recipe:
    """The recipe with the PSF and the pixel of the coarser of images and truth."""
    from astropy.wcs.utils import proj_plane_pixel_area

    psf, grid = recipe.psf, recipe.grid
    target: float | str
    if psf.target == "auto":
        target = max(fwhm, *(image.fwhm for image in galaxy.images.values()))
        psf = psf.model_copy(update={"target": target})
    elif isinstance(psf.target, int | float) and psf.target * _SAME < fwhm:
        raise InputError(
            f"{source.name}: its truth has a PSF of {fwhm:.3g} arcsec, wider than the "
            f"{psf.target:g} asked for; leave psf.target at auto."
        )
    else:
        target = psf.target
    if grid.pixel == "auto" and isinstance(target, int | float):
        pixel = float(np.sqrt(proj_plane_pixel_area(truth.wcs)) * 3600)
        grid = grid.model_copy(update={"pixel": max(round(target / 3, 2), pixel)})
    return recipe.model_copy(update={"psf": psf, "grid": grid.model_copy(update={"cut": False})})


def _pair(
    name: str,
    cube: BandCube,
    truth: PropertyMaps,
    distance: float | None,
    number: int,
    notes: tuple[str, ...],
) -> Pair:
    images = np.full((len(UGRIZ), *cube.shape), np.nan, np.float32)
    sigma = images.copy()
    for k, band in enumerate(cube.bands):
        row = UGRIZ.index(band)
        images[row] = np.where(cube.mask, np.nan, cube.data[k])
        sigma[row] = np.where(cube.mask, np.nan, cube.uncertainty[k])
    kpc = cube.pixel_arcsec * distance * PC_PER_MPC_ARCSEC / 1e3 if distance else float("nan")
    row_of = table_row(
        number,
        truth.values[STARS],
        cube.pixel_arcsec,
        kpc,
        distance,
        redshift_of(cube),
        cube.fwhm / cube.pixel_arcsec,
    )
    return Pair(name, images, sigma, scaled(truth.values), row_of, notes)


def scaled(values: Mapping[str, np.ndarray]) -> np.ndarray:
    """`scaled_truth` of maps of which some may be missing."""
    import warnings

    nothing = np.full(next(iter(values.values())).shape, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the largest of nothing
        return scaled_truth({name: values.get(name, nothing) for name in STELLAR_PROPERTIES})


def table_row(
    number: int,
    stars: np.ndarray,
    pixel_arcsec: float,
    pixel_kpc: float,
    distance: float | None,
    redshift: float,
    fwhm_pixels: float,
) -> tuple[float, ...]:
    """The columns of `pairs.TABLE` of a galaxy; NaN where not known.

    Parameters
    ----------
    number : int
    stars : ndarray
        log10 of Msun per kpc2.
    pixel_arcsec, pixel_kpc : float
        Side of a pixel.
    distance : float or None
        Mpc.
    redshift : float
        NaN where it is not known.
    fwhm_pixels : float
    """
    known = {
        "seed": float(number),
        "pixel_arcsec": pixel_arcsec,
        "pixel_kpc": pixel_kpc,
        "redshift": redshift,
        "fwhm_pixels": fwhm_pixels,
        "log_mass": float(np.log10(np.nansum(10.0 ** stars.astype(float)) * pixel_kpc**2)),
    }
    if distance:
        known["distance_mpc"] = distance
    return tuple(known.get(column, float("nan")) for column in TABLE)
