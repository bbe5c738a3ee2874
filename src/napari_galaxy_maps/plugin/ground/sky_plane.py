"""Where things lie on the sky: one tangent plane for all layers, positions in words, a WCS for
every thread.
"""

from __future__ import annotations

import copy
import threading
from typing import TYPE_CHECKING

import numpy as np

from ...exceptions import InputError

if TYPE_CHECKING:
    from astropy.wcs import WCS

Reference = tuple[float, float]
"""RA and Dec in degrees (ICRS) of the point where the tangent plane touches."""


def centre_of(wcs: WCS, shape: tuple[int, int]) -> Reference:
    """ICRS position of the middle of an image of `shape` (ny, nx), in degrees.

    Raises
    ------
    InputError
        When the middle of the image has no position on the sky.
    """
    ny, nx = shape
    sky = wcs.pixel_to_world((nx - 1) / 2, (ny - 1) / 2).icrs
    ra, dec = float(sky.ra.deg), float(sky.dec.deg)
    if not np.isfinite([ra, dec]).all():
        raise InputError(
            "The middle of an image has no position on the sky; its WCS cannot be used."
        )
    return ra, dec


def offsets(ra: np.ndarray, dec: np.ndarray, reference: Reference) -> tuple[np.ndarray, np.ndarray]:
    """East and north offsets in arcsec on the plane tangent at `reference`; NaN a quarter of the
    sky away or more.
    """
    ra, dec = np.radians(ra), np.radians(dec)
    ra0, dec0 = np.radians(reference)
    cos_distance = np.sin(dec0) * np.sin(dec) + np.cos(dec0) * np.cos(dec) * np.cos(ra - ra0)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(cos_distance > 1e-3, np.degrees(1) * 3600 / cos_distance, np.nan)
    east = scale * np.cos(dec) * np.sin(ra - ra0)
    north = scale * (np.cos(dec0) * np.sin(dec) - np.sin(dec0) * np.cos(dec) * np.cos(ra - ra0))
    return east, north


def position_at(east: float, north: float, reference: Reference) -> Reference:
    """RA and Dec in degrees of the point with these offsets (arcsec) on the plane tangent at
    `reference`.
    """
    x, y = np.radians(east / 3600), np.radians(north / 3600)
    ra0, dec0 = np.radians(reference)
    ra = ra0 + np.arctan2(x, np.cos(dec0) - y * np.sin(dec0))
    dec = np.arctan2(np.sin(dec0) + y * np.cos(dec0), np.hypot(x, np.cos(dec0) - y * np.sin(dec0)))
    return float(np.degrees(ra) % 360), float(np.degrees(dec))


def sky_affine(wcs: WCS, shape: tuple[int, int], reference: Reference) -> np.ndarray:
    """The affine that puts an image on the tangent plane, the same for every band.

    A straight-line fit to the true positions of points all over the image: distortions stay in the
    WCS, which the read-out uses.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        Celestial coordinates of the image.
    shape : tuple of int
        (ny, nx).
    reference : tuple of float
        RA and Dec in degrees where the plane touches.

    Returns
    -------
    ndarray, shape (3, 3)
        Takes (row, column, 1) to (north offset, minus east offset, 1) in arcsec.

    Raises
    ------
    InputError
        When the image lies too far from `reference` or its WCS gives no positions.
    """
    ny, nx = shape
    rows, columns = (
        g.ravel() for g in np.meshgrid(*(np.linspace(0, n - 1, 7) for n in shape), indexing="ij")
    )
    sky = wcs.pixel_to_world(columns, rows).icrs
    east, north = offsets(sky.ra.deg, sky.dec.deg, reference)
    good = np.isfinite(east) & np.isfinite(north)
    if good.sum() < 3:
        raise InputError(
            "An image lies on another part of the sky, or its WCS gives no positions; open it on "
            "its own."
        )
    design = np.column_stack([rows - (ny - 1) / 2, columns - (nx - 1) / 2, np.ones(rows.size)])[
        good
    ]
    target = np.column_stack([north[good], -east[good]])
    solution, *_ = np.linalg.lstsq(design, target, rcond=None)
    affine = np.eye(3)
    affine[:2, :2] = solution[:2].T
    affine[:2, 2] = solution[2] - affine[:2, :2] @ [(ny - 1) / 2, (nx - 1) / 2]
    return affine


def position_text(ra: float, dec: float) -> str:
    """RA and Dec in degrees as ``RA 00:56:42.6  Dec -09:54:50``.

    Examples
    --------
    >>> position_text(14.1775, -9.913889)
    'RA 00:56:42.6  Dec -09:54:50'
    """
    return f"RA {sexagesimal(ra / 15, 1)}  Dec {sexagesimal(dec, 0, sign=True)}"


def sexagesimal(value: float, decimals: int, sign: bool = False) -> str:
    """Hours or degrees as ``HH:MM:SS.s``, rounded without ever showing 60 seconds."""
    step = 10**decimals
    ticks = round(abs(value) * 3600 * step)
    if not sign:
        ticks %= 24 * 3600 * step
    seconds, fraction = divmod(ticks, step)
    minutes, seconds = divmod(seconds, 60)
    units, minutes = divmod(minutes, 60)
    text = f"{units:02d}:{minutes:02d}:{seconds:02d}" + (
        f".{fraction:0{decimals}d}" if decimals else ""
    )
    return (("-" if value < 0 else "+") if sign else "") + text


class ThreadWCS:
    """A WCS that gives every thread its own copy, for astropy's is not thread-safe (astropy#16245,
    #19174).

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        Copied at once; the copy kept here is never computed with.
    """

    def __init__(self, wcs: WCS):
        self._pristine = copy.deepcopy(wcs)
        self._lock = threading.Lock()
        self._local = threading.local()

    def get(self) -> WCS:
        """The calling thread's own copy."""
        wcs = getattr(self._local, "wcs", None)
        if wcs is None:
            with self._lock:
                wcs = self._local.wcs = copy.deepcopy(self._pristine)
        return wcs

    def position(self, column: float, row: float) -> tuple[float, float] | None:
        """RA and Dec (ICRS, degrees) of a pixel, distortions included, or None where there is
        none.
        """
        try:
            sky = self.get().pixel_to_world(column, row).icrs
        except ValueError:
            return None
        ra, dec = float(sky.ra.deg), float(sky.dec.deg)
        return (ra, dec) if np.isfinite([ra, dec]).all() else None

    def __deepcopy__(self, memo: dict) -> ThreadWCS:
        with self._lock:
            return type(self)(self._pristine)

    def __reduce__(self) -> tuple[type[ThreadWCS], tuple[WCS]]:
        return type(self), (self._pristine,)
