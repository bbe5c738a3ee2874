"""One PSF: convolution that knows of blank pixels, and follows a change of the mask without starting again."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..galaxy import BandImage
from .kernels import Kernel

Box = tuple[slice, slice]
"""A rectangle of pixels: rows, columns."""


@dataclass(frozen=True)
class Sums:
    """What a masked convolution is made of, kept so that a change of the mask can be added to it.

    Attributes
    ----------
    numerator, weight : ndarray of float64, shape (ny, nx)
        (data - level) x weight, and the weight of valid pixels, each convolved with the kernel. In float64, since
        changes are added: in float32 they would drift.
    variance : ndarray of float64, shape (ny, nx), or None
        variance x weight convolved with the kernel's square.
    level : float
        Taken off before and put back after, so that rounding scales with the signal and not with the sky.
    good : ndarray of bool, shape (ny, nx)
        The pixels that entered.
    """

    numerator: np.ndarray
    weight: np.ndarray
    variance: np.ndarray | None
    level: float
    good: np.ndarray


def convolve(planes: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Convolve planes with one kernel, zero outside, by FFT in the planes' own precision.

    Parameters
    ----------
    planes : ndarray of float32 or float64, shape (n, ny, nx)
        Finite values.
    kernel : ndarray, odd-sized
        Its centre is its middle pixel.

    Returns
    -------
    ndarray, shape (n, ny, nx)
        Of the planes' type.
    """
    from scipy import fft

    ny, nx = planes.shape[-2:]
    ky, kx = kernel.shape
    shape = [fft.next_fast_len(n, real=True) for n in (ny + ky - 1, nx + kx - 1)]
    transform = fft.rfft2(kernel.astype(planes.dtype), shape, workers=2)
    out = np.empty_like(planes)
    for plane, result in zip(planes, out, strict=True):
        full = fft.irfft2(fft.rfft2(plane, shape, workers=2) * transform, shape, workers=2, overwrite_x=True)
        result[:] = full[ky // 2 : ky // 2 + ny, kx // 2 : kx // 2 + nx]
    return out


def valid_pixels(image: BandImage) -> np.ndarray:
    """Pixels that are measured and not masked."""
    good = np.isfinite(image.data)
    return good if image.mask is None else good & ~image.mask


def _variance(image: BandImage, good: np.ndarray) -> np.ndarray | None:
    """Variance of the good pixels; unknown ones count as the median: a hole in the error image is no hole in the sky."""
    if image.uncertainty is None:
        return None
    variance = image.uncertainty.astype(float) ** 2
    known = np.isfinite(variance)
    typical = np.median(variance[known]) if known.any() else np.nan
    return np.where(good, np.where(known, variance, typical), 0.0)


def convolution_sums(image: BandImage, kernel: np.ndarray) -> Sums:
    """The sums of a masked convolution of an image."""
    good = valid_pixels(image)
    finite = np.isfinite(image.data)  # the level must not depend on the mask, or no sum could be kept
    level = float(image.data[finite].mean(dtype=float)) if finite.any() else 0.0
    numerator, weight = convolve(np.stack([np.where(good, image.data - level, 0.0), good.astype(float)]), kernel)
    variance = _variance(image, good)
    spread = None if variance is None else convolve(variance[None], kernel.astype(float) ** 2)[0]
    return Sums(numerator, weight, spread, level, good)


def changed_box(changed: np.ndarray, margin: int = 0) -> Box | None:
    """The smallest rectangle that holds all changed pixels and a margin, or None where there are none."""
    rows, columns = (np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    ny, nx = changed.shape
    return (
        slice(max(0, int(rows[0]) - margin), min(ny, int(rows[-1]) + 1 + margin)),
        slice(max(0, int(columns[0]) - margin), min(nx, int(columns[-1]) + 1 + margin)),
    )


def update_sums(sums: Sums, image: BandImage, kernel: np.ndarray, in_place: bool = False) -> tuple[Sums, Box | None]:
    """The sums after the image's mask has changed, from those before.

    Only the change is convolved, in the rectangle that it touches.

    Parameters
    ----------
    sums : Sums
        Before.
    image : BandImage
        With its new mask.
    kernel : ndarray
        The kernel of the sums.
    in_place : bool
        Whether the old arrays may be changed, which spares their copies.

    Returns
    -------
    sums : Sums
        After.
    box : tuple of slice, or None
        The rectangle in which they differ.
    """
    good = valid_pixels(image)
    changed = good != sums.good
    box = changed_box(changed, margin=kernel.shape[0] // 2)
    if box is None:
        return sums, None
    sign = good[box].astype(float) - sums.good[box].astype(float)
    difference = np.where(sign != 0, sign * (np.nan_to_num(image.data[box]) - sums.level), 0.0)
    planes = convolve(np.stack([difference, sign]), kernel)
    numerator, weight = (a if in_place else a.copy() for a in (sums.numerator, sums.weight))
    numerator[box] += planes[0]
    weight[box] += planes[1]
    spread = sums.variance
    if spread is not None:
        variance = _variance(image, np.isfinite(image.data))
        assert variance is not None
        spread = spread if in_place else spread.copy()
        spread[box] += convolve((sign * variance[box])[None], kernel.astype(float) ** 2)[0]
    return Sums(numerator, weight, spread, sums.level, good), box


def divided(sums: Sums, min_weight: float, box: Box | None = None) -> tuple[np.ndarray, np.ndarray | None]:
    """Data and variance of a masked convolution: the sums over the weight, NaN where that is under a limit."""
    part = (slice(None), slice(None)) if box is None else box
    weight = sums.weight[part]
    blank = ~(weight >= min_weight)
    with np.errstate(invalid="ignore", divide="ignore"):
        data = (sums.numerator[part] / weight + sums.level).astype(np.float32)
        data[blank] = np.nan
        if sums.variance is None:
            return data, None
        variance = (sums.variance[part].clip(min=0) / weight**2).astype(np.float32)
        variance[blank] = np.nan
    return data, variance


def matched(image: BandImage, sums: Sums, kernel: Kernel, target: float, min_weight: float) -> BandImage:
    """The image at the common PSF, from the sums of its convolution."""
    data, variance = divided(sums, min_weight)
    return image.evolve(
        _note(image, kernel, target),
        data=data,
        uncertainty=None if variance is None else np.sqrt(variance),
        mask=None,
        fwhm=float(target),
        psf=None,
    )


def _note(image: BandImage, kernel: Kernel, target: float) -> str:
    return f"PSF from {image.fwhm:.2f} to {target:.2f} arcsec, {kernel}"


def match_psf(image: BandImage, target: float, min_weight: float = 0.5, kernel: Kernel | None = None) -> BandImage:
    """The image at a PSF of FWHM `target` arcsec.

    Masked pixels are filled from their neighbours where these carry at least `min_weight` of the kernel, as blank ones
    are; the mask has done its work then.

    Parameters
    ----------
    image : BandImage
        Any image.
    target : float
        FWHM of the common PSF, arcsec.
    min_weight : float
        Blank where valid pixels carry less of the kernel than this.
    kernel : Kernel, optional
        That brings the image's PSF to the common one; else both PSFs are taken as Gaussians.
    """
    from .kernels import kernel_between

    kernel = kernel or kernel_between(image.fwhm, target, image.frame)
    if kernel is None:
        return unmatched(image)
    return matched(image, convolution_sums(image, kernel.array), kernel, target, min_weight)


def unmatched(image: BandImage) -> BandImage:
    """The image at its own PSF, with its masked pixels blank."""
    data = image.data if image.mask is None else np.where(image.mask, np.float32(np.nan), image.data)
    return replace(image.evolve(f"PSF left at {image.fwhm:.2f} arcsec", data=data), mask=None)
