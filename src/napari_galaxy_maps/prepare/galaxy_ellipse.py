"""Where the galaxy is: the ellipse that is given, or one measured on the image."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from ..data.galaxy import BandImage, Ellipse, Galaxy
from ..exceptions import InputError

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
    """The ellipse with the area and moments of a galaxy's isophote.

    Parameters
    ----------
    image : BandImage
        With its sky subtracted.
    near : tuple of float, optional
        ICRS position (degrees) of the galaxy; without it a source is taken that is extended and
        near the middle.
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
    from astropy.coordinates import SkyCoord
    from astropy.stats import sigma_clipped_stats
    from photutils.segmentation import SourceCatalog, detect_sources
    from photutils.utils.exceptions import NoDetectionsWarning
    from scipy.ndimage import gaussian_filter

    data = np.nan_to_num(image.data)
    smooth = gaussian_filter(data, max(1.0, 2 * image.fwhm / 2.3548 / image.pixel_arcsec))
    blank = ~np.isfinite(image.data)
    _, median, std = sigma_clipped_stats(smooth, mask=blank)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoDetectionsWarning)  # an error says it, below
        segments = detect_sources(smooth, median + sigma * std, n_pixels=25, mask=blank)
    where = "Give its position (RA, Dec) and its D25 diameter."
    if segments is None:
        raise InputError(f"No galaxy stands out of the {image.band} image. {where}")
    label = _most_likely(segments)
    if near is not None:
        x, y = image.wcs.world_to_pixel(SkyCoord(*near, unit="deg"))
        ny, nx = image.shape
        # Not a number where the position is on the other side of the sky.
        if not (-0.5 <= x < nx - 0.5 and -0.5 <= y < ny - 0.5):
            raise InputError(
                f"RA {near[0]:.5f}, Dec {near[1]:.5f} lies outside the {image.band} image; "
                "correct the position."
            )
        label = int(segments.data[round(float(y)), round(float(x))])
        if label == 0:
            raise InputError(
                f"Nothing stands out of the {image.band} image at RA {near[0]:.5f}, Dec "
                f"{near[1]:.5f}. {where}"
            )
    source = SourceCatalog(smooth - median, segments, wcs=image.wcs).select_label(label)
    ratio = float(np.clip(1 - float(source.ellipticity), 0.1, 1.0))
    area = float(segments.get_area(label)) * image.pixel_arcsec**2
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
    return Ellipse(float(here.ra.deg), float(here.dec.deg), float(a), float(a * ratio), pa)


def _most_likely(segments: SegmentationImage) -> int:
    """Label of the source that is most probably the galaxy: large, near the middle, not cut by the
    image's border.
    """
    ny, nx = segments.shape
    candidates = []
    for label, area, box in zip(segments.labels, segments.areas, segments.bbox, strict=True):
        inside = box.iymin > 0 and box.ixmin > 0 and box.iymax < ny and box.ixmax < nx
        y, x = (box.iymin + box.iymax) / 2, (box.ixmin + box.ixmax) / 2
        off = np.hypot((y - ny / 2) / ny, (x - nx / 2) / nx) * 4
        candidates.append((inside, float(area) / (1 + off**2), int(label)))
    return max(candidates)[2]
