"""Scores: errors and calibration on galaxies that a model did not see, beside the plain baseline's,
with error bars.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...bands.registry import INPUT_BANDS
from ...data.properties import GAUSSIAN_95
from ...measure.compare.coverage import within_intervals
from ...models.card import Score
from ...models.dust_forest.columns import NORMAL
from ...models.dust_forest.features import features, normalise, select
from ...models.dust_forest.model import DustForest
from ...models.dust_forest.pixel_part import Surroundings
from ...models.dust_forest.uncertainty import QUANTITIES, quantities_of
from ..datasets.dustpedia import SURVEY as DUSTPEDIA
from ..datasets.galaxies import Galaxies
from ..datasets.hatlas import SURVEY as HATLAS
from .band_sets import ALL_BANDS, BAND_SETS, BASELINE_BANDS, WITH_STAGE, BandSet
from .fit_spread import best_constant
from .pool import limited_errors

N_BOOTSTRAP = 500
SEED = 123


def folds(surveys: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Training and test galaxies of four folds: of each survey by itself those of the baseline."""
    from sklearn.model_selection import KFold

    parts = []
    for survey in dict.fromkeys(surveys):
        rows = np.flatnonzero(surveys == survey)
        split = KFold(4, shuffle=True, random_state=SEED).split(rows)
        parts.append([(rows[fit], rows[test]) for fit, test in split])
    return [
        (np.concatenate([fit for fit, _ in fold]), np.concatenate([test for _, test in fold]))
        for fold in zip(*parts, strict=True)
    ]


def plain_bands(case: BandSet) -> tuple[str, ...]:
    """The bands that the plain baseline is given: without IRAC, which few galaxies have."""
    return BASELINE_BANDS if len(case.bands) > len(BASELINE_BANDS) else case.bands


