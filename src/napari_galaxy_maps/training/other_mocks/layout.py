"""Where a galaxy's stars, gas and metals lie: maps at any points of the sky."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from . import patterns, relations
from .histories import Histories
from .traits import Traits

_EARLY_GAS = {"elliptical": 0.4, "lenticular": 0.8}
"""Scale of the dust disc of early types in half-mass radii."""
FORMED = 0.6
"""Mass of old stars over what formed (Bruzual & Charlot 2003, Chabrier)."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Maps at some points; surface densities are of the sky, per kpc2.

    Attributes
    ----------
    radius : ndarray
        In the galaxy's plane, kpc.
    old : ndarray
        Msun of old stars today.
    place : ndarray
        Of their history, along `Histories`.
    log_z : ndarray
        log10 of their metallicity.
    young, recent : ndarray
        Star formation over 10 Myr, and before that over 200 Myr, Msun/yr.
    burst : ndarray
        Msun formed in the burst.
    dust : ndarray
        Msun of Draine & Li's dust.
    oxygen : ndarray
        12 + log(O/H) of the gas.
    """

    radius: np.ndarray
    old: np.ndarray
    place: np.ndarray
    log_z: np.ndarray
    young: np.ndarray
    recent: np.ndarray
    burst: np.ndarray
    dust: np.ndarray
    oxygen: np.ndarray


class Shape(Protocol):
    """What says where everything lies in one galaxy.

    Attributes
    ----------
    known_to : float
        Distance from the centre in kpc up to which it says so.
    """

    known_to: float

    def at(self, x: np.ndarray, y: np.ndarray) -> Layout:
        """Maps at places in kpc from the centre, x along the major axis."""
        ...


class DrawnShape:
    """A galaxy of profiles and patterns; each call with the same seed gives the same galaxy.

    Parameters
    ----------
    traits : Traits
    histories : Histories
    seed : int
    """

    def __init__(self, traits: Traits, histories: Histories, seed: int) -> None:
        self.traits = traits
        self.histories = histories
        self.known_to = np.inf
        self._seed = seed
        rng = np.random.default_rng(seed)
        side = 12 * traits.size
        self._coarse = patterns.Tile(rng, side, -2.4, 0.08 * traits.size)
        self._fine = patterns.Tile(rng, max(side / 3, 6.0), -1.6, 0.05)

    def at(self, x: np.ndarray, y: np.ndarray) -> Layout:
        """Maps at places in kpc from the centre, x along the major axis."""
        traits, q = self.traits, self.traits.axis_ratio
        radius, angle = np.hypot(x, y / q), np.arctan2(y / q, x)
        stars, round_ = self._stars(radius, x, y)
        # gas of early types lies in a thin disc
        gas_q = traits.face_on if traits.early else q
        gas_radius = np.hypot(x, y / gas_q)
        rate, shape = self._star_formation(gas_radius, angle, x, y / gas_q)
        pattern = self._patterns(x, y / q)
        mass = 10**traits.log_mass * (1 - traits.burst * FORMED)
        young, recent = (
            traits.sfr * rate * shape * pattern[k] / gas_q for k in ("young", "recent")
        )
        smooth = traits.sfr * rate / gas_q
        old = mass * (stars + round_)
        size = radius / traits.size
        reach = radius / (3.2 * traits.size / 1.678)
        oxygen = traits.oxygen + traits.oxygen_gradient * (np.clip(reach, 0, 2) - 0.5)
        if traits.early:
            dust = self._early_dust(radius, gas_radius, pattern["gas"])
        else:
            gas = relations.schmidt_gas(smooth * q) * (0.4 + 0.6 * shape) * pattern["gas"]
            gas += 3e6 * np.exp(-radius / (2 * traits.size))
            dust = traits.dust * gas / q * relations.dust_to_gas(oxygen)
        middle = np.exp(-size) / (2 * np.pi * traits.size**2) / q
        return Layout(
            radius=radius,
            old=old,
            place=self._place(old, mass * round_, smooth, size),
            log_z=traits.metals + traits.metals_gradient * (np.clip(size, 0, 4) - 1),
            young=young,
            recent=recent,
            burst=10**traits.log_mass * traits.burst * middle,
            dust=dust,
            oxygen=oxygen,
        )

    def _stars(self, radius: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
        """Shares of the mass per kpc2 of sky in the disc and in what is round."""
        traits, q = self.traits, self.traits.axis_ratio
        if traits.kind == "elliptical":
            return np.zeros_like(radius), patterns.sersic(radius, traits.size, traits.sersic) / q
        scale = traits.size / 1.678
        disc = patterns.broken_disc(radius, scale, traits.break_radius, traits.outer_scale) / q
        flattened = max(q, 0.65)
        bulge = patterns.sersic(np.hypot(x, y / flattened), 0.25 * traits.size, traits.sersic)
        return (1 - traits.bulge) * disc, traits.bulge * bulge / flattened

    def _star_formation(
        self, radius: np.ndarray, angle: np.ndarray, x: np.ndarray, y: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The smooth rate per kpc2 of plane, of unit sum, and the factor of its pattern."""
        traits = self.traits
        rng = np.random.default_rng(self._seed + 1)
        scale = traits.size / 1.678
        if traits.early:  # within the dust
            extent = _EARLY_GAS[traits.kind] * traits.size
            return patterns.broken_disc(radius, 0.8 * extent, 3.0, 0.7), np.ones_like(radius)
        smooth = patterns.broken_disc(
            radius, rng.uniform(1.0, 1.3) * scale, traits.break_radius, traits.outer_scale
        )
        if traits.kind == "ring":
            at, width = rng.uniform(0.8, 1.6) * traits.size, rng.uniform(0.1, 0.25) * traits.size
            share = rng.uniform(0.4, 0.75)
            return share * patterns.ring(radius, at, width) + (1 - share) * smooth, np.ones_like(
                radius
            )
        if traits.kind == "density wave":
            wave = patterns.density_wave(radius, angle, rng, scale)
            strength = rng.uniform(0.5, 1.1)
            return smooth, np.exp(1.6 * strength * wave) / np.exp(0.6 * strength**2)
        if traits.kind == "irregular":
            clumped = patterns.clumps(x, y, rng, scale)
            share = rng.uniform(0.4, 0.75)
            return smooth, share * clumped / smooth + 1 - share
        return smooth, np.ones_like(radius)

    def _patterns(self, x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
        """Lognormal factors of mean 1: the younger, the stronger and finer."""
        coarse, fine = self._coarse.at(x, y), self._fine.at(x, y)
        strength = 0.3 if self.traits.early else 1.0
        made = {}
        for name, a, b in (("young", 0.5, 0.9), ("recent", 0.5, 0.3), ("gas", 0.4, 0.3)):
            a, b = a * strength, b * strength
            made[name] = np.exp(a * coarse + b * fine - (a**2 + b**2) / 2)
        return made

    def _early_dust(
        self, radius: np.ndarray, gas_radius: np.ndarray, pattern: np.ndarray
    ) -> np.ndarray:
        """A disc of its own, or as the stars lie."""
        traits, q = self.traits, self.traits.axis_ratio
        total = 10 ** (traits.log_mass + traits.dust)
        if traits.kind == "elliptical" and traits.dust_spread:
            return total * patterns.sersic(radius, traits.size, traits.sersic) / q
        scale = _EARLY_GAS[traits.kind] * traits.size
        disc = patterns.broken_disc(gas_radius, scale, 3.0, 0.7)
        return np.asarray(total * disc * pattern / traits.face_on)

    def _place(
        self, old: np.ndarray, round_: np.ndarray, rate: np.ndarray, size: np.ndarray
    ) -> np.ndarray:
        """Histories: what is round is old; a disc's end with the rate of today."""
        traits = self.traits
        aged = traits.age + traits.age_gradient * (np.clip(size, 0, 3) - 1)
        of_age = self.histories.of_age(aged)
        if traits.early:
            return of_age
        disc = np.maximum(old - round_, 1e-12)
        of_rate = self.histories.of_rate(np.log10(FORMED * np.maximum(rate, 1e-20) / disc))
        share = round_ / np.maximum(old, 1e-12)
        return np.asarray(share * of_age + (1 - share) * of_rate)
