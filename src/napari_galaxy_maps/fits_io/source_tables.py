"""Tables from files, whatever their format, and the positions in them, whatever their frame and the
names of their columns.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import InputError
from .open_fits import open_bytes
from .quiet import quiet

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord
    from astropy.table import Table

# Longitude and latitude columns, their frame, and their epoch where the name tells it (else NaN).
_POSITIONS: tuple[tuple[str, str, str, float], ...] = (
    ("ra", "dec", "icrs", np.nan),
    ("ra_icrs", "de_icrs", "icrs", np.nan),
    ("ra_icrs", "dec_icrs", "icrs", np.nan),
    ("gaia_ra", "gaia_dec", "icrs", np.nan),
    ("ra_fk5", "dec_fk5", "fk5", np.nan),
    ("raj2000", "dej2000", "icrs", 2000.0),
    ("raj2000", "decj2000", "icrs", 2000.0),
    ("_raj2000", "_dej2000", "icrs", 2000.0),
    ("rab1950", "deb1950", "fk4", 1950.0),
    ("ra2000", "de2000", "icrs", 2000.0),
    ("al2000", "de2000", "icrs", 2000.0),
    ("alpha", "delta", "icrs", np.nan),
    ("l", "b", "galactic", np.nan),
    ("glon", "glat", "galactic", np.nan),
    ("gal_lon", "gal_lat", "galactic", np.nan),
)
_FRAMES = {
    "icrs": "icrs",
    "fk5": "fk5",
    "eq_fk5": "fk5",
    "fk4": "fk4",
    "eq_fk4": "fk4",
    "galactic": "galactic",
}


def read_table(path: Path, what: str) -> Table:
    """A table of `what` ("stars", "galaxies"): FITS, VOTable, ECSV, CSV or another text table that
    tells its columns' names.

    Raises
    ------
    InputError
        When the file is no table.
    """
    from astropy.table import Table

    if not path.exists():
        raise InputError(f"{path} does not exist; check the path of the table of {what}.")
    with open_bytes(path) as stream:
        if not stream.read(1):
            raise InputError(
                f"{path} is empty; give a table of {what} (FITS, VOTable, ECSV or CSV)."
            )
    name = path.name.lower().removesuffix(".gz").removesuffix(".bz2")
    if name.endswith((".fits", ".fit", ".fts")):
        formats: tuple[str | None, ...] = ("fits",)
    elif name.endswith((".vot", ".xml", ".votable")):
        formats = ("votable",)
    elif name.endswith(".ecsv"):
        formats = ("ascii.ecsv",)
    elif name.endswith(".csv"):
        formats = ("ascii.ecsv", "ascii.csv")
    else:
        formats = ("fits", "votable", "ascii.ecsv", "ascii")
    for kind in formats:
        try:
            with quiet():
                # The mark that some programs put before UTF-8 is no part of a column's name.
                text = {"encoding": "utf-8-sig"} if kind and kind.startswith("ascii") else {}
                table = Table.read(path, format=kind, **text)
        except (
            Exception
        ):  # each reader of astropy has errors of its own; what matters is that none could read it
            continue
        if kind == "votable":
            table.meta["frame"] = _votable_frame(path)
        if len(table.colnames) > 1:
            return table
    raise InputError(
        f"{path} cannot be read as a table of {what}; give FITS, VOTable, ECSV or CSV with named "
        "columns."
    )


def _votable_frame(path: Path) -> str | None:
    from astropy.io.votable import parse

    with quiet():
        systems = {str(system.system).lower() for system in parse(path).iter_coosys()}
    known = {_FRAMES[system] for system in systems if system in _FRAMES}
    return known.pop() if len(known) == 1 else None


def _named_frame(table: Table) -> str | None:
    """The frame that the file itself names: VOTable's COOSYS, or RADESYS in a FITS header or an
    ECSV's meta.
    """
    meta = {str(key).lower(): value for key, value in table.meta.items()}
    for key in ("frame", "radesys", "radecsys", "coordsys"):
        frame = str(meta.get(key) or "").strip().lower()
        if frame in _FRAMES:
            return _FRAMES[frame]
    return None


def columns_by_name(table: Table) -> dict[str, str]:
    """The names of a table's columns by what they are in lower case."""
    return {str(name).lower(): name for name in reversed(table.colnames)}


def _position_columns(columns: dict[str, str]) -> tuple[str, str, str, float] | None:
    return next((p for p in _POSITIONS if p[0] in columns and p[1] in columns), None)


def has_positions(table: Table) -> bool:
    """Whether a table has columns for positions."""
    return _position_columns(columns_by_name(table)) is not None


def table_positions(table: Table, path: Path) -> tuple[SkyCoord, str, float]:
    """The positions in a table (ICRS; NaN where a row has none), their frame as read, and their
    epoch (year) or NaN.

    Raises
    ------
    InputError
        When there are no columns with positions, or what they hold are none.
    """
    from astropy.coordinates import SkyCoord

    columns = columns_by_name(table)
    pair = _position_columns(columns)
    if pair is None:
        raise InputError(
            f"{path} has no columns with positions (ra and dec, or l and b); its columns are "
            f"{', '.join(table.colnames[:12])}."
        )
    longitude, latitude, frame, epoch = pair
    if frame == "icrs":  # a name that fits every equatorial frame: the file's own word counts
        named = _named_frame(table)
        frame = named if named in ("fk5", "fk4") else frame
    lon = _degrees(table[columns[longitude]], path, hours=frame != "galactic")
    if longitude == "al2000" and table[columns[longitude]].dtype.kind == "f":
        lon = lon * 15  # HyperLEDA's are decimal hours
    lat = _degrees(table[columns[latitude]], path, hours=False)
    if not np.isfinite(lon).any():
        raise InputError(
            f"{path} has a column {columns[longitude]} without one number; fetch the table again."
        )
    if np.nanmax(np.abs(lat)) > 90 or np.nanmin(lon) < -180 or np.nanmax(lon) > 360:
        raise InputError(
            f"{path} has positions that are no degrees ({columns[longitude]} to "
            f"{np.nanmax(lon):g}, {columns[latitude]} to "
            f"{np.nanmax(np.abs(lat)):g}); give right ascension and declination in degrees."
        )
    with quiet():
        sky = SkyCoord(lon, lat, unit="deg", frame=frame).icrs
    return sky, frame, epoch


def _degrees(column: Any, path: Path, hours: bool) -> np.ndarray:
    """A column in degrees; text is read as sexagesimal, right ascension then in hours."""
    from astropy import units as u
    from astropy.coordinates import Angle

    if column.dtype.kind in "US":
        texts = [str(text) for text in np.ma.filled(column, "")]
        try:
            if hours and not any(":" in t or "h" in t or " " in t.strip() for t in texts):
                return np.array([float(t) if t else np.nan for t in texts])
            unit = u.hourangle if hours else u.deg
            return np.array([Angle(t, unit).deg if t.strip() else np.nan for t in texts])
        except (ValueError, u.UnitsError):
            raise InputError(
                f"{path} has a column {column.name} that is no position; give degrees."
            ) from None
    values: np.ndarray = np.ma.filled(np.ma.asarray(column, dtype=float), np.nan)
    unit = getattr(column, "unit", None)
    if unit is not None and unit != u.deg and getattr(unit, "physical_type", None) == "angle":
        values = (values * unit).to_value(u.deg)
    return np.asarray(values)
