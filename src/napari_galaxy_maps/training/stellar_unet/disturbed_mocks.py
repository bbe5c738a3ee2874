"""Mock galaxies as they look when something is wrong with the images: in another unit, with bands
mixed up, at another redshift, hidden; and what is no galaxy at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...constants import PC_PER_MPC_ARCSEC
from ...cosmology import angular_diameter_distance_mpc
from ...mocks import surveys
from ...models.stellar_unet.inputs import UGRIZ
from ...models.stellar_unet.shown_cube import redshift_of
from ..datasets.mock_cubes import CALIBRATION

if TYPE_CHECKING:
    from ...data.cube import BandCube

Disturb = Callable[["BandCube", np.random.Generator], "BandCube"]
_NMGY_PER_PIXEL = 6.473
"""nanomaggy in a pixel of 1 arcsec2 of 1 MJy/sr."""
_JY_PER_NMGY = 3.631e-6
_STAR = 3.0
"""Exponent of a Moffat profile."""


def scaled(cube: BandCube, factors: np.ndarray | float) -> BandCube:
    """Light and errors times a factor, or one for each band."""
    by_band = np.asarray(factors, np.float32).reshape(-1, 1, 1)
    return replace(cube, data=cube.data * by_band, uncertainty=cube.uncertainty * by_band)


def one_band_off(cube: BandCube, rng: np.random.Generator, magnitudes: float) -> BandCube:
    """Any band brighter or fainter by so many magnitudes."""
    factors = np.ones(len(cube.bands))
    factors[rng.integers(len(factors))] = 10 ** (0.4 * magnitudes * rng.choice([-1, 1]))
    return scaled(cube, factors)


def swapped(cube: BandCube, first: int, second: int) -> BandCube:
    """Two bands taken for each other."""
    order = list(range(len(cube.bands)))
    order[first], order[second] = order[second], order[first]
    return replace(cube, data=cube.data[order], uncertainty=cube.uncertainty[order])


def farther(cube: BandCube, redshift: float) -> BandCube:
    """Taken to be at a higher redshift by so much."""
    taken = redshift_of(cube) + redshift
    pixel_pc = cube.pixel_arcsec * angular_diameter_distance_mpc(taken) * PC_PER_MPC_ARCSEC
    return replace(cube, pixel_pc=pixel_pc, redshift=taken)


def half_masked(cube: BandCube) -> BandCube:
    """The left half of the image masked."""
    mask = cube.mask.copy()
    mask[:, : cube.shape[1] // 2] = True
    return replace(cube, mask=mask)


def seen_anew(cube: BandCube, images: np.ndarray, rng: np.random.Generator) -> BandCube:
    """Other noiseless images of ugriz in place of a cube's, with SDSS's noise."""
    sigma = np.stack([surveys.sigma(b, images[k], cube.pixel_arcsec) for k, b in enumerate(UGRIZ)])
    data = images + sigma * rng.standard_normal(images.shape)
    error = np.hypot(sigma, CALIBRATION * images)
    return replace(cube, data=data.astype(np.float32), uncertainty=error.astype(np.float32))


def _point(cube: BandCube, x: float, y: float, fwhm: float) -> np.ndarray:
    """A point source of flux 1, a Moffat profile of `fwhm` pixels."""
    rows, columns = np.mgrid[: cube.shape[0], : cube.shape[1]]
    width = fwhm / 2 / np.sqrt(2 ** (1 / _STAR) - 1)
    profile = (1 + ((columns - x) ** 2 + (rows - y) ** 2) / width**2) ** -_STAR
    return np.asarray(profile / profile.sum())


def star_field(cube: BandCube, rng: np.random.Generator) -> BandCube:
    """Stars, and no galaxy."""
    images = np.zeros(cube.data.shape)
    for _ in range(int(rng.integers(5, 30))):
        g_r = rng.uniform(0.2, 1.5)
        magnitudes = np.array([1 + 1.2 * g_r, 0, -g_r, -1.4 * g_r, -1.65 * g_r])
        light = 10 ** (rng.uniform(0, 3.5) - 0.4 * magnitudes)
        x, y = rng.uniform(0, cube.shape[1]), rng.uniform(0, cube.shape[0])
        images += light[:, None, None] * _point(cube, x, y, cube.fwhm / cube.pixel_arcsec)
    return seen_anew(cube, images, rng)


def shrunk(cube: BandCube, rng: np.random.Generator) -> BandCube:
    """The galaxy's light, at its surface brightness, in a source whose R_half is about a pixel."""
    light = np.clip(np.nan_to_num(cube.data), 0, None)
    bright = max(int((light[2] > 0.2 * light[2].max()).sum()), 1)
    total = light.sum(axis=(1, 2)) * np.pi / bright
    middle = cube.shape[1] / 2, cube.shape[0] / 2
    return seen_anew(cube, total[:, None, None] * _point(cube, *middle, 3.0), rng)


def _times(factor: float) -> Disturb:
    return lambda cube, rng: scaled(cube, factor)


def _of_nanomaggies(cube: BandCube) -> float:
    return _NMGY_PER_PIXEL * cube.pixel_arcsec**2


DISTURBED: Mapping[str, Disturb] = {
    "as it is": lambda cube, rng: cube,
    **{f"{f} times too bright": _times(f) for f in (3, 9, 30)},
    **{f"{f} times too faint": _times(1 / f) for f in (3, 9, 30)},
    "nanomaggies as MJy/sr": lambda cube, rng: scaled(cube, _of_nanomaggies(cube)),
    "nanomaggies as Jy": lambda cube, rng: scaled(cube, 1 / _JY_PER_NMGY),
    "one band off by 0.3 mag": lambda cube, rng: one_band_off(cube, rng, 0.3),
    "one band off by 1 mag": lambda cube, rng: one_band_off(cube, rng, 1.0),
    "u and z swapped": lambda cube, rng: swapped(cube, 0, 4),
    "redshift 0.1 too high": lambda cube, rng: farther(cube, 0.1),
    "redshift 0.2 too high": lambda cube, rng: farther(cube, 0.2),
    "half of it masked": lambda cube, rng: half_masked(cube),
    "R_half of a pixel": shrunk,
    "stars alone": star_field,
    "noise alone": lambda cube, rng: seen_anew(cube, np.zeros(cube.data.shape), rng),
}
"""What may be wrong with a cube of ugriz, in words."""
WITH_TRUTH = tuple(DISTURBED)[:-4]
"""Those whose galaxy still is what it was, so that its true maps tell the errors."""
