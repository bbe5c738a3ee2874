"""DeForest's adaptive resampling, compiled: equal to reproject's, and many times as fast.

The reference is ``reproject.reproject_adaptive`` with its Gaussian kernel; the tests hold the two
together. What makes this one fast: positions are computed exactly on a coarse grid and
interpolated, images that share their coordinates share the work, and where pixels are square the
kernel is a product of two one-dimensional ones.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .resampling_loops import compiled_loops

if TYPE_CHECKING:
    from astropy.wcs import WCS

KERNEL_SIGMA = 0.65
"""Of the anti-aliasing Gaussian, in pixels of the coarser of the two grids (reproject's
kernel_width of 1.3 is 2 sigma).
"""

REACH = 2.0  # half of reproject's sample_region_width, in the same pixels
_NODE_STEP = 16  # pixels between positions computed exactly
_TOLERANCE = (
    1e-6  # pixels by which interpolated positions may be off before all are computed exactly
)
_TIE = 1e-6


@dataclass(frozen=True)
class PixelMap:
    """Where the pixels of a grid lie on an image.

    Attributes
    ----------
    x, y : ndarray of float64, shape (ny, nx)
        Positions on the image, in its pixels.
    form : ndarray of float64, shape (3, ny, nx)
        p, q, r of the kernel's argument p dx^2 + 2 q dx dy + r dy^2 (in squared sigmas, halved).
    reach : ndarray of float64, shape (ny, nx)
        Half-width of the square of image pixels that enter.
    separable : bool
        Whether q is small enough to leave out.
    """

    x: np.ndarray
    y: np.ndarray
    form: np.ndarray
    reach: np.ndarray
    separable: bool

    def squared(self) -> PixelMap:
        """The same with the kernel's square, by which variances go."""
        return replace(self, form=2 * self.form, reach=self.reach / np.sqrt(2))


def pixel_map(image: WCS, grid: WCS, shape: tuple[int, int]) -> PixelMap:
    """The positions of a grid's pixels on an image, and the kernel there.

    Parameters
    ----------
    image, grid : astropy.wcs.WCS
        Two-dimensional celestial coordinates, distortions included.
    shape : tuple of int
        (ny, nx) of the grid.
    """
    x, y = positions(image, grid, shape, rim=1)  # one pixel wider on every side
    jacobian = np.empty((*shape, 2, 2))
    for row, coordinate in enumerate((x, y)):
        jacobian[..., row, 0] = (coordinate[1:-1, 2:] - coordinate[1:-1, :-2]) / 2
        jacobian[..., row, 1] = (coordinate[2:, 1:-1] - coordinate[:-2, 1:-1]) / 2
    x, y = (np.ascontiguousarray(c[1:-1, 1:-1]) for c in (x, y))
    # J J^T = U s^2 U^T; singular values under one are padded to one: no finer kernel than an image
    # pixel.
    with np.errstate(invalid="ignore"):
        a = jacobian[..., 0, 0] ** 2 + jacobian[..., 0, 1] ** 2
        d = jacobian[..., 1, 0] ** 2 + jacobian[..., 1, 1] ** 2
        b = jacobian[..., 0, 0] * jacobian[..., 1, 0] + jacobian[..., 0, 1] * jacobian[..., 1, 1]
        half, spread = (a + d) / 2, np.hypot((a - d) / 2, b)
        large, small = np.maximum(half + spread, 1.0), np.maximum(half - spread, 1.0)
        angle = 0.5 * np.arctan2(2 * b, a - d)
    cos2, sin2, sincos = np.cos(angle) ** 2, np.sin(angle) ** 2, np.sin(angle) * np.cos(angle)
    a, d, b = large * cos2 + small * sin2, large * sin2 + small * cos2, (large - small) * sincos
    determinant = large * small
    form = np.stack([d, -b, a]) / determinant / (2 * KERNEL_SIGMA**2)
    # A pixel on the square's edge is in, whatever rounding did to its position.
    reach = REACH * np.sqrt(large) + _TIE
    separable = bool(np.nanmax(np.abs(b) / np.sqrt(determinant), initial=0.0) < 1e-4)
    return PixelMap(x, y, form, reach, separable)


