"""What is trusted more than the prediction: coarse maps of dust, or a far-infrared image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..data.cube import BandCube
from ..data.flags import Flag
from ..data.maps import PropertyMaps
from ..exceptions import InputError
from ..measure.compare.averaging import linear_of
from ..measure.compare.grid_and_psf import psf_fwhm

if TYPE_CHECKING:
    from astropy.wcs import WCS

ADD_UP = ("LOG_SIGMA_LD", "LOG_SIGMA_MD")
"""What of a coarse map of properties is trusted."""
EXACT = 0.003
"""Relative error that is taken where a map tells none, and the least of any."""


@dataclass(frozen=True, eq=False)
class Trusted:
    """A coarse plane.

    Attributes
    ----------
    what : str
        The property, or the band of an image.
    applies_to : tuple of str
        The properties that it corrects.
    value, sigma : ndarray, shape (ny, nx)
        Linear (Lsun or Msun per kpc2, MJy/sr), and its 1-sigma error; NaN where nothing is known.
    wcs : astropy.wcs.WCS
    fwhm : float
        Of its PSF, arcsec.
    correlation : float
        Pixels over which its noise is shared.
    notes : tuple of str
        What had to be assumed.
    """

    what: str
    applies_to: tuple[str, ...]
    value: np.ndarray
    sigma: np.ndarray
    wcs: WCS
    fwhm: float
    correlation: float = 1.0
    notes: tuple[str, ...] = ()

    @property
    def is_image(self) -> bool:
        """Whether it is an image and no map of a property."""
        return self.what not in self.applies_to


def trusted_maps(coarse: PropertyMaps, fwhm: float | None = None) -> list[Trusted]:
    """The planes of coarse maps that are trusted.

    Parameters
    ----------
    coarse : PropertyMaps
        A truth.
    fwhm : float, optional
        Of its PSF in arcsec, in place of what it says.

    Raises
    ------
    InputError
        When it has no map of what adds up, or its PSF is not known.
    """
    file = str(coarse.provenance.get("file", "The coarse file"))
    names = [name for name in ADD_UP if name in coarse]
    if not names:
        raise InputError(
            f"{file} has neither {' nor '.join(ADD_UP)}, which are what adds up of the dust; fit "
            "a truth to the far infrared, or name the band of an image.",
            "sharpen.image",
        )
    width = _known_width(fwhm or psf_fwhm(coarse), file)
    good = (coarse.flags & int(Flag.MASKED | Flag.NO_MODEL_FITS)) == 0
    found = []
    for name in names:
        log = coarse.values[name].astype(float)
        value = np.where(good & np.isfinite(log), linear_of(log), np.nan)
        notes: list[str] = []
        if name in coarse.errors:
            # A lognormal distribution's, as `sed.truth.log_with_error` made it.
            dex = coarse.errors[name].astype(float)
            sigma = value * np.sqrt(np.expm1((dex * np.log(10)) ** 2))
        else:
            notes.append(f"{name} of {file} has no errors: it was taken as exact.")
            sigma = np.full(value.shape, 0.0)
        sigma = np.where(np.isfinite(value), np.maximum(sigma, EXACT * np.abs(value)), np.nan)
        sigma = np.maximum(sigma, 1e-6 * np.nanmax(np.abs(value), initial=0))
        found.append(
            Trusted(
                name, (name,), value, sigma, coarse.wcs, width, coarse.correlation or 1.0,
                tuple(notes),
            )
        )  # fmt: skip
    return found


def trusted_image(
    cube: BandCube, band: str, predicted: Sequence[str], fwhm: float | None = None
) -> Trusted:
    """A far-infrared image, which corrects what of the dust adds up, at its temperature.

    Parameters
    ----------
    cube : BandCube
        With the band, its sky subtracted, in MJy/sr.
    band : str
    predicted : sequence of str
        The properties that are predicted.
    fwhm : float, optional
        Of its PSF in arcsec, in place of the cube's.

    Raises
    ------
    InputError
        When the cube lacks the band, or its PSF is not known.
    """
    if band not in cube.bands:
        raise InputError(f"There is no image of {band}; there are {', '.join(cube.bands)}.")
    row = cube.bands.index(band)
    value = np.where(cube.mask, np.nan, cube.data[row].astype(float))
    sigma = np.maximum(cube.uncertainty[row].astype(float), EXACT * np.abs(value))
    width = _known_width(fwhm or cube.fwhm, f"The image of {band}")
    shared = 1.0 if cube.correlation is None else float(cube.correlation[row])
    names = tuple(name for name in ADD_UP if name in predicted)
    return Trusted(band, names, value, sigma, cube.wcs, width, max(shared, 1.0))


def _known_width(fwhm: float, whose: str) -> float:
    if not (np.isfinite(fwhm) and fwhm > 0):
        raise InputError(
            f"{whose} does not say how wide its PSF is, without which nothing can be compared; "
            "tell its FWHM in arcsec.",
            "sharpen.fwhm",
        )
    return float(fwhm)
