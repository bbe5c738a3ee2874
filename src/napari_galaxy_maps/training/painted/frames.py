"""Images of painted galaxies: any size and place, with companions at the same redshift, stars of
the Milky Way, and PSFs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from ...constants import PC_PER_MPC_ARCSEC
from ...cosmology import angular_diameter_distance_mpc
from ...mocks.surroundings import black_body
from ...mocks.view import MAX_REDSHIFT
from .light import N_BANDS, PIVOTS, Synthesis
from .painting import N_PLANES, TRUTH, NoiseBank, Placed, half_radius, paint
from .structures import Structures
from .traits import Traits, draw_traits

R_HALF_PIXELS = (1.4, 0.4)
"""Least half-mass radius of the galaxy that an image is made for, in pixels, and largest as a part
of the image's side.
"""
_MARGIN = 10
"""Pixels about an image that are painted, too, so that its edge is blurred as all else is."""
_PIXEL_ARCSEC = (0.2, 3.0)
_LEAST_LIGHT = 1e-8
_FOUR_LN2 = 4 * np.log(2)


@dataclass(frozen=True)
class Frame:
    """An image and its true maps.

    Attributes
    ----------
    images : ndarray of float32, shape (5, size, size)
        ugriz without noise, MJy/sr.
    truth : dict of str to ndarray, shape (size, size)
        `painting.TRUTH` per kpc2, blurred by the widest PSF.
    traits : Traits
        Of the galaxy that it was made for.
    redshift, pixel_arcsec, pixel_kpc, fwhm_pixels, r_half_pixels : float
    """

    images: np.ndarray
    truth: dict[str, np.ndarray]
    traits: Traits
    redshift: float
    pixel_arcsec: float
    pixel_kpc: float
    fwhm_pixels: float
    r_half_pixels: float


def make_frame(
    structures: Structures, bank: NoiseBank, rng: np.random.Generator, size: int, usual: bool
) -> Frame:
    """Paint an image.

    Parameters
    ----------
    structures : Structures
    bank : NoiseBank
    rng : Generator
    size : int
        Pixels along each side.
    usual : bool
        Whether its galaxies are drawn by the relations of real ones.
    """
    redshift = draw_redshift(rng)
    oldest = age_of_universe(redshift)
    synthesis = Synthesis.draw(rng) if rng.uniform() < 0.8 else Synthesis()
    target = draw_traits(rng, usual, oldest)
    r_half = float(np.exp(rng.uniform(np.log(R_HALF_PIXELS[0]), np.log(R_HALF_PIXELS[1] * size))))
    pixel_kpc = target.r_half / r_half
    whole = size + 2 * _MARGIN
    planes = torch.zeros(N_PLANES, whole, whole)
    away = rng.uniform(-0.5, 0.5, 2) * max(0.1, 1 - 4.5 * r_half / size) * size
    _add(planes, structures, bank, rng, target, r_half, away, redshift, synthesis)
    for _ in range(_companions(rng)):
        mass = target.log_mass + rng.uniform(-2.2, 0.4)
        other = draw_traits(rng, usual, oldest, mass)
        radius = float(np.clip(other.r_half / pixel_kpc, 0.3, 0.6 * size))
        place = rng.uniform(-0.55, 0.55, 2) * size
        _add(planes, structures, bank, rng, other, radius, place, redshift, synthesis)
    if rng.uniform() < 0.35:
        _add_stars(planes, rng)
    widths = rng.uniform(1.5, 4.5) * (
        np.ones(N_BANDS) if rng.uniform() < 0.7 else rng.uniform(0.85, 1.15, N_BANDS)
    )
    widest = float(widths.max())
    blurred = blur(planes, [*widths, *[widest] * len(TRUTH)], float(rng.uniform(0, 0.35)))
    inner = slice(_MARGIN, _MARGIN + size)
    found = blurred[:, inner, inner].numpy()
    scale = angular_diameter_distance_mpc(max(redshift, 1e-4)) * PC_PER_MPC_ARCSEC / 1e3
    return Frame(
        np.maximum(found[:N_BANDS], _LEAST_LIGHT).astype(np.float32),
        dict(zip(TRUTH, found[N_BANDS:], strict=True)),
        target, redshift, float(np.clip(pixel_kpc / scale, *_PIXEL_ARCSEC)), pixel_kpc, widest,
        r_half,
    )  # fmt: skip


def draw_redshift(rng: np.random.Generator) -> float:
    """Half of them within 0.06, a fifth beyond 0.2."""
    kind = rng.uniform()
    if kind < 0.5:
        return float(10 ** rng.uniform(-3.3, -1.2))
    return float(rng.uniform(0.02, 0.2) if kind < 0.8 else rng.uniform(0.2, MAX_REDSHIFT))


def age_of_universe(redshift: float) -> float:
    """Gyr (Planck 2018)."""
    nodes, ages = _ages()
    return float(np.interp(redshift, nodes, ages))


@lru_cache(maxsize=1)
def _ages() -> tuple[np.ndarray, np.ndarray]:
    from astropy.cosmology import Planck18

    nodes = np.linspace(0, 1, 41)
    return nodes, np.asarray(Planck18.age(nodes).value)


def _companions(rng: np.random.Generator) -> int:
    return int(min(rng.poisson(1.2), 3)) if rng.uniform() < 0.5 else 0


def _add(
    planes: torch.Tensor,
    structures: Structures,
    bank: NoiseBank,
    rng: np.random.Generator,
    traits: Traits,
    r_half: float,
    away: np.ndarray,
    redshift: float,
    synthesis: Synthesis,
) -> None:
    """Add a galaxy of a half-mass radius in pixels, so many pixels from the middle."""
    row = int(rng.integers(len(structures)))
    middle = (planes.shape[-1] - 1) / 2
    zoom = r_half / half_radius(structures, row, traits.spheroid)
    placed = Placed(
        middle + float(away[0]), middle + float(away[1]), zoom,
        float(rng.uniform(0, 2 * np.pi)), bool(rng.uniform() < 0.5),
    )  # fmt: skip
    window = placed.window(planes.shape[-1])
    if window is None:
        return
    planes[:, window[0], window[1]] += paint(
        structures, row, traits, placed, window, redshift, synthesis, bank, rng
    )


def _add_stars(planes: torch.Tensor, rng: np.random.Generator) -> None:
    """Add stars of the Milky Way to the images, not to the truth: black bodies from a hundredth to
    several times as bright as all galaxies together in r.
    """
    total = float(planes[N_BANDS // 2].sum())
    for _ in range(1 + rng.poisson(1.0)):
        colours = black_body(PIVOTS, PIVOTS[2], rng.uniform(3200, 9000))
        light = torch.from_numpy(colours.astype(np.float32)) * total * 10 ** rng.uniform(-2.3, 0.7)
        row, column = rng.integers(0, planes.shape[-1], 2)
        planes[:N_BANDS, row, column] += light


def blur(planes: torch.Tensor, fwhm: list[float], wings: float) -> torch.Tensor:
    """Planes blurred by two Gaussians each, the second of 2.4 times the width and a share `wings`
    of the light.

    They are sampled in pixels, not transformed by their formula: what is narrower than two pixels
    would ring.

    Parameters
    ----------
    planes : Tensor, shape (n, size, size)
    fwhm : list of float
        Of the first Gaussian of each, pixels.
    wings : float
    """
    size = planes.shape[-1]
    place = torch.fft.fftfreq(size) * size
    passed = torch.zeros(len(planes), size, size // 2 + 1)
    for share, wider in ((1 - wings, 1.0), (wings, 2.4)):
        line = torch.exp(-((place / (torch.tensor(fwhm)[:, None] * wider)) ** 2) * _FOUR_LN2)
        line = line / line.sum(1, keepdim=True)
        down, across = torch.fft.fft(line).real, torch.fft.rfft(line).real
        passed = passed + share * down[:, :, None] * across[:, None]
    return torch.fft.irfft2(torch.fft.rfft2(planes) * passed, (size, size)).clamp(min=0)
