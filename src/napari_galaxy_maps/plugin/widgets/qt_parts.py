"""Parts of Qt's widgets that are always there, though Qt's types allow that they are not; and
layouts emptied.
"""

from __future__ import annotations

from typing import TypeVar

from qtpy.QtCore import QItemSelectionModel
from qtpy.QtWidgets import QLayout, QListWidget

Part = TypeVar("Part")


def present(part: Part | None) -> Part:
    """The part itself, e.g. a table's header.

    Raises
    ------
    LookupError
        When it is not there after all.
    """
    if part is None:
        raise LookupError("This widget has no such part.")
    return part


def select_row(rows: QListWidget, row: int) -> None:
    """Select one row of a list alone, whatever keys are held just now."""
    model = present(rows.selectionModel())
    flags = QItemSelectionModel.SelectionFlag
    model.setCurrentIndex(rows.indexFromItem(rows.item(row)), flags.ClearAndSelect)


def clear(layout: QLayout) -> None:
    """Take all widgets out of a layout; they go in the next turn of the event loop."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
