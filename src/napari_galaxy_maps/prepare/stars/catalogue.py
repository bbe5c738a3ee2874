"""Star tables: reading them whatever their format, frame and column names; which stars are the
Milky Way's; where they were when.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...exceptions import InputError
from ...fits_io.source_tables import columns_by_name, read_table, table_positions

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord
    from astropy.table import QTable, Table

# What a column is called by Gaia (DR2, DR3), VizieR, the Legacy Surveys, and people; matched
# without case, in this order.
_NAMES: dict[str, tuple[str, ...]] = {
    "id": ("source_id", "designation", "source", "gaia_sourceid", "dr3name", "dr2name", "gaia",
           "ref_id", "id", "objid", "name"),
    "parallax": ("parallax", "plx", "gaia_parallax"),
    "parallax_error": ("parallax_error", "e_plx", "parallax_err", "e_parallax"),
    "parallax_ivar": ("parallax_ivar",),
    "parallax_over_error": ("parallax_over_error", "rplx"),
    "pmra": ("pmra", "pm_ra", "pmracosdec", "pm_ra_cosdec", "gaia_pmra"),
    "pmdec": ("pmdec", "pmde", "pm_dec", "gaia_pmdec"),
    "pmra_error": ("pmra_error", "e_pmra", "pmra_err"),
    "pmdec_error": ("pmdec_error", "e_pmdec", "e_pmde", "pmdec_err"),
    "pmra_ivar": ("pmra_ivar",),
    "pmdec_ivar": ("pmdec_ivar",),
    "magnitude": ("phot_g_mean_mag", "gmag", "gaia_phot_g_mean_mag", "g_mag", "g_mean_mag",
                  "magnitude", "mag"),
    "epoch": ("ref_epoch", "gaia_ref_epoch", "epoch"),
}  # fmt: skip

_ANY_DISTANCE_PC = 100.0
"""Near enough that no star seems to outrun light."""
_DR2_ONLY = ("astrometric_weight_al", "a_g_val", "e_bp_min_rp_val")
_DR2_EPOCH, _DR3_EPOCH = 2015.5, 2016.0


def read_catalogue(path: str | Path) -> QTable:
    """Read a table of stars: FITS, VOTable, ECSV, CSV or another text table that tells its columns'
    names.

    Parameters
    ----------
    path : str or Path
        The table. Columns are known by their names in Gaia DR2 and DR3, VizieR and the Legacy
        Surveys.

    Returns
    -------
    QTable
        ``id`` (str), ``ra``, ``dec`` (deg, ICRS, at ``epoch``), ``epoch`` (Julian year, NaN where
        unknown), ``parallax``, ``parallax_error`` (mas), ``pmra`` (with cos dec), ``pmdec``,
        ``pmra_error``, ``pmdec_error`` (mas/yr), ``magnitude`` (G); NaN where the table tells
        nothing. ``meta``: ``path``, ``frame`` as read, ``has_parallax``, ``has_motion``, ``notes``
        (sentences about what is missing or was assumed).

    Raises
    ------
    InputError
        When the file is no table, has no rows, or no positions that make sense.
    """
    path = Path(path).expanduser()
    return star_catalogue(read_table(path, "stars"), path)


def star_catalogue(table: Table, path: Path) -> QTable:
    """A table of stars as `read_catalogue` gives it; `path` is what it is called."""
    if len(table) == 0:
        raise InputError(
            f"{path} holds no stars: the table is empty; fetch the stars around the galaxy again."
        )
    columns = columns_by_name(table)
    notes: list[str] = []
    sky, frame, named_epoch = table_positions(table, path)
    values = {key: _numbers(table, columns, key, path) for key in _NAMES if key != "id"}
    _errors_from_others(values)
    valid = np.isfinite(sky.ra.deg) & np.isfinite(sky.dec.deg)
    if not valid.any():
        raise InputError(
            f"{path} has columns for positions, but no star has one; fetch the table again."
        )
    if not valid.all():
        notes.append(f"{(~valid).sum()} of {len(table)} rows have no position and were left out.")
    epoch = _epochs(values["epoch"], named_epoch, table, columns, notes)
    has_parallax = bool(
        (np.isfinite(values["parallax"]) & np.isfinite(values["parallax_error"])).any()
    )
    has_motion = bool((np.isfinite(values["pmra"]) & np.isfinite(values["pmra_error"])).any())
    if not has_parallax:
        also = "" if has_motion else ", nor proper motions"
        notes.append(
            f"{path.name} has no parallaxes with errors{also}: "
            + (
                "stars of the Milky Way are told by their motion alone."
                if has_motion
                else "Milky Way stars can't be told from sources in the galaxy."
            )
        )
    if not np.isfinite(values["magnitude"]).any():
        notes.append(f"{path.name} has no G magnitudes: circles start from the images alone.")
    result = _to_qtable(sky, _ids(table, columns), epoch, values)[valid]
    result.meta = {
        "path": str(path), "frame": frame, "has_parallax": has_parallax, "has_motion": has_motion,
        "notes": tuple(notes),
    }  # fmt: skip
    return result


def _to_qtable(
    sky: SkyCoord, ids: list[str], epoch: np.ndarray, values: dict[str, np.ndarray]
) -> QTable:
    from astropy import units as u
    from astropy.table import QTable

    result = QTable()
    result["id"] = np.array(ids, dtype=str)
    result["ra"], result["dec"] = sky.ra.deg * u.deg, sky.dec.deg * u.deg
    result["epoch"] = epoch
    for key in ("parallax", "parallax_error"):
        result[key] = values[key] * u.mas
    for key in ("pmra", "pmdec", "pmra_error", "pmdec_error"):
        result[key] = values[key] * u.mas / u.yr
    result["magnitude"] = values["magnitude"]
    return result


def _numbers(table: Table, columns: dict[str, str], key: str, path: Path) -> np.ndarray:
    """The column that goes by one of the names of `key`, in mas, mas/yr, mag or yr; NaN where there
    is none.
    """
    from astropy import units as u

    name = next((columns[n] for n in _NAMES[key] if n in columns), None)
    if name is None:
        return np.full(len(table), np.nan)
    column = table[name]
    try:
        values: np.ndarray = np.ma.filled(np.ma.asarray(column, dtype=float), np.nan)
    except (TypeError, ValueError):
        raise InputError(
            f"{path} has a column {name} that holds no numbers; correct it or take it out."
        ) from None
    unit = getattr(column, "unit", None)
    wanted = u.mas if key.startswith("parallax") else u.mas / u.yr if key.startswith("pm") else None
    if unit is not None and wanted is not None and not key.endswith(("ivar", "over_error")):
        # a unit that makes no sense there is passed over: the catalogues' own is taken
        with suppress(u.UnitConversionError, TypeError):
            values = (values * unit).to_value(wanted)
    return np.asarray(values)


def _errors_from_others(values: dict[str, np.ndarray]) -> None:
    """Fill errors from inverse variances, or from parallax over its error."""
    with np.errstate(divide="ignore", invalid="ignore"):
        for key in ("parallax", "pmra", "pmdec"):
            error, ivar = values[f"{key}_error"], values[f"{key}_ivar"]
            from_ivar = np.where(
                ivar > 0, 1 / np.sqrt(ivar), np.nan
            )  # 0 is the Legacy Surveys' "not measured"
            values[f"{key}_error"] = np.where(error > 0, error, from_ivar)
        ratio = values["parallax_over_error"]
        from_ratio = np.abs(values["parallax"] / np.where(ratio != 0, ratio, np.nan))
        error = values["parallax_error"]
        values["parallax_error"] = np.where(np.isfinite(error), error, from_ratio)


def _epochs(
    epoch: np.ndarray, named: float, table: Table, columns: dict[str, str], notes: list[str]
) -> np.ndarray:
    plausible = (epoch > 1900) & (epoch < 2100)
    if np.isfinite(named):
        return np.full(len(table), named)
    if plausible.any():
        return np.where(plausible, epoch, np.nanmedian(epoch[plausible]))
    if "parallax" in columns or "plx" in columns:
        guess = _DR2_EPOCH if any(name in columns for name in _DR2_ONLY) else _DR3_EPOCH
        notes.append(
            f"The table tells no epoch; {guess:g} is taken, Gaia "
            f"{'DR2' if guess == _DR2_EPOCH else 'DR3'}'s."
        )
        return np.full(len(table), guess)
    return np.full(len(table), np.nan)


def _ids(table: Table, columns: dict[str, str]) -> list[str]:
    name = next((columns[n] for n in _NAMES["id"] if n in columns), None)
    if name is None:
        return [f"star {i + 1}" for i in range(len(table))]
    return [str(value).strip() or f"star {i + 1}" for i, value in enumerate(table[name])]


def milky_way_stars(
    catalogue: QTable, parallax_snr: float = 3.0, motion_snr: float = 5.0
) -> np.ndarray:
    """Which stars are the Milky Way's: parallax or proper motion are significant (Dobbels & Baes
    2021, Sect. 2.1).

    Parameters
    ----------
    catalogue : QTable
        Of `read_catalogue`.
    parallax_snr : float
        The parallax must be this many times its error.
    motion_snr : float
        Or the proper motion this many times its error. A galaxy beyond the Local Group moves by
        less than 0.01 mas/yr.

    Returns
    -------
    ndarray of bool, shape (n_stars,)
        False where the catalogue tells nothing.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        parallax = catalogue["parallax"].value / catalogue["parallax_error"].value
        motion = np.hypot(
            catalogue["pmra"].value / catalogue["pmra_error"].value,
            catalogue["pmdec"].value / catalogue["pmdec_error"].value,
        )
        star: np.ndarray = (parallax > parallax_snr) | (motion > motion_snr)
    return star


