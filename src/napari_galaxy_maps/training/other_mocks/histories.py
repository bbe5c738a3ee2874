"""Histories of star formation as a double power law of time, and spectra summed over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RECENT_GYR = 0.2
"""The double power law ends so long ago; rates since then are a pixel's own."""
YOUNG_GYR = 0.01
"""Stars up to this age lie in clouds."""
PEAKS = np.geomspace(0.05, 1.1, 24)
"""Times at which the rates of the histories turn over, from the start to today."""
_STEPS = 4000


@dataclass(frozen=True, eq=False)
class Histories:
    """Histories that differ in when their rate turns over.

    Attributes
    ----------
    weights : ndarray, shape (n, n_ages)
        Mass formed at each age of the populations; sums to 1.
    age_gyr : ndarray, shape (n,)
        Mean age, by mass formed.
    log_rate : ndarray, shape (n,)
        log10 of the rate at the end over the mass formed, 1/yr.
    """

    weights: np.ndarray
    age_gyr: np.ndarray
    log_rate: np.ndarray

    def of_age(self, age_gyr: np.ndarray) -> np.ndarray:
        """The place along the histories, between 0 and n - 1, of those with some mean age."""
        return _place(age_gyr, self.age_gyr)

    def of_rate(self, log_rate: np.ndarray) -> np.ndarray:
        """The place of those with some log rate over mass at the end."""
        return _place(log_rate, self.log_rate)


def _place(value: np.ndarray, known: np.ndarray) -> np.ndarray:
    order = np.argsort(known, kind="stable")
    return np.interp(value, known[order], np.arange(len(known), dtype=float)[order])


def double_power_law(
    age_yr: np.ndarray, start_gyr: float, falling: float, rising: float
) -> Histories:
    """Rates 1 / ((t/p)^falling + (t/p)^-rising) (Carnall+ 2018, eq. 10) for `PEAKS` p.

    Parameters
    ----------
    age_yr : ndarray, shape (n_ages,)
        Of the populations.
    start_gyr : float
        Age of the oldest stars.
    falling, rising : float
        Both positive.
    """
    back = np.linspace(RECENT_GYR, start_gyr, _STEPS)
    time = np.maximum(start_gyr - back, 1e-3)[None] / (PEAKS * start_gyr)[:, None]
    rate = 1 / (time**falling + time**-rising)
    step = np.diff(back)
    total = np.concatenate(
        [np.zeros((len(rate), 1)), np.cumsum((rate[:, 1:] + rate[:, :-1]) / 2 * step, axis=1)],
        axis=1,
    )
    age = np.trapezoid(rate * back, back, axis=1) / total[:, -1]
    edges = age_cells(age_yr) / 1e9
    weights = np.array([np.diff(np.interp(edges, back, row / row[-1])) for row in total])
    return Histories(weights, age, np.log10(rate[:, 0] / total[:, -1]) - 9)


def age_cells(age_yr: np.ndarray) -> np.ndarray:
    """Edges half way between ages; the first and the last have all that lies beyond them."""
    return np.concatenate([[0.0], (age_yr[1:] + age_yr[:-1]) / 2, [2 * age_yr[-1]]])


def constant(age_yr: np.ndarray, youngest_gyr: float, oldest_gyr: float) -> np.ndarray:
    """Weights over ages, summing to 1, of a constant rate between two ages, shape (n_ages,)."""
    edges = np.clip(age_cells(age_yr) / 1e9, youngest_gyr, oldest_gyr)
    return np.asarray(np.diff(edges) / (oldest_gyr - youngest_gyr))


def mixed(columns: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Populations summed with some weights over ages.

    Parameters
    ----------
    columns : ndarray, shape (n_metals, n_ages, k)
        What adds up, of each population, as `Populations.stacked`.
    weights : ndarray, shape (n, n_ages)

    Returns
    -------
    ndarray, shape (n, n_metals, k)
    """
    return np.asarray(np.einsum("ha,mak->hmk", weights, columns, optimize=True))


def at_metals(table: np.ndarray, metallicity: np.ndarray, log_z: np.ndarray) -> np.ndarray:
    """A row of `table` (n_metals, k) at each metallicity, linear in its logarithm, shape (n, k)."""
    low, share = _between(log_z, np.log10(metallicity))
    return table[low] * (1 - share)[:, None] + table[low + 1] * share[:, None]


def at_history(
    table: np.ndarray, metallicity: np.ndarray, place: np.ndarray, log_z: np.ndarray
) -> np.ndarray:
    """A row of `table` (n_histories, n_metals, k) at each place along the histories and
    metallicity, shape (n, k).
    """
    low, share = _between(log_z, np.log10(metallicity))
    first, part = _between(place, np.arange(len(table), dtype=float))
    out = np.zeros((len(place), table.shape[-1]), np.float32)
    for i, a in ((first, 1 - part), (first + 1, part)):
        for j, b in ((low, 1 - share), (low + 1, share)):
            out += table[i, j] * (a * b)[:, None].astype(np.float32)
    return out


def _between(value: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of the known values lies below each value, and how far it is to the next one."""
    at = np.interp(value, known, np.arange(len(known), dtype=float))
    low = np.minimum(at.astype(int), len(known) - 2)
    return low, at - low
