"""Where the galaxy is: the ellipse that is given, or one measured on the image."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..constants import FWHM_PER_SIGMA
from ..data.galaxy import BandImage, Ellipse, Galaxy
from ..exceptions import InputError
from ..segments import filled, is_point, others_in

if TYPE_CHECKING:
    from photutils.segmentation import SegmentationImage

_DETECTION_BANDS = (
    "WISE_3.4", "Spitzer_3.6", "2MASS_Ks", "2MASS_H", "2MASS_J", "SDSS_i", "SDSS_r", "SDSS_z",
    "SDSS_g", "WISE_4.6",
    "WISE_12", "Spitzer_8.0", "SPIRE_250",
)  # fmt: skip


def detection_image(galaxy: Galaxy) -> BandImage:
    """The image that shows the stars best: WISE 3.4 or the nearest there is, else that nearest to 1
    micron of the bands that are not the models'.
    """
    others = [name for name, image in galaxy.images.items() if image.band.use == "other"]
    others.sort(key=lambda name: abs(np.log(galaxy.images[name].band.pivot)))
    for name in (*_DETECTION_BANDS, *others, *galaxy.images):
        if name in galaxy.images:
            return galaxy.images[name]
    raise InputError(f"{galaxy.name} has no image.")


def measure_ellipse(
    image: BandImage, near: tuple[float, float] | None = None, sigma: float = 3.0
) -> Ellipse:
    """The ellipse with the area and moments of a galaxy's isophote, without the stars on it and
    beside it: what is as narrow as the PSF, and sources that touch the galaxy and are brighter than
    its middle, are taken out and filled from around them.

    Parameters
    ----------
    image : BandImage
        With its sky subtracted.
    near : tuple of float, optional
        ICRS position (degrees) of the galaxy, which the ellipse keeps as its centre; without it a
        source is taken that is extended and near the middle.
    sigma : float
        Height of the isophote in background rms, after smoothing to twice the PSF.

    Returns
    -------
    Ellipse
        Its semi-axes hold the isophote's area at the axis ratio of its second moments.

    Raises
    ------
    InputError
        When nothing stands out, or not at the position.
    """
    from photutils.segmentation import SourceCatalog

    blank = ~np.isfinite(image.data)
    hidden = blank if image.mask is None else blank | image.mask
    at = None if near is None else _pixel(image, near)
    light = filled(np.nan_to_num(image.data), hidden & ~blank)
    found = _segments(image, light, blank, sigma)
    if found is not None:
        own, others = _apart(image, light, found, at)
        if others.any():
            light = filled(light, others)
            found = _segments(image, light, blank, sigma)
    if found is None:
        raise InputError(f"No galaxy stands out of the {image.band} image. {_TELL}")
    # Nothing of it may be left under a star that fills it.
    left = np.where(own, found.segments.data, 0)
    label = int(np.argmax(np.bincount(left[left > 0]))) if left.any() else 0
    if not label:
        raise InputError(
            f"The galaxy cannot be told from a star beside it on the {image.band} image. {_TELL}"
        )
    catalog = SourceCatalog(found.smooth - found.sky, found.segments, wcs=image.wcs)
    source = catalog.select_label(label)
    ratio = float(np.clip(1 - float(source.ellipticity), 0.1, 1.0))
    area = float(found.segments.get_area(label)) * image.pixel_arcsec**2
    a = np.sqrt(area / np.pi / ratio)
    x, y = float(source.x_centroid), float(source.y_centroid)
    angle = np.radians(
        float(
            source.orientation.value if hasattr(source.orientation, "value") else source.orientation
        )
    )
    here = image.wcs.pixel_to_world(x, y).icrs
    there = image.wcs.pixel_to_world(x + 5 * np.cos(angle), y + 5 * np.sin(angle)).icrs
    pa = float(here.position_angle(there).deg) % 180
    ra, dec = near or (float(here.ra.deg), float(here.dec.deg))
    return Ellipse(ra, dec, float(a), float(a * ratio), pa)


_TELL = "Give its position (RA, Dec) and its D25 diameter."


@dataclass(frozen=True)
class _Found:
    """Sources of an image: its smoothed light, the sky of that and its scatter."""

    segments: SegmentationImage
    smooth: np.ndarray
    sky: float
    scatter: float


def _segments(
    image: BandImage, light: np.ndarray, blank: np.ndarray, sigma: float
) -> _Found | None:
    """What stands out of an image smoothed to twice the PSF; None where nothing does."""
    from astropy.stats import sigma_clipped_stats
    from photutils.segmentation import detect_sources
    from photutils.utils.exceptions import NoDetectionsWarning
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(light, max(1.0, 2 * image.fwhm / FWHM_PER_SIGMA / image.pixel_arcsec))
    _, sky, scatter = sigma_clipped_stats(smooth, mask=blank)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoDetectionsWarning)  # an error says it
        segments = detect_sources(smooth, sky + sigma * scatter, n_pixels=25, mask=blank)
    return None if segments is None else _Found(segments, smooth, float(sky), float(scatter))


def _pixel(image: BandImage, near: tuple[float, float]) -> tuple[float, float]:
    """The galaxy's position in pixels; raises `InputError` where it is not on the image."""
    from astropy.coordinates import SkyCoord

    x, y = image.wcs.world_to_pixel(SkyCoord(*near, unit="deg"))
    ny, nx = image.shape
    # Not a number where the position is on the other side of the sky.
    if not (-0.5 <= x < nx - 0.5 and -0.5 <= y < ny - 0.5):
        raise InputError(
            f"RA {near[0]:.5f}, Dec {near[1]:.5f} lies outside the {image.band} image; "
            "correct the position."
        )
    return float(x), float(y)


