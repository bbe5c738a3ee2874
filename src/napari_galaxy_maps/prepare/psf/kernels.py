"""Convolution kernels: read from files, made from two PSFs, or Gaussian; each normalised, centred,
odd-sized and examined.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np

from ...constants import FWHM_PER_SIGMA
from ...data.galaxy import Stamp
from ...device import check_memory
from ...exceptions import InputError

_KEPT_ENERGY = 0.9999  # of the kernel's absolute sum; what lies further out is cut off, and noted
_SAMPLES = 3  # of the sharper PSF's width: its transform is down to 3e-4 where these fold it
_SQUARE = 1.01  # ratio of a pixel's sides up to which it is square
# Weaker, and PSFs of far infrared bands with their sharp cut in spatial frequency make kernels that
# ring (lobes of 6 % of the peak from GALEX to SPIRE 250, here 1.4 %); stronger, and PSFs of nearly
# one width are matched to 1 % only (here 0.3 %).
_REGULARIZATION = 1e-3
_BYTES_PER_PIXEL = 200  # of a kernel while it is made and examined, as measured


@dataclass(frozen=True, eq=False)
class Kernel:
    """A convolution kernel; equal to itself only.

    Attributes
    ----------
    array : ndarray of float32, odd-sized, sum 1
        Its peak is its middle pixel.
    source : str
        Where it is from, in words.
    lost : float
        Fraction of its energy (sum of absolute values) that was cut off outside.
    negative : float
        Depth of its worst negative lobe as a fraction of its peak, 0 where there is none.
    """

    array: np.ndarray
    source: str
    lost: float = 0.0
    negative: float = 0.0

    def with_words(self, *words: str) -> Kernel:
        """The same kernel with more to say of it."""
        return replace(self, source=", ".join((self.source, *words)))

    def __str__(self) -> str:
        parts = [self.source]
        if self.lost > 1e-3:
            parts.append(f"{self.lost:.1%} of its energy cut off")
        if self.negative > 1e-3:
            parts.append(f"worst negative lobe {self.negative:.1%} of the peak")
        return ", ".join(parts)


def gaussian_kernel(fwhm: float, target: float, pixel_arcsec: float) -> np.ndarray | None:
    """The Gaussian that widens one Gaussian PSF to another.

    Parameters
    ----------
    fwhm, target : float
        Full widths at half maximum in arcsec, before and after.
    pixel_arcsec : float
        Side of a pixel.

    Returns ------- ndarray of float32, odd-sized, sum 1; or None where the kernel would be narrower
    than a tenth of a pixel.
    """
    from astropy.convolution import Gaussian2DKernel

    sigma = np.sqrt(max(target**2 - fwhm**2, 0.0)) / FWHM_PER_SIGMA / pixel_arcsec
    if sigma < 0.1:
        return None
    kernel = Gaussian2DKernel(sigma, x_size=2 * int(np.ceil(4 * sigma)) + 1).array
    return (kernel / kernel.sum()).astype(np.float32)


def on_pixels(stamp: Stamp, frame: np.ndarray) -> np.ndarray:
    """A stamp on an image's pixels, turned and mirrored as these are, with sum 1.

    It is sampled, not averaged over pixels: the image's light has been averaged over them already.

    Parameters
    ----------
    stamp : Stamp
        Any.
    frame : ndarray, shape (2, 2)
        How the image's pixels lie on the sky, as `galaxy.pixel_frame`.

    Returns
    -------
    ndarray of float64, odd-sized

    Raises
    ------
    InputError
        When it does not fit into memory, or its sum is not positive.
    """
    from scipy.ndimage import affine_transform

    # An offset in the image's pixels to one in the stamp's, both (y, x).
    matrix = (np.linalg.inv(stamp.frame) @ frame)[::-1, ::-1]
    middle = stamp.data.shape[0] // 2
    half = max(int(middle / np.linalg.svd(matrix, compute_uv=False)[-1]), 1)
    check_memory(
        _BYTES_PER_PIXEL * (2.0 * half + 1) ** 2,
        f"{stamp.name} on {2 * half + 1} x {2 * half + 1} pixels of the image",
        "look at its pixel scale, or cut it to its core",
    )
    result = affine_transform(
        stamp.data,
        matrix,
        [middle, middle] - matrix @ [half, half],
        (2 * half + 1,) * 2,
        order=3,
        mode="constant",
    )
    total = result.sum()
    if not total > 0:
        raise InputError(
            f"{stamp.name} sums to {total:.3g} on these pixels; a PSF or kernel has a positive sum."
        )
    return np.asarray(result / total)


def examined(array: np.ndarray, source: str) -> Kernel:
    """A kernel cut to what matters, centred on its peak and normalised, with what was lost and what
    is negative.
    """
    centre = np.unravel_index(array.argmax(), array.shape)
    half = min(min(c, n - 1 - c) for c, n in zip(centre, array.shape, strict=True))
    y, x = (slice(int(c - half), int(c + half) + 1) for c in centre)
    whole = np.abs(array).sum()
    array = array[y, x]
    radius = np.maximum(*np.abs(np.mgrid[-half : half + 1, -half : half + 1]))
    within = np.cumsum(np.bincount(radius.ravel(), np.abs(array).ravel())) / whole
    keep = int(np.searchsorted(within, min(_KEPT_ENERGY, within[-1])))
    cut = slice(half - keep, half + keep + 1)
    array = array[cut, cut]
    lost = float(1 - np.abs(array).sum() / whole)
    negative = float(max(0.0, -array.min() / array.max()))
    total = array.sum()
    if not total > 0:
        raise InputError(f"{source} sums to {total:.3g}; a kernel has a positive sum.")
    return Kernel((array / total).astype(np.float32), source, lost, negative)


def kernel_from_stamp(stamp: Stamp, frame: np.ndarray) -> Kernel:
    """A ready kernel (e.g. of Aniano+ 2011) on an image's pixels; `frame` as in `on_pixels`."""
    pixel = float(np.sqrt(abs(np.linalg.det(frame))))
    resampled = (
        f", resampled from {stamp.pixel_arcsec:.3g} to {pixel:.3g} arcsec"
        if abs(pixel / stamp.pixel_arcsec - 1) > 0.01
        else ""
    )
    return examined(on_pixels(stamp, frame), f"kernel {stamp}{resampled}")


