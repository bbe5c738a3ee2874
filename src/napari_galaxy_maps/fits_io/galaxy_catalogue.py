"""What is known of a galaxy, from a table of galaxies such as HyperLEDA's or DustPedia's."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..constants import SPEED_OF_LIGHT_KM_S
from ..data.ranges import REDSHIFT
from ..exceptions import InputError
from .hubble_stages import hubble_stage_of
from .source_tables import columns_by_name, has_positions, read_table, table_positions

if TYPE_CHECKING:
    from astropy.table import Row, Table

_NAME = ("name", "objname", "galaxy", "object", "main_id", "id", "target", "source", "pgc")
_NEAR_ARCSEC = 60.0

_Column = tuple[str, str, Callable[[float], float]]


def _columns(
    names: str, unit: str = "", convert: Callable[[float], float] = float
) -> tuple[_Column, ...]:
    return tuple((name, unit, convert) for name in names.split())


_COLUMNS: dict[str, tuple[_Column, ...]] = {
    "d25": (
        *_columns("d25 d25_arcmin", "arcmin"),
        *_columns("d25_arcsec", "arcsec", lambda x: x / 60),
        *_columns("diameter", "arcmin"),
        *_columns("logd25", convert=lambda x: 0.1 * 10**x),  # of 0.1 arcmin, as in HyperLEDA, RC3
    ),
    "axis_ratio": (
        *_columns("axis_ratio b_a b/a ba axial_ratio", convert=lambda x: x if x <= 1 else 1 / x),
        *_columns("logr25", convert=lambda x: 10**-x),
    ),
    "position_angle": _columns("pa position_angle posang pos_angle pa_deg", "deg"),
    "distance": (
        *_columns("distance dist dist_best distance_mpc dist_mpc d_mpc", "Mpc"),
        *_columns("modbest mod0 dm distance_modulus", convert=lambda x: 10 ** ((x - 25) / 5)),
    ),
    "redshift": (
        *_columns("redshift z"),
        *_columns(
            "v velocity vhelio v_helio cz vcmb ned_v_corr ned_v_helio hyperleda_v_helio",
            "km / s",
            lambda x: x / SPEED_OF_LIGHT_KM_S,
        ),
    ),
}
"""For every setting the columns that give it: name, unit where the table gives none, and how it
becomes the setting.
"""
_LEAST = {"position_angle": -np.inf, "redshift": REDSHIFT.least}
"""From where on a number is taken as one; of other settings those that are positive."""
_OF_GALAXIES = {name for key in ("d25", "axis_ratio", "redshift") for name, _, _ in _COLUMNS[key]}


def galaxy_from_table(
    path: str | Path, name: str = "", position: tuple[float, float] | None = None
) -> tuple[dict[str, Any], str]:
    """What a table tells of one galaxy.

    Parameters
    ----------
    path : str or Path
        FITS, VOTable, ECSV or CSV, a galaxy a row. Columns are known by their names in HyperLEDA,
        DustPedia and RC3, and those that people give: D25 in arcmin or as a logarithm, axis ratio
        b/a, a/b or log r25, position angle, distance or its modulus, redshift or velocity, Hubble
        stage.
    name : str
        The galaxy's name; spaces, leading zeros and capitals do not matter.
    position : tuple of float, optional
        RA and Dec (ICRS, degrees), for a galaxy that is not found by its name: within an arcmin.

    Returns
    -------
    settings : dict
        By their names in `recipe.GalaxySettings`; only what the table tells.
    words : str
        Where they are from, and what was left out.

    Raises
    ------
    InputError
        When the file is no table of galaxies, or does not have this one.
    """
    path = Path(path).expanduser()
    if not name and position is None:
        raise InputError(
            f"Which galaxy of {path.name}? Give its name or its position.",
            "galaxy.name",
            "galaxy.ra",
            "galaxy.dec",
        )
    table = read_table(path, "galaxies")
    # A table without positions will do where the name is found.
    sky = table_positions(table, path)[0] if has_positions(table) or not name else None
    index, how = _find(table, sky, path, name, position)
    row, columns = table[index], columns_by_name(table)
    found: dict[str, Any] = {}
    if sky is not None and np.isfinite(sky[index].ra.deg):
        found = {
            "ra": round(float(sky[index].ra.deg), 6),
            "dec": round(float(sky[index].dec.deg), 6),
        }
    for setting in _COLUMNS:
        value = _value(row, columns, setting)
        if value is not None:
            found[setting] = value
    left = ""
    if "semimaj_arcsec" in columns and {"pos_angle", "axial_ratio"} <= set(columns):
        # DustPedia's apertures: the angle is counted from west, as images of its galaxies show.
        if "position_angle" in found:
            found["position_angle"] += 90
        left = "; its aperture is no D25 and was not taken as one" if "d25" not in found else ""
    if "position_angle" in found:
        found["position_angle"] = round(found["position_angle"] % 180, 4)
    stage, why = hubble_stage_of(row, columns, _OF_GALAXIES)
    if stage is not None:
        found["hubble_stage"] = stage
    left += why and f"; {why}"
    values = ", ".join(f"{key.replace('_', ' ')} {value:g}" for key, value in found.items())
    return found, f"from {path.name}, {how}: {values or 'nothing'}{left}"


def plain_name(name: str) -> str:
    """A galaxy's name in one spelling.

    Examples
    --------
    >>> plain_name("NGC 0309"), plain_name("ngc309")
    ('NGC309', 'NGC309')
    >>> plain_name("ESO 149-013"), plain_name("Messier 51")
    ('ESO149-13', 'M51')
    """
    text = re.sub(r"[\s_]+", "", str(name).upper())
    text = re.sub(r"^MESSIER(?=\d)", "M", text)
    return re.sub(r"(?<!\d)0+(?=\d)", "", text)


def _find(
    table: Table, sky: Any, path: Path, name: str, position: tuple[float, float] | None
) -> tuple[int, str]:
    from astropy.coordinates import SkyCoord

    columns = columns_by_name(table)
    column = next((columns[key] for key in _NAME if key in columns), None)
    names = [] if column is None else [plain_name(value) for value in table[column]]
    if name and plain_name(name) in names:
        index = names.index(plain_name(name))
        return index, f"{table[column][index]}"
    if position is not None and sky is not None:
        away = SkyCoord(*position, unit="deg").separation(sky).arcsec
        index = int(np.nanargmin(away))
        if away[index] < _NEAR_ARCSEC:
            called = f"{table[column][index]}, " if column is not None else ""
            return index, f"{called}{away[index]:.0f} arcsec from the position given"
    like = get_close_matches(plain_name(name), names, 2) if name else []
    asked = (
        f"called {name}"
        if name
        else f"within an arcmin of RA {position[0]:.4f}, Dec {position[1]:.4f}"
        if position
        else ""
    )
    hint = f" (is it {' or '.join(like)}?)" if like else ""
    raise InputError(
        f"{path} has no galaxy {asked}{hint}; correct the name, or give what is known of it by "
        "itself."
    )


def _value(row: Row, columns: dict[str, str], setting: str) -> float | None:
    from astropy import units as u

    for key, unit, convert in _COLUMNS[setting]:
        if key not in columns:
            continue
        try:
            value = float(np.ma.filled(np.ma.asarray(row[columns[key]], dtype=float), np.nan))
            given = row.table[columns[key]].unit
            if given is not None and unit and u.Unit(given).is_equivalent(unit):
                value = float(
                    u.Quantity(value, given).to_value(u.arcmin if setting == "d25" else unit)
                )
                if setting == "d25":
                    convert = float
            value = convert(value)
        except (TypeError, ValueError, OverflowError):
            continue
        least = _LEAST.get(setting)
        if np.isfinite(value) and (value > 0 if least is None else value >= least):
            return float(f"{value:.7g}")
    return None
