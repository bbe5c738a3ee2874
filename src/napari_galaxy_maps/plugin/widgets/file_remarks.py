"""What stands beneath a file in the table: what is wrong or asked, with the likely answers at hand,
and what a person said that no column shows.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from ...data.question import BEAM, ZERO_POINT
from .answer_row import AnswerRow, meaning_of
from .qt_parts import clear
from .theme_colours import FAINT, WARNING

if TYPE_CHECKING:
    from ..state.answers import Answer
    from ..state.opened_files import FileState

_NO_COLUMN = (ZERO_POINT, BEAM)


class FileRemarks(QWidget):
    """The row beneath a file; empty where there is nothing to say."""

    answered = Signal(str, str)
    """What an answer is about, and the answer; an empty one takes back what was said."""
    grown = Signal()
    """There is more to see here."""

    def __init__(self) -> None:
        super().__init__()
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(22, 0, 6, 4)
        self.column.setSpacing(3)
        self._shown: tuple[object, ...] | None = None
        self._texts: list[str] = []
        self._alone: set[str] = set()
        """What is answered here though several files ask it alike."""

    def text(self) -> str:
        """All that is said here."""
        return " ".join(self._texts)

    def show_state(self, state: FileState, shared: Collection[str] = ()) -> None:
        """Show what there is to say of a file; what has not changed keeps its widgets, and what is
        written in them.

        Parameters
        ----------
        state : FileState
            The file.
        shared : collection of str
            What is asked beneath the table for several files at once: it is not asked here again,
            unless a person wants to answer for this one.
        """
        self._alone &= set(shared)
        told = tuple(answer for answer in state.answers if answer.about in _NO_COLUMN)
        elsewhere = tuple(q.about for q in state.questions if q.about in {*shared} - self._alone)
        shown = (state.used, state.problem, state.questions, told, state.remark, elsewhere)
        if shown == self._shown:
            return
        self._shown, self._texts = shown, []
        clear(self.column)
        if not state.used:
            self._say("left out", FAINT)
            return
        for question in state.questions:
            if question.about in elsewhere:
                self._refer(question.about, state, shared)
                continue
            self._say(question.text, WARNING)
            row = AnswerRow(question)
            row.answered.connect(partial(self.answered.emit, question.about))
            self._add(row)
        if state.problem and not state.questions:
            self._say(state.problem, WARNING)
        if state.remark:
            self._say(state.remark, FAINT)
        for answer in told:
            self._show_told(answer, state.found.label)

    def _refer(self, about: str, state: FileState, shared: Collection[str]) -> None:
        """Say that a question stands beneath the table, and offer to answer it here."""
        button = QPushButton(f"{about}: asked below, or answer here")
        button.setObjectName("alone")
        button.setToolTip(
            f"Its {about} is asked once for several files, beneath the table. Click to answer for "
            "this one alone."
        )
        button.setProperty("ink", WARNING)
        button.setStyleSheet("padding: 1px 7px; margin-left: 5px;")
        button.clicked.connect(partial(self._ask_alone, about, state, shared))
        self._add(button)
        self.column.setAlignment(button, Qt.AlignmentFlag.AlignLeft)
        self._texts.append(button.text())

    def _ask_alone(
        self, about: str, state: FileState, shared: Collection[str], _checked: bool = False
    ) -> None:
        self._alone.add(about)
        self.show_state(state, shared)
        self.grown.emit()

    def _say(self, text: str, colour: str) -> None:
        label = QLabel(text)
        label.setObjectName("problem")
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        label.setProperty("ink", colour)
        self._add(label)
        self._texts.append(text)

    def _add(self, widget: QWidget) -> None:
        self.column.addWidget(widget)
        # A layout counts what is shown; it would show this by itself, but only a turn later.
        widget.show()

    def _show_told(self, answer: Answer, label: str) -> None:
        """An answer that was given, to be taken back by a click."""
        sign = " arcsec²" if answer.about == BEAM else ""
        text = f"{answer.about} {answer.value}{sign}"
        whose = "" if answer.key == label else f" for {answer.key}"
        button = QPushButton(f"told{whose}: {text}  ×")
        button.setObjectName("told")
        button.setToolTip(
            f"You said{whose}: {meaning_of(answer.about, answer.value)}. Click to take it back."
        )
        button.setStyleSheet("padding: 1px 7px; margin-left: 5px;")
        button.clicked.connect(partial(self._take_back, answer.about))
        self._add(button)
        self.column.setAlignment(button, Qt.AlignmentFlag.AlignLeft)
        self._texts.append(button.text())

    def _take_back(self, about: str, _checked: bool = False) -> None:
        self.answered.emit(about, "")
