"""Pieces of Qt as the panels use them: boxes that leave the wheel alone, parts that are always
there though Qt's types allow that they are not, and layouts emptied.
"""

from __future__ import annotations

from typing import Any, TypeVar

from qtpy.QtCore import QItemSelectionModel, Qt
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QLayout,
    QListWidget,
    QListWidgetItem,
    QSpinBox,
)

Part = TypeVar("Part")

_LEAST_LETTERS = 3
"""That a drop-down shows however narrow its panel is."""


class _LeavesWheel:
    """Lets the wheel scroll what is behind a box, and neither change its value nor give it the
    focus.
    """

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # type: ignore[attr-defined]

    def wheelEvent(self, event: Any) -> None:
        event.ignore()


class ComboBox(_LeavesWheel, QComboBox):
    """A drop-down whose choice the wheel does not change, and which is as wide as there is room and
    not as its longest choice; its list shows them whole.
    """

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self.setSizeAdjustPolicy(self.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(_LEAST_LETTERS)

    def showPopup(self) -> None:
        """Open the list."""
        view = present(self.view())
        bar = present(view.verticalScrollBar()).sizeHint().width()
        view.setMinimumWidth(view.sizeHintForColumn(0) + bar)
        super().showPopup()


class SpinBox(_LeavesWheel, QSpinBox):
    """A whole number that the wheel does not change."""


class DoubleSpinBox(_LeavesWheel, QDoubleSpinBox):
    """A number that the wheel does not change."""


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


def set_count(rows: QListWidget, count: int) -> None:
    """Give a list so many rows; those that stay are not touched."""
    while rows.count() > count:
        rows.takeItem(rows.count() - 1)
    while rows.count() < count:
        rows.addItem(QListWidgetItem())


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
