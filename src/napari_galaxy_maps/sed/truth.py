"""Truth maps: what the fit of model spectra says of dust and stars where the far infrared is seen
(DB21 Sect. 2.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from ..bands.registry import FIR_BANDS, get_band
from ..data.cube import BandCube
from ..data.flags import Flag, as_flags
from ..data.maps import PropertyMaps
from ..exceptions import InputError
from ..fits_io.sky_coordinates import header_of
from ..progress import Progress, Steps
from .fit import FitFlag, SedFit, fit_steps
from .fitted_maps import on_grid, record_of_fit
from .library import Library, known_places, not_fitted

MIN_FAR_INFRARED: Final = 3
"""Fewest far-infrared bands from which the dust's mass and temperature can be told."""
LOGARITHMS: Final[Mapping[str, str]] = {
    "LOG_SLD": "SLD", "LOG_SMD": "SMD", "LOG_SIGMA_LSTAR": "Lbolo", "LOG_SIGMA_LD": "Ldust",
    "LOG_SIGMA_STAR": "Mstar",
    "LOG_SIGMA_MD": "Mdust", "LOG_SIGMA_SFR": "SFR",
}  # fmt: skip
"""Which property of the fit is the argument of which map's logarithm."""
ORDER: Final = (
    "LOG_SLD", "LOG_SMD", "T_DUST", "LOG_SIGMA_LSTAR", "LOG_SIGMA_LD", "LOG_SIGMA_STAR",
    "LOG_SIGMA_MD", "LOG_SIGMA_SFR",
)  # fmt: skip
_NAME: Final = "SED fit"


@dataclass(frozen=True, eq=False)
class Truth:
    """Maps as the fit gives them, and how well it fits.

    Attributes
    ----------
    maps : PropertyMaps
        `ORDER`, each with its 1-sigma error.
    chi2 : ndarray of float32, shape (ny, nx)
        Of the best model, over the number of measured bands less one; NaN where nothing was fitted.
    """

    maps: PropertyMaps
    chi2: np.ndarray

    def hdus(self) -> list[Any]:
        """The extension CHI2 for a file of maps."""
        from astropy.io import fits

        hdu = fits.ImageHDU(self.chi2.astype(np.float32), header_of(self.maps.wcs), name="CHI2")
        hdu.header["LONGNAME"] = ("reduced chi2", "of the best model, by bands less one")
        return [hdu]


def far_infrared(bands: Sequence[str]) -> tuple[str, ...]:
    """Which of some bands see the bulk of the dust: the far infrared beyond the 24 micron that
    small, hot grains emit.
    """
    names = [get_band(band).name for band in bands]
    return tuple(name for name in names if name in FIR_BANDS and get_band(name).pivot > 60)


def check_far_infrared(bands: Sequence[str]) -> tuple[str, ...]:
    """The far-infrared bands out of `bands`.

    Raises
    ------
    InputError
        When there are fewer than three.
    """
    found = far_infrared(bands)
    if len(found) < MIN_FAR_INFRARED:
        have = f"only {' and '.join(found)}" if found else "none"
        raise InputError(
            f"A truth needs at least {MIN_FAR_INFRARED} far-infrared bands (70 to 500 micron), and "
            f"there {'are' if len(found) == 2 else 'is'} {have}; "
            "add images of PACS, SPIRE or MIPS."
        )
    return found


def truth_steps(
    cube: BandCube, library: Library, device: str = "auto", note: str = ""
) -> Steps[Truth]:
    """Fit every pixel in which at least three far-infrared bands are measured.

    Parameters
    ----------
    cube : BandCube
        All bands, far infrared included, at one PSF; those that the library lacks are not used, and
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
    Truth
        NaN where the cube is masked, or fewer than three far-infrared bands are measured, or there
        is no light. Where no model fits, the values are there and the flag says so.

    Raises
    ------
    InputError
        When there are fewer than three far-infrared bands, errors are zero, or no pixel can be
        fitted.
    """
    far = check_far_infrared(cube.bands)
    n = cube.mask.size
    data, error = (array.reshape(len(cube.bands), n) for array in (cube.data, cube.uncertainty))
    measured = np.isfinite(data) & np.isfinite(error)
    rows = [cube.bands.index(name) for name in far]
    pixels = np.flatnonzero(~cube.mask.ravel() & (measured[rows].sum(0) >= MIN_FAR_INFRARED))
    if not len(pixels):
        raise InputError(
            f"No pixel of {cube.name or 'the galaxy'} has {MIN_FAR_INFRARED} of its far-infrared "
            f"bands ({', '.join(far)}) measured; "
            "look whether these images show the galaxy."
        )
    known, left = np.array(known_places(cube.bands, library)), not_fitted(cube.bands, library)
    if left:
        yield Progress("sed", 0, 1, left, lasting=True)
    fitted = [cube.bands[i] for i in known]
    result = yield from fit_steps(
        data[np.ix_(known, pixels)], error[np.ix_(known, pixels)], fitted, library, device
    )
    return _maps(cube, result, pixels, library, [text for text in (note, left) if text])


def _maps(
    cube: BandCube, result: SedFit, pixels: np.ndarray, library: Library, notes: list[str]
) -> Truth:
    """Truth maps of fitted pixels."""
    plane = partial(on_grid, cube, pixels)
    values = {"T_DUST": plane(result.properties["Tdust"])}
    errors = {"T_DUST": plane(result.errors["Tdust"])}
    for name, what in LOGARITHMS.items():
        value, error = log_with_error(result.properties[what], result.errors[what])
        values[name], errors[name] = plane(value), plane(error)
    # Where one model of the library stands alone it has no scatter, which is no error of zero.
    errors = {
        name: np.where(error > 0, error, np.float32(np.nan)) for name, error in errors.items()
    }
    flags = as_flags(cube.flags).ravel()
    flags[pixels[(result.flags & FitFlag.NO_MODEL_FITS) != 0]] |= Flag.NO_MODEL_FITS
    provenance, shared = record_of_fit(cube, library, _NAME, notes)
    maps = PropertyMaps(
        {name: values[name] for name in ORDER}, {name: errors[name] for name in ORDER}, cube.wcs,
        flags.reshape(cube.shape),
        provenance, shared, unknown_flags=cube.unknown_flags,
    )  # fmt: skip
    return Truth(maps, plane(result.chi2))


def log_with_error(mean: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log10 of a mean and its error in dex, that of a lognormal distribution with this mean and
    sigma.

    For small errors it is sigma / mean / ln 10; for large ones it stays finite. NaN where the mean
    is not positive.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        good = mean > 0
        value = np.where(good, np.log10(mean), np.nan)
        error = np.where(good, np.sqrt(np.log1p((sigma / mean) ** 2)) / np.log(10), np.nan)
    return value, error
