"""Maps of attenuation, and images without dust: what the fit of model spectra says of the dust
before the stars of every pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np

from ..bands.registry import get_band
from ..data.cube import BandCube
from ..data.flags import Flag, as_flags
from ..data.maps import PropertyMaps
from ..data.properties import ATTENUATION
from ..exceptions import InputError
from ..fits_io.sky_coordinates import header_of
from ..progress import Progress, Steps
from .compose import DIMMED
from .dustless import DustlessFit, dustless_steps
from .fit import FitFlag
from .fitted_maps import on_grid, record_of_fit
from .library import Library, known_places, not_fitted
from .likelihood import MIN_BANDS
from .priors import dusty

NAME: Final = "attenuation by SED fit"
ULTRAVIOLET: Final = ("GALEX_FUV", "GALEX_NUV")
NOT_BALANCED: Final = 0.25
"""Of the light of dust, added to its errors in quadrature: models give back what they take from the
light that leaves towards us, dust what it takes from light in all directions, some of it from other
pixels. With a tenth, as of stars, u and g of mock galaxies were taken for 0.12 mag too bright, and
half of the pixels only were inside their errors."""
DETECTED: Final = 3.0
"""Sigma over which a band tells something of the dust, and the deepest something at all."""


@dataclass(frozen=True, eq=False)
class Attenuation:
    """How much light dust takes in every pixel, and the images without it.

    Attributes
    ----------
    maps : PropertyMaps
        `properties.ATTENUATION`: medians, with half the distance of the 16th and 84th percentiles
        for an error.
    cube : BandCube
        The ultraviolet and optical images without dust, medians, MJy/sr.
    chi2 : ndarray of float32, shape (ny, nx)
        Of the best model, over the number of measured bands less one; NaN where nothing was fitted.
    percentiles : dict of ndarray of float32, shape (ny, nx)
        A_FUV_P16, A_FUV_P84, A_V_P16, A_V_P84 in mag.
    dimmed : ndarray of float32, shape (2, n_bands, ny, nx)
        Attenuation of each image of `cube` and its error, mag.
    """

    maps: PropertyMaps
    cube: BandCube
    chi2: np.ndarray
    percentiles: dict[str, np.ndarray]
    dimmed: np.ndarray

    def hdus(self) -> list[Any]:
        """The percentiles and CHI2 as extensions for a file of maps."""
        wcs = header_of(self.maps.wcs)
        names = {"16": "16th percentile", "84": "84th percentile"}
        found = [
            _image(name, plane, wcs, "mag", (names[name[-2:]], "of the models, by likelihood"))
            for name, plane in self.percentiles.items()
        ]
        words = ("reduced chi2", "of the best model, by bands less one")
        return [*found, _image("CHI2", self.chi2, wcs, "", words)]

    def cube_hdus(self) -> list[Any]:
        """By how much each image was dimmed, as extensions for the file of the images."""
        wcs = header_of(self.maps.wcs)
        found = []
        for name, planes in zip(("DIMMED", "DIMMEDERR"), self.dimmed, strict=True):
            hdu = _image(name, planes, wcs, "mag", ("attenuation", "by band, as DATA"))
            hdu.header["CTYPE3"] = ("BAND", "see the table BANDS")
            found.append(hdu)
        return found


def _image(name: str, data: np.ndarray, wcs: Any, unit: str, words: tuple[str, str]) -> Any:
    from astropy.io import fits

    hdu = fits.ImageHDU(data.astype(np.float32), wcs, name=name)
    if unit:
        hdu.header["BUNIT"] = unit
    hdu.header["LONGNAME"] = words
    return hdu


def what_is_missing(bands: Sequence[str]) -> str:
    """What bands cannot tell of attenuation, in words; empty where they have all that is wanted."""
    ultraviolet, infrared = any(band in bands for band in ULTRAVIOLET), bool(dusty(bands))
    if not ultraviolet and not infrared:
        return (
            "there is neither an ultraviolet band nor one in which dust shines (7 micron and "
            "more): from the colours of starlight alone, dust cannot be told from old or "
            "metal-rich stars, and what comes out is mostly what is usual of the models"
        )
    if not ultraviolet:
        return (
            "there is no ultraviolet band: its attenuation follows from how much dust shines and "
            "from the models' laws, with wide errors"
        )
    if not infrared:
        return (
            "there is no band in which dust shines (7 micron and more): attenuation follows from "
            "the colours of starlight, which old stars redden, too"
        )
    return ""


def check_bands(bands: Sequence[str], library: Library | None = None) -> tuple[str, ...]:
    """The ultraviolet and optical bands out of `bands`, in order of wavelength.

    Raises
    ------
    InputError
        When there is none, or there are fewer than three bands to fit.
    """
    known = [get_band(bands[i]).name for i in known_places(bands, library)]
    found = tuple(band for band in DIMMED if band in known)
    if not found:
        raise InputError(
            "There is no ultraviolet or optical band to take the dust from "
            f"({', '.join(DIMMED)}); add such images."
        )
    if len(known) < MIN_BANDS:
        raise InputError(
            f"Attenuation needs at least {MIN_BANDS} bands that the model spectra have, and there "
            f"{'is' if len(known) == 1 else 'are'} only {' and '.join(known)}; add images, "
            "ultraviolet and beyond 7 micron above all."
        )
    return found


def loosened(data: np.ndarray, uncertainty: np.ndarray, bands: Sequence[str]) -> np.ndarray:
    """Errors with what dust's own light may be off by (`NOT_BALANCED`), shape (n_bands, n_pixels).

    Parameters
    ----------
    data, uncertainty : ndarray, shape (n_bands, n_pixels)
    bands : sequence of str
    """
    off = np.array([NOT_BALANCED if band in dusty(bands) else 0.0 for band in bands])
    return np.hypot(uncertainty, off[:, None] * data)


def attenuation_steps(
    cube: BandCube, library: Library, device: str = "auto", note: str = ""
) -> Steps[Attenuation]:
    """Fit every pixel that is not masked and has three measured bands.

    Parameters
    ----------
    cube : BandCube
        All bands at one PSF, as they were measured; those that the library lacks are not used, and
        a note says so.
    library : Library
    device : {"auto", "cpu", "cuda", "mps"}
    note : str
        What is to be said of the library's redshift.

    Yields
    ------
    Progress
        After every batch of pixels.

    Returns
    -------
    Attenuation
        NaN where the cube is masked, too few bands are measured, or there is no light.

    Raises
    ------
    InputError
        When the bands tell nothing (`check_bands`), the images are without dust already, errors
        are zero, or no pixel can be fitted.
    """
    cube.check_dimmed()
    check_bands(cube.bands, library)
    known = np.array(known_places(cube.bands, library))
    data, error = (a.reshape(len(cube.bands), -1)[known] for a in (cube.data, cube.uncertainty))
    error = loosened(data, error, [cube.bands[i] for i in known])
    measured = (np.isfinite(data) & np.isfinite(error)).sum(0)
    pixels = np.flatnonzero(~cube.mask.ravel() & (measured >= MIN_BANDS))
    if not len(pixels):
        raise InputError(
            f"No pixel of {cube.name or 'the galaxy'} has {MIN_BANDS} measured bands; look whether "
            "the images show the galaxy."
        )
    fitted = tuple(cube.bands[i] for i in known)
    left = not_fitted(cube.bands, library)
    notes = [text for text in (note, left, what_is_missing(fitted)) if text]
    for text in notes[bool(note) :]:
        yield Progress("sed", 0, 1, text, lasting=True)
    found = yield from dustless_steps(data[:, pixels], error[:, pixels], fitted, library, device)
    return _attenuation(cube, found, pixels, library, notes)


def _attenuation(
    cube: BandCube, found: DustlessFit, pixels: np.ndarray, library: Library, notes: list[str]
) -> Attenuation:
    """Maps and images of fitted pixels."""
    plane = partial(on_grid, cube, pixels)
    with np.errstate(divide="ignore", invalid="ignore"):
        shown = {
            "A_FUV": found.properties["A_FUV"], "A_V": found.properties["A_V"],
            "LOG_SIGMA_FUV": np.log10(found.properties["FUV"]),
            "LOG_SIGMA_V": np.log10(found.properties["V"]),
        }  # fmt: skip
    shown = {name: np.where(np.isfinite(x), x, np.nan) for name, x in shown.items()}
    values = {name: plane(shown[name][1]) for name in ATTENUATION}
    errors = {name: plane(_half(shown[name])) for name in ATTENUATION}
    flags = _flags(cube, found, pixels, library)
    provenance, shared = record_of_fit(cube, library, NAME, notes)
    # What a pixel's error is of is mostly what bands cannot tell, and that is alike in neighbours:
    # all of it counts as shared, so that no sum averages it down.
    maps = PropertyMaps(
        values, errors, cube.wcs, flags, provenance, shared, galaxy_errors=dict(errors),
        unknown_flags=cube.unknown_flags,
    )  # fmt: skip
    percentiles = {
        f"{name}_P{level}": plane(shown[name][k])
        for name in ("A_FUV", "A_V")
        for k, level in ((0, 16), (2, 84))
    }
    images = _images(cube, found, plane, provenance, flags)
    dimmed = np.stack([plane(found.dimmed[1]), plane(_half(found.dimmed))])
    rows = [found.bands.index(band) for band in images.bands]
    return Attenuation(maps, images, plane(found.chi2), percentiles, dimmed[:, rows])


def _half(percentiles: np.ndarray) -> np.ndarray:
    """Half the distance of the 16th and 84th percentile; NaN where there is none, as where one
    model of the library stands alone.
    """
    half = (percentiles[2] - percentiles[0]) / 2
    return np.asarray(np.where(half > 0, half, np.nan))


def _images(
    cube: BandCube, found: DustlessFit, plane: Any, provenance: dict[str, Any], flags: np.ndarray
) -> BandCube:
    """The images without dust of the bands that were measured, where they were."""
    there = [band for band in found.bands if band in cube.bands]
    images = cube.only(there)
    rows = [found.bands.index(band) for band in images.bands]
    seen = np.isfinite(images.data) & np.isfinite(images.uncertainty)
    data = np.where(seen, plane(found.light[1])[rows], np.float32(np.nan))
    error = np.where(seen, plane(_half(found.light))[rows], np.float32(np.nan))
    return replace(
        images, data=data, uncertainty=error, flags=flags, images={}, filling=None,
        masked_light=None, systematic=_shared(data, error), provenance=provenance, dimmed=False,
    )  # fmt: skip


def _shared(data: np.ndarray, error: np.ndarray) -> np.ndarray:
    """The relative error of a band that is common to its pixels: what they have of it on average,
    weighted by light, shape (n_bands,).
    """
    both = np.isfinite(data) & np.isfinite(error)
    light, doubt = (np.where(both, x, 0).sum(axis=(1, 2), dtype=float) for x in (data, error))
    return np.divide(doubt, light, out=np.zeros(len(light)), where=light > 0)


def _flags(cube: BandCube, found: DustlessFit, pixels: np.ndarray, library: Library) -> np.ndarray:
    """The cube's flags, and where no model fits, a band of the ultraviolet is missing, all bands
    are faint, and where little is told of dust.
    """
    flags = as_flags(cube.flags)
    flat = flags.reshape(-1)
    flat[pixels[(found.flags & FitFlag.NO_MODEL_FITS) != 0]] |= Flag.NO_MODEL_FITS
    known = known_places(cube.bands, library)
    with np.errstate(invalid="ignore"):
        seen = (cube.data[known] > DETECTED * cube.uncertainty[known]).reshape(len(known), -1)
    names = [cube.bands[i] for i in known]

    def detected(bands: Sequence[str]) -> np.ndarray:
        rows = [k for k, name in enumerate(names) if name in bands]
        return np.asarray(seen[rows][:, pixels].any(0))

    lacking = np.zeros(len(pixels), bool)
    for band in ULTRAVIOLET:
        there = band in cube.bands
        plane = cube.data[cube.bands.index(band)].ravel()[pixels] if there else np.nan
        lacking |= ~np.isfinite(plane)
    flat[pixels[lacking]] |= Flag.BAND_MISSING
    flat[pixels[~seen[:, pixels].any(0)]] |= Flag.FAINT
    told = detected(ULTRAVIOLET) & detected(dusty(names))
    flat[pixels[~told]] |= Flag.DUST_UNTOLD
    return flags
