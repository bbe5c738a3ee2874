"""The galaxies that are open: a list that switches between them, begins, compares and closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListWidget,
    QVBoxLayout,
    QWidget,
)

from .forms import agreed, make_button
from .qt_parts import present, select_row, set_count

if TYPE_CHECKING:
    from ..jobs.open_galaxies import OpenGalaxy
    from ..state.galaxy_work import GalaxyWork
    from ..workspace import Workspace

_ROWS = 6
_ROW = 22


def words_of(title: str, work: GalaxyWork) -> str:
    """What the list says of a galaxy.

    Parameters
    ----------
    title : str
        What a person calls it.
    work : GalaxyWork
        What is known of it.
    """
    images, results, unsaved = len(work.files.found), len(work.results), len(work.unsaved)
    parts = [title]
    parts += [f"{images} images" if images != 1 else "1 image"] if images else []
    parts += [f"{results} results" if results != 1 else "1 result"] if results else []
    parts += [f"{unsaved} not saved" if results > 1 else "not saved"] if unsaved else []
    return ", ".join(parts)


class GalaxiesView(QWidget):
    """The list of galaxies and its buttons.

    Parameters
    ----------
    workspace : Workspace
        Whose galaxies they are.
    """

    def __init__(self, workspace: Workspace):
        super().__init__()
        self.workspace, self.galaxies = workspace, workspace.galaxies
        self.list = QListWidget()
        self.list.setObjectName("galaxy_list")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setToolTip("Click a galaxy to look at it, two with Ctrl to compare them")
        self.list.itemSelectionChanged.connect(self._selected)
        self.new_button = make_button("New galaxy", "new_galaxy", self.galaxies.begin)
        self.new_button.setToolTip("Begin another galaxy beside those that are open")
        self.compare = make_button("Compare two", "compare_galaxies", self._compare)
        self.compare.setCheckable(True)
        self.compare.setToolTip("Show two selected galaxies side by side; again to go back")
        self.close_button = make_button("Close", "close_galaxy", self._close)
        self.close_button.setToolTip(
            "Close the galaxies that are selected in the list; their files stay on disk"
        )
        row = QHBoxLayout()
        for button in (self.new_button, self.compare, self.close_button):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.list)
        column.addLayout(row)

    def refresh(self) -> None:
        """Show the galaxies as they are."""
        every = self.galaxies.all
        with QSignalBlocker(self.list):
            set_count(self.list, len(every))
            for i, galaxy in enumerate(every):
                text = words_of(self.galaxies.title(galaxy), self.galaxies.work_of(galaxy))
                if galaxy.unread is not None:
                    text = f"{text}, {galaxy.unread.summary.files} files, not read yet"
                item = present(self.list.item(i))
                if item.text() != text:
                    item.setText(text)
                    item.setToolTip(text)
            chosen, current = self._chosen(), self.galaxies.current
            if len(chosen) != 2 or current not in chosen:
                select_row(self.list, every.index(current))
        self.list.setFixedHeight(_ROW * max(1, min(len(every), _ROWS)) + 6)
        self._show_buttons()

    def _show_buttons(self) -> None:
        on = self.workspace.side_by_side.on
        self.compare.setEnabled(on or len(self._chosen()) == 2)
        self.compare.setChecked(on)
        self.close_button.setEnabled(len(self.galaxies.all) > 1 or not self._is_blank())

    def _is_blank(self) -> bool:
        return self.galaxies.is_blank(self.galaxies.current)

    def _chosen(self) -> list[OpenGalaxy]:
        rows = sorted(index.row() for index in self.list.selectedIndexes())
        return [self.galaxies.all[row] for row in rows if row < len(self.galaxies.all)]

    def _selected(self) -> None:
        chosen = self._chosen()
        self._show_buttons()
        if len(chosen) == 1:
            self.galaxies.switch(chosen[0])

    def _compare(self) -> None:
        chosen = self._chosen()
        if self.workspace.side_by_side.on:
            self.workspace.side_by_side.end()
        elif len(chosen) == 2:
            self.workspace.compare_galaxies(*chosen)
        self._show_buttons()

    def _close(self) -> None:
        for galaxy in self._chosen():
            unsaved = self.galaxies.work_of(galaxy).unsaved
            title = self.galaxies.title(galaxy)
            if unsaved and not agreed(
                self,
                "Close a galaxy",
                f"{', '.join(result.label for result in unsaved)} of {title} "
                f"{'are' if len(unsaved) > 1 else 'is'} not saved. Close it all the same?",
            ):
                continue
            self.galaxies.close(galaxy)
