"""The ticks of a layer's colour bar: at round numbers, and at least three whatever its limits."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

_STEPS = (5.0, 2.5, 2.0, 1.0, 0.5, 0.25)
"""Between ticks, times the largest power of ten that is no longer than the bar."""
_APART = 0.13
"""Of a bar's length: a tick nearer to an end than this would have its label run into the end's."""
_MINOR = 5
"""Of them make a step between ticks."""


def bar_ticks(
    low: float, high: float, ends: bool = False
) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Where a bar has ticks, and what they are called.

    Parameters
    ----------
    low, high : float
        What the bar's lower and upper end stand for; the second is the larger.
    ends : bool
        Whether the ends have ticks, whatever numbers they are.

    Returns
    -------
    values : ndarray, shape (n,)
        Increasing, between the limits: four to eight, and with `ends` three at least.
    labels : list of str
        One each, with as many digits as tell it from its neighbours.
    minor : ndarray, shape (m,)
        Where the small ticks are that have no label.
    """
    power = 10.0 ** math.floor(math.log10(high - low))
    for factor in _STEPS:
        step = factor * power
        values = _multiples(step, low, high)
        if len(values) >= 4:
            break
    minor = _multiples(step / _MINOR, low, high)
    minor = minor[np.abs(minor / step - np.round(minor / step)) > 1e-6]
    places = _places(step)
    if ends:
        room = _APART * (high - low)
        values = values[(values > low + room) & (values < high - room)]
    labels = [_label(value, places, low, high) for value in values]
    if ends:
        values = np.array([low, *values, high])
        labels = [_end_label(low, places, low, high), *labels, _end_label(high, places, low, high)]
    return values, labels, minor


def set_ticks(bar: Any, ends: bool) -> None:
    """Give the bar that napari paints ticks of ours, wherever its limits are moved; napari's own
    may be one alone, and its model offers no choice of them.

    Parameters
    ----------
    bar : napari's visual of a colour bar, or None
        Nothing is done where this version of napari has another.
    ends : bool
        As for `bar_ticks`.
    """
    axis = getattr(getattr(bar, "node", None), "ticks", None)
    ticker: Any = getattr(axis, "ticker", None)
    if not hasattr(ticker, "_get_tick_frac_labels") or not hasattr(bar, "_on_ticks_change"):
        return
    ticker._get_tick_frac_labels = partial(_fractions, axis, ends)
    bar._on_ticks_change()


def _fractions(axis: Any, ends: bool) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Ticks, small ticks and labels as vispy asks for them: fractions of the axis."""
    low, high = map(float, axis.domain)
    if not (np.isfinite([low, high]).all() and high > low):
        return np.zeros(1), np.empty(0), [f"{low:g}"]
    values, labels, minor = bar_ticks(low, high, ends)
    return (values - low) / (high - low), (minor - low) / (high - low), labels


def _multiples(step: float, low: float, high: float) -> np.ndarray:
    """The multiples of a step between two numbers, with them."""
    return step * np.arange(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)


def _places(step: float) -> int:
    """Decimal places of a step's multiples; less than none before the point."""
    power = math.floor(math.log10(step) + 1e-9)
    return -power + (abs(step / 10.0**power - 2.5) < 1e-6)


def _label(value: float, places: int, low: float, high: float) -> str:
    largest = max(abs(low), abs(high))
    if 1e-3 <= largest < 1e6:
        return f"{value:z.{max(places, 0)}f}"
    return f"{value:z.{max(math.floor(math.log10(largest)) + 1 + places, 1)}g}"


def _end_label(value: float, places: int, low: float, high: float) -> str:
    """With a digit more than the round numbers have, where it is needed."""
    label = _label(value, places + 1, low, high)
    plain = "." in label and "e" not in label
    return label[:-1].rstrip(".") if plain and label.endswith("0") else label
