"""How much of a galaxy's stars formed when: delayed star formation that changed some time ago."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np

from .tables import StarTable

PIECES = 4
"""Into so many the gap between two ages of the table is cut."""


def formed(
    edges_myr: np.ndarray,
    age: np.ndarray,
    tau: np.ndarray,
    change_age: np.ndarray,
    change: np.ndarray,
) -> np.ndarray:
    """Mass formed between ages, as a fraction of all stars ever formed.

    The rate is t exp(-t / tau) from `age` ago until `change_age` ago, and `change` times its value
    there ever since (Ciesla+ 2016, eq. 3; CIGALE's sfhdelayedbq); at the earliest, it changed after
    a tenth of the age.

    Parameters
    ----------
    edges_myr : ndarray, shape (n + 1,)
        Ages in Myr, rising.
    age, tau, change_age, change : ndarray, shape (m,)
        Myr, and a factor.

    Returns
    -------
    ndarray, shape (m, n)
        Rows sum to 1 where the edges span the age.
    """
    age, tau, change = age[:, None], tau[:, None], change[:, None]
    since = np.minimum(change_age[:, None], 0.9 * age)

    def before(lookback: np.ndarray) -> np.ndarray:
        """Mass formed from the beginning until then."""
        x = np.maximum(age - lookback, 0) / tau
        return -np.expm1(-x) - x * np.exp(-x)

    x = (age - since) / tau
    rate = change * x * np.exp(-x) / tau
    older = np.maximum(edges_myr[None, :], since)
    since_then = rate * np.maximum(since - edges_myr[None, :], 0)
    total = before(older) + since_then
    return np.asarray(-np.diff(total, axis=1) / total[:, :1])


@lru_cache(maxsize=2)
def cells(table: StarTable) -> tuple[np.ndarray, np.ndarray]:
    """Edges in Myr of the pieces of the table's ages, and each piece's weights over those ages."""
    ages = table.age_yr / 1e6
    edges = [np.linspace(a, b, PIECES + 1)[:-1] for a, b in pairwise(ages)]
    inside = np.unique(np.concatenate([*edges, ages[-1:], [10.0, 100.0]]))
    weights = np.array([
        table.age_weights(a * 1e6, b * 1e6) for a, b in pairwise(inside)
    ])  # fmt: skip
    return inside, weights


def age_weights(
    table: StarTable, age: np.ndarray, tau: np.ndarray, change_age: np.ndarray, change: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights over the ages of a table of the stars younger and older than 10 Myr, and of the mass
    formed in 100 Myr.

    Returns
    -------
    young, old : ndarray, shape (m, n_ages)
        Together they sum to 1: mass by age.
    recent : ndarray, shape (m,)
        Fraction of the mass that formed in the last 100 Myr.
    """
    edges, weights = cells(table)
    mass = formed(edges, age, tau, change_age, change)
    young = edges[1:] <= 10.0
    return (
        mass[:, young] @ weights[young],
        mass[:, ~young] @ weights[~young],
        mass[:, edges[1:] <= 100.0].sum(1),
    )
