"""Between sky and pixels for a few points at a time, without the cost of coordinate objects."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from astropy.wcs import WCS

# Of the frames that images are in, these differ from ICRS by less than 0.03 arcsec.
_AS_ICRS = {"ICRS", "FK5"}


@lru_cache(maxsize=64)
def _frame(radesys: str, equinox: float, ctype: str) -> Any:
    """The frame of a WCS, or None where ICRS will do."""
    if (
        ctype.startswith("RA")
        and (radesys in _AS_ICRS or not radesys)
        and not (equinox and abs(equinox - 2000) > 0.01)
    ):
        return None
    from astropy.coordinates import FK4, FK5, Galactic
    from astropy.time import Time

    if ctype.startswith("GLON"):
        return Galactic()
    kind = FK4 if radesys.startswith("FK4") or (equinox and equinox < 1980) else FK5
    year = equinox or (1950 if kind is FK4 else 2000)
    return kind(equinox=Time(year, format="byear" if kind is FK4 else "jyear"))


def frame_of(wcs: WCS) -> Any:
    """The astropy frame of a WCS, or None where it is ICRS to 0.03 arcsec."""
    ctype = str(wcs.wcs.ctype[wcs.wcs.lng])
    equinox = float(wcs.wcs.equinox) if np.isfinite(wcs.wcs.equinox) else 0.0
    if not ctype.startswith(("RA", "GLON")):
        from astropy.wcs.utils import wcs_to_celestial_frame

        return wcs_to_celestial_frame(wcs)
    return _frame(str(wcs.wcs.radesys).upper().replace("-NO-E", ""), equinox, ctype)


def sky_in_frame(wcs: WCS, ra: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude, in the frame of a WCS, of ICRS positions; all in degrees."""
    frame = frame_of(wcs)
    if frame is None:
        return np.asarray(ra, float), np.asarray(dec, float)
    from astropy.coordinates import SkyCoord

    there = SkyCoord(ra, dec, unit="deg").transform_to(frame).spherical
    return np.asarray(there.lon.deg), np.asarray(there.lat.deg)


def to_pixels(
    wcs: WCS, shape: tuple[int, int], ra: np.ndarray, dec: np.ndarray, margin: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """Pixel positions of ICRS positions (degrees), NaN where they lie more than `margin` pixels off
    the image.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        With distortions or without; these are inverted only near the image, where that is possible
        and unambiguous.
    shape : tuple of int
        (ny, nx) of the image.
    ra, dec : ndarray of float, shape (n,)
        Positions.
    margin : float
        How far outside, in pixels, still counts.
    """
    from astropy.wcs import NoConvergence

    lon, lat = sky_in_frame(wcs, np.atleast_1d(ra), np.atleast_1d(dec))
    ny, nx = shape
    world = np.column_stack([lon, lat] if wcs.wcs.lng == 0 else [lat, lon])
    with np.errstate(invalid="ignore"):
        pixels = wcs.wcs_world2pix(world, 0)
    x, y = pixels.T
    if wcs.has_distortion:
        # A rough position first: far from the image a polynomial has no inverse.
        room = margin + 0.2 * max(shape)
        near = (x > -room) & (y > -room) & (x < nx + room) & (y < ny + room)
        x, y = np.where(near, x, np.nan), np.where(near, y, np.nan)
        if near.any():
            try:
                found = wcs.all_world2pix(world[near], 0)
            except NoConvergence as error:
                found = error.best_solution
                if error.divergent is not None:
                    found[error.divergent] = np.nan
            x[near], y[near] = found.T
    # wcs_world2pix maps the far side of the sky onto the image too: such points do not come back to
    # themselves.
    with np.errstate(invalid="ignore"):
        there = (
            (x > -0.5 - margin)
            & (y > -0.5 - margin)
            & (x < nx - 0.5 + margin)
            & (y < ny - 0.5 + margin)
        )
    if there.any():
        back = wcs.all_pix2world(np.column_stack([x[there], y[there]]), 0)
        off = np.abs(back - world[there])
        column = wcs.wcs.lng
        off[:, column] = np.minimum(off[:, column] % 360, 360 - off[:, column] % 360) * np.cos(
            np.radians(world[there][:, 1 - column])
        )
        there[np.flatnonzero(there)[off.max(axis=1) > 1e-3]] = False
    return np.where(there, x, np.nan), np.where(there, y, np.nan)


def pixel_steps(wcs: WCS, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How far, in arcsec along longitude and latitude of the image's frame, a step of a pixel in x
    and in y leads.

    Returns
    -------
    ndarray, shape (n, 2, 2)
        ``steps[:, 0, 0]`` along longitude for a step in x, ``steps[:, 0, 1]`` for one in y;
        ``steps[:, 1]`` along latitude.
    """
    n = len(x)
    points = np.concatenate(
        [np.column_stack([x + dx, y + dy]) for dx, dy in ((-0.5, 0), (0.5, 0), (0, -0.5), (0, 0.5))]
    )
    world = wcs.all_pix2world(points, 0).reshape(4, n, 2)
    lng = wcs.wcs.lng
    lon, lat = world[..., lng], world[..., 1 - lng]
    steps = np.empty((n, 2, 2))
    for column, (before, after) in enumerate(((0, 1), (2, 3))):
        turn = (lon[after] - lon[before] + 180) % 360 - 180
        steps[:, 0, column] = turn * np.cos(np.radians((lat[after] + lat[before]) / 2)) * 3600
        steps[:, 1, column] = (lat[after] - lat[before]) * 3600
    return steps


def pixels_about(
    shape: tuple[int, int], x: float, y: float, radius: float, steps: np.ndarray
) -> tuple[slice, slice, np.ndarray, np.ndarray] | None:
    """The pixels in the bounding box of a circle, with that in which its centre lies.

    Parameters
    ----------
    shape : tuple of int
        (ny, nx) of the image.
    x, y : float
        The centre.
    radius : float
        In arcsec.
    steps : ndarray, shape (2, 2)
        Of `pixel_steps` there.

    Returns
    -------
    rows, columns : slice
    east, north : ndarray
        How far they lie from the centre, arcsec; None in place of all where there is no such pixel.
    """
    # half-sides of the box around the ellipse that the circle is
    reach = radius * np.sqrt((np.abs(np.linalg.inv(steps)) ** 2).sum(axis=1))
    columns, rows = (
        slice(
            max(0, min(int(np.ceil(middle - half)), round(middle))),
            min(n, max(int(np.floor(middle + half)), round(middle)) + 1),
        )
        for middle, half, n in zip((x, y), reach, shape[::-1], strict=True)
    )
    if columns.stop <= columns.start or rows.stop <= rows.start:
        return None
    u = np.arange(columns.start, columns.stop) - x
    v = (np.arange(rows.start, rows.stop) - y)[:, None]
    east = steps[0, 0] * u + steps[0, 1] * v
    north = steps[1, 0] * u + steps[1, 1] * v
    return rows, columns, east, north
