"""The sky: its level, constant or a plane, away from galaxy and sources, and its subtraction."""

from __future__ import annotations

import numpy as np

from ..galaxy import BandImage, Ellipse
from ..recipe import SkySettings

_FEWEST_PIXELS = 100


def sky_pixels(image: BandImage, ellipse: Ellipse | None, exclude: float, reach: float) -> np.ndarray:
    """Pixels that show nothing but sky: valid, of no detected source, and around the galaxy where its ellipse is known.

    Around means between `exclude` and `reach` ellipses: the sky of an infrared image is seldom flat, and it is the sky
    under the galaxy that counts. Where the image shows too little of that, it is all outside the ellipse.

    Returns
    -------
    ndarray of bool, shape (ny, nx)
    """
    from astropy.stats import sigma_clipped_stats
    from scipy.ndimage import binary_dilation, gaussian_filter, generate_binary_structure

    valid = np.isfinite(image.data)
    if image.mask is not None:
        valid &= ~image.mask
    if ellipse is not None:
        radius = ellipse.radius(image.wcs, image.shape)
        for inner, outer in ((exclude, reach), (exclude, np.inf), (1.0, np.inf)):
            around = valid & (radius > inner) & (radius < outer)
            if around.sum() > max(_FEWEST_PIXELS, 0.02 * valid.sum()):
                valid = around
                break
    if valid.sum() < _FEWEST_PIXELS:
        return valid
    _, median, _ = sigma_clipped_stats(image.data[valid], sigma=3)
    smooth = gaussian_filter(np.where(np.isfinite(image.data), image.data, median), 2.0)
    _, level, std = sigma_clipped_stats(smooth[valid], sigma=3)
    sources = binary_dilation(smooth > level + 3 * std, generate_binary_structure(2, 1), iterations=4)
    clear = valid & ~sources
    return clear if clear.sum() >= _FEWEST_PIXELS else valid


def fit_sky(
    image: BandImage, settings: SkySettings, ellipse: Ellipse | None = None
) -> tuple[np.ndarray | float, float]:
    """The sky of an image and the rms of its pixels about it, both in MJy/sr.

    Parameters
    ----------
    image : BandImage
        Any image.
    settings : SkySettings
        ``model`` "constant" or "plane", the clipping limit, and how far the galaxy reaches.
    ellipse : Ellipse, optional
        The galaxy's D25 ellipse; sources are left out with or without it.

    Returns
    -------
    sky : float or ndarray, shape (ny, nx)
        A plane only where the settings ask for one.
    rms : float
        Sigma-clipped.
    """
    from astropy.stats import sigma_clip

    clear = sky_pixels(image, ellipse, settings.exclude, settings.reach)
    if not clear.any():
        return 0.0, float("nan")
    values = image.data[clear].astype(float)
    if settings.model == "constant":
        kept = sigma_clip(values, sigma=settings.clip, masked=False)
        return float(np.mean(kept)), float(np.std(kept))
    y, x = (axis[clear] for axis in np.mgrid[: image.shape[0], : image.shape[1]])
    ny, nx = image.shape
    terms = np.column_stack([np.ones(values.size), x / nx - 0.5, y / ny - 0.5])
    keep = np.ones(values.size, bool)
    for _ in range(10):
        coefficients = np.linalg.lstsq(terms[keep], values[keep], rcond=None)[0]
        residual = values - terms @ coefficients
        rms = float(np.std(residual[keep]))
        within = np.abs(residual) < settings.clip * rms
        if (within == keep).all() or within.sum() < _FEWEST_PIXELS:
            break
        keep = within
    rows, columns = np.mgrid[:ny, :nx]
    plane = coefficients[0] + coefficients[1] * (columns / nx - 0.5) + coefficients[2] * (rows / ny - 0.5)
    return plane.astype(np.float32), rms


def subtract_sky(image: BandImage, settings: SkySettings, ellipse: Ellipse | None = None) -> BandImage:
    """The image without its sky; ``meta["sky"]`` (its mean) and ``meta["sky_rms"]`` in MJy/sr say what was found."""
    sky, rms = fit_sky(image, settings, ellipse)
    mean = float(np.mean(sky))
    kind = "" if settings.model == "constant" else ", a plane,"
    return image.evolve(
        f"sky of {mean:.4g} MJy/sr{kind} subtracted, rms {rms:.3g} a pixel",
        data=image.data - np.asarray(sky, np.float32),
        meta={"sky": mean, "sky_rms": rms},
    )
