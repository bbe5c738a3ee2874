"""What is summed over apertures: weight times quantity, weights and errors of maps, worked out
where apertures lie and kept in small squares.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

SIDE = 32
"""Pixels along a square. Rows of a whole map lie so far apart in memory that most of the time of a
sum would be spent on waiting for them."""
_AT_ONCE = 32
"""So many squares of a map are worked out together, as the nearest cache holds."""
_THREADS_FROM = 100
"""So few squares are worked out faster than threads begin."""


@dataclass(frozen=True, eq=False)
class MapTerms:
    """What the terms of one map are made of.

    Attributes
    ----------
    log : float
        As of `Quantity.log`.
    values, weights, errors, shared : ndarray of float32, shape (ny, nx) or (0, 0)
        The map, the logarithm of its weight, its errors, and the part of them that all pixels
        share; empty where there is none.
    """

    log: float
    values: np.ndarray
    weights: np.ndarray
    errors: np.ndarray
    shared: np.ndarray


@dataclass(frozen=True, eq=False)
class Terms:
    """Terms of n maps in squares of `SIDE` pixels, of which those at the image's edge are cut.

    Each map has four planes or five: weight times quantity (of logarithms, of their arguments), the
    weight, and weight times the 1-sigma error that is not common to all pixels; where any of the
    errors are known in two parts, weight times the part that all pixels share, 0 of the other
    quantities; last its values, NaN where there are none. The others are 0 there. The weight of
    what is averaged over area is 1.

    They are worked out where they are asked for: of a hundred small apertures that is a part of the
    image, and memory that is never written is never taken.

    Attributes
    ----------
    squares : ndarray of float32, shape (squares in y, squares in x, n, 4 or 5, SIDE, SIDE)
    totals : ndarray of float64, shape (squares in y, squares in x, n, 6)
        The sums over each whole square, as `sums` has them.
    there : ndarray of bool, shape (squares in y, squares in x)
        What has been worked out.
    sources : tuple of MapTerms, n of them
    """

    squares: np.ndarray
    totals: np.ndarray
    there: np.ndarray
    sources: tuple[MapTerms, ...]

    def prepare(self, parts: Sequence[tuple[slice, slice]]) -> None:
        """Work out what is not there yet of some parts of the image, rows and columns."""
        wanted = np.zeros(self.there.shape, bool)
        for rows, columns in parts:
            wanted[_squares(rows), _squares(columns)] = True
        wanted &= ~self.there
        if not wanted.any():
            return
        from . import square_loops as loops  # before threads begin: they would compile them each

        where = np.argwhere(wanted)

        def fill(number: int) -> None:
            one = self.sources[number]
            for start in range(0, len(where), _AT_ONCE):
                part = where[start : start + _AT_ONCE]
                amount, weight = (
                    _linear(loops.spread(plane, part, SIDE), log)
                    for plane, log in ((one.values, one.log), (one.weights, 1.0))
                )
                loops.fill(
                    one.values, amount, weight, one.errors, one.shared, one.log, part, number,
                    self.squares, self.totals,
                )  # fmt: skip

        numbers = range(len(self.sources))
        if len(where) < _THREADS_FROM:
            for number in numbers:
                fill(number)
        else:
            with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:
                list(pool.map(fill, numbers))
        # Said last: threads that ask meanwhile write the same numbers once more.
        self.there[wanted] = True

    def over(self, rows: slice, columns: slice) -> np.ndarray:
        """All planes of a part of the image, shape (n, 4 or 5, rows, columns)."""
        self.prepare([(rows, columns)])
        part = self.squares[_squares(rows), _squares(columns)].transpose(2, 3, 0, 4, 1, 5)
        whole = part.reshape(*part.shape[:2], part.shape[2] * SIDE, part.shape[4] * SIDE)
        top, left = rows.start % SIDE, columns.start % SIDE
        return whole[
            :, :, top : top + rows.stop - rows.start, left : left + columns.stop - columns.start
        ]

    def of(self, numbers: Sequence[int]) -> Terms:
        """Those of some quantities."""
        return terms_of([self.sources[i] for i in numbers], self.squares.shape[3] > 4)


def terms_of(sources: Sequence[MapTerms], in_two_parts: bool = False) -> Terms:
    """Terms of maps, none of them worked out yet."""
    ny, nx = sources[0].values.shape
    there = np.zeros((-(-ny // SIDE), -(-nx // SIDE)), bool)
    n = len(sources)
    return Terms(
        np.empty((*there.shape, n, 5 if in_two_parts else 4, SIDE, SIDE), np.float32),
        np.empty((*there.shape, n, 6)), there, tuple(sources),
    )  # fmt: skip


def _squares(pixels: slice) -> slice:
    """The squares that some rows or columns lie in."""
    return slice(pixels.start // SIDE, -(-pixels.stop // SIDE))


def _linear(squares: np.ndarray, log: float) -> np.ndarray:
    """What squares are the logarithms of; themselves where `log` is 0. Numpy's exponential takes a
    third of the time of that in a compiled loop.
    """
    if log:
        squares *= np.log(10) * log
        with np.errstate(over="ignore"):
            np.exp(squares, out=squares)
    return squares
