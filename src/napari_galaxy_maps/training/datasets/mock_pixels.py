"""Pixels of mock galaxies in all bands, as surveys would see them on pixels of any size, with a
spread of dust laws: what a pixel model is trained on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...bands.registry import INPUT_BANDS, get_band
from ...constants import FWHM_PER_SIGMA, MJY_SR_PER_LSUN_HZ_KPC2, PC_PER_MPC_ARCSEC
from ...cosmology import redshift_at_distance
from ...measure.compare.initial_mass_function import LOG_MASS_OVER_CHABRIER
from ...mocks import dust, surroundings, surveys
from ...mocks.isophote import ellipse_radii, isophotal_radius
from ...mocks.layers import ADDITIVE
from ...mocks.population import EARLY, MockGalaxy, draw_galaxy
from ...mocks.rendering import render
from ...mocks.view import View
from ...models.dust_forest.columns import NORMAL
from ...sed.tables import dust_table, dust_temperature
from ..processes import in_processes
from .dust_laws import DustLaw, apply_law, draw_law, local_field, shells
from .galaxy_pixels import GalaxyPixels, joined, no_pixels

ANGULAR_PIXEL = 18.0
"""Arcsec: that of SPIRE 250, on which Dobbels & Baes 2021 score."""
SCALES_PC = (150.0, 500.0, 1000.0, 3000.0)
MOST_PIXELS = 40
"""Of a galaxy at one scale, drawn at random."""
REACH = 1.2
"""How far from the centre pixels may be, in R25."""
FIRST_SEED = 40_000_000
"""No other set of mocks has seeds from here on."""
SEED_STRIDE = 1_000_000
_HALF, _MOST_SIDE, _LEAST_SIDE = 2.6, 256, 24
"""Half an image in half-mass radii, and limits of its side in pixels."""
_PSF_PIXELS = 1.5
"""FWHM in pixels of the PSF to which all bands have been brought."""
_DISTANCE_MPC = (3.0, 60.0)
_NEAR_MPC, _WHOLE_ERROR = 20.0, 0.03
"""Of a whole galaxy: distance, and the least relative error of its fluxes."""
_LOG_NOISE = (-0.3, 0.6)
"""Limits of the logarithm of the noise over that of the surveys."""
_SKY = 0.3
"""Of what sky subtraction leaves, in units of the noise of a pixel of `ANGULAR_PIXEL`."""
_LEAST_R25 = 2.0  # fine pixels
_SALPETER = LOG_MASS_OVER_CHABRIER["salpeter"]


@dataclass(frozen=True, eq=False)
class Rendered:
    """A mock galaxy on a fine grid, without PSF and noise.

    Attributes
    ----------
    kind : str
    scale_pc : float
        Side of a pixel.
    light : ndarray of float32, shape (n_bands, n, n)
        MJy/sr in `INPUT_BANDS`.
    sums : dict of str to ndarray, shape (n, n)
        Per kpc2, what adds up: ``"lstar"``, ``"emitted"`` (Lsun), ``"star"``, ``"dust"`` (Msun),
        and ``"shining"``, light in `dust.SHOWN_BY`, MJy/sr.
    radius : ndarray, shape (n, n)
        Along the galaxy's ellipses, in R25.
    r25_pc : float
    """

    kind: str
    scale_pc: float
    light: np.ndarray
    sums: dict[str, np.ndarray]
    radius: np.ndarray
    r25_pc: float


def make_mock_pixels(
    count: int, seed: int = 0, processes: int = 2, one: Callable[[int], GalaxyPixels] | None = None
) -> GalaxyPixels:
    """Pixels of mock galaxies.

    Parameters
    ----------
    count : int
        Galaxies.
    seed : int
        The same gives the same pixels.
    processes : int
    one : callable, optional
        `pixels_of_mock` or another that makes the pixels of one galaxy of its seed.

    Returns
    -------
    GalaxyPixels
        In `INPUT_BANDS`.
    """
    one = one or pixels_of_mock
    seeds = range(FIRST_SEED + seed * SEED_STRIDE, FIRST_SEED + seed * SEED_STRIDE + count)
    calls = ((number,) for number in seeds)
    return joined([*in_processes(one, calls, processes, begin=None, at_once=4)])


def pixels_of_mock(
    seed: int, scales_pc: tuple[float, ...] = SCALES_PC, angular: bool = True
) -> GalaxyPixels:
    """The pixels of one mock galaxy on each of these scales and on `ANGULAR_PIXEL`, with noise;
    none where the galaxy is smaller than a pixel.
    """
    rng = np.random.default_rng([seed, 0xA11])
    galaxy = draw_galaxy(seed)
    law = draw_law(rng, galaxy.kind in EARLY)
    distance = float(10 ** rng.uniform(*np.log10(_DISTANCE_MPC)))
    noise = float(10 ** rng.uniform(*_LOG_NOISE))
    fine = render_with_law(galaxy, law, distance)
    off = 1 + _calibration() * rng.standard_normal(len(INPUT_BANDS)).astype(np.float32)
    scales = (*scales_pc, *([ANGULAR_PIXEL * distance * PC_PER_MPC_ARCSEC] if angular else []))
    factors = sorted({max(1, round(scale / fine.scale_pc)) for scale in scales})
    # A pixel as large as the galaxy shows none of it.
    fitting = [factor for factor in factors if factor * fine.scale_pc < fine.r25_pc]
    seen = [_seen(fine, factor, distance, noise, off, rng) for factor in fitting]
    return joined([no_pixels(INPUT_BANDS, fine.kind), *seen], one_galaxy=True)


def whole_mock(seed: int) -> GalaxyPixels:
    """One mock galaxy as a single pixel, as a survey's photometry sees a whole galaxy."""
    rng = np.random.default_rng([seed, 0xA12])
    galaxy = draw_galaxy(seed)
    law = draw_law(rng, galaxy.kind in EARLY)
    fine = render_with_law(galaxy, law, _NEAR_MPC)
    inside = fine.radius < REACH
    light = fine.light[:, inside].mean(1)[:, None]
    sums = {name: plane[inside].mean()[None, None] for name, plane in fine.sums.items()}
    error = np.maximum(_calibration(), _WHOLE_ERROR)[:, None] * light
    side = np.sqrt(inside.sum()) * fine.scale_pc
    return GalaxyPixels(
        INPUT_BANDS,
        (light + error * rng.standard_normal(light.shape)).astype(np.float32),
        error.astype(np.float32),
        true_values(sums).reshape(1, -1),
        np.array([side], np.float32),
        np.array([REACH / 2], np.float32),
        np.zeros(1, np.int32),
        (fine.kind,),
    )


