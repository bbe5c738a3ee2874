"""What is thought to lie under masks, pixel by pixel: of maps and of the bands of a cube, as far as
it adds up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...data.cube import random_part
from ...data.maps import PropertyMaps
from ...data.masked_light import Holes, MaskedLight
from .quantities import Quantity, linear


@dataclass(frozen=True, eq=False)
class FilledPixels:
    """Filled pixels of n quantities, k of them, from the first row of the grid to the last.

    Attributes
    ----------
    rows, columns, holes : ndarray of int32, shape (k,)
        As those of `Holes`.
    terms : ndarray of float32, shape (n, 4, k)
        The amount (of logarithms, of their arguments), its 1-sigma error that a hole's pixels
        share, the error that all pixels of the galaxy share, and 1; all of them 0 where a quantity
        does not add up, was measured there or could not be filled.
    """

    rows: np.ndarray
    columns: np.ndarray
    holes: np.ndarray
    terms: np.ndarray


def filled_maps(
    maps: PropertyMaps, quantities: Sequence[Quantity], in_two_parts: Sequence[bool]
) -> FilledPixels | None:
    """What lies under the masks of maps; None where nothing is known.

    Parameters
    ----------
    maps : PropertyMaps
    quantities : sequence of Quantity
        Of some of the maps.
    in_two_parts : sequence of bool
        Whether the part of the errors that all pixels of the galaxy share is used.
    """
    filling = maps.filling
    if filling is None:
        return None
    terms = np.zeros((len(quantities), 4, filling.rows.size), np.float32)
    unknown = np.full(filling.rows.size, np.nan, np.float32)
    for mine, quantity, apart in zip(terms, quantities, in_two_parts, strict=True):
        name = quantity.name
        if not quantity.sum_unit or name not in filling.values:
            continue
        amount = linear(filling.values[name], quantity.log)
        error = filling.errors.get(name, unknown)
        shared = np.zeros_like(error)
        if apart and name in filling.galaxy_errors:
            shared = np.fmin(np.nan_to_num(filling.galaxy_errors[name]).clip(min=0), error)
        scale = np.log(10) * abs(quantity.log) * amount if quantity.log else 1.0
        own = np.sqrt(np.clip(error**2 - shared**2, 0, None))
        counts = np.isfinite(amount) & np.isnan(maps.values[name][filling.where])
        mine[:] = np.where(counts, (amount, scale * own, scale * shared, np.ones_like(amount)), 0)
    return _in_order(filling, terms)


def filled_bands(
    light: MaskedLight | None,
    rows: Sequence[int],
    values: Sequence[np.ndarray],
    systematic: np.ndarray,
) -> FilledPixels | None:
    """What lies under the masks of some bands of a cube; None where nothing is known.

    Parameters
    ----------
    light : MaskedLight or None
        Of the cube. Pixels that it does not want are hidden on purpose, and do not count.
    rows : sequence of int
        Which of its bands.
    values : sequence of ndarray, each of shape (ny, nx)
        What was measured of each, NaN where nothing counts.
    systematic : ndarray, shape (n,)
        Relative error of each that is common to all its pixels.
    """
    if light is None:
        return None
    terms = np.zeros((len(rows), 4, light.rows.size), np.float32)
    for mine, row, plane, common in zip(terms, rows, values, systematic, strict=True):
        amount = light.data[row]
        own = random_part(amount, light.uncertainty[row], common)
        counts = np.isfinite(amount) & light.wanted & np.isnan(plane[light.where])
        mine[:] = np.where(counts, (amount, own, np.zeros_like(own), np.ones_like(own)), 0)
    return _in_order(light, terms)


def _in_order(holes: Holes, terms: np.ndarray) -> FilledPixels | None:
    """The pixels that count for any quantity, row by row."""
    counting = np.flatnonzero(terms[:, 3].any(axis=0))
    if not counting.size:
        return None
    order = counting[np.argsort(holes.rows[counting], kind="stable")]
    return FilledPixels(
        holes.rows[order], holes.columns[order], holes.holes[order], terms[:, :, order]
    )
