"""How deep and how sharp each band is seen: pixel, noise and sky brightness of the surveys that
DustPedia collected.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..bands.registry import get_band
from ..constants import ZERO_AB_MJY_SR

MOFFAT_BETA = 4.765
"""Of the atmosphere's PSF (Trujillo+ 2001)."""
GROUND = ("SDSS", "2MASS")


@dataclass(frozen=True)
class Depth:
    """Noise of a band.

    Attributes
    ----------
    pixel : float
        Side in arcsec of the pixel that `noise` is for.
    noise : float
        rms on empty sky, MJy/sr.
    sky : float
        Brightness in MJy/sr of what was in front of the detector, by which noise grows where the
        galaxy is bright.
    """

    pixel: float
    noise: float
    sky: float


def _magnitudes(value: float) -> float:
    """MJy/sr of AB mag/arcsec2."""
    return float(ZERO_AB_MJY_SR * 10 ** (-0.4 * value))


_BRIGHT = 1e6
# GALEX: photons of 1,600 s (Morrissey+ 2007). SDSS: frames of a dark night, 53.9 s. 2MASS and WISE:
# Atlas images. Spitzer: SINGS and S4G (Kennicutt+ 2003, Sheth+ 2010). Herschel: KINGFISH
# (Kennicutt+ 2011, Sect. 3).
DEPTHS: dict[str, Depth] = {
    "GALEX_FUV": Depth(1.5, 9.5e-4, 7.1e-4), "GALEX_NUV": Depth(1.5, 9.0e-4, 2.0e-3),
    "SDSS_u": Depth(0.396, 0.045, _magnitudes(22.1)),
    "SDSS_g": Depth(0.396, 0.018, _magnitudes(21.8)),
    "SDSS_r": Depth(0.396, 0.028, _magnitudes(20.9)),
    "SDSS_i": Depth(0.396, 0.043, _magnitudes(20.2)),
    "SDSS_z": Depth(0.396, 0.17, _magnitudes(18.9)),
    "2MASS_J": Depth(1.0, 0.15, _BRIGHT), "2MASS_H": Depth(1.0, 0.22, _BRIGHT),
    "2MASS_Ks": Depth(1.0, 0.27, _BRIGHT),
    "WISE_3.4": Depth(1.375, 0.0026, _BRIGHT), "WISE_4.6": Depth(1.375, 0.0049, _BRIGHT),
    "WISE_12": Depth(1.375, 0.020, _BRIGHT), "WISE_22": Depth(1.375, 0.21, _BRIGHT),
    "Spitzer_3.6": Depth(0.75, 0.008, _BRIGHT), "Spitzer_4.5": Depth(0.75, 0.010, _BRIGHT),
    "Spitzer_5.8": Depth(0.75, 0.04, _BRIGHT), "Spitzer_8.0": Depth(0.75, 0.04, _BRIGHT),
    "Spitzer_24": Depth(1.5, 0.06, _BRIGHT), "Spitzer_70": Depth(4.5, 0.5, _BRIGHT),
    "PACS_70": Depth(2.0, 5.0, _BRIGHT), "PACS_100": Depth(2.0, 5.0, _BRIGHT),
    "PACS_160": Depth(3.0, 2.2, _BRIGHT),
    "SPIRE_250": Depth(6.0, 0.7, _BRIGHT), "SPIRE_350": Depth(10.0, 0.4, _BRIGHT),
    "SPIRE_500": Depth(14.0, 0.2, _BRIGHT),
}  # fmt: skip


def sigma(band: str, image: np.ndarray, pixel_arcsec: float, factor: float = 1.0) -> np.ndarray:
    """1-sigma error in MJy/sr of every pixel: the sky's noise, and that of the galaxy's own
    photons.

    Parameters
    ----------
    band : str
    image : ndarray
        Noiseless surface brightness, MJy/sr.
    pixel_arcsec : float
        Side of its pixels.
    factor : float
        By which the survey's noise is multiplied.
    """
    depth = DEPTHS[band]
    base = factor * depth.noise * depth.pixel / pixel_arcsec
    return np.asarray(base * np.sqrt(1 + np.maximum(image, 0) / depth.sky), np.float32)


def psf_transform(fwhm: float, moffat: bool, shape: tuple[int, int]) -> np.ndarray:
    """Real Fourier transform of a PSF averaged over pixels, for circular convolution.

    Parameters
    ----------
    fwhm : float
        Pixels.
    moffat : bool
        A Moffat profile as the atmosphere's, else a Gaussian.
    shape : tuple of int
        Of the images to convolve.
    """
    from scipy import fft

    ny, nx = shape
    if not moffat:
        widths = (np.pi * fwhm) ** 2 / (4 * np.log(2))
        along, across = (
            np.exp(-widths * f**2) * np.sinc(f) for f in (np.fft.fftfreq(ny), np.fft.rfftfreq(nx))
        )
        return np.asarray(along[:, None] * across[None], np.float32)
    fine = 3 if fwhm < 4 else 1
    sub = (np.arange(fine) + 0.5) / fine - 0.5
    dy, dx = np.fft.fftfreq(ny) * ny, np.fft.fftfreq(nx) * nx
    alpha = fwhm / 2 / np.sqrt(2 ** (1 / MOFFAT_BETA) - 1)
    kernel = sum(
        (1 + ((dy + a)[:, None] ** 2 + (dx + b)[None] ** 2) / alpha**2) ** -MOFFAT_BETA
        for a in sub
        for b in sub
    )
    transform = fft.rfft2(np.asarray(kernel, np.float32))
    return np.asarray(transform / transform[0, 0].real, np.complex64)


def is_ground(band: str) -> bool:
    """Whether the atmosphere made the band's PSF."""
    return get_band(band).survey in GROUND


def convolve(planes: np.ndarray, psfs: list[tuple[float, bool]], pixel_arcsec: float) -> np.ndarray:
    """Planes blurred by their PSFs; beyond the border the image is mirrored.

    Parameters
    ----------
    planes : ndarray, shape (n, ny, nx)
        Square.
    psfs : list of (float, bool)
        For each plane the FWHM in arcsec, and whether the atmosphere made it (see `is_ground`).
    pixel_arcsec : float
    """
    from scipy import fft

    n = planes.shape[-1]
    widest = max(fwhm for fwhm, _ in psfs) / pixel_arcsec
    pad = int(min(np.ceil(2.0 * widest) + 2, n - 1))
    size = fft.next_fast_len(n + 2 * pad, real=True)
    extra = size - n - pad
    padded = np.pad(
        planes, ((0, 0), (pad, extra), (pad, extra)), mode="symmetric" if extra <= n else "edge"
    )
    transforms: dict[tuple[float, bool], np.ndarray] = {}
    result = np.empty_like(planes)
    for k, (fwhm, ground) in enumerate(psfs):
        if (fwhm, ground) not in transforms:
            transforms[fwhm, ground] = psf_transform(fwhm / pixel_arcsec, ground, (size, size))
        spectrum = fft.rfft2(padded[k]) * transforms[fwhm, ground]
        result[k] = fft.irfft2(spectrum, (size, size))[pad : pad + n, pad : pad + n]
    return result
