"""What a mock galaxy is: its kind, mass and all that follows from them, drawn from published
relations.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..exceptions import InputError
from . import relations
from .view import INCLINATION, LOG_MASS

KINDS: tuple[str, ...] = (
    "elliptical", "lenticular", "spiral", "flocculent", "barred", "ring", "irregular",
    "interacting",
)  # fmt: skip
"""Kinds of mock galaxies."""
EARLY = ("elliptical", "lenticular")


@dataclass(frozen=True)
class MockGalaxy:
    """A mock galaxy, before anybody looks at it.

    Attributes
    ----------
    seed : int
        Of everything drawn for it, its texture included.
    kind : str
        One of `KINDS`.
    log_mass, log_sfr : float
        log10 of the stellar mass that survives (Msun, Chabrier IMF) and of the star formation rate
        over 100 Myr (Msun/yr).
    burst : float
        log10 of the rate over the last 100 Myr to that of the smooth history.
    start, quench : float
        Age in Gyr of its first stars; time in Gyr over which its star formation has been ceasing
        (0: it has not).
    r_e : float
        Half-mass radius of the disc (of the spheroid, for an elliptical) in kpc.
    bulge, bulge_r_e, bulge_n, bulge_axis : float
        The spheroid's share of the mass, half-mass radius in kpc, Sersic index, and axis ratio seen
        edge-on.
    growth : float
        Scale length of the youngest stars over that of the oldest.
    thickness : float
        Scale height of the old disc over its scale length.
    truncation : float
        Radius in scale lengths beyond which the disc falls steeper.
    oxygen, oxygen_gradient : float
        12 + log(O/H) of the gas at one effective radius, and its gradient in dex per effective
        radius.
    star_metals, star_gradient : float
        log10 of the stars' metallicity over 0.02 at half their mass, and its gradient in dex per
        effective radius.
    log_hi, log_h2 : float
        log10 of the HI mass, and of the molecular mass with helium, Msun.
    dust_slope, dust_bump : float
        Slope of the dust's optical depth with wavelength, and height of its 2175 Angstrom bump in
        units of that at V.
    cloud_tau : float
        Optical depth at V of the clouds in which stars younger than 10 Myr lie.
    qhac : float
        Mass fraction of the dust's small grains.
    arms, arm_strength, pitch, bar, bar_length, ring_radius, flocculence, lopsided : float
        Number of arms; their strength; pitch angle in degrees; the bar's strength and length;
        radius of a ring of young stars (0: none), both in scale lengths; strength of irregular
        structure; strength of a one-sided disturbance.
    inclination, position_angle : float
        Degrees; the latter from the image's second axis to its left (north to east).
    """

    seed: int
    kind: str
    log_mass: float
    log_sfr: float
    burst: float
    start: float
    quench: float
    r_e: float
    bulge: float
    bulge_r_e: float
    bulge_n: float
    bulge_axis: float
    growth: float
    thickness: float
    truncation: float
    oxygen: float
    oxygen_gradient: float
    star_metals: float
    star_gradient: float
    log_hi: float
    log_h2: float
    dust_slope: float
    dust_bump: float
    cloud_tau: float
    qhac: float
    arms: int
    arm_strength: float
    pitch: float
    bar: float
    bar_length: float
    ring_radius: float
    flocculence: float
    lopsided: float
    inclination: float
    position_angle: float

    @property
    def scale_length(self) -> float:
        """Of the disc, kpc."""
        return self.r_e / 1.678

    def as_dict(self) -> dict[str, Any]:
        """The attributes by name."""
        return asdict(self)


def draw_galaxy(
    seed: int,
    kind: str | None = None,
    log_mass: float | None = None,
    inclination: float | None = None,
) -> MockGalaxy:
    """Draw a galaxy.

    Parameters
    ----------
    seed : int
        The same seed and choices give the same galaxy.
    kind : str, optional
        One of `KINDS`; by default drawn, with the share of quiescent galaxies rising with mass.
    log_mass : float, optional
        log10 of the stellar mass in Msun; by default drawn evenly between 8.6 and 11.4.
    inclination : float, optional
        Degrees; by default as seen from any direction alike.

    Raises
    ------
    InputError
        When the seed is negative or there is no such kind.
    RecipeError
        When the mass or inclination is out of range.
    """
    _check(seed, kind, log_mass, inclination)
    rng = np.random.default_rng([seed, 0x6A1])
    mass = rng.uniform(8.6, 11.4)
    mass = mass if log_mass is None else log_mass
    drawn = _draw_kind(rng, mass)
    kind = drawn if kind is None else kind
    # All numbers are drawn before any is used, so that a galaxy of a seed stays the same whatever
    # its kind is made of.
    normal = rng.standard_normal(24)
    uniform = rng.uniform(size=24)
    early, small = kind in EARLY, kind == "irregular"
    stars = _star_formation(kind, mass, normal, uniform)
    cosine = uniform[15] if inclination is None else np.cos(np.radians(inclination))
    return MockGalaxy(
        seed=seed,
        kind=kind,
        log_mass=float(mass),
        **stars,
        **_sizes(kind, mass, normal, uniform),
        growth=1.1 if early else float(np.clip(1.35 + 0.15 * normal[17], 1.0, 1.8)),
        thickness=float(np.clip((0.3 if small else 0.13) * 10 ** (0.1 * normal[18]), 0.07, 0.45)),
        truncation=float(np.clip(3.0 + 0.8 * normal[19], 1.8, 5.0)),
        **_gas_and_metals(kind, mass, stars["log_sfr"], stars["burst"], normal),
        dust_slope=float(np.clip(-1.15 + 0.15 * normal[22], -1.5, -0.7)),
        dust_bump=float(max(0.0, 0.8 + 0.5 * normal[23])),
        **_draw_structure(kind, mass, uniform[5:14], normal[12:16]),
        inclination=float(np.degrees(np.arccos(np.clip(cosine, 0, 1)))),
        position_angle=float(180 * uniform[16]),
    )


def _check(seed: int, kind: str | None, log_mass: float | None, inclination: float | None) -> None:
    """Raise `InputError` where what is asked of a galaxy makes no sense."""
    if seed < 0:
        raise InputError(
            f"The seed {seed} of a mock galaxy is negative; choose 0 or a positive whole number."
        )
    if kind is not None and kind not in KINDS:
        raise InputError(
            f"There is no kind of mock galaxy called {kind!r}; there are {', '.join(KINDS)}."
        )
    if log_mass is not None:
        LOG_MASS.check(log_mass, "A mock galaxy's log mass")
    if inclination is not None:
        INCLINATION.check(inclination, "A mock galaxy's inclination")


def _lasting_offset(normal: np.ndarray) -> float:
    """How far above the main sequence a galaxy has been for billions of years, dex."""
    return float(0.25 * normal[0])


def _star_formation(
    kind: str, mass: float, normal: np.ndarray, uniform: np.ndarray
) -> dict[str, Any]:
    """The present rate of star formation and what its history was."""
    burst = 0.17 * normal[1] + (0.25 if kind == "interacting" else 0.0)
    log_sfr = float(relations.main_sequence(mass)) + _lasting_offset(normal) + burst
    quench = 0.0
    start = 5.0 + 5.0 * uniform[2] + 0.8 * (mass - 10)
    if kind in EARLY:
        log_sfr = mass - (12.1 if kind == "elliptical" else 11.6) + 0.4 * normal[0]
        burst = 0.0
        quench = 1.0 + 3 * uniform[0]
        start = 11.4 - 4.3 * uniform[2] - 0.6 * (11.4 - mass)
    elif uniform[0] < 0.08:  # the green valley
        quench = 0.3 + 1.2 * uniform[1]
        log_sfr -= 0.9 + 0.3 * normal[2]
    return {
        "log_sfr": float(log_sfr), "burst": float(burst), "start": float(start),
        "quench": float(quench),
    }  # fmt: skip


def _sizes(kind: str, mass: float, normal: np.ndarray, uniform: np.ndarray) -> dict[str, Any]:
    """Sizes of disc and spheroid, and the spheroid's share and shape."""
    early, elliptical = kind in EARLY, kind == "elliptical"
    if elliptical:
        bulge = 1.0
    elif early:
        bulge = float(np.clip(0.5 + 0.15 * normal[3], 0.2, 0.85))
    elif kind == "irregular" or mass < 9.3:
        bulge = 0.0 if uniform[3] < 0.7 else 0.05 * uniform[4]
    else:
        bulge = float(np.clip(0.08 + 0.13 * (mass - 9.5) + 0.10 * normal[3], 0.0, 0.6))
    size = relations.early_size(mass) if early else relations.late_size(mass)
    # Sizes are measured in circles, in which inclined discs look smaller, and beside a spheroid.
    r_e = float(size * np.exp(relations.size_scatter(mass) * (0.8 if early else 1.0) * normal[4]))
    r_e *= 1.1 if elliptical else 1.5 if early else 1.38
    bulge_r_e = r_e
    if not elliptical:
        share = np.clip(0.22 * np.exp(0.3 * normal[5]) * (1 + bulge), 0.08, 0.7)
        bulge_r_e = r_e * float(share)
    classical = early or mass > 10.6
    index = 2.8 + 1.4 * (mass - 10) if elliptical else 2.5 if classical else 1.3
    return {
        "r_e": r_e, "bulge": bulge, "bulge_r_e": bulge_r_e,
        "bulge_n": float(np.clip(index + 0.5 * normal[6], 0.8, 6)),
        "bulge_axis": float(np.clip(0.75 + 0.15 * normal[16], 0.4, 1.0)),
    }  # fmt: skip


