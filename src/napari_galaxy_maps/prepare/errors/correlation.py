"""How errors add up: the noise that neighbouring pixels share, and the error of a sum."""

from __future__ import annotations

import numpy as np

from ...data.galaxy import BandImage
from ..grid.resampling import KERNEL_SIGMA
from ..psf.kernels import Kernel


def correlation_area(kernel: np.ndarray | None, pixel_arcsec: float, grid_arcsec: float) -> float:
    """The area over which a pixel's noise is shared after convolution and resampling, in pixels of
    the grid.

    White noise smoothed by a kernel T of sum 1 has an autocorrelation whose sum is 1 / sum(T^2). T
    is the convolution kernel followed by the Gaussian of the adaptive resampling, whose place among
    the image's pixels is averaged over.

    Parameters
    ----------
    kernel : ndarray, odd-sized, sum 1, or None
        That brought the image to the common PSF, on the image's pixels.
    pixel_arcsec, grid_arcsec : float
        Sides of a pixel of the image, whose noise is taken as independent, and of the grid.

    Returns
    -------
    float
        The error of a sum over very many pixels is the root of this times the root of the summed
        variances.
    """
    from scipy.signal import fftconvolve

    sigma = KERNEL_SIGMA * max(grid_arcsec / pixel_arcsec, 1.0)
    if kernel is None:
        return float(4 * np.pi * sigma**2 * (pixel_arcsec / grid_arcsec) ** 2)
    kernel = kernel.astype(float)
    own = fftconvolve(kernel, kernel[::-1, ::-1])
    rows, columns = (np.arange(n) - n // 2 for n in own.shape)
    gaussian = np.exp(-(rows[:, None] ** 2 + columns**2) / (4 * sigma**2)) / (4 * np.pi * sigma**2)
    return float((pixel_arcsec / grid_arcsec) ** 2 / (own * gaussian).sum())


def shared_area(image: BandImage, kernel: Kernel | None, grid_arcsec: float) -> float:
    """The `correlation_area` of an image that is convolved with a kernel and put on a grid."""
    return correlation_area(
        None if kernel is None else kernel.array, image.pixel_arcsec, grid_arcsec
    )


def correlation_factor(n_pixels: float | np.ndarray, area: float | np.ndarray) -> np.ndarray:
    """The factor by which the random error of a sum over a compact region exceeds the root of the
    summed variances.

    Parameters
    ----------
    n_pixels : float or ndarray
        Number of pixels (or summed weights) of the region, which is taken as a square.
    area : float or ndarray
        Correlation area in pixels, as `BandCube.correlation` or `PropertyMaps.correlation` hold it;
        it broadcasts against `n_pixels`.

    Returns
    -------
    ndarray
        1 for one pixel, growing to sqrt(area) for many. For calibration and reddening it does not
        hold: these errors are common to all pixels, and add up linearly (see `sum_error`).
    """
    n_pixels, area = np.broadcast_arrays(np.asarray(n_pixels, float), np.asarray(area, float))
    side = np.sqrt(np.maximum(n_pixels, 1.0))
    narrow = np.maximum(area, 1e-3) / np.pi  # rho(d) = exp(-d^2 / (4 s^2)) has an area of 4 pi s^2
    factor = np.ones(side.shape)
    for d in range(
        1, int(np.ceil(min(side.max(initial=1.0), 6 * np.sqrt(narrow.max(initial=0.0)) + 1)))
    ):
        factor += 2 * np.maximum(1 - d / side, 0) * np.exp(-(d**2) / narrow)
    return factor


def sum_error(
    error: np.ndarray,
    weights: np.ndarray,
    area: float,
    systematic: float = 0.0,
    data: np.ndarray | None = None,
) -> float:
    """The error of a weighted sum over pixels whose noise is shared.

    Parameters
    ----------
    error : ndarray, shape (ny, nx)
        1-sigma errors of the pixels, all that enters them (`BandCube.uncertainty` of one band).
    weights : ndarray of bool or float, shape (ny, nx)
        Of the pixels in the sum: a mask, or the fraction of each pixel in an aperture. Pixels
        without an error are left out.
    area : float
        Correlation area in pixels, one of `BandCube.correlation`.
    systematic : float
        Relative error common to all pixels, one of `BandCube.systematic`; needs `data`.
    data : ndarray, shape (ny, nx), optional
        Surface brightness of the pixels.

    Returns
    -------
    float
        In the unit of `error` (times pixels): the random part with the correlation of every pair of
        pixels, the systematic one fully correlated, in quadrature.
    """
    from scipy.ndimage import gaussian_filter

    weights = np.where(np.isfinite(error), np.asarray(weights, float), 0.0)
    variance = np.where(weights != 0, np.asarray(error, float) ** 2, 0.0)
    common = 0.0
    if systematic and data is not None:
        known = np.where(weights != 0, np.nan_to_num(np.asarray(data, float)), 0.0)
        variance = (variance - (systematic * known) ** 2).clip(min=0)
        common = systematic * float((weights * known).sum())
    noise = weights * np.sqrt(variance)
    # rho(d) is a Gaussian of sigma sqrt(2) s, of height one: `area` times a normalised one.
    sigma = np.sqrt(area / (2 * np.pi))
    random = area * float(
        (noise * gaussian_filter(noise, sigma, mode="constant", truncate=6.0)).sum()
    )
    return float(np.sqrt(max(random, 0.0) + common**2))
