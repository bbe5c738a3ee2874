"""What preparation remembers: results that still hold, and those that a change of the masks touches
only in part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..bands.registry import get_band
from ..data.galaxy import BandImage, Ellipse
from .grid.common_grid import Grid, resample, resampled
from .grid.resampling import PixelMap, part_of, pixel_map
from .psf.convolution import (
    Box,
    Sums,
    changed_box,
    convolution_sums,
    divided,
    divided_doubt,
    matched,
    sampling_step,
    unmatched,
    update_sums,
    without_light,
)
from .psf.kernels import Kernel
from .stars.star_light import LightPlanes, Pieces, StarLight, light_planes
from .stars.star_list import Discs

if TYPE_CHECKING:
    from astropy.wcs import WCS

    from ..sed.library import Library
    from .filled_bands import LastFilling
    from .masked_light import FilledHoles

T = TypeVar("T")
_HEADERS = 200
"""So many coordinates are kept in words."""


def _doubt(sums: Sums, before: np.ndarray | None, box: Box) -> np.ndarray | None:
    """The doubt of a convolved image, of which only a rectangle has changed."""
    if sums.doubt is None:
        return None
    doubt = np.zeros(sums.weight.shape, np.float32) if before is None else before.copy()
    doubt[box] = divided_doubt(sums, box)
    return doubt


def _sampling_step(image: BandImage, kernel: Kernel, largest_arcsec: float) -> int:
    return sampling_step(image, kernel.array, largest_arcsec)


@dataclass
class _MatchedBand:
    """One band at the common PSF, with and without its mask.

    Attributes
    ----------
    starless : BandImage
        The source without the light of stars that are subtracted, and without `smooth`.
    smooth, back : ndarray or None
        The galaxy in the large: on the source's pixels, and as the convolution makes it.
    """

    source: BandImage
    settings: tuple[Any, ...]
    mask: np.ndarray
    sums: Sums | None
    bare: BandImage
    image: BandImage
    starless: BandImage
    planes: LightPlanes | None = None
    smooth: np.ndarray | None = None
    back: np.ndarray | None = None

    def flat(self, box: Box = (slice(None), slice(None))) -> np.ndarray:
        """The source less the galaxy in the large, in a rectangle."""
        data = self.source.data[box]
        return data if self.smooth is None else data - self.smooth[box]

    def counts_otherwise(self, smooth: np.ndarray | None) -> bool:
        """Whether masked pixels count as something else than this here."""
        if self.back is None:
            return smooth is not None and bool(self.mask.any())
        return self.smooth is not smooth

    def flatten(self, smooth: np.ndarray, kernel: np.ndarray) -> None:
        """Let the sums be of what differs from the galaxy in the large; nothing is masked yet."""
        assert self.sums is not None
        self.smooth = smooth
        self.starless = self.starless.evolve(data=self.starless.data - smooth)
        self.sums, self.back = without_light(self.sums, self.starless.data, smooth, kernel)


@dataclass
class _GriddedBand:
    """One band on the grid, and what it was made from."""

    source: BandImage
    grid: Grid
    image: BandImage


@dataclass
class PreparationMemory:
    """Results of steps with what they were made from, so that nothing is done again that need not
    be.

    Attributes
    ----------
    stars : tuple, optional
        What the stars were fitted to, and the masks that came of it.
    touched : dict of str to Box
        By band, the part of the grid that the last change of masks has touched.
    discs, grid_discs : dict
        What the stars' circles cover of each image, and of the grid.
    pieces : dict
        The light of each star on each image.
    seen : dict
        What the light of subtracted stars covers of the grid.
    filled_holes : dict
        By band, what was filled under its mask, hole by hole.
    imputed : LastFilling, optional
        What was filled last, and from what.
    library : tuple, optional
        Settings and redshift of the model spectra, and these (`sed.library.Library`).
    """

    stars: tuple[tuple[Any, ...], Any] | None = None
    kept: dict[tuple[str, str], tuple[BandImage, tuple[Any, ...], Any]] = field(
        default_factory=dict
    )
    touched: dict[str, Box] = field(default_factory=dict)
    discs: Discs = field(default_factory=dict)
    grid_discs: Discs = field(default_factory=dict)
    pieces: Pieces = field(default_factory=dict)
    seen: Discs = field(default_factory=dict)
    filled_holes: dict[str, FilledHoles] = field(default_factory=dict)
    imputed: LastFilling | None = None
    library: tuple[tuple[Any, ...], Library] | None = None
    _matched: dict[str, _MatchedBand] = field(default_factory=dict)
    _changes: dict[str, tuple[BandImage, BandImage, Box]] = field(default_factory=dict)
    _gridded: dict[str, _GriddedBand] = field(default_factory=dict)
    _maps: dict[tuple[str, tuple[int, int]], PixelMap] = field(default_factory=dict)
    _headers: dict[int, tuple[WCS, str]] = field(default_factory=dict)
    _grid: Grid | None = None
    _radius: tuple[Ellipse, np.ndarray] | None = None
    _blank: dict[str, BandImage] = field(default_factory=dict)
    _edges: dict[str, tuple[np.ndarray, float, np.ndarray]] = field(default_factory=dict)

    def do(self, step: str, function: Callable[..., T], image: BandImage, *settings: Any) -> T:
        """``function(image, *settings)``, or what is kept of it from the same image with equal
        settings. What was asked for last stands last in `kept`.
        """
        key = (step, image.band.name)
        known = self.kept.get(key)
        if known is None or known[0] is not image or known[1] != settings:
            known = (image, settings, function(image, *settings))
        self.kept.pop(key, None)
        self.kept[key] = known
        result: T = known[2]
        return result

    def match(
        self,
        image: BandImage,
        mask: np.ndarray | None,
        kernel: Kernel | None,
        target: float,
        min_weight: float,
        largest_arcsec: float = 0.0,
        lights: Sequence[StarLight] = (),
        smooth: np.ndarray | None = None,
    ) -> tuple[BandImage, BandImage]:
        """The image at the common PSF: as it is, and with a mask and without the light of stars.

        Both come from the same convolution, to which the pixels that are masked or have lost light
        are added as a change. So the background, which is measured on the first, does not depend on
        the stars; and when these are edited, only the edit is convolved.

        Parameters
        ----------
        image : BandImage
            Without a mask.
        mask : ndarray of bool, shape (ny, nx), or None
            True where a pixel is not to be used.
        kernel : Kernel or None
            None leaves the image at its PSF.
        target : float
            FWHM of the common PSF, arcsec.
        min_weight : float
            Blank where valid pixels carry less of the kernel than this.
        largest_arcsec : float
            Pixels up to this may be returned; see `psf.sampling_step`.
        lights : sequence of StarLight
            What is subtracted.
        smooth : ndarray, shape (ny, nx), optional
            The galaxy in the large, MJy/sr. What is masked counts as this; without it as the mean
            of what is not masked about it, which is too much or too little where the light falls.
        """
        step = 1
        if kernel is not None:
            step = self.do("step", _sampling_step, image, kernel, largest_arcsec)
        name, settings = image.band.name, (kernel, target, min_weight, step)
        state = self._matched.get(name)
        if (
            state is None
            or state.source is not image
            or state.settings != settings
            or (mask is not None and state.counts_otherwise(smooth))
        ):
            if kernel is None:
                sums, bare = None, unmatched(image)
            else:
                sums = convolution_sums(image, kernel.array, step)
                bare = matched(image, sums, kernel, target, min_weight)
            nothing = np.zeros(image.shape, bool)
            state = _MatchedBand(image, settings, nothing, sums, bare, bare, image)
            self._matched[name] = state
            self._changes.pop(name, None)
        if smooth is not None and kernel is not None and state.back is None:
            state.flatten(smooth, kernel.array)
        mask = np.zeros(image.shape, bool) if mask is None else mask
        changed = mask != state.mask
        planes = light_planes(lights, image, state.planes, self.pieces)
        if planes is not state.planes:
            self._subtract(state, planes, changed)
        if changed.any():
            before = state.image
            box = self._apply(state, mask, changed)
            self._changes[name] = (before, state.image, box)
        return state.bare, state.image

    @staticmethod
    def _subtract(state: _MatchedBand, planes: LightPlanes | None, changed: np.ndarray) -> None:
        """Take the light of stars off a band's image, and mark the pixels that differ then."""
        known = state.planes
        if planes is None or known is None:
            given = planes or known
            assert given is not None
            changed |= (given.light != 0) | (given.doubt != 0)
            data = state.flat() if planes is None else state.flat() - planes.light
        else:
            box, data = planes.box, state.starless.data.copy()
            changed[box] |= planes.light[box] != known.light[box]
            changed[box] |= planes.doubt[box] != known.doubt[box]
            data[box] = state.flat(box) - planes.light[box]
        doubt = None if planes is None else planes.doubt
        state.planes, state.starless = planes, state.source.evolve(data=data, doubt=doubt)

    def _apply(
        self,
        state: _MatchedBand,
        mask: np.ndarray,
        changed: np.ndarray,
    ) -> Box:
        data = state.image.data.copy()
        uncertainty = state.image.uncertainty
        kernel, _, min_weight, _ = state.settings
        image, planes = state.starless, state.planes
        if kernel is None or state.sums is None:
            box = changed_box(changed)
            assert box is not None
            data[box] = np.where(mask[box], np.float32(np.nan), image.data[box])
            doubt = image.doubt
        else:
            state.sums, touched = update_sums(
                state.sums, image.evolve(mask=mask), kernel.array, changed, in_place=True
            )
            box = touched or (slice(0, 0), slice(0, 0))
            data[box], variance = divided(state.sums, min_weight, box)
            if state.back is not None:
                data[box] += state.back[box]
            if variance is not None and uncertainty is not None:
                uncertainty = uncertainty.copy()
                uncertainty[box] = np.sqrt(variance)
            doubt = _doubt(state.sums, state.image.doubt, box)
        state.mask = mask
        share = np.count_nonzero(mask) / mask.size
        note = f"{share:.2%} of its pixels masked" if share else "nothing masked"
        if planes is not None:
            number = len(planes.lights)
            note += f", {number} star{'' if number == 1 else 's'} subtracted"
        state.image = state.bare.evolve(note, data=data, uncertainty=uncertainty, doubt=doubt)
        return box

    def pixel_map(self, image: BandImage, grid: Grid) -> PixelMap:
        """Where the grid lies on the image; images that share their coordinates share it."""
        self._of_grid(grid)
        key = (self._header_of(image.wcs), image.shape)
        if key not in self._maps:
            self._maps[key] = pixel_map(image.wcs, grid.wcs, grid.shape)
        return self._maps[key]

    def _header_of(self, wcs: WCS) -> str:
        """A WCS in words, which astropy takes 2 ms to write."""
        known = self._headers.get(id(wcs))
        if known is None or known[0] is not wcs:
            if len(self._headers) > _HEADERS:
                self._headers.clear()
            known = self._headers[id(wcs)] = wcs, str(wcs.to_header_string(relax=True))
        return known[1]

    def _of_grid(self, grid: Grid) -> None:
        if self._grid != grid:
            self._grid, self._radius = grid, None
            self._maps.clear()
            self._blank.clear()
            self._edges.clear()

    def resample(self, image: BandImage, grid: Grid) -> BandImage:
        """The image on the grid; where only part of it has changed, only that part is resampled
        again.
        """
        name = image.band.name
        known = self._gridded.get(name)
        self.touched.pop(name, None)
        if known is not None and known.grid == grid:
            if known.source is image:
                return known.image
            before, after, box = self._changes.get(name, (None, None, None))
            if before is known.source and after is image and box is not None:
                gridded, rectangle = self._resample_part(known.image, image, grid, box)
                self._gridded[name] = _GriddedBand(image, grid, gridded)
                if rectangle is not None:
                    self.touched[name] = rectangle
                return gridded
        gridded = resample(image, grid, self.pixel_map(image, grid))
        self._gridded[name] = _GriddedBand(image, grid, gridded)
        self.touched[name] = (slice(0, grid.shape[0]), slice(0, grid.shape[1]))
        return gridded

    def _resample_part(
        self, before: BandImage, image: BandImage, grid: Grid, box: Box
    ) -> tuple[BandImage, Box | None]:
        where = self.pixel_map(image, grid)
        rows, columns = box
        near = (where.x > columns.start - where.reach - 1) & (where.x < columns.stop + where.reach)
        near &= (where.y > rows.start - where.reach - 1) & (where.y < rows.stop + where.reach)
        rectangle = changed_box(near)
        if rectangle is None:
            return before.evolve(data=before.data), None
        part, source = part_of(where, rectangle, image.shape)
        own = None if image.uncertainty is None else image.uncertainty[source]
        fresh = resampled(image.data[source], own, part)
        doubt = None
        if image.doubt is not None:
            known = before.doubt
            doubt = np.zeros(grid.shape, np.float32) if known is None else known.copy()
            doubt[rectangle] = resampled(image.doubt[source], None, part)[0]
        data = before.data.copy()
        data[rectangle] = fresh[0]
        uncertainty = before.uncertainty
        if uncertainty is not None:
            uncertainty = uncertainty.copy()
            uncertainty[rectangle] = fresh[1]
        return before.evolve(data=data, uncertainty=uncertainty, doubt=doubt), rectangle

    def radius(self, ellipse: Ellipse, grid: Grid) -> np.ndarray:
        """Elliptical radius of the grid's pixels."""
        self._of_grid(grid)
        if self._radius is None or self._radius[0] != ellipse:
            self._radius = (ellipse, ellipse.radius(grid.wcs, grid.shape))
        return self._radius[1]

    def blank(self, bands: Sequence[str], grid: Grid) -> list[BandImage]:
        """The grid as images of bands without light, the same ones as long as the grid is."""
        self._of_grid(grid)
        nothing = np.zeros(grid.shape, np.float32)
        for name in bands:
            if name not in self._blank:
                self._blank[name] = BandImage(nothing, get_band(name), grid.wcs)
        return [self._blank[name] for name in bands]

    def near_blank(self, name: str, plane: np.ndarray, reach_pixels: float) -> np.ndarray:
        """Valid pixels closer than `reach_pixels` to a blank one of the same plane."""
        blank = ~np.isfinite(plane)
        known = self._edges.get(name)
        if known is not None and known[1] == reach_pixels and np.array_equal(known[0], blank):
            return known[2]
        near = np.zeros(plane.shape, bool)
        if blank.any() and not blank.all():
            from scipy.ndimage import distance_transform_edt

            near = ~blank & (distance_transform_edt(~blank) < reach_pixels)
        self._edges[name] = (blank, reach_pixels, near)
        return near
