"""The real galaxies of DustPedia as a training set: mean surface brightness in every input band,
and the dust and stars.

What the tables are is in `dustpedia_tables`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...bands.registry import INPUT_BANDS, get_band
from ...constants import LSUN_W, MPC_M, SPEED_OF_LIGHT_MICRON_S, SR_PER_ARCSEC2
from ...models.dust_forest.columns import NORMAL, STAND_IN
from ...models.dust_forest.features import ColourTerm
from .dustpedia_tables import CIGALE_BANDS, DustPediaTables, Table, number

TARGETS = ("LOG_SLD", "LOG_SMD", "T_DUST", "LOG_LSTAR_W1", "LOG_MSTAR_W1")
"""What the trees predict; the last two are log10 of L_star and M_star in solar units over nu L_nu
of WISE 3.4 in Lsun.
"""

MJY_SR_PER_MJY_ARCSEC2 = 1e-9 / SR_PER_ARCSEC2


@dataclass(frozen=True)
class Galaxies:
    """The training set.

    Attributes
    ----------
    names : ndarray of str, shape (n,)
    values, errors : ndarray, shape (18, n)
        Observed mean surface brightness in the DustPedia aperture in MJy/sr, in the order of
        `INPUT_BANDS`; gaps are NaN.
    imputed, imputed_errors : ndarray, shape (18, n)
        The same from CIGALE's Bayesian fluxes, fitted without far infrared: no gaps, no negatives.
    targets, target_errors : ndarray, shape (n, 5)
        `TARGETS` from N19 and N19's own errors, propagated; numerator and denominator are taken as
        independent.
    sum_errors : ndarray, shape (n, 2)
        N19's errors of log L_dust and log M_dust.
    n_detected : ndarray of int, shape (n,)
        Far-infrared bands (PACS and SPIRE) above 3 sigma.
    """

    names: np.ndarray
    values: np.ndarray
    errors: np.ndarray
    imputed: np.ndarray
    imputed_errors: np.ndarray
    targets: np.ndarray
    target_errors: np.ndarray
    sum_errors: np.ndarray
    n_detected: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    def take(self, rows: np.ndarray) -> Galaxies:
        """The galaxies at `rows`."""
        by_column = {
            f: getattr(self, f)[:, rows] for f in ("values", "errors", "imputed", "imputed_errors")
        }
        by_row = {
            f: getattr(self, f)[rows] for f in self.__dataclass_fields__ if f not in by_column
        }
        return Galaxies(**by_column, **by_row)


def read_galaxies(folder: str | Path) -> Galaxies:
    """Read the galaxies that have N19 parameters and a positive WISE 3.4 flux, in the tables' order
    (693 of them).

    Parameters
    ----------
    folder : str or Path
        Holds the DustPedia tables.

    Raises
    ------
    InputError
        When a table is missing, or lacks a column or a galaxy.
    """
    tables = DustPediaTables(Path(folder))
    names = _usable_names(tables)

    def bands(table: Table, pattern: str) -> np.ndarray:
        return tables.columns_of_bands(table, pattern, names, INPUT_BANDS)

    flux = bands(tables.fluxes, "{}")
    semimajor, axial_ratio = (  # a/b
        tables.column(tables.apertures, key, names) for key in ("semimaj_arcsec", "axial_ratio")
    )
    area = np.pi * semimajor**2 / axial_ratio
    to_intensity = MJY_SR_PER_MJY_ARCSEC2 / area
    metres = tables.column(tables.distances, "dist_best", names) * MPC_M
    targets, target_errors, sum_errors = _dust_and_stars(
        tables, names, _log_w1(flux[INPUT_BANDS.index(NORMAL)], metres)
    )
    return Galaxies(
        names=np.array(names),
        values=flux * to_intensity,
        errors=bands(tables.fluxes, "{}_err") * to_intensity,
        imputed=bands(tables.short_fit, "bayes.{}") * to_intensity,
        imputed_errors=bands(tables.short_fit, "bayes.{}_err") * to_intensity,
        targets=targets,
        target_errors=target_errors,
        sum_errors=sum_errors,
        n_detected=tables.herschel_detections(names),
    )


def _usable_names(tables: DustPediaTables) -> list[str]:
    """Galaxies that have all of N19's parameters and a positive WISE 3.4 flux."""
    whole = {
        name
        for name, row in tables.n19.items()
        if all(np.isfinite(number(cell)) for cell in list(row.values())[1:])
    }
    names = [name for name in tables.short_fit if name in whole]
    flux = tables.column(tables.fluxes, CIGALE_BANDS[NORMAL], names)
    return [name for name, value in zip(names, flux, strict=True) if value > 0]


def _log_w1(flux_mjy: np.ndarray, metres: np.ndarray) -> np.ndarray:
    """log10 of nu L_nu of WISE 3.4 in Lsun."""
    frequency = SPEED_OF_LIGHT_MICRON_S / get_band(NORMAL).pivot
    watts = 4 * np.pi * metres**2 * flux_mjy * 1e-29 * frequency
    return np.asarray(np.log10(watts / LSUN_W))


def _dust_and_stars(
    tables: DustPediaTables, names: list[str], log_w1: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`TARGETS` and their errors, shape (n, 5), and the errors of log L_dust and log M_dust, shape
    (n, 2), from N19.
    """
    value, error = {}, {}
    for quantity in ("Ldust", "Mdust", "Lbolo", "Mstar"):
        value[quantity], sigma = tables.n19_column(quantity, names)
        error[quantity] = sigma / value[quantity] / np.log(10)
    temperature, temperature_error = tables.n19_column("Tdust", names)
    targets = [
        np.log10(value["Ldust"] / value["Lbolo"]),
        np.log10(value["Mdust"] / value["Mstar"]),
        temperature,
        np.log10(value["Lbolo"]) - log_w1,
        np.log10(value["Mstar"]) - log_w1,
    ]
    target_errors = [
        np.hypot(error["Ldust"], error["Lbolo"]),
        np.hypot(error["Mdust"], error["Mstar"]),
        temperature_error,
        error["Lbolo"],
        error["Mstar"],
    ]
    sums = [error["Ldust"], error["Mdust"]]
    return np.array(targets).T, np.array(target_errors).T, np.array(sums).T


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
