"""A star with its circles, how stars are masked, and the mask itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..fits_io.regions_io import Circle
from ..galaxy import BandImage
from .pixels import pixel_steps, to_pixels


@dataclass(frozen=True)
class Star:
    """One star in all bands.

    Attributes
    ----------
    id : str
        Of the catalogue.
    ra, dec : float
        ICRS degrees at the images' epoch.
    magnitude : float
        Gaia G, NaN where unknown.
    origin : str
        "gaia" (a catalogue), "daofind" (found on the image) or "hand".
    radii : mapping of str to float
        Radius of its circle in arcsec by band name; 0 where it is not masked.
    flag : str
        Why a person should look at it; "" where all is well.
    enabled : bool
        Whether its circles mask.
    spared : tuple of float, or None
        A place within its circles that they leave free: right ascension, declination (degrees) and radius (arcsec) of
        the galaxy's nucleus, where a circle reaches it.
    """

    id: str
    ra: float
    dec: float
    magnitude: float
    origin: str
    radii: Mapping[str, float] = field(default_factory=dict)
    flag: str = ""
    enabled: bool = True
    spared: tuple[float, float, float] | None = None


def star_mask(stars: Sequence[Star], image: BandImage) -> np.ndarray:
    """Pixels under the enabled circles of an image's band.

    Parameters
    ----------
    stars : sequence of Star
        Any number.
    image : BandImage
        Its WCS may be rotated, sheared and distorted.

    Returns
    -------
    ndarray of bool, shape (ny, nx)
        True where masked.
    """
    mask = np.zeros(image.shape, bool)
    name = image.band.name
    spared: dict[tuple[float, float, float] | None, list[tuple[float, float, float]]] = {}
    for star in stars:
        radius = star.radii.get(name, 0.0)
        if star.enabled and radius > 0:
            spared.setdefault(star.spared, []).append((star.ra, star.dec, radius))
    for place, circles in spared.items():
        here = np.zeros(image.shape, bool) if place is not None else mask
        _paint_all(here, image, np.array(circles))
        if place is not None:
            hole = np.zeros(image.shape, bool)
            _paint_all(hole, image, np.array([place]))
            mask |= here & ~hole
    return mask


def _paint_all(mask: np.ndarray, image: BandImage, circles: np.ndarray) -> None:
    """Paint circles, shape (n, 3): ICRS degrees and radius in arcsec."""
    ra, dec, radius = circles.T
    x, y = to_pixels(image.wcs, image.shape, ra, dec, margin=float(radius.max() / image.pixel_arcsec) + 2)
    there = np.isfinite(x)
    if not there.any():
        return
    steps = pixel_steps(image.wcs, x[there], y[there])
    for px, py, size, step in zip(x[there], y[there], radius[there], steps, strict=True):
        _paint(mask, px, py, size, step)


def _paint(mask: np.ndarray, x: float, y: float, radius: float, steps: np.ndarray) -> None:
    """Set the pixels whose centre lies within `radius` arcsec, in the circle's own bounding box."""
    ny, nx = mask.shape
    inverse = np.abs(np.linalg.inv(steps))
    reach = radius * np.sqrt((inverse**2).sum(axis=1))  # half-sides of the box around the ellipse that the circle is
    x0, x1 = max(0, int(np.ceil(x - reach[0]))), min(nx, int(np.floor(x + reach[0])) + 1)
    y0, y1 = max(0, int(np.ceil(y - reach[1]))), min(ny, int(np.floor(y + reach[1])) + 1)
    if x1 > x0 and y1 > y0:
        u, v = np.arange(x0, x1) - x, (np.arange(y0, y1) - y)[:, None]
        east, north = steps[0, 0] * u + steps[0, 1] * v, steps[1, 0] * u + steps[1, 1] * v
        mask[y0:y1, x0:x1] |= east**2 + north**2 <= radius**2
    # a circle smaller than a pixel still masks the pixel it lies in
    column, row = round(x), round(y)
    if 0 <= column < nx and 0 <= row < ny:
        mask[row, column] = True


def to_circles(stars: Iterable[Star]) -> list[Circle]:
    """The stars' circles, one a band in which they have one."""
    return [
        Circle(
            star.ra, star.dec, radius, band, star.id, star.origin, star.magnitude, star.flag, star.enabled, star.spared
        )
        for star in stars
        for band, radius in star.radii.items()
        if radius > 0
    ]


def from_circles(circles: Iterable[Circle], bands: Iterable[str]) -> list[Star]:
    """Stars from circles: those of one name at one place belong together; a circle without a band is in all of `bands`.

    Parameters
    ----------
    circles : iterable of Circle
        Of `fits_io.regions_io.read_regions`.
    bands : iterable of str
        Names of the images' bands.
    """
    bands = list(bands)
    stars: dict[tuple[str, int, int], Star] = {}
    for number, circle in enumerate(circles, 1):
        name = circle.id or f"circle {number}"
        place = (name, round(circle.ra * 36000), round(circle.dec * 36000))  # a tenth of an arcsec
        radii = dict.fromkeys([circle.band] if circle.band else bands, circle.radius)
        known = stars.get(place)
        if known is None:
            stars[place] = Star(
                name,
                circle.ra,
                circle.dec,
                circle.magnitude,
                circle.origin or "hand",
                radii,
                circle.flag,
                circle.enabled,
                circle.spared,
            )
        else:
            stars[place] = replace(known, radii={**known.radii, **radii})
    return [replace(star, radii={**dict.fromkeys(bands, 0.0), **star.radii}) for star in stars.values()]
