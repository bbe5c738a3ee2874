"""Mock galaxies by what the network sees in them, to be compared with a galaxy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

ARRAYS = ("features", "mean", "axes", "seeds", "sizes")
"""What of a `Library` is written to a file."""
USUAL = 0.99
"""Share of the mocks that have another one within `Library.usual`."""


@dataclass(frozen=True)
class Library:
    """Mock galaxies by what the network sees in them.

    Attributes
    ----------
    features : ndarray, shape (n, n_features)
        Whitened features of the bottleneck, averaged over each galaxy.
    mean, axes : ndarray, shapes (n_channels,) and (n_channels, n_features)
        Take averaged features of the bottleneck to whitened ones.
    seeds, sizes : ndarray of int, shape (n,)
        The mocks' seeds and image sizes.
    """

    features: np.ndarray
    mean: np.ndarray
    axes: np.ndarray
    seeds: np.ndarray
    sizes: np.ndarray

    def nearest(self, averaged: np.ndarray, count: int = 6) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the mocks that are most alike, the nearest first, and their distances.

        Parameters
        ----------
        averaged : ndarray, shape (n_channels,)
            As `StellarUNet.features` gives them.
        count : int
        """
        point = (averaged - self.mean) @ self.axes
        away = np.sqrt(((self.features - point) ** 2).mean(axis=1))
        rows = np.argsort(away)[:count]
        return rows, away[rows]

    @cached_property
    def usual(self) -> float:
        """Distance within which `USUAL` of the mocks have another one; NaN of fewer than two."""
        if len(self.features) < 2:
            return float("nan")
        from scipy.spatial import KDTree

        away = KDTree(self.features).query(self.features, k=2)[0][:, 1]
        return float(np.quantile(away, USUAL) / np.sqrt(self.features.shape[1]))


def average_features(features: np.ndarray, data: np.ndarray) -> np.ndarray:
    """Features of blocks of pixels averaged with the weight of the light in each.

    Parameters
    ----------
    features : ndarray, shape (n_channels, ny / 16, nx / 16)
    data : ndarray, shape (5, ny, nx)
        MJy/sr; NaN where missing.

    Returns
    -------
    ndarray, shape (n_channels,)
    """
    blocks = light_of_blocks(data)
    weight = np.maximum(blocks, 0) + 1e-6 * max(float(blocks.max()), 1e-12)
    return np.asarray((features * weight).sum(axis=(1, 2)) / weight.sum(), np.float64)


def light_of_blocks(data: np.ndarray) -> np.ndarray:
    """Mean surface brightness of the bands in blocks of 16 x 16 pixels, shape (ny / 16, nx / 16).

    Parameters
    ----------
    data : ndarray, shape (n_bands, ny, nx)
        MJy/sr; NaN where missing.
    """
    from .network import STRIDE

    light = np.nan_to_num(np.nanmean(np.where(np.isfinite(data).any(axis=0), data, 0.0), axis=0))
    ny, nx = light.shape
    return np.asarray(light.reshape(ny // STRIDE, STRIDE, nx // STRIDE, STRIDE).mean(axis=(1, 3)))
