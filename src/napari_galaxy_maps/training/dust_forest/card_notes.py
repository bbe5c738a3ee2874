"""The facts of dust-forest's card beyond its tables, measured on galaxies unseen in training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...bands.registry import INPUT_BANDS
from ...measure.compare.coverage import coverage
from ...models.card import CardTable, Score
from ...models.dust_forest.columns import NORMAL, STAND_IN
from ...models.dust_forest.model import DustForest
from ...models.dust_forest.uncertainty import QUANTITIES, quantities_of
from ..datasets.dustpedia import SURVEY as DUSTPEDIA
from ..datasets.galaxies import Galaxies
from . import imputation_trial as imputation
from .band_sets import ALL_BANDS, WITH_STAGE, BandSet
from .pool import LEAST_ERROR, MOST_ERROR, limited_errors
from .scoring import (
    ALL,
    DUST,
    DUST_PER_W1,
    HATLAS_ALL,
    N_BOOTSTRAP,
    SEED,
    WELL_MEASURED,
    populations,
    predict_unseen,
)

STOOD_IN = BandSet("IRAC 3.6 for WISE 3.4", tuple(b for b in INPUT_BANDS if b != NORMAL))


def measured_notes(
    model: DustForest, galaxies: Galaxies, scores: tuple[Score, ...]
) -> tuple[str, ...]:
    """Facts beyond the tables: the published rival, IRAC 3.6 standing in, how much of the
    calibration holds, what is flagged, what noise and brightness do, what filling gaps does.
    """
    near = galaxies.surveys == DUSTPEDIA
    dustpedia = galaxies.take(np.flatnonzero(near))
    whole = predict_unseen(model, galaxies, ALL_BANDS)
    least, most = (
        ", ".join(f"{value:g}" for value in limit[:3]) for limit in (LEAST_ERROR, MOST_ERROR)
    )
    right = sum(s.calibrated() for s in scores)
    far_off = [s for s in scores if s.off() > 4]
    return (
        _beside_rival(whole.values, galaxies),
        _stage(model, galaxies, whole.values),
        _standing_in(model, galaxies, whole.values),
        f"Of {len(scores)} rows {right} ({100 * right / len(scores):.0f} %) have both coverages "
        f"right within two standard errors; in {len(far_off)} one is off by more than 4 points"
        + (": " if far_off else "")
        + ", ".join(f"{s.property} of {s.population}, {s.case}" for s in far_off)
        + f". The truth's errors (log L_dust, log M_dust, T_dust) count from {least} up to {most} "
        "(dex, dex, K), and those of the stars not at all.",
        _with_noise(model, galaxies),
        "Every flux multiplied by 5, errors too, leaves all predictions of whole galaxies as they "
        "are but for the surface densities, which grow by the same factor: how bright a galaxy is "
        "is no input. How bright a pixel is tells of its dust.",
        *imputation.notes(imputation.compare(model, dustpedia, imputation.library_for_galaxies())),
    )


def _beside_rival(values: np.ndarray, galaxies: Galaxies) -> str:
    """RMSE beside the network of Dobbels+ 2020 on the same galaxies, differences by a paired
    bootstrap.
    """
    words = []
    for population in (HATLAS_ALL, WELL_MEASURED, ALL):
        use = populations(galaxies)[population] & np.isfinite(galaxies.rival).all(1)
        rows = []
        for j, name in enumerate(DUST_PER_W1):
            truth = galaxies.targets[use, j]
            own = values[use, QUANTITIES.index(name)]
            one, other, error = _paired(own - truth, galaxies.rival[use, j] - truth)
            rows.append(
                f"{name} {one:.3f} against {other:.3f} (by {one - other:+.3f} ± {error:.3f})"
            )
        words.append(f"{population} ({use.sum()}): {', '.join(rows)}")
    return (
        "Beside the network of Dobbels+ 2020 on the same galaxies, RMSE of log L_dust and log "
        "M_dust per WISE 3.4 luminosity and of T_dust, and the difference by a paired bootstrap: "
        f"{'; '.join(words)}."
    )


def _paired(one: np.ndarray, other: np.ndarray) -> tuple[float, float, float]:
    """RMSE of two predictions of the same galaxies, by their residuals, and the error of the
    difference by a bootstrap over the galaxies.
    """
    draws = np.random.default_rng(SEED).integers(0, len(one), (N_BOOTSTRAP, len(one)))
    drawn = [np.sqrt((r[draws] ** 2).mean(1)) for r in (one, other)]
    rmse, other_rmse = (float(np.sqrt(np.mean(r**2))) for r in (one, other))
    return rmse, other_rmse, float((drawn[0] - drawn[1]).std())


def _stage(model: DustForest, galaxies: Galaxies, without: np.ndarray) -> str:
    """What the Hubble stage gains, by a paired bootstrap."""
    truth = quantities_of(galaxies.targets)
    given = predict_unseen(model, galaxies, WITH_STAGE).values
    words = []
    for population in (WELL_MEASURED, ALL):
        use = populations(galaxies)[population]
        rows = []
        for j, name in enumerate(DUST):
            residuals = (v[use, j] - truth[use, j] for v in (given, without))
            one, other, error = _paired(*residuals)
            rows.append(f"{name} {one:.3f} ({one - other:+.3f} ± {error:.3f})")
        words.append(f"{population}: {', '.join(rows)}")
    return f"With the Hubble stage given, RMSE of DustPedia's galaxies: {'; '.join(words)}."


def _standing_in(model: DustForest, galaxies: Galaxies, whole: np.ndarray) -> str:
    seen = np.isfinite(galaxies.values[INPUT_BANDS.index(STAND_IN)])
    stood = predict_unseen(model, galaxies, STOOD_IN).values
    rows = np.flatnonzero(seen & np.isfinite(stood[:, 0]))
    truth = quantities_of(galaxies.targets)
    pairs = []
    for j, name in enumerate(DUST):
        one, other = (np.sqrt(np.mean((v[rows, j] - truth[rows, j]) ** 2)) for v in (stood, whole))
        pairs.append(f"{name} {one:.3f} against {other:.3f}")
    return (
        f"IRAC 3.6 in the place of WISE 3.4, {len(rows)} of {seen.sum()} galaxies with it: RMSE "
        f"{', '.join(pairs)}."
    )


def _with_noise(model: DustForest, galaxies: Galaxies, factor: float = 5.0) -> str:
    """Whether galaxies made fainter are predicted as they were: signal-to-noise ratios are seen."""
    bright = populations(galaxies)[WELL_MEASURED]
    some = galaxies.take(np.flatnonzero(bright))
    rng = np.random.default_rng(SEED)
    extra = np.sqrt(factor**2 - 1) * some.errors
    fainter = replace(
        some,
        values=some.values + np.nan_to_num(extra * rng.standard_normal(extra.shape)),
        errors=factor * some.errors,
    )
    before, after = (predict_unseen(model, g, ALL_BANDS).values for g in (some, fainter))
    use = np.isfinite(after[:, 0])
    moved = np.median((after - before)[use], axis=0)
    words = ", ".join(
        f"{name} by {moved[QUANTITIES.index(name)]:+.3f}" for name in (*DUST, *DUST_PER_W1[:2])
    )
    return (
        "Signal-to-noise ratios are inputs, by which the model knows how faint a galaxy is: with "
        f"{factor:g} times the noise DustPedia's galaxies with >= 3 FIR move (median of "
        f"{use.sum()}) {words} (dex, K; surface densities per WISE 3.4 luminosity)."
    )


def quarters_of_sigma(model: DustForest, galaxies: Galaxies) -> CardTable:
    """The 68 % coverage in each quarter of sigma, all bands given."""
    found = predict_unseen(model, galaxies, ALL_BANDS)
    truth, error = quantities_of(galaxies.targets), limited_errors(galaxies)
    z = (found.values - truth) / np.hypot(found.sigma, error)
    rows = []
    for population, use in populations(galaxies).items():
        for name in DUST_PER_W1 if population == HATLAS_ALL else DUST:
            j = QUANTITIES.index(name)
            order = np.argsort(found.sigma[use, j])
            quarters = np.array_split(z[use, j][order], 4)
            shares = [f"{100 * coverage(part).within_68:.0f}" for part in quarters]
            rows.append((population, name, *shares))
    return CardTable(
        "Uncertainties small and large",
        "Per cent of the galaxies with |z| < 1 in each quarter of sigma, the smallest first; all "
        "bands given.",
        ("galaxies", "property", "first", "second", "third", "fourth"),
        tuple(rows),
    )
