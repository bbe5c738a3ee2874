"""What dust emits: as much as it took from the stars, at the temperature that this gives it."""

from __future__ import annotations

import numpy as np

from ..constants import MJY_SR_PER_LSUN_HZ_KPC2
from ..sed.tables import at_redshift, dust_table, dust_temperature
from .layers import ADDITIVE
from .surveys import DEPTHS

_DUST, _DIFFUSE, _CLOUD = (ADDITIVE.index(name) for name in ("dust", "diffuse", "cloud"))

SHOWN_BY = "SPIRE_250"
"""The band that shows where there is dust: in its light per mass temperature counts for little."""
_OF_NOISE = 1e-3
_OF_PEAK = 1e-5  # where rounding in the blur, some 1e-7 of the peak, is up to 0.5 K


def faintest(light: np.ndarray) -> float:
    """Surface brightness of dust in `SHOWN_BY`, MJy/sr, under which nothing can be said of it: a
    thousandth of the survey's noise, and 1e-5 of the brightest pixel of `light`.
    """
    return max(_OF_NOISE * DEPTHS[SHOWN_BY].noise, _OF_PEAK * float(np.max(light)))


def radiation_field(planes: np.ndarray) -> np.ndarray:
    """Umin of the dust in every pixel: its luminosity over what it would emit at U = 1.

    Parameters
    ----------
    planes : ndarray, shape (n_additive, ...)
        `layers.ADDITIVE` per area.

    Returns
    -------
    ndarray
        Between 0.1 and 80, where THEMIS's table ends.
    """
    mass = np.maximum(planes[_DUST], 1e-12)
    return np.asarray(np.clip(planes[_DIFFUSE] / mass / dust_table().lsun_per_msun, 0.1, 80.0))


def temperature(planes: np.ndarray) -> np.ndarray:
    """Temperature in K of the bulk of the dust."""
    return dust_temperature(radiation_field(planes)).astype(np.float32)


def emission(
    planes: np.ndarray, qhac: float, bands: tuple[str, ...], redshift: float
) -> np.ndarray:
    """Surface brightness of dust by band.

    Starlight at large heats dust in a single field Umin, young stars the dust of their clouds in a
    power law of fields upward from it (Draine & Li 2007, Sect. 5.5). Either part has exactly the
    luminosity that the stars lost.

    Parameters
    ----------
    planes : ndarray, shape (n_additive, ny, nx)
        `layers.ADDITIVE` per kpc2.
    qhac : float
        Mass fraction of small grains.
    bands : tuple of str
    redshift : float

    Returns
    -------
    ndarray of float32, shape (n_bands, ny, nx)
        MJy/sr; zero in bands where dust does not shine.
    """
    table = dust_table()
    result = np.zeros((len(bands), *planes.shape[1:]), np.float32)
    places = [k for k, band in enumerate(bands) if band in table.bands]
    if not places:
        return result
    columns = [table.bands.index(bands[k]) for k in places]
    at = float(
        np.clip(np.interp(qhac, table.qhac, np.arange(len(table.qhac))), 0, len(table.qhac) - 1.001)
    )
    low, part = int(at), at - int(at)
    light = at_redshift(table.light, table.redshift, redshift)[..., columns]
    light = light[low] * (1 - part) + light[low + 1] * part
    shape = (
        light / (table.total[low] * (1 - part) + table.total[low + 1] * part)[..., None]
    )  # per Lsun
    field = np.log10(radiation_field(planes)).ravel()
    at_u = np.clip(
        np.interp(field, np.log10(table.umin), np.arange(len(table.umin))),
        0,
        len(table.umin) - 1.001,
    )
    row = at_u.astype(np.int32)
    rest = (at_u - row)[:, None].astype(np.float32)
    total = np.zeros((len(row), len(columns)), np.float32)
    for kind, plane in ((0, planes[_DIFFUSE]), (1, planes[_CLOUD])):
        spectra = shape[:, kind].astype(np.float32)
        total += (spectra[row] * (1 - rest) + spectra[row + 1] * rest) * plane.ravel()[:, None]
    total *= np.float32(MJY_SR_PER_LSUN_HZ_KPC2 / (1 + redshift) ** 3)
    result[places] = total.T.reshape(len(columns), *planes.shape[1:])
    return result
