"""What stellar-unet says to a person about a cube that it predicts from."""

from __future__ import annotations

from math import isnan
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
_MORE, _NAMED = 1.05, 3
"""By which factor a scatter has to grow to be named, and of how many maps it is."""


def unknown_redshift(card: ModelCard, cube: BandCube) -> list[str]:
    """A sentence on what it costs that a cube's redshift is not known; none where it is."""
    if not isnan(redshift_of(cube)):
        return []
    return [
        f"Redshift unknown: {card.name} takes what is usual of galaxies of such a look. A redshift "
        f"or distance tells it{_cost(card)}."
    ]


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
