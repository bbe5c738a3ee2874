"""Tables of the evaluation: whole-galaxy values of prediction and truth, and sums by ellipse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...exceptions import InputError
from ..apertures.planes import maps_distance, planes_of
from ..apertures.totals import galaxy_totals
from ..compare.comparison import Comparison
from ..compare.stellar_scores import comparison_sums
from ..figures.galaxy_figures import label_of

if TYPE_CHECKING:
    from astropy.table import QTable


def totals_beside(comparison: Comparison) -> QTable | None:
    """Whole-galaxy values of prediction and truth over the pixels that both have; None where the
    distance is not known.

    Returns
    -------
    astropy.table.QTable
        ``map what value err err_max true unit difference``, the difference in dex (or K, Gyr);
        ``err_max`` where `galaxy_totals` has it.
    """
    from astropy.table import QTable

    distance = maps_distance(comparison.maps)
    if distance is None:
        return None
    both = [
        np.isfinite(comparison.maps.values[name]) & np.isfinite(comparison.truth.values[name])
        for name in comparison.maps.values
    ]
    blank = ~np.logical_and.reduce(both)
    if blank.all():
        return None
    found = []
    for maps in (comparison.maps, comparison.truth):
        values = {
            name: np.where(blank, np.float32(np.nan), plane) for name, plane in maps.values.items()
        }
        both_known = replace(maps, values=values, filling=None)
        found.append(galaxy_totals(planes_of(both_known, distance_mpc=distance)))
    rows, kept = [], ("map", "what", "value", "err", "err_max")
    for mine, true in zip(*found, strict=True):
        key = "log10" if np.isfinite(mine["log10"]) else "value"
        rows.append(
            {name: mine[name] for name in kept if name in found[0].colnames}
            | {"true": true["value"], "unit": mine["unit"], "difference": mine[key] - true[key]}
        )
    return QTable(rows)


def stellar_sums(comparisons: Sequence[Comparison]) -> tuple[list[QTable], list[str]]:
    """`comparison_sums` of the galaxies that have a map of stars, and notes on them and on the
    others.
    """
    found, notes = [], []
    for number, comparison in enumerate(comparisons):
        label = label_of(comparison, number)
        try:
            found.append(comparison_sums(comparison))
        except InputError as error:
            notes.append(f"{label}: {error}")
        else:
            notes += [f"{label}: {note}" for note in found[-1].meta["notes"]]
    return found, notes
