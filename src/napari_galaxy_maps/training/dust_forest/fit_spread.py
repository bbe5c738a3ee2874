"""Fits the uncertainty: boosted trees on cross-fitted residuals, then a recalibration on galaxies
that these did not see.

The truth has errors of its own, which the uncertainty of the model must not include: a residual is
taken as Gaussian with variance sigma^2 + sigma_truth^2, sigma_truth being the errors of Nersesian+
2019. Numerator and denominator of a ratio are taken as independent, since how their errors
correlate was not published.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...models.dust_forest.packed_forest import PackedForest, from_xgboost
from ...models.dust_forest.uncertainty import (
    QUANTITIES,
    TO_QUANTITIES,
    Spread,
    levers,
    spread_features,
)
from ..datasets.galaxies import Galaxies
from .band_sets import BAND_SETS, COLUMNS
from .fit_recalibration import fit_recalibration
from .fit_trees import Pool, TreeSettings, fit_trees

N_INNER = 10
"""Folds within the training galaxies: residuals of galaxies that the trees have seen would be half
as large, those of trees grown on much fewer galaxies too large."""
N_HELD_OUT = 5
"""Folds of the recalibration."""
_WELL_MEASURED = 3.0
"""How often the galaxies with at least three far-infrared detections count in the recalibration."""
_FLOOR, _CEILING = -8.0, 4.0


@dataclass(frozen=True)
class SpreadSettings:
    """Settings of the fit, chosen by cross-validation."""

    rounds: int = 120
    depth: int = 3
    eta: float = 0.08
    column_share: float = 0.4
    row_share: float = 0.5
    penalty: float = 20.0
    min_hessian: float = 3.0
    whole_weight: float = 6.0
    case_weight: float = 2.0


def truth_errors(galaxies: Galaxies) -> np.ndarray:
    """N19's errors of the seven quantities, shape (n, 7).

    Those of L_star and M_star are set to 0: N19's (0.04 and 0.11 dex) are as large as the whole
    residuals, since most of them is an uncertainty that all galaxies share, so that nothing would
    be left for the model. Its sigma holds the whole residual.
    """
    errors = np.hstack([galaxies.target_errors, galaxies.sum_errors])
    errors[:, [QUANTITIES.index("LOG_SIGMA_LSTAR"), QUANTITIES.index("LOG_SIGMA_STAR")]] = 0.0
    return errors


def cross_fit(pool: Pool, galaxies: Galaxies, settings: TreeSettings, seed: int) -> np.ndarray:
    """Predictions for every copy of every galaxy by trees that saw none of its copies, shape
    (copies, n, 5).
    """
    from sklearn.model_selection import KFold

    predicted = np.empty((*pool.unusual.shape, 5), np.float32)
    for k, (fit, held) in enumerate(
        KFold(N_INNER, shuffle=True, random_state=seed).split(pool.unusual[0])
    ):
        trees = fit_trees(
            pool, fit, galaxies.targets, galaxies.target_errors, settings, 1000 + 10 * seed + k
        )
        x = pool.features[:, held]
        predicted[:, held] = trees.predict(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:2], 5)
    return predicted


def fit_spread(
    pool: Pool, predicted: np.ndarray, galaxies: Galaxies, settings: SpreadSettings, seed: int
) -> Spread:
    """Fit sigma to cross-fitted predictions.

    The likelihood of a residual is a Gaussian of variance sigma^2 + sigma_truth^2 (see the module's
    docstring).

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
        pool.features.reshape(copies * n, -1),
        predicted.reshape(copies * n, 5),
        pool.unusual.reshape(-1),
    )
    truth = galaxies.targets + pool.shift[:, :, None] * np.array([0, 0, 0, 1, 1])
    residual = ((predicted - truth) @ TO_QUANTITIES).reshape(copies * n, -1)
    error = np.tile(truth_errors(galaxies), (copies, 1))
    weight = np.ones(copies)
    weight[0] = settings.whole_weight
    weight[1 : 1 + len(BAND_SETS)] = settings.case_weight
    # The copies of a galaxy are one galaxy: they count for a few, not for all, in the trees'
    # regularisation.
    weights = np.repeat(weight / weight.sum() * 4, n)
    galaxy = np.tile(np.arange(n), copies)

    held_out = np.empty_like(residual)
    for fit, held in KFold(N_HELD_OUT, shuffle=True, random_state=seed + 1).split(np.arange(n)):
        rows, others = np.isin(galaxy, fit), np.isin(galaxy, held)
        forest, limits = _fit_log_sigma(
            x[rows], residual[rows], error[rows], weights[rows], settings, seed
        )
        held_out[others] = np.clip(forest.predict(x[others]), limits[0], limits[1])
    forest, limits = _fit_log_sigma(x, residual, error, weights, settings, seed)
    copy = np.repeat(np.arange(copies), n)
    well_measured = np.tile(galaxies.n_detected >= 3, copies)
    # The cases, and all sets of bands at random, so that what nobody judged holds too. Where the
    # truth is good counts most.
    groups = [
        (copy == 0) & well_measured,
        *(copy == k for k in range(1 + len(BAND_SETS))),
        copy > len(BAND_SETS),
    ]
    importance = np.array([_WELL_MEASURED, *[1.0] * (len(groups) - 1)])
    by_what = levers(x, COLUMNS)
    recalibration = [
        fit_recalibration(
            held_out[:, j], by_what, residual[:, j], error[:, j], np.array(groups), importance
        )
        for j in range(len(QUANTITIES))
    ]
    return Spread(forest, limits, np.array(recalibration))


