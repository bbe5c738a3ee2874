"""Sums over the pixels of an aperture and their errors, of what was measured and of what is thought
to lie under masks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...prepare.errors.correlation import correlation_factor, sum_error
from .aperture import Aperture
from .filled_pixels import FilledPixels
from .overlap import Overlap
from .planes import Planes


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over pixels of an aperture, of n quantities, linear and per pixel.

    Attributes
    ----------
    amount : ndarray, shape (n,)
        Of weight times quantity.
    weight : ndarray, shape (n,)
        Of the weights; of what adds up, the number of pixels.
    random : ndarray, shape (n,)
        Its error by what not all pixels share.
    together : ndarray, shape (n,)
        The same, if all pixels err alike.
    of_galaxy : ndarray, shape (n,)
        Its error by what all pixels of the galaxy share.
    n_pixels : ndarray, shape (n,)
        Pixels with a value, those on the edge in part.
    """

    amount: np.ndarray
    weight: np.ndarray
    random: np.ndarray
    together: np.ndarray
    of_galaxy: np.ndarray
    n_pixels: np.ndarray

    def with_filled(self, filled: Sums) -> Sums:
        """These and those of filled pixels, whose random errors are independent of each other."""
        return Sums(
            self.amount + filled.amount,
            self.weight + filled.weight,
            np.hypot(self.random, filled.random),
            self.together + filled.together,
            self.of_galaxy + filled.of_galaxy,
            self.n_pixels + filled.n_pixels,
        )


@dataclass(frozen=True, eq=False)
class Background:
    """The local background of n quantities.

    Attributes
    ----------
    value : ndarray, shape (n,)
        What is taken from each pixel; NaN where nothing is.
    error, of_galaxy : ndarray, shape (n,)
        Its error, and the part that it shares with all pixels of the galaxy; 0 where nothing is.
    """

    value: np.ndarray
    error: np.ndarray
    of_galaxy: np.ndarray


@dataclass(frozen=True, eq=False)
class Totals:
    """Sums over an aperture without its background, with their whole errors; each of shape (n,).

    Attributes
    ----------
    value, err, err_max : ndarray
        The second error holds where all pixels err together; it is the same as the first where it
        is known how much of their errors they share.
    of_galaxy : ndarray
        The part of `err` that all pixels of the galaxy share.
    """

    value: np.ndarray
    err: np.ndarray
    err_max: np.ndarray
    of_galaxy: np.ndarray


def totals_of(sums: Sums, background: Background, planes: Planes) -> Totals:
    """Sums of which the background is taken, and their errors."""
    value = sums.amount - np.nan_to_num(background.value) * sums.weight
    by_background, common = background.error * sums.weight, planes.systematic * np.abs(value)
    # The background errs with the rest.
    of_galaxy = np.abs(sums.of_galaxy - background.of_galaxy * sums.weight)
    err, err_max = (
        np.hypot(np.hypot(error, by_background), common) for error in (sums.random, sums.together)
    )
    err = np.hypot(err, of_galaxy)
    return Totals(value, err, np.where(planes.in_two_parts, err, err_max), of_galaxy)


def measured_sums(planes: Planes, aperture: Aperture, overlap: Overlap) -> Sums:
    """Sums over the measured pixels of an aperture, by the share of each that lies within."""
    from .square_loops import sums as summed

    terms, rows, columns = planes.terms, overlap.rows, overlap.columns
    terms.prepare([(rows, columns)])
    sums = summed(terms.squares, terms.totals, overlap.weights, rows.start, columns.start)
    amount, weight, error, squared, pixels, shared = sums.T
    random = _random_error(planes, aperture, overlap, error, squared)
    return Sums(amount, weight, random, error, shared, pixels)


def filled_sums(filled: FilledPixels, overlap: Overlap) -> Sums | None:
    """Sums over the filled pixels of an aperture, by the share of each that lies within; None where
    there are none. Those of a hole err together, holes independently of each other.
    """
    first, last = np.searchsorted(filled.rows, (overlap.rows.start, overlap.rows.stop))
    rows = filled.rows[first:last] - overlap.rows.start
    columns = filled.columns[first:last] - overlap.columns.start
    inside = np.flatnonzero((columns >= 0) & (columns < overlap.weights.shape[1]))
    weights = overlap.weights[rows[inside], columns[inside]]
    inside, weights = inside[weights > 0], weights[weights > 0]
    if not inside.size:
        return None
    holes = filled.holes[first:last][inside]
    order = np.argsort(holes, kind="stable")
    terms = filled.terms[:, :, first + inside[order]] * weights[order]
    amount, together, of_galaxy, pixels = terms.sum(axis=2).T
    starts = np.flatnonzero(np.diff(holes[order], prepend=0))  # holes are numbered from 1
    by_hole = np.add.reduceat(terms[:, 1], starts, axis=1)
    random = np.sqrt((by_hole**2).sum(axis=1))
    return Sums(amount, pixels, random, together, of_galaxy, pixels)


def _random_error(
    planes: Planes, aperture: Aperture, overlap: Overlap, error: np.ndarray, squared: np.ndarray
) -> np.ndarray:
    """Errors of the sums of terms, from the sum of their errors and the sum of their squares, shape
    (n,).
    """
    if not aperture.inner and not aperture.without:
        with np.errstate(invalid="ignore", divide="ignore"):
            as_many = error**2 / squared  # alike pixels
        factor = correlation_factor(np.nan_to_num(as_many, nan=1.0), planes.correlation)
    else:  # what has holes is not compact: every pair of pixels counts
        ones = np.ones(overlap.weights.shape)
        pairs = {
            area: sum_error(ones, overlap.weights, area)
            for area in set(planes.correlation.tolist())
        }
        alone = np.sqrt((overlap.weights**2).sum())
        factor = np.array(
            [
                max(pairs[area] / alone, 1.0) if alone else 1.0
                for area in planes.correlation.tolist()
            ]
        )
    random: np.ndarray = np.minimum(np.sqrt(squared) * factor, error)
    return random
