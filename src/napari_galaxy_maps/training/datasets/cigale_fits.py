"""Real CIGALE's fits of the DustPedia galaxies, to hold the library of model spectra and its fit
against.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from ...bands.registry import MODEL_BANDS
from ...constants import LSUN_W, MPC_M, MSUN_KG
from ...sed.compose import compose
from ...sed.fit import SedFit, fit
from ...sed.library import Library
from .dustpedia_tables import N19_COLUMNS, DustPediaTables, Table

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
        Observed, Jy, in the order of `bands.MODEL_BANDS`; gaps are NaN. CIGALE's extra 10 % is not
        in the error.
    bayes, bayes_error : ndarray, shape (26, n)
        CIGALE's Bayesian fluxes in Jy from the bands up to 22 micron alone.
    short_input : ndarray of bool, shape (26, n)
        Which fluxes that fit was given.
    n_far_infrared : ndarray of int, shape (n,)
        Bands of PACS and SPIRE above 3 sigma.
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
    n_far_infrared: np.ndarray
    distance: np.ndarray
    n19: dict[str, np.ndarray]
    n19_error: dict[str, np.ndarray]
    best: dict[str, np.ndarray]
    best_flux: np.ndarray
    best_formed: np.ndarray
    best_properties: dict[str, np.ndarray]

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
    "age_myr": "sfh.age", "tau_myr": "sfh.tau_main", "change_age_myr": "sfh.age_trunc",
    "change": "sfh.r_sfr", "metallicity": "stellar.metallicity",
    "ebv": "attenuation.E_BVs.stellar.young", "old_factor": "attenuation.ebvs_old_factor",
    "slope": "attenuation.powerlaw_slope", "bump": "attenuation.uv_bump_amplitude",
    "qhac": "dust.qhac", "umin": "dust.umin", "gamma": "dust.gamma",
}  # fmt: skip


def read_cigale(folder: str | Path) -> CigaleFits:
    """Read the fits and what they were given, from the folder of the DustPedia tables.

    Raises
    ------
    InputError
        When a table is missing, or lacks a column or a galaxy.
    """
    tables = DustPediaTables(Path(folder))
    names = list(tables.short_fit)

    def bands(table: Table, pattern: str) -> np.ndarray:
        return tables.columns_of_bands(table, pattern, names, list(MODEL_BANDS)) * 1e-3  # Jy

    def best(key: str) -> np.ndarray:
        return tables.column(tables.fit, f"best.{key}", names)

    n19 = {name: tables.n19_column(name, names, gaps=True) for name in N19_COLUMNS}
    given = bands(tables.short_fluxes, "{}") + bands(tables.short_fluxes, "{}_err")
    return CigaleFits(
        names=np.array(names),
        flux=bands(tables.fluxes, "{}"),
        error=bands(tables.fluxes, "{}_err"),
        bayes=bands(tables.short_fit, "bayes.{}"),
        bayes_error=bands(tables.short_fit, "bayes.{}_err"),
        short_input=np.isfinite(given),
        n_far_infrared=tables.herschel_detections(names),
        distance=tables.column(tables.distances, "dist_best", names, gaps=True),
        n19={name: value for name, (value, _) in n19.items()},
        n19_error={name: error for name, (_, error) in n19.items()},
        best={name: best(key) for name, key in _BEST.items()},
        best_flux=bands(tables.fit, "best.{}"),
        best_formed=best("sfh.integrated"),
        best_properties={
            "Ldust": best("dust.luminosity") / LSUN_W,
            "Mdust": best("dust.mass") / MSUN_KG,
            "Mstar": best("stellar.m_star"),
            "Lbolo": best("stellar.lum") / LSUN_W,
            "A_FUV": best("attenuation.FUV"),
        },
    )


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
    fits: CigaleFits,
    library: Library,
    use: np.ndarray,
    hidden: Sequence[str] = (),
    shift: np.ndarray | None = None,
    **settings: object,
) -> SedFit:
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
    factor = np.ones((len(MODEL_BANDS), 1)) if shift is None else 10 ** shift[:, None]
    shown = use & ~np.isin(list(MODEL_BANDS), hidden)[:, None]
    rows = np.flatnonzero((shown & np.isfinite(fits.flux)).any(1))
    data, errors = (np.where(shown, a * factor, np.nan)[rows] for a in (fits.flux, fits.error))
    names = [MODEL_BANDS[k] for k in rows]
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
