"""Fits the cloud of brightnesses and colours that a training set has
(`models.stellar_unet.colour_cloud`), so that pixels unlike it can be flagged.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...models.stellar_unet.colour_cloud import CERTAIN, ColourCloud
from ...models.stellar_unet.inputs import UGRIZ
from ..datasets.mock_cubes import CALIBRATION, noisy_cube
from .calibrate_uncertainty import ORDER

if TYPE_CHECKING:
    from ..datasets.image_truth_pairs import Pairs

FLAGGED = 0.005
"""Share of the validation set's pixels that are flagged as unlike the training set."""
_DEEP = 0.1
"""Times SDSS's noise, for mocks: the training set is seen with such noise, too, and coarse pixels
have it.
"""
_PARTS = 12
_FEW = 50
_ELSEWHERE = 1e6
"""Variance of a band that the training set lacks, so that it has no say."""


def no_cloud() -> ColourCloud:
    """One that finds no pixel unlike the training set."""
    n = len(UGRIZ)
    return ColourCloud(np.zeros((1, n)), _ELSEWHERE * np.eye(n)[None], np.full(n, np.inf))


def fit_cloud(
    train: Pairs, validation: Pairs, seed: int = 0, pixels: int = 100_000, noise: float = _DEEP
) -> ColourCloud:
    """A mixture of Gaussians over the brightnesses of a training set's pixels, in the bands that
    most galaxies have; its limits from the validation set.

    Where no pixel is bright enough in these bands to tell colours, its limits are infinite: nothing
    is flagged.

    Parameters
    ----------
    train, validation : Pairs
    seed : int
    pixels : int
        Of the training set; half as many of the validation set.
    noise : float
        By which SDSS's noise is multiplied where images have none of their own.
    """
    from sklearn.mixture import GaussianMixture

    n = len(UGRIZ)
    there = np.mean(
        [np.isfinite(np.asarray(image)).any(axis=(1, 2)) for image in train.images[:200]], axis=0
    )
    bands = np.flatnonzero(there >= 0.5)
    points = _bright_pixels(train, bands, pixels, seed, noise)
    if not len(bands) or len(points) < _FEW:
        return no_cloud()
    parts = int(min(_PARTS, len(points) // _FEW))
    mixture = GaussianMixture(parts, random_state=seed, reg_covar=1e-3).fit(points)
    means, covariances = np.zeros((parts, n)), np.tile(_ELSEWHERE * np.eye(n), (parts, 1, 1))
    means[:, bands] = mixture.means_
    covariances[np.ix_(np.arange(parts), bands, bands)] = mixture.covariances_
    cloud = ColourCloud(means, covariances, np.full(n, np.inf))
    held = _bright_pixels(validation, bands, pixels // 2, seed, noise)
    held = (held if len(held) >= _FEW else points).T
    # The limit for a number of bands is that of the first so many.
    order = [k for k in (UGRIZ.index(f"SDSS_{letter}") for letter in ORDER) if k in bands]
    limits = []
    for count in range(1, n + 1):
        chosen = sorted(order[:count])
        rows = [int(np.flatnonzero(bands == k)[0]) for k in chosen]
        limits.append(float(np.quantile(cloud.distance(held[rows], chosen), 1 - FLAGGED)))
    return replace(cloud, limits=np.array(limits))


def _bright_pixels(
    galaxies: Pairs, bands: np.ndarray, count: int, seed: int, noise: float
) -> np.ndarray:
    """log10 brightness of pixels that are measured to `CERTAIN` sigma in each of some bands, shape
    (n, n_bands).
    """
    rng = np.random.default_rng(seed)
    each = max(20, 3 * count // len(galaxies))
    found: list[np.ndarray] = []
    for row in rng.permutation(len(galaxies)):
        cube = noisy_cube(galaxies, int(row), noise=noise)
        flat, sigma = (
            planes[bands].reshape(len(bands), -1) for planes in (cube.data, cube.uncertainty)
        )
        with np.errstate(invalid="ignore"):
            # Calibration errors are shared by a galaxy's pixels and do not count here.
            random = np.sqrt(np.maximum(sigma**2 - (CALIBRATION * flat) ** 2, 1e-12))
            rows = np.flatnonzero((flat > CERTAIN * random).all(axis=0))
        if len(rows):
            found.append(np.log10(flat[:, rng.choice(rows, min(each, len(rows)), replace=False)]).T)
        if sum(len(f) for f in found) >= count:
            break
    return np.concatenate(found) if found else np.zeros((0, len(bands)))
