"""Scores: errors and calibration on galaxies that a model did not see, beside the plain baseline's,
with error bars.
"""

from __future__ import annotations

import numpy as np

from ...measure.compare.coverage import coverage
from ...models.card import Score
from ...models.dust_forest.features import normalise, select
from ...models.dust_forest.model import DustForest
from ...models.dust_forest.uncertainty import QUANTITIES, TO_QUANTITIES
from ..datasets.galaxies import Galaxies
from .band_sets import ALL_BANDS, BAND_SETS, BandSet
from .fit_spread import best_constant, truth_errors

N_BOOTSTRAP = 500
SEED = 123


def folds(n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Training and test galaxies of the four folds of the baseline."""
    from sklearn.model_selection import KFold

    return list(KFold(4, shuffle=True, random_state=SEED).split(np.zeros((n, 1))))


def baseline(galaxies: Galaxies, case: BandSet) -> np.ndarray:
    """Out-of-fold predictions, shape (n, 3), of the plain forest refitted to the bands of `case`.

    The forest of 500 trees of the reference script: log10 F / F_WISE_3.4 and the log intensity,
    non-positive fluxes left out.
    """
    from sklearn.ensemble import RandomForestRegressor

    flux, _ = case.padded(galaxies)
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
    case: str,
    population: str,
    prop: str,
    truth: np.ndarray,
    truth_error: np.ndarray,
    predicted: np.ndarray,
    sigma: np.ndarray,
    reference: np.ndarray | None,
) -> Score:
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
    covered = coverage(z)
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
        coverage68=100 * covered.within_68,
        coverage95=100 * covered.within_95,
        likelihood_gain=log_likelihood(variance) - log_likelihood(constant),
        sigma=float(np.median(sigma)),
    )


def predict_unseen(
    model: DustForest, galaxies: Galaxies, case: BandSet
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each galaxy by the member that never saw it.

    Returns
    -------
    values, sigma : ndarray, shape (n, 7)
        Of `QUANTITIES`, the surface densities per WISE 3.4 luminosity; NaN where the case leaves
        too few bands.
    unusual : ndarray, shape (n,)
    """
    values, sigma = np.full((2, len(galaxies), len(QUANTITIES)), np.nan)
    unusual = np.full(len(galaxies), np.nan)
    for member, (_, test) in zip(model.members, folds(len(galaxies)), strict=True):
        given = case.given(galaxies.take(test))
        spectra = normalise(*given, case.bands, model.colour_term, model.columns)
        rows = test[spectra.usable]
        mean, sigma[rows], unusual[rows] = member.predict(select(spectra, spectra.usable))
        values[rows] = mean @ TO_QUANTITIES
    return values, sigma, unusual


def score_model(model: DustForest, galaxies: Galaxies) -> tuple[Score, ...]:
    """Score every set of bands, for all galaxies and for those well seen in the far infrared."""
    truth, error = galaxies.targets @ TO_QUANTITIES, truth_errors(galaxies)
    reference = baseline(galaxies, BAND_SETS[0])
    scores = []
    for case in (ALL_BANDS, *BAND_SETS):
        plain = reference if case in (ALL_BANDS, BAND_SETS[0]) else baseline(galaxies, case)
        values, sigma, _ = predict_unseen(model, galaxies, case)
        usable = np.isfinite(values[:, 0])
        for population, member in (
            ("all", usable),
            (">= 3 FIR", usable & (galaxies.n_detected >= 3)),
        ):
            for j, name in enumerate(QUANTITIES[: 7 if case is ALL_BANDS else 3]):
                scores.append(
                    score(
                        case.name,
                        population,
                        name,
                        truth[member, j],
                        error[member, j],
                        values[member, j],
                        sigma[member, j],
                        plain[member, j] if j < 3 else None,
                    )
                )
    return tuple(scores)
