"""What a dust-forest says of pixels that it was not fitted to, beside the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...models.dust_forest.model import DustForest
from ..datasets.galaxy_pixels import GalaxyPixels
from .pixel_rows import SHOWN, residuals, rows_of, spire_250
from .scoring import N_BOOTSTRAP, SEED


@dataclass(frozen=True)
class Judged:
    """Residuals of pixels whose dust shows, and what was said of them.

    Attributes
    ----------
    own, members : ndarray, shape (n, 7)
        Prediction minus truth, with and without the pixel part.
    own_sigma, members_sigma : ndarray, shape (n, 7)
    scale_pc, radius, snr : ndarray, shape (n,)
    galaxy : ndarray of int, shape (n,)
    kind : ndarray of str, shape (n,)
    """

    own: np.ndarray
    members: np.ndarray
    own_sigma: np.ndarray
    members_sigma: np.ndarray
    scale_pc: np.ndarray
    radius: np.ndarray
    snr: np.ndarray
    galaxy: np.ndarray
    kind: np.ndarray


def judge(
    model: DustForest, pixels: GalaxyPixels, zero: np.ndarray, seed: int | None = None
) -> Judged:
    """Predict pixels inside R25 whose dust far-infrared images would show.

    Parameters
    ----------
    model : DustForest
        With a pixel part.
    pixels : GalaxyPixels
    zero : ndarray, shape (5,)
        Added to the truth.
    seed : int, optional
        As of `pixel_rows.rows_of`.
    """
    assert model.pixels is not None
    shown = (pixels.radius < 1) & (spire_250(pixels.truth) > SHOWN)
    pixels = pixels.select(shown)
    rows = rows_of(model, pixels, zero, seed)
    mean, sigma = model.pixels.applied(
        rows.features, rows.mean, rows.sigma, rows.about, model.columns
    )
    galaxy = pixels.galaxy[rows.pixel]
    return Judged(
        residuals(mean, rows), residuals(rows.mean, rows), sigma, rows.sigma,
        pixels.scale_pc[rows.pixel], pixels.radius[rows.pixel], rows.snr, galaxy,
        np.array(pixels.kinds)[galaxy],
    )  # fmt: skip


def mean_of_galaxies(
    values: np.ndarray, galaxy: np.ndarray, seed: int = SEED
) -> tuple[float, float]:
    """Mean with one vote a galaxy, and its standard deviation over draws of the galaxies."""
    _, place = np.unique(galaxy, return_inverse=True)
    count = np.bincount(place)
    each = np.bincount(place, values) / count
    draws = np.random.default_rng(seed).integers(0, len(each), (N_BOOTSTRAP, len(each)))
    return float(each.mean()), float(each[draws].mean(1).std())


def rmse(values: np.ndarray, galaxy: np.ndarray) -> tuple[float, float]:
    """Root of the mean square, one vote a galaxy, and its error."""
    square, error = mean_of_galaxies(values**2, galaxy)
    return float(np.sqrt(square)), error / (2 * float(np.sqrt(square)))
