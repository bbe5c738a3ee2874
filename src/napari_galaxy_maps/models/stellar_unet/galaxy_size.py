"""How large a galaxy is on an image: the half-light radius of what the network is to look at."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...constants import FWHM_PER_SIGMA
from ...data.flags import Flag
from ...exceptions import ModelError
from ...segments import filled, is_point, others_in
from .light_growth import annuli, half_light
from .shown_cube import block_means, uncut

if TYPE_CHECKING:
    from photutils.segmentation import SegmentationImage

    from ...data.cube import BandCube

_COARSE = 256
"""Images of more pixels along a side are averaged to as many first; a galaxy that needs the finer
ones is looked at again.
"""
_FINE, _FINER = 10.0, 4
"""Galaxies of a smaller half-light radius in pixels are measured in pixels cut into so many."""
_THRESHOLD = 3.0
"""Times the noise of the smoothed image: pixels of a source."""
_CERTAIN = 10.0
"""Times its noise: light of a galaxy whose size is known."""
_MOST_UNSEEN = 0.35
"""Share of the light of a whole galaxy that may lie where it does not stand out."""


LEAST, _WANTED, _MOST_TIMES = 2.0, 4.0, 2
"""Half-light radii in pixels: of galaxies that are hardly more than a point there is no map, and
pixels of smaller ones than the second are cut into smaller pixels, at most so many along a side.
"""
_NARROW, _WIDE = 48, 64
"""Images of fewer pixels along both sides than the first are enlarged to the second at least: at
the network's coarsest level they would be a pixel or two.
"""


@dataclass(frozen=True)
class GalaxySize:
    """Where a galaxy is on an image, and how large.

    Attributes
    ----------
    r_half : float
        Semi-major axis in pixels of the ellipse that holds half of its light, as the PSF blurred
        it.
    x, y : float
        Its centre, pixels.
    axis_ratio, angle : float
        Of the ellipse; from the image's first axis to the second, radians.
    whole : bool
        Whether the image shows enough of it; if not, `r_half` is a guess.
    """

    r_half: float
    x: float
    y: float
    axis_ratio: float
    angle: float
    whole: bool

    def in_smaller_pixels(self, factor: int) -> GalaxySize:
        """The same in pixels smaller by a factor."""
        x, y = (factor * c + (factor - 1) / 2 for c in (self.x, self.y))
        return replace(self, r_half=factor * self.r_half, x=x, y=y)

    def radius(self, shape: tuple[int, int]) -> np.ndarray:
        """Of every pixel along the major axis, pixels, shape (ny, nx)."""
        y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
        dx, dy, cos, sin = x - self.x, y - self.y, np.cos(self.angle), np.sin(self.angle)
        return np.asarray(np.hypot(dx * cos + dy * sin, (dy * cos - dx * sin) / self.axis_ratio))


def galaxy_size(cube: BandCube) -> GalaxySize | None:
    """The size of the galaxy on a cube, whatever size it was given.

    The galaxy is what lies in the middle of the cube's ellipse, else the brightest source that is
    no point. Its light is summed in ellipses of the shape of its moments: means of annuli, outliers
    clipped, stars and neighbours left out. A Sersic profile over a constant sky, fitted to the
    annuli, says what is sky and how much lies beyond the last annulus that shows any light.

    Parameters
    ----------
    cube : BandCube

    Returns
    -------
    GalaxySize or None
        None where no source stands out.
    """
    shown, at = uncut(cube), _middle(cube)
    data, sigma = np.where(shown.mask, np.nan, shown.data), shown.uncertainty
    fwhm = max(cube.fwhm / cube.pixel_arcsec, 1.0)
    factor = -(-max(cube.shape) // _COARSE)
    ny, nx = (n // factor * factor for n in cube.shape)
    blocks = block_means(data[:, :ny, :nx], sigma[:, :ny, :nx], factor)
    coarse = None if at is None else tuple((c + 0.5) / factor - 0.5 for c in at)
    found = measure(*stacked(*blocks), max(fwhm / factor, 1.0), coarse)
    if found is None or factor == 1:
        return found
    found = found.in_smaller_pixels(factor)
    if found.r_half > _FINE * factor:
        return found
    # Near enough to be seen in all its pixels.
    half = round(max(8 * found.r_half, 64))
    low = [max(0, round(c) - half) for c in (found.y, found.x)]
    rows, columns = (slice(start, start + 2 * half + 1) for start in low)
    near = stacked(data[:, rows, columns], sigma[:, rows, columns])
    again = measure(*near, fwhm, (found.x - low[1], found.y - low[0]))
    return found if again is None else replace(again, x=again.x + low[1], y=again.y + low[0])


def factor_for(size: GalaxySize | None, shape: tuple[int, int]) -> int:
    """Into how many pixels along each side a pixel is cut before the network sees it.

    Masses of galaxies with a half-light radius of 2 to 3 pixels are too low by 0.10 to 0.13 dex in
    the mean as they are, and by 0.06 to 0.09 dex where they are enlarged. Large galaxies are looked
    at in their own pixels: averaged in blocks they come out no better.

    Parameters
    ----------
    size : GalaxySize or None
        None where it is not known.
    shape : tuple of int
        (ny, nx) of the image.
    """
    factor = 1
    while size is not None and size.r_half * factor < _WANTED and factor < _MOST_TIMES:
        factor *= 2
    if max(shape) < _NARROW:
        factor = max(factor, -(-_WIDE // max(shape)))
    return factor


def about_size(size: GalaxySize | None, factor: int) -> dict[str, str]:
    """What maps say of how large the galaxy was found to be, and what was done for it."""
    about = {} if size is None else {"r_half_pixels": f"{size.r_half:.2f}"}
    return about | {"enlarged": str(factor)}


def check_size(size: GalaxySize | None, cube: BandCube) -> None:
    """Raise `ModelError` for a galaxy that is hardly more than a point on the images.

    One that is cut off by the image's edge is larger than it seems.
    """
    if size is None or not size.whole or size.r_half >= LEAST:
        return
    raise ModelError(
        f"{cube.name or 'The galaxy'} is too small on these images: half of its light lies within "
        f"{size.r_half:.1f} pixels, {size.r_half * cube.pixel_arcsec:.2g} arcsec, of its middle "
        f"(R_half, measured after the PSF of {cube.fwhm:.2g} arcsec), and maps need {LEAST:g} "
        "pixels. Mask a brighter star that touches it; else give images with finer pixels and a "
        "sharper PSF, or, where the files have finer pixels, smaller pixels of the grid.",
        "grid.pixel",
    )


def _middle(cube: BandCube) -> tuple[float, float] | None:
    """Where the cube's ellipse has its middle, x and y in pixels; None where it has none."""
    outside = (cube.flags & Flag.OUTSIDE) != 0
    if not outside.any() or outside.all():
        return None
    y, x = (float(np.mean(places)) for places in np.nonzero(~outside))
    return x, y


