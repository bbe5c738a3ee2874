"""How a galaxy of the second recipe is seen: pixels, blur, noise, sky and calibration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...bands.registry import get_band
from ...constants import FWHM_PER_SIGMA, PC_PER_MPC_ARCSEC, SR_PER_ARCSEC2, ZERO_AB_JY
from .painting import BANDS

PIXEL_ARCSEC = 18.0
"""Side of the pixels that noise is told for."""
BLUR = 2.0
"""FWHM of the PSF in pixels."""
MARGIN = 3
"""Pixels left out at the border of a grid, where the blur lacks what lies outside."""
MPC = (3.0, 100.0)
_WIDEST = 220  # fine pixels of a grid of a whole galaxy
_WINDOW = 32
_WINDOWS_AT = (0.15, 0.5, 0.9)
_LEAST, _MOST = 6.0, 18.0  # arcsec of pixels of a physical size


def _point_source(limit_jy: float, n_sigma: float, fwhm: float) -> float:
    """Noise in MJy/sr of 18 arcsec pixels where a point source of `limit_jy` has `n_sigma`: its
    light is gathered from 4 pi sigma2 of a Gaussian PSF, and noise is white.
    """
    area = 4 * np.pi * (fwhm / FWHM_PER_SIGMA) ** 2
    per_arcsec = limit_jy / n_sigma / np.sqrt(area)
    return float(per_arcsec / PIXEL_ARCSEC / SR_PER_ARCSEC2 * 1e-6)


def _ab(magnitude: float) -> float:
    return float(ZERO_AB_JY * 10 ** (-0.4 * magnitude))


NOISE: dict[str, float] = {
    # 1,500 s (Morrissey+ 2007, Table 1)
    "GALEX_FUV": _point_source(_ab(22.6), 5, 4.3), "GALEX_NUV": _point_source(_ab(22.7), 5, 5.3),
    # 95 % of stars found (Abazajian+ 2009, Table 1)
    "SDSS_u": _point_source(_ab(22.0), 5, 1.4), "SDSS_g": _point_source(_ab(22.2), 5, 1.4),
    "SDSS_r": _point_source(_ab(22.2), 5, 1.3), "SDSS_i": _point_source(_ab(21.3), 5, 1.2),
    "SDSS_z": _point_source(_ab(20.5), 5, 1.2),
    # 10 sigma at 15.8, 15.1 and 14.3 Vega (Skrutskie+ 2006, Table 1)
    "2MASS_J": _point_source(1594 * 10**-6.32, 10, 2.5),
    "2MASS_H": _point_source(1024 * 10**-6.04, 10, 2.5),
    "2MASS_Ks": _point_source(666.7 * 10**-5.72, 10, 2.5),
    # 5 sigma (AllWISE: Cutri+ 2013, Sect. I.4)
    "WISE_3.4": _point_source(54e-6, 5, 6.1), "WISE_4.6": _point_source(71e-6, 5, 6.4),
    "WISE_12": _point_source(730e-6, 5, 6.5), "WISE_22": _point_source(5e-3, 5, 12.0),
}  # fmt: skip
"""1-sigma noise of 18 arcsec pixels, MJy/sr."""
SHOWN_NOISE = 0.5
"""Of SPIRE at 250 micron, MJy/sr: the confusion of 5.8 mJy in a beam of 469 arcsec2 (Nguyen+
2010)."""


@dataclass(frozen=True)
class Sight:
    """Pixels that a galaxy is seen on.

    Attributes
    ----------
    side_kpc : float
    arcsec : float
        Side on the sky.
    """

    side_kpc: float
    arcsec: float


def draw_sights(scales_pc: tuple[float, ...], r25: float, rng: np.random.Generator) -> list[Sight]:
    """Pixels of physical sides, at distances where they span 6 to 18 arcsec, and of 18 arcsec at
    any distance; none wider than half of R25.

    Parameters
    ----------
    scales_pc : tuple of float
    r25 : float
        kpc.
    rng : numpy.random.Generator
    """
    sights = []
    for side in scales_pc:
        low = max(_LEAST, side / PC_PER_MPC_ARCSEC / MPC[1])
        high = min(_MOST, side / PC_PER_MPC_ARCSEC / MPC[0])
        sights.append(Sight(side / 1e3, float(np.exp(rng.uniform(np.log(low), np.log(high))))))
    nearest, farthest = MPC[0], min(MPC[1], 500 * r25 / PC_PER_MPC_ARCSEC / PIXEL_ARCSEC)
    if farthest > nearest:
        distance = np.exp(rng.uniform(np.log(nearest), np.log(farthest)))
        sights.append(Sight(distance * PC_PER_MPC_ARCSEC * PIXEL_ARCSEC / 1e3, PIXEL_ARCSEC))
    return [sight for sight in sights if sight.side_kpc <= r25 / 2]


@dataclass(frozen=True, eq=False)
class Grid:
    """Fine points of square pixels, kpc.

    Attributes
    ----------
    x, y : ndarray, shape (n * fine, n * fine)
    fine : int
        Points along the side of a pixel.
    step : float
        Between points.
    """

    x: np.ndarray
    y: np.ndarray
    fine: int
    step: float


def make_grid(centre: tuple[float, float], n: int, side: float, fine: int) -> Grid:
    """n x n pixels of a side in kpc about a place."""
    at = (np.arange(n * fine) + 0.5 - n * fine / 2) * side / fine
    x, y = np.meshgrid(at + centre[0], at + centre[1])
    return Grid(x, y, fine, side / fine)


def grids(
    side: float, r25: float, axis_ratio: float, finest: float, rng: np.random.Generator
) -> Iterator[Grid]:
    """The grids that a galaxy is painted on for pixels of a side: one of all of it, or three parts
    of it where that were too many points.

    Parameters
    ----------
    side, r25 : float
        kpc.
    axis_ratio : float
    finest : float
        Under which nothing changes, kpc.
    rng : numpy.random.Generator
    """
    fine = int(np.clip(np.ceil(side / max(r25 / 30, finest)), 3, 12))
    n = 2 * int(np.ceil(1.25 * r25 / side)) + 2 * MARGIN + 1
    if n * fine <= _WIDEST:
        yield make_grid((0.0, 0.0), n, side, fine)
        return
    for reach in _WINDOWS_AT:
        angle = rng.uniform(0, 2 * np.pi)
        place = reach * r25 * np.cos(angle), reach * r25 * axis_ratio * np.sin(angle)
        yield make_grid(place, _WINDOW, side, fine)


def on_pixels(planes: np.ndarray, fine: int) -> np.ndarray:
    """Planes (..., n * fine, n * fine) blurred by the PSF and averaged over pixels, without the
    margin.
    """
    from scipy.ndimage import gaussian_filter1d

    for axis in (-2, -1):
        planes = gaussian_filter1d(
            planes, BLUR * fine / FWHM_PER_SIGMA, axis, mode="nearest", truncate=3.5
        )
    n = planes.shape[-1] // fine
    mean = planes.reshape(*planes.shape[:-2], n, fine, n, fine).mean(axis=(-3, -1))
    return np.asarray(mean[..., MARGIN:-MARGIN, MARGIN:-MARGIN])


@dataclass(frozen=True, eq=False)
class Camera:
    """How a galaxy's images were taken: the same for all of its pixels.

    Attributes
    ----------
    noise : ndarray, shape (n_bands,)
        Of 18 arcsec pixels, MJy/sr.
    gain : ndarray, shape (n_bands,)
        Factor of the calibration's error.
    calibration : ndarray, shape (n_bands,)
        1-sigma error of it.
    level, slope : ndarray, shape (n_bands,) and (n_bands, 2)
        Of what was left of the sky, MJy/sr, and per R25.
    """

    noise: np.ndarray
    gain: np.ndarray
    calibration: np.ndarray
    level: np.ndarray
    slope: np.ndarray


def draw_camera(rng: np.random.Generator) -> Camera:
    """A camera of the surveys' depths times 0.5 to 3, with half a sigma of sky left."""
    noise = np.array([NOISE[band] for band in BANDS]) * np.exp(
        rng.uniform(np.log(0.5), np.log(3.0))
    )
    calibration = np.array([get_band(band).calibration for band in BANDS], float)
    return Camera(
        noise=noise,
        gain=1 + calibration * rng.standard_normal(len(BANDS)),
        calibration=calibration,
        level=0.4 * noise * rng.standard_normal(len(BANDS)),
        slope=0.3 * noise[:, None] * rng.standard_normal((len(BANDS), 2)),
    )


def take(
    camera: Camera, light: np.ndarray, at: np.ndarray, arcsec: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """What a camera sees of pixels, and the 1-sigma errors told with it.

    Parameters
    ----------
    camera : Camera
    light : ndarray, shape (n_bands, n)
        MJy/sr.
    at : ndarray, shape (2, n)
        Places in R25.
    arcsec : float
        Side of a pixel.
    rng : numpy.random.Generator
    """
    noise = (camera.noise * PIXEL_ARCSEC / arcsec)[:, None]
    sky = camera.level[:, None] + camera.slope @ at
    seen = light * camera.gain[:, None] + sky + noise * rng.standard_normal(light.shape)
    return seen, np.hypot(noise, camera.calibration[:, None] * np.abs(seen))
