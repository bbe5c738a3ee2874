"""Tables from files, whatever their format, and the positions in them, whatever their frame and the
names of their columns.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import InputError
from .open_fits import open_bytes, opened, read_text
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
    ("radeg", "dedeg", "icrs", np.nan),  # CDS
    ("alpha_j2000", "delta_j2000", "icrs", np.nan),  # SExtractor
    ("alphapsf_j2000", "deltapsf_j2000", "icrs", np.nan),
    ("alphawin_j2000", "deltawin_j2000", "icrs", np.nan),
    ("alpha", "delta", "icrs", np.nan),
    ("l", "b", "galactic", np.nan),
    ("glon", "glat", "galactic", np.nan),
    ("gal_lon", "gal_lat", "galactic", np.nan),
)
_VIZIER = "vizier"
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
    for kind in _formats(path):
        try:
            with quiet():
                # The mark that some programs put before UTF-8 is no part of a column's name.
                text = {"encoding": "utf-8-sig"} if kind.startswith("ascii") else {}
                if kind == _VIZIER:
                    table = _read_vizier(path)
                elif kind == "fits":
                    table = _read_fits(path)
                else:
                    table = Table.read(path, format=kind, **text)
        except (
            Exception
        ):  # each reader of astropy has errors of its own; what matters is that none could read it
            continue
        if kind == "votable":
            table.meta["frame"] = _votable_frame(path)
        table = _with_plain_positions(table)
        if len(table.colnames) > 1:
            return table
    raise InputError(
        f"{path} cannot be read as a table of {what}; give FITS, VOTable, ECSV or CSV with named "
        "columns."
    )


def _formats(path: Path) -> tuple[str, ...]:
    """The formats that a table of this name may have."""
    name = path.name.lower().removesuffix(".gz").removesuffix(".bz2")
    if name.endswith((".fits", ".fit", ".fts")):
        return ("fits",)
    if name.endswith((".vot", ".xml", ".votable")):
        return ("votable",)
    if name.endswith(".ecsv"):
        return ("ascii.ecsv",)
    if name.endswith(".csv"):
        return ("ascii.ecsv", "ascii.csv")
    return ("fits", "votable", "ascii.ecsv", _VIZIER, "ascii.sextractor", "ascii.mrt", "ascii")


def _read_fits(path: Path) -> Table:
    """The table of a FITS file; of several the first that has positions, as LDAC's second."""
    from astropy.io import fits
    from astropy.table import Table

    with opened(path) as hdus:
        tables = [hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)]
        read = [Table.read(hdu) for hdu in tables]
    return next((table for table in read if has_positions(table)), read[0])


def _read_vizier(path: Path) -> Table:
    """A table as VizieR's forms hand it out: comments, names, units, a row of dashes, and rows, in
    columns that tabs, semicolons or bars divide.

    Raises
    ------
    ValueError
        When there is no row of dashes.
    """
    from astropy.table import Table

    lines = [line for line in read_text(path).splitlines() if line.strip() and line[0] != "#"]
    dashes = next(i for i, line in enumerate(lines) if re.fullmatch(r"[-\t;| ]*---[-\t;| ]*", line))
    separator = next((c for c in "\t;|" if c in lines[dashes]), None)
    if separator is None or dashes < 1:
        raise ValueError("no table of VizieR's")
    units = [unit.strip() for unit in lines[dashes - 1].split(separator)]
    names = lines[0].split(separator)
    rows = [[cell.strip() for cell in line.split(separator)] for line in lines[dashes + 1 :]]
    text = [separator.join(name.strip() for name in names), *(separator.join(row) for row in rows)]
    kind = "ascii.tab" if separator == "\t" else "ascii.basic"
    table = Table.read(text, format=kind, delimiter=separator, guess=False)
    if dashes > 1:
        for name, unit in zip(table.colnames, units, strict=False):
            table[name].unit = {'"h:m:s"': None, '"d:m:s"': None}.get(unit, unit or None)
    return table


def _with_plain_positions(table: Table) -> Table:
    """The table with right ascension and declination of a column of sky coordinates, as photutils
    makes it, in columns of their own.
    """
    from astropy.coordinates import SkyCoord

    if has_positions(table):
        return table
    for name in list(table.colnames):
        if isinstance(table[name], SkyCoord):
            sky = table[name].icrs
            table["ra"], table["dec"] = sky.ra.to("deg"), sky.dec.to("deg")
            table.remove_column(name)
            break
    return table


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
