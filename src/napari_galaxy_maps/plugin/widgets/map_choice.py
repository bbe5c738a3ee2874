"""A button whose menu ticks maps: which others are to be shown beside the one that is looked at."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QMenu,
    QSizePolicy,
    QToolButton,
    QWidgetAction,
)

from .qt_parts import present

_ROW = 22


class MapChoice(QToolButton):
    """Says what is ticked, and opens a list to tick others, which stays open meanwhile."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("more_maps")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(90)
        self.list = QListWidget()
        self.list.setObjectName("more_maps_list")
        self.list.setToolTip("Tick the maps whose profiles are to be drawn, too")
        self.list.itemChanged.connect(lambda _: self._ticked())
        self.list.itemClicked.connect(_turn)
        menu = QMenu(self)
        action = QWidgetAction(menu)
        action.setDefaultWidget(self.list)
        menu.addAction(action)
        self.setMenu(menu)
        self._names: list[str] = []
        self._say()

    @property
    def chosen(self) -> list[str]:
        """The names that are ticked, in the order of the list."""
        items = [present(self.list.item(i)) for i in range(self.list.count())]
        return [
            item.text()
            for item in items
            if item.checkState() == Qt.CheckState.Checked and not item.isHidden()
        ]

    def offer(self, names: Sequence[str], but: str) -> None:
        """Offer these names but one; what is ticked of them stays so."""
        if list(names) != self._names:
            before, self._names = self.chosen, list(names)
            with QSignalBlocker(self.list):
                self.list.clear()
                for name in names:
                    item = QListWidgetItem(name)
                    item.setFlags(Qt.ItemFlag.ItemIsEnabled)  # a click anywhere on it ticks
                    item.setCheckState(
                        Qt.CheckState.Checked if name in before else Qt.CheckState.Unchecked
                    )
                    self.list.addItem(item)
            self.list.setFixedHeight(_ROW * max(1, min(len(names), 14)) + 6)
        for i in range(self.list.count()):
            item = present(self.list.item(i))
            item.setHidden(item.text() == but)
        self.setEnabled(len(names) > 1)
        self._say()

    def _ticked(self) -> None:
        self._say()
        self.changed.emit()

    def _say(self) -> None:
        chosen = self.chosen
        self.setText(
            "no other map"
            if not chosen
            else chosen[0]
            if len(chosen) == 1
            else f"{len(chosen)} more maps"
        )


def _turn(item: QListWidgetItem) -> None:
    ticked = item.checkState() == Qt.CheckState.Checked
    item.setCheckState(Qt.CheckState.Unchecked if ticked else Qt.CheckState.Checked)