def baseline(galaxies: Galaxies, case: BandSet) -> np.ndarray:
    """Out-of-fold predictions of LOG_SLD, LOG_SMD and T_DUST, shape (n, 3), of the plain forest
    refitted to the bands of `case`.

    The forest of 500 trees of the reference script on log10 F / F_WISE_3.4, non-positive fluxes
    left out.
    """
    from sklearn.ensemble import RandomForestRegressor

    flux, _ = case.padded(galaxies)
    bands = plain_bands(case)
    flux = np.where(flux > 0, flux, np.nan)[[INPUT_BANDS.index(band) for band in bands]]
    normal = bands.index(NORMAL)
    x = np.log10(np.delete(flux, normal, axis=0) / flux[normal]).T
    y = quantities_of(galaxies.targets)[:, :3]
    predicted = np.empty_like(y)
    for train, test in folds(galaxies.surveys):
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
    tail: np.ndarray | float = GAUSSIAN_95,
) -> Score:
    """Score one property on n galaxies, all arrays of shape (n,); `reference` is the baseline's
    prediction, `tail` the sigmas that are to hold 95 %.

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
    within = within_intervals(z, tail)
    shares = [
        (100 * float(inside.mean()), 100 * float(inside[draws].mean(1).std())) for inside in within
    ]
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
        chi2_median=float(np.median(z**2)),
        coverage68=shares[0],
        coverage95=shares[1],
        tail=float(np.mean(tail)),
        likelihood_gain=log_likelihood(variance) - log_likelihood(constant),
        sigma=float(np.median(sigma)),
    )


@dataclass(frozen=True)
class Unseen:
    """What members say of n galaxies that they never saw.

    Attributes
    ----------
    values, sigma, tails : ndarray, shape (n, 7)
        Of `QUANTITIES`, the surface densities per WISE 3.4 luminosity, and the sigmas that are to
        hold 95 %; values are NaN where the case leaves too few bands.
    score : ndarray, shape (n,)
        `Density.score`: beyond 1 a spectrum is out of distribution.
    """

    values: np.ndarray
    sigma: np.ndarray
    tails: np.ndarray
    score: np.ndarray


def predict_unseen(
    model: DustForest, galaxies: Galaxies, case: BandSet, by_size: bool = False
) -> Unseen:
    """Each galaxy by the member that never saw it.

    Parameters
    ----------
    by_size : bool
        Whether its aperture's size tells how far it is a galaxy or a pixel; else it is known to be
        a whole galaxy.
    """
    sides = galaxies.scale_pc if by_size else np.full(len(galaxies), np.inf)
    shape = (len(galaxies), len(QUANTITIES))
    values, sigma, tails = np.full((3, *shape), np.nan)
    found = Unseen(values, sigma, tails, np.full(len(galaxies), np.nan))
    spectra = normalise(
        *case.given(galaxies), case.bands, model.colour_term, model.columns, case.stage(galaxies),
        sides,
    )  # fmt: skip
    for member, (_, test) in zip(model.members, folds(galaxies.surveys), strict=True):
        rows = test[spectra.usable[test]]
        matrix, unusual = features(select(spectra, rows), model.colours, model.sed)
        complete = model.columns.complete(matrix)
        mean = member.mean(matrix, complete)
        sigma = member.sigma(mean, matrix, unusual, complete, model.columns)
        if model.pixels is not None:
            brightness = spectra.normal[rows] * galaxies.mjy_sr[rows]
            about = Surroundings(unusual, spectra.scale_pc[rows], brightness)
            mean, sigma = model.pixels.applied(matrix, mean, sigma, about, model.columns)
        found.sigma[rows] = sigma
        found.values[rows] = quantities_of(mean)
        found.tails[rows] = np.where(
            complete[:, None], member.complete.spread.tails, member.partial.spread.tails
        )
        found.score[rows] = model.score(select(spectra, rows), matrix, unusual)
    return found


ALL, WELL_MEASURED, HATLAS_ALL = "all", ">= 3 FIR", HATLAS
"""Populations: DustPedia's galaxies, those well seen in the far infrared, and H-ATLAS's."""
DUST = ("LOG_SLD", "LOG_SMD", "T_DUST")
DUST_PER_W1 = ("LOG_SIGMA_LD", "LOG_SIGMA_MD", "T_DUST")
"""What is scored of H-ATLAS, whose stars are not published."""


def populations(galaxies: Galaxies) -> dict[str, np.ndarray]:
    """Which galaxies each population has."""
    dustpedia = galaxies.surveys == DUSTPEDIA
    return {
        ALL: dustpedia,
        WELL_MEASURED: dustpedia & (galaxies.n_detected >= 3),
        HATLAS_ALL: galaxies.surveys == HATLAS,
    }


def judged(case: BandSet, population: str) -> tuple[str, ...]:
    """The quantities that are scored of a population in a case: H-ATLAS has no IRAC, no imputed
    fluxes and no Hubble stages, so that some cases say nothing new of it.
    """
    if population == HATLAS_ALL:
        nothing_new = case.imputed or case.with_stage or case.bands == BASELINE_BANDS
        return () if nothing_new else DUST_PER_W1
    return QUANTITIES if case in (ALL_BANDS, WITH_STAGE) else DUST


def score_model(model: DustForest, galaxies: Galaxies) -> tuple[Score, ...]:
    """Score every set of bands, for DustPedia's galaxies, for those well seen in the far infrared,
    and for H-ATLAS's.
    """
    truth, error = quantities_of(galaxies.targets), limited_errors(galaxies)
    dustpedia = np.flatnonzero(galaxies.surveys == DUSTPEDIA)
    near = galaxies.take(dustpedia)
    plain: dict[tuple[tuple[str, ...], bool], np.ndarray] = {}
    scores = []
    for case in (ALL_BANDS, *BAND_SETS):
        key = (plain_bands(case), case.imputed)
        if key not in plain:
            plain[key] = baseline(near, case)
        reference = np.full(truth.shape, np.nan)
        reference[dustpedia, :3] = plain[key]
        if case == ALL_BANDS:
            far = galaxies.surveys == HATLAS
            reference[np.ix_(far, [5, 6, 2])] = galaxies.rival[far]
        found = predict_unseen(model, galaxies, case)
        usable = np.isfinite(found.values[:, 0])
        for population, members in populations(galaxies).items():
            use = usable & members
            for name in judged(case, population) if use.any() else ():
                j = QUANTITIES.index(name)
                beside = reference[use, j]
                scores.append(
                    score(
                        case.name,
                        population,
                        name,
                        truth[use, j],
                        error[use, j],
                        found.values[use, j],
                        found.sigma[use, j],
                        beside if np.isfinite(beside).all() else None,
                        found.tails[use, j],
                    )
                )
    return tuple(scores)
