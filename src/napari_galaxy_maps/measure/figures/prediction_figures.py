"""Figures of the pixels of predictions beside truths (DB21 Sect. 3), of one galaxy or many, each
with the table behind it.

Pure matplotlib figures without pyplot: they can be saved as PNG, PDF or SVG, or put on a canvas of
a window.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.properties import PROPERTIES
from ...exceptions import InputError
from ..compare.comparison import IN_LOG
from ..compare.pixel_metrics import Pixels, chi2_by_galaxy, metrics

if TYPE_CHECKING:
    from astropy.table import QTable
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PERCENTILES = (16.0, 50.0, 84.0)
SHARES = (68.0, 95.0, 99.7)
_BINS = 120
_FEWEST = 10
"""Pixels that a bin needs for a percentile."""

INK, LINE, TRUTH = "#1b1b1b", "#d1495b", "#2e86ab"
_TONES = ("#6aaed6", "#abd0e6", "#dbe9f6")


def axis_label(name: str, what: str = "") -> str:
    """The property's name for a person, with its unit."""
    if name == "radius":
        return "radius / R25"
    prop = PROPERTIES[name]
    unit = f"log {prop.unit}" if name in IN_LOG else prop.unit
    if prop.log_unit:
        unit = f"log {prop.log_unit}".replace("solLum", "Lsun").replace("solMass", "Msun")
    elif prop.unit == "dex":
        unit = prop.definition.split(",")[0].replace("log10", "log ")
    return f"{what} {prop.label} [{unit}]".strip()


def prediction_against_truth(pixels: Pixels, name: str) -> tuple[Figure, QTable]:
    """Prediction against truth, coloured by density, with the 1:1 line and the percentiles of
    predictions by truth.

    Returns
    -------
    Figure
    QTable
        ``low high n p16 p50 p84``: of the predictions of pixels whose truth lies between `low` and
        `high`.
    """
    figure, axes = one_to_one(pixels, name)
    table = running_percentiles(pixels.true, pixels.predicted)
    _percentile_lines(axes, table)
    axes.legend(frameon=False, loc="upper left")
    return figure, table


def one_to_one(pixels: Pixels, name: str) -> tuple[Figure, Axes]:
    """The density of predicted against true values on equal axes, with the 1:1 line."""
    figure, axes = new_figure(4.8, 4.6)
    span = span_of(np.concatenate([pixels.true, pixels.predicted]))
    density(axes, pixels.true, pixels.predicted, (span, span))
    axes.plot(span, span, color=LINE, lw=1.2, label="1:1")
    labels = {"xlabel": axis_label(name, "true"), "ylabel": axis_label(name, "predicted")}
    axes.set(xlim=span, ylim=span, aspect="equal", **labels)
    return figure, axes


def residual_against(
    pixels: Pixels, name: str, x: np.ndarray, x_name: str
) -> tuple[Figure, QTable]:
    """Residual against any property or radius, coloured by density, with percentiles.

    Parameters
    ----------
    pixels : Pixels
    name : str
        The property whose residual it is.
    x : ndarray, shape (n,)
        What it is shown against, for the same pixels.
    x_name : str
        A property's name, or ``"radius"``.

    Returns
    -------
    Figure
    QTable
        ``low high n p16 p50 p84`` of the residual.

    Raises
    ------
    InputError
        When there is no pixel with a value of `x`.
    """
    good = np.isfinite(x)
    if not good.any():
        raise InputError(f"No pixel has a {x_name} to show the residual of {name} against.")
    x, residual = x[good], pixels.residual[good]
    figure, axes = new_figure(5.6, 3.8)
    reach = float(np.percentile(np.abs(residual), 99.5)) * 1.15 or 1.0
    spans = span_of(x), (-reach, reach)
    density(axes, x, residual, spans)
    axes.axhline(0, color=LINE, lw=1.2)
    table = running_percentiles(x, residual)
    _percentile_lines(axes, table)
    unit = "dex" if name in IN_LOG else PROPERTIES[name].unit
    axes.set(
        xlim=spans[0], ylim=spans[1], xlabel=axis_label(x_name), ylabel=f"predicted - true [{unit}]"
    )
    axes.set_title(PROPERTIES[name].label, fontsize="medium")
    axes.legend(framealpha=0.8, edgecolor="none", loc="upper right")
    return figure, table


