"""Saving and opening sessions: two buttons, what a window before has left, and files that were not
found.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QVBoxLayout,
    QWidget,
)

from ..session.saved_galaxy import SUFFIX
from .forms import make_button, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..workspace import Workspace

    Slot = Callable[[], None]


class SessionBar(QWidget):
    """The buttons, and beneath them what is offered.

    Parameters
    ----------
    workspace : Workspace
        Whose session it is.
    """

    def __init__(self, workspace: Workspace):
        super().__init__()
        self.sessions, self.project = workspace.sessions, workspace.project
        self.galaxies = workspace.galaxies
        self.save_button = make_button("Save session…", "save_session", self._ask_save)
        self.save_button.setToolTip(
            "All galaxies with their results, masks, apertures and views, in a folder "
            f"NAME{SUFFIX}; the images stay where they are"
        )
        self.open_button = make_button("Open session…", "open_session", self._ask_open)
        self.open_button.setToolTip(
            f"Open a folder NAME{SUFFIX}; File > Open Folder… and dropping it do the same"
        )
        row = QHBoxLayout()
        row.addWidget(self.save_button)
        row.addWidget(self.open_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        self.offer, self.offer_text = _notice(
            column,
            ("Open it", "open_last", self._open_last, "Bring that window's galaxies back as saved"),
            ("No", "decline", self._decline, "Begin with an empty window, and do not ask again"),
        )
        self.missing, self.missing_text = _notice(
            column,
            (
                "Look in a folder…",
                "find_missing",
                self._ask_missing,
                "Look for files of the same contents in a folder and the folders in it",
            ),
        )

    def refresh(self) -> None:
        """Show what is offered, and which files are missing."""
        states = self.sessions.offered
        if states:
            last = states[0]
            how = "ended unexpectedly" if last.crashed else "was closed"
            when = last.saved.astimezone()
            self.offer_text.setText(
                f"A window {how} on {when:%Y-%m-%d at %H:%M} with {', '.join(last.galaxies[:4])}"
                f"{' …' if len(last.galaxies) > 4 else ''}. Open it again?"
            )
        self.offer.setVisible(bool(states) and self.galaxies.all_blank)
        files = self.project.missing
        names = ", ".join(file.path.name for file in files[:3])
        self.missing_text.setText(
            f"{len(files)} of the session's files not found: {names}{' …' if files[3:] else ''}"
        )
        self.missing.setVisible(bool(files))

    def _ask_save(self) -> None:
        before = self.sessions.folder
        name = str(before) if before is not None else f"{self.project.file_stem}{SUFFIX}"
        path, _ = QFileDialog.getSaveFileName(
            self,
            "Save the session",
            name,
            f"Sessions (*{SUFFIX})",
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if path:
            self.sessions.save(path if path.endswith(SUFFIX) else f"{path}{SUFFIX}")

    def _ask_open(self) -> None:
        path = QFileDialog.getExistingDirectory(self, f"Open a session (a folder NAME{SUFFIX})")
        if path:
            self.sessions.open(path)

    def _open_last(self) -> None:
        last = self.sessions.offered[0]
        self.sessions.decline()
        self.sessions.open(last.folder, own=False)

    def _decline(self) -> None:
        self.sessions.decline()

    def _ask_missing(self) -> None:
        first = self.project.missing[0].path.parent if self.project.missing else Path()
        path = QFileDialog.getExistingDirectory(
            self, "Folder with the missing files", str(first.parent)
        )
        if path:
            self.sessions.find_missing(path)


def _notice(column: QVBoxLayout, *buttons: tuple[str, str, Slot, str]) -> tuple[QWidget, QLabel]:
    """A sentence with buttons, which is hidden as long as there is nothing to say."""
    frame, text = QWidget(), wrapped()
    row = QHBoxLayout(frame)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(text, 1)
    for words, name, slot, tip in buttons:
        row.addWidget(make_button(words, name, slot, tip))
    column.addWidget(frame)
    frame.hide()
    return frame, text


def ask_to_close(question: str) -> str:
    """Ask a person what to do with results that are not saved.

    Returns
    -------
    str
        ``"close"``, or empty to stay.
    """
    box = QMessageBox()
    box.setObjectName("ask_to_close")
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Close Galaxy Maps")
    box.setText(question)
    box.setInformativeText(
        "Close all the same? The window is kept as it is and offered again when the panels are "
        "opened next, but only the last ten are."
    )
    close = box.addButton("Close", QMessageBox.ButtonRole.DestructiveRole)
    stay = box.addButton("Stay", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(stay)
    box.exec()
    return "close" if box.clickedButton() is close else ""
