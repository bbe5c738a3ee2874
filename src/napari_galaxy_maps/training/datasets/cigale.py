"""Real CIGALE's fits of the DustPedia galaxies, to hold the library of model spectra and its fit
against.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from ...bands.registry import BANDS, FIR_BANDS
from ...constants import LSUN_W, MPC_M, MSUN_KG
from ...sed.compose import compose
from ...sed.fit import SedFit, fit
from ...sed.library import Library
from .dustpedia import CIGALE_NAMES, number, read_table

CIGALE_BANDS: dict[str, str] = CIGALE_NAMES | {
    "Spitzer_24": "MIPS1", "Spitzer_70": "MIPS2", "PACS_70": "PACS_blue", "PACS_100": "PACS_green", "PACS_160": "PACS_red",
    "SPIRE_250": "PSW_HIPE", "SPIRE_350": "PMW_HIPE", "SPIRE_500": "PLW_HIPE",
}  # fmt: skip
N19_COLUMNS = {
    "Ldust": "Ldust__Lsol", "Mdust": "Mdust__Msol", "Tdust": "Tdust__K", "Mstar": "Mstar__Msol", "Lbolo": "Lbolo__Lsol",
    "SFR": "SFR__Msol_per_yr", "A_FUV": "Afuv",
}  # fmt: skip
ZERO_DISTANCE_MPC = 1e-5
"""CIGALE takes sources at redshift 0 to be 10 pc away."""


@dataclass(frozen=True, eq=False)
class CigaleFits:
    """What CIGALE was given and found, galaxies in the order of the short fit's table (715 of
    them).

    Attributes
    ----------
    names : ndarray of str, shape (n,)
    flux, error : ndarray, shape (26, n)
        Observed, Jy, in the order of `bands.BANDS`; gaps are NaN. CIGALE's extra 10 % is not in the
        error.
    bayes, bayes_error : ndarray, shape (26, n)
        CIGALE's Bayesian fluxes in Jy from the bands up to 22 micron alone.
    short_input : ndarray of bool, shape (26, n)
        Which fluxes that fit was given.
    distance : ndarray, shape (n,)
        Mpc.
    n19, n19_error : dict of ndarray, shape (n,)
        Ldust, Mdust, Tdust, Mstar, Lbolo, SFR, A_FUV of Nersesian+ 2019, with the far infrared.
    best : dict of ndarray, shape (n,)
        Parameters (`sed.priors.PARAMETERS`) of the best model of the fit with the far infrared.
    best_flux : ndarray, shape (26, n)
        Its fluxes, Jy.
    best_formed : ndarray, shape (n,)
        Its stars ever formed, Msun, were it 10 pc away.
    best_properties : dict of ndarray, shape (n,)
        Ldust, Mdust, Mstar, Lbolo, A_FUV of it, at 10 pc.
    """

    names: np.ndarray
    flux: np.ndarray
    error: np.ndarray
    bayes: np.ndarray
    bayes_error: np.ndarray
    short_input: np.ndarray
    distance: np.ndarray
    n19: dict[str, np.ndarray]
    n19_error: dict[str, np.ndarray]
    best: dict[str, np.ndarray]
    best_flux: np.ndarray
    best_formed: np.ndarray
    best_properties: dict[str, np.ndarray]

    @property
    def n_far_infrared(self) -> np.ndarray:
        """Far-infrared bands of PACS and SPIRE above 3 sigma."""
        rows = [
            k
            for k, band in enumerate(BANDS)
            if band in FIR_BANDS and not band.startswith("Spitzer")
        ]
        with np.errstate(invalid="ignore"):
            return np.asarray((self.flux[rows] > 3 * self.error[rows]).sum(0))

    def take(self, rows: np.ndarray) -> CigaleFits:
        """The galaxies at `rows`."""

        def taken(value: object) -> object:
            if isinstance(value, dict):
                return {name: column[rows] for name, column in value.items()}
            return np.asarray(value)[..., rows]

        return CigaleFits(**{f.name: taken(getattr(self, f.name)) for f in fields(self)})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Spread:
    """Of differences: their number, median, half the range of the middle 68 %, and standard
    deviation.
    """

    n: int
    median: float
    scatter: float
    std: float

    @classmethod
    def of(cls, differences: np.ndarray) -> Spread:
        """Of the finite ones among them."""
        finite = differences[np.isfinite(differences)]
        if not len(finite):
            return cls(0, np.nan, np.nan, np.nan)
        low, middle, high = np.percentile(finite, [15.87, 50, 84.13])
        return cls(len(finite), float(middle), float(high - low) / 2, float(np.std(finite)))

    def __str__(self) -> str:
        return f"{self.median:+.3f} {self.scatter:.3f} (std {self.std:.3f}, n {self.n})"


_BEST = {
    "age_myr": "sfh.age", "tau_myr": "sfh.tau_main", "change_age_myr": "sfh.age_trunc", "change": "sfh.r_sfr",
    "metallicity": "stellar.metallicity", "ebv": "attenuation.E_BVs.stellar.young",
    "old_factor": "attenuation.ebvs_old_factor", "slope": "attenuation.powerlaw_slope",
    "bump": "attenuation.uv_bump_amplitude", "qhac": "dust.qhac", "umin": "dust.umin", "gamma": "dust.gamma",
}  # fmt: skip


def read_cigale(folder: str | Path) -> CigaleFits:
    """Read the fits and what they were given.

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
    full = read_table(folder / "firenet_cigale_full" / "results.txt", " ")
    given = read_table(folder / "firenet_cigale_short" / "dustpedia_fluxes_short.mag", " ")
    observed = read_table(folder / "firenet_cigale_full" / "dustpedia_fluxes_full.mag", " ")
    n19 = read_table(folder / "dustpedia_cigale_results_final_version.csv", ",")
    distances = read_table(folder / "DustPedia_HyperLEDA_Herschel.csv", ",")
    names = list(short)

    def column(rows: dict[str, dict[str, str]], key: str) -> np.ndarray:
        return np.array(
            [number(rows[name].get(key, "")) if name in rows else np.nan for name in names]
        )

    def bands(rows: dict[str, dict[str, str]], pattern: str) -> np.ndarray:
        return np.array([column(rows, pattern.format(CIGALE_BANDS[band])) for band in BANDS]) * 1e-3

    properties = {
        "Ldust": column(full, "best.dust.luminosity") / LSUN_W, "Mdust": column(full, "best.dust.mass") / MSUN_KG,
        "Mstar": column(full, "best.stellar.m_star"), "Lbolo": column(full, "best.stellar.lum") / LSUN_W,
        "A_FUV": column(full, "best.attenuation.FUV"),
    }  # fmt: skip
    errors = {name: key.partition("__")[0] + "_err" for name, key in N19_COLUMNS.items()}
    return CigaleFits(
        np.array(names), bands(observed, "{}"), bands(observed, "{}_err"), bands(short, "bayes.{}"),
        bands(short, "bayes.{}_err"), np.isfinite(bands(given, "{}") + bands(given, "{}_err")),
        column(distances, "dist_best"), {name: column(n19, key) for name, key in N19_COLUMNS.items()},
        {name: column(n19, key) for name, key in errors.items()},
        {name: column(full, f"best.{key}") for name, key in _BEST.items()}, bands(full, "best.{}"),
        column(full, "best.sfh.integrated"), properties,
    )  # fmt: skip


