"""A star with its circles, how stars are masked, and the mask itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...data.galaxy import BandImage
from ...fits_io.ds9_regions import Circle
from ..grid.pixel_positions import pixel_steps, pixels_about, to_pixels
from .star_files import light_of_tag, light_tag, psf_numbers, psf_tag, psfs_of_tags
from .star_light import StarLight
from .star_wings import StarPsf


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
        A place within its circles that they leave free: right ascension, declination (degrees) and
        radius (arcsec) of the galaxy's nucleus, where a circle reaches it.
    lights : mapping of str to StarLight
        What is subtracted of it, by band name; its circles cover only what is not known well enough
        there.
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
    lights: Mapping[str, StarLight] = field(default_factory=dict)


Disc = tuple[slice, slice, np.ndarray]
"""Rows and columns of an image, and which of the pixels there a circle covers."""

Discs = dict[tuple[str, int], tuple[Star, BandImage, "Disc | None"]]
"""Discs by band and star, with what they are of, so that only those of changed stars are made
again.
"""

_REMEMBERED = 20_000
_SAME_RADIUS = 1e-3  # arcsec


def star_mask(stars: Sequence[Star], image: BandImage, known: Discs | None = None) -> np.ndarray:
    """Pixels under the enabled circles of an image's band.

    Parameters
    ----------
    stars : sequence of Star
        Any number.
    image : BandImage
        Its WCS may be rotated, sheared and distorted.
    known : dict, optional
        Kept between calls, it spares what has not changed.

    Returns
    -------
    ndarray of bool, shape (ny, nx)
        True where masked.
    """
    mask = np.zeros(image.shape, bool)
    name = image.band.name
    shown = [star for star in stars if star.enabled and star.radii.get(name, 0.0) > 0]
    circles = _discs_of(shown, image, {} if known is None else known, lambda s: s.radii[name])
    spared: dict[tuple[float, float, float] | None, list[Disc]] = {}
    for star, disc in zip(shown, circles, strict=True):
        if disc is not None:
            spared.setdefault(star.spared, []).append(disc)
    for place, covered in spared.items():
        here = mask if place is None else np.zeros(image.shape, bool)
        for rows, columns, disc_mask in covered:
            here[rows, columns] |= disc_mask
        if place is not None:
            for hole in discs(image, np.array([place])):
                if hole is not None:
                    here[hole[0], hole[1]] &= ~hole[2]
            mask |= here
    return mask


def seen_light(stars: Sequence[Star], image: BandImage, known: Discs | None = None) -> np.ndarray:
    """Pixels on which an enabled star was brighter than the noise in a band that it is subtracted
    in, shape (ny, nx); `known`, kept between calls, spares what has not changed.
    """
    mask = np.zeros(image.shape, bool)
    shown = [star for star in stars if star.enabled and star.lights]
    found = _discs_of(
        shown,
        image,
        {} if known is None else known,
        lambda star: max(light.seen for light in star.lights.values()),
    )
    for disc in found:
        if disc is not None:
            mask[disc[0], disc[1]] |= disc[2]
    return mask


def _discs_of(
    stars: Sequence[Star], image: BandImage, known: Discs, radius: Callable[[Star], float]
) -> list[Disc | None]:
    """What stars' circles of a radius (arcsec) cover of an image."""
    name = image.band.name
    fresh = [star for star in stars if not _is_known(known.get((name, id(star))), star, image)]
    if len(known) > _REMEMBERED:
        known.clear()
        fresh = list(stars)
    made: dict[int, Disc | None] = {}
    for star in fresh:  # bands on one grid have the same pixels
        other = known.get((f"{radius(star)!r}", id(star)))
        if other is not None and other[0] is star and _same_pixels(other[1], image):
            made[id(star)] = other[2]
    unmade = [star for star in fresh if id(star) not in made]
    circles = np.array([(star.ra, star.dec, radius(star)) for star in unmade]).reshape(-1, 3)
    made.update(zip(map(id, unmade), discs(image, circles), strict=True))
    for star in fresh:
        known[name, id(star)] = known[f"{radius(star)!r}", id(star)] = (star, image, made[id(star)])
    return [known[name, id(star)][2] for star in stars]


def _same_pixels(image: BandImage, other: BandImage) -> bool:
    """Whether two images share their coordinates."""
    return image.wcs is other.wcs and image.shape == other.shape


def _is_known(
    entry: tuple[Star, BandImage, Disc | None] | None, star: Star, image: BandImage
) -> bool:
    return entry is not None and entry[0] is star and entry[1] is image


