"""Recalibrates sigma on galaxies held out from its trees, until as many as told lie within it
wherever they are judged.
"""

from __future__ import annotations

import numpy as np

COVERAGE_68, COVERAGE_95 = (0.655, 0.672), (0.938, 0.948)
"""Within these nothing is asked for. They are a little low, for members see more galaxies than the
fits did whose residuals are used here, and err less."""
_WIDTHS = (0.012, 0.01)
"""By how much each of the two may be off for its cost to be 1."""
_STEPS = (0.05, 0.08)
"""|z| over which the coverages' steps are smooth, so that the search sees a slope."""
_MOST_CONSTANT, _MOST_RAW, _MOST_LEVER = 3.0, 0.5, 0.7
"""Limits of the parameters: sigma neither forgets what the trees say, nor changes by more than a
factor of 2 with any lever. Beyond them a lever that hardly varies among the galaxies would make
sigma what it likes for spectra of other kinds.
"""
_TO_MIDDLE, _RIDGE = 0.03, 0.3


def fit_recalibration(
    raw: np.ndarray,
    levers: np.ndarray,
    residual: np.ndarray,
    error: np.ndarray,
    groups: np.ndarray,
    importance: np.ndarray,
) -> tuple[np.ndarray, float]:
    """Parameters of `models.dust_forest.uncertainty.recalibrate` for one quantity.

    Errors have longer tails than a Gaussian's: sigma is made to hold 68 % of them, and how many
    sigmas hold 95 % is measured.

    Parameters
    ----------
    raw : ndarray, shape (n,)
        ln sigma before recalibration, by trees that did not see the galaxy.
    levers : ndarray, shape (n, n_levers)
        From `models.dust_forest.uncertainty.levers`.
    residual, error : ndarray, shape (n,)
        Residuals, and the errors of the truth.
    groups : ndarray of bool, shape (n_groups, n)
        The populations in each of which the coverages are to be right.
    importance : ndarray, shape (n_groups,)
        How much each of them counts.

    Returns
    -------
    parameters : ndarray, shape (2 + n_levers,)
    tail : float
        The sigmas that hold 95 %.
    """
    from scipy.optimize import minimize

    columns = np.column_stack([raw, levers])
    middle, scale = columns.mean(0), columns.std(0) + 1e-9
    design = np.column_stack([np.ones(len(raw)), (columns - middle) / scale])
    share = groups / groups.sum(1, keepdims=True)
    counts = importance / importance.sum()
    size = np.abs(residual)
    most = np.r_[_MOST_CONSTANT, scale * np.r_[_MOST_RAW, np.full(levers.shape[1], _MOST_LEVER)]]
    bounds = np.column_stack([-most, most])

    def variances(parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        own = np.exp(2 * (raw + design @ parameters))
        return own, own + error**2

    def cost(parameters: np.ndarray, tail: float | None) -> tuple[float, np.ndarray]:
        own, variance = variances(parameters)
        z = size / np.sqrt(variance)
        ridge = _RIDGE * np.r_[0, parameters[1:]]
        total, slope = float(ridge @ parameters), np.zeros(len(z))
        asked = [(1.0, COVERAGE_68), (tail, COVERAGE_95)]
        for (edge, limits), width, step in zip(asked, _WIDTHS, _STEPS, strict=True):
            if edge is not None:
                within, by_z = _step(z, edge, step)
                off, by_share = _off(share @ within, np.array(limits), width)
                total += float(counts @ off)
                slope += ((counts * by_share) @ share) * by_z
        return total, design.T @ (slope * -z * own / variance) + 2 * ridge

    def fitted(start: np.ndarray, tail: float | None) -> tuple[np.ndarray, float]:
        found = minimize(cost, start, (tail,), jac=True, method="L-BFGS-B", bounds=bounds).x
        z = size / np.sqrt(variances(found)[1])
        return found, _weighted_percentile(z, counts @ share, float(np.mean(COVERAGE_95)))

    found, tail = fitted(*fitted(np.zeros(design.shape[1]), None))
    slopes = found[1:] / scale
    return np.r_[found[0] - slopes @ middle, slopes], tail


def _weighted_percentile(values: np.ndarray, weights: np.ndarray, level: float) -> float:
    order = np.argsort(values)
    return float(np.interp(level, np.cumsum(weights[order]) / weights.sum(), values[order]))


def _step(z: np.ndarray, edge: float, width: float) -> tuple[np.ndarray, np.ndarray]:
    """How far `z` is within `edge`, from 1 to 0 in a smooth step, and the derivative."""
    within = 1 / (1 + np.exp(np.clip((z - edge) / width, -50, 50)))
    return within, -within * (1 - within) / width


def _off(value: np.ndarray, limits: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """What it costs to be outside of `limits`, and a little to be off their middle; and the
    derivative.
    """
    beyond = (np.maximum(value - limits[1], 0) - np.maximum(limits[0] - value, 0)) / width
    from_middle = (value - limits.mean()) / width
    return beyond**2 + _TO_MIDDLE * from_middle**2, 2 * (beyond + _TO_MIDDLE * from_middle) / width
