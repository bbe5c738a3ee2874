"""Simulated galaxies (Illustris) painted with stellar populations of each pixel's metallicity and
of ages drawn about its own.

Their mass and metals are the simulation's. Its ages are uncertain and all alike (6 to 8 Gyr), so
that ages are drawn: the simulation's map of ages, brought to another mean and contrast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..other_mocks import attenuation, histories, patterns
from ..other_mocks.populations import MIDDLES_UM, Populations
from ..other_mocks.simulated import View, measured
from .scene import Scene
from .starlight import N_BANDS, PLANES, along, columns, delayed_tau, single_ages

HISTORIES = (
    "simple", "tau", "bursty", "dusty", "inside-out", "outside-in", "quenched", "dusty slab",
)  # fmt: skip
"""What pixels are painted with.

``simple``: one population of the pixel's age. ``tau``: a delayed exponential. ``bursty``: that and
one to three bursts in the last 2 Gyr, at the same times in the whole galaxy, stronger in some
places. ``dusty``: ``tau`` behind a screen of 0.4 mag in V. ``inside-out`` and ``outside-in``:
``tau`` of 2 to 4 Gyr with a gradient. ``quenched``: ``tau`` that ended 0.5 to 3 Gyr ago.
``dusty slab``: ``tau`` mixed evenly with clumped dust.
"""
SCREEN_MAG = 0.4
"""Of the uniform screen, in V."""
_MAG_OF_TAU = 2.5 / np.log(10)
_TAUS = np.array([1e-6, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0])
_LEAST_GYR = 0.35
_FAINTEST = 1e-5  # of the peak's mass: beyond, a pixel holds no particle


@dataclass(frozen=True, eq=False)
class Palette:
    """What a view's pixels are painted with.

    Attributes
    ----------
    populations : Populations
    redshift : float
    oldest : float
        Age of the universe there, Gyr.
    """

    populations: Populations
    redshift: float
    oldest: float

    def painted(
        self,
        weights: np.ndarray,
        age: np.ndarray,
        log_z: np.ndarray,
        passed: np.ndarray | float = 1.0,
    ) -> np.ndarray:
        """`PLANES` per Msun formed of pixels whose histories have some mean ages, or the only one
        that there is.

        Parameters
        ----------
        weights : ndarray, shape (n_histories, n_ages)
        age, log_z : ndarray, shape (n,)
            Gyr, and log10 of the mass fraction of metals.
        passed : ndarray, shape (N_BINS,), or float
            Share of the light that dust lets pass.

        Returns
        -------
        ndarray, shape (n, n_planes)
        """
        known = self.populations
        table = histories.mixed(columns(known, self.redshift, passed), weights)
        if len(table) == 1:
            return histories.at_metals(table[0], known.metallicity, log_z)
        place = along(known.age_yr, weights).of_age(age)
        return histories.at_history(table, known.metallicity, place, log_z)


def palette(populations: Populations, redshift: float) -> Palette:
    """What there is at a redshift."""
    from astropy.cosmology import Planck18

    return Palette(populations, redshift, float(Planck18.age(redshift).value))


def paint_view(view: View, history: str, paints: Palette, rng: np.random.Generator) -> Scene:
    """A view painted with one of `HISTORIES`.

    Parameters
    ----------
    view : View
    history : str
    paints : Palette
    rng : numpy.random.Generator
    """
    (row, column), _, _, half = measured(view.mass)
    there = view.mass > _FAINTEST * view.mass.max()
    y, x = np.nonzero(there)
    places = (x - column) / half, (y - row) / half
    own = view.ages[there] / view.mass[there]
    age = painted_ages(own / np.median(own), np.hypot(*places), history, paints.oldest, rng)
    log_z = np.log10(np.clip(view.metals[there] / view.mass[there], 1e-4, 0.05))
    made = _with_history(history, paints, age, log_z, places, rng)
    made *= (view.mass[there] / made[:, PLANES.index("star")])[:, None]
    planes = np.zeros((len(PLANES), *view.mass.shape), np.float32)
    planes[:, there] = made.T
    return Scene(planes, (row, column), half, paints.redshift)


def painted_ages(
    own: np.ndarray, radius: np.ndarray, history: str, oldest: float, rng: np.random.Generator
) -> np.ndarray:
    """Mean age of the stars of each pixel, Gyr.

    Parameters
    ----------
    own : ndarray, shape (n,)
        The simulation's, over their median.
    radius : ndarray, shape (n,)
        In R_half.
    history : str
    oldest : float
        Gyr.
    rng : numpy.random.Generator
    """
    if history in ("inside-out", "outside-in"):
        slope = rng.uniform(0.08, 0.2) * (-1 if history == "inside-out" else 1)  # dex per R_half
        mean = rng.uniform(2.0, 4.0)
        age = mean * own * 10 ** (slope * (np.clip(radius, 0, 3) - 0.7))
    else:
        age = oldest * rng.uniform(0.3, 0.75) * own ** rng.uniform(1.0, 2.0)
    return np.asarray(np.clip(age, _LEAST_GYR, 0.95 * oldest))


def _with_history(
    history: str,
    paints: Palette,
    age: np.ndarray,
    log_z: np.ndarray,
    places: tuple[np.ndarray, np.ndarray],
    rng: np.random.Generator,
) -> np.ndarray:
    """`PLANES` of pixels per Msun formed; `places` are in R_half."""
    ages = paints.populations.age_yr
    if history == "simple":
        return paints.painted(single_ages(ages), age, log_z)
    if history == "quenched":
        ended = min(rng.uniform(0.5, 3.0), 0.25 * paints.oldest)
        return paints.painted(delayed_tau(ages, paints.oldest, ended), age, log_z)
    smooth = delayed_tau(ages, paints.oldest)
    if history == "bursty":
        return _with_bursts(paints, smooth, age, log_z, places, rng)
    if history == "dusty":
        curve = attenuation.modified_calzetti(MIDDLES_UM, rng.uniform(-0.4, 0.2), rng.uniform(0, 3))
        return paints.painted(smooth, age, log_z, 10 ** (-0.4 * SCREEN_MAG * curve))
    if history == "dusty slab":
        curve = attenuation.modified_calzetti(MIDDLES_UM, rng.uniform(-0.4, 0.2), rng.uniform(0, 3))
        tau = rng.uniform(0.7, 2.5) * np.exp(_patches(places, 0.7, rng) - np.hypot(*places) / 2)
        return behind_slab(paints, smooth, age, log_z, curve, tau)
    return paints.painted(smooth, age, log_z)


def behind_slab(
    paints: Palette,
    weights: np.ndarray,
    age: np.ndarray,
    log_z: np.ndarray,
    curve: np.ndarray,
    tau: np.ndarray,
) -> np.ndarray:
    """`PLANES` of pixels whose stars are mixed with dust of optical depth `tau` at V, shape (n,),
    linear in it between some depths; other parameters are those of `Palette.painted`.
    """
    clear = paints.painted(weights, age, log_z)
    low = np.clip(np.searchsorted(_TAUS, tau, side="right") - 1, 0, len(_TAUS) - 2)
    share = np.clip((tau - _TAUS[low]) / np.diff(_TAUS)[low], 0, 1)
    light = np.zeros_like(clear[:, :N_BANDS])
    for k, depth in enumerate(_TAUS):
        weight = np.where(low == k, 1 - share, np.where(low == k - 1, share, 0))
        some = weight > 0
        if some.any():
            passed = attenuation.slab(depth * curve)
            dimmed = paints.painted(weights, age[some], log_z[some], passed)
            light[some] += weight[some, None] * dimmed[:, :N_BANDS]
    return np.concatenate([light, clear[:, N_BANDS:]], axis=1)


def _with_bursts(
    paints: Palette,
    smooth: np.ndarray,
    age: np.ndarray,
    log_z: np.ndarray,
    places: tuple[np.ndarray, np.ndarray],
    rng: np.random.Generator,
) -> np.ndarray:
    """One to three bursts of 0.1 Gyr in the last 2 Gyr, each of 0.3 to 5 per cent of the mass."""
    made = paints.painted(smooth, age, log_z)
    for _ in range(int(rng.integers(1, 4))):
        begun = float(np.exp(rng.uniform(np.log(0.03), np.log(2.0))))
        burst = histories.constant(paints.populations.age_yr, begun, begun + 0.1)[None]
        strength = 10 ** rng.uniform(-2.5, -1.3) * np.exp(_patches(places, 0.8, rng))
        made = made + strength[:, None] * paints.painted(burst, age, log_z)
    return made


def _patches(
    places: tuple[np.ndarray, np.ndarray], strength: float, rng: np.random.Generator
) -> np.ndarray:
    """A random field of some strength whose exponential has the mean 1."""
    field = patterns.Tile(rng, 12.0, -2.2, 0.15).at(*places)
    return strength * field - strength**2 / 2


def of_galaxy(views: Sequence[View], number: int) -> list[View]:
    """The views of one of the simulated galaxies, by its number in their names."""
    return [view for view in views if view.name.startswith(f"illustris_{number}_")]