def _apart(
    image: BandImage, light: np.ndarray, found: _Found, at: tuple[float, float] | None
) -> tuple[np.ndarray, np.ndarray]:
    """The part about the galaxy's middle, and what is others' of the source that it is in."""
    from scipy.ndimage import gaussian_filter

    fwhm = max(image.fwhm / image.pixel_arcsec, 2.0)
    segments = found.segments
    if at is None:
        label = _most_likely(segments, light - found.sky, fwhm)
    else:
        label = int(segments.data[round(at[1]), round(at[0])])
        if label == 0:
            ra, dec = (float(c) for c in image.wcs.pixel_to_world_values(*at))
            raise InputError(
                f"Nothing stands out of the {image.band} image at RA {ra:.5f}, Dec {dec:.5f}. "
                f"{_TELL}"
            )
    # Peaks are told apart at the PSF itself, whose smoothed noise is larger.
    smooth = gaussian_filter(light, fwhm / FWHM_PER_SIGMA) - found.sky
    inside = segments.data == label
    return others_in(light - found.sky, smooth, inside, 2 * found.scatter, fwhm, at)


def _most_likely(segments: SegmentationImage, light: np.ndarray, fwhm: float) -> int:
    """Label of the source that is most probably the galaxy: large, near the middle, not cut by the
    image's border, and no point.
    """
    ny, nx = segments.shape
    candidates = []
    for label, area, box in zip(segments.labels, segments.areas, segments.bbox, strict=True):
        inside = box.iymin > 0 and box.ixmin > 0 and box.iymax < ny and box.ixmax < nx
        y, x = (box.iymin + box.iymax) / 2, (box.ixmin + box.ixmax) / 2
        off = np.hypot((y - ny / 2) / ny, (x - nx / 2) / nx) * 4
        candidates.append((inside, float(area) / (1 + off**2), int(label)))
    labels = [label for _, _, label in sorted(candidates, reverse=True)]
    for label in labels[:10]:
        box = segments.slices[segments.get_index(label)]
        if not is_point(light[box], segments.data[box] == label, fwhm):
            return label
    return labels[0]
