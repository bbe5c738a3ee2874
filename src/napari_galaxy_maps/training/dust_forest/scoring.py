"""Scores: errors and calibration on galaxies that a model did not see, beside the plain baseline's,
with error bars.
"""

from __future__ import annotations

import numpy as np

from ...models.card import Score
from ..datasets.dustpedia import Galaxies
from .cases import Case
from .fit_spread import best_constant

N_BOOTSTRAP = 500
SEED = 123


def folds(n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Training and test galaxies of the four folds of the baseline."""
    from sklearn.model_selection import KFold

    return list(KFold(4, shuffle=True, random_state=SEED).split(np.zeros((n, 1))))


def baseline(galaxies: Galaxies, case: Case) -> np.ndarray:
    """Out-of-fold predictions, shape (n, 3), of the plain forest refitted to the bands of `case`.

    The forest of 500 trees of the reference script: log10 F / F_WISE_3.4 and the log intensity,
    non-positive fluxes left out.
    """
    from sklearn.ensemble import RandomForestRegressor

    flux, _ = case.apply(galaxies)
    flux = np.where(flux > 0, flux, np.nan)[case.rows]
    normal = case.bands.index("WISE_3.4")
    x = np.log10(np.delete(flux, normal, axis=0) / flux[normal]).T
    x = np.column_stack([x, np.log10(flux[normal])])
    y = galaxies.targets[:, :3]
    predicted = np.empty_like(y)
    for train, test in folds(len(galaxies)):
        forest = RandomForestRegressor(
            500, min_samples_leaf=2, max_features=0.5, n_jobs=2, random_state=SEED
        )
        predicted[test] = forest.fit(x[train], y[train]).predict(x[test])
    return predicted


def score(
    case: str, population: str, prop: str, truth: np.ndarray, truth_error: np.ndarray, predicted: np.ndarray,
    sigma: np.ndarray, reference: np.ndarray | None,
) -> Score:  # fmt: skip
    """Score one property on n galaxies, all arrays of shape (n,); `reference` is the baseline's
    prediction.

    A constant sigma, against which the likelihood is compared, is fitted to these very galaxies.
    """
    rng = np.random.default_rng(SEED)
    draws = rng.integers(0, len(truth), (N_BOOTSTRAP, len(truth)))
    everything = np.arange(len(truth))[None]
    z = (predicted - truth) / np.hypot(sigma, truth_error)
    variance = sigma**2 + truth_error**2
    constant = np.exp(best_constant(predicted - truth, truth_error)) + truth_error**2

    def errors(values: np.ndarray | None) -> list[tuple[float, float]]:
        if values is None:
            return [(float("nan"), float("nan"))] * 3
        numbers = []
        for rows in (everything, draws):
            residual = (values - truth)[rows]
            square = (residual**2).mean(1)
            numbers.append([np.sqrt(square), 1 - square / truth[rows].var(1), residual.mean(1)])
        return [
            (float(value[0]), float(spread.std())) for value, spread in zip(*numbers, strict=True)
        ]

    def log_likelihood(total: np.ndarray) -> float:
        return float(np.mean(-0.5 * np.log(total) - 0.5 * (predicted - truth) ** 2 / total))

    own, plain = errors(predicted), errors(reference)
    return Score(
        case=case,
        population=population,
        property=prop,
        n=len(truth),
        rmse=own[0],
        r2=own[1],
        me=own[2],
        baseline_rmse=plain[0],
        baseline_r2=plain[1],
        baseline_me=plain[2],
        chi2=(float(np.mean(z**2)), float((z**2)[draws].mean(1).std())),
        coverage68=float(100 * np.mean(np.abs(z) < 1)),
        coverage95=float(100 * np.mean(np.abs(z) < 1.96)),
        likelihood_gain=log_likelihood(variance) - log_likelihood(constant),
        sigma=float(np.median(sigma)),
    )
