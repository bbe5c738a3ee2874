"""The disc as layers and the spheroid: light, mass, metals, gas and dust by radius, with the energy
that dust takes and gives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..bands.registry import get_band
from ..sed.attenuation import power_law, with_bump
from . import history, relations
from .population import MockGalaxy

ADDITIVE: tuple[str, ...] = (
    "star",
    "zstar",
    "age",
    "sfr",
    "lstar",
    "cloud",
    "gas",
    "hi",
    "zgas",
    "dust",
    "diffuse",
)
"""What adds up over pixels beside the bands: masses of stars, of their metals, mass times age
(Gyr), star formation rate, bolometric luminosity before attenuation, luminosity of dust in the
clouds about young stars; masses of gas, HI, metals in gas, dust; luminosity of dust heated by
starlight at large. Msun, Msun/yr, Lsun."""
N_OF_STARS = 6
"""The first of them, which stars have; the others are the gas's."""
LAYERS: tuple[str, ...] = ("old", "middle", "young", "birth", "molecular", "atomic")
"""Layers of the disc: stars older than 1 Gyr, 0.1 to 1 Gyr, 10 to 100 Myr, younger; molecular and
atomic gas with its dust.
"""
N_STAR_LAYERS = 4
HEIGHTS = np.array([1.0, 0.6, 0.3, 0.25, 0.25, 0.6])
"""Scale heights (of a sech^2) relative to the old disc's; dust half to a quarter of it (after
Xilouris+ 1999).
"""
_LAYER_OF_AGE = np.select(
    [history.BIRTH, history.YOUNG, history.AGE_EDGES_GYR[1:] <= 1.0], [3, 2, 1], 0
)

N_RADII = 64
CLOUD_SLOPE = -1.3
"""Slope of the optical depth of birth clouds with wavelength (da Cunha+ 2008, Sect. 2.1)."""
ABSORBING = 0.63
"""Effective over extinction optical depth: the root of 1 - albedo, 0.6 (Natta & Panagia 1984), for
light scattered in and out.
"""
CLUMPING = (0.15, 0.5)
"""Share of the dust in molecular and atomic gas that shades starlight at large; the rest hides in
clouds and their like.
"""


HOT = 0.15
"""Share of what clouds absorb that heats dust near the stars; the rest warms the molecular gas's
dust as a whole.
"""


@dataclass(frozen=True, eq=False)
class Disc:
    """The layers by radius.

    Attributes
    ----------
    r_max : float
        Of the table, kpc; entry k stands for the radius r_max (k / (N_RADII - 1))^2.
    table : ndarray of float32, shape (N_RADII, n_layers, n_bands + n_additive + 1)
        Per kpc2 seen from above: Lsun/Hz by band behind the layers' own clouds, `ADDITIVE`, and
        last the optical depth at V.
    heights : ndarray, shape (n_layers,)
        kpc.
    extinction : ndarray, shape (n_bands,)
        Optical depth of the bands relative to V.
    """

    r_max: float
    table: np.ndarray
    heights: np.ndarray
    extinction: np.ndarray

    @property
    def radius(self) -> np.ndarray:
        """Radii of the table, kpc."""
        return np.asarray(self.r_max * np.linspace(0, 1, N_RADII) ** 2)


@dataclass(frozen=True, eq=False)
class Spheroid:
    """What the spheroid has by radius, per unit of its mass profile.

    Attributes
    ----------
    radius : ndarray, shape (N_RADII,)
        kpc.
    table : ndarray, shape (N_RADII, n_bands + n_additive)
        Lsun/Hz by band, and `ADDITIVE`.
    """

    radius: np.ndarray
    table: np.ndarray


def sersic(radius: np.ndarray, r_e: float, n: float) -> np.ndarray:
    """Sersic profile of unit integral over the plane, 1/kpc2.

    Its b_n is that of Ciotti & Bertin (1999, eq. 18).
    """
    from math import gamma

    b = 2 * n - 1 / 3 + 4 / (405 * n) + 46 / (25515 * n**2)
    total = 2 * np.pi * n * gamma(2 * n) * np.exp(b) * b ** (-2 * n) * r_e**2
    return np.asarray(np.exp(-b * ((radius / r_e) ** (1 / n) - 1)) / total)