def sigma_against_error(pixels: Pixels, name: str, n_bins: int = 12) -> tuple[Figure, QTable]:
    """Predicted sigma against the rms of the error in bins of it, over contours that hold 68, 95
    and 99.7 % of the pixels.

    Sigma is that of the difference: the truth's own error is in it where it is known.

    Returns
    -------
    Figure
    QTable
        ``low high n sigma rms rms_err chi2``: the rms sigma of a bin, the rms of the error with its
        bootstrap error over galaxies or blocks of pixels, and the mean of z squared; ``meta`` has
        chi2 of all pixels, each galaxy one vote, and its percentiles over galaxies, which the
        figure says, too.

    Raises
    ------
    InputError
        When the prediction has no errors.
    """
    known = np.isfinite(pixels.sigma) & (pixels.sigma > 0)
    if not known.any():
        raise InputError(f"The prediction of {name} has no errors to compare with.")
    chosen = pixels.where(known)
    table = _rms_by_sigma(chosen, n_bins)
    overall, each = metrics(chosen), chi2_by_galaxy(chosen)
    table.meta["chi2"] = {key: overall[key] for key in ("chi2", "chi2_err")} | {
        f"galaxies_{key}": value for key, value in each.items()
    }
    figure, axes = new_figure(5.2, 4.6)
    off = np.abs(chosen.residual)
    floor = max(float(np.percentile(off, 1)), float(off.max()) * 1e-4, 1e-6)
    low, high = span_of(chosen.sigma, 0.1)
    low = max(low, float(chosen.sigma.min()) * 0.9)
    spans = (low, high), (np.log10(floor), float(np.log10(max(off.max(), 2 * floor))) + 0.1)
    _contours(axes, chosen.sigma, np.log10(np.maximum(off, floor)), spans)
    line = np.linspace(low, high, 100)
    axes.plot(line, line, color=LINE, lw=1.2, label="rms = sigma")
    points: dict[str, Any] = {
        "fmt": "o",
        "ms": 4.5,
        "color": INK,
        "capsize": 2,
        "label": "rms in bins",
    }
    axes.errorbar(table["sigma"], table["rms"], yerr=table["rms_err"], **points)
    unit = "dex" if name in IN_LOG else PROPERTIES[name].unit
    axes.set(yscale="log", xlim=(low, high), ylim=tuple(10.0 ** np.array(spans[1])))
    axes.set(xlabel=f"predicted sigma [{unit}]", ylabel=f"|predicted - true| [{unit}]")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")  # 0.05 in place of 5 x 10^-2
    axes.set_title(PROPERTIES[name].label, fontsize="medium")
    axes.legend(frameon=False, loc="lower right")
    words = f"$\\chi^2$ = {overall['chi2']:.2f}"
    if each["n"] > 1:
        words += f"\nby galaxy {each['p50']:.2f} "
        words += f"(16 to 84 %: {each['p16']:.2f} to {each['p84']:.2f})"
    axes.text(0.02, 0.98, words, transform=axes.transAxes, va="top", fontsize="small")
    return figure, table


def _rms_by_sigma(pixels: Pixels, n_bins: int) -> QTable:
    """The rms of the error in bins of sigma with equal numbers of pixels; bins with too few pixels
    are left out.
    """
    from astropy.table import QTable

    edges = np.unique(np.quantile(pixels.sigma, np.linspace(0, 1, n_bins + 1)))
    edges = edges if edges.size > 1 else np.array([edges[0] * 0.99, edges[0] * 1.01])
    rows = []
    for low, high in pairwise(edges.tolist()):
        inside = (pixels.sigma >= low) & ((pixels.sigma < high) | (high == edges[-1]))
        if inside.sum() < _FEWEST:
            continue
        mine = pixels.where(inside)
        scored = metrics(mine)
        sigma = float(np.sqrt(np.mean(mine.sigma**2)))
        chi2 = float(np.mean(mine.z**2))
        n = int(inside.sum())
        rows.append((low, high, n, sigma, scored["rmse"], scored["rmse_err"], chi2))
    names = ("low", "high", "n", "sigma", "rms", "rms_err", "chi2")
    return QTable(rows=rows or None, names=names, dtype=(float,) * 2 + (int,) + (float,) * 4)


