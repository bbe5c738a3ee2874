"""Far-infrared light of dust of a known mass and temperature, in one radiation field."""

from __future__ import annotations

import numpy as np

from ..constants import MJY_SR_PER_LSUN_HZ_KPC2
from ..exceptions import InputError
from .tables import MILKY_WAY_QHAC, T_DUST_BETA, T_DUST_U1, at_redshift, dust_table
from .truth import far_infrared


def brightness_per_mass(temperature: np.ndarray, band: str, redshift: float) -> np.ndarray:
    """Surface brightness of THEMIS dust in a single field per surface density of its mass.

    Small, hot grains matter little beyond 60 micron; their fraction is the Milky Way's.

    Parameters
    ----------
    temperature : ndarray, shape (ny, nx)
        Of the bulk of the dust, K: Umin by Nersesian+ 2019, Sect. 3.1. Beyond the table's ends the
        nearest spectrum is taken.
    band : str
        In the far infrared.
    redshift : float

    Returns
    -------
    ndarray, shape (ny, nx)
        MJy/sr per Msun / kpc2; NaN where the temperature is.

    Raises
    ------
    InputError
        When the band does not show the bulk of the dust, or the redshift lies beyond the table.
    """
    table = dust_table()
    if band not in far_infrared([band]) or band not in table.bands:
        known = ", ".join(far_infrared(table.bands))
        raise InputError(
            f"{band} does not show the bulk of the dust, which the maps are to follow; give an "
            f"image of {known}."
        )
    light = at_redshift(table.light, table.redshift, redshift)
    grains = int(np.argmin(np.abs(table.qhac - MILKY_WAY_QHAC)))
    shape = light[grains, :, 0, table.bands.index(band)] / table.total[grains, :, 0]
    field = (np.asarray(temperature, float) / T_DUST_U1) ** (4 + T_DUST_BETA)
    at = np.log10(np.clip(field, table.umin[0], table.umin[-1]))
    per_lsun = 10 ** np.interp(at, np.log10(table.umin), np.log10(shape))
    factor = table.lsun_per_msun * MJY_SR_PER_LSUN_HZ_KPC2 / (1 + redshift) ** 3
    return np.asarray(10**at * per_lsun * factor)
