"""Light, mass, metals and ages of stellar populations (Bruzual & Charlot 2003, Chabrier) in ugriz
at a redshift, and histories of star formation of given mean ages.

Light is summed over the populations' spectra and the filter curves; there is no nebular emission.
"""

from __future__ import annotations

import numpy as np

from ...constants import MJY_SR_PER_LSUN_HZ_KPC2
from ..other_mocks import histories
from ..other_mocks.populations import Populations, band_response

BANDS = ("SDSS_u", "SDSS_g", "SDSS_r", "SDSS_i", "SDSS_z")
N_BANDS = len(BANDS)
TRUTH = ("metals", "aged", "sfr", "star")
"""What adds up beside the bands: Msun of metals in stars, Msun of stars times their age in Gyr,
Msun/yr over 100 Myr, and Msun of stars and remnants today.
"""
PLANES = (*BANDS, *TRUTH)
OVER_YR = 1e8
"""Over which star formation is averaged."""
_N_AGES = 60


def columns(
    populations: Populations, redshift: float, passed: np.ndarray | float = 1.0
) -> np.ndarray:
    """`PLANES` of populations, per Msun formed: of the bands the brightness in MJy/sr of 1
    Msun/kpc2 at a redshift, shape (n_metals, n_ages, n_planes).

    Parameters
    ----------
    populations : Populations
    redshift : float
    passed : ndarray, shape (N_BINS,), or float
        Share of the light that dust lets pass.
    """
    response = band_response(BANDS, redshift) * np.reshape(passed, (-1, 1))
    light = populations.light @ response * (MJY_SR_PER_LSUN_HZ_KPC2 / (1 + redshift) ** 3)
    return np.concatenate([light, truth_columns(populations)], axis=-1)


def truth_columns(populations: Populations) -> np.ndarray:
    """`TRUTH` of populations, per Msun formed, shape (n_metals, n_ages, 4)."""
    edges = histories.age_cells(populations.age_yr)
    young = np.diff(np.minimum(edges, OVER_YR)) / np.diff(edges) / OVER_YR
    star = populations.surviving
    found = [
        star * populations.metallicity[:, None],
        star * populations.age_yr / 1e9,
        np.broadcast_to(young, star.shape),
        star,
    ]
    return np.stack(found, axis=-1)


def single_ages(age_yr: np.ndarray) -> np.ndarray:
    """Weights over ages of histories that are one burst each, shape (n_ages, n_ages)."""
    return np.eye(len(age_yr))


def delayed_tau(
    age_yr: np.ndarray, oldest_gyr: float, ended_gyr: float = 0.0, n: int = _N_AGES
) -> np.ndarray:
    """Weights over ages of rates t exp(-t/tau) that end some time ago, shape (n, n_ages).

    They begin at twice the mean age that they would have had without an end, or at `oldest_gyr`,
    and tau is what gives them this mean age.

    Parameters
    ----------
    age_yr : ndarray, shape (n_ages,)
        Of the populations.
    oldest_gyr : float
        Before which there are no stars.
    ended_gyr : float
        How long ago the last stars formed.
    n : int
        How many, from a mean age of 0.3 Gyr, or of what they ended, on.
    """
    means = np.geomspace(max(0.3, 1.05 * ended_gyr), 0.97 * oldest_gyr, n)
    starts = np.minimum(oldest_gyr, 2 * means)
    taus = starts * _tau_of_mean(means / starts)
    edges = np.clip(histories.age_cells(age_yr) / 1e9, ended_gyr, None)
    formed = _formed(np.clip(starts[:, None] - edges, 0, None) / taus[:, None])
    weights = formed[:, :-1] - formed[:, 1:]
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _formed(x: np.ndarray) -> np.ndarray:
    """Integral of x exp(-x) from 0."""
    return np.asarray(-np.expm1(-x) - x * np.exp(-x))


def _tau_of_mean(mean: np.ndarray) -> np.ndarray:
    """tau of a history of length 1 whose mean age is `mean`, 1/3 to 1."""
    tau = np.geomspace(0.005, 100, 400)
    end = 1 / tau
    squares = 2 - np.exp(-end) * (end**2 + 2 * end + 2)  # integral of x^2 exp(-x)
    age = 1 - tau * squares / _formed(end)
    return np.interp(mean, age[::-1], tau[::-1])


def along(age_yr: np.ndarray, weights: np.ndarray) -> histories.Histories:
    """Histories of some weights, found by the mean age of what formed; they know no rate."""
    mean = weights @ (age_yr / 1e9)
    return histories.Histories(weights, mean, np.full(len(mean), np.nan))
