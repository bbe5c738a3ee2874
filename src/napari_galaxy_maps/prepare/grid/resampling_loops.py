"""The loops of the resampling, compiled on first use and kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from ...compiled import compiled


@cache
def compiled_loops() -> tuple[Callable[..., None], Callable[..., None]]:
    """`separable` and `general`, compiled; they release the interpreter's lock."""
    # `separable` calls it by its name in this module: a compiled function in a closure would be
    # another in every process, and what is on disk would never be found again.
    globals()["gaussian"] = compiled(nogil=True, inline="always")(gaussian)
    # Not all of fast mathematics: with it the test for NaN is left out, and a pixel off the sphere
    # writes anywhere.
    safe = {"reassoc", "contract", "arcp", "nsz", "afn"}
    return (
        compiled(nogil=True, fastmath=safe)(separable),
        compiled(nogil=True)(general),
    )


def gaussian(line: np.ndarray, start: float, n: int, sharpness: float) -> float:
    """exp(-sharpness x^2) at x = start, start + 1, ...: each from the one before, by a ratio
    that itself shrinks.
    """
    value = np.exp(-sharpness * start * start)
    ratio, shrink = np.exp(-sharpness * (2 * start + 1)), np.exp(-2 * sharpness)
    total = 0.0
    for k in range(n):
        line[k] = value
        total += value
        value *= ratio
        ratio *= shrink
    return total


def separable(
    planes: np.ndarray,
    x0: np.ndarray,
    y0: np.ndarray,
    form: np.ndarray,
    reach: np.ndarray,
    first: int,
    last: int,
    sums: np.ndarray,
    inside: np.ndarray,
    total: np.ndarray,
) -> None:
    """Rows `first` to `last` of the grid where the kernel is a product of two, along x and y."""
    n, ny, nx = planes.shape
    widest = 0
    for i in range(first, last):
        for j in range(x0.shape[1]):
            if np.isfinite(reach[i, j]):
                widest = max(widest, int(2 * reach[i, j]) + 3)
    wx, wy = np.empty(widest, np.float32), np.empty(widest, np.float32)
    for i in range(first, last):
        for j in range(x0.shape[1]):
            x, y = x0[i, j], y0[i, j]
            if not (np.isfinite(x) and np.isfinite(y) and np.isfinite(reach[i, j])):
                continue
            left, right = int(np.ceil(x - reach[i, j])), int(np.floor(x + reach[i, j]))
            low, high = int(np.ceil(y - reach[i, j])), int(np.floor(y + reach[i, j]))
            sum_x = gaussian(wx, left - x, right - left + 1, form[0, i, j])
            sum_y = gaussian(wy, low - y, high - low + 1, form[2, i, j])
            total[i, j] = sum_x * sum_y
            begin, end = max(left, 0), min(right, nx - 1) + 1
            bottom, top = max(low, 0), min(high, ny - 1) + 1
            inside[i, j] = (
                wx[begin - left : max(end, begin) - left].sum()
                * wy[bottom - low : max(top, bottom) - low].sum()
            )
            for m in range(n):
                whole = 0.0
                for k in range(bottom, top):
                    line = np.float32(0)
                    for column in range(begin, end):
                        line += wx[column - left] * planes[m, k, column]
                    whole += line * wy[k - low]
                sums[m, i, j] = whole


def general(
    planes: np.ndarray,
    x0: np.ndarray,
    y0: np.ndarray,
    form: np.ndarray,
    reach: np.ndarray,
    first: int,
    last: int,
    sums: np.ndarray,
    inside: np.ndarray,
    total: np.ndarray,
) -> None:
    """Rows `first` to `last` of the grid where the kernel is any ellipse."""
    n, ny, nx = planes.shape
    for i in range(first, last):
        for j in range(x0.shape[1]):
            x, y = x0[i, j], y0[i, j]
            if not (np.isfinite(x) and np.isfinite(y) and np.isfinite(reach[i, j])):
                continue
            for row in range(int(np.ceil(y - reach[i, j])), int(np.floor(y + reach[i, j])) + 1):
                dy = row - y
                for column in range(
                    int(np.ceil(x - reach[i, j])), int(np.floor(x + reach[i, j])) + 1
                ):
                    dx = column - x
                    weight = np.exp(
                        -(
                            form[0, i, j] * dx * dx
                            + 2 * form[1, i, j] * dx * dy
                            + form[2, i, j] * dy * dy
                        )
                    )
                    total[i, j] += weight
                    if 0 <= row < ny and 0 <= column < nx:
                        inside[i, j] += weight
                        for m in range(n):
                            sums[m, i, j] += weight * planes[m, row, column]
