"""What stellar-unet says to a person about a cube that it predicts from."""

from __future__ import annotations

from math import hypot, isnan
from typing import TYPE_CHECKING

from .outputs import STELLAR_PROPERTIES
from .shown_cube import redshift_of

if TYPE_CHECKING:
    from ...data.cube import BandCube
    from ..card import ModelCard

REDSHIFT_TABLE = "Redshift"
"""Title of the card's table that tells what knowing the redshift is worth, with rows `KNOWN` and
`UNKNOWN` whose cells are ``"bias, scatter"`` in dex.
"""
KNOWN, UNKNOWN = "known", "unknown"
PAINTED_TABLE, NOT_TOLD = "Painted images", ", not told"
"""Title of the card's table on painted galaxies, with a row for each range of redshifts, the
nearest first, and one with the second words after it where the redshift was not told; cells are
``"bias, scatter, told error, coverage"``.
"""
_CALLED = {
    "LOG_SIGMA_STAR": "stellar mass",
    "LOG_SIGMA_ZSTAR": "stellar metals",
    "AGE_STAR": "age",
    "LOG_SIGMA_SFR": "star formation",
}
_MORE, _NAMED = 1.05, 3
"""By which factor a scatter has to grow to be named, and of how many maps it is."""


def unknown_redshift(card: ModelCard, cube: BandCube) -> list[str]:
    """A sentence on what it costs that a cube's redshift is not known; none where it is."""
    return [without_redshift(card)] if isnan(redshift_of(cube)) else []


def without_redshift(card: ModelCard) -> str:
    """A sentence on what an unknown redshift costs, as far as the card says it."""
    told = _painted_cost(card)
    if told:
        return f"Redshift unknown: {told}"
    return (
        f"Redshift unknown: {card.name} takes what is usual of galaxies of such a look. A redshift "
        f"or distance tells it{_cost(card)}."
    )


def _painted_cost(card: ModelCard) -> str:
    """By how much sums are further off without a redshift in the farthest painted galaxies of the
    card, and in nearer ones at most; empty where it has no such table.
    """
    table = next((t for t in card.tables if t.title == PAINTED_TABLE), None)
    if table is None:
        return ""
    rows = {row[0]: dict(zip(table.head, row, strict=True)) for row in table.rows}
    ranges = [label for label in rows if f"{label}{NOT_TOLD}" in rows]
    if not ranges:
        return ""
    errors = {
        label: {
            words: (_error(rows[label][name]), _error(rows[f"{label}{NOT_TOLD}"][name]))
            for name, words in _CALLED.items()
            if name in rows[label]
        }
        for label in ranges
    }
    *near, far = ranges
    costs = [
        f"{untold:.2f} in place of {told:.2f} in {words}"
        for words, (told, untold) in errors[far].items()
        if untold > _MORE * told
    ]
    where = far.replace("redshift", "redshifts of")
    if not costs:
        return f"at {where} that costs sums of painted galaxies hardly anything."
    rest = [untold - told for label in near for told, untold in errors[label].values()]
    nearer = f"; nearer at most {max(0, *rest):.2f} more" if rest else ""
    return f"errors in dex of {', '.join(costs)} (sums of painted galaxies at {where}){nearer}."


def _error(cell: str) -> float:
    """Bias and scatter in ``"bias, scatter, ..."`` in quadrature; NaN where there are none."""
    words = cell.split(", ")
    return hypot(float(words[0]), float(words[1])) if len(words) > 1 else float("nan")


def _cost(card: ModelCard) -> str:
    """By how much sums scatter more without a redshift, as far as the card says it."""
    table = next((t for t in card.tables if t.title == REDSHIFT_TABLE), None)
    if table is None:
        return ""
    rows = {row[0]: dict(zip(table.head, row, strict=True)) for row in table.rows}
    known, unknown = (
        {n: _scatter(rows[r][n]) for n in STELLAR_PROPERTIES if n in rows[r]}
        for r in (KNOWN, UNKNOWN)
    )
    worse = sorted(
        (name for name in known if unknown[name] > _MORE * known[name]),
        key=lambda name: known[name] / unknown[name],
    )
    costs = [f"{n} by {unknown[n]:.2f} in place of {known[n]:.2f} dex" for n in worse[:_NAMED]]
    if not costs:
        return "; on its card, sums inside 2 R_half scatter hardly more without"
    return f"; on its card, sums inside 2 R_half scatter more without: {', '.join(costs)}"


def _scatter(cell: str) -> float:
    """The scatter in ``"bias, scatter"``; NaN where there is none."""
    words = cell.split(", ")
    return float(words[1]) if len(words) == 2 else float("nan")
