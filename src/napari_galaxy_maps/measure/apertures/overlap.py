"""How much of each pixel of an image lies within an aperture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...data.galaxy import Ellipse
from ...exceptions import InputError
from ...prepare.grid.pixel_positions import to_pixels
from .aperture import Aperture, degrees, scaled_polygon, unit_vectors

if TYPE_CHECKING:
    from astropy.wcs import WCS

_FAR = 20
"""Apertures centred more than so many images away are off the image, whatever their size."""

_LARGE = 3
"""Corners of polygons more than so many images away are refused: their masks would fill the memory.
"""

_ROUNDING = 1e-9  # of a pixel: what is left of those inside a hole


@dataclass(frozen=True)
class Overlap:
    """An aperture on the pixels of an image.

    Attributes
    ----------
    rows, columns : slice
        The part of the image it covers; empty where it lies off the image.
    weights : ndarray of float64, shape (rows, columns)
        Share of each pixel's area that lies within.
    area : float
        Area of the whole aperture in pixels, the part off the image included.
    pixel_arcsec2 : float
        Area of a pixel there in arcsec2.
    """

    rows: slice
    columns: slice
    weights: np.ndarray
    area: float
    pixel_arcsec2: float


def overlaps(apertures: Sequence[Aperture], wcs: WCS, shape: tuple[int, int]) -> list[Overlap]:
    """The exact overlap of apertures with the pixels of an image (polygons by regions).

    On the image an ellipse is what the linear terms of the coordinates at its centre make of it;
    corners of polygons are placed exactly and joined by straight lines.

    Parameters
    ----------
    apertures : sequence of Aperture
    wcs : astropy.wcs.WCS
        Celestial coordinates of the image.
    shape : tuple of int
        (ny, nx).
    """
    if not apertures:
        return []
    centres, jacobians = linear_frame(np.array([a.centre for a in apertures]), wcs, shape)
    return [
        _overlap(aperture, centre, jacobian, wcs, shape)
        for aperture, centre, jacobian in zip(apertures, centres, jacobians, strict=True)
    ]


def _overlap(
    aperture: Aperture, centre: np.ndarray, jacobian: np.ndarray, wcs: WCS, shape: tuple[int, int]
) -> Overlap:
    if not np.isfinite(jacobian).all():  # too far away for the coordinates to mean anything
        return Overlap(slice(0, 0), slice(0, 0), np.zeros((0, 0)), np.nan, np.nan)
    if isinstance(aperture.shape, Ellipse):
        a, b, theta = pixel_ellipse(aperture.shape, jacobian)
        area = np.pi * a * b * (1 - aperture.inner**2)
        weights, rows, columns = ellipse_overlap(centre, a, b, theta, shape)
        if aperture.inner:
            hole, y, x = ellipse_overlap(
                centre, a * aperture.inner, b * aperture.inner, theta, shape
            )
            if hole.size:
                y, x = (
                    slice(h.start - w.start, h.stop - w.start) for h, w in ((y, rows), (x, columns))
                )
                left = weights[y, x] - hole
                weights[y, x] = np.where(left > _ROUNDING, left, 0.0)
    else:
        weights, area, rows, columns = _polygon_overlap(aperture, wcs, shape)
    whole = Overlap(rows, columns, weights, float(area), 1 / abs(np.linalg.det(jacobian)))
    holes = [hole for hole in aperture.without if hole.may_touch(aperture)]
    return _without(whole, overlaps(holes, wcs, shape)) if holes else whole


def _without(whole: Overlap, holes: Sequence[Overlap]) -> Overlap:
    """An aperture without what others cover of it: exact but for pixels that are cut by the edges
    of both, where what one covers is taken as spread over the pixel.
    """
    weights = whole.weights.copy()
    for hole in holes:
        inside, outside = [], []
        for mine, other in ((whole.rows, hole.rows), (whole.columns, hole.columns)):
            first, last = max(mine.start, other.start), min(mine.stop, other.stop)
            inside.append(slice(first - mine.start, max(last - mine.start, first - mine.start)))
            outside.append(slice(first - other.start, max(last - other.start, first - other.start)))
        left = weights[tuple(inside)] * (1 - hole.weights[tuple(outside)])
        weights[tuple(inside)] = np.where(left > _ROUNDING, left, 0.0)
    taken = float(whole.weights.sum() - weights.sum())
    return replace(whole, weights=weights, area=whole.area - taken)


def pixel_ellipse(ellipse: Ellipse, jacobian: np.ndarray) -> tuple[float, float, float]:
    """Semi-axes in pixels and the major axis' angle from +x towards +y in radians, of an ellipse on
    the sky.

    Parameters
    ----------
    ellipse : Ellipse
    jacobian : ndarray, shape (2, 2)
        Pixels (x, y) per arcsec (east, north).
    """
    sin, cos = np.sin(np.radians(ellipse.pa)), np.cos(np.radians(ellipse.pa))
    axes = np.array(
        [[ellipse.a * sin, ellipse.b * cos], [ellipse.a * cos, -ellipse.b * sin]]
    )  # east, north of both axes
    u, s, _ = np.linalg.svd(jacobian @ axes)
    return float(s[0]), float(s[1]), float(np.arctan2(u[1, 0], u[0, 0]))


def ellipse_overlap(
    centre: np.ndarray, a: float, b: float, theta: float, shape: tuple[int, int]
) -> tuple[np.ndarray, slice, slice]:
    """Share of every pixel of an image that lies in an ellipse, exactly.

    photutils computes the pixels inside as carefully as those on the edge: this takes a fraction
    of its time at 150 pixels.

    Parameters
    ----------
    centre : ndarray, shape (2,)
        x and y.
    a, b : float
        Semi-axes in pixels.
    theta : float
        Of the major axis, radians from +x towards +y.
    shape : tuple of int
        (ny, nx) of the image.

    Returns
    -------
    weights : ndarray of float64
    rows, columns : slice
        The part of the image that they are of.
    """
    from .ellipse_kernel import shares

    cos, sin = np.cos(theta), np.sin(theta)
    reach = np.hypot(a * cos, b * sin), np.hypot(a * sin, b * cos)
    (left, right), (low, high) = (
        (max(int(np.floor(middle - r + 0.5)), 0), min(int(np.ceil(middle + r + 0.5)), size))
        for middle, r, size in zip(centre, reach, shape[::-1], strict=True)
    )
    if right <= left or high <= low:
        return np.zeros((0, 0)), slice(0, 0), slice(0, 0)
    x, y = float(centre[0]), float(centre[1])
    weights = shares(x, y, a, b, float(cos), float(sin), left, low, right - left, high - low)
    return weights, slice(low, high), slice(left, right)


def _polygon_overlap(
    aperture: Aperture, wcs: WCS, shape: tuple[int, int]
) -> tuple[np.ndarray, float, slice, slice]:
    """As `ellipse_overlap`, with the area of the whole polygon in second place."""
    from regions import PixCoord, PolygonPixelRegion

    assert not isinstance(aperture.shape, Ellipse)
    polygons = [aperture.shape]
    if aperture.inner:
        polygons.append(scaled_polygon(aperture.shape, aperture.centre, aperture.inner))
    planes, areas = [], []
    for vertices in polygons:
        ra, dec = np.transpose(vertices)
        x, y = to_pixels(wcs, shape, ra, dec, margin=_LARGE * max(shape))
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise InputError(
                f"The polygon {aperture.name!r} has corners far off the image; draw one that ends "
                "nearer to it."
            )
        mask = PolygonPixelRegion(PixCoord(x, y)).to_mask(mode="exact")
        plane = mask.to_image(shape)
        planes.append(np.zeros(shape) if plane is None else np.asarray(plane, float))
        areas.append(float(mask.data.sum()))  # also right where its sides cross each other
    # A hole of a concave polygon may reach out of it: what is not there cannot be taken away.
    weights = planes[0]
    if aperture.inner:
        left = weights - planes[1]
        weights = np.where(left > _ROUNDING, left, 0.0)
    area = areas[0] - (areas[1] if aperture.inner else 0)
    covered = weights > 0
    rows, columns = (
        slice(int(found[0]), int(found[-1]) + 1)
        if (found := np.flatnonzero(covered.any(axis))).size
        else slice(0, 0)
        for axis in (1, 0)
    )
    return weights[rows, columns], area, rows, columns


def linear_frame(
    centres: np.ndarray, wcs: WCS, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Pixel positions of ICRS positions (degrees), shape (n, 2), and pixels per arcsec eastwards
    and northwards, (n, 2, 2).
    """
    n = len(centres)
    middle = unit_vectors(*centres.T)
    ra, dec = np.radians(centres.T)
    east = np.column_stack([-np.sin(ra), np.cos(ra), np.zeros(n)])
    north = np.column_stack([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)])
    step = 1.0  # arcsec: long enough for the differences, short for the curvature of any image
    small = np.radians(step / 3600)
    points = np.concatenate(
        [middle, *(middle + sign * small * axis for axis in (east, north) for sign in (1, -1))]
    )
    ra, dec = np.transpose([degrees(p) for p in points])
    x, y = (c.reshape(5, n) for c in to_pixels(wcs, shape, ra, dec, margin=_FAR * max(shape)))
    jacobian = np.empty((n, 2, 2))
    for column, (ahead, behind) in enumerate(((1, 2), (3, 4))):
        jacobian[:, 0, column] = (x[ahead] - x[behind]) / (2 * step)
        jacobian[:, 1, column] = (y[ahead] - y[behind]) / (2 * step)
    return np.column_stack([x[0], y[0]]), jacobian
