"""Pictures of PSFs and kernels in FITS files: read whatever their size, centre and norm, with a
word on what was put right.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..data.galaxy import Stamp, pixel_frame
from ..exceptions import InputError
from .open_fits import BROKEN, opened, sha256, shape_of
from .sky_coordinates import image_wcs

if TYPE_CHECKING:
    from astropy.io.fits import Header

_PIXEL_KEYS = ("PIXSCALE", "PIXSCAL", "PIXELSCL", "PIXSIZE", "SECPIX", "SCALE")
_LARGEST_SIDE = 6000
_LEAST_SKY = 0.02  # of the sum
_FLAT = (
    1.1  # ratio of the outermost two rings, each a fifth of the radius, below which they are level
)


def read_stamp(path: str | Path) -> Stamp:
    """A PSF or kernel from a FITS file, odd-sized and square about its peak, with sum 1.

    Its pixels lie as its WCS says; without one they have the side that PIXSCALE and its like tell,
    and north is up. A file that has not changed is read once.

    Raises
    ------
    InputError
        When the file cannot be read, holds no picture with a peak and a positive sum, or tells no
        pixel scale.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise InputError(f"{path} does not exist; check the path of the PSF or kernel.")
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _read(path: Path, changed: int) -> Stamp:
    with opened(path) as hdus:
        hdu = next((hdu for hdu in hdus if shape_of(hdu)), None)
        if hdu is None:
            raise InputError(f"{path} holds no PSF or kernel: a 2-D image is needed.")
        # Looked at before the pixels are read, for there may be too many of them.
        sides = " x ".join(str(n) for n in reversed(hdu.shape))
        shape = tuple(n for n in hdu.shape if n != 1)
        if len(shape) != 2:
            what = "cube" if len(shape) > 2 else "line"
            raise InputError(
                f"{path} holds a {what} of {sides} pixels, no PSF or kernel; extract one plane of "
                "it."
            )
        if min(shape) < 3 or max(shape) > _LARGEST_SIDE:
            raise InputError(
                f"{path} is an image of {sides} pixels; a PSF or kernel has 3 to {_LARGEST_SIDE} "
                "on a side."
            )
        try:
            data = np.asarray(hdu.data, float).reshape(shape)
        except BROKEN:
            raise InputError(f"{path} is damaged; fetch the PSF or kernel again.") from None
        frame = _frame(hdu.header, (shape[0], shape[1]), path)
    data, mended = _mended(data, path)
    return Stamp(data, frame, path.name, tuple(mended), sha256(path))


def _mended(data: np.ndarray, path: Path) -> tuple[np.ndarray, list[str]]:
    """The picture square, odd-sized, centred on its peak, with sum 1, and what was done to it."""
    from scipy.ndimage import center_of_mass, label, shift

    mended = []
    blank = ~np.isfinite(data)
    if blank.any():
        mended.append(f"{blank.mean():.1%} of its pixels blank, taken as 0")
        data = np.where(blank, 0.0, data)
    if not data.max() > 0:
        raise InputError(f"{path} has no positive peak; it is no PSF or kernel.")
    if data.shape[0] != data.shape[1]:
        mended.append(f"{data.shape[1]} x {data.shape[0]} pixels made square")
    peak = np.unravel_index(data.argmax(), data.shape)
    if min(*peak, *(n - 1 - c for n, c in zip(data.shape, peak, strict=True))) < 1:
        raise InputError(f"{path} is brightest on its border; it is no PSF or kernel.")
    # A peak between pixels is found by the core's centre of mass.
    cores, _ = label(data > data.max() / 2)
    centre = center_of_mass(np.where(cores == cores[peak], data, 0.0))
    off = max(abs(c - (n - 1) / 2) for c, n in zip(centre, data.shape, strict=True))
    if off > 0.5:
        mended.append(f"peak {off:.1f} pixels off its middle, centred")
    middle = [int(np.floor(c + 0.5)) for c in centre]
    half = max(max(c, n - 1 - c) for c, n in zip(middle, data.shape, strict=True))
    data = np.pad(
        data, [(half - c, half - (n - 1 - c)) for c, n in zip(middle, data.shape, strict=True)]
    )
    between = [m - c for m, c in zip(middle, centre, strict=True)]
    if max(map(abs, between)) > 0.05:
        data = shift(data, between, order=3)
    half = data.shape[0] // 2
    radius = np.hypot(*np.mgrid[-half : half + 1, -half : half + 1]) / half
    inner, outer = (float(np.median(data[(radius > r) & (radius <= r + 0.2)])) for r in (0.6, 0.8))
    share = outer * float((data != 0).sum()) / float(np.abs(data).sum())
    if share > _LEAST_SKY and inner < _FLAT * outer:  # wings fall, what stays level is sky
        mended.append(f"a level that is {share:.0%} of its sum taken off as sky")
        data = np.where(data != 0, data - outer, 0.0)
    total = float(data.sum())
    if not total > 1e-3 * float(np.abs(data).sum()):
        raise InputError(f"{path} sums to {total:.3g}; a PSF or kernel has a positive sum.")
    if abs(total - 1) > 0.01:
        mended.append(f"sum of {total:.4g} made 1")
    return data / total, mended


def _frame(header: Header, shape: tuple[int, int], path: Path) -> np.ndarray:
    from astropy.io.fits import VerifyError

    wcs = image_wcs(header, shape)
    if wcs is not None and any(key in header for key in ("CDELT2", "CD2_2", "CD2_1")):
        frame = pixel_frame(wcs, shape)
        if np.isfinite(frame).all() and abs(np.linalg.det(frame)) > 0:
            return frame
    for key in (*_PIXEL_KEYS, "CDELT2", "CD2_2"):
        try:
            value = abs(float(header[key]))
        except (KeyError, TypeError, ValueError, VerifyError):
            continue
        if value > 0 and np.isfinite(value):
            return value * (3600 if key in ("CDELT2", "CD2_2") else 1) * np.eye(2)
    raise InputError(f"{path} tells no pixel scale; add PIXSCALE in arcsec to its header.")
