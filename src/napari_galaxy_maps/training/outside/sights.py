"""How a galaxy is seen: turned, resized and blurred on a camera's pixels, with a neighbour, a star,
noise and errors of calibration, as the cube that preparation would have made of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...cosmology import angular_diameter_distance_mpc
from ...data.cube import BandCube
from ...data.flags import Flag
from ...measure.compare.stellar_scores import radius_in_r_half
from ...mocks import surveys
from ..datasets.image_truth_pairs import Pairs
from ..datasets.mock_cubes import noisy_cube
from .scene import Scene
from .starlight import N_BANDS

_FINE = 4  # points of a scene along the side of a pixel, at least, where it has so many
_EMPTY = 1.0  # Msun/kpc2
STAR_SHARE = 0.1
"""Light of the star in r over the galaxy's."""
SUN = np.array([6.39, 5.11, 4.65, 4.53, 4.50])
"""AB magnitudes of the Sun in ugriz (Willmer 2018, Table 3), whose colours the star has."""


@dataclass(frozen=True)
class Sight:
    """Pixels and seeing that a galaxy is seen with: it has the size in pixels that is wanted,
    whatever it has in kpc, and the surface brightness of its redshift.

    Attributes
    ----------
    size : int
        Pixels along a side.
    r_half : float
        Radius of the circle that holds half of the stars, pixels, before the blur.
    pixel_arcsec : float
    fwhm : float
        Of the PSF, pixels.
    moffat : bool
        Whether the PSF is a Moffat profile, else a Gaussian.
    noise : float
        By which SDSS's noise is multiplied.
    known : bool
        Whether the cube knows its redshift.
    off : tuple of float
        Of the galaxy from the middle, rows and columns.
    turn : float
        Angle by which it is turned, radian.
    d25 : float or None
        Diameter in arcmin of the circle outside of which no map is wanted.
    neighbour, star : tuple of float or None
        Where another galaxy and a star lie, rows and columns from the middle.
    covered : bool
        Whether the star is under a mask.
    seed : int
        Of the noise.
    """

    size: int
    r_half: float
    pixel_arcsec: float = 0.5
    fwhm: float = 3.0
    moffat: bool = True
    noise: float = 1.0
    known: bool = True
    off: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0
    d25: float | None = None
    neighbour: tuple[float, float] | None = None
    star: tuple[float, float] | None = None
    covered: bool = False
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Seen:
    """What a model is given of a galaxy, and what it should find.

    Attributes
    ----------
    cube : BandCube
    truth : dict of str to ndarray
        Maps by name, at the cube's PSF.
    radius : tuple of ndarray and dict
        `radius_in_r_half` of the galaxy without its neighbour.
    """

    cube: BandCube
    truth: dict[str, np.ndarray]
    radius: tuple[np.ndarray, dict[str, Any]]


def seen(scene: Scene, sight: Sight, neighbour: Scene | None = None) -> Seen:
    """A galaxy as a sight shows it; its neighbour, of the same redshift, has 0.6 of its R_half."""
    alone = on_pixels(scene, sight)
    planes = alone.copy()
    if neighbour is not None and sight.neighbour is not None:
        other = replace(sight, off=sight.neighbour, r_half=0.6 * sight.r_half, turn=sight.turn + 1)
        planes += on_pixels(neighbour, other)
    images = planes[:N_BANDS]
    if sight.star is not None:
        images += _star(sight, sight.star, float(alone[2].sum()))
    cube = _cube(images, sight, scene.redshift)
    radius = radius_in_r_half(true_maps(alone), isophotes=False)
    return Seen(cube, true_maps(planes), radius)


