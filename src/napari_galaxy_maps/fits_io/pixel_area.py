"""The solid angle of an image's pixels on the sphere, which projections stretch and distortions
change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from astropy.wcs import WCS

_NODES = 33
"""Places along each axis where the solid angle is computed; between them it is interpolated."""
_LARGE = 0.01
"""Relative change of the solid angle over an image from which on it is a map."""
_CORNERS = ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))


def pixel_area(wcs: WCS, shape: tuple[int, int]) -> float | np.ndarray:
    """Solid angle of the pixels of an image.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        Two-dimensional celestial coordinates.
    shape : tuple of int
        (ny, nx).

    Returns
    -------
    float or ndarray, shape (ny, nx)
        In sr: of the pixel in the middle, or of every pixel where they differ by over 1 %; NaN off
        the sky.
    """
    ny, nx = shape
    middle = float(_areas(wcs, np.array([(nx - 1) / 2]), np.array([(ny - 1) / 2]))[0])
    rows, columns = (np.linspace(0, n - 1, min(n, _NODES)) for n in shape)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    nodes = _areas(wcs, x, y)
    if np.isfinite(nodes).all():
        if not np.isfinite(middle) or np.ptp(nodes) <= _LARGE * np.median(nodes):
            return middle if np.isfinite(middle) else float(np.median(nodes))
        if min(nodes.shape) > 3:
            from scipy.interpolate import RectBivariateSpline

            spline = RectBivariateSpline(rows, columns, nodes)
            whole: np.ndarray = spline(np.arange(ny), np.arange(nx))
            return whole
    y, x = np.mgrid[:ny, :nx]
    every = _areas(wcs, x, y)
    seen = every[np.isfinite(every)]
    if np.isfinite(middle) and (not seen.size or np.ptp(seen) <= _LARGE * np.median(seen)):
        return middle
    return every


def _areas(wcs: WCS, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Solid angles in sr of pixels, by their corners on the sphere."""
    corners = []
    for dx, dy in _CORNERS:
        lon, lat = (
            wcs.wcs_pix2world(x + dx, y + dy, 0)
            if not wcs.has_distortion
            else (wcs.all_pix2world(x + dx, y + dy, 0))
        )
        lon, lat = (np.radians(a) for a in ((lon, lat) if wcs.wcs.lng == 0 else (lat, lon)))
        cos = np.cos(lat)
        corners.append(np.stack([cos * np.cos(lon), cos * np.sin(lon), np.sin(lat)], axis=-1))
    a, b, c, d = corners
    return np.asarray(0.5 * np.linalg.norm(np.cross(c - a, d - b), axis=-1))
