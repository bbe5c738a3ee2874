"""A mock galaxy's light without its dust, and by how much dust dims it: true maps and images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..bands.registry import get_band
from ..constants import MJY_SR_PER_LSUN_HZ_KPC2, SPEED_OF_LIGHT_MICRON_S
from ..data.properties import ATTENUATION
from ..progress import Steps, run_to_end
from ..sed.attenuation import V_UM
from ..sed.compose import DIMMED
from . import surveys
from .mock import Mock, rendered_steps
from .view import View

_ROUNDING = 1e-4
"""Of a plane's peak, below which a hundredth of it may be what a blur's rounding made: what is
compared are two planes."""


def dustless_images(mock: Mock) -> dict[str, np.ndarray]:
    """`dustless_images_steps` at once."""
    return run_to_end(dustless_images_steps(mock))


def dustless_images_steps(mock: Mock) -> Steps[dict[str, np.ndarray]]:
    """Each ultraviolet and optical image of a mock as it would be without dust.

    Returns
    -------
    dict of ndarray of float32, shape (ny, nx)
        MJy/sr by band, at the band's PSF, without noise and whatever stands in front.
    """
    view = mock.view
    bands = tuple(band for band in view.bands if band in DIMMED)
    if not bands:
        return {}
    light = yield from _starlight_steps(mock, replace(view, bands=bands), False)
    images = light * np.float32(MJY_SR_PER_LSUN_HZ_KPC2 / (1 + mock.redshift) ** 3)
    psfs = [(view.fwhm_of(band), surveys.is_ground(band)) for band in bands]
    return dict(zip(bands, surveys.convolve(images, psfs, view.pixel_arcsec), strict=True))


def attenuation_truth_steps(mock: Mock) -> Steps[dict[str, np.ndarray]]:
    """True maps of `properties.ATTENUATION` at the PSF of the other truths.

    The light at 0.55 micron is that of the bands about it, interpolated in logarithms: of the
    library's models A_V is so good to 0.02 mag.

    Returns
    -------
    dict of ndarray of float32, shape (ny, nx)
        NaN where there is no light.
    """
    view, z = mock.view, mock.redshift
    optical = replace(view, bands=DIMMED, fwhm={})
    psf = (view.fwhm_of_truth, surveys.is_ground(view.bands[0]))
    both = []
    for dimmed in (True, False):
        light = yield from _starlight_steps(mock, optical, dimmed)
        light = surveys.convolve(light, [psf] * len(DIMMED), view.pixel_arcsec)
        faint = light <= _ROUNDING * light.max(axis=(1, 2), keepdims=True)
        both.append(np.where(faint, np.nan, light))
    wavelength = np.array([get_band(band).pivot for band in DIMMED]) / (1 + z)
    at_fuv = DIMMED.index("GALEX_FUV")
    fuv, visual = ([] for _ in range(2))
    for light in both:
        fuv.append(light[at_fuv] * SPEED_OF_LIGHT_MICRON_S / wavelength[at_fuv])
        visual.append(_at(light, wavelength, V_UM) * SPEED_OF_LIGHT_MICRON_S / V_UM)
    planes = (
        -2.5 * np.log10(fuv[0] / fuv[1]), -2.5 * np.log10(visual[0] / visual[1]),
        np.log10(fuv[1]), np.log10(visual[1]),
    )  # fmt: skip
    return {name: plane.astype(np.float32) for name, plane in zip(ATTENUATION, planes, strict=True)}


def _starlight_steps(mock: Mock, view: View, dimmed: bool) -> Steps[np.ndarray]:
    """Lsun/Hz per kpc2 of the stars and the gas of a mock and its companion before any PSF, shape
    (n_bands, ny, nx).
    """
    planes = yield from rendered_steps(mock.galaxy, view, mock.redshift, dimmed)
    return planes[: len(view.bands)]


def _at(light: np.ndarray, wavelength: np.ndarray, wanted: float) -> np.ndarray:
    """Light between bands, interpolated linearly in the logarithms of light and wavelength."""
    k = int(np.clip(np.searchsorted(wavelength, wanted), 1, len(wavelength) - 1))
    part = np.log(wanted / wavelength[k - 1]) / np.log(wavelength[k] / wavelength[k - 1])
    return np.asarray(light[k - 1] ** (1 - part) * light[k] ** part)
