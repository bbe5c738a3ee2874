"""The table of how well maps agree with a truth: a property a row, a metric a column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from ...data.properties import PROPERTIES
from .aperture_table import with_error
from .qt_parts import present

_HEADINGS = ("Property", "Unit", "RMSE", "Bias", "R²", "χ²", "68 %", "95 %")
_TIPS = (
    "The map that is compared with the truth; a click on its row plots it",
    "Of RMSE and bias; ages are compared in log10",
    "Root of the mean squared residual",
    "Mean of prediction minus truth",
    "Coefficient of determination",
    "Mean of (residual / sigma)², 1 where the errors are right",
    "Share of the pixels whose truth lies within 1 sigma: 68 % where the errors are right",
    "Share of the pixels whose truth lies within as many sigmas as are said to hold 95 % (TAIL95 "
    "in the maps' file), or 1.96: 95 %",
)
_METRICS = ("rmse", "bias", "r2", "chi2", "coverage68", "coverage95")


class ScoreTable(QTableWidget):
    """Scores of properties; a click on a row chooses its property."""

    chosen = Signal(str)
    """Name of the property whose row was clicked."""

    def __init__(self) -> None:
        super().__init__(0, len(_HEADINGS))
        self.setObjectName("scores")
        self.setHorizontalHeaderLabels(list(_HEADINGS))
        for i, tip in enumerate(_TIPS):
            present(self.horizontalHeaderItem(i)).setToolTip(tip)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        rows, columns = present(self.verticalHeader()), present(self.horizontalHeader())
        rows.hide()
        rows.setDefaultSectionSize(22)
        columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        columns.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        # Of names, where a panel is narrow.
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setMinimumHeight(200)
        self.cellClicked.connect(
            lambda row, _: self.chosen.emit(
                present(self.item(row, 0)).data(Qt.ItemDataRole.UserRole)
            )
        )

    def fill(self, scores: Mapping[str, Mapping[str, Any]]) -> None:
        """Show `measure.compare.pixel_metrics.metrics` and their ``unit``, by property."""
        self.setRowCount(len(scores))
        for i, (name, found) in enumerate(scores.items()):
            cells = [name, found["unit"], *(_cell(metric, found) for metric in _METRICS)]
            for j, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setData(Qt.ItemDataRole.UserRole, name)
                item.setToolTip(
                    f"{PROPERTIES[name].label}: {found['n']:,.0f} pixels with a prediction and a "
                    "truth"
                )
                if j > 1:
                    item.setTextAlignment(
                        Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    )
                self.setItem(i, j, item)


def short_number(value: float) -> str:
    """Three digits of a number, or a dash where there is none."""
    if not np.isfinite(value):
        return "–"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _cell(metric: str, found: Mapping[str, Any]) -> str:
    """A metric as the table shows it: coverages in percent, errors where they are small."""
    scale = 100 if metric.startswith("coverage") else 1
    value = scale * found[metric]
    if metric in ("rmse", "bias"):
        return with_error(value, scale * found[f"{metric}_err"])
    return short_number(value)
