"""Patterns in the plane of a galaxy: random fields, density waves, clumps, rings, profiles."""

from __future__ import annotations

import numpy as np

N_TILE = 512


class Tile:
    """A random field that repeats, smooth between its points.

    Parameters
    ----------
    rng : numpy.random.Generator
    side : float
        After which it repeats, kpc.
    slope : float
        Of its power with wavenumber.
    finest : float
        Scale under which it is smooth, kpc.
    """

    def __init__(self, rng: np.random.Generator, side: float, slope: float, finest: float) -> None:
        wave = np.hypot(np.fft.fftfreq(N_TILE)[:, None], np.fft.rfftfreq(N_TILE)[None]) * N_TILE
        amplitude = np.where(wave > 1, np.maximum(wave, 1) ** (slope / 2), 0)
        amplitude *= np.exp(-0.5 * (2 * np.pi * wave / side * finest / 2.355) ** 2)
        noise = np.fft.rfft2(rng.standard_normal((N_TILE, N_TILE)))
        field = np.fft.irfft2(noise * amplitude, (N_TILE, N_TILE))
        self._field = field / field.std()
        self._side = side

    def at(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The field, of mean 0 and standard deviation 1, at places in kpc."""
        u, v = (np.mod(c / self._side, 1) * N_TILE for c in (x, y))
        i, j = u.astype(int) % N_TILE, v.astype(int) % N_TILE
        a, b = u - np.floor(u), v - np.floor(v)
        k, m = (i + 1) % N_TILE, (j + 1) % N_TILE
        f = self._field
        return np.asarray(
            (f[j, i] * (1 - a) + f[j, k] * a) * (1 - b) + (f[m, i] * (1 - a) + f[m, k] * a) * b
        )


def density_wave(
    radius: np.ndarray, angle: np.ndarray, rng: np.random.Generator, scale: float
) -> np.ndarray:
    """A two-armed density wave, made in Fourier space: a packet of logarithmic spirals about one
    pitch, with weak one- and four-armed ones; between -1 and 1, dying out within a scale.
    """
    log_r = np.log(np.maximum(radius, 0.05 * scale) / scale)
    pitch = np.radians(rng.uniform(10, 28))
    total, variance = np.zeros_like(radius), 0.0
    for arms, strength in ((2, 1.0), (1, 0.2), (4, 0.3)):
        middle = arms / np.tan(pitch)
        for p in middle + rng.normal(0, 0.8, 6):
            weight = strength * rng.rayleigh(0.5)
            variance += weight**2 / 2
            total += weight * np.cos(arms * angle + p * log_r + rng.uniform(0, 0.8 * np.pi))
    total *= 1 - np.exp(-((radius / (0.7 * scale)) ** 2))
    return np.asarray(np.tanh(0.8 * total / np.sqrt(variance)))


def sersic(radius: np.ndarray, half: float, n: float) -> np.ndarray:
    """A Sersic profile of unit sum over a plane; b as by Ciotti & Bertin (1999, eq. 18)."""
    from scipy.special import gamma

    b = 2 * n - 1 / 3 + 4 / (405 * n) + 46 / (25515 * n**2)
    norm = 2 * np.pi * n * half**2 * b ** (-2 * n) * gamma(2 * n)
    softened = np.hypot(radius, 0.02 * half)
    return np.asarray(np.exp(-b * (softened / half) ** (1 / n)) / norm)


def broken_disc(radius: np.ndarray, scale: float, at: float, outer: float) -> np.ndarray:
    """An exponential that goes over into one of another scale (Erwin+ 2008, eq. 5), of unit sum.

    Parameters
    ----------
    radius : ndarray
        kpc.
    scale : float
        Inside, kpc.
    at, outer : float
        Radius of the break and scale outside, in `scale`.
    """

    def shape(r: np.ndarray) -> np.ndarray:
        width = 0.3
        bend = width * np.logaddexp(0, (r - at) / width)
        return np.asarray(np.exp(-r - (1 / outer - 1) * bend))

    grid = np.linspace(0, 25, 2500)
    norm = 2 * np.pi * scale**2 * np.trapezoid(shape(grid) * grid, grid)
    return np.asarray(shape(radius / scale) / norm)


def ring(radius: np.ndarray, at: float, width: float) -> np.ndarray:
    """A Gaussian ring of unit sum."""
    grid = np.linspace(0, at + 6 * width, 2000)
    norm = 2 * np.pi * np.trapezoid(np.exp(-0.5 * ((grid - at) / width) ** 2) * grid, grid)
    return np.asarray(np.exp(-0.5 * ((radius - at) / width) ** 2) / norm)


def clumps(x: np.ndarray, y: np.ndarray, rng: np.random.Generator, scale: float) -> np.ndarray:
    """Some thirty round clumps of many sizes within an exponential disc, of unit sum."""
    n = int(rng.integers(18, 40))
    distance, angle = rng.gamma(2, 0.9 * scale, n), rng.uniform(0, 2 * np.pi, n)
    size = scale * 10 ** rng.uniform(-1.1, -0.4, n)
    weight = rng.pareto(1.3, n) + 0.2
    total = np.zeros_like(x)
    for r, phi, s, w in zip(distance, angle, size, weight / weight.sum(), strict=True):
        apart = (x - r * np.cos(phi)) ** 2 + (y - r * np.sin(phi)) ** 2
        total += w * np.exp(-0.5 * apart / s**2) / (2 * np.pi * s**2)
    return total