def _calibration() -> np.ndarray:
    return np.array([get_band(band).calibration for band in INPUT_BANDS], np.float32)


def render_with_law(galaxy: MockGalaxy, law: DustLaw, distance_mpc: float) -> Rendered:
    """A mock galaxy with a dust of its own."""
    half = _HALF * galaxy.r_e * 1e3
    scale = max(SCALES_PC[0], 2 * half / _MOST_SIDE)
    side = max(int(np.ceil(2 * half / scale)), _LEAST_SIDE)
    view = View(
        size=side, pixel_arcsec=scale / (distance_mpc * PC_PER_MPC_ARCSEC), bands=INPUT_BANDS,
        distance_mpc=distance_mpc,
    )  # fmt: skip
    redshift = redshift_at_distance(distance_mpc)
    planes = render(galaxy, view, redshift)
    if galaxy.kind == "interacting":
        companion, x, y = surroundings.companion(galaxy, half / 1e3)
        planes = planes + render(companion, view, redshift, x, y)
    n_bands = len(INPUT_BANDS)
    light = planes[:n_bands] * np.float32(MJY_SR_PER_LSUN_HZ_KPC2 / (1 + redshift) ** 3)
    radii = ellipse_radii(galaxy, side)
    r25 = isophotal_radius(light[INPUT_BANDS.index("SDSS_g")], radii, _LEAST_R25)
    radius = (radii / r25).astype(np.float32)
    field = local_field(radius.shape, scale / 1e3, np.random.default_rng([galaxy.seed, 0xA13]))
    added = apply_law(planes[n_bands:], law, radius, field)
    grains = galaxy.qhac * law.grains
    normal = light[INPUT_BANDS.index(NORMAL)]
    light = light + shells(normal, law, INPUT_BANDS)
    light += dust.emission(added, grains, INPUT_BANDS, redshift)
    named = dict(zip(ADDITIVE, added, strict=True))
    (shining,) = dust.emission(added, grains, (dust.SHOWN_BY,), redshift)
    sums = {
        "lstar": named["lstar"], "emitted": named["diffuse"] + named["cloud"],
        "star": named["star"], "dust": named["dust"], "shining": shining,
    }  # fmt: skip
    return Rendered(galaxy.kind, scale, light, sums, radius, r25 * scale)


