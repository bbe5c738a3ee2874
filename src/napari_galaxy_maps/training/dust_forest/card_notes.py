"""The facts of dust-forest's card beyond its tables, measured on galaxies unseen in training."""

from __future__ import annotations

import numpy as np

from ...bands.registry import INPUT_BANDS
from ...measure.compare.coverage import coverage
from ...models.card import Score
from ...models.dust_forest.columns import NORMAL, STAND_IN
from ...models.dust_forest.model import DustForest
from ...models.dust_forest.uncertainty import QUANTITIES, TO_QUANTITIES
from ..datasets.galaxies import Galaxies
from . import imputation_trial as imputation
from .band_sets import ALL_BANDS, BAND_SETS, BandSet
from .fit_spread import truth_errors
from .scoring import predict_unseen

STOOD_IN = BandSet("IRAC 3.6 for WISE 3.4", tuple(b for b in INPUT_BANDS if b != NORMAL))


def measured_notes(
    model: DustForest, galaxies: Galaxies, scores: tuple[Score, ...]
) -> tuple[str, ...]:
    """Facts beyond the table: IRAC 3.6 standing in, how much of the calibration holds, what is
    flagged, what filling gaps does.
    """
    whole, sigma, unusual = predict_unseen(model, galaxies, ALL_BANDS)
    with_irac = galaxies.take(
        np.flatnonzero(np.isfinite(galaxies.values[INPUT_BANDS.index(STAND_IN)]))
    )
    rows = np.flatnonzero(np.isfinite(galaxies.values[INPUT_BANDS.index(STAND_IN)]))
    stood, _, _ = predict_unseen(model, galaxies, STOOD_IN)
    rows = rows[np.isfinite(stood[rows, 0])]
    pairs = []
    for j, name in enumerate(QUANTITIES[:3]):
        one, other = (
            np.sqrt(np.mean((v[rows, j] - galaxies.targets[rows, j]) ** 2)) for v in (stood, whole)
        )
        pairs.append(f"{name} {one:.3f} against {other:.3f}")
    flagged = 100 * np.mean(unusual > 1)
    t = QUANTITIES.index("T_DUST")
    vague = galaxies.target_errors[:, t] > 4
    z = (whole - galaxies.targets @ TO_QUANTITIES)[:, t] / np.hypot(
        sigma[:, t], galaxies.target_errors[:, t]
    )
    inside = [100 * coverage(z[rows]).within_68 for rows in (vague, ~vague)]
    worst = _worst(model, galaxies, BAND_SETS[-1])
    judged = [
        holds
        for s in scores
        if s.property in QUANTITIES[:3] and (s.population == "all" or s.case == ALL_BANDS.name)
        for holds in s.conditions()
    ]
    return (
        f"IRAC 3.6 in the place of WISE 3.4, {len(rows)} of {len(with_irac)} galaxies with it: "
        f"RMSE {', '.join(pairs)}.",
        f"Of the {len(judged)} conditions on LOG_SLD, LOG_SMD and T_DUST (chi2, 68 % and 95 % of "
        "all galaxies in each set of bands, and of those with >= 3 FIR with all bands) "
        f"{sum(judged)} hold. Fitted to these very galaxies, which would be cheating, a monotone "
        "function of sigma would meet 67 of them and this recalibration 69.",
        f"Of T_DUST the 68 % interval holds too many of all galaxies: {vague.sum()} of them have "
        "a truth with an error beyond 4 K, the width of N19's prior, wider than the scatter of "
        f"its values; they lie within 1 sigma in {inside[0]:.0f} % of the cases whatever the "
        f"model says, the others in {inside[1]:.0f} %. Shrinking sigma until the mean is right "
        "would make it too small for the galaxies with a good truth, by which it is better judged.",
        f"The residuals of LOG_SLD are heavy-tailed: with imputed fluxes {worst}, so that chi2 "
        "can be too large where the coverages are right.",
        f"Out of distribution: {flagged:.1f} % of galaxies that a member did not see are flagged.",
        "A forest trained on imputed fluxes with bands dropped out did badly on observed ones in "
        "a trial (0.45, 0.56 dex, 4.3 K): this one was trained on observed fluxes.",
        *imputation.notes(imputation.compare(model, galaxies, imputation.library_for_galaxies())),
    )


def _worst(model: DustForest, galaxies: Galaxies, case: BandSet) -> str:
    """Which galaxies have the largest LOG_SLD residuals for their uncertainty, and how much of chi2
    is theirs.
    """
    values, sigma, _ = predict_unseen(model, galaxies, case)
    z2 = (values - galaxies.targets @ TO_QUANTITIES)[:, 0] ** 2 / (
        sigma[:, 0] ** 2 + truth_errors(galaxies)[:, 0] ** 2
    )
    first = np.argsort(-np.nan_to_num(z2))[:6]
    share = 100 * z2[first].sum() / np.nansum(z2)
    return (
        f"{len(first)} galaxies of {np.isfinite(z2).sum()} ({', '.join(galaxies.names[first])}) "
        f"make up {share:.0f} % of chi2"
    )
