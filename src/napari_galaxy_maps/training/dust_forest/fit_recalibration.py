"""Recalibrates sigma on galaxies held out from its trees, until chi2 and both coverages are right
wherever they are judged.
"""

from __future__ import annotations

import numpy as np

from ...data.properties import GAUSSIAN_95

CHI2, COVERAGE_68, COVERAGE_95 = (1.0, 1.15), (0.65, 0.69), (0.92, 0.98)
"""Within these nothing is asked for. chi2 a little above 1 with a coverage of 67 %, for the
residuals are heavy-tailed: chi2 is that of few galaxies, and a sigma that made it 1 would be too
wide for most. Members see more galaxies than the fits here did."""
_WIDTHS = (0.07, 0.018, 0.012)
"""By how much each of the three may be off for its cost to be 1: ln chi2, and the coverages."""
_STEPS = (0.05, 0.08)
"""|z| over which the coverages' steps at 1 and 1.96 are smooth, so that the search sees a slope."""
_TO_MIDDLE, _RIDGE = 0.03, 0.5


def fit_recalibration(
    raw: np.ndarray,
    levers: np.ndarray,
    residual: np.ndarray,
    error: np.ndarray,
    groups: np.ndarray,
    importance: np.ndarray,
) -> np.ndarray:
    """Parameters of `models.dust_forest.uncertainty.recalibrate` for one quantity.

    Parameters
    ----------
    raw : ndarray, shape (n,)
        ln sigma before recalibration, by trees that did not see the galaxy.
    levers : ndarray, shape (n, n_levers)
        From `models.dust_forest.uncertainty.levers`.
    residual, error : ndarray, shape (n,)
        Residuals, and the errors of the truth.
    groups : ndarray of bool, shape (n_groups, n)
        The populations in each of which chi2 and the coverages are to be right.
    importance : ndarray, shape (n_groups,)
        How much each of them counts.

    Returns
    -------
    ndarray, shape (2 + n_levers,)
    """
    from scipy.optimize import minimize

    columns = np.column_stack([raw, levers])
    middle, scale = columns.mean(0), columns.std(0) + 1e-9
    design = np.column_stack([np.ones(len(raw)), (columns - middle) / scale])
    share = groups / groups.sum(1, keepdims=True)
    counts = importance / importance.sum()
    size = np.abs(residual)

    def cost(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        own = np.exp(2 * (raw + design @ parameters))
        variance = own + error**2
        z = size / np.sqrt(variance)
        chi2 = share @ z**2
        within, by_z = _step(z, 1.0, _STEPS[0])
        nearly_all, nearly_by_z = _step(z, GAUSSIAN_95, _STEPS[1])
        terms = (
            _off(np.log(chi2), np.log(CHI2), _WIDTHS[0]),
            _off(share @ within, np.array(COVERAGE_68), _WIDTHS[1]),
            _off(share @ nearly_all, np.array(COVERAGE_95), _WIDTHS[2]),
        )
        by_chi2, by_within, by_nearly_all = (counts * derivative for _, derivative in terms)
        slope = (
            (by_chi2 / chi2) @ share * 2 * z
            + by_within @ share * by_z
            + by_nearly_all @ share * nearly_by_z
        )
        ridge = _RIDGE * np.r_[0, parameters[1:]]
        total = sum(float(counts @ term) for term, _ in terms) + float(ridge @ parameters)
        return total, design.T @ (slope * -z * own / variance) + 2 * ridge

    found = minimize(cost, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x
    slopes = found[1:] / scale
    return np.r_[found[0] - slopes @ middle, slopes]


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