def _seen(
    fine: Rendered, factor: int, distance: float, noise: float, off: np.ndarray,
    rng: np.random.Generator,
) -> GalaxyPixels:  # fmt: skip
    """Some pixels of a galaxy on a grid that is coarser by a factor, as a survey sees them."""
    from astropy.nddata import block_reduce

    scale = factor * fine.scale_pc
    arcsec = scale / (distance * PC_PER_MPC_ARCSEC)
    light = binned(fine.light, factor)
    sums = dict(zip(fine.sums, binned(np.stack([*fine.sums.values()]), factor), strict=True))
    n = light.shape[-1]
    radius = block_reduce(fine.radius, factor, np.mean)
    places = np.flatnonzero(radius < REACH)
    places = rng.choice(places, min(MOST_PIXELS, len(places)), replace=False)
    truth = true_values(sums).reshape(-1, n * n)[:, places].T

    def chosen(planes: np.ndarray) -> np.ndarray:
        return planes.reshape(len(planes), -1)[:, places]

    light = chosen(light)
    sky = chosen(surroundings.leftover_sky(rng, (len(INPUT_BANDS), n, n)))
    own = np.stack(
        [surveys.sigma(b, row, arcsec, noise) for b, row in zip(INPUT_BANDS, light, strict=True)]
    )
    floor = [float(surveys.sigma(b, np.zeros(1), ANGULAR_PIXEL, noise)[0]) for b in INPUT_BANDS]
    seen = light + own * rng.standard_normal(own.shape, np.float32)
    seen = (seen + _SKY * np.array(floor, np.float32)[:, None] * sky) * off[:, None]
    error = np.hypot(own, _calibration()[:, None] * seen)
    count = len(places)
    return GalaxyPixels(
        INPUT_BANDS, seen.astype(np.float32), error.astype(np.float32), truth,
        np.full(count, scale, np.float32), radius.ravel()[places].astype(np.float32),
        np.zeros(count, np.int32), (fine.kind,),
    )  # fmt: skip


def binned(planes: np.ndarray, factor: int) -> np.ndarray:
    """Planes on pixels that are larger by a whole factor, under a PSF of `_PSF_PIXELS` of them.

    Parameters
    ----------
    planes : ndarray, shape (k, n, n)
    factor : int

    Returns
    -------
    ndarray of float32, shape (k, n // factor, n // factor)
    """
    from astropy.nddata import block_reduce
    from scipy.ndimage import gaussian_filter

    mean = block_reduce(planes, (1, factor, factor), np.mean)
    width = _PSF_PIXELS / FWHM_PER_SIGMA
    return np.asarray(gaussian_filter(mean, (0, width, width), mode="nearest"), np.float32)


def true_values(sums: dict[str, np.ndarray]) -> np.ndarray:
    """The seven quantities, Salpeter masses, of what adds up (`Rendered.sums`); NaN where dust
    could not be shown.

    The temperature is that of the field in which the dust's mass has its luminosity: so the two are
    tied in the truths of real galaxies, to 0.02 dex of luminosity over mass (Nersesian+ 2019).

    Returns
    -------
    ndarray of float32, shape (7, n, n)
        `models.dust_forest.uncertainty.QUANTITIES`.
    """
    unseen = sums["shining"] < dust.faintest(sums["shining"])
    with np.errstate(divide="ignore", invalid="ignore"):
        emitted, mass = (np.where(unseen, np.nan, sums[name]) for name in ("emitted", "dust"))
        stars = np.log10(sums["star"]) + _SALPETER
        values = [
            np.log10(emitted / sums["lstar"]), np.log10(mass) - stars,
            dust_temperature(emitted / mass / dust_table().lsun_per_msun),
            np.log10(sums["lstar"]), stars, np.log10(emitted), np.log10(mass),
        ]  # fmt: skip
    return np.where(np.isfinite(values), values, np.nan).astype(np.float32)
