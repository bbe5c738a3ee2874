"""Whether the model was trained on spectra like these: a score by their density among galaxies, and
by how much one band contradicts the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .colour_model import ColourModel
from .contradiction import Offsets
from .packed_forest import PackedForest


def density_features(spectrum: np.ndarray, unusual: np.ndarray, colours: ColourModel) -> np.ndarray:
    """What the density is of: where a spectrum stands along the factors of galaxies' colours, and
    how far it is from all that these make.

    A band that was not measured moves neither, nor does noise but by what it can.

    Parameters
    ----------
    spectrum : ndarray, shape (n, n_bands - 1)
        The most probable one, as `ColourModel.infer` returns it.
    unusual : ndarray, shape (n,)
        Squared Mahalanobis distance from the galaxies' colours per measured band.

    Returns
    -------
    ndarray of float32, shape (n, n_factors + 1)
    """
    weighted = colours.loadings / colours.specific[:, None]
    inverse = weighted.T @ colours.loadings + np.eye(colours.loadings.shape[1])
    factors = (spectrum - colours.mean) @ np.linalg.solve(inverse, weighted.T).T
    far = np.log10(np.maximum(unusual, 1e-3))
    return np.column_stack([factors, far]).astype(np.float32)


@dataclass(frozen=True)
class Density:
    """How sparse galaxies are around a spectrum, and when that is too sparse.

    Attributes
    ----------
    forest : PackedForest
        An isolation forest (Liu+ 2008) of `density_features`; its sum is minus the mean path length
        over that of a random tree.
    tails : ndarray, shape (n_bands,)
        By what the scatter of galaxies in a band, given the other bands, is wider than a
        Gaussian's; at least 1.
    limits : ndarray, shape (2,)
        The anomaly (2 to the power of what the forest gives) and the sigmas of a band against the
        others, each over its tail, beyond which a spectrum is out of distribution.
    """

    forest: PackedForest
    tails: np.ndarray
    limits: np.ndarray

    @classmethod
    def none(cls, n_bands: int) -> Density:
        """That to which nothing is out of distribution."""
        leaf = PackedForest(
            np.array([-1], np.int8), np.empty(0, np.float32), np.zeros((1, 1), np.float32),
            np.array([1], np.int32), np.zeros(1),
        )  # fmt: skip
        return cls(leaf, np.ones(n_bands), np.full(2, np.inf))

    @property
    def known(self) -> bool:
        """Whether anything can be out of distribution."""
        return bool(np.isfinite(self.limits).all())

    def anomaly(self, features: np.ndarray, device: str = "cpu") -> np.ndarray:
        """Between 0 (as most) and 1 (alone), shape (n,), from `density_features`."""
        return np.asarray(np.exp2(self.forest.predict(features, device)[:, 0]))

    def contradiction(self, offsets: Offsets) -> np.ndarray:
        """The sigmas by which the worst band is off the others, each over its tail, shape (n,)."""
        return np.asarray((np.abs(offsets.sigmas) / self.tails).max(1))

    def score(self, features: np.ndarray, offsets: Offsets, device: str = "cpu") -> np.ndarray:
        """How far out a spectrum is, shape (n,): beyond 1 it is out of distribution."""
        found = np.column_stack([self.anomaly(features, device), self.contradiction(offsets)])
        return np.asarray((found / self.limits).max(1))

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """The arrays by name, to be written to a file."""
        own = {prefix + k: getattr(self, k) for k in ("tails", "limits")}
        return {**self.forest.arrays(prefix), **own}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str) -> Density:
        """The reverse of `arrays`."""
        own = (arrays[prefix + k] for k in ("tails", "limits"))
        return cls(PackedForest.from_arrays(arrays, prefix), *own)
