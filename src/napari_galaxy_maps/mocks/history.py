"""Stars by age: how much formed when, with which metals, and the light that they give in every
band.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from ..sed import tables
from .population import EARLY, MockGalaxy
from .relations import SOLAR_OH, SOLAR_Z

AGE_EDGES_GYR = np.array([0, 0.003, 0.01, 0.03, 0.1, 0.3, 0.6, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 13.5])
"""Edges of the age bins; within one, stars formed at a constant rate."""
AGES_GYR = (AGE_EDGES_GYR[1:] + AGE_EDGES_GYR[:-1]) / 2
_WIDTH_YR = np.diff(AGE_EDGES_GYR) * 1e9
YOUNG = AGE_EDGES_GYR[1:] <= 0.1
"""Bins whose stars count for the star formation rate over 100 Myr."""
BIRTH = AGE_EDGES_GYR[1:] <= 0.01
"""Bins whose stars still lie in the clouds that they formed from (Charlot & Fall 2000)."""
_TAU_GYR = np.concatenate([np.geomspace(0.4, 30, 60), -np.geomspace(30, 3, 20)])


@dataclass(frozen=True, eq=False)
class Populations:
    """What stars of each age bin and metallicity are, per Msun formed.

    Attributes
    ----------
    bands : tuple of str
    light : ndarray, shape (n_ages, 6, n_bands)
        Lsun/Hz of the stars.
    bins : ndarray, shape (n_ages, 6, n_bins)
        Lsun of the stars by bin of wavelength.
    bin_um : ndarray, shape (n_bins,)
    bolometric, ionising, photons, surviving : ndarray, shape (n_ages, 6)
        Lsun, Lsun, 1/s, Msun.
    gas : ndarray, shape (n_oh, n_bands + n_bins)
        Lsun/Hz by band and Lsun by bin of ionised gas per ionising photon per second.
    """

    bands: tuple[str, ...]
    light: np.ndarray
    bins: np.ndarray
    bin_um: np.ndarray
    bolometric: np.ndarray
    ionising: np.ndarray
    photons: np.ndarray
    surviving: np.ndarray
    gas: np.ndarray


@lru_cache(maxsize=1)
def _by_bin() -> dict[str, np.ndarray]:
    """The tables averaged over each age bin, ages before metallicities."""
    table = tables.star_table()
    weights = np.array([
        table.age_weights(a * 1e9, b * 1e9) for a, b in pairwise(AGE_EDGES_GYR)
    ])  # fmt: skip
    names = ("stars_bins", "bolometric", "ionising", "photons", "surviving")
    found = {name: np.tensordot(weights, getattr(table, name), ((1,), (1,))) for name in names}
    found["stars"] = np.einsum("at,zmtb->zamb", weights, table.stars)
    return found


@lru_cache(maxsize=64)
def populations(bands: tuple[str, ...], redshift: float) -> Populations:
    """The populations in some bands at a redshift.

    Raises
    ------
    InputError
        When the redshift lies beyond the tables.
    """
    table, found = tables.star_table(), _by_bin()
    columns = [table.bands.index(band) for band in bands]
    light = tables.at_redshift(found["stars"], table.redshift, redshift)[..., columns]
    gas = tables.at_redshift(table.gas, table.gas_redshift, redshift)[..., columns]
    return Populations(
        bands, light, found["stars_bins"], table.bin_um, found["bolometric"], found["ionising"],
        found["photons"],
        found["surviving"], np.hstack([gas, table.gas_bins]),
    )  # fmt: skip


def formed(galaxy: MockGalaxy) -> tuple[np.ndarray, np.ndarray]:
    """Mass formed in each age bin by disc and spheroid, Msun, each shape (n_ages,).

    The disc follows t exp(-t / tau), tau such that the rate today and the mass are the galaxy's; a
    burst or a lull lasted 100 Myr. Spheroids of spirals are old. Masses are counted as survived at
    the Sun's metallicity.
    """
    survived = _by_bin()["surviving"][:, 4]
    mass, sfr = 10**galaxy.log_mass, 10**galaxy.log_sfr
    old = delayed(0.5 * (galaxy.start + 12.0), 1.0, 0.0)
    early = galaxy.kind in EARLY
    if early:
        spheroid = delayed(
            galaxy.start, 0.35 + 0.12 * max(0.0, 11.2 - galaxy.log_mass), galaxy.quench
        )
        disc = delayed(galaxy.start, 0.6 + 0.25 * max(0.0, 11.2 - galaxy.log_mass), galaxy.quench)
    else:
        spheroid = old
        disc_mass, smooth = mass * (1 - galaxy.bulge), sfr / 10**galaxy.burst
        if galaxy.quench > 0:
            smooth *= 8.0  # before it began to cease
        trial = _trials(round(galaxy.start, 1))
        rate = trial[:, -0] / _WIDTH_YR[0]
        specific = rate / (trial @ survived)
        k = int(np.argmin(np.abs(np.log(specific * disc_mass / smooth))))
        disc = trial[k].copy()
        if galaxy.quench > 0:
            disc[galaxy.quench > AGES_GYR] *= 0.3
    bulge_mass = mass * galaxy.bulge
    spheroid = spheroid * (bulge_mass / (spheroid @ survived))
    disc = (
        disc * (mass * (1 - galaxy.bulge) / (disc @ survived))
        if galaxy.bulge < 1
        else np.zeros_like(disc)
    )
    # The youngest stars are those that the star formation rate says.
    target = spheroid if galaxy.bulge == 1 else disc
    spheroid[YOUNG] = 0
    disc[YOUNG] = 0
    target[YOUNG] = sfr * _WIDTH_YR[YOUNG]
    return disc, spheroid


@lru_cache(maxsize=128)
def _trials(start: float) -> np.ndarray:
    return np.array([delayed(start, tau, 0.0) for tau in _TAU_GYR])


def delayed(start: float, tau: float, quench: float) -> np.ndarray:
    """Mass by age bin of a delayed exponential history that began `start` Gyr ago and ended
    `quench` Gyr ago.
    """
    inner = (np.arange(20) + 0.5) / 20
    age = AGE_EDGES_GYR[:-1, None] + np.diff(AGE_EDGES_GYR)[:, None] * inner
    time = start - age
    rate = np.where(
        (time > 0) & (age >= quench), np.maximum(time, 0) * np.exp(-time / tau), 0
    ).mean(1)
    return np.asarray(rate * _WIDTH_YR / (rate @ _WIDTH_YR))


def metals(
    galaxy: MockGalaxy, radius: np.ndarray, mass: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Metallicity of stars by radius and age, and the oxygen of the gas by radius.

    Parameters
    ----------
    radius : ndarray, shape (n_r,)
        In effective radii.
    mass : ndarray, shape (n_ages,)
        Formed in each age bin, by which the mean is weighted.

    Returns
    -------
    metallicity : ndarray, shape (n_r, n_ages)
        Mass fraction: that of the gas for the youngest, and falling or rising with age such that
        the mean at one effective radius is the galaxy's.
    oxygen : ndarray, shape (n_r,)
        12 + log(O/H).
    """
    reach = np.minimum(radius, 2.5) - 1  # gradients flatten beyond (Sanchez+ 2014)
    oxygen = np.clip(galaxy.oxygen + galaxy.oxygen_gradient * reach, 7.6, 9.0)
    young = np.log10(SOLAR_Z) + oxygen - SOLAR_OH
    old = np.log10(0.02) + galaxy.star_metals + galaxy.star_gradient * reach
    mean_age = float(mass @ AGES_GYR / mass.sum())
    slope = (old - young) / max(mean_age, 1.0)
    log_z = young[:, None] + slope[:, None] * np.minimum(AGES_GYR, 1.5 * mean_age)
    return np.asarray(10 ** np.clip(log_z, np.log10(2e-4), np.log10(0.05))), oxygen


def interpolate(table: np.ndarray, metallicity: np.ndarray) -> np.ndarray:
    """A table per age bin and metallicity at some metallicities.

    Parameters
    ----------
    table : ndarray, shape (n_ages, 6, ...)
    metallicity : ndarray, shape (n_r, n_ages)

    Returns
    -------
    ndarray, shape (n_r, n_ages, ...)
        Linear in log10 of the metallicity.
    """
    grid = np.log10(tables.star_table().metallicity)
    at = np.clip(
        np.interp(np.log10(metallicity), grid, np.arange(len(grid))), 0, len(grid) - 1 - 1e-9
    )
    low = at.astype(int)
    part = (at - low).reshape(at.shape + (1,) * (table.ndim - 2))
    ages = np.arange(table.shape[0])
    return np.asarray(table[ages, low] * (1 - part) + table[ages, low + 1] * part)