def best_models(fits: CigaleFits) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """log10 of our model over CIGALE's with the same parameters: the ingredients alone, without a
    fit.

    Returns
    -------
    bands : ndarray, shape (26, n)
    properties : dict of ndarray, shape (n,)
        Of `CigaleFits.best_properties`; A_FUV as a difference in mag.
    """
    made = compose(fits.best, 0.0, "salpeter")
    square_metres = 4 * np.pi * (ZERO_DISTANCE_MPC * MPC_M) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        bands = np.log10(
            made.bands.T * fits.best_formed * LSUN_W / square_metres * 1e26 / fits.best_flux
        )
        properties = {
            name: np.log10(made.properties[name] * fits.best_formed / values)
            for name, values in fits.best_properties.items()
            if name != "A_FUV"
        }
    return bands, properties | {"A_FUV": made.properties["A_FUV"] - fits.best_properties["A_FUV"]}


def fitted(
    fits: CigaleFits, library: Library, use: np.ndarray, hidden: Sequence[str] = (), shift: np.ndarray | None = None,
    **settings: object,
) -> SedFit:  # fmt: skip
    """Our fit of the same fluxes as CIGALE's.

    Parameters
    ----------
    fits : CigaleFits
    library : Library
    use : ndarray of bool, shape (26, n)
        Which fluxes.
    hidden : sequence of str
        Bands that are not shown to the fit.
    shift : ndarray, shape (26,), optional
        log10 by which our bands differ from CIGALE's; taken from the data and given back to the
        result.
    **settings
        Of `fit_steps`.
    """
    factor = np.ones((len(BANDS), 1)) if shift is None else 10 ** shift[:, None]
    shown = use & ~np.isin(list(BANDS), hidden)[:, None]
    rows = np.flatnonzero((shown & np.isfinite(fits.flux)).any(1))
    data, errors = (np.where(shown, a * factor, np.nan)[rows] for a in (fits.flux, fits.error))
    names = [list(BANDS)[k] for k in rows]
    found = fit(
        data, errors, names, library, device="cpu", distance_mpc=ZERO_DISTANCE_MPC, **settings
    )
    found.flux[:] /= factor
    found.flux_error[:] /= factor
    return found


def dust_differences(fits: CigaleFits, found: SedFit) -> dict[str, np.ndarray]:
    """What we find less what N19 found: dex of masses and luminosities, K, mag; NaN of galaxies
    that were not fitted.
    """
    nearer = (fits.distance / ZERO_DISTANCE_MPC) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            name: found.properties[name] - values if name in ("Tdust", "A_FUV")
            else np.log10(found.properties[name] * nearer / values)
            for name, values in fits.n19.items()
        }  # fmt: skip
