"""Real galaxies with a truth, as a set to train on: fluxes in every input band, and the dust and
stars.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ...bands.registry import INPUT_BANDS, get_band
from ...constants import LSUN_W, SPEED_OF_LIGHT_MICRON_S
from ...models.dust_forest.columns import NORMAL, STAND_IN
from ...models.dust_forest.features import ColourTerm

TARGETS = ("LOG_LDUST_W1", "LOG_MDUST_W1", "T_DUST", "LOG_LSTAR_W1", "LOG_MSTAR_W1")
"""What trees and networks predict: log10 of L_dust, M_dust, L_star and M_star in solar units over
nu L_nu of WISE 3.4 in Lsun, and the dust's temperature in K.
"""
_BY_COLUMN = ("values", "errors", "imputed", "imputed_errors")


@dataclass(frozen=True)
class Galaxies:
    """A set of n galaxies.

    Attributes
    ----------
    names, surveys : ndarray of str, shape (n,)
    values, errors : ndarray, shape (18, n)
        Observed fluxes in any unit, in the order of `INPUT_BANDS`; gaps are NaN.
    imputed, imputed_errors : ndarray, shape (18, n)
        The same from CIGALE's Bayesian fluxes, fitted without far infrared: no gaps, no negatives.
        All NaN where there are none.
    stage : ndarray, shape (n,)
        Hubble stage, NaN where unknown.
    scale_pc : ndarray, shape (n,)
        Root of the aperture's area in pc; infinite where it is not published.
    mjy_sr : ndarray, shape (n,)
        Mean surface brightness in the aperture, MJy/sr, of one unit of the fluxes; 1 where the
        aperture is not published.
    targets : ndarray, shape (n, 5)
        `TARGETS`; NaN where unknown.
    truth_errors : ndarray, shape (n, 7)
        The truth's own errors of `models.dust_forest.uncertainty.QUANTITIES`, as published.
    n_detected : ndarray of int, shape (n,)
        Far-infrared bands (PACS and SPIRE) above 3 sigma.
    rival : ndarray, shape (n, 3)
        The first three targets as Dobbels+ 2020 predict them from the same fluxes.
    """

    names: np.ndarray
    surveys: np.ndarray
    values: np.ndarray
    errors: np.ndarray
    imputed: np.ndarray
    imputed_errors: np.ndarray
    stage: np.ndarray
    scale_pc: np.ndarray
    mjy_sr: np.ndarray
    targets: np.ndarray
    truth_errors: np.ndarray
    n_detected: np.ndarray
    rival: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    def take(self, rows: np.ndarray) -> Galaxies:
        """The galaxies at `rows`."""
        return Galaxies(
            **{
                f.name: getattr(self, f.name)[(slice(None), rows) if f.name in _BY_COLUMN else rows]
                for f in fields(Galaxies)
            }
        )

    def joined(self, others: Galaxies) -> Galaxies:
        """These galaxies, and others behind them."""
        return Galaxies(
            **{
                f.name: np.concatenate(
                    [getattr(self, f.name), getattr(others, f.name)],
                    axis=1 if f.name in _BY_COLUMN else 0,
                )
                for f in fields(Galaxies)
            }
        )


def log_w1(flux_mjy: np.ndarray, metres: np.ndarray) -> np.ndarray:
    """log10 of nu L_nu of WISE 3.4 in Lsun, from its flux and the distance in metres."""
    frequency = SPEED_OF_LIGHT_MICRON_S / get_band(NORMAL).pivot
    watts = 4 * np.pi * metres**2 * flux_mjy * 1e-29 * frequency
    return np.asarray(np.log10(watts / LSUN_W))


def fit_colour_term(galaxies: Galaxies) -> ColourTerm:
    """Median and robust scatter of log10 F_WISE_3.4 / F_IRAC_3.6 over galaxies with both above 10
    sigma.
    """
    w, s = INPUT_BANDS.index(NORMAL), INPUT_BANDS.index(STAND_IN)
    with np.errstate(invalid="ignore"):
        good = np.all([galaxies.values[i] > 10 * galaxies.errors[i] for i in (w, s)], axis=0)
    colour = np.log10(galaxies.values[w, good] / galaxies.values[s, good])
    low, middle, high = np.percentile(colour, [15.87, 50, 84.13])
    return ColourTerm(float(middle), float((high - low) / 2))
