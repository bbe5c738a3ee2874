"""What a galaxy of the second recipe is: drawn numbers, from which its maps follow."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from . import relations
from .attenuation import Geometry, modified_calzetti, small_magellanic
from .populations import MIDDLES_UM

KINDS: dict[str, int] = {
    "simulated": 16, "elliptical": 8, "lenticular": 7, "disc": 9, "density wave": 7, "ring": 5,
    "irregular": 8,
}  # fmt: skip
"""Galaxies of each kind in a set."""
_MASSES = {
    "simulated": (10.3, 11.3), "elliptical": (9.8, 11.3), "lenticular": (9.5, 11.2),
    "disc": (9.2, 11.0), "density wave": (9.6, 11.1), "ring": (10.0, 11.0),
    "irregular": (8.8, 9.5),
}  # fmt: skip
_STARTS = (2.5, 10.0)
"""Gyr, of late types: as young as the fits that tell real galaxies' masses have them."""
EARLY = ("elliptical", "lenticular")


@dataclass(frozen=True)
class Traits:
    """Numbers of a galaxy.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    log_mass, sfr : float
        Stars in Msun and Msun/yr of today.
    size : float
        Half-mass radius along the major axis, kpc.
    axis_ratio, thickness : float
        Of the galaxy as seen, and edge-on.
    oxygen, oxygen_gradient : float
        12 + log(O/H) at half of R25, and dex per R25.
    metals, metals_gradient : float
        log10 Z of stars at the half-mass radius, and dex per half-mass radius.
    start, falling, rising : float
        Age of the oldest stars in Gyr, and exponents of `histories.double_power_law`.
    age, age_gradient : float
        Of the old stars at the half-mass radius, Gyr, and per half-mass radius.
    burst : float
        Share of the mass that formed in a burst `burst_gyr` ago, in the middle.
    burst_gyr : float
    geometry : Geometry
    curve : ndarray, shape (N_BINS,)
        tau(lambda) / tau(V).
    cloud_tau : float
        tau(V) of the shells about young stars.
    opacity : float
        tau(V) per Msun/kpc2 of Draine & Li's dust.
    dust : float
        Factor of the dust-to-gas ratio; of early types log10 of dust over stellar mass.
    dust_spread : bool
        Whether an early type's dust lies as its stars do.
    hot : float
        Share of what shells absorb that shines in a power law of fields.
    leak : float
        Share of what diffuse dust absorbs that heats dust some way off.
    pah : float
        Factor of the PAH fraction.
    shells : ndarray, shape (2,)
        Light at 12 and 22 micron of dust about old stars over their light at 3.4 micron.
    sersic : float
    bulge : float
        Share of the mass.
    break_radius, outer_scale : float
        Where the disc's scale changes and what it becomes, in inner scales.
    """

    kind: str
    log_mass: float
    sfr: float
    size: float
    axis_ratio: float
    thickness: float
    oxygen: float
    oxygen_gradient: float
    metals: float
    metals_gradient: float
    start: float
    falling: float
    rising: float
    age: float
    age_gradient: float
    burst: float
    burst_gyr: float
    geometry: Geometry
    cloud_tau: float
    opacity: float
    dust: float
    dust_spread: bool
    hot: float
    leak: float
    pah: float
    sersic: float
    bulge: float
    break_radius: float
    outer_scale: float
    curve: np.ndarray = field(repr=False)
    shells: np.ndarray = field(repr=False)

    @property
    def early(self) -> bool:
        """Whether it is an early type."""
        return self.kind in EARLY

    @property
    def face_on(self) -> float:
        """Cosine of the angle between the line of sight and the axis of the layers."""
        flat = (self.axis_ratio**2 - self.thickness**2) / (1 - self.thickness**2)
        return float(np.sqrt(np.clip(flat, 0.03, 1)))


