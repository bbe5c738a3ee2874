"""What is masked by hand or by fit: stars' circles and freehand patches, on the sky, for some bands
or all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...data.galaxy import BandImage
from ...fits_io.ds9_regions import Polygon
from ..grid.pixel_positions import to_pixels
from ..stars.star_light import StarLight
from ..stars.star_list import Discs, Star, seen_light, star_mask

if TYPE_CHECKING:
    from astropy.wcs import WCS


@dataclass(frozen=True)
class Patch:
    """A freehand mask.

    Attributes
    ----------
    data : ndarray of bool, shape (ny, nx)
        True where masked.
    wcs : astropy.wcs.WCS
        Celestial coordinates of its pixels.
    bands : tuple of str
        The bands it holds for; empty for all.
    """

    data: np.ndarray
    wcs: WCS
    bands: tuple[str, ...] = ()

    def on(self, wcs: WCS, shape: tuple[int, int]) -> np.ndarray:
        """The patch on other pixels: those whose centre lies on a masked pixel, shape (ny, nx)."""
        from ..grid.resampling import positions

        mask = np.zeros(shape, bool)
        if not self.data.any():
            return mask
        x, y = positions(self.wcs, wcs, shape)
        with np.errstate(invalid="ignore"):
            column, row = np.rint(x), np.rint(y)
            ny, nx = self.data.shape
            there = (column >= 0) & (row >= 0) & (column < nx) & (row < ny)
        mask[there] = self.data[row[there].astype(int), column[there].astype(int)]
        return mask


@dataclass(frozen=True)
class Masks:
    """All that is masked.

    Attributes
    ----------
    stars : tuple of Star
        Circles.
    patches : tuple of Patch
        Freehand.
    polygons : tuple of Polygon
        Of region files.
    complete : bool
        False where the stars of the recipe's catalogue are still to be added.
    """

    stars: tuple[Star, ...] = ()
    patches: tuple[Patch, ...] = ()
    polygons: tuple[Polygon, ...] = ()
    complete: bool = True

    def __add__(self, other: Masks) -> Masks:
        """Both together."""
        return Masks(
            self.stars + other.stars,
            self.patches + other.patches,
            self.polygons + other.polygons,
            self.complete,
        )

    def by_hand(self) -> Masks:
        """What no fit has made: circles drawn by hand, patches and polygons."""
        stars = tuple(star for star in self.stars if star.origin == "hand")
        return Masks(stars, self.patches, self.polygons, self.complete)

    def lights_in(self, band: str) -> list[StarLight]:
        """What is subtracted of stars in a band."""
        return [s.lights[band] for s in self.stars if s.enabled and band in s.lights]

    def subtracted_on(self, image: BandImage, known: Discs | None = None) -> np.ndarray:
        """Pixels on which a star that is subtracted in any band was brighter than the noise there,
        shape (ny, nx); `known` as in `on`.
        """
        return seen_light(self.stars, image, known)

    def on(self, image: BandImage, known: Discs | None = None) -> np.ndarray | None:
        """The mask of an image in its band, shape (ny, nx), True where masked; None where nothing
        is.

        `known`, kept between calls, spares the circles that have not changed.
        """
        return self._on(image, known, _pixels_once(image.wcs, image.shape))

    def of_each(self, images: Sequence[BandImage], known: Discs | None = None) -> np.ndarray:
        """The masks of images on the same pixels, each in its band, shape (n_images, ny, nx).

        `known` as in `on`; what is drawn for several bands is put on the pixels once.
        """
        pixels = _pixels_once(images[0].wcs, images[0].shape)
        masks = np.zeros((len(images), *images[0].shape), bool)
        for mask, image in zip(masks, images, strict=True):
            own = self._on(image, known, pixels)
            if own is not None:
                mask[:] = own
        return masks

    def _on(
        self,
        image: BandImage,
        known: Discs | None,
        pixels: Callable[[Polygon | Patch], np.ndarray],
    ) -> np.ndarray | None:
        """`on`, with the pixels of polygons and patches.

        What frees its pixels takes them out of what is masked by hand, not of stars that were
        found or are in a catalogue.
        """
        polygons = [
            shape
            for shape in self.polygons
            if shape.enabled and shape.band in ("", image.band.name)
        ]
        freed = [polygon for polygon in polygons if polygon.frees]
        hand = [star for star in self.stars if star.origin == "hand"] if freed else self.stars
        mask = star_mask(hand, image, known) if hand else None
        for polygon in polygons:
            if not polygon.frees:
                mask = pixels(polygon) if mask is None else mask | pixels(polygon)
        for polygon in freed:
            if mask is not None:
                mask = mask & ~pixels(polygon)
        others = [star for star in self.stars if star.origin != "hand"] if freed else []
        if others:
            found = star_mask(others, image, known)
            mask = found if mask is None else mask | found
        for patch in self.patches:
            if not patch.bands or image.band.name in patch.bands:
                mask = pixels(patch) if mask is None else mask | pixels(patch)
        return mask


def _pixels_once(wcs: WCS, shape: tuple[int, int]) -> Callable[[Polygon | Patch], np.ndarray]:
    """The pixels of polygons and patches on a grid, each worked out once."""
    done: dict[int, np.ndarray] = {}

    def pixels(drawn: Polygon | Patch) -> np.ndarray:
        if id(drawn) not in done:
            on = drawn.on(wcs, shape) if isinstance(drawn, Patch) else _inside(drawn, wcs, shape)
            done[id(drawn)] = on
        return done[id(drawn)]

    return pixels


def _inside(polygon: Polygon, wcs: WCS, shape: tuple[int, int]) -> np.ndarray:
    """Pixels whose centre lies in a polygon, shape (ny, nx)."""
    from regions import PixCoord, PolygonPixelRegion

    ra, dec = np.asarray(polygon.vertices, float).T
    x, y = to_pixels(wcs, shape, ra, dec, margin=10 * max(shape))
    if not np.isfinite(x).all():
        return np.zeros(shape, bool)
    drawn = PolygonPixelRegion(PixCoord(x, y)).to_mask(mode="center").to_image(shape)
    return np.zeros(shape, bool) if drawn is None else np.asarray(drawn) > 0
