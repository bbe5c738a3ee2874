"""Questions that several files ask alike, beneath their table: one answer for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from .answer_row import AnswerRow
from .forms import wrapped
from .qt_parts import clear
from .theme_colours import WARNING

if TYPE_CHECKING:
    from ..state.answers import SharedQuestion


class SharedQuestions(QWidget):
    """A line for each of them; nothing where there is none."""

    answered = Signal(object, str)
    """The `SharedQuestion` and the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("shared_questions")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(3)
        self._shown: list[SharedQuestion] = []
        self.hide()

    def show_questions(self, shared: Sequence[SharedQuestion]) -> None:
        """Show these questions; those that have not changed keep what is written in them."""
        if list(shared) == self._shown:
            return
        self._shown = list(shared)
        clear(self.column)
        for question in shared:
            text = wrapped(question.question.text, WARNING, "problem")
            self.column.addWidget(text)
            text.show()
            who = f"{question.who[:1].lower()}{question.who[1:]}"
            row = AnswerRow(question.question, who, f"{question.who}:")
            row.answered.connect(partial(self.answered.emit, question))
            self.column.addWidget(row)
            row.show()
        self.setVisible(bool(shared))
