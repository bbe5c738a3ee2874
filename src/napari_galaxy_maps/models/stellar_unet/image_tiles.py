"""Cuts an image into tiles for a network so that tiled and whole predictions agree: aligned windows
with a margin.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Tile:
    """A piece of an image.

    Attributes
    ----------
    window : tuple of slice
        Rows and columns to give to the network, in the padded image.
    core : tuple of slice
        Rows and columns of the image that are taken of the result.
    inner : tuple of slice
        Where the core lies in the window.
    """

    window: tuple[slice, slice]
    core: tuple[slice, slice]
    inner: tuple[slice, slice]


def padded_shape(shape: tuple[int, int], stride: int) -> tuple[int, int]:
    """The image's shape, each side enlarged to a multiple of `stride`."""
    ny, nx = (-(-n // stride) * stride for n in shape)
    return ny, nx


def tiles(
    shape: tuple[int, int],
    side: int,
    halo: int,
    stride: int,
    where: tuple[slice, slice] | None = None,
) -> Iterator[Tile]:
    """Tiles that cover an image.

    Parameters
    ----------
    shape : tuple of int
        (ny, nx) of the image.
    side : int
        Of a tile's core, pixels.
    halo : int
        Margin around a core beyond which nothing has an influence on it.
    stride : int
        Windows start and end at multiples of it, as one window around the whole image would, so
        that both are pooled in the same blocks; `side` and `halo` must be multiples of it.
    where : tuple of slice, optional
        Rows and columns that are asked for; by default all.
    """
    if side % stride or halo % stride:
        raise ValueError(f"side ({side}) and halo ({halo}) must be multiples of {stride}")
    padded = padded_shape(shape, stride)
    rows, columns = (
        _pieces(n, whole, side, halo, stride, part)
        for n, whole, part in zip(shape, padded, where or (slice(None), slice(None)), strict=True)
    )
    for row in rows:
        for column in columns:
            yield Tile(*zip(row, column, strict=True))


def _pieces(
    n: int, padded: int, side: int, halo: int, stride: int, part: slice
) -> list[tuple[slice, slice, slice]]:
    """Window, core and place of the core in the window, along one axis."""
    first, last, _ = part.indices(n)
    found = []
    for start in range(first // stride * stride, last, side):
        low, high = max(0, start - halo), min(padded, start + side + halo)
        core = slice(max(start, first), min(start + side, last))
        found.append((slice(low, high), core, slice(core.start - low, core.stop - low)))
    return found


def cut(planes: np.ndarray, window: tuple[slice, slice]) -> np.ndarray:
    """A window of planes of shape (..., ny, nx); NaN beyond the image."""
    ny, nx = planes.shape[-2:]
    rows, columns = window
    part = planes[..., rows.start : min(rows.stop, ny), columns.start : min(columns.stop, nx)]
    below = max(0, rows.stop - max(ny, rows.start))
    beyond = max(0, columns.stop - max(nx, columns.start))
    if not below and not beyond:
        return part
    missing = [(0, 0)] * (planes.ndim - 2) + [(0, below), (0, beyond)]
    return np.pad(part, missing, constant_values=np.nan)