def discs(image: BandImage, circles: np.ndarray) -> list[Disc | None]:
    """What circles cover of an image; None where they lie off it.

    Parameters
    ----------
    image : BandImage
    circles : ndarray, shape (n, 3)
        ICRS degrees and radius in arcsec.
    """
    found: list[Disc | None] = [None] * len(circles)
    if not len(circles):
        return found
    ra, dec, radius = circles.T
    x, y = to_pixels(
        image.wcs, image.shape, ra, dec, margin=float(radius.max() / image.pixel_arcsec) + 2
    )
    there = np.flatnonzero(np.isfinite(x))
    if there.size:
        for i, step in zip(there, pixel_steps(image.wcs, x[there], y[there]), strict=True):
            found[i] = _disc(image.shape, float(x[i]), float(y[i]), float(radius[i]), step)
    return found


def _disc(
    shape: tuple[int, int], x: float, y: float, radius: float, steps: np.ndarray
) -> Disc | None:
    """The pixels whose centre lies within `radius` arcsec, in the circle's own bounding box."""
    about = pixels_about(shape, x, y, radius, steps)
    if about is None:
        return None
    rows, columns, east, north = about
    covered = east**2 + north**2 <= radius**2
    # a circle smaller than a pixel still masks the pixel it lies in
    row, column = round(y) - rows.start, round(x) - columns.start
    if 0 <= column < covered.shape[1] and 0 <= row < covered.shape[0]:
        covered[row, column] = True
    return rows, columns, covered


def to_circles(stars: Iterable[Star]) -> list[Circle]:
    """The stars' circles, one a band in which they have one or are subtracted; where nothing of a
    subtracted star is masked, the circle is the one that would mask it.
    """
    stars = list(stars)
    numbers = psf_numbers(star.lights for star in stars)
    untold = dict(numbers)
    circles = []
    for star in stars:
        for band in dict.fromkeys((*star.radii, *star.lights)):
            radius, light = star.radii.get(band, 0.0), star.lights.get(band)
            tags: dict[str, str] = {}
            if light is not None:
                tags["subtract"] = light_tag(light, radius, numbers[light.psf])
                if untold.pop(light.psf, None):
                    tags["psf"] = psf_tag(light.psf, numbers[light.psf])
                radius = radius or light.circle
            if radius > 0:
                circles.append(
                    Circle(
                        star.ra,
                        star.dec,
                        radius,
                        band,
                        star.id,
                        star.origin,
                        star.magnitude,
                        star.flag,
                        star.enabled,
                        star.spared,
                        tags,
                    )
                )
    return circles


def from_circles(
    circles: Iterable[Circle], bands: Iterable[str], garbled: list[str] | None = None
) -> list[Star]:
    """Stars from circles: those of one name at one place belong together; a circle without a band
    is in all of `bands`.

    Parameters
    ----------
    circles : iterable of Circle
        Of `fits_io.ds9_regions.read_regions`.
    bands : iterable of str
        Names of the images' bands.
    garbled : list of str, optional
        The names of stars whose light cannot be read are appended to it; they are masked.
    """
    bands, circles = list(bands), list(circles)
    psfs = psfs_of_tags(c.tags["psf"] for c in circles if "psf" in c.tags)
    stars: dict[tuple[str, int, int], Star] = {}
    for number, circle in enumerate(circles, 1):
        name = circle.id or f"circle {number}"
        place = (name, round(circle.ra * 36000), round(circle.dec * 36000))  # a tenth of an arcsec
        radius, light = _told_light(circle, psfs)
        if light is None and "subtract" in circle.tags and garbled is not None:
            garbled.append(name)
        radii = dict.fromkeys([circle.band] if circle.band else bands, radius)
        lights = {} if light is None else {circle.band: light}
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
                lights,
            )
        else:
            stars[place] = replace(
                known, radii={**known.radii, **radii}, lights={**known.lights, **lights}
            )
    return [
        replace(star, radii={**dict.fromkeys(bands, 0.0), **star.radii}) for star in stars.values()
    ]


def _told_light(circle: Circle, psfs: Mapping[int, StarPsf]) -> tuple[float, StarLight | None]:
    """The radius (arcsec) that a circle masks, and what is subtracted of its star."""
    told = light_of_tag(circle.tags["subtract"], psfs) if "subtract" in circle.tags else None
    if told is None or not circle.band:
        return circle.radius, None
    light, radius, whole = told
    if light is None:
        return max(circle.radius, whole), None
    # Where nothing of it is masked its circle shows what would be, unless a person changed that.
    changed = abs(circle.radius - (radius or whole)) > _SAME_RADIUS
    return (circle.radius if changed else radius), light
