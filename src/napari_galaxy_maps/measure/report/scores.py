"""The scores of predictions against their truths: the numbers that commands print and that the
files of an evaluation hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..compare.comparison import Comparison, all_metrics, metrics_table
from ..compare.stellar_scores import INSIDE, summarise
from .tables import stellar_sums

if TYPE_CHECKING:
    from astropy.table import QTable

_OF_PIXELS = (
    "property", "unit", "n", "rmse", "rmse_err", "bias", "bias_err", "r2", "chi2", "coverage68",
    "coverage95",
)  # fmt: skip
_OF_SUMS = ("property", "unit", "n", "bias", "bias_err", "scatter", "scatter_err")
_OF_ONE = ("property", "unit", "bias", "n_pixels", "predicted", "true", "sum_unit")


@dataclass(frozen=True)
class Scores:
    """How well predictions do.

    Attributes
    ----------
    properties : dict
        `all_metrics` of them.
    sums : list of QTable
        `comparison_sums` of those that have a map of stars.
    sums_by_ellipse : QTable or None
        `summarise` of these; None where there is none.
    notes : list of str
        On the sums, and on what could not be scored.
    """

    properties: dict[str, dict[str, Any]]
    sums: list[QTable]
    sums_by_ellipse: QTable | None
    notes: list[str]

    def pixels(self) -> QTable:
        """Of each property what its pixels say, in the property's unit (ages in dex)."""
        table = metrics_table(self.properties)
        return table[table["over"] == "pixels"][list(_OF_PIXELS)] if len(table) else table

    def inside(self) -> QTable | None:
        """Of each property with any the sums inside `INSIDE` R_half; None without a map of stars.

        Returns
        -------
        astropy.table.QTable
            Of several galaxies the bias and scatter of log10 true - log10 predicted, in dex; of one
            its bias, and both sums (or means, of what does not add up) in their own unit.
        """
        if self.sums_by_ellipse is None:
            return None
        one = len(self.sums) == 1
        table = (self.sums[0] if one else self.sums_by_ellipse).copy()
        if one:
            table.rename_columns(("delta", "unit"), ("bias", "sum_unit"))
        table["unit"] = "dex"
        there = (table["region"] == "sum") & np.isfinite(table["bias"])
        return table[there][list(_OF_ONE if one else _OF_SUMS)]


def scores_of(comparisons: Sequence[Comparison]) -> Scores:
    """The scores of one galaxy or many, each with one vote."""
    sums, notes = stellar_sums(comparisons)
    by_ellipse, properties = summarise(sums) if sums else None, all_metrics(comparisons)
    if not properties:
        notes = [*notes, "No pixel has both a prediction and a truth: there is nothing to score."]
    return Scores(properties, sums, by_ellipse, notes)


def in_words(scores: Scores) -> tuple[str, str]:
    """What the tables of `Scores.pixels` and `Scores.inside` hold, a sentence each."""
    over = f" over {len(scores.sums)} galaxies" if len(scores.sums) > 1 else ""
    return (
        "Pixels: bias is predicted - true, coverages are the shares within 1 sigma and TAIL95.",
        f"Sums inside {INSIDE:g} R_half of the stars{over}: bias is log10 true - log10 predicted.",
    )
