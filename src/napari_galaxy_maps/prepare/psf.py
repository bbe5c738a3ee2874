"""One PSF: convolution that knows of blank pixels, with the kernel that turns an image's PSF into the common one."""

from __future__ import annotations

import numpy as np

from ..galaxy import BandImage

FWHM_PER_SIGMA = float(2 * np.sqrt(2 * np.log(2)))


def gaussian_kernel(fwhm: float, target: float, pixel_arcsec: float) -> np.ndarray | None:
    """The Gaussian that widens one Gaussian PSF to another.

    Parameters
    ----------
    fwhm, target : float
        Full widths at half maximum in arcsec, before and after.
    pixel_arcsec : float
        Side of a pixel.

    Returns
    -------
    ndarray of float32, odd-sized, sum 1; or None where the kernel would be narrower than a tenth of a pixel.
    """
    from astropy.convolution import Gaussian2DKernel

    sigma = np.sqrt(max(target**2 - fwhm**2, 0.0)) / FWHM_PER_SIGMA / pixel_arcsec
    if sigma < 0.1:
        return None
    kernel = Gaussian2DKernel(sigma, x_size=2 * int(np.ceil(4 * sigma)) + 1).array
    return (kernel / kernel.sum()).astype(np.float32)


def convolve(planes: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Convolve planes with one kernel, zero outside, by FFT in float32.

    Parameters
    ----------
    planes : ndarray of float32, shape (n, ny, nx)
        Finite values.
    kernel : ndarray of float32, odd-sized
        Its centre is its middle pixel.

    Returns
    -------
    ndarray of float32, shape (n, ny, nx)
    """
    from scipy import fft

    ny, nx = planes.shape[-2:]
    ky, kx = kernel.shape
    shape = [fft.next_fast_len(n, real=True) for n in (ny + ky - 1, nx + kx - 1)]
    transform = fft.rfft2(kernel.astype(np.float32), shape)
    out = np.empty(planes.shape, np.float32)
    for plane, result in zip(planes, out, strict=True):
        full = fft.irfft2(fft.rfft2(plane.astype(np.float32), shape, workers=2) * transform, shape, workers=2)
        result[:] = full[ky // 2 : ky // 2 + ny, kx // 2 : kx // 2 + nx]
    return out


def masked_convolve(
    data: np.ndarray,
    kernel: np.ndarray,
    mask: np.ndarray | None = None,
    variance: np.ndarray | None = None,
    min_weight: float = 0.5,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Convolution over the valid pixels alone: (data x weight) * K over weight * K.

    Parameters
    ----------
    data : ndarray of float32, shape (ny, nx)
        NaN where blank.
    kernel : ndarray of float32
        Odd-sized, sum 1.
    mask : ndarray of bool, shape (ny, nx), optional
        True where a pixel is not to be used.
    variance : ndarray of float32, shape (ny, nx), optional
        Of independent pixels; carried through the square of the kernel.
    min_weight : float
        The result is NaN where valid pixels carry less of the kernel than this.

    Returns
    -------
    data, variance : ndarray of float32, shape (ny, nx)
        The variance is None where none was given.
    """
    good = np.isfinite(data)
    if mask is not None:
        good &= ~mask
    weight = good.astype(np.float32)
    # The mean is taken out before and put back after, so that float32 rounding scales with the signal, not with the sky.
    level = np.float32(data[good].mean()) if good.any() else np.float32(0)
    numerator, denominator = convolve(np.stack([np.where(good, data - level, np.float32(0)), weight]), kernel)
    with np.errstate(invalid="ignore", divide="ignore"):
        result = numerator / denominator + level
        result[denominator < min_weight] = np.nan
        if variance is None:
            return result.astype(np.float32), None
        # Unknown errors of good pixels count as the median one: a hole in the error image is no hole in the sky.
        known = good & np.isfinite(variance)
        typical = np.median(variance[known]) if known.any() else np.float32(np.nan)
        filled = np.where(good, np.where(np.isfinite(variance), variance, typical), np.float32(0))
        scale = max(float(typical), 1e-30)
        carried = convolve((filled / scale)[None], kernel**2)[0].clip(min=0) * scale / denominator**2
        carried[denominator < min_weight] = np.nan
    return result.astype(np.float32), carried.astype(np.float32)


def match_psf(image: BandImage, target: float, min_weight: float = 0.5) -> BandImage:
    """The image at a PSF of FWHM `target` arcsec, both PSFs taken as Gaussians.

    Masked pixels are filled from their neighbours where these carry at least `min_weight` of the kernel, as blank ones
    are; the mask has done its work then.
    """
    kernel = gaussian_kernel(image.fwhm, target, image.pixel_arcsec)
    if kernel is None:
        data = image.data if image.mask is None else np.where(image.mask, np.float32(np.nan), image.data)
        return image.evolve(f"PSF left at {image.fwhm:.2f} arcsec", data=data)
    variance = None if image.uncertainty is None else image.uncertainty**2
    data, carried = masked_convolve(image.data, kernel, image.mask, variance, min_weight)
    return image.evolve(
        f"PSF from {image.fwhm:.2f} to {target:.2f} arcsec",
        data=data,
        uncertainty=None if carried is None else np.sqrt(carried),
        mask=None,
        fwhm=float(target),
    )
