"""How often the truth lies within one predicted sigma, and within those that should hold 95 %."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...data.properties import GAUSSIAN_95


class Coverage(NamedTuple):
    """Shares, 0 to 1, within the intervals that are to hold 68 and 95 %."""

    within_68: float
    within_95: float


def within_intervals(
    z: np.ndarray, tail: float | np.ndarray = GAUSSIAN_95
) -> tuple[np.ndarray, np.ndarray]:
    """Which of ``z = residual / sigma`` lie within one sigma, and which within `tail` sigmas.

    Parameters
    ----------
    z : ndarray
    tail : float or ndarray of the same shape
        How many sigmas are to hold 95 %: a Gaussian's, or `PropertyMaps.tail`.
    """
    size = np.abs(z)
    return size < 1, size < tail


def coverage(z: np.ndarray, tail: float = GAUSSIAN_95) -> Coverage:
    """The shares of the finite ones of ``z = residual / sigma``; NaN where there is none."""
    finite = z[np.isfinite(z)]
    if not finite.size:
        return Coverage(np.nan, np.nan)
    one_sigma, nearly_all = within_intervals(finite, tail)
    return Coverage(float(np.mean(one_sigma)), float(np.mean(nearly_all)))
