"""The galaxies that the Inspect panel scores together: the one in the window, and pairs of files
added to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ..eventloop.worker import Job, JobRunner
from ..jobs.score_galaxies import compare_files
from .forms import make_button
from .qt_parts import present

if TYPE_CHECKING:
    from ...measure.compare.comparison import Comparison


class GalaxyList(QWidget):
    """A list of galaxies with check marks, and buttons to add and remove some.

    Parameters
    ----------
    runner : JobRunner
        Runs the comparisons.
    """

    changed = Signal()
    message = Signal(str)

    def __init__(self, runner: JobRunner):
        super().__init__()
        self.runner = runner
        self._added: list[Comparison] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.list = QListWidget()
        self.list.setObjectName("galaxies")
        self.list.setToolTip(
            "Galaxies that are scored and plotted together; those without a check mark are left out"
        )
        self.list.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.list.hide()
        self.list.itemChanged.connect(lambda _: self.changed.emit())
        self.list.itemSelectionChanged.connect(self._selected)
        self.add = make_button("Add galaxies…", "add_galaxies", self._ask)
        self.add.setToolTip(
            "Choose files of predicted maps and of their truths; which belong together is found out"
        )
        self.remove = make_button("Remove", "remove_galaxies", self._remove)
        self.remove.setToolTip("Take the selected galaxies out of the list; their files stay")
        self.remove.hide()
        row = QHBoxLayout()
        row.addWidget(self.add)
        row.addWidget(self.remove)
        column.addWidget(self.list)
        column.addLayout(row)

    @property
    def with_open(self) -> bool:
        """Whether the galaxy in the window is wanted."""
        item = self.list.item(0)
        return item is None or bool(item.checkState() == Qt.CheckState.Checked)

    @property
    def comparisons(self) -> list[Comparison]:
        """The added galaxies that are wanted."""
        checked = Qt.CheckState.Checked
        return [
            c
            for i, c in enumerate(self._added, 1)
            if present(self.list.item(i)).checkState() == checked
        ]

    def open_files(self, paths: list[str]) -> Job | None:
        """Add the galaxies of some files."""

        def opened(result: tuple[list[Comparison], list[str]]) -> None:
            found, notes = result
            self._added += found
            self._fill(len(found))
            self.message.emit(" ".join(notes))
            self.changed.emit()

        return self.runner.start(
            "Comparing galaxies",
            lambda: compare_files(paths),
            on_result=opened,
            on_error=self.message.emit,
        )

    def _ask(self) -> None:
        kinds = "Maps (*.fits *.fits.gz *.fit *.fts *.fz)"
        paths, _ = QFileDialog.getOpenFileNames(self, "Predicted maps and their truths", "", kinds)
        if paths:
            self.open_files(paths)

    def _fill(self, new: int) -> None:
        """The rows anew; the last `new` of them have not been there before."""
        before = [present(self.list.item(i)).checkState() for i in range(self.list.count())] or [
            Qt.CheckState.Checked
        ]
        before += [Qt.CheckState.Checked] * new
        texts = ["the galaxy in the window"]
        texts += [f"{c.name or 'galaxy'}: {_file(c.maps)} / {_file(c.truth)}" for c in self._added]
        with QSignalBlocker(self.list):
            self.list.clear()
            for text, state in zip(texts, before, strict=True):
                item = QListWidgetItem(text)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(state)
                item.setToolTip(text)
                self.list.addItem(item)
        self.list.setFixedHeight(max(self.list.sizeHintForRow(0), 12) * min(len(texts), 6) + 8)
        self.list.setVisible(bool(self._added))
        self.remove.setVisible(bool(self._added))
        self._selected()

    def clear(self) -> None:
        """Forget all that was added."""
        if self._added:
            self._added = []
            with QSignalBlocker(self.list):
                self.list.clear()
            self._fill(0)
            self.changed.emit()

    def _selected(self) -> None:
        self.remove.setEnabled(any(self.list.row(item) > 0 for item in self.list.selectedItems()))

    def _remove(self) -> None:
        gone = {self.list.row(item) for item in self.list.selectedItems()} - {0}
        self._added = [c for i, c in enumerate(self._added, 1) if i not in gone]
        with QSignalBlocker(self.list):
            for row in sorted(gone, reverse=True):
                self.list.takeItem(row)
        self._fill(0)
        self.changed.emit()


def _file(maps: object) -> str:
    from pathlib import Path

    return Path(str(getattr(maps, "provenance", {}).get("file", ""))).name
