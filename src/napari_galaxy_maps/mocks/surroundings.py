"""What else is on an image: a companion, galaxies behind, stars of the Milky Way and its dust, the
sky that was left.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..bands.registry import get_band
from ..constants import SECOND_RADIATION_CONSTANT_MICRON_K, SR_PER_ARCSEC2, ZERO_AB_JY
from . import history
from .population import MockGalaxy, draw_galaxy
from .view import LOG_MASS, View

_GAIA_UM = 0.62
_HOTTER, _COOLER = 7500.0, 3500.0


def companion(galaxy: MockGalaxy, half_kpc: float) -> tuple[MockGalaxy, float, float]:
    """The smaller galaxy that an interacting one has, and its place in kpc right and up from the
    centre.
    """
    rng = np.random.default_rng([galaxy.seed, 0xC03])
    mass = float(np.clip(galaxy.log_mass - rng.uniform(0.4, 1.3), LOG_MASS.least, LOG_MASS.most))
    kind = str(rng.choice(["spiral", "irregular", "elliptical"], p=[0.4, 0.4, 0.2]))
    found = draw_galaxy(int(rng.integers(2**31)), kind, mass)
    away, angle = rng.uniform(0.45, 0.8) * half_kpc, rng.uniform(0, 2 * np.pi)
    return replace(found, lopsided=0.6), float(away * np.cos(angle)), float(away * np.sin(angle))


def leftover_sky(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A level and a slope for each band, each of order 1 across the image, in its `shape`."""
    n_bands, ny, nx = shape
    y, x = np.linspace(-1, 1, ny)[:, None], np.linspace(-1, 1, nx)[None]
    level, right, up = rng.standard_normal((3, n_bands, 1, 1))
    return np.asarray(level + right * x + up * y, np.float32)


def foreground(
    images: np.ndarray, view: View, rng: np.random.Generator
) -> tuple[np.ndarray, list[dict[str, float]]]:
    """The images with galaxies behind, dimmed by the Milky Way, and with its stars; and a list of
    those.

    Returns
    -------
    images : ndarray
        The same array where nothing is added.
    stars : list of dict
        x, y (pixels), magnitude (G), parallax (mas), temperature (K).
    """
    if not (view.stars or view.neighbours or view.ebv):
        return images, []
    area = (view.size * view.pixel_arcsec / 60) ** 2
    seen = images.copy()
    for _ in range(rng.poisson(view.neighbours * area)):
        _add_galaxy(seen, view, rng)
    if view.ebv:
        dimming = [10 ** (-0.4 * get_band(band).reddening * view.ebv) for band in view.bands]
        seen *= np.array(dimming, np.float32)[:, None, None]
    stars = []
    for _ in range(rng.poisson(view.stars * area)):
        # Counts grow as 10^(0.25 G) towards the faint at high latitude.
        magnitude = 21 + np.log10(rng.uniform(10 ** (-0.25 * 8), 1)) / 0.25
        star = {
            "x": float(rng.uniform(-0.5, view.size - 0.5)),
            "y": float(rng.uniform(-0.5, view.size - 0.5)),
            "magnitude": float(magnitude),
            "parallax": float(10 ** rng.normal(-0.1 - 0.08 * (magnitude - 16), 0.3)),
            "temperature": float(rng.uniform(_COOLER, _HOTTER)),
        }  # fmt: skip
        stars.append(star)
        _add_star(seen, view, star)
    return seen, stars


def black_body(micron: np.ndarray, at: float, kelvin: float) -> np.ndarray:
    """Flux densities of a black body over that at one wavelength in micron."""
    x = SECOND_RADIATION_CONSTANT_MICRON_K / kelvin  # micron
    return np.asarray((at / micron) ** 3 * np.expm1(x / at) / np.expm1(x / micron))


def _add_star(images: np.ndarray, view: View, star: dict[str, float]) -> None:
    """Add a black body to the four pixels about its place."""
    micron = np.array([get_band(band).pivot for band in view.bands])
    shape = black_body(micron, _GAIA_UM, star["temperature"])
    total = ZERO_AB_JY * 10 ** (-0.4 * star["magnitude"]) * shape  # Jy
    per_pixel = total * 1e-6 / (view.pixel_arcsec**2 * SR_PER_ARCSEC2)
    left, low = int(np.floor(star["x"])), int(np.floor(star["y"]))
    fx, fy = star["x"] - left, star["y"] - low
    for i, wx in ((left, 1 - fx), (left + 1, fx)):
        for j, wy in ((low, 1 - fy), (low + 1, fy)):
            if 0 <= i < view.size and 0 <= j < view.size:
                images[:, j, i] += (per_pixel * wx * wy).astype(np.float32)


def _add_galaxy(images: np.ndarray, view: View, rng: np.random.Generator) -> None:
    """Add an exponential disc at redshift 0.15 between r = 18 and 22 mag, of old or of still
    forming stars.
    """
    stars = history.populations((*view.bands, "SDSS_r"), 0.15)
    young = rng.uniform() < 0.7
    mass = history.delayed(9.0, 20.0 if young else 1.0, 0.0)
    metallicity = np.full((1, len(mass)), 0.01 if young else 0.02)
    light = mass @ history.interpolate(stars.light, metallicity)[0]
    magnitude = 22 + np.log10(rng.uniform(10 ** (-0.4 * 4), 1)) / 0.4
    jansky = ZERO_AB_JY * 10 ** (-0.4 * magnitude) * light[:-1] / light[-1]
    scale = 0.8 * 10 ** (0.1 * (22 - magnitude)) / 1.678 / view.pixel_arcsec
    axis, angle = rng.uniform(0.3, 1), rng.uniform(0, np.pi)
    x0, y0 = rng.uniform(0, view.size, 2)
    reach = int(np.ceil(8 * scale)) + 1
    rows = slice(max(0, int(y0) - reach), min(view.size, int(y0) + reach))
    columns = slice(max(0, int(x0) - reach), min(view.size, int(x0) + reach))
    y, x = np.mgrid[rows, columns]
    along = (x - x0) * np.cos(angle) + (y - y0) * np.sin(angle)
    across = (y - y0) * np.cos(angle) - (x - x0) * np.sin(angle)
    profile = np.exp(-np.hypot(along, across / axis) / max(scale, 0.4))
    if profile.sum() > 0:
        flux = jansky * 1e-6 / (view.pixel_arcsec**2 * SR_PER_ARCSEC2)
        images[:, rows, columns] += (flux[:, None, None] * profile / profile.sum()).astype(
            np.float32
        )
