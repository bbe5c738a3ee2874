"""The table of apertures: what is in each of them on the map that is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    Qt,
    Signal,
)
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from ...measure.apertures.planes import SHARED
from ...measure.apertures.quantities import Quantity
from ..state.aperture_measurements import ApertureMeasurements, Row
from .qt_parts import present
from .theme_colours import INK_ROLE, WARNING, InkDelegate

NAME, SUM, MEAN, MEDIAN, PIXELS, MASKED, FILLED = range(7)
_TIPS = (
    "Its name; double-click to change it",
    "Sum over its pixels, those on the edge in part, and its error",
    "Mean of its pixels, weighted as the line under the table says, and its error",
    "Median of its pixels",
    "Pixels with a value, those on the edge in part",
    "Pixels that are blank, masked or off the image",
    "Share of the sum that is thought to lie under masks",
)
_LEAST = 60
"""Pixels of a column; a table that is narrower scrolls."""


class ApertureModel(QAbstractTableModel):
    """Apertures as rows.

    Parameters
    ----------
    measurements : ApertureMeasurements
        The apertures and their values.
    """

    def __init__(self, measurements: ApertureMeasurements):
        super().__init__()
        self.measurements = measurements
        self.number = 0
        """Which of the quantities is shown."""

    @property
    def quantity(self) -> Quantity | None:
        """What is shown, or None while nothing is measured."""
        planes = self.measurements.planes
        return (
            planes.quantities[self.number]
            if planes is not None and self.number < len(planes.quantities)
            else None
        )

    def renew(self) -> None:
        """All may have changed."""
        self.beginResetModel()
        self.endResetModel()

    def renew_row(self, row: int) -> None:
        """The values of one aperture have changed."""
        self.dataChanged.emit(self.index(row, 0), self.index(row, FILLED))

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """One an aperture."""
        return 0 if parent is not None and parent.isValid() else len(self.measurements.apertures)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Fixed."""
        return 0 if parent is not None and parent.isValid() else len(_TIPS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """What stands over the columns, with units."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.ToolTipRole:
            return _TIPS[section]
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        quantity = self.quantity
        total, unit = (
            ("", "")
            if quantity is None
            else (unit_words(quantity.sum_unit), unit_words(quantity.unit))
        )
        return (
            "Aperture",
            f"Sum\n{total or '–'}",
            f"Mean\n{unit}",
            "Median\n",
            "Pixels\n",
            "Masked\n",
            "Filled\n",
        )[section]

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Names can be changed."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == NAME else flags

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, colour and tip of a cell."""
        number, column = index.row(), index.column()
        if number >= len(self.measurements.apertures):
            return None
        rows = self.measurements.rows
        row = rows[number] if number < len(rows) else None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            if column == NAME:
                return self.measurements.apertures[number].name
            return "" if not isinstance(row, dict) else self._text(row, column)
        if role == INK_ROLE and isinstance(row, str):
            return WARNING
        if role == Qt.ItemDataRole.TextAlignmentRole and column != NAME:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._range(row, column) if isinstance(row, dict) else row
        return None

    def _range(self, row: Row, column: int) -> str | None:
        """What the error of a sum or mean is at least and at most, or that it is whole."""
        i, key = self.number, {SUM: "sum", MEAN: "mean"}.get(column, "")
        if (
            not key
            or i >= len(row["map"])
            or not np.isfinite(row[key][i])
            or not np.isfinite(row[f"{key}_err"][i])
        ):
            return None
        planes = self.measurements.planes
        if planes is not None and planes.error_kinds[i] == "two parts":
            return f"{SHARED}, is in the error"
        least, most = (float(row[f"{key}_{end}"][i]) for end in ("err", "err_max"))
        return (
            f"± {least:.3g} if pixels err independently beyond shared noise, ± {most:.3g} if all "
            "err together"
        )

    def _text(self, row: Row, column: int) -> str:
        i = self.number
        if i >= len(row["map"]):
            return ""
        if column == SUM:
            return with_error(row["sum"][i], row["sum_err"][i])
        if column == MEAN:
            return with_error(row["mean"][i], row["mean_err"][i])
        if column == MEDIAN:
            return with_error(row["median"][i], row["mean_err"][i], shown=False)
        if column == FILLED:
            share = self._share(row)
            return f"{share:.1%}" if share else ""
        return f"{row['n_pixels' if column == PIXELS else 'n_masked'][i]:.1f}"

    def _share(self, row: Row | str) -> float:
        """The share of an aperture's sum that was filled; 0 where there is no sum."""
        if not isinstance(row, dict) or self.number >= len(row["map"]):
            return 0.0
        return float(np.nan_to_num(row["filled_share"][self.number]))

    @property
    def some_filled(self) -> bool:
        """Whether any sum that is shown counts what lies under masks."""
        return any(self._share(row) for row in self.measurements.rows)

    def setData(self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """A new name."""
        name, number = str(value).strip(), index.row()
        aperture = self.measurements.apertures[number]
        if role != Qt.ItemDataRole.EditRole or not name or name == aperture.name:
            return False
        from dataclasses import replace

        self.measurements.exchange(number, replace(aperture, name=name), f"the name {name}")
        return True


class ApertureTable(QTableView):
    """The table; tells which apertures a person has selected.

    Parameters
    ----------
    measurements : ApertureMeasurements
        The apertures and their values.
    """

    chosen = Signal(object)
    """The numbers of the selected apertures."""
    shown = Signal(int)
    """The aperture whose row was clicked."""

    def __init__(self, measurements: ApertureMeasurements):
        super().__init__()
        self.setObjectName("apertures")
        self.model_ = ApertureModel(measurements)
        self.setModel(self.model_)
        self.setItemDelegate(InkDelegate(self))
        self._quiet = False
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMinimumHeight(180)
        present(self.verticalHeader()).hide()
        present(self.verticalHeader()).setDefaultSectionSize(22)
        header = present(self.horizontalHeader())
        header.setMinimumSectionSize(_LEAST)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for column, width in (
            (NAME, 78),
            (MEDIAN, 72),
            (PIXELS, _LEAST),
            (MASKED, _LEAST),
            (FILLED, _LEAST),
        ):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
            header.resizeSection(column, width)
        header.moveSection(FILLED, MEAN)  # beside the sum that it is a share of
        self._show_filled()
        self.model_.dataChanged.connect(lambda *_: self._show_filled())
        present(self.selectionModel()).selectionChanged.connect(self._selection_changed)
        self.clicked.connect(lambda index: self.shown.emit(index.row()))

    def renew(self) -> None:
        """Show the apertures as they are; what is selected stays so."""
        self._quiet = True
        self.model_.renew()
        self._quiet = False
        self._show_filled()
        self.select(self.model_.measurements.selected)

    def _show_filled(self) -> None:
        """The column of what is filled takes room only where there is any."""
        self.setColumnHidden(FILLED, not self.model_.some_filled)

    def select(self, numbers: Sequence[int]) -> None:
        """Select rows without telling anybody, and bring the first into sight."""
        selection = QItemSelection()
        for row in numbers:
            selection.select(self.model_.index(row, 0), self.model_.index(row, FILLED))
        flags = QItemSelectionModel.SelectionFlag
        self._quiet = True
        present(self.selectionModel()).select(selection, flags.ClearAndSelect | flags.Rows)
        if numbers:
            self.scrollTo(self.model_.index(numbers[0], NAME))
        self._quiet = False

    def _selection_changed(self, *_: Any) -> None:
        if not self._quiet:
            self.chosen.emit(
                sorted({index.row() for index in present(self.selectionModel()).selectedRows()})
            )


def unit_words(unit: str) -> str:
    """A unit as a person writes it."""
    for written, plain in (
        ("solMass", "Msun"),
        ("solLum", "Lsun"),
        ("kpc2", "kpc²"),
        (" / ", "/"),
        ("dex(", "log10("),
        (" ", ""),
    ):
        unit = unit.replace(written, plain)
    return unit


def with_error(value: float, error: float, shown: bool = True, most: float = 0.0) -> str:
    """A number to the digits that its error leaves, with the error where it is to be shown; as a
    range up to `most` if that is larger.
    """
    if not np.isfinite(value):
        return "–"
    largest = abs(value) or error
    if not largest:
        return "0"
    if not np.isfinite(error) or error <= 0:
        return f"{value:.4g}"
    power = int(np.floor(np.log10(max(largest, error))))
    if -3 <= power < 5:
        scale, suffix = 1.0, ""
    else:
        scale, suffix = 10.0**power, f"e{power}"
    digits = max(0, min(8, 1 - int(np.floor(np.log10(error / scale)))))
    text = f"{value / scale:.{digits}f}"
    if not shown:
        return text + suffix
    upto = f"–{most / scale:.{digits}f}" if np.isfinite(most) and most > 1.05 * error else ""
    return f"{text} ± {error / scale:.{digits}f}{upto}{suffix and ' ' + suffix}"
