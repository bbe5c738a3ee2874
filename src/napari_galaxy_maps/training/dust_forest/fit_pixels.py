"""Fits the part of dust-forest that is for pixels, to pixels of mock galaxies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...models.dust_forest.features import UNKNOWN_SCALE
from ...models.dust_forest.model import DustForest
from ...models.dust_forest.packed_forest import PackedForest, from_xgboost
from ...models.dust_forest.pixel_part import PixelPart, pixel_features
from ...models.dust_forest.uncertainty import QUANTITIES, Spread, levers
from ..datasets.galaxy_pixels import GalaxyPixels
from ..processes import in_processes
from .band_sets import COLUMNS
from .boosting import BoostSettings, boosted
from .fit_recalibration import fit_recalibration
from .fit_spread import SpreadSettings, fit_log_sigma
from .pixel_rows import PixelRows, joined_rows, residuals, rows_of

N_FOLDS = 4
"""By galaxy: residuals are of galaxies that a correction has not seen."""
_SCALE = np.array([0.1, 0.25, 2.0, 0.05, 0.08])
"""Of errors (dex, dex, K, dex, dex), by which targets are made alike."""
_TAIL = 3.0
"""Of these scales, beyond which an error counts linearly: dust-poor pixels err by dex."""
_FEW = 300
"""So many rows, or fewer, tell nothing of a coverage."""
_SCALE_EDGES = (300.0, 700.0, 1500.0)
_RADIUS_EDGES = (0.3, 0.6, 0.9)


@dataclass(frozen=True)
class PixelSettings(BoostSettings):
    """Settings of the correction, and of the uncertainty.

    Attributes
    ----------
    spread : BoostSettings
    """

    rounds: int = 150
    depth: int = 5
    eta: float = 0.08
    column_share: float = 0.3
    row_share: float = 0.5
    penalty: float = 5.0
    min_hessian: float = 50.0
    spread: BoostSettings = field(
        default_factory=lambda: SpreadSettings(rounds=80, depth=4, min_hessian=30.0)
    )


def fit_pixel_part(
    model: DustForest,
    pixels: GalaxyPixels,
    zero: np.ndarray,
    seed: int = 0,
    settings: PixelSettings | None = None,
    processes: int = 2,
    report: Callable[[str], None] = lambda _: None,
) -> PixelPart:
    """Fit correction and uncertainty to pixels.

    The correction is gradient boosting of what the members miss. The uncertainty is fitted to
    residuals of galaxies that a correction did not see, and recalibrated on galaxies that its trees
    did not see, by scale, radius, signal-to-noise ratio, kind, and with bands left out.

    Parameters
    ----------
    model : DustForest
        Its members are what is corrected.
    pixels : GalaxyPixels
    zero : ndarray, shape (5,)
        From `pixel_rows.zero_points`.
    """
    settings = settings or PixelSettings()
    rows = joined_rows([rows_of(model, pixels, zero), rows_of(model, pixels, zero, seed)])
    galaxy = pixels.galaxy[rows.pixel]
    x = pixel_features(rows.features, rows.mean, rows.about)
    report(f"{len(galaxy)} spectra of {len(np.unique(galaxy))} galaxies")
    error = rows.targets - rows.mean
    fold = np.random.default_rng([seed, 0xF01]).integers(0, N_FOLDS, galaxy.max() + 1)[galaxy]
    others = [np.flatnonzero(fold != k) for k in range(N_FOLDS)]
    calls = [
        (x[r], error[r], galaxy_weights(galaxy[r]), settings, seed)
        for r in (*others, np.arange(len(x)))
    ]
    *crossed, correction = in_processes(fit_correction, calls, processes)
    report("corrections fitted")
    mean = rows.mean.astype(np.float32).copy()
    for k, forest in enumerate(crossed):
        mean[fold == k] += forest.predict(x[fold == k])
    spread = _fit_spread(pixels, rows, mean, fold, settings.spread, seed, processes)
    return PixelPart(correction, spread)


def galaxy_weights(galaxy: np.ndarray) -> np.ndarray:
    """One over the number of its galaxy's rows: every galaxy counts alike (DB21 Sect. 2.3)."""
    _, place, count = np.unique(galaxy, return_inverse=True, return_counts=True)
    weight = 1 / count[place]
    return np.asarray(weight / weight.mean())