def _gas_and_metals(
    kind: str, mass: float, log_sfr: float, burst: float, normal: np.ndarray
) -> dict[str, Any]:
    """Metals of stars and gas, the gas itself, and what of the dust follows from them."""
    early = kind in EARLY
    star_median, star_scatter = (float(x) for x in relations.stellar_metals(mass))
    star_metals = star_median - 0.03 + star_scatter * normal[7]
    above = 0.0 if early else 0.1 * (_lasting_offset(normal) + burst)
    oxygen = float(relations.gas_oxygen(mass)) + 0.07 * normal[8] - above
    # Galaxies off the main sequence have as much more or less gas, as far as fuel explains it.
    below = log_sfr - float(relations.main_sequence(mass))
    share = 0.9 if below < -0.6 else 0.4
    log_hi = float(relations.hi_mass(mass)) + share * below + 0.25 * normal[9]
    log_h2 = log_sfr + 9 + np.log10(relations.H2_DEPLETION_GYR) + 0.25 * normal[10]
    metals = np.clip(0.8 * (oxygen - relations.SOLAR_OH), -1.5, 0.1)
    cloud_tau = 0.7 * 10 ** (0.2 * normal[11]) * 10**metals
    # Half of the Milky Way's small grains, as the mid-infrared of DustPedia's galaxies asks; fewer
    # where metals are few.
    grains = np.clip(0.7 * min(oxygen - 8.6, 0.0) + 0.1 * normal[14], -0.8, 0.25)
    return {
        "oxygen": float(np.clip(oxygen, 7.7, 8.95)),
        "oxygen_gradient": float(relations.oxygen_gradient(mass) + 0.03 * normal[20]),
        "star_metals": float(np.clip(star_metals, -1.6, 0.35)),
        "star_gradient": float((-0.14 if early else -0.10) + 0.05 * normal[21]),
        "log_hi": float(log_hi), "log_h2": float(log_h2),
        "cloud_tau": float(cloud_tau), "qhac": float(0.08 * 10**grains),
    }  # fmt: skip


