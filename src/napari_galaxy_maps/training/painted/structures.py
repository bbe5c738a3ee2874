"""Shapes of galaxies to be painted: where old, younger and youngest stars, a spheroid and gas lie,
without any light.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...exceptions import InputError
from ...mocks.layers import HEIGHTS, LAYERS, N_OF_STARS, N_RADII, N_STAR_LAYERS, Disc, sersic
from ...mocks.population import KINDS, MockGalaxy, draw_galaxy
from ...mocks.rays import march
from ...mocks.structure import patterns
from ..processes import in_processes, unstopped

SIDE = 128
"""Pixels along a shape's sides."""
REACH = 5.0
"""Half the side, in half-mass radii of the disc."""
PLANES: tuple[str, ...] = (*LAYERS, "spheroid", "radius")
"""The layers of the disc and the spheroid, each with a sum of 1, and the distance from the centre
in the disc's plane in half-mass radii of the disc.
"""
STARS = N_STAR_LAYERS
_FIRST_SEED = 70_000_000
_FINER = 4


@dataclass(frozen=True)
class Structures:
    """Shapes on disk.

    Attributes
    ----------
    planes : ndarray of float16, shape (n, 8, SIDE, SIDE)
        `PLANES`, those with a sum multiplied by their number of pixels.
    disc, spheroid : ndarray, shape (n,)
        Radii in pixels within which half of the old disc and of the spheroid are.
    """

    planes: np.ndarray
    disc: np.ndarray
    spheroid: np.ndarray

    def __len__(self) -> int:
        return len(self.planes)

    @classmethod
    def open(cls, folder: str | Path) -> Structures:
        """What `make_structures` wrote, read in place.

        Raises
        ------
        InputError
            When there is nothing of the kind.
        """
        folder = Path(folder)
        try:
            radii = np.load(folder / "radii.npy")
            return cls(np.load(folder / "planes.npy", mmap_mode="r"), *radii.T)
        except (OSError, ValueError) as error:
            raise InputError(f"{folder} holds no shapes of galaxies ({error}).") from None


def make_structures(folder: str | Path, count: int, processes: int = 1) -> Structures:
    """Make shapes and write them to a folder.

    Parameters
    ----------
    folder : str or Path
        For ``planes.npy`` and ``radii.npy``, which is written last.
    count : int
        The first so many of a fixed row of galaxies.
    processes : int
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shape = (count, len(PLANES), SIDE, SIDE)
    planes = np.lib.format.open_memmap(folder / "planes.npy", "w+", np.float16, shape)
    radii = np.zeros((count, 2))
    seeds = range(_FIRST_SEED, _FIRST_SEED + count)
    made = in_processes(
        make_structure, ((seed,) for seed in seeds), processes, unstopped, at_once=16
    )
    for k, (found, disc, spheroid) in enumerate(made):
        planes[k], radii[k] = found, (disc, spheroid)
    planes.flush()
    np.save(folder / "radii.npy", radii)
    return Structures.open(folder)


def make_structure(seed: int) -> tuple[np.ndarray, float, float]:
    """The planes of one shape and its radii of disc and spheroid (see `Structures`).

    Kind, profile, thickness, bar, arms and disorder are those of a mock, whatever its mass is;
    scale lengths of the layers, breaks and holes are drawn more widely, and the plane may be
    warped.
    """
    rng = np.random.default_rng([seed, 0x57A])
    galaxy = draw_galaxy(seed, str(rng.choice(KINDS)))
    galaxy = replace(galaxy, flocculence=galaxy.flocculence * rng.uniform(0.3, 1.6))
    side = (np.arange(SIDE) + 0.5) / SIDE * 2 - 1
    dx, dy = np.meshgrid(side * REACH * galaxy.r_e, side * REACH * galaxy.r_e)
    x, y = _warped(dx, dy, galaxy.r_e, rng)
    cosine = max(np.cos(np.radians(galaxy.inclination)), 0.05)
    half = REACH * galaxy.r_e * 1.45 / max(cosine, 0.25)
    disc = _disc(galaxy, rng)
    texture = patterns(galaxy, half, SIDE, 10**galaxy.log_sfr * 1e7)
    rows = march(disc, texture, half, x.ravel(), y.ravel(), galaxy.inclination, 0)
    layers = [rows[:, _column(k)].reshape(SIDE, SIDE) for k in range(len(LAYERS))]
    fade = _fade(np.hypot(dx, dy) / (REACH * galaxy.r_e))
    planes = [np.maximum(plane, 0) * fade for plane in (*layers, _spheroid(galaxy, dx, dy, rng))]
    summed = [plane * (plane.size / max(float(plane.sum()), 1e-30)) for plane in planes]
    radius = np.minimum(np.hypot(x, y / cosine) / galaxy.r_e, 8)
    away = np.hypot(dx, dy) / (REACH * galaxy.r_e) * SIDE / 2
    halves = [_half(away, summed[k]) for k in (0, len(LAYERS))]
    return np.stack([*summed, radius]).clip(0, 6e4).astype(np.float16), halves[0], halves[1]


def _disc(galaxy: MockGalaxy, rng: np.random.Generator) -> Disc:
    """A disc whose columns are its layers, each with a profile of its own."""
    r_max = 9 * galaxy.r_e
    radius = r_max * np.linspace(0, 1, N_RADII) ** 2
    table = np.zeros((N_RADII, len(LAYERS), _column(len(LAYERS)) + 1))
    for k in range(len(LAYERS)):
        scale = galaxy.scale_length * rng.lognormal(0.0 if k == 0 else 0.1, 0.0 if k == 0 else 0.3)
        edge = rng.uniform(1.8, 6.0) * galaxy.scale_length
        steeper = rng.choice([1.0, 1.0, -0.4, 0.0])
        slope = rng.uniform(0.8, 1.25)
        profile = np.exp(
            -((radius / scale) ** slope) - steeper * np.maximum(radius - edge, 0) / scale
        )
        if k > 0 and rng.uniform() < 0.25:  # a hole
            profile *= 1 - 0.9 * np.exp(-((radius / (rng.uniform(0.3, 1.2) * scale)) ** 2))
        if rng.uniform() < 0.15:
            ring = (radius / galaxy.scale_length - rng.uniform(0.8, 3)) / rng.uniform(0.15, 0.5)
            profile *= 1 + rng.uniform(0.5, 4) * np.exp(-0.5 * ring**2)
        table[:, k, _column(k)] = profile
    heights = galaxy.thickness * galaxy.scale_length * HEIGHTS
    return Disc(r_max, table.astype(np.float32), heights, np.zeros(0))


def _column(layer: int) -> int:
    """A layer's column in a table for `march`, which has six of stars before those of gas."""
    return layer if layer < STARS else N_OF_STARS + layer - STARS


