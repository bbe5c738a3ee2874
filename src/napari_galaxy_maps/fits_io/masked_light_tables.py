"""The table FILLED_MASKS: what lies under masks, a row a pixel, in files of cubes and of maps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.masked_light import Holes, MapFilling, MaskedLight
from ..data.properties import PROPERTIES
from ..exceptions import InputError

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU, HDUList

TABLE = "FILLED_MASKS"
_ENDS = ("", "_ERR", "_ERR_GALAXY")


def light_table(light: MaskedLight) -> BinTableHDU:
    """The light of a cube's bands under masks: X, Y (from 0), HOLE, WANTED, and DATA, ERR and
    NOISE, an element for each band, in MJy/sr.
    """
    from astropy.io import fits

    n = len(light.data)
    return _table(
        light,
        [
            fits.Column("WANTED", "L", array=light.wanted),
            fits.Column("DATA", f"{n}E", "MJy/sr", array=light.data.T),
            fits.Column("ERR", f"{n}E", "MJy/sr", array=light.uncertainty.T),
            fits.Column("NOISE", f"{n}E", "MJy/sr", array=light.noise.T),
        ],
    )


def filling_table(filling: MapFilling) -> BinTableHDU:
    """Values of maps under masks: X, Y (from 0), HOLE, and NAME, NAME_ERR, NAME_ERR_GALAXY of each
    map in its unit.
    """
    from astropy.io import fits

    parts: tuple[Mapping[str, np.ndarray], ...] = (
        filling.values,
        filling.errors,
        filling.galaxy_errors,
    )
    columns = [
        fits.Column(f"{name}{end}", "E", PROPERTIES[name].unit, array=part[name])
        for name in filling.values
        for end, part in zip(_ENDS, parts, strict=True)
        if name in part
    ]
    return _table(filling, columns)


def _table(holes: Holes, columns: list[Any]) -> BinTableHDU:
    from astropy.io import fits

    places = [
        fits.Column(name, "J", array=values)
        for name, values in (("X", holes.columns), ("Y", holes.rows), ("HOLE", holes.holes))
    ]
    return fits.BinTableHDU.from_columns([*places, *columns], name=TABLE)


def read_light(
    hdus: HDUList, n_bands: int, shape: tuple[int, int], path: Path
) -> MaskedLight | None:
    """The light under masks in a cube's file; None where it has none.

    Raises
    ------
    InputError
        When the table does not fit the cube.
    """
    if TABLE not in hdus:
        return None
    table = hdus[TABLE].data
    with _readable(path):
        where = _places(table, shape)
        data, uncertainty, noise = (
            np.ascontiguousarray(np.reshape(table[name], (-1, n_bands)).T, np.float32)
            for name in ("DATA", "ERR", "NOISE")
        )
        wanted = np.array(table["WANTED"], bool)
    return MaskedLight(*where, data, uncertainty, noise, wanted)


def read_filling(
    hdus: HDUList, values: Mapping[str, Any], shape: tuple[int, int], path: Path
) -> MapFilling | None:
    """Values of maps under masks in their file; None where it has none.

    Parameters
    ----------
    hdus : HDUList
    values : mapping
        Has the names of the maps that the file holds.
    shape : tuple of int
        Of the maps.
    path : Path
        Of the file.

    Raises
    ------
    InputError
        When the table does not fit the maps.
    """
    if TABLE not in hdus:
        return None
    table = hdus[TABLE].data
    with _readable(path):
        where = _places(table, shape)
        parts = [
            {
                name: np.array(table[f"{name}{end}"], np.float32)
                for name in values
                if f"{name}{end}" in table.names
            }
            for end in _ENDS
        ]
    return MapFilling(*where, *parts)


def _places(table: Any, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and numbers of holes; a ValueError where a pixel lies off the grid."""
    rows, columns, holes = (np.array(table[name], np.int32) for name in ("Y", "X", "HOLE"))
    if rows.ndim != 1 or any(
        part.size and not (part.min() >= 0 and part.max() < n)
        for part, n in zip((rows, columns), shape, strict=True)
    ):
        raise ValueError("a pixel lies off the image")
    if holes.size and holes.min() < 1:
        raise ValueError("HOLE counts from 1")
    return rows, columns, holes


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """What is wrong with the table of a file becomes a sentence."""
    try:
        yield
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: its table {TABLE} cannot be read ({error}); make the file anew."
        ) from None
