"""A setting that every band may have: which band, and a number or a file, written or chosen."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QToolButton,
    QWidget,
)

from ...exceptions import GalaxyMapsError
from . import open_files as loading

if TYPE_CHECKING:
    from ..state.session import Session


class BandSetting(QWidget):
    """One line of a panel for a setting by band.

    Parameters
    ----------
    session : Session
        Whose recipe it changes.
    section, key : str
        Of the recipe: a dictionary by band.
    text, hint : str
        Before the band, and in the empty field.
    say : callable
        Takes a sentence when something is wrong.
    """

    def __init__(
        self,
        session: Session,
        section: str,
        key: str,
        text: str,
        hint: str,
        say: Callable[[str], None],
    ):
        super().__init__()
        self.session, self.section, self.key, self._text, self._say = (
            session,
            section,
            key,
            text,
            say,
        )
        self.bands, self.field, self.choose = QComboBox(), QLineEdit(), QToolButton()
        self.bands.setObjectName(f"{key}_band")
        self.bands.setMinimumContentsLength(11)
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
        return dict(getattr(getattr(self.session.recipe, self.section), self.key))

    def refresh(self) -> None:
        """Show the recipe as it is."""
        values = self.values
        names = list(
            dict.fromkeys([*(self.session.galaxy.images if self.session.galaxy else ()), *values])
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
            self.field.setToolTip(self.field.text())

    def _finished(self) -> None:
        self.field.setModified(False)
        self._tell(self.field.text().strip())

    def _ask(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, f"{self._text} {self.bands.currentText()}")
        if chosen:
            self.field.setText(chosen)
            self._tell(chosen)

    def _tell(self, written: str) -> None:
        band, values = self.bands.currentText(), self.values
        if not band or written == str(values.get(band, "")):
            return
        values.pop(band, None)
        if written:
            values[band] = written
            with suppress(ValueError):
                values[band] = float(written.replace(",", "."))
        try:
            self.session.set_recipe(self.section, **{self.key: values})
        except GalaxyMapsError as error:
            self._say(str(error))
            self.refresh()
            return
        self._say("")
        if self.section == "input":  # images are read again with it
            self.session.files_changed.emit()
            loading.load(self.session)