def kernel_between(own: Stamp | float, target: Stamp | float, frame: np.ndarray) -> Kernel | None:
    """The kernel that turns one PSF into another.

    Parameters
    ----------
    own, target : Stamp or float
        Measured PSFs, or the FWHM (arcsec) of Gaussian ones.
    frame : ndarray, shape (2, 2)
        How the image's pixels lie on the sky, as `galaxy.pixel_frame`; measured PSFs are turned
        with them.

    Returns
    -------
    Kernel or None
        None where the PSFs are equal. Of two Gaussians it is a Gaussian; else the regularised ratio
        of their Fourier transforms (photutils' Wiener kernel with a Laplacian penalty, as in
        Boucaud+ 2016).

    Raises
    ------
    InputError
        When a stamp is unusable.
    """
    if own is target:
        return None
    pixel = float(np.sqrt(abs(np.linalg.det(frame))))
    if not isinstance(own, Stamp) and not isinstance(target, Stamp):
        gaussian = gaussian_kernel(own, target, pixel)
        if gaussian is None:
            return None
        sides = np.linalg.svd(frame, compute_uv=False)
        if sides[0] < _SQUARE * sides[1]:
            return Kernel(gaussian, "Gaussian")
        between = np.sqrt(target**2 - own**2)
        return examined(
            on_pixels(gaussian_stamp(between, min(sides[1], between) / 5), frame), "Gaussian"
        )
    width = own.fwhm if isinstance(own, Stamp) else own
    stamp = _wiener(own, target, width / _SAMPLES)
    return examined(on_pixels(stamp, frame), stamp.name)


def _wiener(own: Stamp | float, target: Stamp | float, pixel: float) -> Stamp:
    """The kernel between two PSFs, north up, on pixels of so many arcsec."""
    from photutils.psf_matching import make_wiener_kernel

    planes = [_plane(psf, pixel) for psf in (own, target)]
    side = max(plane.shape[0] for plane in planes)
    planes = [np.pad(plane, (side - plane.shape[0]) // 2) for plane in planes]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = make_wiener_kernel(
            planes[0], planes[1], regularization=_REGULARIZATION, penalty="laplacian"
        )
    names = [
        str(psf) if isinstance(psf, Stamp) else f"a Gaussian of {psf:g} arcsec"
        for psf in (own, target)
    ]
    return Stamp(made, pixel * np.eye(2), f"made from {names[0]} and {names[1]}")


def _plane(psf: Stamp | float, pixel_arcsec: float) -> np.ndarray:
    if isinstance(psf, Stamp):
        return on_pixels(psf, pixel_arcsec * np.eye(2))
    return gaussian_stamp(psf, pixel_arcsec).data


def gaussian_stamp(fwhm: float, pixel_arcsec: float) -> Stamp:
    """A picture of a Gaussian PSF, out to 5 sigma."""
    from astropy.convolution import Gaussian2DKernel

    sigma = fwhm / FWHM_PER_SIGMA / pixel_arcsec
    plane = Gaussian2DKernel(sigma, x_size=2 * int(np.ceil(5 * sigma)) + 1).array
    return Stamp(
        np.asarray(plane / plane.sum()), pixel_arcsec * np.eye(2), f"a Gaussian of {fwhm:g} arcsec"
    )