def stacked(data: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The light of all bands, each in units of its own brightness and with the weight of its signal
    to noise, so that a band that is missing somewhere makes no step.

    Parameters
    ----------
    data, sigma : ndarray, shape (n_bands, ny, nx)
        Surface brightness and its error; NaN where missing.

    Returns
    -------
    light, noise : ndarray of float64, shape (ny, nx)
        In units of the mean of the brightest pixels; NaN where no band is there.
    """
    there = np.isfinite(data) & (sigma > 0)
    planes = [
        (d.astype(float), s.astype(float), t)
        for d, s, t in zip(data, sigma, there, strict=True)
        if t.any()
    ]
    shape = data.shape[1:]
    nothing = np.full(shape, np.nan)
    if not planes:
        return nothing, nothing
    # The noise of the sky, not of each pixel: a weight that follows the light would change its
    # shape.
    typical = [float(np.median(s[t])) for _, s, t in planes]
    signal = sum(np.where(t, d, 0) / sky for (d, _, t), sky in zip(planes, typical, strict=True))
    bright = signal >= np.quantile(signal, 0.98)
    light, noise, total = np.zeros((3, *shape))
    for (d, s, t), sky in zip(planes, typical, strict=True):
        here = bright & t
        unit = float(d[here].mean()) if here.any() else 0.0
        if unit > 0:
            weight = (unit / sky) ** 2
            light += np.where(t, weight / unit * d, 0)
            noise += np.where(t, weight / unit * s, 0) ** 2
            total += weight * t
    with np.errstate(invalid="ignore", divide="ignore"):
        return light / total, np.sqrt(noise) / total


def measure(
    light: np.ndarray, noise: np.ndarray, fwhm: float, at: tuple[float, ...] | None = None
) -> GalaxySize | None:
    """The size of the galaxy on an image.

    Parameters
    ----------
    light, noise : ndarray, shape (ny, nx)
        Surface brightness and its error in any unit; NaN where missing.
    fwhm : float
        Of the PSF, pixels.
    at : tuple of float, optional
        x and y in pixels of the galaxy; else it is the brightest source that is no point.

    Returns
    -------
    GalaxySize or None
        None where no source stands out, at that place or at all.
    """
    blank = ~np.isfinite(light) | ~np.isfinite(noise)
    if blank.mean() > 0.9 or min(light.shape) < 8:
        return None
    image = filled(np.where(blank, 0.0, light), blank)
    found = _galaxy(image, float(np.median(noise[~blank])), blank, fwhm, at)
    if found is None:
        return None
    own, others = found
    good = ~(blank | others)
    start = _moments(image, own & good)
    if start is None:
        return None
    size = _grown(image, noise, good, start, fwhm)
    if size is not None and size.r_half < _FINE:
        size = _finer(image, noise, good, size, fwhm) or size
    return size


def _galaxy(
    image: np.ndarray, noise: float, blank: np.ndarray, fwhm: float, at: tuple[float, ...] | None
) -> tuple[np.ndarray, np.ndarray] | None:
    """The pixels about the galaxy's middle, and those of others."""
    from astropy.stats import sigma_clipped_stats
    from photutils.segmentation import detect_sources
    from photutils.utils.exceptions import NoDetectionsWarning
    from scipy.ndimage import gaussian_filter

    width = max(fwhm / FWHM_PER_SIGMA, 0.8)
    smooth = gaussian_filter(image, width)
    _, sky, _ = sigma_clipped_stats(smooth, mask=blank)
    rim = np.ones(image.shape, bool)
    rim[2:-2, 2:-2] = False
    # A galaxy that fills the image leaves less of itself at its rim.
    sky = min(float(sky), float(np.median(smooth[rim])))
    below = sky - smooth[(smooth < sky) & ~blank]
    scatter = max(
        noise / (2 * np.sqrt(np.pi) * width), 1.4826 * float(np.median(below)) if below.size else 0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoDetectionsWarning)  # None says it
        segments = detect_sources(smooth, sky + _THRESHOLD * scatter, n_pixels=5, mask=blank)
    if segments is None:
        return None
    label = _label(image - sky, segments, fwhm, at)
    if label is None:
        return None
    mine = segments.data == label
    own, others = others_in(image - sky, smooth - sky, mine, scatter, fwhm, at)
    return own, others | ((segments.data != 0) & ~mine)


def _label(
    image: np.ndarray, segments: SegmentationImage, fwhm: float, at: tuple[float, ...] | None
) -> int | None:
    """Of the source at a place, or the nearest to it within a few PSFs; without one the brightest
    that is no point.
    """
    if at is not None:
        y, x = np.nonzero(segments.data)
        away = np.hypot(x - at[0], y - at[1])
        nearest = int(np.argmin(away))
        if away[nearest] > 3 * fwhm:
            return None
        return int(segments.data[y[nearest], x[nearest]])
    sums = np.bincount(segments.data.ravel(), image.ravel())
    labels = sorted(segments.labels, key=lambda label: -sums[label])[:8]
    extended = [n for n in labels if not is_point(image, segments.data == n, fwhm)]
    return int((extended or labels)[0])


def _moments(image: np.ndarray, own: np.ndarray) -> GalaxySize | None:
    """Centre and shape of a galaxy by the moments of its light above the lowest; its size is still
    to be measured.
    """
    from photutils.morphology import data_properties

    if own.sum() < 5:
        return None
    light = np.where(own, image - image[own].min(), 0)
    found = data_properties(light)
    # The centre is that of the brightest part, which no arm drags.
    core = np.where(light > 0.5 * np.quantile(light[own], 0.98), light, 0)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    ratio = float(found.semiminor_axis.value / found.semimajor_axis.value)
    if not np.isfinite(ratio):
        return None
    total = core.sum()
    centre = float((core * x).sum() / total), float((core * y).sum() / total)
    angle = float(found.orientation.to_value("rad"))
    return GalaxySize(0.0, *centre, max(ratio, 0.1), angle, False)


def _grown(
    image: np.ndarray,
    noise: np.ndarray,
    good: np.ndarray,
    start: GalaxySize,
    fwhm: float,
    step: float = 1.0,
) -> GalaxySize | None:
    """A galaxy with the size by its light in annuli; None where there is none to speak of."""
    found = annuli(image, noise, good, start.radius(image.shape), start.axis_ratio, step)
    half = half_light(found, fwhm, float(np.median(noise[good])))
    if half is None or half[2] < _CERTAIN:
        return None
    return replace(start, r_half=half[0], whole=half[1] <= _MOST_UNSEEN)


def _finer(
    image: np.ndarray, noise: np.ndarray, good: np.ndarray, size: GalaxySize, fwhm: float
) -> GalaxySize | None:
    """The size in pixels cut into smaller ones, between which the light is interpolated."""
    from scipy.ndimage import zoom

    half = round(max(8 * size.r_half, 24))
    low = [max(0, round(c) - half) for c in (size.y, size.x)]
    part = tuple(slice(start, start + 2 * half + 1) for start in low)
    light = zoom(image[part], _FINER, order=3, grid_mode=True, mode="nearest")
    # As many independent pixels as before.
    sigma, there = (
        np.kron(plane[part], np.ones((_FINER, _FINER))) for plane in (noise * _FINER, good)
    )
    start = replace(size, x=size.x - low[1], y=size.y - low[0]).in_smaller_pixels(_FINER)
    found = _grown(light, sigma, there > 0, start, fwhm * _FINER, 0.5 * _FINER)
    return None if found is None else replace(size, r_half=found.r_half / _FINER, whole=found.whole)