def draw_traits(kind: str, rng: np.random.Generator) -> Traits:
    """A galaxy of a kind."""
    log_mass = float(rng.uniform(*_MASSES[kind]))
    spread = bool(rng.random() < 0.5)
    size = relations.early_radius(log_mass) if kind in EARLY else relations.late_radius(log_mass)
    thickness = {"elliptical": 0.5, "lenticular": 0.25, "irregular": 0.4, "simulated": 0.3}.get(
        kind, 0.12
    )
    cosine = rng.uniform(0.15, 1.0)
    oxygen = relations.gas_oxygen(log_mass) + rng.normal(0, 0.1)
    metals = relations.stellar_metals(log_mass) + (0.2 if kind in EARLY else 0.1)
    start = float(rng.uniform(7, 13) if kind in EARLY else np.exp(rng.uniform(*np.log(_STARTS))))
    factor = rng.normal(*relations.CLUMPED)
    return Traits(
        kind=kind,
        log_mass=log_mass,
        sfr=float(10 ** _log_rate(kind, log_mass, rng)),
        size=float(size * 10 ** rng.normal(0, 0.12)),
        axis_ratio=float(np.sqrt(thickness**2 + (1 - thickness**2) * cosine**2)),
        thickness=thickness,
        oxygen=float(oxygen),
        oxygen_gradient=float(rng.normal(*relations.OXYGEN_GRADIENT)),
        metals=float(np.log10(0.02) + metals + rng.normal(0, 0.15)),
        metals_gradient=float(rng.normal(-0.1, 0.08)),
        start=start,
        falling=float(rng.uniform(4, 12) if kind in EARLY else rng.uniform(1.0, 3.5)),
        rising=float(rng.uniform(0.5, 3.0)),
        age=float(start * rng.uniform(0.65, 0.9)),
        age_gradient=float(rng.normal(-0.4, 0.4)),
        burst=float(10 ** rng.uniform(-2.5, -1.2) if rng.random() < 0.4 else 0.0),
        burst_gyr=float(rng.uniform(0.3, 1.5)),
        geometry=_geometry(kind, spread, rng),
        cloud_tau=float(0.8 * 10 ** (1.0 * (oxygen - 8.69) + rng.normal(0, 0.2))),
        opacity=float(relations.OPACITY_V * 10**factor),
        dust=_dust(kind, rng),
        dust_spread=spread,
        hot=float(rng.uniform(0.2, 0.6)),
        leak=float(rng.uniform(0.1, 0.5)),
        pah=float(10 ** rng.normal(-0.12, 0.12)),
        sersic=float(rng.uniform(2, 6) if kind == "elliptical" else rng.uniform(0.8, 4)),
        bulge=_bulge(kind, log_mass, rng),
        break_radius=float(rng.uniform(1.8, 3.5)),
        outer_scale=float(rng.choice([1.0, 0.5, 1.6], p=[0.2, 0.5, 0.3])),
        curve=_curve(kind, rng),
        shells=np.array([0.07, 0.04]) * 10 ** rng.normal(0, 0.15),
    )


def _log_rate(kind: str, log_mass: float, rng: np.random.Generator) -> float:
    if kind == "elliptical":
        return log_mass + float(rng.uniform(-13.2, -11.9))
    if kind == "lenticular":
        return log_mass + float(rng.uniform(-12.2, -11.1))
    sequence = float(relations.main_sequence(log_mass))
    if kind == "simulated":
        return sequence + float(rng.uniform(-0.5, 0.5))
    below = -0.2 if kind == "irregular" else -0.7 if rng.random() < 0.1 else 0.0
    return sequence + below + float(rng.normal(0, 0.35))


def _bulge(kind: str, log_mass: float, rng: np.random.Generator) -> float:
    if kind in ("elliptical", "irregular", "simulated"):
        return 0.0
    if kind == "lenticular":
        return float(rng.uniform(0.2, 0.6))
    return float(rng.uniform(0.0, 0.15) + 0.15 * np.clip(log_mass - 9.8, 0, 1.2))


def _dust(kind: str, rng: np.random.Generator) -> float:
    if kind in EARLY:
        return float(rng.normal(*relations.DUST_OF_EARLY[kind]))
    return float(10 ** rng.normal(0.05, 0.2))


def _geometry(kind: str, spread: bool, rng: np.random.Generator) -> Geometry:
    """Shares drawn about what suits the kind."""
    about = {
        "elliptical": (1, 0.2, 6), "lenticular": (3, 1, 5), "irregular": (4, 2, 3),
    }.get(kind, (5, 2, 1.5))  # fmt: skip
    if kind == "elliptical" and spread:
        return Geometry(1.0, 0.0, 0.0, flat=False)
    mixed, behind, halved = (float(share) for share in rng.dirichlet(about))
    return Geometry(mixed, behind, halved, flat=kind != "irregular")


def _curve(kind: str, rng: np.random.Generator) -> np.ndarray:
    """The bar of the Small Magellanic Cloud for dwarfs and some others; else a slope and a bump
    (Salim+ 2018: steeper than Calzetti's, bumps to 3 and more).
    """
    if rng.random() < (0.7 if kind == "irregular" else 0.15):
        return small_magellanic(MIDDLES_UM)
    return modified_calzetti(MIDDLES_UM, rng.normal(-0.35, 0.2), rng.uniform(0, 3.5))
