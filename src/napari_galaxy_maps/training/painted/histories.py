"""When the stars of painted galaxies formed: histories of many families, and those that the main
sequence has.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...mocks import relations
from ...sed import tables
from ...sed.formation import cells

PARTS = 4
"""Histories of a galaxy: of its disc's inside, outside and patches, and of its spheroid."""
FAMILIES: tuple[str, ...] = ("brief", "delayed", "rising", "quenched", "late", "bursty", "any")
_SHARES = (0.15, 0.35, 0.1, 0.12, 0.05, 0.2, 0.03)
_LATEST_GYR = 0.1
_RECENT_MYR = 100.0


@lru_cache(maxsize=1)
def age_grid() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Middles and widths of the age cells in Gyr, and their weights over the ages of the table of
    stars, shape (n_cells, n_ages).
    """
    edges, weights = cells(tables.star_table())
    edges = edges / 1e3
    return (edges[1:] + edges[:-1]) / 2, np.diff(edges), weights


def draw_wide(rng: np.random.Generator, oldest: float) -> np.ndarray:
    """Histories of a galaxy that follow no relation.

    Parameters
    ----------
    rng : Generator
    oldest : float
        Gyr since the universe began.

    Returns
    -------
    ndarray, shape (PARTS, n_cells)
        Mass formed by age, each summing to 1. Parts are of one family; the outside is younger or
        older than the inside.
    """
    family = str(rng.choice(FAMILIES, p=_SHARES))
    shape = rng.uniform(size=3)
    age = _begin(rng)
    step = rng.normal(0, 0.12) + (rng.normal(0, 0.2) if rng.uniform() < 0.3 else 0.0)
    shifts = (0.5 * step, -0.5 * step, rng.normal(-0.1, 0.2), abs(rng.normal(0, 0.15)))
    bursts = _bursts(rng) if family == "bursty" or rng.uniform() < 0.15 else None
    parts = []
    for shift in shifts:
        start = min(age * 10**shift, oldest)
        rate = _family(family, start, shape, rng)
        if bursts is not None:
            rate = _with_bursts(rate, bursts, rng)
        parts.append(_flickering(rate, rng))
    return _normalised(np.array(parts), oldest)


def draw_usual(rng: np.random.Generator, log_mass: float, oldest: float) -> tuple[np.ndarray, bool]:
    """Histories by the main sequence and the share of quiescent galaxies at a mass (`relations`),
    and whether it is quiescent; as `draw_wide`.
    """
    quiescent = bool(rng.uniform() < relations.quiescent_fraction(log_mass))
    scatter = 0.3 * rng.standard_normal()
    shifts = rng.normal(0, 0.05, PARTS) + np.array([0.03, -0.04, -0.04, 0.12])
    parts = []
    if quiescent:
        start, tau = rng.uniform(7, 12.5), rng.uniform(0.3, 1.2)
        quench, trace = rng.uniform(1, 4), 10 ** rng.normal(-2.3, 0.5)
        for shift in shifts:
            begun = min(start * 10 ** (0.5 * shift), oldest)
            rate = _delayed(begun, tau)
            recent = age_grid()[0] < min(quench, 0.8 * begun)
            parts.append(np.where(recent, trace * rate.max() / begun, rate))
    else:
        wanted = float(relations.main_sequence(log_mass)) + scatter - log_mass + 9
        if rng.uniform() < 0.08:
            wanted -= rng.uniform(0.4, 1.2)  # the green valley
        start = min(_begin(rng, least=2.0), oldest)
        for k, shift in enumerate(shifts):
            begun = min(start * 10**shift, oldest)
            parts.append(_at_rate(begun, wanted + (-0.15, 0.15, 0.3, -1.0)[k]))
    return _normalised(np.array([_flickering(rate, rng) for rate in parts]), oldest), quiescent


def _begin(rng: np.random.Generator, least: float = 0.4) -> float:
    """How long ago the first stars formed, Gyr: in two fifths of the galaxies about when the
    universe was young, in others at any time since.

    Real galaxies seem to have old stars below whatever came later, which broad bands do not tell
    from a late start: both have to be usual, so that the error of an age says so.
    """
    old = rng.uniform() < 0.4
    return float(rng.uniform(10.5, 13.8) if old else 10 ** rng.uniform(np.log10(least), 1.1))


def _family(family: str, start: float, shape: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A rate by age, of any height."""
    middle = age_grid()[0]
    if family == "brief":
        spread = 0.03 + 0.12 * shape[0]
        lengthened = np.maximum(middle, 1e-4)
        peak = np.exp(-0.5 * (np.log10(lengthened / (0.9 * start)) / spread) ** 2)
        return np.asarray(peak + 10 ** (-6 + 3.5 * shape[1]))
    if family == "rising":
        return np.asarray((middle < start) * np.exp((start - middle) / (1 + 9 * shape[0])))
    if family == "late":
        return _delayed(min(start, 1 + 3 * shape[1]), 10 ** (0.2 + shape[0]))
    if family == "any":
        edges = np.array([0, 0.03, 0.1, 0.3, 0.6, 1, 2, 3.5, 5.5, 8, 10.5, 14])
        mass = rng.dirichlet(np.full(len(edges) - 1, 0.4 + 0.8 * shape[0]))
        mass[:3] *= (0.02, 0.05, 0.15)
        return np.asarray((mass / np.diff(edges))[np.searchsorted(edges, middle) - 1])
    rate = _delayed(start, 10 ** (-1 + 2.2 * shape[0]))
    if family == "quenched":
        since = 10 ** (-1.3 + 2.0 * shape[1])
        rate = rate * np.where(middle < min(since, 0.8 * start), 10 ** (-0.5 - 3 * shape[2]), 1)
    return rate