def at_epoch(catalogue: QTable, year: float | None) -> SkyCoord:
    """Where the stars were in a year, moved by their proper motions.

    Parameters
    ----------
    catalogue : QTable
        Of `read_catalogue`.
    year : float or None
        Julian year; None leaves them where the catalogue has them.

    Returns
    -------
    SkyCoord
        ICRS; stars without a motion or an epoch stay.
    """
    from astropy import units as u
    from astropy.coordinates import SkyCoord
    from astropy.time import Time

    ra, dec = catalogue["ra"].to_value("deg").copy(), catalogue["dec"].to_value("deg").copy()
    pmra, pmdec = catalogue["pmra"].to_value("mas/yr"), catalogue["pmdec"].to_value("mas/yr")
    epoch = np.asarray(catalogue["epoch"], float)
    moves = np.isfinite(pmra) & np.isfinite(pmdec) & np.isfinite(epoch)
    if year is not None and moves.any():
        here = SkyCoord(
            ra[moves] * u.deg,
            dec[moves] * u.deg,
            # An angle on the sky does not need the distance, but ERFA warns where there is none.
            distance=_ANY_DISTANCE_PC * u.pc,
            pm_ra_cosdec=pmra[moves] * u.mas / u.yr,
            pm_dec=pmdec[moves] * u.mas / u.yr,
            obstime=Time(epoch[moves], format="jyear"),
        )
        there = here.apply_space_motion(new_obstime=Time(year, format="jyear"))
        ra[moves], dec[moves] = there.ra.deg, there.dec.deg
    return SkyCoord(ra, dec, unit="deg")
