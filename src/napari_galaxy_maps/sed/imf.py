"""Initial mass functions: what the templates, made for one of them, become for another."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

_LOW, _HIGH = 0.1, 100.0
MAIN_SEQUENCE = ((5.0, 15.0), (0.25, 1.0))
"""Turn-off mass in Msun, and the share of a population's light that comes from the main sequence
below it.
"""


def chabrier(mass: np.ndarray) -> np.ndarray:
    """Stars per Msun of mass, per Msun formed (Chabrier 2003, Table 1 as in Bruzual & Charlot 2003,
    eq. 2); mass in Msun.
    """
    return _chabrier_shape(mass) / _total(_chabrier_shape)


def salpeter(mass: np.ndarray) -> np.ndarray:
    """The same of Salpeter (1955), between 0.1 and 100 Msun."""
    return _salpeter_shape(mass) / _total(_salpeter_shape)


def _chabrier_shape(mass: np.ndarray) -> np.ndarray:
    bell = np.exp(-((np.log10(mass) - np.log10(0.08)) ** 2) / (2 * 0.69**2)) / mass
    at_one = np.exp(-(np.log10(0.08) ** 2) / (2 * 0.69**2))
    return np.asarray(np.where(mass <= 1, bell, at_one * mass**-2.3))


def _salpeter_shape(mass: np.ndarray) -> np.ndarray:
    return np.asarray(mass**-2.35)


@lru_cache(maxsize=4)
def _total(shape: object) -> float:
    mass = np.geomspace(_LOW, _HIGH, 4001)
    return float(np.trapezoid(shape(mass) * mass**2, np.log(mass)))  # type: ignore[operator]


def turn_off_mass(age_yr: np.ndarray, metallicity: float) -> np.ndarray:
    """Mass in Msun of the stars that end at some ages (Raiteri+ 1996, eq. 3)."""
    z = np.log10(np.clip(metallicity, 7e-5, 0.03))
    a0 = 10.13 + 0.07547 * z - 0.008084 * z**2
    a1 = -4.424 - 0.7939 * z - 0.1187 * z**2
    a2 = 1.262 + 0.3385 * z + 0.05417 * z**2
    log_mass = np.linspace(np.log10(0.6), 2, 400)
    log_age = a0 + a1 * log_mass + a2 * log_mass**2
    return np.asarray(
        10 ** np.interp(np.log10(np.maximum(age_yr, 1)), log_age[::-1], log_mass[::-1])
    )


def _below(turn_off: np.ndarray) -> np.ndarray:
    """Ratio of Salpeter's stars to Chabrier's on the main sequence up to some masses, weighted by
    light.
    """
    mass = np.geomspace(_LOW, _HIGH, 2000)
    light = (
        np.where(mass < 20, mass**3.5, 20**1.5 * mass**2.0) * mass
    )  # the last for equal steps in log mass
    ratio = np.cumsum(light * salpeter(mass)) / np.cumsum(light * chabrier(mass))
    return np.asarray(np.interp(turn_off, mass, ratio))


def from_chabrier_to_salpeter(
    age_yr: np.ndarray, metallicity: np.ndarray, surviving: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What Salpeter's function makes of populations with Chabrier's.

    All light of very young populations, and a quarter of older ones', is taken to be that of the
    main sequence (L ~ M^3.5, M^2 beyond 20 Msun), the rest that of stars about to end: each scales
    with the number of its stars. What ending stars give back scales with theirs. CIGALE's Salpeter
    models are met to 1 % in the light of stars younger and older than 10 Myr, and in mass.

    Parameters
    ----------
    age_yr : ndarray, shape (n_ages,)
    metallicity : ndarray, shape (n_z,)
    surviving : ndarray, shape (n_z, n_ages)
        Mass in stars and remnants per Msun formed, Chabrier.

    Returns
    -------
    light, surviving : ndarray, shape (n_z, n_ages)
        Factor of the light, and the mass in stars and remnants.
    """
    mass = np.array([turn_off_mass(age_yr, z) for z in metallicity])
    ending = salpeter(mass) / chabrier(mass)
    share = np.interp(mass, *MAIN_SEQUENCE)
    light = share * _below(mass) + (1 - share) * ending
    middle = (ending[:, 1:] + ending[:, :-1]) / 2
    returned = np.cumsum(-np.diff(surviving, axis=1) * middle, axis=1)
    return light, 1 - np.concatenate([np.zeros((len(mass), 1)), returned], axis=1)
