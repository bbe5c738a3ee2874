"""Fits the uncertainty: boosted trees on cross-fitted residuals, then a recalibration on galaxies that these did not see.

The truth has errors of its own, which the uncertainty of the model must not include: a residual is taken as Gaussian with
variance sigma^2 + sigma_truth^2, sigma_truth being the errors of Nersesian+ 2019. Numerator and denominator of a ratio are
taken as independent, since how their errors correlate was not published.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..models.forest import PackedForest, combine, from_xgboost
from ..models.spread import QUANTITIES, TO_QUANTITIES, Spread, lever, recalibrate, spread_features
from .cases import CASES
from .dustpedia import Galaxies
from .trees import Pool, TreeSettings, fit_trees

N_INNER = 5
"""Folds within the training galaxies; residuals of galaxies that the trees have seen would be half as large."""
_FLOOR, _CEILING = -8.0, 4.0


@dataclass(frozen=True)
class SpreadSettings:
    """Settings of the fit, chosen by cross-validation."""

    rounds: int = 80
    depth: int = 3
    eta: float = 0.08
    column_share: float = 0.4
    row_share: float = 0.5
    penalty: float = 20.0
    min_hessian: float = 3.0
    whole_weight: float = 6.0
    case_weight: float = 2.0


def truth_errors(galaxies: Galaxies) -> np.ndarray:
    """N19's errors of the seven quantities, shape (n, 7)."""
    return np.hstack([galaxies.target_errors, galaxies.sum_errors])


def cross_fit(pool: Pool, galaxies: Galaxies, settings: TreeSettings, seed: int) -> np.ndarray:
    """Predictions for every copy of every galaxy by trees that saw none of its copies, shape (copies, n, 5)."""
    from sklearn.model_selection import KFold

    predicted = np.empty((*pool.unusual.shape, 5), np.float32)
    for k, (fit, held) in enumerate(KFold(N_INNER, shuffle=True, random_state=seed).split(pool.unusual[0])):
        trees = fit_trees(pool, fit, galaxies.targets, galaxies.target_errors, settings, 1000 + 10 * seed + k)
        x = pool.features[:, held]
        predicted[:, held] = trees.predict(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:2], 5)
    return predicted


def fit_spread(pool: Pool, predicted: np.ndarray, galaxies: Galaxies, settings: SpreadSettings, seed: int) -> Spread:
    """Fit sigma to cross-fitted predictions.

    The likelihood of a residual is a Gaussian of variance sigma^2 + sigma_truth^2 (see the module's docstring).

    Parameters
    ----------
    pool : Pool
        Features of n galaxies.
    predicted : ndarray, shape (copies, n, 5)
        From `cross_fit`.
    """
    from sklearn.model_selection import KFold

    copies, n = pool.unusual.shape
    x = spread_features(
        pool.features.reshape(copies * n, -1), predicted.reshape(copies * n, 5), pool.unusual.reshape(-1)
    )
    truth = galaxies.targets + pool.shift[:, :, None] * np.array([0, 0, 0, 1, 1])
    residual = ((predicted - truth) @ TO_QUANTITIES).reshape(copies * n, -1)
    error = np.tile(truth_errors(galaxies), (copies, 1))
    weight = np.ones(copies)
    weight[0] = settings.whole_weight
    weight[1 : 1 + len(CASES)] = settings.case_weight
    # The copies of a galaxy are one galaxy: they count for a few, not for all, in the trees' regularisation.
    weights = np.repeat(weight / weight.sum() * 4, n)
    galaxy = np.tile(np.arange(n), copies)

    held_out = np.empty_like(residual)
    for fit, held in KFold(N_INNER, shuffle=True, random_state=seed + 1).split(np.arange(n)):
        rows, others = np.isin(galaxy, fit), np.isin(galaxy, held)
        forest, limits = _fit_log_sigma(x[rows], residual[rows], error[rows], weights[rows], settings, seed)
        held_out[others] = np.clip(forest.predict(x[others]), limits[0], limits[1])
    forest, limits = _fit_log_sigma(x, residual, error, weights, settings, seed)
    middle = np.median(held_out, axis=0)
    scored = (1 + len(CASES)) * n  # the whole galaxies and the cases, not the random copies
    recalibration = np.array(
        [
            _fit_recalibration(
                held_out[:scored, j], lever(x[:scored]), middle[j], residual[:scored, j], error[:scored, j],
                np.tile(galaxies.n_detected >= 3, 1 + len(CASES)), np.repeat(np.arange(1 + len(CASES)), n),
            )
            for j in range(len(QUANTITIES))
        ]
    )  # fmt: skip
    return Spread(forest, limits, recalibration, middle)


