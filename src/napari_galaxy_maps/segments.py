"""Whose light a pixel has: stars and neighbours told apart from the galaxy that they touch."""

from __future__ import annotations

import numpy as np

_FAINT, _PROMINENT = 8.0, 0.4
"""Peaks are told apart by the inverse hyperbolic sine of the light in units of this many times the
noise, where the second number lies between them: half of bright light, three sigma of faint.
"""
_POINT = 1.35
"""Sources whose half-light radius is under this many times a PSF's are points."""
_STEEP, _AS_WIDE = 0.045, 3.0
"""And those that have fallen to less than the first of their peak at 1.75 FWHM from it, and are no
wider than the second times a Moffat star of their peak is where it falls under their rim.
"""
_BETA = 2.5
"""Moffat's exponent of a PSF with wide wings."""


def is_point(light: np.ndarray, region: np.ndarray, fwhm: float) -> bool:
    """Whether what lies in a region is as narrow as a PSF, or so bright a star that its wings fill
    the region, whatever lies under them.

    Parameters
    ----------
    light : ndarray, shape (ny, nx)
        Above the sky.
    region : ndarray of bool, shape (ny, nx)
        Not empty.
    fwhm : float
        Pixels.
    """
    from scipy.ndimage import binary_erosion

    y, x = np.nonzero(region)
    values = light[region]
    rim = max(float(np.median(values[~binary_erosion(region)[region]])), 1e-30)
    above = np.maximum(values - rim, 0)
    top = int(np.argmax(above))
    near = np.hypot(x - x[top], y - y[top]) < 1.6
    if not above[near].sum() > 0:
        return True
    weight = above[near] / above[near].sum()
    away = np.hypot(x - weight @ x[near], y - weight @ y[near])
    order = np.argsort(away)
    grown = np.cumsum(above[order])
    half = away[order][np.searchsorted(grown, grown[-1] / 2)]
    # Half of a Gaussian's light is within half its width; pixels add to that of a narrow one.
    if half < _POINT * max(0.5 * fwhm, 0.8):
        return True
    peak = above[away < max(0.35 * fwhm, 1.0)].mean()
    ring = above[np.abs(away - 1.75 * fwhm) < max(0.25 * fwhm, 0.7)]
    if not ring.size or np.median(ring) > _STEEP * peak:
        return False
    core = 0.5 * fwhm / np.sqrt(2 ** (1 / _BETA) - 1)
    reach = core * np.sqrt((peak / rim + 1) ** (1 / _BETA) - 1)
    return bool(np.sqrt(region.sum() / np.pi) < _AS_WIDE * reach)


def parts_of(
    smooth: np.ndarray, inside: np.ndarray, noise: float, extra: tuple[int, int] | None = None
) -> np.ndarray:
    """The parts that a source falls into, one about each peak that stands out.

    Parameters
    ----------
    smooth : ndarray, shape (ny, nx)
        Smoothed to the PSF, above the sky, without NaN.
    inside : ndarray of bool, shape (ny, nx)
        The source's pixels.
    noise : float
        Of `smooth`.
    extra : tuple of int, optional
        Row and column of a place that has a part of its own, peak or not.

    Returns
    -------
    ndarray of int, shape (ny, nx)
        0 outside of the source, else the number of the part, from 1.
    """
    from scipy.ndimage import label
    from skimage.morphology import h_maxima
    from skimage.segmentation import watershed

    # photutils' deblending floods at every level anew: a minute for a large galaxy, to one second.
    height = np.where(inside, np.arcsinh(smooth / (_FAINT * noise)), 0)
    peaks, n = label(h_maxima(height, _PROMINENT), np.ones((3, 3)))
    if extra is not None:
        peaks[extra] = n + 1
    return np.asarray(watershed(-height, peaks, mask=inside))


