"""Radial profiles as figures: several maps over one radius, axes for each, and in them prediction
and truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...data.properties import PROPERTIES
from ...exceptions import InputError

if TYPE_CHECKING:
    from astropy.table import QTable
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Shown = Literal["mean", "median", "growth"]

RADII = {"r": "arcsec", "r_kpc": "kpc", "r_r25": "R/R25", "r_rhalf": "R/R_half"}
"""Columns of radius in a profile, and what they are in."""

_COLOURS = ("#1b1b1b", "#2e86ab", "#d1495b", "#3a7d44")


def draw_profiles(
    figure: Figure,
    table: QTable,
    radius: str = "r",
    shown: Shown = "mean",
    colours: Sequence[str] = _COLOURS,
) -> list[Axes]:
    """Draw the profiles of a table into an empty figure: one above the other, over the same radius.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    table : QTable
        Of `profiles.radial_profile`.
    radius : str
        One of `RADII`.
    shown : str
        The mean with its error, the median between the 16th and 84th percentile, or the sum inside
        the radius (`growth`, over the outer edges of the annuli).
    colours : sequence of str
        Of the sources: the prediction, the truth, ...

    Returns
    -------
    list of matplotlib.axes.Axes
        A set for each map, from the top; a map that does not add up has no growth curve, and is
        left out of those.

    Raises
    ------
    InputError
        When the table has no such radius, or no map that adds up for a growth curve.
    """
    if radius not in table.colnames:
        raise InputError(
            f"The profile is not known in {RADII[radius]}; choose another unit of radius."
        )
    names = list(dict.fromkeys(table["map"].tolist()))
    if shown == "growth":
        names = [name for name in names if np.isfinite(table["growth"][table["map"] == name]).any()]
    if not names:
        raise InputError(
            "There is no growth curve: ratios and temperatures do not add up, and surface "
            "densities need the distance."
        )
    sources = list(dict.fromkeys(table["source"].tolist()))
    axes = list(np.ravel(figure.subplots(len(names), 1, sharex=True, squeeze=False)))
    for part, name in zip(axes, names, strict=True):
        mine = table[table["map"] == name]
        for i, source in enumerate(sources):
            rows = mine[mine["source"] == source]
            if len(rows):
                _draw(
                    part,
                    rows,
                    radii(rows, radius, shown),
                    shown,
                    colours[i % len(colours)],
                    str(source),
                )
        part.set_ylabel(_label(name, mine, shown, short=len(names) > 1))
    axes[-1].set_xlabel(RADII[radius])
    axes[-1].set_xlim(left=0)
    return axes


def profiles_figure(table: QTable, radius: str = "r", shown: Shown = "mean") -> Figure:
    """`draw_profiles` on a page of its own; raises as that does."""
    from matplotlib.figure import Figure

    n = len(dict.fromkeys(table["map"].tolist()))
    figure = Figure(figsize=(5.6, 3.8 if n == 1 else 1.2 + 1.7 * n), layout="constrained")
    axes = draw_profiles(figure, table, radius, shown)
    for part in axes:
        part.spines[["top", "right"]].set_visible(False)
    axes[0].legend(frameon=False)
    return figure


def radii(rows: QTable, radius: str, shown: str) -> np.ndarray:
    """Where the points of a profile lie: at the mean radii of the annuli, those of a growth curve
    at their outer edges.
    """
    x = np.asarray(getattr(rows[radius], "value", rows[radius]), float)
    if shown != "growth":
        return x
    r, outer = (np.asarray(rows[column].value, float) for column in ("r", "r_out"))
    edges: np.ndarray = x / r * outer
    return edges


def _draw(axes: Axes, rows: QTable, x: np.ndarray, shown: str, colour: str, label: str) -> None:
    value = {
        name: np.asarray(rows[name], float)
        for name in ("mean", "mean_err", "median", "p16", "p84", "growth", "growth_err")
    }
    style: dict[str, Any] = {"color": colour, "marker": "o", "ms": 3, "lw": 1.2, "label": label}
    if shown == "median":
        axes.fill_between(x, value["p16"], value["p84"], color=colour, alpha=0.25, lw=0)
        axes.plot(x, value["median"], **style)
        return
    error = np.where(np.isfinite(value[f"{shown}_err"]), value[f"{shown}_err"], 0)
    axes.errorbar(x, value[shown], error, elinewidth=0.8, capsize=2, **style)


def _label(name: str, rows: QTable, shown: str, short: bool) -> str:
    unit = str(rows["sum_unit" if shown == "growth" else "mean_unit"][0])
    unit = unit.replace("solLum", "Lsun").replace("solMass", "Msun")
    if unit.startswith("dex("):
        unit = f"log {unit[4:-1]}"
    prop = PROPERTIES.get(name)
    return f"{prop.label if prop is not None else name}{chr(10) if short else ' '}[{unit}]"
