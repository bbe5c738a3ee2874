"""Fits the uncertainty: boosted trees on cross-fitted residuals, then a recalibration on galaxies
that these did not see.

The truth has errors of its own, which the uncertainty of the model must not include: a residual is
taken as Gaussian with variance sigma^2 + sigma_truth^2, sigma_truth being the published errors
within limits (`pool.limited_errors`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...models.dust_forest.members import mean_of
from ...models.dust_forest.packed_forest import PackedForest, from_xgboost
from ...models.dust_forest.uncertainty import (
    N_TARGETS,
    QUANTITIES,
    Spread,
    levers,
    quantities_of,
    spread_features,
)
from .band_sets import BAND_SETS, COLUMNS
from .boosting import BoostSettings, boosted
from .fit_mean import MeanSettings, fit_mean
from .fit_recalibration import fit_recalibration
from .pool import Pool

N_INNER = 5
"""Folds within the training galaxies: residuals of galaxies that the trees have seen would be half
as large, those of trees grown on much fewer galaxies too large."""
N_HELD_OUT = 5
"""Folds of the recalibration."""
_WELL_MEASURED = 3.0
"""How often DustPedia's galaxies with a good truth, and the quarters of sigma, count there."""
_GOOD_TRUTH = 0.15
"""Error of log M_dust up to which a truth is good, dex."""
_FEW = 20
"""So many galaxies, or fewer, tell nothing of a coverage."""
_FLOOR, _CEILING = -8.0, 4.0


@dataclass(frozen=True)
class SpreadSettings(BoostSettings):
    """Settings of the boosted trees of ln sigma, chosen by cross-validation.

    Attributes
    ----------
    whole_weight, case_weight : float
        How often a galaxy's whole copy, and that in each of `BAND_SETS`, counts beside a random
        one.
    """

    rounds: int = 60
    depth: int = 3
    eta: float = 0.14
    column_share: float = 0.4
    row_share: float = 0.5
    penalty: float = 20.0
    min_hessian: float = 3.0
    whole_weight: float = 6.0
    case_weight: float = 2.0


def cross_fit(pool: Pool, rows: np.ndarray, settings: MeanSettings, seed: int) -> np.ndarray:
    """Predictions for every copy of galaxies `rows` by models that saw none of its copies, shape
    (copies, len(rows), 5).
    """
    from sklearn.model_selection import KFold

    predicted = np.empty((len(pool.features), len(rows), N_TARGETS), np.float32)
    for k, (fit, held) in enumerate(KFold(N_INNER, shuffle=True, random_state=seed).split(rows)):
        models = fit_mean(pool, rows[fit], settings, 1000 + 10 * seed + k)
        x = pool.features[:, rows[held]]
        mean = mean_of(*models, x.reshape(-1, x.shape[-1]))
        predicted[:, held] = mean.reshape(*x.shape[:2], N_TARGETS)
    return predicted


def fit_spread(
    pool: Pool,
    rows: np.ndarray,
    complete: bool,
    predicted: np.ndarray,
    settings: SpreadSettings,
    seed: int,
) -> Spread:
    """Fit sigma to cross-fitted predictions.

    The likelihood of a residual is a Gaussian of variance sigma^2 + sigma_truth^2 (see the module's
    docstring).

    Parameters
    ----------
    pool : Pool
    rows : ndarray of int, shape (n,)
        Its galaxies that are fitted to.
    complete : bool
        Whether to their copies that are complete, or to all others.
    predicted : ndarray, shape (copies, n, 5)
        From `cross_fit`.
    """
    from sklearn.model_selection import KFold

    copies = len(pool.features)
    copy, galaxy = np.nonzero(pool.complete[:, rows] == complete)
    own_rows = rows[galaxy]
    predicted = predicted[copy, galaxy]
    x = spread_features(pool.features[copy, own_rows], predicted, pool.unusual[copy, own_rows])
    residual = quantities_of(predicted - pool.targets_of(copy, own_rows))
    error = pool.truth_errors[own_rows]
    weight = np.ones(copies)
    weight[0] = settings.whole_weight
    weight[1 : 1 + len(BAND_SETS)] = settings.case_weight
    # The copies of a galaxy are one galaxy: they count for a few, not for all, in the trees'
    # regularisation.
    weights = (weight / weight.sum() * 4)[copy]

    held_out = np.empty_like(residual)
    for fit, held in KFold(N_HELD_OUT, shuffle=True, random_state=seed + 1).split(rows):
        own, others = np.isin(galaxy, fit), np.isin(galaxy, held)
        forest, limits = fit_log_sigma(
            x[own], residual[own], error[own], weights[own], settings, seed
        )
        held_out[others] = np.clip(forest.predict(x[others]), limits[0], limits[1])
    forest, limits = fit_log_sigma(x, residual, error, weights, settings, seed)
    by_what = levers(x, COLUMNS)
    found = [
        _recalibrated(pool, copy, own_rows, held_out[:, j], by_what, residual[:, j], error[:, j])
        for j in range(len(QUANTITIES))
    ]
    return Spread(forest, limits, np.array([f[0] for f in found]), np.array([f[1] for f in found]))


