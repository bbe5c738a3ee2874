"""Maps on another grid, and at a wider PSF."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...constants import FWHM_PER_SIGMA
from ...data.maps import PropertyMaps
from ...prepare.grid.resampling import pixel_map, resample_planes
from ..apertures.planes import pixel_arcsec
from .averaging import Average, averaged

if TYPE_CHECKING:
    from astropy.wcs import WCS

_SAME_PIXEL = 0.01


def psf_fwhm(maps: PropertyMaps) -> float:
    """FWHM in arcsec of the PSF of maps, 0 where their provenance does not have it."""
    try:
        return float(maps.provenance.get("fwhm", 0) or 0)
    except (TypeError, ValueError):
        return 0.0


def same_grid(wcs: WCS, shape: tuple[int, int], other: WCS, other_shape: tuple[int, int]) -> bool:
    """Whether two grids agree to a hundredth of a pixel at their corners."""
    if shape != other_shape:
        return False
    y, x = (
        np.array([0, 0, shape[0] - 1, shape[0] - 1]),
        np.array([0, shape[1] - 1, 0, shape[1] - 1]),
    )
    back = other.world_to_pixel(wcs.pixel_to_world(x, y))
    return bool(np.allclose(back, (x, y), atol=_SAME_PIXEL))


def bring_to_grid(maps: PropertyMaps, wcs: WCS, shape: tuple[int, int]) -> PropertyMaps:
    """Maps on another grid, averaged where its pixels are larger (`averaging.averaged`).

    Flags are not carried.
    """
    return brought(maps, (wcs, shape))[0]


def smooth(maps: PropertyMaps, fwhm: float, target: float) -> PropertyMaps:
    """Maps at a wider Gaussian PSF (`averaging.averaged`), FWHM in arcsec."""
    return brought(maps, widths=(fwhm, target))[0]


def brought(
    maps: PropertyMaps,
    grid: tuple[WCS, tuple[int, int]] | None = None,
    widths: tuple[float, float] | None = None,
) -> tuple[PropertyMaps, int]:
    """Maps at a wider PSF and on another grid, in one go.

    Parameters
    ----------
    maps : PropertyMaps
        With their weights.
    grid : tuple of WCS and (ny, nx), optional
        To go to; where it is theirs, they stay on it.
    widths : tuple of float, optional
        FWHM in arcsec of their PSF and of the wider, Gaussian one.

    Returns
    -------
    maps : PropertyMaps
        The same where nothing is to be done.
    left_out : int
        Pixels beside blanks and edges that have become blank.
    """
    moves = grid is not None and not same_grid(maps.wcs, maps.shape, *grid)
    ways: list[Average] = []
    if widths is not None:
        ways.append(_gaussian(np.sqrt(widths[1] ** 2 - widths[0] ** 2), pixel_arcsec(maps.wcs)))
    if moves and grid is not None:
        ways.append(_resampling(maps.wcs, *grid))
    if not ways:
        return maps, 0

    def average(planes: np.ndarray) -> np.ndarray:
        for way in ways:
            planes = way(planes)
        return planes

    found, left_out = averaged(maps, average)
    if moves and grid is not None:
        found = replace(found, wcs=grid[0], flags=np.zeros(grid[1], np.int16), correlation=None)
    return found, left_out


def _gaussian(fwhm: float, pixel: float) -> Average:
    """Convolution with a Gaussian, FWHM and pixel in arcsec."""
    from scipy.ndimage import gaussian_filter

    sigma = fwhm / FWHM_PER_SIGMA / pixel

    def average(planes: np.ndarray) -> np.ndarray:
        return np.stack([gaussian_filter(plane, sigma, mode="constant") for plane in planes])

    return average


def _resampling(own: WCS, wcs: WCS, shape: tuple[int, int]) -> Average:
    """Resampling as the images of a galaxy are; a rim of zeros stands for what lies beyond."""
    where = pixel_map(own, wcs, shape)
    rim = int(np.ceil(np.nanmax(where.reach, initial=1.0)))
    where = replace(where, x=where.x + rim, y=where.y + rim)

    def average(planes: np.ndarray) -> np.ndarray:
        padded = np.pad(planes, ((0, 0), (rim, rim), (rim, rim)))
        return np.nan_to_num(resample_planes(padded, where))

    return average
