"""Maps as a table, a row for each pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.flags import column_description
from ..data.maps import PropertyMaps
from ..data.properties import PROPERTIES, Property

if TYPE_CHECKING:
    from astropy.table import QTable


def pixel_table(maps: PropertyMaps) -> QTable:
    """The pixels that have a value in any of the maps.

    Returns
    -------
    astropy.table.QTable
        ``x``, ``y`` (from 0), ``ra``, ``dec`` (ICRS), every map and its error (``NAME_ERR``;
        ``NAME_ERR_GALAXY`` is the part that the galaxy's pixels share) in their units, and
        ``flags``. A logarithm is in dex of its argument's unit, its error in dex.
    """
    from astropy import units as u
    from astropy.table import QTable

    has_value = np.zeros(maps.shape, bool)
    for plane in maps.values.values():
        has_value |= np.isfinite(plane)
    y, x = np.nonzero(has_value)
    sky = maps.wcs.pixel_to_world(x, y).icrs
    table = QTable({"x": x, "y": y, "ra": sky.ra.to(u.deg), "dec": sky.dec.to(u.deg)})
    for name, plane in maps.values.items():
        unit, error_unit = _units(PROPERTIES[name])
        table[name] = plane[has_value] * unit
        for end, planes in (("ERR", maps.errors), ("ERR_GALAXY", maps.galaxy_errors)):
            if name in planes:
                table[f"{name}_{end}"] = planes[name][has_value] * error_unit
    table["flags"] = maps.flags[has_value]
    table["flags"].info.description = column_description(table["flags"], maps.unknown_flags)
    table.meta["object"] = str(maps.provenance.get("object", ""))
    table.meta["model"] = str(maps.provenance.get("model", ""))
    return table


def _units(prop: Property) -> tuple[Any, Any]:
    """Units of a property's values and of its errors."""
    from astropy import units as u

    if prop.log_unit:
        return u.dex(u.Unit(prop.log_unit)), u.dex
    return u.Unit(prop.unit), u.Unit(prop.unit)
