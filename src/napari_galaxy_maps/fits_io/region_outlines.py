"""The outlines of shapes of region files, as corners on the sky."""

from __future__ import annotations

from typing import Any

import numpy as np

_ROUND = 180
"""Corners of what is round: its polygon lies within 1.5e-4 of its size."""


def corners(region: Any) -> np.ndarray:
    """Corners of a circle, an ellipse, a box or a polygon.

    Parameters
    ----------
    region : regions.SkyRegion
        In ICRS.

    Returns
    -------
    ndarray, shape (n, 2)
        ICRS right ascension and declination in degrees.
    """
    if hasattr(region, "vertices"):
        return np.column_stack([region.vertices.ra.deg, region.vertices.dec.deg])
    if hasattr(region, "radius"):
        return _around(region, 2 * region.radius, 2 * region.radius, is_box=False)
    is_box = "Rectangle" in type(region).__name__
    return _around(region, region.width, region.height, is_box)


def ring_corners(region: Any) -> np.ndarray:
    """Corners of a ring: around its outer edge, inwards, back around its inner edge, and outwards
    again where it came, so that what lies inside of the polygon is the ring.

    Parameters
    ----------
    region : regions.SkyRegion
        A round, elliptical or rectangular annulus, in ICRS.

    Returns
    -------
    ndarray, shape (n, 2)
        ICRS right ascension and declination in degrees.
    """
    is_box = "Rectangle" in type(region).__name__
    if hasattr(region, "outer_radius"):
        sizes = [(2 * radius,) * 2 for radius in (region.outer_radius, region.inner_radius)]
    else:
        sizes = [
            (region.outer_width, region.outer_height),
            (region.inner_width, region.inner_height),
        ]
    outer, inner = (_around(region, *size, is_box) for size in sizes)
    return np.concatenate([outer, outer[:1], inner[:1], inner[::-1]])


def _around(region: Any, width: Any, height: Any, is_box: bool) -> np.ndarray:
    """Corners about the centre of a region, along great circles."""
    from astropy.coordinates.angles import offset_by

    if is_box:
        x, y = np.array([-1.0, 1, 1, -1]), np.array([-1.0, -1, 1, 1])
    else:
        turn = np.linspace(0, 2 * np.pi, _ROUND, endpoint=False)
        x, y = np.cos(turn), np.sin(turn)
    x, y = x * width.to_value("rad") / 2, y * height.to_value("rad") / 2
    angle = region.angle.to_value("rad") if hasattr(region, "angle") else 0.0
    # The angle of the width is from west towards north: the direction (x, y) has this position
    # angle.
    lon, lat = offset_by(
        region.center.ra.rad, region.center.dec.rad, angle - np.pi / 2 + np.arctan2(y, x),
        np.hypot(x, y),
    )  # fmt: skip
    return np.column_stack([lon.deg % 360, lat.deg])
