"""The real galaxies of H-ATLAS: fluxes in every input band, and the dust, as collected and
predicted by Dobbels+ 2020 (A&A 634, A57; FIREnet, MIT).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...bands.registry import INPUT_BANDS
from ...constants import MPC_M
from ...exceptions import InputError
from ...models.dust_forest.columns import NORMAL
from .dustpedia_tables import CIGALE_BANDS, HERSCHEL_BANDS, Table, number, read_table
from .galaxies import Galaxies, log_w1

SURVEY = "H-ATLAS"
_FLUXES, _TRUTH = "hatlas_fluxes_full.mag", "true_vs_predicted.csv"
_PROPERTIES = ("dust luminosity", "dust mass", "dust temperature")


def read_hatlas(folder: str | Path) -> Galaxies:
    """Read the galaxies with a positive WISE 3.4 flux and a truth, in the order of their names.

    The truth is CIGALE's with THEMIS dust, fitted with the far infrared; its stars are not
    published. Negative fluxes of WISE were left blank in the table, with their errors: they are
    taken as 0. Distances are CIGALE's, by its cosmology and redshifts rounded to 0.01, so that the
    ratios to WISE 3.4 are free of them.

    Parameters
    ----------
    folder : str or Path
        Holds the tables of FIREnet.

    Raises
    ------
    InputError
        When a table is missing, or lacks a column.
    """
    from astropy.cosmology import WMAP7

    fluxes, truth = (
        read_table(Path(folder) / name, mark) for name, mark in ((_FLUXES, " "), (_TRUTH, ","))
    )
    w1 = CIGALE_BANDS[NORMAL]
    names = sorted(
        name for name in truth if name in fluxes and number(fluxes[name].get(w1, "")) > 0
    )

    def bands(wanted: Sequence[str], ending: str) -> np.ndarray:
        columns = [CIGALE_BANDS[band] + ending for band in wanted]
        return np.array([_column(fluxes, names, c, folder, gaps=True) for c in columns])

    flux, flux_errors = bands(INPUT_BANDS, ""), bands(INPUT_BANDS, "_err")
    # WISE's negative fluxes are left blank, with their errors: what was measured is near to 0.
    flux = np.where(np.isnan(flux) & (flux_errors > 0), 0.0, flux)
    redshift = _column(fluxes, names, "redshift", folder)
    scale = log_w1(
        flux[INPUT_BANDS.index(NORMAL)], WMAP7.luminosity_distance(redshift).value * MPC_M
    )
    n = len(names)
    gaps = np.full(flux.shape, np.nan)
    targets, errors = np.full((n, 5), np.nan), np.full((n, 7), np.nan)
    targets[:, :3] = _dust(truth, names, "full-", folder, scale)
    errors[:, [5, 6, 2]] = _errors(truth, names, folder)
    with np.errstate(invalid="ignore"):
        detected = (bands(HERSCHEL_BANDS, "") > 3 * bands(HERSCHEL_BANDS, "_err")).sum(0)
    return Galaxies(
        names=np.array(names),
        surveys=np.full(n, SURVEY),
        values=flux,
        errors=flux_errors,
        imputed=gaps,
        imputed_errors=gaps,
        stage=np.full(n, np.nan),
        scale_pc=np.full(n, np.inf),
        mjy_sr=np.ones(n),
        targets=targets,
        truth_errors=errors,
        n_detected=detected,
        rival=_dust(truth, names, "pred-", folder, scale),
    )


def rival_of(folder: str | Path | None, names: Sequence[str], w1: np.ndarray) -> np.ndarray:
    """What Dobbels+ 2020 predict for galaxies, shape (n, 3), as `Galaxies.rival`; NaN where they do
    not, or without their folder.
    """
    found = np.full((len(names), 3), np.nan)
    if folder is not None:
        truth = read_table(Path(folder) / _TRUTH, ",")
        rows = [i for i, name in enumerate(names) if name in truth]
        found[rows] = _dust(truth, [names[i] for i in rows], "pred-", folder, w1[rows])
    return found


def _column(
    table: Table, names: Sequence[str], key: str, folder: str | Path, gaps: bool = False
) -> np.ndarray:
    try:
        return np.array([number(table[n].get(key, "") if gaps else table[n][key]) for n in names])
    except KeyError as missing:
        raise InputError(
            f"The H-ATLAS tables in {folder} lack {missing}; get them again."
        ) from None


def _dust(
    truth: Table, names: Sequence[str], kind: str, folder: str | Path, w1: np.ndarray
) -> np.ndarray:
    luminosity, mass, temperature = (
        _column(truth, names, kind + what, folder) for what in _PROPERTIES
    )
    return np.column_stack([np.log10(luminosity) - w1, np.log10(mass) - w1, temperature])


def _errors(truth: Table, names: Sequence[str], folder: str | Path) -> np.ndarray:
    """Of log L_dust, of log M_dust, and of the temperature, shape (n, 3)."""
    value, error = (
        np.array([_column(truth, names, kind + what, folder) for what in _PROPERTIES])
        for kind in ("full-", "fullerr-")
    )
    logs = error[:2] / value[:2] / np.log(10)
    return np.vstack([logs, error[2:]]).T
