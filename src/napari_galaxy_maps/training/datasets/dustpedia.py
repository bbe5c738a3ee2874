"""The real galaxies of DustPedia: fluxes in every input band, and the dust and stars.

What the tables are is in `dustpedia_tables`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...bands.registry import INPUT_BANDS
from ...constants import MPC_M, PC_PER_MPC_ARCSEC, SR_PER_ARCSEC2
from ...models.dust_forest.columns import NORMAL
from .dustpedia_tables import CIGALE_BANDS, DustPediaTables, Table, number
from .galaxies import Galaxies, log_w1
from .hatlas import read_hatlas, rival_of

SURVEY = "DustPedia"
MJY_PER_MILLIJY = 1e-9


def read_galaxies(folder: str | Path, hatlas: str | Path | None = None) -> Galaxies:
    """Read the galaxies that have N19 parameters and a positive WISE 3.4 flux, in the tables' order
    (693 of them).

    Parameters
    ----------
    folder : str or Path
        Holds the DustPedia tables.
    hatlas : str or Path, optional
        Folder of the H-ATLAS tables, which hold the rival's predictions of these galaxies, too.

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
    distance = tables.column(tables.distances, "dist_best", names)
    metres = distance * MPC_M
    side = tables.aperture_arcsec(names)
    w1 = log_w1(flux[INPUT_BANDS.index(NORMAL)], metres)
    targets, truth_errors = _dust_and_stars(tables, names, w1)
    return Galaxies(
        names=np.array(names),
        surveys=np.full(len(names), SURVEY),
        values=flux,
        errors=bands(tables.fluxes, "{}_err"),
        imputed=bands(tables.short_fit, "bayes.{}"),
        imputed_errors=bands(tables.short_fit, "bayes.{}_err"),
        stage=tables.column(tables.distances, "t", names),
        scale_pc=side * distance * PC_PER_MPC_ARCSEC,
        mjy_sr=MJY_PER_MILLIJY / (side**2 * SR_PER_ARCSEC2),
        targets=targets,
        truth_errors=truth_errors,
        n_detected=tables.herschel_detections(names),
        rival=rival_of(hatlas, names, w1),
    )


def read_both(folder: str | Path, hatlas: str | Path) -> Galaxies:
    """DustPedia's galaxies and H-ATLAS's behind them; parameters and errors as of
    `read_galaxies`.
    """
    return read_galaxies(folder, hatlas).joined(read_hatlas(hatlas))


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


def _dust_and_stars(
    tables: DustPediaTables, names: list[str], w1: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """`galaxies.TARGETS`, shape (n, 5), and the errors of the seven quantities, shape (n, 7), from
    N19; numerator and denominator of a ratio are taken as independent.
    """
    value, error = {}, {}
    for quantity in ("Ldust", "Mdust", "Lbolo", "Mstar"):
        value[quantity], sigma = tables.n19_column(quantity, names)
        error[quantity] = sigma / value[quantity] / np.log(10)
    temperature, temperature_error = tables.n19_column("Tdust", names)
    targets = [
        np.log10(value["Ldust"]) - w1,
        np.log10(value["Mdust"]) - w1,
        temperature,
        np.log10(value["Lbolo"]) - w1,
        np.log10(value["Mstar"]) - w1,
    ]
    errors = [
        np.hypot(error["Ldust"], error["Lbolo"]),
        np.hypot(error["Mdust"], error["Mstar"]),
        temperature_error,
        error["Lbolo"],
        error["Mstar"],
        error["Ldust"],
        error["Mdust"],
    ]
    return np.array(targets).T, np.array(errors).T