def others_in(
    light: np.ndarray,
    smooth: np.ndarray,
    inside: np.ndarray,
    noise: float,
    fwhm: float,
    at: tuple[float, ...] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """What of a source is not the galaxy: points (stars, and knots, which are as well filled), and
    what is brighter than the galaxy's own middle.

    Parameters
    ----------
    light, smooth : ndarray, shape (ny, nx)
        As it is, and smoothed to the PSF, above the sky; without NaN.
    inside : ndarray of bool, shape (ny, nx)
        The source's pixels, at least one.
    noise : float
        Of `smooth`.
    fwhm : float
        Pixels.
    at : tuple of float, optional
        x and y in pixels of the galaxy, whatever it looks like; without it the galaxy is the part
        of the most light that is no point, and of points alone the brightest.

    Returns
    -------
    own, others : ndarray of bool, shape (ny, nx)
        The part about the galaxy's middle; the parts that are others'.
    """
    from scipy.ndimage import find_objects

    (box,) = find_objects(inside.astype(np.int8))
    rows, columns = box
    light_here, smooth_here, inside_here = light[box], smooth[box], inside[box]
    place = None
    if at is not None:
        place = round(at[1]) - rows.start, round(at[0]) - columns.start
        ny, nx = inside_here.shape
        if not (0 <= place[0] < ny and 0 <= place[1] < nx and inside_here[place]):
            place = None
    parts = parts_of(smooth_here, inside_here, noise)
    if not parts.any():  # too faint and flat to have a peak
        return inside.copy(), np.zeros_like(inside)
    if place is not None:
        parts = _with_hidden(light_here, smooth_here, inside_here, noise, fwhm, parts, place)
    boxes = list(enumerate(find_objects(parts), 1))
    points = {n: is_point(light_here[b], parts[b] == n, fwhm) for n, b in boxes if b}
    if place is not None:
        mine = int(parts[place])
    else:
        sums = np.bincount(parts.ravel(), light_here.ravel())
        mine = max(points, key=lambda n: (not points[n], sums[n]))
    tops = {n: smooth_here[b][parts[b] == n].max() for n, b in boxes if b}
    others = [n for n in points if n != mine and (points[n] or tops[n] > tops[mine])]
    found = np.zeros((2, *inside.shape), bool)
    found[0][box], found[1][box] = parts == mine, np.isin(parts, others)
    return found[0], found[1]


def _with_hidden(
    light: np.ndarray,
    smooth: np.ndarray,
    inside: np.ndarray,
    noise: float,
    fwhm: float,
    parts: np.ndarray,
    place: tuple[int, int],
) -> np.ndarray:
    """The parts, with one more at a place that shows no peak beside a brighter point."""
    here = np.where(parts == parts[place], smooth, -np.inf)
    top = np.unravel_index(int(here.argmax()), here.shape)
    if np.hypot(top[0] - place[0], top[1] - place[1]) < 1.5 * fwhm:
        return parts
    finer = parts_of(smooth, inside, noise, place)
    return finer if is_point(light, finer == finer[top], fwhm) else parts


def filled(light: np.ndarray, holes: np.ndarray) -> np.ndarray:
    """An image whose holes are filled linearly from their rims.

    Parameters
    ----------
    light : ndarray, shape (ny, nx)
        Smooth.
    holes : ndarray of bool, shape (ny, nx)

    Returns
    -------
    ndarray, shape (ny, nx)
    """
    from scipy.interpolate import griddata
    from scipy.ndimage import binary_dilation

    rims = binary_dilation(holes, iterations=2) & ~holes
    if not holes.any() or rims.sum() < 4:
        return light
    points, wanted = np.argwhere(rims), np.argwhere(holes)
    found = griddata(points, light[rims], wanted, "linear")
    lost = ~np.isfinite(found)
    if lost.any():  # at the image's edge
        found[lost] = griddata(points, light[rims], wanted[lost], "nearest")
    result = light.copy()
    result[holes] = found
    return result
