"""Attenuation curves: optical depth by wavelength relative to that at 0.55 micron."""

from __future__ import annotations

import numpy as np

V_UM = 0.55
BUMP_UM, BUMP_WIDTH_UM = 0.2175, 0.035
"""Place and width of the ultraviolet bump (Fitzpatrick & Massa 1990; width as in Noll+ 2009)."""


def power_law(wavelength: np.ndarray, slope: float = -0.7) -> np.ndarray:
    """tau / tau_V = (wavelength / 0.55 um)^slope (Charlot & Fall 2000, eq. 5: -0.7); `wavelength`
    in micron.
    """
    return np.asarray(wavelength / V_UM) ** slope


def with_bump(wavelength: np.ndarray, slope: float, bump: float) -> np.ndarray:
    """A power law with a Drude profile at 2175 Angstrom of height `bump` in units of tau_V (Noll+
    2009, eq. 4).
    """
    drude = (wavelength * BUMP_WIDTH_UM) ** 2 / (
        (wavelength**2 - BUMP_UM**2) ** 2 + (wavelength * BUMP_WIDTH_UM) ** 2
    )
    return power_law(wavelength, slope) + bump * drude


def calzetti(wavelength: np.ndarray, delta: float = 0.0) -> np.ndarray:
    """tau / tau_V of starbursts (Calzetti+ 2000, eq. 4), times (wavelength / 0.55 um)^delta (Noll+
    2009).

    Below 0.12 micron the curve is held, beyond 2.2 micron it falls with the wavelength's square.
    """
    x = np.clip(wavelength, 0.12, 2.2)
    red = 2.659 * (-1.857 + 1.040 / x) + 4.05
    blue = 2.659 * (-2.156 + 1.509 / x - 0.198 / x**2 + 0.011 / x**3) + 4.05
    curve = np.where(x < 0.63, blue, red) / 4.05
    return np.asarray(
        np.where(wavelength > 2.2, curve * (2.2 / wavelength) ** 2, curve)
        * (wavelength / V_UM) ** delta
    )


def modified_starburst(wavelength: np.ndarray, slope: np.ndarray, bump: np.ndarray) -> np.ndarray:
    """A(wavelength) / E(B-V) of the starburst law, tilted and with an ultraviolet bump, as CIGALE
    has it.

    Calzetti+ 2000 (eq. 4) from 0.15 micron, Leitherer+ 2002 (eq. 14) below it, never negative (it
    ends at 3.1 micron); times (wavelength / 0.55 um)^slope, plus a Drude profile of height `bump`
    at 2175 Angstrom (Noll+ 2009, eq. 3-5); scaled so that E(B-V) stays what it was before the tilt
    (Boquien+ 2019, eq. 10).

    Parameters
    ----------
    wavelength : ndarray, shape (n,)
        Micron, from the Lyman limit on.
    slope, bump : ndarray, shape (m,)
        The bump in units of A / E(B-V); the Milky Way's is 3.

    Returns
    -------
    ndarray, shape (m, n)
    """
    slope, bump = np.atleast_1d(slope)[:, None], np.atleast_1d(bump)[:, None]
    drude = (wavelength * BUMP_WIDTH_UM) ** 2 / (
        (wavelength**2 - BUMP_UM**2) ** 2 + (wavelength * BUMP_WIDTH_UM) ** 2
    )
    blue, visual = (_starburst(np.array([x]))[0] for x in (0.44, 0.55))
    excess = blue * (0.44 / V_UM) ** slope - visual
    tilted = (
        _starburst(wavelength)
        * np.exp(slope * np.log(wavelength / V_UM))
        * ((blue - visual) / excess)
    )
    return np.asarray(np.maximum(tilted, 0) + bump * drude)


def _starburst(x: np.ndarray) -> np.ndarray:
    """k(x) of Calzetti+ 2000 and Leitherer+ 2002; x in micron."""
    red = 2.659 * (-1.857 + 1.040 / x) + 4.05
    blue = 2.659 * (-2.156 + 1.509 / x - 0.198 / x**2 + 0.011 / x**3) + 4.05
    far = 5.472 + 0.671 / x - 9.218e-3 / x**2 + 2.620e-3 / x**3
    return np.where(x < 0.15, far, np.where(x < 0.63, blue, red))