def positions(
    image: WCS, grid: WCS, shape: tuple[int, int], rim: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Positions x, y on an image of a grid's pixels, and of a rim around them, each of shape (ny +
    2 rim, nx + 2 rim).

    Computed exactly at nodes and interpolated between, where that holds to 1e-6 pixels; else
    exactly.
    """
    from astropy.wcs.utils import pixel_to_pixel
    from scipy.interpolate import RectBivariateSpline

    rows, columns = (np.arange(-rim, n + rim, dtype=float) for n in shape)

    def exact(r: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (
            pixel_to_pixel(grid, image, *np.meshgrid(c, r))
            if r.ndim == 1
            else pixel_to_pixel(grid, image, c, r)
        )

    if rows.size * columns.size <= 40 * 40:
        return exact(rows, columns)
    nodes = [
        np.linspace(axis[0], axis[-1], max(8, int(np.ceil(axis.size / _NODE_STEP)) + 1))
        for axis in (rows, columns)
    ]
    known = exact(*nodes)
    if not all(np.isfinite(values).all() for values in known):
        return exact(rows, columns)
    splines = [RectBivariateSpline(*nodes, values, kx=5, ky=5) for values in known]
    rng = np.random.default_rng(0)
    check = [rng.uniform(axis[0], axis[-1], (1, 200)) for axis in (rows, columns)]
    for spline, truth in zip(splines, exact(*check), strict=True):
        if np.abs(spline.ev(*check) - truth).max() > _TOLERANCE:
            return exact(rows, columns)
    return splines[0](rows, columns), splines[1](rows, columns)


def part_of(
    where: PixelMap, rectangle: tuple[slice, slice], shape: tuple[int, int]
) -> tuple[PixelMap, tuple[slice, slice]]:
    """The pixel map of a rectangle of the grid on the part of the image that its pixels are made
    of, and that part.

    Parameters
    ----------
    where : PixelMap
        Of the whole grid on the whole image.
    rectangle : tuple of slice
        Rows and columns of the grid.
    shape : tuple of int
        (ny, nx) of the image.
    """
    x, y, reach = where.x[rectangle], where.y[rectangle], where.reach[rectangle]
    bounds = []
    for positions, size in ((y, shape[0]), (x, shape[1])):
        low, high = np.nanmin(positions - reach), np.nanmax(positions + reach)
        start = int(np.clip(np.floor(low), 0, size - 1))
        bounds.append(slice(start, int(np.clip(np.ceil(high) + 1, start + 1, size))))
    rows, columns = bounds
    # Contiguous, as the whole is: the loops are compiled for each layout of arrays.
    form, reach = (
        np.ascontiguousarray(where.form[(slice(None), *rectangle)]),
        np.ascontiguousarray(reach),
    )
    return PixelMap(x - columns.start, y - rows.start, form, reach, where.separable), (
        rows,
        columns,
    )


def resample_planes(planes: np.ndarray, where: PixelMap, min_weight: float = 0.5) -> np.ndarray:
    """Planes on the grid of a pixel map.

    Parameters
    ----------
    planes : ndarray of float32, shape (n, ny, nx)
        NaN where blank.
    where : PixelMap
        Of the grid on these planes.
    min_weight : float
        Blank where valid pixels of the image carry less of the kernel than this.

    Returns
    -------
    ndarray of float32, shape (n, grid ny, grid nx)
    """
    blank = np.isnan(planes)
    holes = bool(blank.any())
    if holes:  # the weights of the blank pixels are resampled like planes of their own
        planes = np.concatenate([np.where(blank, np.float32(0), planes), blank], dtype=np.float32)
    planes = np.ascontiguousarray(planes, np.float32)
    sums = np.zeros((len(planes), *where.x.shape))
    inside, total = np.zeros(where.x.shape), np.zeros(where.x.shape)
    loop = compiled_loops()[0 if where.separable else 1]

    def strip(bounds: tuple[int, int]) -> None:
        loop(planes, where.x, where.y, where.form, where.reach, *bounds, sums, inside, total)

    _in_strips(strip, where.x.shape[0])
    n = len(blank)
    # Taken off, so that a pixel far from any hole comes out the same to the last bit, whether there
    # is one elsewhere or not.
    weight = inside[None] - sums[n:] if holes else inside[None]
    with np.errstate(invalid="ignore", divide="ignore"):
        result = sums[:n] / weight
        result[np.broadcast_to(~(weight >= min_weight * total) | (total == 0), result.shape)] = (
            np.nan
        )
    return result.astype(np.float32)


_FEWEST_ROWS = 16
"""Rows of the grid that a thread is worth starting for."""


def _in_strips(work: Callable[[tuple[int, int]], Any], rows: int) -> None:
    """Run `work` on strips of rows, on as many threads as there are processors."""
    threads = min(os.cpu_count() or 1, 8, rows // _FEWEST_ROWS)
    if threads < 2:  # the few rows that an edit touches are done before a thread has begun
        work((0, rows))
        return
    edges = np.linspace(0, rows, 4 * threads + 1).astype(int)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)))