def _recalibrated(
    pool: Pool,
    copy: np.ndarray,
    rows: np.ndarray,
    raw: np.ndarray,
    by_what: np.ndarray,
    residual: np.ndarray,
    error: np.ndarray,
) -> tuple[np.ndarray, float]:
    """Recalibration and tail of one quantity, in each survey as it is: whole, in every set of
    bands, in sets drawn at random, so that what nobody judged holds too, where the truth is good,
    and in each quarter of sigma (of whole galaxies, if there are any).
    """
    asked = pool.as_asked[copy, rows]
    good = pool.truth_errors[rows, QUANTITIES.index("LOG_SIGMA_MD")] < _GOOD_TRUTH
    groups, importance = [], []
    for survey in np.unique(pool.surveys):
        mine = (pool.surveys[rows] == survey) & np.isfinite(residual) & asked
        if not mine.any():
            continue
        whole = mine & (copy == 0)
        if whole.sum() < _FEW:
            whole = mine
        edges = np.percentile(raw[whole], [25, 50, 75])
        quarter = np.digitize(raw, edges)
        cases = [mine & (copy == k) for k in range(1 + len(BAND_SETS))]
        some = [whole & good, *(whole & (quarter == q) for q in range(4))]
        groups += [*cases, mine & (copy > len(BAND_SETS)), *some]
        importance += [1.0] * (len(cases) + 1) + [_WELL_MEASURED] + [1.0] * 4
    filled = [(g, i) for g, i in zip(groups, importance, strict=True) if g.sum() > _FEW]
    use = np.isfinite(residual)
    return fit_recalibration(
        raw[use], by_what[use], residual[use], error[use],
        np.array([g[use] for g, _ in filled]), np.array([i for _, i in filled]),
    )  # fmt: skip


def fit_log_sigma(
    x: np.ndarray,
    residual: np.ndarray,
    error: np.ndarray,
    weight: np.ndarray,
    settings: BoostSettings,
    seed: int,
) -> tuple[PackedForest, np.ndarray]:
    """Boosted trees of ln sigma, all quantities in the same leaves, and the limits that it is kept
    within.
    """
    n_out = residual.shape[1]
    known = np.isfinite(residual)
    scale = np.sqrt(np.nanmean(residual**2, axis=0))
    r2, e2 = (np.nan_to_num(residual) / scale) ** 2, (error / scale) ** 2
    weights = weight[:, None] * known
    start = np.array(
        [best_constant(np.sqrt(r2[:, j]), np.sqrt(e2[:, j]), weights[:, j]) for j in range(n_out)]
    )

    def objective(u: np.ndarray, _: Any) -> tuple[np.ndarray, np.ndarray]:
        # u = ln sigma^2; of 0.5 ln V + 0.5 r^2 / V, V = sigma^2 + error^2: the gradient and the
        # expected curvature
        own = np.exp(np.clip(u.reshape(r2.shape), _FLOOR, _CEILING))
        total = own + e2
        share = own / total
        slope = weights * 0.5 * share * (1 - r2 / total)
        return slope, np.maximum(weights * (0.5 * share**2 + 1e-3), 1e-6)

    booster = boosted(x, np.tile(start, (len(x), 1)), objective, settings, seed)
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
