"""A mock galaxy as it is seen: images in any bands, and the true maps behind them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..constants import MJY_SR_PER_LSUN_HZ_KPC2, PC_PER_MPC_ARCSEC
from ..cosmology import redshift_at_distance
from ..device import check_memory
from ..progress import Progress, Steps, run_to_end
from . import dust, surroundings, surveys
from .layers import ADDITIVE
from .population import MockGalaxy, draw_galaxy
from .rendering import render_steps
from .view import FARTHEST_DRAWN, View

if TYPE_CHECKING:
    from astropy.wcs import WCS

_BYTES, _BYTES_PER_BAND = 300, 30
"""Memory that a pixel of a mock takes at the peak, as measured with 5 and with 26 bands."""
_ROUNDING = 1e-6
"""Of the peak of a plane that adds up: Fourier transforms in single precision are off by a tenth of
that."""


@dataclass(frozen=True, eq=False)
class Mock:
    """Images of a mock galaxy and its true maps.

    Attributes
    ----------
    galaxy : MockGalaxy
    view : View
        With the distance that was chosen.
    redshift : float
    data, uncertainty, model : ndarray of float32, shape (n_bands, ny, nx)
        Surface brightness in MJy/sr as observed, its 1-sigma error, and without noise, sky, stars,
        neighbours and reddening.
    truth : dict of str to ndarray of float32, shape (ny, nx)
        Every property of `maps.PROPERTIES` at `view.fwhm_of_truth`, in its unit, but for those of
        attenuation, which `dustless` makes.
    additive : dict of str to ndarray of float32, shape (ny, nx)
        `layers.ADDITIVE` per kpc2 at the same PSF.
    stars : list of dict
        The Milky Way's stars on the image: x, y (pixels), magnitude, parallax (mas), temperature
        (K).
    """

    galaxy: MockGalaxy
    view: View
    redshift: float
    data: np.ndarray
    uncertainty: np.ndarray
    model: np.ndarray
    truth: dict[str, np.ndarray]
    additive: dict[str, np.ndarray]
    stars: list[dict[str, float]]

    @property
    def pixel_kpc(self) -> float:
        """Side of a pixel in kpc."""
        return float(self.view.kpc_per_arcsec * self.view.pixel_arcsec)

    @cached_property
    def position(self) -> tuple[float, float]:
        """Right ascension and declination in degrees, made up, away from the plane of the Milky
        Way.
        """
        rng = np.random.default_rng([self.galaxy.seed, 0x5C7])
        return float(rng.uniform(140, 230)), float(rng.uniform(0, 50))

    @cached_property
    def wcs(self) -> WCS:
        """Sky coordinates: north up, east to the left."""
        from astropy.wcs import WCS

        wcs = WCS(naxis=2)
        wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
        wcs.wcs.crval = list(self.position)
        wcs.wcs.crpix = [(self.view.size + 1) / 2] * 2
        wcs.wcs.cdelt = [-self.view.pixel_arcsec / 3600, self.view.pixel_arcsec / 3600]
        wcs.wcs.cunit = ["deg", "deg"]
        wcs.wcs.set()
        return wcs


def make_mock(seed: int, view: View | None = None, galaxy: MockGalaxy | None = None) -> Mock:
    """Make a mock galaxy.

    Parameters
    ----------
    seed : int
        Of the noise, the surroundings and, where `galaxy` is not given, of the galaxy; the same
        seed gives the same mock.
    view : View, optional
        Default: 128 x 128 pixels of SDSS in ugriz.
    galaxy : MockGalaxy, optional
        Default: `population.draw_galaxy` of the seed.

    Raises
    ------
    InputError
        When the view makes no sense, or the galaxy is too far for the tables.
    """
    return run_to_end(make_mock_steps(seed, view, galaxy))


def make_mock_steps(
    seed: int, view: View | None = None, galaxy: MockGalaxy | None = None
) -> Steps[Mock]:
    """`make_mock`, yielding after every block of lines of sight."""
    view = view or View()
    view.check()
    check_memory(
        (_BYTES + _BYTES_PER_BAND * len(view.bands)) * float(view.size) ** 2,
        f"A mock of {view.size} x {view.size} pixels in {len(view.bands)} bands",
        "take fewer pixels or bands",
    )
    galaxy = galaxy or draw_galaxy(seed)
    rng = np.random.default_rng([seed, 0x0B5])
    distance = view.distance_mpc
    if distance is None:
        distance = _distance(galaxy, view, rng)
        view = replace(view, distance_mpc=distance)
    redshift = redshift_at_distance(distance) if view.redshift is None else view.redshift
    planes = yield from rendered_steps(galaxy, view, redshift)
    yield Progress("mock", 1, 1, "images and maps")
    n_bands = len(view.bands)
    images = planes[:n_bands] * np.float32(MJY_SR_PER_LSUN_HZ_KPC2 / (1 + redshift) ** 3)
    images += dust.emission(planes[n_bands:], galaxy.qhac, view.bands, redshift)
    seen, stars = surroundings.foreground(images, view, rng)
    truth, additive = _true_maps(planes[n_bands:], view, galaxy.qhac, redshift)
    psfs = [(view.fwhm_of(band), surveys.is_ground(band)) for band in view.bands]
    blurred = surveys.convolve(seen, psfs, view.pixel_arcsec)
    model = blurred
    if seen is not images:
        model = surveys.convolve(images, psfs, view.pixel_arcsec)
    errors = [
        surveys.sigma(band, image, view.pixel_arcsec, view.noise)
        for band, image in zip(view.bands, blurred, strict=True)
    ]
    error = np.stack(errors)
    data = blurred
    if view.noise > 0:
        data = data + error * rng.standard_normal(error.shape, np.float32)
        if view.sky > 0:
            sky = surroundings.leftover_sky(rng, error.shape)
            data = data + view.sky * error.min(axis=(1, 2), keepdims=True) * sky
    return Mock(
        galaxy, view, redshift, data.astype(np.float32), error, model, truth, additive, stars
    )


def rendered_steps(
    galaxy: MockGalaxy, view: View, redshift: float, dimmed: bool = True
) -> Steps[np.ndarray]:
    """`rendering.render_steps` of a galaxy and its companion, where it has one."""
    planes = yield from render_steps(galaxy, view, redshift, dimmed=dimmed)
    if galaxy.kind == "interacting":
        half = view.size * view.pixel_arcsec * view.kpc_per_arcsec / 2
        companion, x, y = surroundings.companion(galaxy, half)
        planes = planes + (yield from render_steps(companion, view, redshift, x, y, dimmed))
    return planes


def _distance(galaxy: MockGalaxy, view: View, rng: np.random.Generator) -> float:
    """Distance in Mpc at which half the image spans 2.5 to 5 half-mass radii, or what is nearest to
    that within `FARTHEST_DRAWN`.
    """
    kpc = galaxy.r_e * rng.uniform(2.5, 5.0)
    arcsec = view.size * view.pixel_arcsec / 2
    return float(np.clip(kpc * 1e3 / arcsec / PC_PER_MPC_ARCSEC, 1.0, FARTHEST_DRAWN))


def _true_maps(
    planes: np.ndarray, view: View, qhac: float, redshift: float
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Every property from the additive planes, blurred to the truth's PSF.

    Blank is what the blur's rounding may have made: what adds up under `_ROUNDING` of its peak, and
    all that is said of dust whose light is under `dust.faintest`.
    """
    heat = planes[ADDITIVE.index("dust")] * dust.temperature(planes)
    (shining,) = dust.emission(planes, qhac, (dust.SHOWN_BY,), redshift)
    both = np.concatenate([planes, heat[None], shining[None]])
    psf = (view.fwhm_of_truth, surveys.is_ground(view.bands[0]))
    both = np.maximum(surveys.convolve(both, [psf] * len(both), view.pixel_arcsec), 0)
    *blurred, heat, shining = both
    found = dict(zip(ADDITIVE, blurred, strict=True))
    parts = {**found, "emitted": found["diffuse"] + found["cloud"]}
    clear = {
        name: np.where(plane > _ROUNDING * plane.max(), plane, np.nan)
        for name, plane in parts.items()
    }
    values = {
        "LOG_SLD": np.log10(clear["emitted"] / clear["lstar"]),
        "LOG_SMD": np.log10(clear["dust"] / clear["star"]),
        "T_DUST": heat / clear["dust"],
        "LOG_SIGMA_LSTAR": np.log10(clear["lstar"]), "LOG_SIGMA_LD": np.log10(clear["emitted"]),
        "LOG_SIGMA_STAR": np.log10(clear["star"]), "LOG_SIGMA_MD": np.log10(clear["dust"]),
        "LOG_SIGMA_SFR": np.log10(clear["sfr"]), "LOG_SIGMA_GAS": np.log10(clear["gas"]),
        "LOG_SIGMA_HI": np.log10(clear["hi"]), "LOG_SIGMA_ZSTAR": np.log10(clear["zstar"]),
        "LOG_SIGMA_ZGAS": np.log10(clear["zgas"]), "AGE_STAR": clear["age"] / clear["star"],
    }  # fmt: skip
    unseen = shining < dust.faintest(shining)
    for name in ("LOG_SLD", "LOG_SMD", "T_DUST", "LOG_SIGMA_LD", "LOG_SIGMA_MD"):
        values[name] = np.where(unseen, np.nan, values[name])
    return {name: plane.astype(np.float32) for name, plane in values.items()}, found
