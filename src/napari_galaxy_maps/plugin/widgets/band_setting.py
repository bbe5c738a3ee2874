"""A setting that every band may have: which band, and a number or a file, written or chosen."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QToolButton,
    QWidget,
)

from ...exceptions import GalaxyMapsError
from ..ground.window_words import words_of
from ..state.project import Project
from .qt_parts import ComboBox


class BandSetting(QWidget):
    """One line of a panel for a setting by band.

    Parameters
    ----------
    project : Project
        Whose recipe it changes.
    section, key : str
        Of the recipe: a dictionary by band.
    text, hint, meaning : str
        Before the band, in the empty field, and for the tooltip: what is written, and its unit.
    say : callable
        Takes a sentence when something is wrong.
    """

    def __init__(
        self,
        project: Project,
        section: str,
        key: str,
        text: str,
        hint: str,
        meaning: str,
        say: Callable[[str], None],
    ):
        super().__init__()
        self.project, self.section, self.key = project, section, key
        self._text, self._meaning, self._say = text, meaning, say
        self.bands, self.field, self.choose = ComboBox(), QLineEdit(), QToolButton()
        self.bands.setObjectName(f"{key}_band")
        self.bands.setMinimumContentsLength(8)
        self.bands.setToolTip("The band that the field beside it is for")
        self.field.setObjectName(key)
        self.field.setPlaceholderText(hint)
        self.choose.setObjectName(f"choose_{key}")
        self.choose.setText("…")
        self.choose.setToolTip("Choose the file")
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(QLabel(text))
        line.addWidget(self.bands)
        line.addWidget(self.field, 1)
        line.addWidget(self.choose)
        self.bands.activated.connect(lambda _: self.refresh())
        self.field.editingFinished.connect(self._finished)
        self.choose.clicked.connect(lambda _: self._ask())
        self.refresh()

    @property
    def values(self) -> dict[str, Any]:
        """What the recipe has, by band."""
        return dict(getattr(getattr(self.project.recipe, self.section), self.key))

    def refresh(self) -> None:
        """Show the recipe as it is."""
        values = self.values
        names = list(
            dict.fromkeys([*(self.project.galaxy.images if self.project.galaxy else ()), *values])
        )
        if names != [self.bands.itemText(i) for i in range(self.bands.count())]:
            chosen = self.bands.currentText()
            self.bands.clear()
            self.bands.addItems(names)
            if names:
                self.bands.setCurrentText(
                    chosen if chosen in names else next(iter(values), names[0])
                )
        for widget in (self.bands, self.field, self.choose):
            widget.setEnabled(bool(names))
        if not self.field.isModified():
            self.field.setText(str(values.get(self.bands.currentText(), "")))
            self.field.setToolTip("\n".join(filter(None, (self._meaning, self.field.text()))))

    def _finished(self) -> None:
        self.field.setModified(False)
        self._take(self.field.text().strip())

    def _ask(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, f"{self._text} {self.bands.currentText()}")
        if chosen:
            self.field.setText(chosen)
            self._take(chosen)

    def _take(self, written: str) -> None:
        band, values = self.bands.currentText(), self.values
        if not band or written == str(values.get(band, "")):
            return
        values.pop(band, None)
        if written:
            values[band] = written
            with suppress(ValueError):
                values[band] = float(written.replace(",", "."))
        try:
            self.project.set_recipe(self.section, **{self.key: values})
        except GalaxyMapsError as error:
            self._say(words_of(error))
            self.refresh()
            return
        self._say("")
        if self.section == "input":  # images are read again with it
            self.project.files_changed.emit()
            self.project.files_resettled.emit()
