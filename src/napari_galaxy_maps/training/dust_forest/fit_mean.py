"""The models that predict the mean: randomised trees, boosted trees and a network, fitted to
galaxies and their degraded copies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ...models.dust_forest.dense_network import DenseNetwork
from ...models.dust_forest.packed_forest import PackedForest, combine, from_sklearn, from_xgboost
from ...models.dust_forest.uncertainty import N_TARGETS
from ..datasets.dustpedia import SURVEY as DUSTPEDIA
from ..datasets.hatlas import SURVEY as HATLAS
from .boosting import BoostSettings, boosted
from .fit_network import fit_network
from .pool import Pool

if TYPE_CHECKING:
    import torch

TRUTH_SCALE = np.array([0.08, 0.12, 2.4, np.inf, np.inf])
"""Truth errors (dex, dex, K) beyond which a galaxy counts for less in the trees. Those of the
stars are mostly common to all galaxies, and are not used.
"""
ERROR_LIMITS = np.array([[0.02, 0.05, 0.5, 0, 0], [0.15, 0.35, 3.0, 0, 0]])
"""Least and greatest of these errors that count in the network's likelihood, and greatest in the
trees' weights."""
DUST, TEMPERATURE = np.array([0, 1]), np.array([2])


@dataclass(frozen=True)
class ForestSettings:
    """Settings of randomised trees.

    Attributes
    ----------
    n_trees, draws : int
        Trees, and copies of each galaxy drawn into a tree.
    min_leaf, max_depth, max_features
        As scikit-learn's.
    """

    n_trees: int = 12
    draws: int = 2
    min_leaf: int = 4
    max_depth: int = 10
    max_features: float = 0.5


@dataclass(frozen=True)
class MeanSettings:
    """Settings of the fit, chosen by cross-validation.

    Attributes
    ----------
    complete : bool
        Whether it is for complete spectra (`Columns.complete`), or for all others.
    whole : mapping of str to float
        By survey, the chance that a galaxy is drawn as it was observed, not degraded.
    weight : mapping of str to float
        By survey, how much a galaxy counts; its surveys are those that are trained on.
    truth : mapping of str to float
        By survey, what the truth's published errors are multiplied by before they make a galaxy
        count for less.
    logs, temperature : ForestSettings
    rounds, boost_draws : int
        Of the boosted trees.
    epochs, width, dropout
        Of the network.
    """

    complete: bool
    whole: Mapping[str, float]
    weight: Mapping[str, float]
    truth: Mapping[str, float]
    logs: ForestSettings = field(default_factory=ForestSettings)
    temperature: ForestSettings = field(default_factory=lambda: ForestSettings(min_leaf=10))
    rounds: int = 80
    boost_draws: int = 4
    epochs: int = 140
    width: int = 80
    dropout: float = 0.12


COMPLETE = MeanSettings(
    complete=True,
    whole={DUSTPEDIA: 0.5, HATLAS: 1.0},
    weight={DUSTPEDIA: 2.0, HATLAS: 1.0},
    truth={DUSTPEDIA: 0.5, HATLAS: 0.3},
)
PARTIAL = MeanSettings(
    complete=False, whole={DUSTPEDIA: 0.0}, weight={DUSTPEDIA: 1.0}, truth={DUSTPEDIA: 0.0}
)
"""Where much lacks, what is left says little, and the prediction is near to the mean of the
galaxies that were seen so: they are DustPedia's alone, for H-ATLAS's were chosen by their dust."""


def fit_mean(
    pool: Pool, rows: np.ndarray, settings: MeanSettings, seed: int
) -> tuple[PackedForest, DenseNetwork]:
    """Fit trees and network.

    Randomised trees for the dust's logarithms, others for T_DUST (whose best splits are others),
    and boosted trees with vector leaves for all five targets, of which the former is half; and a
    network for all five.

    Parameters
    ----------
    pool : Pool
        Of n galaxies.
    rows : ndarray of int
        The galaxies to train on; those without a copy of the settings' kind are left out.
    """
    rows = rows[(pool.complete[:, rows] == settings.complete).any(0)]
    targets = pool.targets[rows]
    scale, middle = np.nanstd(targets, axis=0), np.nanmean(targets, axis=0)
    draw = _Draw(pool, rows, middle, scale, settings)
    share = np.array([0.5, 0.5, 0.5, 1.0, 1.0])  # of the boosted trees
    to_output = np.diag((1 - share) * scale)
    forest = combine(
        [
            from_sklearn(_randomised(draw, DUST, settings.logs, [seed, 2]), to_output[DUST]),
            from_sklearn(
                _randomised(draw, TEMPERATURE, settings.temperature, [seed, 3]),
                to_output[TEMPERATURE],
            ),
            from_xgboost(_boosted(draw, [seed, 4]), np.diag(share * scale)),
        ]
    )
    trees = PackedForest(
        forest.feature, forest.threshold, forest.leaf, forest.size, forest.offset + middle
    )
    return trees, _network(draw, seed)


