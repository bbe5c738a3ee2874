"""Galaxies as other surveys would have seen them: bands left out, noise added, IRAC 3.6 in the
place of WISE 3.4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...bands.registry import INPUT_BANDS
from ...models.dust_forest.columns import MIN_OTHERS, NORMAL, STAND_IN
from ...models.dust_forest.features import ColourTerm

_GROUPS = (
    ("GALEX_FUV", "GALEX_NUV"), ("SDSS_u", "SDSS_g", "SDSS_r", "SDSS_i", "SDSS_z"),
    ("2MASS_J", "2MASS_H", "2MASS_Ks"), ("WISE_4.6",), ("WISE_12", "WISE_22"),
    ("Spitzer_3.6", "Spitzer_4.5"), ("Spitzer_5.8", "Spitzer_8.0"),
)  # fmt: skip
"""Bands that one survey delivers together, or not at all."""
_W, _S = INPUT_BANDS.index(NORMAL), INPUT_BANDS.index(STAND_IN)


@dataclass(frozen=True)
class Degradation:
    """How much is taken away.

    Attributes
    ----------
    group, band : float
        Chance that a survey's bands, or a band by itself, are left out.
    noise : float
        Chance that a galaxy is made fainter: every error grows by a factor of 1 to 10 and noise is
        added to match.
    stand_in : float
        Chance that WISE 3.4 is replaced by what IRAC 3.6 says, where there is IRAC 3.6.
    """

    group: float = 0.5
    band: float = 0.1
    noise: float = 0.3
    stand_in: float = 0.05


def degrade(
    values: np.ndarray,
    errors: np.ndarray,
    how: Degradation,
    colour_term: ColourTerm,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """A degraded copy of galaxies.

    Parameters
    ----------
    values, errors : ndarray, shape (18, n)
        Observed surface brightness and errors in the order of `INPUT_BANDS`, NaN where missing.

    Returns
    -------
    values, errors : ndarray, shape (18, n)
        Never fewer than two bands besides WISE 3.4, and WISE 3.4 always above 2 sigma: otherwise
        the galaxy is left whole, or without added noise.
    """
    values, errors = values.copy(), errors.copy()
    n = values.shape[1]
    swap = (rng.random(n) < how.stand_in) & (values[_S] > 0)
    factor = 10**colour_term.offset
    scatter = values[_S] * factor * (10**colour_term.scatter - 1)
    values[_W] = np.where(swap, values[_S] * factor, values[_W])
    errors[_W] = np.where(swap, np.hypot(errors[_S] * factor, scatter), errors[_W])
    values[_S, swap] = np.nan
    dropped = rng.random(values.shape) < how.band
    for group in _GROUPS:
        dropped[[INPUT_BANDS.index(b) for b in group]] |= rng.random(n) < how.group
    dropped[_W] = False
    left = (np.isfinite(values) & ~dropped).sum(0) - 1
    dropped[:, left < MIN_OTHERS] = False
    values[dropped] = np.nan
    grow = np.where(rng.random(n) < how.noise, 10 ** rng.random(n), 1.0) * np.ones((len(values), 1))
    extra = np.nan_to_num(errors * np.sqrt(grow**2 - 1) * rng.standard_normal(values.shape))
    quiet = values[_W] + extra[_W] <= 2 * errors[_W] * grow[_W]
    extra[:, quiet], grow[:, quiet] = 0.0, 1.0
    return values + extra, np.where(np.isfinite(values), errors * grow, np.nan)
