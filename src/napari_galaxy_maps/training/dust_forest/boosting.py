"""Gradient boosting with vector leaves, as all parts of dust-forest that are boosted are fitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Objective = Callable[[np.ndarray, Any], tuple[np.ndarray, np.ndarray]]
"""Gradient and curvature of the loss, from predictions."""


@dataclass(frozen=True)
class BoostSettings:
    """Settings of boosted trees, as xgboost's."""

    rounds: int
    depth: int
    eta: float
    column_share: float
    row_share: float
    penalty: float
    min_hessian: float


def boosted(
    x: np.ndarray, start: np.ndarray, objective: Objective, settings: BoostSettings, seed: int
) -> Any:
    """An xgboost booster.

    Parameters
    ----------
    x : ndarray of float32, shape (n, n_features)
    start : ndarray, shape (n, n_targets)
        From which the trees go on.
    objective : callable
    settings : BoostSettings
    seed : int
    """
    import xgboost

    data = xgboost.DMatrix(x)
    data.set_base_margin(start)
    parameters = {
        "max_depth": settings.depth,
        "eta": settings.eta,
        "subsample": settings.row_share,
        "colsample_bytree": settings.column_share,
        "min_child_weight": settings.min_hessian,
        "reg_lambda": settings.penalty,
        "base_score": 0.0,
        "tree_method": "hist",
        "multi_strategy": "multi_output_tree",
        "num_target": start.shape[1],
        "nthread": 1,
        "seed": seed,
    }
    return xgboost.train(parameters, data, settings.rounds, obj=objective)
