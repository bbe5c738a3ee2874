"""Which galaxies are trained on, which stop the training, and which it never sees: by galaxy,
stratified by stellar mass.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...exceptions import InputError
from ...fits_io.safe_writing import write_text

SHARE = 0.2
"""Of all galaxies for the test, and of the rest for the validation (PICASSO Sect. 3)."""
FEWEST = 5


@dataclass(frozen=True)
class Split:
    """Rows of each part; arrays of int in ascending order of the rows."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray

    def write(self, path: Path, names: Sequence[str], seed: int) -> None:
        """Write the names of each part as JSON."""
        parts = {
            part: [names[row] for row in getattr(self, part)]
            for part in ("train", "validation", "test")
        }
        write_text(path, json.dumps({"seed": seed, **parts}, indent=1) + "\n", overwrite=True)


def stratified_split(galaxies: Sequence[str], log_mass: np.ndarray, seed: int = 0) -> Split:
    """Split by galaxy, so that each part has galaxies of all masses.

    Parameters
    ----------
    galaxies : sequence of str, length n
        Which galaxy each row is of; rows of one galaxy stay together.
    log_mass : ndarray, shape (n,)
        NaN where it is not known: such galaxies are taken to be the least massive.
    seed : int

    Raises
    ------
    InputError
        When there are fewer than `FEWEST` galaxies.
    """
    names, which = np.unique(np.asarray(galaxies, str), return_inverse=True)
    n = len(names)
    if n < FEWEST:
        raise InputError(
            f"{n} galax{'y is' if n == 1 else 'ies are'} too few: training, validation and test "
            f"need at least {FEWEST}; add more."
        )
    mass = np.full(n, -np.inf)
    np.maximum.at(mass, which, np.where(np.isfinite(log_mass), log_mass, -np.inf))
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    order = order[np.argsort(mass[order], kind="stable")]  # by mass, those of one mass at random
    test = _one_of_each(order, rng)
    rest = order[~np.isin(order, test)]
    validation = _one_of_each(rest, rng)
    train = rest[~np.isin(rest, validation)]
    return Split(*(np.flatnonzero(np.isin(which, part)) for part in (train, validation, test)))


def _one_of_each(order: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One at random out of each stretch of neighbours, `SHARE` of all."""
    stretches = np.array_split(order, max(1, round(SHARE * len(order))))
    return np.array([rng.choice(stretch) for stretch in stretches])
