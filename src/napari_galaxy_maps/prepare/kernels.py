"""Convolution kernels: read from files, made from two PSFs, or Gaussian; each normalised, centred, odd-sized and examined."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..exceptions import InputError

if TYPE_CHECKING:
    from astropy.wcs import WCS

FWHM_PER_SIGMA = float(2 * np.sqrt(2 * np.log(2)))

_KEPT_ENERGY = 0.9999  # of the kernel's absolute sum; what lies further out is cut off and told
_PIXEL_KEYS = ("PIXSCALE", "PIXSCAL", "PIXELSCL", "PIXSIZE", "SCALE", "CDELT2", "CD2_2")


@dataclass(frozen=True)
class Kernel:
    """A convolution kernel.

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

    def __str__(self) -> str:
        parts = [self.source]
        if self.lost > 1e-3:
            parts.append(f"{self.lost:.1%} of its energy cut off")
        if self.negative > 1e-3:
            parts.append(f"worst negative lobe {self.negative:.1%} of the peak")
        return ", ".join(parts)


@dataclass(frozen=True)
class Stamp:
    """A picture of a PSF or kernel: pixels (float64, peak in the middle, odd-sized) and their side in arcsec."""

    data: np.ndarray
    pixel_arcsec: float
    source: str


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


def read_stamp(path: str | Path) -> Stamp:
    """A PSF or kernel from a FITS file, whatever its size, centre and norm.

    It is made odd-sized and square about its peak; the pixel scale is that of the WCS, or of PIXSCALE and its like.

    Raises
    ------
    InputError
        When the file cannot be read, holds no picture with a peak, or tells no pixel scale.
    """
    from ..fits_io.opening import BROKEN, opened

    path = Path(path).expanduser()
    with opened(path) as hdus:
        hdu = next((h for h in hdus if getattr(h, "is_image", False) and len(h.shape) == 2 and min(h.shape) > 2), None)
        if hdu is None:
            raise InputError(f"{path} holds no PSF or kernel: a 2-D image is needed.")
        try:
            data = np.nan_to_num(np.asarray(hdu.data, float))
        except BROKEN:
            raise InputError(f"{path} is damaged; fetch the kernel again.") from None
        pixel = _pixel_arcsec(hdu.header, path)
    if not data.max() > 0:
        raise InputError(f"{path} has no positive peak; it is no PSF or kernel.")
    centre = np.unravel_index(data.argmax(), data.shape)
    half = max(max(c, n - 1 - c) for c, n in zip(centre, data.shape, strict=True))
    padding = [(int(half - c), int(half - (n - 1 - c))) for c, n in zip(centre, data.shape, strict=True)]
    off = max(abs(c - (n - 1) / 2) for c, n in zip(centre, data.shape, strict=True))
    source = path.name + (f" (peak {off:.1f} pixels off its middle, centred)" if off > 0.5 else "")
    return Stamp(np.pad(data, padding), pixel, source)


def _pixel_arcsec(header: object, path: Path) -> float:
    for key in _PIXEL_KEYS:
        if key in header:  # type: ignore[operator]
            value = abs(float(header[key]))  # type: ignore[index]
            if value > 0 and np.isfinite(value):
                return value * 3600 if key in ("CDELT2", "CD2_2") else value
    raise InputError(f"{path} tells no pixel scale; add PIXSCALE in arcsec to its header.")


def north_angle(wcs: WCS, shape: tuple[int, int]) -> float:
    """Angle in degrees by which an image is turned: of north from +y, counter-clockwise, in the middle of the image."""
    x, y = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    here, up = (wcs.pixel_to_world(x, y + step).icrs for step in (0, 1))
    angle = -float(here.position_angle(up).deg)
    return (angle + 180) % 360 - 180