def _warped(
    x: np.ndarray, y: np.ndarray, r_e: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Places on the sky, turned and sheared the more the farther out they are."""
    radius = np.hypot(x, y) / r_e
    turn = rng.normal(0, 0.12) * np.maximum(radius - 1, 0) * (rng.uniform() < 0.5)
    stretch = 1 + 0.1 * rng.standard_normal() * (rng.uniform() < 0.5)
    cos, sin = np.cos(turn), np.sin(turn)
    return (x * cos - y * sin) * stretch, (x * sin + y * cos) / stretch


def _spheroid(
    galaxy: MockGalaxy, x: np.ndarray, y: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """A Sersic profile of any index, twisted, boxy or discy; finer in the middle."""
    r_e = galaxy.r_e * 10 ** rng.uniform(-1.1, 0.1)
    n, axis = rng.uniform(0.6, 5.0), rng.uniform(0.4, 1.0)
    angle, twist, shape = rng.uniform(0, np.pi), rng.normal(0, 0.15), 2 + rng.normal(0, 0.25)

    def profile(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        turn = angle + twist * np.hypot(x, y) / galaxy.r_e
        along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
        radius = (
            np.abs(along * np.sqrt(axis)) ** shape + np.abs(across / np.sqrt(axis)) ** shape
        ) ** (1 / shape)
        return sersic(np.maximum(radius, 0.005 * r_e), r_e, n)

    plane = profile(x, y)
    middle = slice(SIDE // 2 - 6, SIDE // 2 + 6)
    pixel = x[0, 1] - x[0, 0]
    sub = ((np.arange(_FINER) + 0.5) / _FINER - 0.5) * pixel
    fine = profile(
        x[middle, middle][..., None, None] + sub, y[middle, middle][..., None, None] + sub[:, None]
    )
    plane[middle, middle] = fine.mean(axis=(2, 3))
    return plane


def _fade(radius: np.ndarray) -> np.ndarray:
    """1 within 0.8 of half the side, 0 at its end, so that no edge is seen."""
    return np.asarray(0.5 * (1 + np.cos(np.pi * np.clip((radius - 0.8) / 0.2, 0, 1))))


def _half(away: np.ndarray, plane: np.ndarray) -> float:
    """Radius within which half of a plane is, pixels."""
    order = np.argsort(away, axis=None)
    summed = np.cumsum(plane.ravel()[order])
    return float(away.ravel()[order][np.searchsorted(summed, 0.5 * summed[-1])])
