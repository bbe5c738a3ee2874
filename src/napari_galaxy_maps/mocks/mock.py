"""A mock galaxy as it is seen: images in any bands, and the true maps behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..bands.registry import BANDS, INPUT_BANDS, get_band
from ..constants import MJY_SR_PER_LSUN_HZ_KPC2, PC_PER_MPC_ARCSEC
from ..cosmology import redshift_at_distance
from ..exceptions import InputError
from ..progress import Progress, Steps, drain
from . import dust, surroundings, surveys
from .layers import ADDITIVE, Disc, Spheroid, build, sersic
from .population import MockGalaxy, draw_galaxy
from .rays import march
from .structure import patterns

if TYPE_CHECKING:
    from astropy.wcs import WCS

UGRIZ = ("SDSS_u", "SDSS_g", "SDSS_r", "SDSS_i", "SDSS_z")
MAX_DISTANCE = 650.0
"""Largest angular-diameter distance in Mpc: redshift 0.18 by the Hubble flow, within the tables."""
MAX_REDSHIFT = 0.2
"""Where the tables end."""
_CENTRE, _FINER = 4, 4
"""The pixels within this many of the centre are sampled that many times finer."""

_BLOCK = 65536
"""Lines of sight at a time, so that what is computed on the way stays small."""


@dataclass(frozen=True)
class View:
    """How a galaxy is seen.

    Attributes
    ----------
    size : int
        Pixels along each side.
    pixel_arcsec : float
    bands : tuple of str
    distance_mpc : float or None
        Angular-diameter distance; None: such that the galaxy fills the image well.
    redshift : float or None
        None: that of the Hubble flow at the distance.
    seeing : float
        By which the bands' FWHM are multiplied.
    fwhm : mapping of str to float
        FWHM in arcsec of single bands, in place of the survey's.
    truth_fwhm : float or None
        FWHM in arcsec of the true maps; None: the widest of the bands up to 22 micron.
    noise : float
        By which the surveys' noise is multiplied; 0: none.
    sky : float
        Size of what sky subtraction left, a level and a slope, in units of the noise.
    ebv : float
        E(B-V) of the Milky Way in mag, which dims the galaxy.
    stars : float
        Stars of the Milky Way per arcmin2 down to G = 21.
    neighbours : float
        Galaxies in the background per arcmin2.
    """

    size: int = 128
    pixel_arcsec: float = 0.396
    bands: tuple[str, ...] = UGRIZ
    distance_mpc: float | None = None
    redshift: float | None = None
    seeing: float = 1.0
    fwhm: Mapping[str, float] = field(default_factory=dict)
    truth_fwhm: float | None = None
    noise: float = 1.0
    sky: float = 0.0
    ebv: float = 0.0
    stars: float = 0.0
    neighbours: float = 0.0

    def fwhm_of(self, band: str) -> float:
        """FWHM of a band, arcsec."""
        return float(self.fwhm.get(band, get_band(band).fwhm)) * self.seeing

    @property
    def fwhm_of_truth(self) -> float:
        """FWHM of the true maps, arcsec."""
        if self.truth_fwhm is not None:
            return self.truth_fwhm
        return max(
            self.fwhm_of(band)
            for band in ([b for b in self.bands if b in INPUT_BANDS] or self.bands)
        )

    def check(self) -> None:
        """Raise `InputError` where the view makes no sense."""
        if not 8 <= self.size <= 16384:
            raise InputError(
                f"A mock image of {self.size} pixels is not made; choose a size between 8 and 16384."
            )
        if not 0 < self.pixel_arcsec < 100:
            raise InputError(
                f"A pixel of {self.pixel_arcsec} arcsec makes no sense; choose one between 0 and 100."
            )
        for name in ("seeing", "noise", "sky", "ebv", "stars", "neighbours"):
            if not 0 <= getattr(self, name) < 1e4 or (name == "seeing" and self.seeing == 0):
                raise InputError(
                    f"A mock's {name} of {getattr(self, name)} makes no sense; choose a positive number."
                )
        if self.distance_mpc is not None and not 0 < self.distance_mpc <= MAX_DISTANCE:
            raise InputError(
                f"A distance of {self.distance_mpc} Mpc is not between 0 and {MAX_DISTANCE:g} (redshift 0.2)."
            )
        if self.redshift is not None and not 0 <= self.redshift <= MAX_REDSHIFT:
            raise InputError(
                f"A mock's redshift of {self.redshift} is not between 0 and {MAX_REDSHIFT}."
            )
        unknown = [band for band in self.bands if band not in BANDS]
        if unknown or not self.bands:
            raise InputError(
                f"There is no band called {', '.join(unknown) or 'nothing'}; the bands are {', '.join(BANDS)}."
            )


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
        Every property of `maps.PROPERTIES` at `view.fwhm_of_truth`, in its unit.
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
        return float(_kpc_per_arcsec(self.view) * self.view.pixel_arcsec)

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
    return drain(make_mock_steps(seed, view, galaxy))


def make_mock_steps(
    seed: int, view: View | None = None, galaxy: MockGalaxy | None = None
) -> Steps[Mock]:
    """`make_mock`, yielding after every block of lines of sight."""
    view = view or View()
    view.check()
    galaxy = galaxy or draw_galaxy(seed)
    rng = np.random.default_rng([seed, 0x0B5])
    view = (
        view
        if view.distance_mpc is not None
        else replace(view, distance_mpc=_distance(galaxy, view, rng))
    )
    redshift = view.redshift
    if redshift is None:
        redshift = redshift_at_distance(float(view.distance_mpc or 0))
    planes = yield from render_steps(galaxy, view, redshift)
    if galaxy.kind == "interacting":
        companion, x, y = surroundings.companion(
            galaxy, view.size * view.pixel_arcsec * _kpc_per_arcsec(view) / 2
        )
        planes = planes + (yield from render_steps(companion, view, redshift, x, y))
    yield Progress("mock", 1, 1, "images and maps")
    n_bands = len(view.bands)
    images = planes[:n_bands] * np.float32(MJY_SR_PER_LSUN_HZ_KPC2 / (1 + redshift) ** 3)
    images += dust.emission(planes[n_bands:], galaxy.qhac, view.bands, redshift)
    seen, stars = surroundings.foreground(images, view, rng)
    truth, additive = _true_maps(planes[n_bands:], view)
    blurred = _convolve(
        seen, [(view.fwhm_of(b), surveys.is_ground(b)) for b in view.bands], view.pixel_arcsec
    )
    model = blurred
    if seen is not images:
        model = _convolve(
            images, [(view.fwhm_of(b), surveys.is_ground(b)) for b in view.bands], view.pixel_arcsec
        )
    error = np.stack(
        [
            surveys.sigma(b, blurred[k], view.pixel_arcsec, view.noise)
            for k, b in enumerate(view.bands)
        ]
    )
    data = blurred
    if view.noise > 0:
        data = data + error * rng.standard_normal(error.shape, np.float32)
        if view.sky > 0:
            data = data + view.sky * error.min(
                axis=(1, 2), keepdims=True
            ) * surroundings.leftover_sky(rng, error.shape)
    return Mock(
        galaxy, view, redshift, data.astype(np.float32), error, model, truth, additive, stars
    )


def render(
    galaxy: MockGalaxy, view: View, redshift: float, x0: float = 0.0, y0: float = 0.0
) -> np.ndarray:
    """`render_steps` at once."""
    return drain(render_steps(galaxy, view, redshift, x0, y0))


def render_steps(
    galaxy: MockGalaxy, view: View, redshift: float, x0: float = 0.0, y0: float = 0.0
) -> Steps[np.ndarray]:
    """What lies in each pixel before any PSF.

    Parameters
    ----------
    x0, y0 : float
        Place of the galaxy's centre in kpc to the right and up from the image's.

    Returns
    -------
    ndarray of float32, shape (n_bands + n_additive, ny, nx)
        Lsun/Hz of starlight by band, and `layers.ADDITIVE`, per kpc2 of sky.
    """
    n, n_bands = view.size, len(view.bands)
    kpc = _kpc_per_arcsec(view) * view.pixel_arcsec
    disc, spheroid = build(galaxy, view.bands, redshift)
    side = (np.arange(n) - (n - 1) / 2) * kpc
    dx, dy = (plane.ravel() for plane in np.meshgrid(side - x0, side - y0))
    # The centre again, finer.
    middle = [round(float(np.clip((n - 1) / 2 + c / kpc, 0, n - 1))) for c in (x0, y0)]
    window = [np.arange(max(0, m - _CENTRE), min(n, m + _CENTRE + 1)) for m in middle]
    sub = (np.arange(_FINER) + 0.5) / _FINER - 0.5
    fine_x, fine_y = (
        ((w[:, None] + sub - (n - 1) / 2) * kpc - c).ravel()
        for w, c in zip(window, (x0, y0), strict=True)
    )
    more_x, more_y = (plane.ravel() for plane in np.meshgrid(fine_x, fine_y))
    dx, dy = np.concatenate([dx, more_x]), np.concatenate([dy, more_y])
    values = yield from _rays_steps(galaxy, disc, spheroid, dx, dy, view, kpc)
    image = values[: n * n].reshape(n, n, -1)
    shape = (len(window[1]), _FINER, len(window[0]), _FINER, values.shape[1])
    image[window[1][0] : window[1][-1] + 1, window[0][0] : window[0][-1] + 1] = (
        values[n * n :].reshape(shape).mean(axis=(1, 3))
    )
    return np.ascontiguousarray(np.moveaxis(image[..., : n_bands + len(ADDITIVE)], -1, 0))


def _rays_steps(
    galaxy: MockGalaxy,
    disc: Disc,
    spheroid: Spheroid,
    dx: np.ndarray,
    dy: np.ndarray,
    view: View,
    kpc: float,
) -> Steps[np.ndarray]:
    """Disc and spheroid along lines of sight at offsets from the centre in kpc, shape (n_rays,
    n_columns).
    """
    n_bands = len(view.bands)
    angle = np.radians(galaxy.position_angle)
    x, y = -dx * np.sin(angle) + dy * np.cos(angle), dx * np.cos(angle) + dy * np.sin(angle)
    half = float(
        min(
            disc.r_max,
            1.45 * view.size / 2 * kpc / max(np.cos(np.radians(galaxy.inclination)), 0.25),
        )
    )
    plane = patterns(galaxy, half, int(np.clip(view.size, 64, 2048)), 10**galaxy.log_sfr * 1e7)
    values = np.empty((len(x), disc.table.shape[2]), np.float32)
    for start in range(0, len(x), _BLOCK):
        part = slice(start, start + _BLOCK)
        values[part] = march(disc, plane, half, x[part], y[part], galaxy.inclination, n_bands)
        if galaxy.bulge > 0:
            tau = values[part, -1]
            values[part, :-1] += _spheroid(
                galaxy, disc.extinction, spheroid, tau, x[part], y[part], n_bands
            )
        done = min(start + _BLOCK, len(x))
        yield Progress("mock", done, len(x), f"{done / len(x):.0%} of the lines of sight")
    return values


def _spheroid(
    galaxy: MockGalaxy, extinction: np.ndarray, spheroid: Spheroid, tau: np.ndarray, x: np.ndarray, y: np.ndarray, n_bands: int
) -> np.ndarray:  # fmt: skip
    """The spheroid's columns; the part of it that lies behind the disc is dimmed by the disc's
    dust.
    """
    sin, cos = np.sin(np.radians(galaxy.inclination)), np.cos(np.radians(galaxy.inclination))
    axis = np.sqrt(
        galaxy.bulge_axis**2 * sin**2 + cos**2
    )  # of an oblate spheroid, seen at an angle
    radius = np.maximum(np.sqrt(x**2 * axis + y**2 / axis), 0.01 * galaxy.bulge_r_e)
    at = np.sqrt(np.minimum(radius / spheroid.radius[-1], 1)) * (len(spheroid.radius) - 1)
    low = np.minimum(at.astype(np.int32), len(spheroid.radius) - 2)
    part = (at - low)[:, None].astype(np.float32)
    table = spheroid.table.astype(np.float32)
    found = table[low] * (1 - part) + table[low + 1] * part
    found *= sersic(radius, galaxy.bulge_r_e, galaxy.bulge_n)[:, None].astype(np.float32)
    # The midplane lies this far behind the plane of the sky through the centre; for a density
    # falling with the cube of the radius this is the share of light before it.
    plane = -y * sin / max(cos, 1e-3)
    front = 0.5 * (1 + plane / np.sqrt(plane**2 + radius**2))
    through = front[:, None] + (1 - front[:, None]) * np.exp(-tau[:, None] * extinction)
    found[:, :n_bands] *= through.astype(np.float32)
    return found


def _kpc_per_arcsec(view: View) -> float:
    return float(view.distance_mpc or 0) * PC_PER_MPC_ARCSEC / 1e3


def _distance(galaxy: MockGalaxy, view: View, rng: np.random.Generator) -> float:
    """Distance in Mpc at which half the image spans 2.5 to 5 half-mass radii, or what is nearest to
    that within redshift 0.18.
    """
    kpc = galaxy.r_e * rng.uniform(2.5, 5.0)
    arcsec = view.size * view.pixel_arcsec / 2
    return float(np.clip(kpc * 1e3 / arcsec / PC_PER_MPC_ARCSEC, 1.0, MAX_DISTANCE))


def _convolve(
    planes: np.ndarray, psfs: list[tuple[float, bool]], pixel_arcsec: float
) -> np.ndarray:
    """Planes blurred by PSFs of given FWHM in arcsec; beyond the border the image is mirrored."""
    from scipy import fft

    n = planes.shape[-1]
    widest = max(fwhm for fwhm, _ in psfs) / pixel_arcsec
    pad = int(min(np.ceil(2.0 * widest) + 2, n - 1))
    size = fft.next_fast_len(n + 2 * pad, real=True)
    extra = size - n - pad
    padded = np.pad(
        planes, ((0, 0), (pad, extra), (pad, extra)), mode="symmetric" if extra <= n else "edge"
    )
    transforms: dict[tuple[float, bool], np.ndarray] = {}
    result = np.empty_like(planes)
    for k, (fwhm, ground) in enumerate(psfs):
        if (fwhm, ground) not in transforms:
            transforms[fwhm, ground] = surveys.psf_transform(
                fwhm / pixel_arcsec, ground, (size, size)
            )
        spectrum = fft.rfft2(padded[k]) * transforms[fwhm, ground]
        result[k] = fft.irfft2(spectrum, (size, size))[pad : pad + n, pad : pad + n]
    return result


def _true_maps(
    planes: np.ndarray, view: View
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Every property from the additive planes, blurred to the truth's PSF."""
    heat = planes[ADDITIVE.index("dust")] * dust.temperature(planes)
    both = np.concatenate([planes, heat[None]])
    both = np.maximum(
        _convolve(
            both,
            [(view.fwhm_of_truth, surveys.is_ground(view.bands[0]))] * len(both),
            view.pixel_arcsec,
        ),
        0,
    )
    found = dict(zip(ADDITIVE, both[:-1], strict=True))
    emitted = found["diffuse"] + found["cloud"]
    with np.errstate(divide="ignore", invalid="ignore"):
        values = {
            "LOG_SLD": np.log10(emitted / found["lstar"]), "LOG_SMD": np.log10(found["dust"] / found["star"]),
            "T_DUST": both[-1] / found["dust"],
            "LOG_SIGMA_LSTAR": np.log10(found["lstar"]), "LOG_SIGMA_LD": np.log10(emitted),
            "LOG_SIGMA_STAR": np.log10(found["star"]), "LOG_SIGMA_MD": np.log10(found["dust"]),
            "LOG_SIGMA_SFR": np.log10(found["sfr"]), "LOG_SIGMA_GAS": np.log10(found["gas"]),
            "LOG_SIGMA_HI": np.log10(found["hi"]), "LOG_SIGMA_ZSTAR": np.log10(found["zstar"]),
            "LOG_SIGMA_ZGAS": np.log10(found["zgas"]), "AGE_STAR": found["age"] / found["star"],
        }  # fmt: skip
    values = {
        name: np.where(np.isfinite(v), v, np.nan).astype(np.float32) for name, v in values.items()
    }
    return values, found
