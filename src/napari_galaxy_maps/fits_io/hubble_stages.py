"""The Hubble stage of a galaxy in a table, and why what looks like one was not taken."""

from __future__ import annotations

import re
from collections.abc import Set
from typing import TYPE_CHECKING

import numpy as np

from ..data.ranges import HUBBLE_STAGE

if TYPE_CHECKING:
    from astropy.table import Column, Row

_SAYS_IT = ("hubble_stage", "hubblestage", "hubble_type", "hubbletype", "ttype", "t_type", "t-type")
_MAY_BE = ("t", "tt")
"""A stage in HyperLEDA, DustPedia, RC3 and S4G, and elsewhere a temperature or a time."""
_IN_LETTERS = ("type", "morphology", "morph", "morph_type", "morphtype", "mtype")
_BESIDE = {"t_err", "e_t", *_IN_LETTERS}
_CODES = (90, 99, 999, -99, -999)
"""Of irregulars without a stage (I0), of peculiar galaxies, and of what is not known."""
_LEAST, _MOST = -6, 12
"""Stages in catalogues: compact ellipticals have -6, compact and dwarf irregulars 11 and 12."""
_BEYOND = 0.5
"""So far means of several classifiers may lie beyond the ends: less than classifiers differ."""
_HUBBLE_TYPE = re.compile(r"(\(R'?\))?[cd]?(E([\d?+/-]|$)|S([AB0abcdm?]|$)|I([ABm?r\d]|$))")


def hubble_stage_of(
    row: Row, columns: dict[str, str], of_galaxies: Set[str]
) -> tuple[float | None, str]:
    """What a row of a table of galaxies says of the Hubble stage T (de Vaucouleurs).

    Parameters
    ----------
    row : astropy.table.Row
    columns : dict of str to str
        The table's columns by their names in lower case.
    of_galaxies : set of str
        Names of columns beside which a column T can be a stage.

    Returns
    -------
    stage : float or None
        From -5 to 10; None where the row does not tell it.
    words : str
        Why something that may be meant for it was not taken; else empty.
    """
    why = ""
    for key in (*_SAYS_IT, *_MAY_BE):
        if key not in columns or (key in _MAY_BE and not (of_galaxies | _BESIDE) & set(columns)):
            continue
        column = row.table[columns[key]]
        values = _numbers(column)
        if values is None:
            continue
        if key in _MAY_BE and not _are_stages(column, values):
            why = f"its column {columns[key]} holds other values than Hubble stages"
            continue
        value = float(values[row.index])
        if np.isfinite(value) and value not in _CODES:
            nearest = min(max(value, HUBBLE_STAGE.least), HUBBLE_STAGE.most)
            if abs(value - nearest) <= _BEYOND:
                value = nearest
            trouble = HUBBLE_STAGE.trouble(value)
            if trouble:
                return None, f"its Hubble stage {trouble}, and was not taken"
            return float(f"{value:.7g}"), ""
    return None, _of_letters(row, columns) or why


def _of_letters(row: Row, columns: dict[str, str]) -> str:
    """What is said of a Hubble type in letters: catalogues differ in the number of one type."""
    for key in (*_IN_LETTERS, *_SAYS_IT, *_MAY_BE):
        text = str(row[columns[key]]).strip() if key in columns else ""
        if _HUBBLE_TYPE.match(text):
            return f"its type {text} is no number, and was not taken as a Hubble stage"
    return ""


def _numbers(column: Column) -> np.ndarray | None:
    """A column's numbers, NaN where a row has none or words; None where no row can have one."""
    if column.ndim != 1 or column.dtype.kind not in "iufUS":
        return None
    if column.dtype.kind in "iuf":
        return np.asarray(np.ma.filled(np.ma.asarray(column).astype(float), np.nan))
    return np.array([_number(text) for text in column])


def _number(text: object) -> float:
    try:
        return float(str(text))
    except ValueError:  # words, or nothing
        return np.nan


def _are_stages(column: Column, values: np.ndarray) -> bool:
    """Whether a column that is called T can be the stages of galaxies."""
    known = values[np.isfinite(values) & ~np.isin(values, _CODES)]
    if known.size and not (known.min() >= _LEAST and known.max() <= _MOST):
        return False
    return str(column.unit or "") == ""