def on_pixels(stamp: Stamp, pixel_arcsec: float, angle: float = 0.0) -> np.ndarray:
    """A stamp on other pixels, turned, with sum 1.

    Parameters
    ----------
    stamp : Stamp
        Taken to have north up.
    pixel_arcsec : float
        Side of the new pixels.
    angle : float
        Degrees by which north of the image is turned counter-clockwise from +y.

    Returns
    -------
    ndarray of float64, odd-sized
    """
    from scipy.ndimage import affine_transform, uniform_filter

    ratio = pixel_arcsec / stamp.pixel_arcsec
    data = stamp.data
    if ratio > 1:  # a larger pixel averages over what it covers
        data = uniform_filter(data, size=max(1, round(ratio)), mode="constant")
    half = int(np.floor((stamp.data.shape[0] // 2) / ratio))
    half = max(half, 1)
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    # output (y, x) -> stamp (y, x): turned back by the angle, then scaled
    matrix = ratio * np.array([[cos, -sin], [sin, cos]])
    middle = np.array(stamp.data.shape) // 2
    result = affine_transform(data, matrix, middle - matrix @ [half, half], (2 * half + 1,) * 2, order=3)
    total = result.sum()
    if not total > 0:
        raise InputError(f"{stamp.source} sums to {total:.3g}; a PSF or kernel has a positive sum.")
    return np.asarray(result / total)


def examined(array: np.ndarray, source: str) -> Kernel:
    """A kernel cut to what matters, centred on its peak and normalised, with what was lost and what is negative."""
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


def kernel_from_file(path: str | Path, pixel_arcsec: float, angle: float = 0.0) -> Kernel:
    """A ready kernel (e.g. of Aniano+ 2011) on an image's pixels.

    Raises
    ------
    InputError
        As `read_stamp`.
    """
    stamp = read_stamp(path)
    return examined(on_pixels(stamp, pixel_arcsec, angle), f"kernel {stamp.source}")


def kernel_between(own: Stamp | float, target: Stamp | float, pixel_arcsec: float, angle: float = 0.0) -> Kernel | None:
    """The kernel that turns one PSF into another.

    Parameters
    ----------
    own, target : Stamp or float
        Measured PSFs, or the FWHM (arcsec) of Gaussian ones.
    pixel_arcsec : float
        Side of the image's pixels.
    angle : float
        Of the image's north, degrees; measured PSFs are turned with it.

    Returns
    -------
    Kernel or None
        None where the PSFs are equal. Of two Gaussians it is a Gaussian; else the regularised ratio of their Fourier
        transforms (photutils' Wiener kernel with a Laplacian penalty, as in Boucaud+ 2016).

    Raises
    ------
    InputError
        When a stamp is unusable.
    """
    from photutils.psf_matching import make_wiener_kernel

    if not isinstance(own, Stamp) and not isinstance(target, Stamp):
        gaussian = gaussian_kernel(own, target, pixel_arcsec)
        return None if gaussian is None else Kernel(gaussian, "Gaussian")
    # Finer pixels than the image's keep the sharper PSF sampled; the kernel itself is smooth.
    width = stamp_fwhm(own) if isinstance(own, Stamp) else own
    fine = pixel_arcsec / max(1, int(np.ceil(pixel_arcsec / (width / 5))))
    planes = [_plane(psf, fine, angle) for psf in (own, target)]
    side = max(plane.shape[0] for plane in planes)
    planes = [np.pad(plane, (side - plane.shape[0]) // 2) for plane in planes]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = make_wiener_kernel(planes[0], planes[1], regularization=1e-4, penalty="laplacian")
    names = [psf.source if isinstance(psf, Stamp) else f"a Gaussian of {psf:g} arcsec" for psf in (own, target)]
    stamp = Stamp(made, fine, f"made from {names[0]} and {names[1]}")
    return examined(on_pixels(stamp, pixel_arcsec), stamp.source)


def stamp_fwhm(stamp: Stamp) -> float:
    """FWHM in arcsec of the circle that has the area above half of a PSF's maximum."""
    above = (stamp.data > stamp.data.max() / 2).sum()
    return float(2 * np.sqrt(above / np.pi) * stamp.pixel_arcsec)


def _plane(psf: Stamp | float, pixel_arcsec: float, angle: float) -> np.ndarray:
    if isinstance(psf, Stamp):
        return on_pixels(psf, pixel_arcsec, angle)
    from astropy.convolution import Gaussian2DKernel

    sigma = psf / FWHM_PER_SIGMA / pixel_arcsec
    plane = Gaussian2DKernel(sigma, x_size=2 * int(np.ceil(5 * sigma)) + 1).array
    return np.asarray(plane / plane.sum())