def _draw_kind(rng: np.random.Generator, mass: float) -> str:
    """A kind by its share at a mass; ellipticals and irregulars stand at the two ends."""
    share, which = rng.uniform(size=2)
    if share < relations.quiescent_fraction(mass):
        return (
            "elliptical" if which < np.clip(0.35 + 0.4 * (mass - 10.5), 0.2, 0.85) else "lenticular"
        )
    irregular = np.clip(0.55 - 0.5 * (mass - 8.6), 0.02, 0.6)
    if which < irregular:
        return "irregular"
    which = (which - irregular) / (1 - irregular)
    names, shares = (
        ("spiral", "barred", "flocculent", "interacting", "ring"),
        np.cumsum((0.34, 0.28, 0.24, 0.08, 0.06)),
    )
    return names[int(np.searchsorted(shares, which))] if which < shares[-1] else "spiral"


def _draw_structure(kind: str, mass: float, u: np.ndarray, n: np.ndarray) -> dict[str, Any]:
    """Arms, bar, ring and disorder of a kind from uniform and normal numbers."""
    arms = int(2 + (u[0] > 0.65) + (u[0] > 0.88))
    found: dict[str, Any] = {
        "arms": arms, "arm_strength": float(np.clip(0.9 + 0.25 * n[0], 0.3, 1.5)),
        "pitch": float(np.clip(21 - 3 * (mass - 10) + 5 * n[1], 9, 38)) * (1 if u[1] < 0.5 else -1),
        "bar": 0.0, "bar_length": float(0.7 + 0.8 * u[2]), "ring_radius": 0.0,
        "flocculence": float(0.5 + 0.25 * u[3]), "lopsided": float(0.12 * u[4]),
    }  # fmt: skip
    if kind == "elliptical":
        found.update(arm_strength=0.0, flocculence=0.3)
    elif kind == "lenticular":
        found.update(arm_strength=0.05, flocculence=0.25, bar=0.6 * float(u[5] < 0.4), lopsided=0.0)
    elif kind == "barred":
        found.update(
            bar=float(0.6 + 0.5 * u[5]),
            arms=2,
            ring_radius=float(found["bar_length"] * 1.1 * (u[6] < 0.3)),
        )
    elif kind == "flocculent":
        found.update(arm_strength=0.15, flocculence=float(0.75 + 0.3 * u[3]))
    elif kind == "ring":
        found.update(arm_strength=0.3, ring_radius=float(1.2 + 1.2 * u[5]))
    elif kind == "irregular":
        found.update(
            arm_strength=0.0,
            flocculence=float(0.9 + 0.4 * u[3]),
            lopsided=float(0.3 + 0.5 * u[4]),
            bar=0.5 * float(u[5] < 0.4),
        )
    elif kind == "interacting":
        found.update(
            arms=2,
            arm_strength=1.1,
            pitch=float(np.sign(found["pitch"]) * (24 + 12 * u[5])),
            lopsided=float(0.4 + 0.4 * u[4]),
        )
    return found
