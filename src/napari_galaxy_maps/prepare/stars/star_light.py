"""A star's light as it is taken off an image, and by how much that may be wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..grid.pixel_positions import pixel_steps, pixels_about, to_pixels
from .star_wings import StarPsf

if TYPE_CHECKING:
    from ...data.galaxy import BandImage


@dataclass(frozen=True)
class StarLight:
    """What is subtracted of a star in a band.

    Attributes
    ----------
    ra, dec : float
        Where its fit lies, ICRS degrees.
    peak : float
        Of the fitted Gaussian, MJy/sr.
    width : float
        Its width over that of the band's stars.
    error : float
        Of the peak, as a share of it.
    reach : float
        Arcsec out to which it is subtracted.
    seen : float
        Arcsec out to which its light is over the noise.
    circle : float
        Radius in arcsec of the circle that masks it where it is not subtracted.
    psf : StarPsf
        What the band's stars look like.
    """

    ra: float
    dec: float
    peak: float
    width: float
    error: float
    reach: float
    seen: float
    circle: float
    psf: StarPsf

    def __post_init__(self) -> None:
        values = (self.peak, self.width, self.error, self.reach, self.seen, self.circle)
        if not (np.isfinite([self.ra, self.dec, *values]).all() and min(values) >= 0 < self.width):
            raise ValueError("the light of a star that no star has")

    def at(self, radius: np.ndarray) -> np.ndarray:
        """Its light (MJy/sr) at radii in arcsec."""
        wings = self.psf.wings
        return np.asarray(self.peak * np.interp(radius / self.width, wings.radius, wings.profile))

    def doubt_at(self, radius: np.ndarray) -> np.ndarray:
        """By how much (MJy/sr, 1 sigma) its light may be another, at radii in arcsec."""
        share = np.hypot(self.psf.doubt_at(radius / self.width), self.error)
        return np.asarray(share * self.at(radius))


Piece = tuple[slice, slice, np.ndarray, np.ndarray]
"""Rows and columns of an image, a star's light there, and its doubt."""

Pieces = dict[tuple[str, int], tuple[StarLight, "BandImage", "Piece | None"]]
"""Pieces by band and star, with what they are of."""

_REMEMBERED = 20_000


@dataclass(frozen=True)
class LightPlanes:
    """What is subtracted from an image.

    Attributes
    ----------
    lights : tuple of StarLight
        Of these stars.
    light, doubt : ndarray of float32, shape (ny, nx)
        The sum of their light, and by how much that may be wrong (1 sigma, all stars at once),
        MJy/sr.
    box : tuple of slice
        Rows and columns in which they differ from those that they were made of.
    """

    lights: tuple[StarLight, ...]
    light: np.ndarray
    doubt: np.ndarray
    box: tuple[slice, slice]


def light_planes(
    lights: Sequence[StarLight],
    image: BandImage,
    before: LightPlanes | None = None,
    known: Pieces | None = None,
) -> LightPlanes | None:
    """The light of stars on an image.

    Parameters
    ----------
    lights : sequence of StarLight
        Of the image's band.
    image : BandImage
        Its WCS may be rotated, sheared and distorted.
    before : LightPlanes, optional
        Of the same image: what has not changed is taken from there, to the same last bit.
    known : dict, optional
        Kept between calls, it spares what has not changed.

    Returns
    -------
    LightPlanes or None
        `before` itself where nothing has changed; None where there is no light.
    """
    known = {} if known is None else known
    if before is not None and _same(before.lights, lights):
        return before
    if not lights:
        return None
    pieces = _pieces(lights, image, known)
    changed = list(pieces)
    if before is None:
        light, doubt = np.zeros((2, *image.shape), np.float32)
    else:
        light, doubt = before.light.copy(), before.doubt.copy()
        old, new = ({id(x) for x in some} for some in (before.lights, lights))
        gone = [x for x in before.lights if id(x) not in new]
        changed = _pieces(gone, image, known)
        changed += [piece for x, piece in zip(lights, pieces, strict=True) if id(x) not in old]
    boxes = [piece[:2] for piece in changed if piece is not None]
    rows, columns = slice(0, 0), slice(0, 0)
    if boxes:
        # All of it in the stars' order, so that an edit gives what a fresh start gives.
        rows, columns = (
            slice(min(box[axis].start for box in boxes), max(box[axis].stop for box in boxes))
            for axis in (0, 1)
        )
        light[rows, columns] = doubt[rows, columns] = 0
        for piece in pieces:
            if piece is not None:
                _add(piece, light, doubt, rows, columns)
    return LightPlanes(tuple(lights), light, doubt, (rows, columns))


def _same(some: Sequence[StarLight], others: Sequence[StarLight]) -> bool:
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))


def _add(piece: Piece, light: np.ndarray, doubt: np.ndarray, rows: slice, columns: slice) -> None:
    """Add the part of a piece that lies in a rectangle."""
    down, across = (
        slice(max(own.start, wanted.start), min(own.stop, wanted.stop))
        for own, wanted in zip(piece[:2], (rows, columns), strict=True)
    )
    if down.stop > down.start and across.stop > across.start:
        own = (
            slice(down.start - piece[0].start, down.stop - piece[0].start),
            slice(across.start - piece[1].start, across.stop - piece[1].start),
        )
        light[down, across] += piece[2][own]
        doubt[down, across] += piece[3][own]


def _pieces(lights: Sequence[StarLight], image: BandImage, known: Pieces) -> list[Piece | None]:
    """The part of an image that each star's light falls on; None where it lies off it."""
    name = image.band.name
    if len(known) > _REMEMBERED:
        known.clear()
    fresh = []
    for light in lights:
        entry = known.get((name, id(light)))
        if entry is None or entry[0] is not light or entry[1] is not image:
            fresh.append(light)
    if fresh:
        ra, dec, reach = np.array([(x.ra, x.dec, x.reach) for x in fresh]).T
        margin = float(reach.max() / image.pixel_arcsec) + 2
        x, y = to_pixels(image.wcs, image.shape, ra, dec, margin=margin)
        there = np.flatnonzero(np.isfinite(x))
        steps = dict(zip(there, pixel_steps(image.wcs, x[there], y[there]), strict=True))
        for i, light in enumerate(fresh):
            piece = _piece(light, image.shape, x[i], y[i], steps[i]) if i in steps else None
            known[name, id(light)] = (light, image, piece)
    return [known[name, id(light)][2] for light in lights]


def _piece(
    light: StarLight, shape: tuple[int, int], x: float, y: float, steps: np.ndarray
) -> Piece | None:
    """A star's light on the pixels within its reach."""
    about = pixels_about(shape, x, y, light.reach, steps)
    if about is None:
        return None
    rows, columns, east, north = about
    radius = np.hypot(east, north)
    within = radius <= light.reach
    planes = (np.where(within, values(radius), 0.0) for values in (light.at, light.doubt_at))
    bright, doubt = (plane.astype(np.float32) for plane in planes)
    return rows, columns, bright, doubt