def _fit_log_sigma(
    x: np.ndarray, residual: np.ndarray, error: np.ndarray, weight: np.ndarray, settings: SpreadSettings, seed: int
) -> tuple[PackedForest, np.ndarray]:
    """Boosted trees of ln sigma for each quantity, and the limits it is kept within."""
    import xgboost

    forests, limits = [], []
    n_out = residual.shape[1]
    for j in range(n_out):
        scale = np.sqrt(np.mean(residual[:, j] ** 2))
        r, e = residual[:, j] / scale, error[:, j] / scale
        start = best_constant(r, e, weight)
        data = xgboost.DMatrix(x)
        data.set_base_margin(np.full(len(x), start))

        def objective(
            u: np.ndarray, _: Any, r: np.ndarray = r, e: np.ndarray = e, weight: np.ndarray = weight
        ) -> tuple[np.ndarray, np.ndarray]:
            # u = ln sigma^2; of 0.5 ln V + 0.5 r^2 / V, V = sigma^2 + error^2: the gradient and the expected curvature
            own = np.exp(np.clip(u, _FLOOR, _CEILING))
            total = own + e**2
            share = own / total
            return weight * 0.5 * share * (1 - r**2 / total), weight * (0.5 * share**2 + 1e-3)

        parameters = {
            "max_depth": settings.depth, "eta": settings.eta, "min_child_weight": settings.min_hessian,
            "reg_lambda": settings.penalty, "colsample_bytree": settings.column_share, "subsample": settings.row_share,
            "nthread": 1, "tree_method": "hist", "seed": seed, "base_score": 0.0,
        }  # fmt: skip
        booster = xgboost.train(parameters, data, settings.rounds, obj=objective)
        to_output = np.zeros((1, n_out))
        to_output[0, j] = 0.5
        forest = from_xgboost(booster, to_output)
        offset = np.zeros(n_out)
        offset[j] = 0.5 * start + np.log(scale)
        forests.append(PackedForest(forest.feature, forest.threshold, forest.leaf, forest.size, forest.offset + offset))
        limits.append([0.5 * _FLOOR + np.log(scale), 0.5 * _CEILING + np.log(scale)])
    return combine(forests), np.array(limits).T


def best_constant(residual: np.ndarray, error: np.ndarray, weight: np.ndarray | None = None) -> float:
    """ln sigma^2 of the constant sigma that is most likely, on a grid of 0.1."""
    grid = np.arange(-6, 2, 0.1) + 2 * np.log(np.sqrt(np.mean(residual**2)))
    variance = np.exp(grid)[:, None] + error**2
    loss = np.average(0.5 * np.log(variance) + 0.5 * residual**2 / variance, axis=1, weights=weight)
    return float(grid[np.argmin(loss)])


def _fit_recalibration(
    raw: np.ndarray, how_uncertain: np.ndarray, middle: float, residual: np.ndarray, error: np.ndarray,
    well_measured: np.ndarray, case: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """a, b, c of `models.spread.recalibrate` that bring chi2 and both coverages nearest to 1, 68 and 95 %.

    Each case counts once, for all galaxies and for those whose truth is well measured. chi2 alone would not do: the residuals
    are heavy-tailed, and one can be right while the other is not.
    """
    from scipy.optimize import minimize

    groups = [(case == k) & (well_measured | (not only)) for k in np.unique(case) for only in (False, True)]
    importance = np.array(
        [
            (3.0 if k == 0 else 1.0) * (2.0 if only and k == 0 else 1.0)
            for k in np.unique(case)
            for only in (False, True)
        ]
    )

    def cost(parameters: np.ndarray) -> float:
        log_sigma = recalibrate(raw[:, None], how_uncertain, parameters[None], np.array([middle]))[:, 0]
        z = np.abs(residual) / np.sqrt(np.exp(2 * np.clip(log_sigma, -12, 6)) + error**2)
        terms = []
        for group in groups:
            zz = z[group]
            # Smooth steps, so that the search sees a slope.
            inside68 = np.mean(1 / (1 + np.exp((zz - 1) / 0.05)))
            inside95 = np.mean(1 / (1 + np.exp((zz - 1.96) / 0.08)))
            terms.append(
                (np.log(np.mean(zz**2)) / 0.15) ** 2 + ((inside68 - 0.68) / 0.04) ** 2 + ((inside95 - 0.95) / 0.04) ** 2
            )
        return float(importance @ np.array(terms) / importance.sum() + 0.05 * (parameters[1] ** 2 + parameters[2] ** 2))

    best = minimize(cost, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-4, "maxiter": 400})
    out: np.ndarray = best.x
    return out