def running_percentiles(x: np.ndarray, y: np.ndarray, n_bins: int = 15) -> QTable:
    """Percentiles of y in bins of x of equal width (``low high n p16 p50 p84``); bins with too few
    pixels are left out.
    """
    from astropy.table import QTable

    low, high = np.percentile(x, (0.5, 99.5))
    edges = np.linspace(low, high, n_bins + 1) if high > low else np.array([low - 0.5, low + 0.5])
    rows = []
    for left, right in pairwise(edges):
        inside = (x >= left) & (x < right)
        if inside.sum() >= _FEWEST:
            rows.append(
                (
                    float(left),
                    float(right),
                    int(inside.sum()),
                    *np.percentile(y[inside], PERCENTILES).tolist(),
                )
            )
    names = ("low", "high", "n", "p16", "p50", "p84")
    return QTable(rows=rows or None, names=names, dtype=(float, float, int, float, float, float))


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty figure of this size in inches, with one set of axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def span_of(values: np.ndarray, margin: float = 0.05) -> tuple[float, float]:
    """Limits of an axis that leave out the outermost 0.2 % of the values."""
    low, high = np.percentile(values, (0.2, 99.8))
    room = margin * (high - low) or 0.5
    return float(low - room), float(high + room)


def density(axes: Axes, x: np.ndarray, y: np.ndarray, spans: Any) -> None:
    """Points where they are few, coloured cells where they are many."""
    if x.size < 300:
        axes.plot(x, y, "o", ms=3, color=TRUTH, alpha=0.6, mew=0)
        return
    cells = int(np.clip(np.sqrt(x.size), 25, _BINS))
    counts, *edges = np.histogram2d(x, y, bins=cells, range=spans)
    from matplotlib.colors import LogNorm

    shown = np.where(counts > 0, counts, np.nan).T
    axes.pcolormesh(
        *edges, shown, norm=LogNorm(1, max(float(counts.max()), 2)), cmap="Blues", rasterized=True
    )


def _percentile_lines(axes: Axes, table: QTable) -> None:
    middle = (np.asarray(table["low"]) + np.asarray(table["high"])) / 2
    axes.plot(middle, table["p50"], color=INK, lw=1.4, label="median")
    for column, label in (("p16", "16th, 84th percentile"), ("p84", None)):
        axes.plot(middle, table[column], color=INK, lw=1, ls="--", label=label)


def _contours(axes: Axes, x: np.ndarray, log_y: np.ndarray, spans: Any) -> None:
    """Filled contours around the densest 68, 95 and 99.7 % of the points."""
    from scipy.ndimage import gaussian_filter

    counts, *edges = np.histogram2d(x, log_y, bins=60, range=spans)
    smooth = gaussian_filter(counts, 1.5)
    order = np.sort(smooth.ravel())[::-1]
    share = np.cumsum(order) / order.sum()
    levels = [float(order[np.searchsorted(share, s / 100)]) for s in reversed(SHARES)]
    if np.any(np.diff(levels) <= 0) or levels[0] <= 0:
        return  # too few points for contours
    centre_x, centre_y = ((edge[1:] + edge[:-1]) / 2 for edge in edges)
    tones = _TONES[::-1]
    axes.contourf(
        centre_x, 10.0**centre_y, smooth.T, levels=[*levels, float(order[0]) * 1.01], colors=tones
    )
    for s, tone in zip(SHARES, _TONES, strict=True):
        axes.plot([], [], lw=6, color=tone, label=f"{s:g} % of the pixels")
