"""Stellar mass from one colour: the relation of Taylor+ (2011) for real galaxies, to hold
predictions against.
"""

from __future__ import annotations

import numpy as np

from ...constants import ZERO_AB_MJY_SR

SUN_I = 4.58
"""Absolute AB magnitude of the Sun in i (Taylor+ 2011, Sect. 2)."""
_KPC2 = 6.0 + 0.4 * 21.572
"""log10 of Lsun/kpc2 of 0 mag/arcsec2 from a Sun of magnitude 0: 21.572 = 5 log10(206265 / 10)."""


def taylor_mass(g: np.ndarray, i: np.ndarray, redshift: float) -> np.ndarray:
    """log10 of stellar mass per area by log M/L_i = 0.70 (g - i) - 0.68 (Taylor+ 2011, Eq. 7;
    Chabrier IMF).

    Parameters
    ----------
    g, i : ndarray
        Surface brightness in MJy/sr (AB), the Milky Way's reddening removed.
    redshift : float
        For the dimming by (1 + z)^3 of what is measured per frequency; colours are taken as they
        are, which is sound below 0.05.

    Returns
    -------
    ndarray
        log10 of Msun/kpc2; NaN where a brightness is not positive.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        colour = -2.5 * np.log10(np.where(g > 0, g, np.nan) / np.where(i > 0, i, np.nan))
        brightness = -2.5 * np.log10(i / ZERO_AB_MJY_SR)
    light = _KPC2 - 0.4 * (brightness - SUN_I) + 3 * np.log10(1 + redshift)
    result: np.ndarray = 0.70 * colour - 0.68 + light
    return result
