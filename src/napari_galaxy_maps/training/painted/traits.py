"""What painted galaxies are made of: mass, size, histories, metals, dust and gas, drawn widely or
by the relations of real galaxies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...mocks import relations
from .histories import draw_usual, draw_wide

SOLAR_STARS = 0.02
"""Metallicity by which those of stars are counted (Bruzual & Charlot 2003)."""
LOG_METALS = (-2.0, 0.4)
"""log10 of the range of metallicities over `SOLAR_STARS`: 1/100 to 2.5."""


@dataclass(frozen=True)
class Traits:
    """A galaxy to be painted.

    Attributes
    ----------
    usual : bool
        Whether it was drawn by the relations.
    log_mass : float
        log10 of the stars that survive, Msun.
    r_half : float
        kpc.
    spheroid : float
        The spheroid's share of the mass.
    histories : ndarray, shape (4, n_cells)
        As `histories.draw_wide`.
    border, softness, patches : float
        Radius in half-mass radii at which outside takes over from inside, over what width, and
        share of the disc that its patches may cover.
    metals : ndarray, shape (3,)
        log10 of the metallicity over `SOLAR_STARS` of old disc, young disc and spheroid at the
        half-mass radius.
    gradient, unrest : float
        Of the metallicity, dex per half-mass radius, and scatter from place to place in dex.
    tau : float
        Optical depth at V through the galaxy, on the average of its stars.
    screen, even, before : float
        Shares of the dust that lies before the stars, that is even, and of what the youngest
        stars have before them.
    slope, bump, cloud : float
        Of the dust's curve, and the optical depth at V of the clouds about stars under 10 Myr.
    leak : float
        Share of the ionising photons that light no gas: dust takes some, or they get away.
    depletion, log_hi : float
        log10 of molecular gas over star formation rate in yr, and of the HI mass in Msun less
        `relations.hi_mass`.
    """

    usual: bool
    log_mass: float
    r_half: float
    spheroid: float
    histories: np.ndarray
    border: float
    softness: float
    patches: float
    metals: np.ndarray
    gradient: float
    unrest: float
    tau: float
    screen: float
    even: float
    before: float
    slope: float
    bump: float
    cloud: float
    leak: float
    depletion: float
    log_hi: float


def draw_traits(
    rng: np.random.Generator, usual: bool, oldest: float, log_mass: float | None = None
) -> Traits:
    """Draw a galaxy.

    Parameters
    ----------
    rng : Generator
    usual : bool
        By the relations (`mocks.relations`); else without any.
    oldest : float
        Gyr since the universe began.
    log_mass : float, optional
        By default drawn evenly.
    """
    if log_mass is None:
        log_mass = float(rng.uniform(8.6, 11.5) if usual else rng.uniform(7.8, 11.9))
    log_mass = float(np.clip(log_mass, 7.0, 12.0))
    return _usual(rng, log_mass, oldest) if usual else _wide(rng, log_mass, oldest)


def _wide(rng: np.random.Generator, log_mass: float, oldest: float) -> Traits:
    size = relations.early_size(log_mass) if rng.uniform() < 0.4 else relations.late_size(log_mass)
    kind = rng.uniform()
    spheroid = 0.0 if kind < 0.35 else 1.0 if kind < 0.5 else float(rng.uniform(0, 0.8))
    old = rng.uniform(*LOG_METALS) if rng.uniform() < 0.35 else rng.normal(-0.05, 0.3)
    offset = rng.normal(0.05, 0.15, 2)
    tau = 0.0 if rng.uniform() < 0.3 else float(min(10 ** rng.normal(-0.6, 0.5), 3.5))
    return Traits(
        usual=False, log_mass=log_mass, r_half=float(size) * 10 ** rng.normal(0.1, 0.25),
        spheroid=spheroid, histories=draw_wide(rng, oldest),
        border=rng.uniform(0.3, 2.0), softness=10 ** rng.uniform(-1, 0.2),
        patches=max(0.0, rng.uniform(-0.5, 0.6)),
        metals=np.clip([old, old + offset[0], old + offset[1]], *LOG_METALS),
        gradient=rng.normal(-0.1, 0.15), unrest=abs(rng.normal(0, 0.08)),
        tau=tau, screen=rng.uniform(), even=rng.uniform(), before=rng.uniform(),
        slope=rng.uniform(-1.6, -0.6), bump=max(0.0, rng.normal(0.5, 0.5)),
        cloud=float(10 ** rng.normal(-0.1, 0.3)),
        leak=1.0 if rng.uniform() < 0.25 else rng.uniform(0, 0.6),
        depletion=rng.normal(9.34, 0.35), log_hi=rng.normal(0, 0.45),
    )  # fmt: skip


def _usual(rng: np.random.Generator, log_mass: float, oldest: float) -> Traits:
    histories, quiescent = draw_usual(rng, log_mass, oldest)
    size = relations.early_size(log_mass) if quiescent else relations.late_size(log_mass)
    median, scatter = (float(x) for x in relations.stellar_metals(log_mass))
    old = median + scatter * rng.standard_normal()
    oxygen = float(relations.gas_oxygen(log_mass)) + rng.normal(0, 0.1)
    young = oxygen - relations.SOLAR_OH + np.log10(relations.SOLAR_Z / SOLAR_STARS)
    bulge = 0.08 + 0.13 * (log_mass - 9.5) + 0.12 * rng.standard_normal()
    if quiescent:
        spheroid = 1.0 if rng.uniform() < 0.45 else rng.uniform(0.3, 0.8)
    else:
        spheroid = float(np.clip(bulge, 0, 0.6)) * (log_mass > 9.3)
    dim = -0.35 + 0.3 * (log_mass - 10.3) - (0.9 if quiescent else 0.0)
    below = -1.5 if quiescent else 0.0
    return Traits(
        usual=True, log_mass=log_mass,
        r_half=float(size) * float(np.exp(relations.size_scatter(log_mass) * rng.normal())) * 1.3,
        spheroid=float(spheroid), histories=histories, border=rng.uniform(0.4, 1.5),
        softness=10 ** rng.uniform(-0.7, 0.2), patches=max(0.0, rng.uniform(-0.3, 0.4)),
        metals=np.clip([old, max(young, old - 0.1), old + 0.1], *LOG_METALS),
        gradient=rng.normal(-0.1, 0.05), unrest=0.03,
        tau=float(min(10 ** (dim + 0.3 * rng.standard_normal()), 3.0)), screen=rng.uniform(0, 0.6),
        even=rng.uniform(0, 0.5), before=rng.uniform(0.2, 0.8), slope=rng.normal(-1.15, 0.15),
        bump=max(0.0, rng.normal(0.8, 0.5)),
        cloud=float(0.7 * 10 ** (0.2 * rng.standard_normal() + min(0.8 * young, 0.1))),
        leak=1.0 if rng.uniform() < 0.1 else rng.uniform(0, 0.6),
        depletion=rng.normal(9.34, 0.25), log_hi=below + rng.normal(0, 0.3),
    )  # fmt: skip
