"""Paints a galaxy: images without noise and true maps of a shape and of what it is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from ...constants import MJY_SR_PER_LSUN_HZ_KPC2
from ...mocks import relations
from ...mocks.structure import noise
from ...sed import tables
from .light import COLUMNS, N_BANDS, Synthesis, coefficients, curve, populations
from .structures import SIDE, STARS, Structures
from .traits import SOLAR_STARS, Traits

TRUTH: tuple[str, ...] = ("star", "zstar", "age", "sfr", "gas", "zgas", "hi")
"""What adds up, per kpc2: Msun, and Msun/yr; ages times mass in Gyr."""
N_PLANES = N_BANDS + len(TRUTH)
_MOLECULAR, _ATOMIC, _SPHEROID, _RADIUS = range(STARS, STARS + 4)
_FAR = 8.0
_METALS = np.log10(tables.star_table().metallicity / SOLAR_STARS).astype(np.float32)
_BLUR_LEVELS = 5


@dataclass(frozen=True)
class Placed:
    """A galaxy's place on an image.

    Attributes
    ----------
    x, y : float
        Of its centre, pixels.
    zoom : float
        Pixels of the image per pixel of the shape.
    turn : float
        Radians.
    mirror : bool
    """

    x: float
    y: float
    zoom: float
    turn: float
    mirror: bool

    def window(self, size: int) -> tuple[slice, slice] | None:
        """Rows and columns of an image of so many pixels a side that it reaches; None: none."""
        reach = self.zoom * SIDE / 2 * 1.02 + 1
        found = []
        for middle in (self.y, self.x):
            low, high = max(0, int(np.floor(middle - reach))), min(size, int(middle + reach) + 2)
            if high - low < 1:
                return None
            found.append(slice(low, high))
        return found[0], found[1]


class NoiseBank:
    """Smooth random planes of unit variance, from which metals and patches are taken."""

    def __init__(self, count: int = 96, seed: int = 5) -> None:
        rng = np.random.default_rng(seed)
        self._planes = np.stack(
            [noise(rng, SIDE, float(rng.uniform(0.9, 2.2))) for _ in range(count)]
        ).astype(np.float32)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """One, shifted at random."""
        plane = self._planes[rng.integers(len(self._planes))]
        return np.roll(plane, tuple(rng.integers(0, SIDE, 2)), (0, 1))


def sample(planes: torch.Tensor, placed: Placed, window: tuple[slice, slice]) -> torch.Tensor:
    """A shape's planes in the pixels of a window of an image, shape (n, ny, nx); 0 beyond it.

    Where pixels of the image are larger than the shape's, those are averaged first.
    """
    level = int(np.clip(np.floor(np.log2(max(1 / placed.zoom, 1.0)) + 0.3), 0, _BLUR_LEVELS))
    if level:
        planes = functional.avg_pool2d(planes, 2**level)
    y = torch.arange(window[0].start, window[0].stop) - placed.y
    x = torch.arange(window[1].start, window[1].stop) - placed.x
    if placed.mirror:
        x = -x
    cos, sin = float(np.cos(placed.turn)), float(np.sin(placed.turn))
    scale = 1 / (placed.zoom * SIDE / 2)
    grid = torch.stack(
        [
            (x[None] * cos - y[:, None] * sin) * scale,
            (x[None] * sin + y[:, None] * cos) * scale,
        ],
        -1,
    ).float()
    return functional.grid_sample(planes[None], grid[None], align_corners=False)[0]


def paint(
    structures: Structures,
    row: int,
    traits: Traits,
    placed: Placed,
    window: tuple[slice, slice],
    redshift: float,
    synthesis: Synthesis,
    bank: NoiseBank,
    rng: np.random.Generator,
) -> torch.Tensor:
    """Images in MJy/sr and true planes per kpc2 (`TRUTH`) of a galaxy, without any PSF.

    Returns
    -------
    Tensor, shape (N_PLANES, ny, nx)
    """
    shape = np.array(structures.planes[row], np.float32)
    shape[_RADIUS] -= _FAR  # so that it is far beyond the shape
    both = torch.from_numpy(np.concatenate([shape, [bank.draw(rng), bank.draw(rng)]]))
    found = sample(both, placed, window)
    ny, nx = found.shape[1:]
    planes = found.flatten(1)
    light = populations(redshift, synthesis, traits.leak)
    table = coefficients(traits, light, redshift)
    formed, per_kpc2 = _scale(traits, table, structures, row)
    radius = planes[_RADIUS] + _FAR
    old, young, metals = _stars(planes, traits, table, radius, formed * per_kpc2)
    dimmed = _dimmed(planes, traits, old[:, :N_BANDS], young[:, :N_BANDS], redshift)
    images = dimmed.T * (MJY_SR_PER_LSUN_HZ_KPC2 / (1 + redshift) ** 3)
    star, age, sfr = (old[:, N_BANDS + k] + young[:, N_BANDS + k] for k in range(3))
    rate = _rate(traits, table) * formed
    gas, hi = _gas(planes, traits, rate, per_kpc2)
    true = torch.stack([star, metals[0], age, sfr, gas, gas * metals[1], hi])
    return torch.cat([images, true]).view(N_PLANES, ny, nx)


def _scale(
    traits: Traits, table: np.ndarray, structures: Structures, row: int
) -> tuple[float, float]:
    """Msun formed in all, and what of a mass a plane's value of 1 stands for per kpc2."""
    solar = int(np.argmin(np.abs(_METALS)))
    surviving = table[:, :, solar, N_BANDS].sum(1)
    share = traits.spheroid
    kept = (1 - share) * 0.5 * (surviving[0] + surviving[1]) + share * surviving[3]
    pixel_kpc = traits.r_half / half_radius(structures, row, share)
    return 10**traits.log_mass / max(float(kept), 0.05), 1 / (SIDE * pixel_kpc) ** 2