def build(galaxy: MockGalaxy, bands: tuple[str, ...], redshift: float) -> tuple[Disc, Spheroid]:
    """The disc and the spheroid of a galaxy.

    Parameters
    ----------
    galaxy : MockGalaxy
    bands : tuple of str
    redshift : float

    Raises
    ------
    InputError
        When the redshift lies beyond the tables.
    """
    stars = history.populations(bands, redshift)
    disc_mass, spheroid_mass = history.formed(galaxy)
    r_max = _reach(galaxy)
    radius = r_max * np.linspace(0, 1, N_RADII) ** 2
    area = 2 * np.pi * radius * np.gradient(radius)

    profile = _age_profiles(galaxy, radius, area)
    whole = disc_mass + spheroid_mass
    metallicity, oxygen = history.metals(galaxy, radius / galaxy.r_e, whole)
    light = _stars(stars, metallicity)
    n_bands, n_bins = len(bands), len(stars.bin_um)
    columns = n_bands + len(ADDITIVE) + 1
    table = np.zeros((N_RADII, len(LAYERS), columns))
    in_bins = np.zeros((N_RADII, 4, n_bins))
    surface = profile * disc_mass  # Msun formed per kpc2, by radius and age
    for layer in range(4):
        ages = layer == _LAYER_OF_AGE
        table[:, layer, : columns - 1] = np.einsum(
            "ra,rac->rc", surface[:, ages], light[:, ages, : columns - 1]
        )
        in_bins[:, layer] = np.einsum("ra,rac->rc", surface[:, ages], light[:, ages, columns - 1 :])

    _add_gas(galaxy, table, n_bands, profile, oxygen, radius, area)
    hot = _add_clouds(galaxy, bands, redshift, stars, surface, metallicity, oxygen, table, in_bins)

    spheroid = _spheroid(galaxy, stars, spheroid_mass, whole, bands)
    sphere_bins = _spheroid_bins(stars, galaxy, spheroid_mass, metallicity, radius)
    heights = galaxy.thickness * galaxy.scale_length * HEIGHTS
    curve = with_bump(np.maximum(stars.bin_um, 0.1), galaxy.dust_slope, galaxy.dust_bump)
    diffuse = _absorbed(table[:, 4:, -1], heights, curve, in_bins, sphere_bins)
    dust = table[:, 4:, n_bands + ADDITIVE.index("dust")]
    share = dust / np.maximum(dust.sum(1, keepdims=True), 1e-30)
    table[:, 4:, n_bands + ADDITIVE.index("diffuse")] = diffuse[:, None] * share
    table[:, 4, n_bands + ADDITIVE.index("diffuse")] += (1 - HOT) * hot
    table[:, 3, n_bands + ADDITIVE.index("cloud")] = HOT * hot

    seen = np.array([get_band(band).pivot for band in bands]) / (1 + redshift)
    extinction = with_bump(seen, galaxy.dust_slope, galaxy.dust_bump)
    return Disc(r_max, table.astype(np.float32), heights, extinction), spheroid


def _reach(galaxy: MockGalaxy) -> float:
    """Radius in kpc beyond which the disc is as good as empty."""
    return max(
        9 * galaxy.scale_length * galaxy.growth, 2.2 * float(relations.hi_radius(galaxy.log_hi))
    )


