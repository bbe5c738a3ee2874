"""Which brightnesses and colours a model was trained on: a Gaussian mixture, and how far from it a
pixel lies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

CERTAIN = 10.0
"""A pixel is judged where each of its bands is measured to this many sigma."""


@dataclass(frozen=True)
class ColourCloud:
    """A mixture of Gaussians in log10 of surface brightness.

    Attributes
    ----------
    means : ndarray, shape (n_parts, n_bands)
        log10 of MJy/sr.
    covariances : ndarray, shape (n_parts, n_bands, n_bands)
    limits : ndarray, shape (n_bands,)
        Distance beyond which a pixel with 1, 2, ... bands is unlike the training set.
    """

    means: np.ndarray
    covariances: np.ndarray
    limits: np.ndarray

    def distance(self, log_brightness: np.ndarray, bands: Sequence[int]) -> np.ndarray:
        """Mahalanobis distance to the nearest Gaussian.

        Parameters
        ----------
        log_brightness : ndarray, shape (n_used, n)
            log10 of MJy/sr in the bands used.
        bands : sequence of int
            Which of the cloud's bands they are.

        Returns
        -------
        ndarray, shape (n,)
        """
        chosen = list(bands)
        least = np.full(log_brightness.shape[1], np.inf)
        for mean, covariance in zip(self.means, self.covariances, strict=True):
            inverse = np.linalg.inv(np.linalg.cholesky(covariance[np.ix_(chosen, chosen)]))
            least = np.minimum(
                least, ((inverse @ (log_brightness - mean[chosen, None])) ** 2).sum(axis=0)
            )
        return np.sqrt(least)

    def unlike(self, data: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        """Pixels that are certainly unlike the training set.

        Parameters
        ----------
        data, sigma : ndarray, shape (n_bands, ...)
            MJy/sr; NaN where missing.

        Returns
        -------
        ndarray of bool, shape (...)
        """
        n_bands = len(data)
        flat, noise = data.reshape(n_bands, -1), sigma.reshape(n_bands, -1)
        used = np.flatnonzero(np.isfinite(flat).any(axis=1))
        found = np.zeros(flat.shape[1], bool)
        if len(used):
            with np.errstate(invalid="ignore"):
                judged = (flat[used] > CERTAIN * noise[used]).all(axis=0)
            far = self.distance(np.log10(flat[np.ix_(used, np.flatnonzero(judged))]), used.tolist())
            found[judged] = far > self.limits[len(used) - 1]
        return found.reshape(data.shape[1:])

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """The arrays by name, to be written to a file."""
        return {
            prefix + key: np.asarray(getattr(self, key), np.float32)
            for key in ("means", "covariances", "limits")
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str) -> ColourCloud:
        """The reverse of `arrays`."""
        return cls(
            *(arrays[prefix + key].astype(np.float64) for key in ("means", "covariances", "limits"))
        )