def half_radius(structures: Structures, row: int, spheroid: float) -> float:
    """Of a shape of which the spheroid has a share, about, in its pixels."""
    disc, middle = float(structures.disc[row]), float(structures.spheroid[row])
    return max((1 - spheroid) * disc + spheroid * middle, 1.0)


def _rate(traits: Traits, table: np.ndarray) -> float:
    """Star formation per Msun formed, 1/yr."""
    rate = table[:, :, 0, N_BANDS + 2].sum(1)
    return float((1 - traits.spheroid) * 0.5 * (rate[0] + rate[1]) + traits.spheroid * rate[3])


def _stars(
    planes: torch.Tensor, traits: Traits, table: np.ndarray, radius: torch.Tensor, scale: float
) -> tuple[torch.Tensor, torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
    """`light.COLUMNS` of stars older and younger than 0.1 Gyr, shape (n, COLUMNS), and the mass of
    metals in stars and the metallicity of the gas, shape (n,).
    """
    outside = torch.sigmoid((radius - traits.border) / traits.softness * 2)
    patch = torch.zeros_like(radius)
    if traits.patches > 0:
        from scipy.special import ndtri

        patch = torch.sigmoid(6 * (planes[-1] + float(ndtri(traits.patches))))
    parts = torch.stack([(1 - patch) * (1 - outside), (1 - patch) * outside, patch], 1)
    unrest = traits.unrest * planes[-2] + traits.gradient * (radius.clamp(max=2.5) - 1)
    share = traits.spheroid
    of_disc = torch.from_numpy((table[:3] * scale * (1 - share)).astype(np.float32))
    old = torch.zeros(len(radius), COLUMNS)
    young = torch.zeros_like(old)
    in_metals = torch.zeros_like(radius)
    metallicity = torch.zeros_like(radius)
    groups: list[tuple[torch.Tensor, torch.Tensor, float, torch.Tensor]] = []
    if share < 1:
        for first, into, metals in ((0, old, traits.metals[0]), (2, young, traits.metals[1])):
            layers = planes[first : first + 2].T
            sources = (parts[:, :, None] * layers[:, None]).flatten(1)
            groups.append((sources, of_disc[:, first : first + 2].flatten(0, 1), metals, into))
    if share > 0:
        whole = torch.from_numpy((table[3] * scale * share).astype(np.float32))
        groups.append(
            (planes[_SPHEROID][:, None], whole.sum(0, keepdim=True), traits.metals[2], old)
        )
    for sources, coefficient, metals, into in groups:
        log_z = (unrest + float(metals)).clamp(float(_METALS[0]), float(_METALS[-1]))
        by_metals = (sources @ coefficient.flatten(1)).view(-1, len(_METALS), COLUMNS)
        light = (by_metals * _weights(log_z)[..., None]).sum(1)
        into += light
        in_metals += light[:, N_BANDS] * SOLAR_STARS * 10**log_z
        if into is young or share == 1:
            metallicity = SOLAR_STARS * 10**log_z
    return old, young, (in_metals, metallicity)


def _weights(log_z: torch.Tensor) -> torch.Tensor:
    """Weights over the tables' metallicities, linear in their logarithm, shape (n, 6)."""
    grid = torch.from_numpy(_METALS)
    high = torch.searchsorted(grid, log_z).clamp(1, len(grid) - 1)
    part = (log_z - grid[high - 1]) / (grid[high] - grid[high - 1])
    found = torch.zeros(len(log_z), len(grid))
    found.scatter_(1, (high - 1)[:, None], (1 - part)[:, None])
    return found.scatter_(1, high[:, None], part[:, None])


def _dimmed(
    planes: torch.Tensor, traits: Traits, old: torch.Tensor, young: torch.Tensor, redshift: float
) -> torch.Tensor:
    """Light in ugriz behind a screen of dust and mixed with it, shape (n, 5)."""
    if traits.tau == 0:
        return old + young
    stars = (1 - traits.spheroid) * planes[0] + traits.spheroid * planes[_SPHEROID]
    gas = 0.6 * planes[_MOLECULAR] + 0.4 * planes[_ATOMIC]
    usual = float((gas * stars).sum() / stars.sum().clamp(min=1e-12)) or 1.0
    depth = traits.tau * (traits.even + (1 - traits.even) * gas / max(usual, 1e-6))
    curves = torch.from_numpy(curve(traits, redshift).astype(np.float32))
    x = (depth.clamp(max=8)[:, None] * curves).clamp(1e-4, 30)
    screen = torch.exp(-x)
    slab = (1 - screen) / x
    found = old * (traits.screen * screen + (1 - traits.screen) * slab)
    return found + young * (traits.before * screen + (1 - traits.before) * slab)


def _gas(
    planes: torch.Tensor, traits: Traits, rate: float, per_kpc2: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """All gas and HI, Msun/kpc2."""
    molecular = rate * 10**traits.depletion
    above = np.log10(max(rate, 1e-6)) - float(relations.main_sequence(traits.log_mass))
    log_hi = float(relations.hi_mass(traits.log_mass)) + traits.log_hi + 0.35 * max(above, -3.0)
    hi = planes[_ATOMIC] * (10**log_hi * per_kpc2)
    return planes[_MOLECULAR] * (molecular * per_kpc2) + 1.36 * hi, hi
