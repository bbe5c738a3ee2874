"""The error of a pixel: background rms as it is after matching and resampling, and calibration, in quadrature."""

from __future__ import annotations

import numpy as np

from ..galaxy import BandImage, Ellipse
from ..recipe import ErrorSettings
from .adaptive import KERNEL_SIGMA


def background_rms(image: BandImage, ellipse: Ellipse, pixel_arcsec: float) -> float:
    """Clipped rms of the background, MJy/sr, that pixels of `pixel_arcsec` made of this image will have.

    The image is smoothed as resampling will smooth it, and measured where it shows sky, which there is more of than on
    the grid.
    """
    from astropy.stats import sigma_clip
    from scipy.ndimage import gaussian_filter

    valid = np.isfinite(image.data)
    sigma = KERNEL_SIGMA * pixel_arcsec / image.pixel_arcsec
    smooth = gaussian_filter(np.where(valid, image.data, 0), sigma)
    with np.errstate(invalid="ignore", divide="ignore"):
        smooth = smooth / gaussian_filter(valid.astype(np.float32), sigma)
    radius = ellipse.radius(image.wcs, image.shape)
    for factor in (1.25, 1.0, 0.8, 0.0):
        sky = valid & (radius > factor)
        if sky.sum() > 500:
            break
    kept = sigma_clip(smooth[sky], sigma=3, masked=False)
    # Faint sources outlast the clipping above the median, not below it: the lower half is the cleaner noise.
    centre = np.median(kept)
    below = kept[kept <= centre] - centre
    return float(np.sqrt(np.mean(below**2))) if below.size else float("nan")


def add_errors(image: BandImage, rms: float, settings: ErrorSettings) -> BandImage:
    """The image with its 1-sigma uncertainty.

    Parameters
    ----------
    image : BandImage
        On the grid. An uncertainty image that came with it gives the error's shape; the measured rms gives its level,
        since resampling cannot know how its pixels are correlated.
    rms : float
        Of the background, MJy/sr.
    settings : ErrorSettings
        What enters.
    """
    variance = np.zeros(image.shape, np.float32)
    parts = []
    if settings.background:
        variance += np.float32(rms**2)
        parts.append(f"background {rms:.3g} MJy/sr")
        if image.uncertainty is not None and np.isfinite(image.uncertainty).any():
            own = image.uncertainty**2
            floor = np.nanpercentile(own, 10)
            if floor > 0:
                shape = np.nan_to_num(own / floor, nan=1.0).clip(min=1)
                variance = (variance * shape).astype(np.float32)
                parts.append("scaled as its uncertainty image")
    calibration = image.band.calibration if settings.calibration else 0.0
    reddening = float(image.meta.get("reddening_error", 0.0)) if settings.reddening else 0.0
    for name, relative in (("calibration", calibration), ("reddening", reddening)):
        if relative:
            variance += (np.float32(relative) * np.nan_to_num(image.data)) ** 2
            parts.append(f"{name} {relative:.2%}")
    error = np.where(np.isfinite(image.data), np.sqrt(variance), np.float32(np.nan))
    return image.evolve(
        "error: " + ", ".join(parts or ["none"]),
        uncertainty=error.astype(np.float32),
        meta={"rms": rms, "systematic": float(np.hypot(calibration, reddening))},
    )
