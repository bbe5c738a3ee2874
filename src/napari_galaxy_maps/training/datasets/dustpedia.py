"""The real galaxies of DustPedia as a training set: mean surface brightness in every input band,
and the dust and stars.

Tables: fluxes as collected for CIGALE by Dobbels+ 2020 (FIREnet), apertures of Clark+ 2018,
distances of HyperLEDA as chosen by DustPedia, dust and stars from the CIGALE + THEMIS fits with the
far infrared of Nersesian+ 2019 (N19).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...bands.registry import INPUT_BANDS, get_band
from ...constants import LSUN_W, MPC_M, SPEED_OF_LIGHT_MICRON_S, SR_PER_ARCSEC2
from ...exceptions import InputError
from ...models.dust_forest.features import NORMAL, STAND_IN, ColourTerm

CIGALE_NAMES: dict[str, str] = {
    "GALEX_FUV": "FUV", "GALEX_NUV": "NUV", "SDSS_u": "u_prime", "SDSS_g": "g_prime", "SDSS_r": "r_prime",
    "SDSS_i": "i_prime", "SDSS_z": "z_prime", "2MASS_J": "J_2mass", "2MASS_H": "H_2mass", "2MASS_Ks": "Ks_2mass",
    "WISE_3.4": "WISE1", "WISE_4.6": "WISE2", "WISE_12": "WISE3", "WISE_22": "WISE4",
    "Spitzer_3.6": "IRAC1", "Spitzer_4.5": "IRAC2", "Spitzer_5.8": "IRAC3", "Spitzer_8.0": "IRAC4",
}  # fmt: skip
_FAR_INFRARED = ("PACS_blue", "PACS_green", "PACS_red", "PSW_HIPE", "PMW_HIPE", "PLW_HIPE")
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
        When a table is missing or lacks a column.
    """
    folder = Path(folder)
    short = read_table(folder / "firenet_cigale_short" / "results.txt", " ")
    observed = read_table(folder / "firenet_cigale_full" / "dustpedia_fluxes_full.mag", " ")
    truth = read_table(folder / "dustpedia_cigale_results_final_version.csv", ",")
    apertures = read_table(folder / "DustPedia_Aperture_Photometry_2.2.csv", ",")
    distances = read_table(folder / "DustPedia_HyperLEDA_Herschel.csv", ",")
    whole = {
        name
        for name, row in truth.items()
        if all(np.isfinite(number(v)) for v in list(row.values())[1:])
    }
    w1 = CIGALE_NAMES[NORMAL]
    names = [name for name in short if name in whole and number(observed[name][w1]) > 0]

    def column(table: dict[str, dict[str, str]], key: str) -> np.ndarray:
        try:
            return np.array([number(table[name][key]) for name in names])
        except KeyError as missing:
            raise InputError(
                f"The DustPedia tables in {folder} lack {missing}; get them again."
            ) from None

    def bands(table: dict[str, dict[str, str]], pattern: str) -> np.ndarray:
        return np.array([column(table, pattern.format(CIGALE_NAMES[b])) for b in INPUT_BANDS])

    area = (
        np.pi * column(apertures, "semimaj_arcsec") ** 2 / column(apertures, "axial_ratio")
    )  # axial_ratio is a/b
    to_intensity = MJY_SR_PER_MJY_ARCSEC2 / area
    flux = bands(observed, "{}")
    frequency = SPEED_OF_LIGHT_MICRON_S / get_band(NORMAL).pivot
    metres = column(distances, "dist_best") * MPC_M
    watts = 4 * np.pi * metres**2 * flux[INPUT_BANDS.index(NORMAL)] * 1e-29 * frequency
    log_w1 = np.log10(watts / LSUN_W)
    ldust, mdust = column(truth, "Ldust__Lsol"), column(truth, "Mdust__Msol")
    lstar, mstar = column(truth, "Lbolo__Lsol"), column(truth, "Mstar__Msol")
    e_ldust, e_mdust, e_lstar, e_mstar = (
        column(truth, f"{key}_err") / value / np.log(10)
        for key, value in (("Ldust", ldust), ("Mdust", mdust), ("Lbolo", lstar), ("Mstar", mstar))
    )
    targets = [
        np.log10(ldust / lstar), np.log10(mdust / mstar), column(truth, "Tdust__K"),
        np.log10(lstar) - log_w1, np.log10(mstar) - log_w1,
    ]  # fmt: skip
    errors = [
        np.hypot(e_ldust, e_lstar),
        np.hypot(e_mdust, e_mstar),
        column(truth, "Tdust_err"),
        e_lstar,
        e_mstar,
    ]
    with np.errstate(invalid="ignore"):
        detected = sum(
            (column(observed, b) > 3 * column(observed, f"{b}_err")).astype(int)
            for b in _FAR_INFRARED
        )
    return Galaxies(
        np.array(names), flux * to_intensity, bands(observed, "{}_err") * to_intensity,
        bands(short, "bayes.{}") * to_intensity, bands(short, "bayes.{}_err") * to_intensity,
        np.array(targets).T, np.array(errors).T, np.array([e_ldust, e_mdust]).T, np.asarray(detected),
    )  # fmt: skip


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


def read_table(path: Path, delimiter: str) -> dict[str, dict[str, str]]:
    """Rows by their first column. Two delimiters in a row mean an empty cell."""
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.reader(stream, delimiter=delimiter))
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); give the folder with the DustPedia tables."
        ) from None
    return {row[0]: dict(zip(rows[0], row, strict=False)) for row in rows[1:] if row}


def number(text: str) -> float:
    """A number, or NaN where there is none."""
    try:
        return float(text)
    except ValueError:
        return float("nan")
