"""The table of circles and polygons: the doubtful ones first, a tick for those that mask."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
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

from ...prepare.masks.mask_edits import Item, is_subtracted
from ...prepare.stars.star_list import Star
from .qt_parts import present
from .theme_colours import FAINT, INK_ROLE, WARNING, InkDelegate

NAME, MAGNITUDE, RADIUS, ORIGIN, WHY = range(5)
HEADINGS = ("Star", "G", "Radius ″", "From", "Why doubtful")
_TIPS = (
    "The tick: whether its circles mask",
    "Gaia's G magnitude",
    "Radius of the circle in the band that is looked at, or the widest of all; that of a "
    "subtracted star covers what cannot be subtracted well enough",
    "Where it is from: a catalogue, found on the image, or drawn by hand",
    "Why a person should look at it",
)
_ORIGINS = {"gaia": "catalogue", "daofind": "found", "hand": "hand"}


class StarModel(QAbstractTableModel):
    """Circles and polygons as rows; the items themselves stay as they are."""

    switched = Signal(object, bool)
    """An item and whether it is to mask."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Item] = []
        self._radius: Callable[[Star], float] = lambda star: 0.0
        self._band = ""

    def show(self, items: Sequence[Item], radius: Callable[[Star], float], band: str = "") -> None:
        """Show items; rows whose item is another are painted anew, and only where their order
        changes are all.

        Parameters
        ----------
        items : sequence of Item
            All of them.
        radius : callable
            Gives the radius to tell of a star.
        band : str
            The band that is looked at; "" for all.
        """
        rows = sorted(items, key=_place)
        self._radius, self._band = radius, band
        if [_name(item) for item in rows] != [_name(item) for item in self.rows]:
            self.beginResetModel()
            self.rows = rows
            self.endResetModel()
        else:
            self.rows = rows
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, WHY))

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """One an item."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """As many as there are headings."""
        return 0 if parent is not None and parent.isValid() else len(HEADINGS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """What stands over the columns."""
        if orientation == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return HEADINGS[section]
            if role == Qt.ItemDataRole.ToolTipRole:
                return _TIPS[section]
        return None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """The first column has a tick."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsUserCheckable if index.column() == NAME else flags

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, tick, colour and tip of a cell."""
        item, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(item, column)
        if role == Qt.ItemDataRole.CheckStateRole and column == NAME:
            return Qt.CheckState.Checked if item.enabled else Qt.CheckState.Unchecked
        if role == INK_ROLE:
            return WARNING if item.flag else FAINT if not item.enabled else None
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (MAGNITUDE, RADIUS):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ToolTipRole:
            return _tip(item)
        return None

    def _text(self, item: Item, column: int) -> str:
        if column == NAME:
            return _name(item)
        if column == WHY:
            return item.flag
        if not isinstance(item, Star):
            return "region" if column == ORIGIN else ""
        if column == MAGNITUDE:
            return f"{item.magnitude:.1f}" if np.isfinite(item.magnitude) else ""
        if column == RADIUS:
            radius = self._radius(item)
            nothing = "subtracted" if is_subtracted(item, self._band) else "none"
            return f"{radius:.1f}" if radius > 0 else nothing
        return _ORIGINS.get(item.origin, item.origin)

    def setData(self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """A tick set or taken away."""
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        self.switched.emit(self.rows[index.row()], Qt.CheckState(value) == Qt.CheckState.Checked)
        return True


class StarTable(QTableView):
    """The table; tells which items a person has selected."""

    chosen = Signal(object)
    """The selected items, as a list."""
    shown = Signal(object)
    """The item whose row was clicked."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("stars")
        self.stars = StarModel()
        self.setModel(self.stars)
        self.setItemDelegate(InkDelegate(self))
        self._quiet = False
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMinimumHeight(200)
        present(self.verticalHeader()).hide()
        present(self.verticalHeader()).setDefaultSectionSize(22)
        header = present(self.horizontalHeader())
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Interactive)
        header.resizeSection(NAME, 132)
        for column, width in ((MAGNITUDE, 44), (RADIUS, 74), (ORIGIN, 72)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, width)
        header.setSectionResizeMode(WHY, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        present(self.selectionModel()).selectionChanged.connect(self._selection_changed)
        self.clicked.connect(lambda index: self.shown.emit(self.stars.rows[index.row()]))

    def select(self, items: Sequence[Item]) -> None:
        """Select the rows of items without telling anybody, and bring the first into sight."""
        wanted = {id(item) for item in items}
        rows = [row for row, item in enumerate(self.stars.rows) if id(item) in wanted]
        if rows == sorted({index.row() for index in present(self.selectionModel()).selectedRows()}):
            return
        selection = QItemSelection()
        for row in rows:
            selection.select(self.stars.index(row, 0), self.stars.index(row, WHY))
        self._quiet = True
        flags = QItemSelectionModel.SelectionFlag
        present(self.selectionModel()).select(selection, flags.ClearAndSelect | flags.Rows)
        if rows:
            present(self.selectionModel()).setCurrentIndex(
                self.stars.index(rows[0], NAME), flags.NoUpdate
            )
            self.scrollTo(self.stars.index(rows[0], NAME))
        self._quiet = False

    def _selection_changed(self, *_: Any) -> None:
        if not self._quiet:
            rows = sorted({index.row() for index in present(self.selectionModel()).selectedRows()})
            self.chosen.emit([self.stars.rows[row] for row in rows])


def _place(item: Item) -> tuple[bool, float, list[tuple[int, str]]]:
    """The doubtful first, then the brightest; what has no magnitude comes last, with its numbers in
    their order.
    """
    magnitude = item.magnitude if isinstance(item, Star) and np.isfinite(item.magnitude) else np.inf
    parts = [
        (int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", item.id)
    ]
    return not item.flag, magnitude, parts


def _name(item: Item) -> str:
    return item.id or ("circle" if isinstance(item, Star) else "polygon")


def _tip(item: Item) -> str:
    if not isinstance(item, Star):
        return item.flag or f"Masks {item.band or 'every band'}"
    radii = ", ".join(f"{band} {radius:.1f}″" for band, radius in item.radii.items() if radius > 0)
    why = f"{item.flag[:1].upper()}{item.flag[1:]}.\n" if item.flag else ""
    off = "" if item.enabled else "\nDoes not mask"
    taken = f"\nSubtracted in {', '.join(item.lights)}" if item.lights and item.enabled else ""
    return f"{why}{radii or 'No circle in any band'}{taken}{off}"
