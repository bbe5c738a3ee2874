"""Light, mass, ages and star formation of the histories of a painted galaxy, at each metallicity of
the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...bands.registry import get_band
from ...mocks.layers import CLOUD_SLOPE
from ...mocks.relations import SOLAR_OH, SOLAR_Z
from ...models.stellar_unet.inputs import UGRIZ
from ...sed import tables
from ...sed.attenuation import power_law, with_bump
from .histories import age_grid
from .traits import Traits

COLUMNS = len(UGRIZ) + 3
"""Lsun/Hz in ugriz, surviving mass, that times age (Gyr), and star formation rate (Msun/yr), each
per Msun formed.
"""
N_BANDS = len(UGRIZ)
LAYER_EDGES_GYR = (1.0, 0.1, 0.01)
"""Ages between the layers of old, younger, young and youngest stars."""
PIVOTS = np.array([get_band(band).pivot for band in UGRIZ])


@dataclass(frozen=True)
class Synthesis:
    """By how much another synthesis of populations would differ in light, as natural logarithms.

    The numbers are drawn per image: a level, slopes with age, with metallicity and with wavelength,
    and how much more or less stars on the asymptotic giant branch give from 0.3 to 2 Gyr. Their
    sizes are about what codes differ by in ugriz (Conroy & Gunn 2010, Sect. 4: a few hundredths of
    a magnitude in colours, 0.1 dex in mass per light, more at those ages).
    """

    level: float = 0.0
    by_age: float = 0.0
    by_metals: float = 0.0
    tilt: tuple[float, float, float] = (0.0, 0.0, 0.0)
    giants: float = 0.0

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Synthesis:
        """One of many."""
        level, by_age, by_metals, a, b, c, giants = rng.normal(
            0, (0.08, 0.03, 0.03, 0.04, 0.02, 0.02, 0.15)
        )
        return cls(level, by_age, by_metals, (a, b, c), giants)

    def factors(self, age_yr: np.ndarray, metallicity: np.ndarray) -> np.ndarray:
        """Factors to light, shape (6, n_ages, 5)."""
        age = np.log10(np.maximum(age_yr, 1e6) / 1e9)[None, :, None]
        metals = np.log10(metallicity / 0.02)[:, None, None]
        colour = np.log(PIVOTS / PIVOTS[2])[None, None]
        tilt = self.tilt[0] + self.tilt[1] * age + self.tilt[2] * metals
        giants = (
            self.giants * np.exp(-0.5 * ((age + 0.1) / 0.25) ** 2) * np.clip(colour + 0.4, 0, 1)
        )
        return np.asarray(
            np.exp(
                self.level + self.by_age * age + self.by_metals * metals + tilt * colour + giants
            )
        )


@lru_cache(maxsize=1)
def _ugriz() -> tuple[np.ndarray, np.ndarray]:
    """The tables' stars and gas in ugriz alone."""
    table = tables.star_table()
    columns = [table.bands.index(band) for band in UGRIZ]
    return table.stars[..., columns], table.gas[..., columns]


def populations(redshift: float, synthesis: Synthesis, leak: float) -> np.ndarray:
    """Light of stars and of the gas that they ionise, Lsun/Hz per Msun formed, shape (6, n_ages,
    5).

    Parameters
    ----------
    redshift : float
    synthesis : Synthesis
    leak : float
        Share of the ionising photons that ionise nothing here.
    """
    table = tables.star_table()
    of_stars, of_gas = _ugriz()
    stars = tables.at_redshift(of_stars, table.redshift, redshift)
    glow = tables.at_redshift(of_gas, table.gas_redshift, redshift)
    oxygen = SOLAR_OH + np.log10(table.metallicity / SOLAR_Z)
    per_photon = np.stack([np.interp(oxygen, table.oxygen, column) for column in glow.T], axis=1)
    lines = (1 - leak) * (table.photons / 1e40)[..., None] * (per_photon * 1e40)[:, None]
    return np.asarray(stars * synthesis.factors(table.age_yr, table.metallicity) + lines)


def coefficients(traits: Traits, light: np.ndarray, redshift: float) -> np.ndarray:
    """What each part and layer gives per Msun formed of its part.

    Parameters
    ----------
    traits : Traits
    light : ndarray, shape (6, n_ages, 5)
        As `populations`.
    redshift : float
        By which the clouds about the youngest stars dim them.

    Returns
    -------
    ndarray, shape (4, 4, 6, COLUMNS)
        By part (inside, outside, patches, spheroid), layer (old, younger, young, youngest) and
        metallicity.
    """
    table = tables.star_table()
    middle, _, weights = age_grid()
    layer = np.searchsorted(-np.array(LAYER_EDGES_GYR), -middle, side="left")
    per_age = np.concatenate(
        [light, table.surviving[..., None], (table.surviving * table.age_yr / 1e9)[..., None]],
        axis=-1,
    )
    in_layer = np.stack([(layer == k)[:, None] * weights for k in range(4)])  # (4, cells, ages)
    by_age = np.einsum("pc,lca->pla", traits.histories, in_layer, optimize=True)
    found = np.einsum("pla,zak->plzk", by_age, per_age, optimize=True)
    recent = np.stack([(layer == k) & (middle < 0.1) for k in range(4)])
    rate = np.einsum("pc,lc->pl", traits.histories, recent) / 1e8
    found = np.concatenate(
        [found, np.broadcast_to(rate[..., None, None], (*found.shape[:3], 1))], axis=-1
    )
    clouds = np.exp(-traits.cloud * power_law(PIVOTS / (1 + redshift), CLOUD_SLOPE))
    found[:3, 3, :, :N_BANDS] *= clouds
    return np.asarray(found)


def curve(traits: Traits, redshift: float) -> np.ndarray:
    """Optical depth of the dust in ugriz over that at V, shape (5,)."""
    return with_bump(PIVOTS / (1 + redshift), traits.slope, traits.bump)