def _age_profiles(galaxy: MockGalaxy, radius: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Surface density of stars by radius and age per unit mass, 1/kpc2: inside-out, broken, with
    ring and bar.
    """
    ages = np.minimum(history.AGES_GYR, 12.0)
    scale = galaxy.scale_length * galaxy.growth ** (1 - 1.5 * np.sqrt(ages / 12))
    x = radius[:, None] / scale
    edge = galaxy.truncation * galaxy.scale_length / scale
    profile = np.exp(-x - np.maximum(x - edge, 0))
    in_scale = radius[:, None] / galaxy.scale_length
    recent = np.clip(1 - ages / 1.5, 0, 1)
    if galaxy.ring_radius > 0:
        ring = np.exp(-0.5 * ((in_scale - galaxy.ring_radius) / 0.22) ** 2)
        profile = profile * (1 + (4.0 * recent + 0.25) * ring)
    if galaxy.bar > 0:  # bars sweep the gas from within their length
        swept = np.exp(-((in_scale / galaxy.bar_length) ** 4)) * (in_scale > 0.15)
        profile = profile * (1 - 0.55 * min(galaxy.bar, 1) * recent * swept)
    return np.asarray(profile / (area @ profile))


def _stars(stars: history.Populations, metallicity: np.ndarray) -> np.ndarray:
    """Per Msun formed by radius and age: bands, `ADDITIVE`, bins of wavelength; shape (n_r, n_ages,
    n).
    """
    both = np.concatenate(
        [stars.light, stars.surviving[..., None], stars.bolometric[..., None], stars.bins], axis=-1
    )
    found = history.interpolate(both, metallicity)
    n = len(stars.bands)
    extra = np.zeros((*found.shape[:2], len(ADDITIVE)))
    survived = found[..., n]
    extra[..., ADDITIVE.index("star")] = survived
    extra[..., ADDITIVE.index("zstar")] = survived * metallicity
    extra[..., ADDITIVE.index("age")] = survived * history.AGES_GYR
    extra[..., ADDITIVE.index("sfr")] = np.where(history.YOUNG, 1 / 1e8, 0)
    extra[..., ADDITIVE.index("lstar")] = found[..., n + 1]
    return np.concatenate([found[..., :n], extra, found[..., n + 2 :]], axis=-1)


def _add_gas(
    galaxy: MockGalaxy, table: np.ndarray, n_bands: int, profile: np.ndarray, oxygen: np.ndarray,
    radius: np.ndarray,
    area: np.ndarray,
) -> None:  # fmt: skip
    """Fill in molecular and atomic gas, their metals, dust and optical depth."""
    h2 = 10**galaxy.log_h2 * profile[:, history.YOUNG].mean(1)
    edge = float(relations.hi_radius(galaxy.log_hi))
    # Exponential outside with a fifth of the HI radius for scale (Wang+ 2014), saturated inside.
    falling = np.exp(-(radius / edge - 1) / 0.2)
    hi = falling / (1 + falling * 1e6 / relations.HI_SATURATION)
    hi *= 10**galaxy.log_hi / (area @ hi)
    metals = relations.SOLAR_Z * 10 ** (oxygen - relations.SOLAR_OH)
    to_dust = relations.dust_to_gas(oxygen)
    kept = 0.5 if galaxy.kind == "elliptical" else 1.0  # hot gas erodes dust
    for layer, gas, shade in ((4, h2, CLUMPING[0]), (5, 1.36 * hi, CLUMPING[1])):
        dust = gas * to_dust * kept
        for name, value in (("gas", gas), ("zgas", gas * metals), ("dust", dust)):
            table[:, layer, n_bands + ADDITIVE.index(name)] = value
        table[:, layer, -1] = relations.TAU_V_PER_DUST * ABSORBING * shade * dust
    table[:, 5, n_bands + ADDITIVE.index("hi")] = hi


def _add_clouds(
    galaxy: MockGalaxy, bands: tuple[str, ...], redshift: float, stars: history.Populations,
    surface: np.ndarray,
    metallicity: np.ndarray, oxygen: np.ndarray, table: np.ndarray, in_bins: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Add what the youngest stars ionise, let their clouds dim both, and return what the clouds'
    dust takes, Lsun/kpc2.

    Every ionising photon ionises (case B); the energy that gas does not give back beyond the Lyman
    limit, Lyman alpha above all, ends in dust.
    """
    n_bands, n_bins = len(bands), len(stars.bin_um)
    ages = _LAYER_OF_AGE == 3
    power = np.stack([stars.photons / 1e40, stars.ionising], axis=-1)
    photons, ionising = np.einsum(
        "ra,rac->cr", surface[:, ages], history.interpolate(power, metallicity)[:, ages]
    )
    grid = history.tables.star_table().oxygen
    gas = (
        np.stack(
            [np.interp(oxygen, grid, stars.gas[:, c]) for c in range(n_bands + n_bins)], axis=1
        )
        * 1e40
    )
    glow = gas * photons[:, None]
    table[:, 3, :n_bands] += glow[:, :n_bands]
    in_bins[:, 3] += glow[:, n_bands:]
    seen = np.array([get_band(band).pivot for band in bands]) / (1 + redshift)
    table[:, 3, :n_bands] *= np.exp(-galaxy.cloud_tau * power_law(seen, CLOUD_SLOPE))
    through = np.exp(-galaxy.cloud_tau * power_law(stars.bin_um, CLOUD_SLOPE))
    taken = (in_bins[:, 3] * (1 - through)).sum(1) + np.maximum(
        ionising - glow[:, n_bands:].sum(1), 0
    )
    in_bins[:, 3] *= through
    return np.asarray(taken)


def _spheroid(
    galaxy: MockGalaxy,
    stars: history.Populations,
    mass: np.ndarray,
    whole: np.ndarray,
    bands: tuple[str, ...],
) -> Spheroid:
    radius = 12 * galaxy.bulge_r_e * np.linspace(0, 1, N_RADII) ** 2
    if galaxy.bulge == 0:
        return Spheroid(radius, np.zeros((N_RADII, len(bands) + len(ADDITIVE))))
    metallicity, _ = history.metals(galaxy, radius / galaxy.r_e, whole)
    light = _stars(stars, metallicity)[..., : len(bands) + len(ADDITIVE)]
    return Spheroid(radius, np.einsum("a,rac->rc", mass, light))


def _spheroid_bins(
    stars: history.Populations,
    galaxy: MockGalaxy,
    mass: np.ndarray,
    metallicity: np.ndarray,
    radius: np.ndarray,
) -> np.ndarray:
    """Light of the spheroid by bin of wavelength along the disc's radii, Lsun/kpc2."""
    if galaxy.bulge == 0:
        return np.zeros((N_RADII, len(stars.bin_um)))
    light = np.einsum("a,rac->rc", mass, history.interpolate(stars.bins, metallicity))
    # The mean over the cell about the middle, where the profile has no end.
    at = np.maximum(radius, 0.05 * galaxy.bulge_r_e)
    return np.asarray(light * sersic(at, galaxy.bulge_r_e, galaxy.bulge_n)[:, None])


def _absorbed(
    tau: np.ndarray,
    heights: np.ndarray,
    curve: np.ndarray,
    in_bins: np.ndarray,
    spheroid: np.ndarray,
) -> np.ndarray:
    """Luminosity per kpc2 that the dust layers take from the light of stars that leaves in all
    directions.

    Plane-parallel layers with sech^2 profiles, integrated over height and angle; of the spheroid's
    light half crosses the disc.

    Parameters
    ----------
    tau : ndarray, shape (n_r, 2)
        Optical depth at V of the two dust layers, from above.
    heights : ndarray, shape (6,)
    curve : ndarray, shape (n_bins,)
    in_bins : ndarray, shape (n_r, 4, n_bins)
    spheroid : ndarray, shape (n_r, n_bins)
    """
    nodes, weights = np.polynomial.legendre.leggauss(4)
    cosine, angle_weight = (nodes + 1) / 2, weights / 2
    depth = curve[None, :, None] / cosine  # (1, bins, angles)
    total = np.zeros(len(tau))
    quantiles = (np.arange(6) + 0.5) / 6  # of the stars of one half of the disc
    for layer in range(4):
        height = heights[layer] * np.arctanh(quantiles)
        left = np.zeros((len(tau), len(curve)))
        for z in height:
            above = 0.5 * (tau * (1 - np.tanh(z / heights[4:]))).sum(1)
            below = tau.sum(1) - above
            for path in (above, below):
                left += 0.5 * (np.exp(-path[:, None, None] * depth) @ angle_weight) / len(quantiles)
        total += (in_bins[:, layer] * (1 - left)).sum(1)
    crossing = np.exp(-tau.sum(1)[:, None, None] * depth) @ angle_weight
    return np.asarray(total + 0.5 * (spheroid * (1 - crossing)).sum(1))
