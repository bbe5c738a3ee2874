"""The ellipse of a mock galaxy: distances along it, and where it is as bright as at D25."""

from __future__ import annotations

import numpy as np

from ..constants import ZERO_AB_MJY_SR
from .population import MockGalaxy

_ISOPHOTE = ZERO_AB_MJY_SR * 10 ** (-0.4 * 25.0)  # 25 mag/arcsec2 in MJy/sr


def axis_ratio(galaxy: MockGalaxy) -> float:
    """b/a of the disc or spheroid on the sky."""
    cos2 = np.cos(np.radians(galaxy.inclination)) ** 2
    thin = galaxy.bulge_axis if galaxy.kind == "elliptical" else 0.2
    return float(np.sqrt(cos2 + (1 - cos2) * thin**2))


def ellipse_radii(galaxy: MockGalaxy, size: int) -> np.ndarray:
    """Semi-major axes in pixels of the ellipses through the pixels of a centred image, shape (size,
    size).
    """
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    angle = np.radians(galaxy.position_angle)
    major, minor = -x * np.sin(angle) + y * np.cos(angle), x * np.cos(angle) + y * np.sin(angle)
    return np.asarray(np.hypot(major, minor / axis_ratio(galaxy)))


def isophotal_radius(image: np.ndarray, radii: np.ndarray, least: float) -> float:
    """Semi-major axis in pixels where the mean along ellipses falls to 25 mag/arcsec2.

    Parameters
    ----------
    image : ndarray, shape (n, n)
        Surface brightness without noise, MJy/sr.
    radii : ndarray, shape (n, n)
        From `ellipse_radii`.
    least : float
        At least so many pixels.
    """
    ring = radii.astype(int).ravel()
    mean = np.bincount(ring, image.ravel()) / np.maximum(np.bincount(ring), 1)
    bright = np.flatnonzero(mean[: len(image) // 2] > _ISOPHOTE)
    return max(float(bright[-1] if len(bright) else 0), least)