def _fit_log_sigma(
    x: np.ndarray,
    residual: np.ndarray,
    error: np.ndarray,
    weight: np.ndarray,
    settings: SpreadSettings,
    seed: int,
) -> tuple[PackedForest, np.ndarray]:
    """Boosted trees of ln sigma, all quantities in the same leaves, and the limits that it is kept
    within.
    """
    import xgboost

    n_out = residual.shape[1]
    scale = np.sqrt(np.mean(residual**2, axis=0))
    r2, e2 = (residual / scale) ** 2, (error / scale) ** 2
    start = np.array(
        [best_constant(np.sqrt(r2[:, j]), np.sqrt(e2[:, j]), weight) for j in range(n_out)]
    )
    data = xgboost.DMatrix(x)
    data.set_base_margin(np.tile(start, (len(x), 1)))

    def objective(u: np.ndarray, _: Any) -> tuple[np.ndarray, np.ndarray]:
        # u = ln sigma^2; of 0.5 ln V + 0.5 r^2 / V, V = sigma^2 + error^2: the gradient and the
        # expected curvature
        own = np.exp(np.clip(u.reshape(r2.shape), _FLOOR, _CEILING))
        total = own + e2
        share = own / total
        w = weight[:, None]
        return w * 0.5 * share * (1 - r2 / total), w * (0.5 * share**2 + 1e-3)

    parameters = {
        "max_depth": settings.depth,
        "eta": settings.eta,
        "min_child_weight": settings.min_hessian,
        "reg_lambda": settings.penalty,
        "colsample_bytree": settings.column_share,
        "subsample": settings.row_share,
        "nthread": 1,
        "tree_method": "hist",
        "seed": seed,
        "base_score": 0.0,
        "multi_strategy": "multi_output_tree",
        "num_target": n_out,
    }
    booster = xgboost.train(parameters, data, settings.rounds, obj=objective)
    forest = from_xgboost(booster, 0.5 * np.eye(n_out))
    offset = forest.offset + 0.5 * start + np.log(scale)
    limits = np.array([0.5 * _FLOOR + np.log(scale), 0.5 * _CEILING + np.log(scale)])
    return PackedForest(forest.feature, forest.threshold, forest.leaf, forest.size, offset), limits


def best_constant(
    residual: np.ndarray, error: np.ndarray, weight: np.ndarray | None = None
) -> float:
    """ln sigma^2 of the constant sigma that is most likely, on a grid of 0.1."""
    grid = np.arange(-6, 2, 0.1) + 2 * np.log(np.sqrt(np.mean(residual**2)))
    variance = np.exp(grid)[:, None] + error**2
    loss = np.average(0.5 * np.log(variance) + 0.5 * residual**2 / variance, axis=1, weights=weight)
    return float(grid[np.argmin(loss)])
