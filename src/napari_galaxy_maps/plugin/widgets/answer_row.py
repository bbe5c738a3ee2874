"""The likely answers to a question about files as buttons, and a field for any other."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QLineEdit, QPushButton, QSizePolicy, QWidget
from superqt import QFlowLayout

from ...bands.units import OLD_PIXEL
from ...data.question import BAND, BEAM, PSF, UNIT, ZERO_POINT, Question

_FORMS = {
    ZERO_POINT: (
        "e.g. 22.5 AB",
        "The magnitude of one count, its system and what it is for, as far as they have to be "
        "told: 22.5 AB, Vega, 25 AB per second. Return sets it.",
    ),
    BEAM: ("arcsec²", "The solid angle of the beam in arcsec². Return sets it."),
    PSF: ("FWHM ″", "The full width at half maximum in arcsec. Return sets it."),
}
"""What a person may write, by what a question is about: a hint and the field's tooltip."""
_SIGNS = {BEAM: " arcsec²", PSF: "″"}


class AnswerRow(QWidget):
    """The answers to one question.

    Parameters
    ----------
    question : Question
        The question.
    who : str
        The files that it is about, in words.
    heading : str
        What stands before the answers.
    """

    answered = Signal(str)
    """The answer, as the recipe takes it."""

    def __init__(self, question: Question, who: str = "this image", heading: str = ""):
        super().__init__()
        self.setObjectName("answers")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.flow = QFlowLayout(self)
        # Labels have a margin of their own.
        self.flow.setContentsMargins(0 if heading else 5, 0, 0, 0)
        self.flow.setHorizontalSpacing(4)
        self.flow.setVerticalSpacing(2)
        if heading:
            self.flow.addWidget(QLabel(heading))
        for answer in question.answers:
            button = QPushButton(f"{answer}{_SIGNS.get(question.about, '')}")
            button.setObjectName("answer")
            button.setToolTip(f"For {who}: {meaning_of(question.about, answer, question.survey)}")
            button.setStyleSheet("padding: 1px 7px;")
            button.clicked.connect(partial(self._clicked, answer))
            self.flow.addWidget(button)
        if question.about in _FORMS:
            self.flow.addWidget(self._field(question))

    def _field(self, question: Question) -> QLineEdit:
        hint, meaning = _FORMS[question.about]
        field = QLineEdit()
        field.setObjectName("other_answer")
        field.setPlaceholderText(f"or {hint}" if question.answers else hint)
        field.setToolTip(meaning)
        field.setFixedWidth(116)
        field.editingFinished.connect(partial(self._written, field))
        return field

    def _clicked(self, answer: str, _checked: bool = False) -> None:
        self.answered.emit(answer)

    def _written(self, field: QLineEdit) -> None:
        if field.isModified():
            field.setModified(False)
            if field.text().strip():
                self.answered.emit(field.text().strip())


def meaning_of(about: str, answer: str, survey: str = "") -> str:
    """What an answer says, in words."""
    if about == BAND:
        return f"its band is {answer}"
    if about == UNIT:
        name, _, per = answer.rpartition("/")
        if per == OLD_PIXEL:
            return f"values in {name}, per pixel of {survey}'s own images"
        return (
            f"values in {name}, per pixel of the image" if per == "pix" else f"values in {answer}"
        )
    if about == ZERO_POINT:
        if answer in ("AB", "Vega"):
            return f"its magnitudes are {answer}"
        magnitude, _, per = answer.partition(" per ")
        per = {"image": " of the image as it is", "second": " per second"}.get(per, "")
        return f"{magnitude} is the magnitude of one count{per}"
    if about == BEAM:
        return f"its beam has {answer} arcsec²"
    return f"its PSF is {answer}″ wide, FWHM"