@dataclass(frozen=True)
class _Draw:
    """Draws features, scaled targets and their weights."""

    pool: Pool
    rows: np.ndarray
    middle: np.ndarray
    scale: np.ndarray
    settings: MeanSettings

    def __call__(
        self, drawn: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Features (n, n_features), targets (n, 5) with 0 where unknown, and weights (n, 5)."""
        pool = self.pool
        copy = pool.draw(drawn, self.settings.complete, self.whole[drawn], rng)
        z = (pool.targets_of(copy, drawn) - self.middle) / self.scale
        return pool.features[copy, drawn], np.nan_to_num(z), self.weights[drawn]

    @cached_property
    def whole(self) -> np.ndarray:
        """Of each galaxy, the chance that it is drawn whole."""
        return self._by_survey(self.settings.whole)

    @cached_property
    def weights(self) -> np.ndarray:
        """Of each galaxy and target: less where the truth is uncertain, nothing where unknown."""
        return self.known / (1 + (self.errors / TRUTH_SCALE) ** 2)

    @cached_property
    def errors(self) -> np.ndarray:
        """Of each galaxy and target, the truth's error that counts."""
        share = self._by_survey(self.settings.truth)[:, None]
        return share * np.clip(self.pool.target_errors, *ERROR_LIMITS)

    @cached_property
    def known(self) -> np.ndarray:
        """Of each galaxy and target, its survey's weight, or 0 where the target is unknown."""
        return self._by_survey(self.settings.weight)[:, None] * np.isfinite(self.pool.targets)

    def _by_survey(self, values: Mapping[str, float]) -> np.ndarray:
        return np.array([values.get(survey, 0.0) for survey in self.pool.surveys])


def _randomised(
    draw: _Draw, columns: np.ndarray, settings: ForestSettings, seed: list[int]
) -> list:
    """Extremely randomised trees; each degrades the galaxies in its own way."""
    from sklearn.tree import ExtraTreeRegressor

    trees = []
    for index in range(settings.n_trees):
        rng = np.random.default_rng([*seed, index])
        x, z, weight = draw(np.tile(draw.rows, settings.draws), rng)
        tree = ExtraTreeRegressor(
            min_samples_leaf=settings.min_leaf,
            max_depth=settings.max_depth,
            max_features=settings.max_features,
            random_state=int(rng.integers(2**31)),
        )
        trees.append(tree.fit(x, z[:, columns], sample_weight=weight[:, columns].mean(1)))
    return trees


def _boosted(draw: _Draw, seed: list[int]) -> object:
    rng = np.random.default_rng(seed)
    x, z, weight = draw(np.tile(draw.rows, draw.settings.boost_draws), rng)
    weight = weight / weight.mean(0)

    def objective(u: np.ndarray, _: object) -> tuple[np.ndarray, np.ndarray]:
        return weight * (u.reshape(z.shape) - z), np.maximum(weight, 1e-6)

    settings = BoostSettings(
        draw.settings.rounds, depth=5, eta=0.08, column_share=0.3, row_share=0.5, penalty=5,
        min_hessian=8,
    )  # fmt: skip
    return boosted(x, np.zeros(z.shape), objective, settings, int(rng.integers(2**31)))


def _network(draw: _Draw, seed: int) -> DenseNetwork:
    """A network whose loss is a Gaussian likelihood of its own sigma and the truth's errors, by
    which a galaxy whose truth is uncertain counts for less (beta-NLL, Seitzer+ 2022).
    """
    settings, errors, known = draw.settings, draw.errors / draw.scale, draw.known

    def drawn(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        x, z, _ = draw(draw.rows, rng)
        return x, z, known[draw.rows], errors[draw.rows] ** 2

    def loss(
        out: torch.Tensor, z: torch.Tensor, known: torch.Tensor, error2: torch.Tensor
    ) -> torch.Tensor:
        import torch

        mean, log_sigma = out[:, :N_TARGETS], out[:, N_TARGETS:].clip(-4, 1)
        variance = torch.exp(2 * log_sigma) + error2
        likelihood = 0.5 * (torch.log(variance) + (z - mean) ** 2 / variance)
        return (known * variance.detach().sqrt() * likelihood).mean()

    return fit_network(
        drawn, loss, (settings.width,) * 3, 2 * N_TARGETS, (draw.middle, draw.scale), seed,
        settings.epochs, dropout=settings.dropout, jitter=0.02,
    )  # fmt: skip
