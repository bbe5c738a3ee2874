"""The trees that predict the mean: two random forests and boosted trees, fitted to galaxies and
their degraded copies.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from ...bands.registry import INPUT_BANDS
from ...models.dust_forest.colour_model import ColourModel, fit_colours
from ...models.dust_forest.columns import NORMAL
from ...models.dust_forest.features import ColourTerm, features, normalise, select
from ...models.dust_forest.packed_forest import PackedForest, combine, from_sklearn, from_xgboost
from ..datasets.dustpedia import Galaxies
from .band_sets import BAND_SETS, COLUMNS
from .degraded_galaxies import Degradation, degrade

TRUTH_SCALE = np.array([0.13, 0.25, 2.4])
"""Truth errors (dex, dex, K) beyond which a galaxy counts for less; the baseline's RMSE where the
truth is good.
"""


PER_W1 = np.array([0, 0, 0, 1, 1])
"""Which targets are per WISE 3.4 luminosity."""


@dataclass(frozen=True)
class ForestSettings:
    """Settings of a random forest.

    Attributes
    ----------
    n_trees, draws : int
        Trees, and copies of each galaxy drawn into a tree's bootstrap.
    min_leaf, max_depth, max_features
        As scikit-learn's.
    truth_weight : float
        How fast the weight of a galaxy falls with the error of its truth.
    share : float
        Share of the prediction, the rest being the boosted trees'.
    """

    n_trees: int = 60
    draws: int = 4
    min_leaf: int = 5
    max_depth: int = 10
    max_features: float = 0.5
    truth_weight: float = 0.1
    share: float = 0.5


@dataclass(frozen=True)
class TreeSettings:
    """Settings of the fit, chosen by cross-validation."""

    copies: int = 16
    imputed_copies: int = 4
    whole: float = 0.6
    logs: ForestSettings = field(default_factory=ForestSettings)
    temperature: ForestSettings = field(
        default_factory=lambda: ForestSettings(
            min_leaf=20, max_features=0.8, truth_weight=0.2, share=0.8
        )
    )
    rounds: int = 120
    boost_draws: int = 8
    degradation: Degradation = field(default_factory=lambda: Degradation(noise=0.5))


@dataclass(frozen=True)
class Pool:
    """Features of galaxies: whole (copy 0), in each of `BAND_SETS`, and degraded at random.

    Attributes
    ----------
    features : ndarray of float32, shape (1 + copies, n, n_features)
    unusual : ndarray, shape (1 + copies, n)
        Distance from the colours of galaxies.
    shift : ndarray, shape (1 + copies, n)
        What the copy's WISE 3.4 adds to the logarithm of anything over the WISE 3.4 luminosity.
    """

    features: np.ndarray
    unusual: np.ndarray
    shift: np.ndarray

    def targets(self, copy: np.ndarray | int, rows: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Targets of galaxies `rows` as each copy's WISE 3.4 makes them."""
        return targets[rows] + self.shift[copy, rows][:, None] * PER_W1

    def draw(self, rows: np.ndarray, whole: float, rng: np.random.Generator) -> np.ndarray:
        """A copy for each of galaxies `rows`: the whole one with chance `whole`, else a degraded
        one.
        """
        copy = rng.integers(1, len(self.features), len(rows))
        return np.where(rng.random(len(rows)) < whole, 0, copy)


def make_pool(
    galaxies: Galaxies, colours: ColourModel, term: ColourTerm, settings: TreeSettings, seed: int
) -> Pool:
    """Features of the galaxies: whole, in each of `BAND_SETS`, and in `settings.copies` random
    degradations.

    A few of the random copies are of the imputed fluxes. A galaxy that a case leaves too few bands
    of stays whole there.
    """
    rng = np.random.default_rng([seed, 1])
    observed, imputed = settings.copies - settings.imputed_copies, settings.imputed_copies
    values = np.hstack([np.tile(galaxies.values, observed), np.tile(galaxies.imputed, imputed)])
    errors = np.hstack(
        [np.tile(galaxies.errors, observed), np.tile(galaxies.imputed_errors, imputed)]
    )
    values, errors = degrade(values, errors, settings.degradation, term, rng)
    blocks = [
        (galaxies.values, galaxies.errors),
        *(case.padded(galaxies) for case in BAND_SETS),
        (values, errors),
    ]
    spectra = normalise(
        np.hstack([b[0] for b in blocks]),
        np.hstack([b[1] for b in blocks]),
        INPUT_BANDS,
        term,
        COLUMNS,
    )
    whole = np.arange(spectra.ratio.shape[0]) % len(galaxies)
    spectra = select(spectra, np.where(spectra.usable, np.arange(len(whole)), whole))
    matrix, unusual = features(spectra, colours)
    shape = (1 + len(BAND_SETS) + settings.copies, len(galaxies))
    w1 = spectra.ratio[:, INPUT_BANDS.index(NORMAL)].reshape(shape)
    return Pool(matrix.reshape(*shape, -1), unusual.reshape(shape), np.log10(w1[0] / w1))