def on_pixels(scene: Scene, sight: Sight) -> np.ndarray:
    """The planes of a scene blurred and sampled on the pixels of a sight, shape (n_planes, size,
    size); nothing beyond the scene's own border.
    """
    from scipy.ndimage import map_coordinates

    scale = scene.r_half / sight.r_half  # the scene's pixels in one of the sight's
    factor = max(1, int(scale // _FINE))
    planes, fwhm = _binned(scene.planes, factor), sight.fwhm * scale / factor
    pad = int(np.ceil(2.5 * fwhm))
    planes = np.pad(planes, ((0, 0), (pad, pad), (pad, pad)))
    planes = surveys.convolve(planes, [(fwhm, sight.moffat)] * len(planes), 1.0)
    middle = (sight.size - 1) / 2
    y, x = np.indices((sight.size, sight.size)) - middle
    y, x = y - sight.off[0], x - sight.off[1]
    cos, sin = np.cos(sight.turn), np.sin(sight.turn)
    places = [
        (c + 0.5 + scale * along) / factor - 0.5 + pad
        for c, along in zip(scene.centre, (sin * x + cos * y, cos * x - sin * y), strict=True)
    ]
    return np.stack([map_coordinates(p, places, order=1, mode="constant") for p in planes])


def _binned(planes: np.ndarray, factor: int) -> np.ndarray:
    """Means of blocks, the last ones filled up with nothing."""
    lack = -planes.shape[-1] % factor
    planes = np.pad(planes, ((0, 0), (0, lack), (0, lack)))
    n = planes.shape[-1] // factor
    return np.asarray(planes.reshape(-1, n, factor, n, factor).mean(axis=(2, 4)))


def true_maps(planes: np.ndarray) -> dict[str, np.ndarray]:
    """Maps by name of planes (n_planes, ny, nx); NaN where there are no stars."""
    metals, aged, sfr, star = (np.asarray(p, float) for p in planes[N_BANDS:])
    there = star > _EMPTY
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {
            "LOG_SIGMA_STAR": np.log10(star), "LOG_SIGMA_ZSTAR": np.log10(metals),
            "AGE_STAR": aged / star, "LOG_SIGMA_SFR": np.log10(np.where(sfr > 0, sfr, np.nan)),
        }  # fmt: skip
    return {name: np.where(there, plane, np.nan) for name, plane in found.items()}


def _star(sight: Sight, place: tuple[float, float], light: float) -> np.ndarray:
    """The images of a star by a galaxy of some light in r."""
    from scipy import fft

    shape = (sight.size, sight.size)
    point = fft.irfft2(surveys.psf_transform(sight.fwhm, sight.moffat, shape), shape)
    at = [round((sight.size - 1) / 2 + part) for part in place]
    flux = STAR_SHARE * light * 10 ** (-0.4 * (SUN - SUN[2]))
    return np.asarray(flux[:, None, None] * np.roll(point, at, (0, 1)))


def _cube(images: np.ndarray, sight: Sight, redshift: float) -> BandCube:
    """The cube of noiseless images, with noise and errors of calibration."""
    table = {
        "seed": sight.seed, "pixel_arcsec": sight.pixel_arcsec, "fwhm_pixels": sight.fwhm,
        "distance_mpc": angular_diameter_distance_mpc(redshift), "redshift": redshift,
    }  # fmt: skip
    pairs = Pairs(
        images[None],
        np.empty((1, 0, *images.shape[1:]), np.float16),
        {key: np.array([value]) for key, value in table.items()},
    )
    cube = noisy_cube(pairs, 0, noise=sight.noise)
    mask, flags = cube.mask.copy(), cube.flags.copy()
    y, x = np.indices(cube.shape) - (sight.size - 1) / 2
    if sight.d25 is not None:
        beyond = np.hypot(x, y) > sight.d25 * 60 / 2 / sight.pixel_arcsec
        mask |= beyond
        flags[beyond] |= Flag.OUTSIDE
    if sight.star is not None and sight.covered:
        disc = np.hypot(x - sight.star[1], y - sight.star[0]) < 1.5 * sight.fwhm
        mask |= disc
        flags[disc] |= Flag.MASKED
    if not sight.known:
        cube = replace(cube, pixel_pc=None, redshift=None)
    return replace(cube, mask=mask, flags=flags, name="outside")
