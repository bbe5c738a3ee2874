"""The galaxies to train on as different surveys would have seen them, with their features."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...bands.registry import INPUT_BANDS
from ...models.dust_forest.colour_model import ColourModel
from ...models.dust_forest.dense_network import DenseNetwork
from ...models.dust_forest.features import (
    ColourTerm,
    Spectra,
    features,
    normalise,
    select,
)
from ...models.dust_forest.uncertainty import QUANTITIES
from ..datasets.galaxies import Galaxies
from .band_sets import ALL_BANDS, BAND_SETS, COLUMNS
from .degraded_galaxies import Degradation, degrade

OF_TARGETS = [
    QUANTITIES.index(name)
    for name in ("LOG_SIGMA_LD", "LOG_SIGMA_MD", "T_DUST", "LOG_SIGMA_LSTAR", "LOG_SIGMA_STAR")
]
"""Where `galaxies.TARGETS` stand among `QUANTITIES`."""
PER_W1 = np.array([1, 1, 0, 1, 1])
"""Which targets are per WISE 3.4 luminosity."""
LEAST_ERROR = np.array([0.02, 0.05, 0.5, 0.0, 0.0])
MOST_ERROR = np.array([0.08, 0.2, 2.0, 0.0, 0.0])
"""Limits of the truth's errors of `galaxies.TARGETS` that count in an uncertainty. CIGALE's are at
least as large as its grid is coarse; where the far infrared says little they are the width of the
prior, wider than the scatter of the values. Those of the stars are mostly common to all galaxies:
they do not count.
"""
_WHOLE = 2
"""Copies of a galaxy with all of its bands: without its Hubble stage, and with it."""
_UNKNOWN_STAGES = 0.5
"""Share of the random copies whose Hubble stage is kept back."""


@dataclass(frozen=True)
class PoolSettings:
    """How many copies of each galaxy there are, and how much is taken from them."""

    copies: int = 14
    imputed_copies: int = 3
    degradation: Degradation = field(default_factory=lambda: Degradation(noise=0.5))


@dataclass(frozen=True)
class Pool:
    """Features of n galaxies: whole (copy 0), in each of `BAND_SETS`, and degraded at random.

    Attributes
    ----------
    features : ndarray of float32, shape (1 + copies, n, n_features)
    unusual : ndarray, shape (1 + copies, n)
        Distance from the colours of galaxies.
    shift : ndarray, shape (1 + copies, n)
        What the copy's WISE 3.4 adds to the logarithm of anything over the WISE 3.4 luminosity.
    as_asked : ndarray of bool, shape (1 + copies, n)
        Whether the copy is what its case says; a galaxy that it leaves too few bands of is whole.
    complete : ndarray of bool, shape (1 + copies, n)
        Whether the copy's spectrum is complete (`Columns.complete`).
    targets : ndarray, shape (n, 5)
        `galaxies.TARGETS`, NaN where unknown.
    target_errors : ndarray, shape (n, 5)
        Theirs, as published; 0 where unknown.
    truth_errors : ndarray, shape (n, 7)
        `limited_errors`.
    surveys : ndarray of str, shape (n,)
    """

    features: np.ndarray
    unusual: np.ndarray
    shift: np.ndarray
    as_asked: np.ndarray
    complete: np.ndarray
    targets: np.ndarray
    target_errors: np.ndarray
    truth_errors: np.ndarray
    surveys: np.ndarray

    def targets_of(self, copy: np.ndarray | int, rows: np.ndarray) -> np.ndarray:
        """Targets of galaxies `rows` as each copy's WISE 3.4 makes them."""
        return self.targets[rows] + self.shift[copy, rows][..., None] * PER_W1

    def draw(
        self, rows: np.ndarray, complete: bool, whole: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """A copy of each of galaxies `rows` among those that are `complete`, or are not: a whole
        one with its chance `whole`, or a degraded one. Each galaxy must have such a copy.
        """
        fits = self.complete[:, rows] == complete
        copies = np.arange(len(fits))[:, None]
        whole_wanted = rng.random(len(rows)) < whole
        chance = rng.random(fits.shape) + fits + (fits & ((copies < _WHOLE) == whole_wanted))
        return np.asarray(chance.argmax(0))


@dataclass(frozen=True)
class Copies:
    """Spectra of all copies of n galaxies, one copy after the other.

    Attributes
    ----------
    spectra : Spectra
    as_asked : ndarray of bool, shape (1 + copies, n)
        As in `Pool`.
    """

    spectra: Spectra
    as_asked: np.ndarray


def make_copies(galaxies: Galaxies, term: ColourTerm, settings: PoolSettings, seed: int) -> Copies:
    """Galaxies whole, in each of `BAND_SETS`, and in `settings.copies` random degradations.

    A few of the random copies are of the imputed fluxes, where there are some.
    """
    rng = np.random.default_rng([seed, 1])
    n = len(galaxies)
    with_imputed = np.isfinite(galaxies.imputed).any(0)
    mixed, mixed_errors = (
        np.where(with_imputed, imputed, own)
        for imputed, own in (
            (galaxies.imputed, galaxies.values), (galaxies.imputed_errors, galaxies.errors)
        )
    )  # fmt: skip
    observed, imputed = settings.copies - settings.imputed_copies, settings.imputed_copies
    values = np.hstack([np.tile(galaxies.values, observed), np.tile(mixed, imputed)])
    errors = np.hstack([np.tile(galaxies.errors, observed), np.tile(mixed_errors, imputed)])
    blocks = [
        (galaxies.values, galaxies.errors),
        *(case.padded(galaxies) for case in BAND_SETS),
        degrade(values, errors, settings.degradation, term, rng),
    ]
    count = 1 + len(BAND_SETS) + settings.copies
    random_stage = np.tile(galaxies.stage, settings.copies)
    random_stage[rng.random(len(random_stage)) < _UNKNOWN_STAGES] = np.nan
    stages = [case.stage(galaxies) for case in (ALL_BANDS, *BAND_SETS)]
    spectra = normalise(
        np.hstack([b[0] for b in blocks]),
        np.hstack([b[1] for b in blocks]),
        INPUT_BANDS,
        term,
        COLUMNS,
        np.concatenate([*stages, random_stage]),
    )
    whole = np.arange(len(spectra.normal)) % n
    as_asked = spectra.usable.reshape(count, n)
    rows = np.where(spectra.usable, np.arange(len(whole)), whole)
    return Copies(select(spectra, rows), as_asked)


def make_pool(galaxies: Galaxies, copies: Copies, colours: ColourModel, sed: DenseNetwork) -> Pool:
    """The copies' features beside the galaxies' truth."""
    matrix, unusual = features(copies.spectra, colours, sed)
    shape = copies.as_asked.shape
    w1 = copies.spectra.normal.reshape(shape)
    return Pool(
        matrix.reshape(*shape, -1),
        unusual.reshape(shape),
        np.log10(w1[0] / w1),
        copies.as_asked,
        COLUMNS.complete(matrix).reshape(shape),
        galaxies.targets,
        np.nan_to_num(galaxies.truth_errors[:, OF_TARGETS]),
        limited_errors(galaxies),
        galaxies.surveys,
    )


def limited_errors(galaxies: Galaxies) -> np.ndarray:
    """The truth's errors of the seven quantities within limits, shape (n, 7): those of a ratio are
    within those of its numerator; 0 where the truth is unknown.
    """
    least, most = (limit[[0, 1, 2, 3, 4, 0, 1]] for limit in (LEAST_ERROR, MOST_ERROR))
    return np.clip(np.nan_to_num(galaxies.truth_errors), least, most)