def fit_correction(
    x: np.ndarray, error: np.ndarray, weight: np.ndarray, settings: BoostSettings, seed: int
) -> PackedForest:
    """Boosted trees with vector leaves of the members' errors.

    Parameters
    ----------
    x : ndarray of float32, shape (n, n_features)
        `pixel_features`.
    error : ndarray, shape (n, 5)
        Truth minus members; NaN where unknown.
    weight : ndarray, shape (n,)
    """
    known = np.isfinite(error)
    z, counts = np.nan_to_num(error) / _SCALE, weight[:, None] * known

    def objective(u: np.ndarray, _: Any) -> tuple[np.ndarray, np.ndarray]:
        off = u.reshape(z.shape) - z
        part = counts / np.sqrt(1 + (off / _TAIL) ** 2)  # pseudo-Huber
        return part * off, np.maximum(part, 1e-6)

    booster = boosted(x, np.zeros(z.shape), objective, settings, seed)
    return from_xgboost(booster, np.diag(_SCALE))


def _fit_spread(
    pixels: GalaxyPixels, rows: PixelRows, mean: np.ndarray, fold: np.ndarray,
    settings: BoostSettings, seed: int, processes: int,
) -> Spread:  # fmt: skip
    """The uncertainty of corrected means of galaxies that the correction did not see."""
    x = pixel_features(rows.features, mean, rows.about)
    residual = residuals(mean, rows)
    nothing = np.zeros_like(residual)
    weight = galaxy_weights(pixels.galaxy[rows.pixel])
    parts = [np.flatnonzero(fold != k) for k in range(N_FOLDS)]
    calls = [
        (x[r], residual[r], nothing[r], weight[r], settings, seed)
        for r in (*parts, np.arange(len(x)))
    ]
    *held_out, (forest, limits) = in_processes(fit_log_sigma, calls, processes)
    raw = np.empty_like(residual)
    for k, (trees, edges) in enumerate(held_out):
        raw[fold == k] = np.clip(trees.predict(x[fold == k]), *edges)
    by_what = levers(x, COLUMNS)
    found = [
        _recalibrated(pixels, rows, raw[:, j], by_what, residual[:, j])
        for j in range(len(QUANTITIES))
    ]
    return Spread(forest, limits, np.array([f[0] for f in found]), np.array([f[1] for f in found]))


def _recalibrated(
    pixels: GalaxyPixels, rows: PixelRows, raw: np.ndarray, by_what: np.ndarray,
    residual: np.ndarray,
) -> tuple[np.ndarray, float]:  # fmt: skip
    """Recalibration and tail of one quantity: in every range of scale, radius, signal-to-noise
    ratio and sigma, with all bands and with bands left out.
    """
    known = np.isfinite(residual)
    whole = known & ~rows.degraded
    scale, radius = pixels.scale_pc[rows.pixel], pixels.radius[rows.pixel]
    kind = np.array(pixels.kinds)[pixels.galaxy[rows.pixel]]
    groups = [known & rows.degraded, known & (rows.about.scale_pc == UNKNOWN_SCALE)]
    for value, edges in (
        (scale, _SCALE_EDGES), (radius, _RADIUS_EDGES),
        (rows.snr, np.percentile(rows.snr[whole], [25, 50, 75])),
        (raw, np.percentile(raw[whole], [25, 50, 75])),
    ):  # fmt: skip
        place = np.digitize(value, edges)
        groups += [whole & (place == k) for k in range(len(edges) + 1)]
    groups += [whole & (kind == name) for name in np.unique(kind)]
    filled = np.array([group for group in groups if group.sum() > _FEW])
    return fit_recalibration(
        raw[known], by_what[known], residual[known], np.zeros(known.sum()), filled[:, known],
        np.ones(len(filled)),
    )  # fmt: skip
