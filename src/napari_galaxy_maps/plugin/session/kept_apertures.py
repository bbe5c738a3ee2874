"""Apertures as an ECSV table that loses nothing of them: names, rings, polygons, and what is taken
out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from io import StringIO
from typing import Any

import numpy as np

from ...data.galaxy import Ellipse
from ...exceptions import InputError
from ...measure.apertures.aperture import Aperture

_UNITS = {"ra": "deg", "dec": "deg", "a": "arcsec", "b": "arcsec", "pa": "deg"}
_COLUMNS = ("number", "out_of", "name", "shape", *_UNITS, "inner", "corners")


@lru_cache(maxsize=64)
def apertures_text(apertures: tuple[Aperture, ...]) -> str:
    """Apertures as a table in ECSV.

    Returns
    -------
    str
        A row an aperture: ``number`` from 1, ``out_of`` (the number of the one that it is taken out
        of, 0 for those that are measured), ``name`` (in JSON), ``shape``, the ellipse, ``inner``,
        and ``corners`` (ICRS degrees, in JSON) of polygons.
    """
    from astropy.table import Table

    rows = list(_rows(apertures))
    columns = list(zip(*rows, strict=True)) or [()] * len(_COLUMNS)
    kinds = (int, int, str, str, *(float for _ in _UNITS), float, str)
    table = Table(
        {
            name: np.array(values, kind)
            for name, values, kind in zip(_COLUMNS, columns, kinds, strict=True)
        }
    )
    for name, unit in _UNITS.items():
        table[name].unit = unit
    text = StringIO()
    table.write(text, format="ascii.ecsv")
    return text.getvalue()


def _rows(apertures: Sequence[Aperture]) -> Iterator[tuple[Any, ...]]:
    waiting = [(aperture, 0) for aperture in apertures]
    number = 0
    while waiting:
        aperture, out_of = waiting.pop(0)
        number += 1
        shape, nothing = aperture.shape, float("nan")
        if isinstance(shape, Ellipse):
            kind, numbers = "ellipse", (shape.ra, shape.dec, shape.a, shape.b, shape.pa)
            corners = "[]"
        else:
            kind, numbers = "polygon", (nothing,) * 5
            corners = json.dumps([[float(ra), float(dec)] for ra, dec in shape])
        yield (
            number,
            out_of,
            json.dumps(aperture.name),
            kind,
            *map(float, numbers),
            float(aperture.inner),
            corners,
        )
        waiting += [(hole, number) for hole in aperture.without]


def apertures_of(text: str) -> tuple[Aperture, ...]:
    """The apertures of a table that `apertures_text` made.

    Raises
    ------
    InputError
        With what is wrong alone; the caller names the file.
    """
    from astropy.table import Table

    try:
        rows = Table.read(text.splitlines(), format="ascii.ecsv")[list(_COLUMNS)]
        parts = [dict(zip(_COLUMNS, row, strict=True)) for row in rows.iterrows()]
        holes: dict[int, list[Aperture]] = {}
        # What is taken out of an aperture stands behind it.
        for part in reversed(parts):
            own = tuple(reversed(holes.pop(int(part["number"]), [])))
            aperture = Aperture(_shape(part), _name(part), float(part["inner"]), own)
            holes.setdefault(int(part["out_of"]), []).append(aperture)
        return tuple(reversed(holes.pop(0, [])))
    except InputError:
        raise
    except Exception as error:  # of the table's reader, too, which has errors of its own
        raise InputError(str(error).partition("\n")[0]) from None


def _name(part: dict[str, Any]) -> str:
    name = json.loads(str(part["name"]))
    if not isinstance(name, str):
        raise ValueError(f"{name!r} is no name")
    return name


def _shape(part: dict[str, Any]) -> Ellipse | tuple[tuple[float, float], ...]:
    if part["shape"] == "ellipse":
        return Ellipse(*(float(part[name]) for name in _UNITS))
    return tuple((float(ra), float(dec)) for ra, dec in json.loads(str(part["corners"])))
