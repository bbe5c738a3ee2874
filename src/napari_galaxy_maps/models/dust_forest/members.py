"""The members of a dust-forest: what whole galaxies of one kind of spectrum, or of both, say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .columns import Columns
from .dense_network import DenseNetwork
from .packed_forest import PackedForest
from .uncertainty import N_TARGETS, QUANTITIES, Spread, spread_features


def mean_of(
    trees: PackedForest, network: DenseNetwork, matrix: np.ndarray, device: str = "cpu"
) -> np.ndarray:
    """What trees and a network say together, float32, shape (n, 5), from `features`."""
    return (trees.predict(matrix, device) + network.predict(matrix)) / 2


@dataclass(frozen=True)
class Predictor:
    """Mean and uncertainty of spectra of one kind: complete ones, or those that lack much.

    Attributes
    ----------
    trees : PackedForest
        Give `training.datasets.galaxies.TARGETS`.
    network : DenseNetwork
        Gives the same; the mean of both is the prediction.
    spread : Spread
    """

    trees: PackedForest
    network: DenseNetwork
    spread: Spread

    def mean(self, matrix: np.ndarray, device: str = "cpu") -> np.ndarray:
        """The targets, float32, shape (n, 5), from `features`."""
        return mean_of(self.trees, self.network, matrix, device)

    def sigma(
        self,
        mean: np.ndarray,
        matrix: np.ndarray,
        unusual: np.ndarray,
        columns: Columns,
        device: str = "cpu",
    ) -> np.ndarray:
        """As `Member.sigma`, of spectra of its kind."""
        return self.spread.sigma(spread_features(matrix, mean, unusual), columns, device)

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """The arrays by name, to be written to a file."""
        return {
            **self.trees.arrays(f"{prefix}trees."),
            **self.network.arrays(f"{prefix}network."),
            **self.spread.arrays(f"{prefix}spread."),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str) -> Predictor:
        """The reverse of `arrays`."""
        return cls(
            PackedForest.from_arrays(arrays, f"{prefix}trees."),
            DenseNetwork.from_arrays(arrays, f"{prefix}network."),
            Spread.from_arrays(arrays, f"{prefix}spread."),
        )


@dataclass(frozen=True)
class Member:
    """One of the models whose mean is the prediction; trained without one fold of the galaxies.

    Attributes
    ----------
    complete : Predictor
        For spectra that are complete (`Columns.complete`).
    partial : Predictor
        For all others. What these leave open is filled by what most galaxies are like, so that it
        knows nearby galaxies alone, not those that a survey chose by their dust.
    """

    complete: Predictor
    partial: Predictor

    def mean(self, matrix: np.ndarray, complete: np.ndarray, device: str = "cpu") -> np.ndarray:
        """The targets of spectra, shape (n, 5), from their features; `complete` is
        `Columns.complete` of these.
        """
        mean = np.empty((len(matrix), N_TARGETS), np.float32)
        for predictor, rows in self._kinds(complete):
            mean[rows] = predictor.mean(matrix[rows], device)
        return mean

    def sigma(
        self,
        mean: np.ndarray,
        matrix: np.ndarray,
        unusual: np.ndarray,
        complete: np.ndarray,
        columns: Columns,
        device: str = "cpu",
    ) -> np.ndarray:
        """The uncertainties of `models.dust_forest.uncertainty.QUANTITIES`, shape (n, 7), where it
        says `mean`.
        """
        sigma = np.empty((len(matrix), len(QUANTITIES)), np.float32)
        for predictor, rows in self._kinds(complete):
            sigma[rows] = predictor.sigma(mean[rows], matrix[rows], unusual[rows], columns, device)
        return sigma

    def _kinds(self, complete: np.ndarray) -> list[tuple[Predictor, np.ndarray | slice]]:
        """Each predictor with its rows, if there are any."""
        if complete.all():
            return [(self.complete, slice(None))]
        both = ((self.complete, complete), (self.partial, ~complete))
        return [(predictor, rows) for predictor, rows in both if rows.any()]

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """The arrays by name, to be written to a file."""
        return {
            **self.complete.arrays(f"{prefix}complete."),
            **self.partial.arrays(f"{prefix}partial."),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str) -> Member:
        """The reverse of `arrays`."""
        return cls(
            Predictor.from_arrays(arrays, f"{prefix}complete."),
            Predictor.from_arrays(arrays, f"{prefix}partial."),
        )
