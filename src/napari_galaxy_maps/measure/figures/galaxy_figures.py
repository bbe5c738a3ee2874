"""Figures of galaxies as wholes beside their truths: maps, means (DB21 Sect. 3), and sums by
ellipse (PICASSO Sect. 4), with their tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.properties import PROPERTIES
from ...exceptions import InputError
from ..compare.comparison import IN_LOG, Comparison, pixels_of
from ..compare.residuals import residual_maps
from ..compare.stellar_scores import INSIDE, summarise
from .prediction_figures import (
    INK,
    LINE,
    PERCENTILES,
    TRUTH,
    axis_label,
    one_to_one,
)

if TYPE_CHECKING:
    from astropy.table import QTable
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_SIDE_BY_SIDE = 9
"""Galaxies in one figure of maps, as many as DB21 show: a page."""


def label_of(comparison: Comparison, number: int) -> str:
    """What a galaxy is called in figures and tables, the `number`-th of several."""
    return (
        comparison.name or str(comparison.maps.provenance.get("file", "")) or f"galaxy {number + 1}"
    )


def side_by_side(
    comparisons: Comparison | Sequence[Comparison], name: str, cell: float = 3.1
) -> tuple[Figure, QTable]:
    """Truth, prediction, residual and predicted error of one property, a row for each galaxy (DB21
    figures 5 and 6).

    All galaxies have the same colours. Of more than `MOST_SIDE_BY_SIDE` the first are shown.

    Parameters
    ----------
    comparisons : Comparison or sequence of Comparison
    name : str
        The property.
    cell : float
        Width of a map in inches.

    Returns
    -------
    Figure
    QTable
        ``galaxy map min p16 p50 p84 max`` of each of the four.

    Raises
    ------
    InputError
        When no galaxy has the property.
    """
    from astropy.table import QTable
    from matplotlib.figure import Figure

    several = [comparisons] if isinstance(comparisons, Comparison) else list(comparisons)
    with_property = [(label_of(c, i), c) for i, c in enumerate(several) if name in c.maps.values]
    galaxies = []
    for label, comparison in with_property:
        planes = _maps_side_by_side(comparison, name)
        if np.isfinite(planes["residual"]).any():
            galaxies.append((label, planes))
    galaxies = galaxies[:MOST_SIDE_BY_SIDE]
    if not galaxies:
        raise InputError(f"No pixel has both a prediction and a truth of {name}.")
    colours = _colour_limits([planes for _, planes in galaxies], name)
    figure = Figure(
        figsize=(cell * len(colours), 0.82 * cell * len(galaxies) + 0.75), layout="constrained"
    )
    grid = figure.subplots(len(galaxies), len(colours), squeeze=False)
    rows = []
    for line, (label, planes) in zip(grid, galaxies, strict=True):
        _draw_row(line, planes, colours)
        if len(galaxies) > 1:
            line[0].set_ylabel(label, fontsize="small")
        for key in colours:
            values = planes[key][np.isfinite(planes[key])]
            if values.size:
                rows.append((label, key, *np.percentile(values, (0, *PERCENTILES, 100)).tolist()))
    for column, key in zip(grid.T, colours, strict=True):
        _name_column(figure, column, key, small=cell < 2)
    prop = PROPERTIES[name]
    title = f"{prop.label} [{prop.unit}]" if name in IN_LOG else axis_label(name)
    title = title if len(galaxies) > 1 else f"{with_property[0][1].name}  {title}".strip()
    if len(with_property) > len(galaxies):
        title += f", {len(galaxies)} of {len(with_property)} galaxies"
    figure.suptitle(title, fontsize="medium")
    return figure, QTable(rows=rows, names=("galaxy", "map", "min", "p16", "p50", "p84", "max"))


def _maps_side_by_side(comparison: Comparison, name: str) -> dict[str, np.ndarray]:
    """Truth, prediction, residual and error where both have a value, else NaN; each (ny, nx)."""
    residual = residual_maps(comparison.maps, comparison.truth).values[name]
    both = np.isfinite(residual)
    planes = {
        "truth": comparison.truth.values[name],
        "prediction": comparison.maps.values[name],
        "residual": residual,
        "predicted error": comparison.maps.errors.get(name, np.full(residual.shape, np.nan)),
    }
    return {key: np.where(both, plane, np.nan) for key, plane in planes.items()}


def _colour_limits(
    galaxies: Sequence[dict[str, np.ndarray]], name: str
) -> dict[str, tuple[float, float, str]]:
    """Lowest and highest value and colour map of each kind of map that has any value, the same for
    all galaxies.
    """

    def all_of(key: str) -> np.ndarray:
        return np.concatenate([planes[key][np.isfinite(planes[key])] for planes in galaxies])

    common = np.concatenate([all_of("truth"), all_of("prediction")])
    low, high = (float(limit) for limit in np.percentile(common, (1, 99)))
    reach = float(np.percentile(np.abs(all_of("residual")), 99)) or 1.0
    colours = PROPERTIES[name].colormap
    limits = {
        "truth": (low, high, colours),
        "prediction": (low, high, colours),
        "residual": (-reach, reach, "RdBu_r"),
    }
    errors = all_of("predicted error")
    if errors.size:
        limits["predicted error"] = (0.0, float(np.percentile(errors, 99)) or 1.0, "magma")
    return limits


def _draw_row(
    line: Sequence[Axes],
    planes: dict[str, np.ndarray],
    colours: dict[str, tuple[float, float, str]],
) -> None:
    """The maps of one galaxy, cut to where both have a value."""
    y, x = np.nonzero(np.isfinite(planes["residual"]))
    xlim, ylim = (x.min() - 1.5, x.max() + 1.5), (y.min() - 1.5, y.max() + 1.5)
    for axes, (key, (low, high, tones)) in zip(line, colours.items(), strict=True):
        axes.imshow(planes[key], origin="lower", vmin=low, vmax=high, cmap=tones)
        axes.set(xticks=[], yticks=[], xlim=xlim, ylim=ylim)


def _name_column(figure: Figure, column: Sequence[Axes], key: str, small: bool) -> None:
    """A heading over the maps of one kind, and their colour bar below."""
    from matplotlib.ticker import MaxNLocator

    column[0].set_title(key, fontsize="small" if small else "large")
    image = column[-1].images[0]
    place: dict[str, Any] = {"location": "bottom", "shrink": 0.9, "aspect": 25, "pad": 0.02}
    bar = figure.colorbar(image, ax=column, **place)
    bar.ax.tick_params(labelsize="small")
    bar.ax.xaxis.set_major_locator(MaxNLocator(2 if small else 4))


def galaxies_against_truth(comparisons: Sequence[Comparison], name: str) -> tuple[Figure, QTable]:
    """The means of galaxies, predicted against true, over the density of their pixels, and how much
    of the error is theirs.

    DB21 Sect. 3: about two thirds of the squared error of pixels is between galaxies. The share is
    of the mean over galaxies of their squared bias in the mean of their mean squared residual.

    Returns
    -------
    Figure
    QTable
        A row for each galaxy: ``galaxy n true predicted bias rmse within chi2``: means over the
        pixels that have both, the rms of the residual, that about the galaxy's own bias, and the
        mean of z squared; ``meta["between"]`` is the share between galaxies.

    Raises
    ------
    InputError
        When no pixel has both.
    """
    from astropy.table import QTable

    pixels = pixels_of(comparisons, name)
    z = pixels.z
    rows = []
    for number in np.unique(pixels.galaxy):
        mine = pixels.galaxy == number
        residual, known = pixels.residual[mine], np.isfinite(z[mine])
        rows.append(
            {
                "galaxy": label_of(comparisons[int(number)], int(number)), "n": int(mine.sum()),
                "true": float(pixels.true[mine].mean()),
                "predicted": float(pixels.predicted[mine].mean()),
                "bias": float(residual.mean()), "rmse": float(np.sqrt((residual**2).mean())),
                "within": float(residual.std()),
                "chi2": float((z[mine][known] ** 2).mean()) if known.any() else np.nan,
            }
        )  # fmt: skip
    table = QTable(rows)
    total = float((np.asarray(table["rmse"]) ** 2).mean())
    share = float((np.asarray(table["bias"]) ** 2).mean()) / total if total else np.nan
    table.meta["between"] = share
    figure, axes = one_to_one(pixels, name)
    axes.errorbar(
        table["true"], table["predicted"], yerr=table["within"], fmt="o", ms=5, color=INK,
        ecolor=INK, elinewidth=0.7,
        mec="white", mew=0.6, label="galaxies, and the scatter in each",
    )  # fmt: skip
    if len(table) > 1:
        words = f"{100 * share:.0f} % of the squared error is between galaxies"
        axes.text(0.98, 0.02, words, transform=axes.transAxes, ha="right", fontsize="small")
    axes.legend(frameon=False, loc="upper left")
    return figure, table


def sums_against_truth(sums: Sequence[QTable], columns: int = 4) -> tuple[Figure, QTable]:
    """True against predicted sums inside 2 R_half, axes for each property, with bias and scatter
    (PICASSO Sect. 4, figure 5).

    Parameters
    ----------
    sums : sequence of QTable
        Of `stellar_scores.galaxy_sums`, one a galaxy.
    columns : int
        Properties side by side.

    Returns
    -------
    Figure
    QTable
        The rows of all galaxies inside 2 R_half, with their ``r_half`` in kpc.

    Raises
    ------
    InputError
        When no galaxy has a sum.
    """
    from astropy.table import QTable, vstack

    parts = []
    for number, table in enumerate(sums):
        part = QTable(table[table["region"] == "sum"], copy=True)
        part["galaxy"] = [str(part.meta["galaxy"]) or f"galaxy {number + 1}"] * len(part)
        part["r_half"], part["shape_from"] = part.meta["r_half"], part.meta["shape_from"]
        part.meta.clear()
        parts.append(part)
    if not parts or not any(np.isfinite(part["delta"]).any() for part in parts):
        raise InputError("No galaxy has a predicted and a true sum inside 2 R_half.")
    rows, summary = vstack(parts), summarise(sums)
    names = [key for key in dict.fromkeys(rows["property"].tolist()) if _drawn(rows, key).size]
    figure, grid = _small_multiples(len(names), columns)
    for axes, key in zip(grid, names, strict=True):
        mine = rows[rows["property"] == key]
        true, predicted = (_plotted(mine, column, key) for column in ("true", "predicted"))
        span = _wide(np.concatenate([true, predicted]))
        axes.plot(span, span, color=LINE, lw=1)
        axes.plot(
            true, predicted, "o", ms=5 if len(true) < 300 else 2, color=TRUTH, mew=0, alpha=0.7
        )
        scored = summary[(summary["property"] == key) & (summary["region"] == "sum")][0]
        words = f"$\\mu$ = {_signed(scored['bias'], scored['bias_err'])}"
        if np.isfinite(scored["scatter"]):
            words += (
                f"\n$\\sigma$ = {_signed(scored['scatter'], scored['scatter_err']).lstrip('+')}"
            )
        axes.text(0.04, 0.96, words, transform=axes.transAxes, va="top", fontsize="small")
        unit = str(mine["unit"][0]).replace("solMass", "Msun").replace("solLum", "Lsun")
        unit = f"log {unit}" if PROPERTIES[key].unit == "dex" and unit else unit or "dex"
        axes.set(
            xlim=span,
            ylim=span,
            aspect="equal",
            xlabel=f"true [{unit}]",
            ylabel=f"predicted [{unit}]",
        )
        axes.set_title(PROPERTIES[key].label, fontsize="medium")
    n = f"{len(sums)} galaxies" if len(sums) > 1 else "one galaxy"
    words = (
        f"Inside {INSIDE:g} R_half, {n}; log true - log predicted in dex:\n"
        "mean $\\mu$, scatter $\\sigma$"
    )
    figure.suptitle(words, fontsize="small")
    return figure, rows


def annuli_against_truth(sums: Sequence[QTable]) -> tuple[Figure, QTable]:
    """Bias and scatter of log true - log predicted by annuli out to 5 R_half, a line for each
    property (PICASSO Sect. 4, figure 6).

    Returns
    -------
    Figure
    QTable
        Of `stellar_scores.summarise`, the annuli.

    Raises
    ------
    InputError
        When no annulus has a value.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    summary = summarise(sums)
    table = summary[summary["region"] == "annulus"]
    names = [
        key
        for key in dict.fromkeys(table["property"].tolist())
        if (table["n"][table["property"] == key] > 0).any()
    ]
    if not names:
        raise InputError("No annulus has a predicted and a true sum.")
    several = bool(np.isfinite(table["scatter"]).any())
    figure = Figure(figsize=(5.8, 6.4 if several else 4.2), layout="constrained")
    panels = list(np.ravel(figure.subplots(2 if several else 1, 1, sharex=True, squeeze=False)))
    tones = colormaps["tab20" if len(names) > 10 else "tab10"]
    panels[0].axhline(0, color=INK, lw=0.8)
    for i, key in enumerate(names):
        mine = table[table["property"] == key]
        middle = (mine["inner"] + mine["outer"]) / 2
        for axes, column in zip(panels, ("bias", "scatter"), strict=False):
            error = np.nan_to_num(mine[f"{column}_err"])
            axes.errorbar(
                middle, mine[column], yerr=error, fmt="o-", ms=3, lw=1.2, elinewidth=0.7,
                color=tones(i),
                label=PROPERTIES[key].label,
            )  # fmt: skip
    panels[0].set_ylabel("bias [dex]")
    if several:
        panels[1].set(ylabel="scatter [dex]", ylim=(0, None))
    panels[-1].set_xlabel("radius / R_half")
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=3,
        frameon=False,
        fontsize="small",
    )
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
    n = f"{len(sums)} galaxies" if len(sums) > 1 else "one galaxy"
    panels[0].set_title(f"log true - log predicted, sums in annuli, {n}", fontsize="medium")
    return figure, table


def _small_multiples(n: int, most: int) -> tuple[Figure, list[Axes]]:
    from matplotlib.figure import Figure

    columns = min(n, most)
    rows = -(-n // columns)
    figure = Figure(figsize=(2.9 * columns, 2.8 * rows + 0.3), layout="constrained")
    grid = list(np.ravel(figure.subplots(rows, columns, squeeze=False)))
    for axes in grid[n:]:
        axes.remove()
    for axes in grid[:n]:
        axes.spines[["top", "right"]].set_visible(False)
    return figure, grid[:n]


def _plotted(rows: QTable, column: str, key: str) -> np.ndarray:
    """Sums in log10, ages and temperatures as they are; only of galaxies that have both."""
    values = np.asarray(rows[column], float)[np.isfinite(rows["delta"])]
    return np.log10(values) if PROPERTIES[key].unit == "dex" else values


def _drawn(rows: QTable, key: str) -> np.ndarray:
    return _plotted(rows[rows["property"] == key], "true", key)


def _wide(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    room = 0.08 * (high - low) or 0.5
    return low - room, high + room


def _signed(value: float, error: float) -> str:
    return f"{value:+.3f}" + (f" $\\pm$ {error:.3f}" if np.isfinite(error) else "")
