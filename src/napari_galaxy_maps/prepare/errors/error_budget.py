"""The error of a pixel: background as it is after matching and resampling, calibration and
reddening, in quadrature.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...data.galaxy import BandImage, Ellipse
from ...data.recipe import ErrorSettings
from ...exceptions import InputError
from ..grid.resampling import KERNEL_SIGMA, REACH

_CLIPPED = 0.9843
"""The rms that is left of a Gaussian's once what lies beyond three of it is clipped again and
again.
"""

_FEWEST_PIXELS = 500
_FEWEST_OF_ALL = 25
"""Pixels; with hardly more than one in each ring of `_levelled`, the noise comes out as 0."""
_RINGS = 8


@dataclass(frozen=True)
class Background:
    """The noise of the sky.

    Attributes
    ----------
    rms : float
        Of pixels of the grid, MJy/sr.
    variance : float
        Median of the image's own variance where the rms was measured; NaN where it has none.
    """

    rms: float
    variance: float = float("nan")


def background(image: BandImage, ellipse: Ellipse, pixel_arcsec: float) -> Background:
    """The background noise that pixels of `pixel_arcsec` made of this image will have.

    The image is smoothed as resampling will smooth it, and measured where it shows sky, which there
    is more of than on the grid.

    Parameters
    ----------
    image : BandImage
        At the common PSF.
    ellipse : Ellipse
        The galaxy's.
    pixel_arcsec : float
        Side of the grid's pixels.

    Raises
    ------
    InputError
        When too few pixels are valid for their noise to be measured.
    """
    from astropy.stats import sigma_clip
    from scipy.ndimage import gaussian_filter

    valid = np.isfinite(image.data)
    sigma = KERNEL_SIGMA * max(pixel_arcsec / image.pixel_arcsec, 1.0)
    options = {"sigma": sigma, "truncate": REACH / KERNEL_SIGMA}
    smooth = gaussian_filter(np.where(valid, image.data, 0), **options)
    if not valid.all():
        with np.errstate(invalid="ignore", divide="ignore"):
            smooth = smooth / gaussian_filter(valid.astype(np.float32), **options)
    radius = ellipse.radius(image.wcs, image.shape)
    # As far out as enough is seen: a deep image shows the galaxy beyond its D25.
    for factor, enough in ((2.0, 0.2), (1.5, 0.2), (1.25, 0.0), (1.0, 0.0), (0.8, 0.0), (0.0, 0.0)):
        sky = valid & (radius > factor)
        if sky.sum() > max(_FEWEST_PIXELS, enough * valid.sum()):
            break
    if sky.sum() < _FEWEST_OF_ALL:
        raise InputError(
            f"The {image.band} image has {int(valid.sum())} pixels with a value near the galaxy, "
            "too few for their noise to be measured; leave it out."
        )
    kept = sigma_clip(_levelled(smooth[sky], radius[sky]), sigma=3, masked=False)
    if not kept.size:
        return Background(float("nan"))
    # Faint sources outlast the clipping above the median, not below it: the lower half is the
    # cleaner noise.
    centre = np.median(kept)
    below = kept[kept <= centre] - centre
    rms = float(np.sqrt(np.mean(below**2))) / _CLIPPED
    own = np.array([]) if image.uncertainty is None else image.uncertainty[sky]
    own = own[np.isfinite(own)]
    return Background(rms, float(np.median(own)) ** 2 if own.size else float("nan"))


def _levelled(values: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Values less their running median along the radius: the galaxy's outskirts are no noise."""
    edges = np.quantile(radius, np.linspace(0, 1, _RINGS + 1))
    ring = np.searchsorted(edges[1:-1], radius)
    known = [
        (float(radius[ring == k].mean()), float(np.median(values[ring == k])))
        for k in np.unique(ring)
    ]
    return np.asarray(values - np.interp(radius, *np.transpose(known)))


def add_errors(image: BandImage, sky: Background, settings: ErrorSettings) -> BandImage:
    """The image with its 1-sigma uncertainty.

    Parameters
    ----------
    image : BandImage
        On the grid. An uncertainty image that came with it, or was made of a gain, gives the
        error's shape; the measured rms gives its level, since neither knows how the pixels were
        correlated before.
    sky : Background
        As `background` measured it.
    settings : ErrorSettings
        What enters.
    """
    variance = np.zeros(image.shape, np.float32)
    parts = []
    if settings.background:
        variance += np.float32(sky.rms**2)
        parts.append(f"background {sky.rms:.3g} MJy/sr")
        if image.uncertainty is not None and sky.variance > 0:
            shape = image.uncertainty**2 / np.float32(sky.variance)
            variance *= np.where(np.isfinite(shape), shape, np.float32(1))
            poisson = image.meta.get("poisson")
            parts.append(
                f"Poisson with {poisson}" if poisson else "scaled as its uncertainty image"
            )
    calibration = image.band.calibration if settings.calibration else 0.0
    reddening = float(image.meta.get("reddening_error", 0.0)) if settings.reddening else 0.0
    for name, relative in (("calibration", calibration), ("reddening", reddening)):
        if relative:
            variance += (np.float32(relative) * np.nan_to_num(image.data)) ** 2
            parts.append(f"{name} {relative:.2%}")
    if image.doubt is not None:
        variance += np.nan_to_num(image.doubt) ** 2
        parts.append("light of subtracted stars")
    error = np.where(np.isfinite(image.data), np.sqrt(variance), np.float32(np.nan))
    return image.evolve(
        "error: " + ", ".join(parts or ["none"]),
        uncertainty=error.astype(np.float32),
        meta={"rms": sky.rms, "systematic": float(np.hypot(calibration, reddening))},
    )
