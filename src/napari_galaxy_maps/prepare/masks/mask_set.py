"""What is masked by hand or by fit: stars' circles and freehand patches, on the sky, for some bands
or all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...data.galaxy import BandImage
from ...fits_io.ds9_regions import Polygon
from ..grid.pixel_positions import to_pixels
from ..stars.star_list import Discs, Star, star_mask

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

    def on(self, image: BandImage, known: Discs | None = None) -> np.ndarray | None:
        """The mask of an image in its band, shape (ny, nx), True where masked; None where nothing
        is.

        `known`, kept between calls, spares the circles that have not changed.
        """
        polygons = [
            shape
            for shape in self.polygons
            if shape.enabled and shape.band in ("", image.band.name)
        ]
        mask = self._of_shapes(
            polygons, image.wcs, image.shape, lambda stars: star_mask(stars, image, known)
        )
        for patch in self.patches:
            if not patch.bands or image.band.name in patch.bands:
                painted = patch.on(image.wcs, image.shape)
                mask = painted if mask is None else mask | painted
        return mask

    def _of_shapes(
        self,
        polygons: Sequence[Polygon],
        wcs: WCS,
        shape: tuple[int, int],
        mask_of: Callable[[Sequence[Star]], np.ndarray],
    ) -> np.ndarray | None:
        """The mask of circles and polygons; what frees its pixels takes them out of what is masked
        by hand, not of stars that were found or are in a catalogue.
        """
        freed = [polygon for polygon in polygons if polygon.frees]
        hand = [star for star in self.stars if star.origin == "hand"] if freed else self.stars
        mask = mask_of(hand) if hand else None
        for polygon in polygons:
            if not polygon.frees:
                drawn = _inside(polygon, wcs, shape)
                mask = drawn if mask is None else mask | drawn
        for polygon in freed:
            if mask is not None:
                mask &= ~_inside(polygon, wcs, shape)
        others = [star for star in self.stars if star.origin != "hand"] if freed else []
        if others:
            mask = mask_of(others) if mask is None else mask | mask_of(others)
        return mask

    def of_each(self, images: Iterable[BandImage], known: Discs | None = None) -> np.ndarray:
        """The masks of images on the same pixels, each in its band, shape (n_images, ny, nx).

        `known`, kept between calls, spares the circles that have not changed.
        """
        images = list(images)
        shapes = replace(self, patches=())
        wcs, shape = images[0].wcs, images[0].shape
        painted = [(patch.bands, patch.on(wcs, shape)) for patch in self.patches]
        masks = np.zeros((len(images), *shape), bool)
        for mask, image in zip(masks, images, strict=True):
            drawn = shapes.on(image, known)
            if drawn is not None:
                mask |= drawn
            for bands, pixels in painted:
                if not bands or image.band.name in bands:
                    mask |= pixels
        return masks

    def on_grid(self, bands: Sequence[str], wcs: WCS, shape: tuple[int, int]) -> np.ndarray:
        """Pixels of a grid that lie under the mask of any of some bands, shape (ny, nx)."""
        from ...bands.registry import get_band

        widest = [
            replace(
                star,
                radii={"WISE_3.4": max((star.radii.get(band, 0.0) for band in bands), default=0.0)},
            )
            for star in self.stars
        ]
        blank = BandImage(np.zeros(shape, np.float32), get_band("WISE_3.4"), wcs)
        polygons = [
            polygon
            for polygon in self.polygons
            if polygon.enabled and (not polygon.band or polygon.band in bands)
        ]
        found = replace(self, stars=tuple(widest))._of_shapes(
            polygons, wcs, shape, lambda stars: star_mask(stars, blank)
        )
        mask = np.zeros(shape, bool) if found is None else found
        for patch in self.patches:
            if not patch.bands or set(patch.bands) & set(bands):
                mask |= patch.on(wcs, shape)
        return mask


def _inside(polygon: Polygon, wcs: WCS, shape: tuple[int, int]) -> np.ndarray:
    """Pixels whose centre lies in a polygon, shape (ny, nx)."""
    from regions import PixCoord, PolygonPixelRegion

    ra, dec = np.asarray(polygon.vertices, float).T
    x, y = to_pixels(wcs, shape, ra, dec, margin=10 * max(shape))
    if not np.isfinite(x).all():
        return np.zeros(shape, bool)
    drawn = PolygonPixelRegion(PixCoord(x, y)).to_mask(mode="center").to_image(shape)
    return np.zeros(shape, bool) if drawn is None else np.asarray(drawn) > 0