def _delayed(start: float, tau: float) -> np.ndarray:
    """t exp(-t / tau) since `start` Gyr ago."""
    time = start - age_grid()[0]
    return np.asarray(np.where(time > 0, time * np.exp(-np.maximum(time, 0) / tau), 0))


@lru_cache(maxsize=256)
def _taus(start: float) -> tuple[np.ndarray, np.ndarray]:
    """Delayed histories of many tau, and log10 of their rate over 100 Myr per mass, 1/Gyr."""
    middle, width, _ = age_grid()
    tau = np.concatenate([np.geomspace(0.4, 30, 40), -np.geomspace(30, 3, 15)])
    rates = np.array([_delayed(start, t) for t in tau])
    mass = rates @ width
    recent = middle < _RECENT_MYR / 1e3
    per_mass = (rates[:, recent] @ width[recent]) / width[recent].sum() / (0.6 * mass)
    return rates, np.log10(np.maximum(per_mass, 1e-30))


def _at_rate(start: float, wanted: float) -> np.ndarray:
    """The delayed history whose rate over its mass is nearest to what is wanted (log10, 1/Gyr)."""
    rates, per_mass = _taus(round(start, 1))
    return np.asarray(rates[int(np.argmin(np.abs(per_mass - wanted)))])


def _bursts(rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """Age and duration in Gyr, and log10 of the share of the mass, of one to three bursts."""
    return [
        (10 ** rng.uniform(-2.3, 0.4), 10 ** rng.uniform(-2, -0.7), rng.uniform(-3, -0.5))
        for _ in range(int(rng.integers(1, 4)))
    ]


def _with_bursts(
    rate: np.ndarray, bursts: list[tuple[float, float, float]], rng: np.random.Generator
) -> np.ndarray:
    """A rate with bursts, somewhat other in each part of a galaxy."""
    middle, width, _ = age_grid()
    rate = rate / max(float(rate @ width), 1e-30)
    for age, duration, share in bursts:
        shape = np.exp(-0.5 * ((middle - age) / duration) ** 2)
        mass = 10 ** (share + rng.normal(0, 0.3))
        rate = rate + shape * mass / max(float(shape @ width), 1e-30)
    return rate


def _flickering(rate: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A rate that was another in the last 100 and 10 Myr than the smooth one."""
    middle, _, _ = age_grid()
    factor = np.where(middle < 0.1, 10 ** rng.normal(0, 0.25), 1.0)
    return np.asarray(rate * factor * np.where(middle < 0.01, 10 ** rng.normal(0, 0.2), 1.0))


def _normalised(rates: np.ndarray, oldest: float) -> np.ndarray:
    """Masses that sum to 1, of no stars older than the universe."""
    middle, width, _ = age_grid()
    mass = np.where(middle < max(oldest, 0.5), rates, 0) * width
    total = mass.sum(axis=1, keepdims=True)
    youngest = np.where(middle == middle[np.searchsorted(middle, _LATEST_GYR)], 1.0, 0.0)
    return np.where(total > 0, mass / np.maximum(total, 1e-30), youngest)
