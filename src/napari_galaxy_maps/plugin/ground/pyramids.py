"""Coarser levels of a large image, of which napari draws the one that the canvas can show, and only
the part in sight.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Image

LARGE = 2048
"""Images with no longer side stay plain: one texture of theirs is drawn as fast."""
COARSEST = 512
"""No level is made of an image with no longer side; the coarsest is the layer's thumbnail."""
_ROWS = 256
"""Rows of a level that are made at once, so that what is summed stays in the processor's cache."""

_BUILT: dict[int, tuple[np.ndarray, ...]] = {}
"""The levels of each image that is still there, by the identity of its pixels."""


def levels_of(data: np.ndarray) -> tuple[np.ndarray, ...]:
    """The coarser levels of an image, each half as large as the one before; made once, and kept for
    as long as the image is. An image of 8192 x 8192 pixels takes a quarter of a second.

    Parameters
    ----------
    data : ndarray of float, shape (ny, nx)
        Values, NaN where there is none.

    Returns
    -------
    tuple of ndarray
        Without the image itself; none for an image that is not `LARGE`.
    """
    if max(data.shape) <= LARGE:
        return ()
    known = _BUILT.get(id(data))
    if known is None:
        levels, level = [], data
        while max(level.shape) > COARSEST and min(level.shape) > 1:
            level = halved(level)
            levels.append(level)
        known = _BUILT[id(data)] = tuple(levels)
        weakref.finalize(data, _BUILT.pop, id(data), None)
    return known


def bytes_of_levels(data: np.ndarray) -> int:
    """What the levels of an image take, as far as there are any."""
    return sum(level.nbytes for level in _BUILT.get(id(data), ()))


def halved(data: np.ndarray) -> np.ndarray:
    """The means of blocks of 2 x 2 pixels, those without a value left out.

    Parameters
    ----------
    data : ndarray of float, shape (ny, nx)
        Values, NaN where there is none.

    Returns
    -------
    ndarray, shape (ceil(ny / 2), ceil(nx / 2))
        NaN where a block has no value. Blocks at the end of an odd side hold what there is.
    """
    ny, nx = data.shape
    means = np.empty((-(-ny // 2), -(-nx // 2)), data.dtype)
    for top in range(0, len(means), _ROWS):
        rows = data[2 * top : 2 * (top + _ROWS)]
        odd = (len(rows) % 2, nx % 2)
        if any(odd):
            rows = np.pad(rows, ((0, odd[0]), (0, odd[1])), constant_values=np.nan)
        means[top : top + _ROWS] = _block_means(rows)
    return means


def _block_means(data: np.ndarray) -> np.ndarray:
    corners = (data[::2, ::2], data[::2, 1::2], data[1::2, ::2], data[1::2, 1::2])
    means = corners[0] + corners[1]
    for corner in corners[2:]:
        means += corner
    means /= 4
    lacking = np.isnan(means)
    if lacking.any():
        values = np.stack([corner[lacking] for corner in corners])
        there = ~np.isnan(values)
        with np.errstate(invalid="ignore"):  # a block without any value
            means[lacking] = np.where(there, values, 0).sum(axis=0) / there.sum(axis=0)
    return means


def put_data(layer: Image, data: np.ndarray | list[np.ndarray]) -> None:
    """Give a layer other data: an array, or all levels for a layer that has levels."""
    if isinstance(data, list):
        # napari begins with the coarsest level, and would cut the part of another one that was in
        # sight out of it.
        layer.corner_pixels = np.array([(0, 0), np.subtract(data[-1].shape, 1)])
    layer.data = data


def full_resolution(data: Any) -> np.ndarray:
    """The pixels of what a layer holds: the first of its levels, where it has any.

    numpy would take the coarsest level for the layer's values.
    """
    return np.asarray(data[0] if isinstance(data, Sequence) else data)