def fit_galaxy_colours(galaxies: Galaxies, term: ColourTerm) -> ColourModel:
    """The colour model of these galaxies."""
    spectra = normalise(galaxies.values, galaxies.errors, INPUT_BANDS, term, COLUMNS)
    return fit_colours(spectra.ratio, spectra.error)


def fit_trees(
    pool: Pool,
    rows: np.ndarray,
    targets: np.ndarray,
    truth_errors: np.ndarray,
    settings: TreeSettings,
    seed: int,
) -> PackedForest:
    """Fit the mean.

    A forest for the four logarithms, another for T_DUST (whose best splits are others), and boosted
    trees with vector leaves for all five; the mean of forest and boosted trees is the prediction.

    Parameters
    ----------
    pool : Pool
        Features of n galaxies.
    rows : ndarray of int
        The galaxies to train on.
    targets, truth_errors : ndarray, shape (n, 5)
        As `Galaxies.targets` and their errors.

    Returns
    -------
    PackedForest
        With five outputs.
    """
    scale, middle = targets[rows].std(0), targets[rows].mean(0)
    draw = _Draw(pool, rows, targets - middle, scale, settings)
    poor = truth_errors[:, :3] ** 2 / TRUTH_SCALE**2
    weight = 1 / (1 + settings.logs.truth_weight * poor.mean(1))
    weight_t = 1 / (1 + settings.temperature.truth_weight * poor[:, 2])
    logs, temperature = np.array([0, 1, 3, 4]), np.array([2])
    share = np.array(
        [settings.temperature.share if j == 2 else settings.logs.share for j in range(5)]
    )
    to_output = np.diag(share * scale)
    forests = [
        from_sklearn(_forest(draw, logs, weight, settings.logs, [seed, 2]), to_output[logs]),
        from_sklearn(
            _forest(draw, temperature, weight_t, settings.temperature, [seed, 3]),
            to_output[temperature],
        ),
        from_xgboost(_boosted(draw, weight, [seed, 4]), np.diag((1 - share) * scale)),
    ]
    forest = combine(forests)
    return PackedForest(
        forest.feature, forest.threshold, forest.leaf, forest.size, forest.offset + middle
    )


@dataclass(frozen=True)
class _Draw:
    """Draws features and scaled targets for the galaxies asked for."""

    pool: Pool
    rows: np.ndarray
    centred: np.ndarray
    scale: np.ndarray
    settings: TreeSettings

    def __call__(
        self, drawn: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        copy = self.pool.draw(drawn, self.settings.whole, rng)
        return self.pool.features[copy, drawn], self.pool.targets(
            copy, drawn, self.centred
        ) / self.scale


def _forest(
    draw: _Draw, columns: np.ndarray, weight: np.ndarray, settings: ForestSettings, seed: list[int]
) -> list:
    """Trees of a random forest; each draws its galaxies with replacement and degrades them in its
    own way.
    """
    from sklearn.tree import DecisionTreeRegressor

    def grow(index: int) -> object:
        rng = np.random.default_rng([*seed, index])
        drawn = np.tile(rng.choice(draw.rows, len(draw.rows)), settings.draws)
        x, z = draw(drawn, rng)
        tree = DecisionTreeRegressor(
            min_samples_leaf=settings.min_leaf,
            max_depth=settings.max_depth,
            max_features=settings.max_features,
            random_state=int(rng.integers(2**31)),
        )
        return tree.fit(x, z[:, columns], sample_weight=weight[drawn])

    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(grow, range(settings.n_trees)))


def _boosted(draw: _Draw, weight: np.ndarray, seed: list[int]) -> object:
    import xgboost

    rng = np.random.default_rng(seed)
    drawn = np.tile(draw.rows, draw.settings.boost_draws)
    x, z = draw(drawn, rng)
    parameters = {
        "max_depth": 5,
        "eta": 0.07,
        "subsample": 0.5,
        "colsample_bytree": 0.4,
        "min_child_weight": 10,
        "reg_lambda": 5,
        "base_score": 0.0,
        "tree_method": "hist",
        "multi_strategy": "multi_output_tree",
        "nthread": 1,
        "seed": int(rng.integers(2**31)),
    }
    return xgboost.train(
        parameters, xgboost.DMatrix(x, z, weight=weight[drawn]), draw.settings.rounds
    )
