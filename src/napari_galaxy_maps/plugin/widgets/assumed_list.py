"""What a prediction takes for granted, a line each, with the button or the field that mends it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGridLayout, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from ...data.recipe import GalaxySettings, ReddeningSettings
from ...data.section import Section
from ...data.setting import range_of
from ...exceptions import GalaxyMapsError
from ...models import suitability
from ...prepare import assumptions as kinds
from ...prepare.assumptions import Assumption, assumptions, unanswered
from ..ground.window_words import words_of
from ..state.answers import with_answer, with_use
from .forms import NumberField, wrapped
from .other_panel import raise_panel
from .qt_parts import clear
from .theme_colours import FAINT, WARNING

if TYPE_CHECKING:
    from ..workspace import Workspace

_MOST = 6
_BUTTONS = {
    kinds.STARS: ("Find stars", "Look for stars on the images, and show them in the Stars panel"),
    kinds.ELLIPSE: ("Draw D25", "Show the ellipse on the canvas, to be moved, resized and turned"),
    kinds.LEAVE_OUT: ("Leave out", "Take these images' ticks away in the Galaxy panel"),
    kinds.OLD_PIXEL: ("Per old pixel", "Say that values are per pixel of the survey's own images"),
    kinds.FILES: ("Files", "Show bands and units of the images in the Galaxy panel"),
    kinds.CARD: ("Card", "What the model was trained on, and where not to trust it"),
}
_FIELDS: dict[str, tuple[str, str, type[Section]]] = {
    kinds.REDSHIFT: ("redshift", "galaxy", GalaxySettings),
    kinds.DISTANCE: ("Mpc", "galaxy", GalaxySettings),
    kinds.EBV: ("E(B−V)", "reddening", ReddeningSettings),
}
"""What stands in the empty field; section and settings of the recipe."""


class AssumedList(QWidget):
    """A line for each assumption, at most six until a person asks for all; nothing where there is
    none.

    Parameters
    ----------
    workspace : Workspace
        Whose galaxy it is about.
    """

    card_wanted = Signal()
    model_wanted = Signal(str)
    changed = Signal()
    """What is assumed; see `grave` and `impossible`."""

    def __init__(self, workspace: Workspace):
        super().__init__()
        self.setObjectName("assumed")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.workspace, self.project = workspace, workspace.project
        self.impossible = ""
        """Why the model cannot run; empty where it can."""
        self.waiting: list[str] = []
        """Bands of which something is asked before they are used."""
        self.found: list[Assumption] = []
        self._shown: list[Assumption] = []
        self._fields: dict[str, NumberField] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self._lines = QWidget()
        self._grid = QGridLayout(self._lines)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(0, 1)
        self.more = QToolButton()
        self.more.setObjectName("more_assumed")
        self.more.setToolTip("Show or hide what matters less of what is taken for granted")
        self.more.setCheckable(True)
        self.more.setAutoRaise(True)
        self.more.clicked.connect(lambda _: self._show())
        column.addWidget(self._lines)
        column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        self.hide()

    def text(self) -> str:
        """All that is said, a line each."""
        return "\n".join(one.text for one in self.found)

    def refresh(self) -> None:
        """Show what is assumed now."""
        known = self.workspace.first_look.known()
        rows = [row for row in self.project.file_rows() if row.used and row.questions]
        asked = unanswered([question for row in rows for question in row.questions])
        self.waiting = [row.file.band.name for row in rows if row.file.band is not None]
        found = [] if known is None else assumptions(known)
        self.impossible = next((one.text for one in found if one.impossible), "")
        if known is not None and self.impossible and self.waiting:
            # A model that could work once the answers are there is not to be blamed.
            bands = [*known.galaxy.images, *self.waiting]
            if not suitability.why_not(known.recipe.model.name, bands):
                found, self.impossible = [], asked[0].text
        self.found = [*asked, *found]
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        count = len(self.found)
        shown = self.found if self.more.isChecked() else self.found[:_MOST]
        self.more.setVisible(count > _MOST)
        self.more.setText("▾ fewer" if self.more.isChecked() else f"▸ {count - _MOST} more")
        self.setVisible(bool(shown))
        for kind, field in self._fields.items():
            if not field.isModified():  # else somebody is writing there
                field.show_value(self._value(kind))
        if shown == self._shown:
            return
        self._shown = list(shown)
        for field in self._fields.values():  # what is being written there is kept
            self._grid.removeWidget(field)
            field.setVisible(any(one.mend == field.objectName() for one in shown))
        clear(self._grid)
        for row, one in enumerate(shown):
            text = wrapped(one.text, WARNING if one.grave else FAINT, "assumption")
            text.setToolTip(one.more)
            self._grid.addWidget(text, row, 0, Qt.AlignmentFlag.AlignTop)
            text.show()
            control = self._control(one)
            if control is not None:
                self._grid.addWidget(control, row, 1, Qt.AlignmentFlag.AlignTop)
                control.show()

    # Mending -------------------------------------------------------------------------------------

    def _control(self, one: Assumption) -> QWidget | None:
        if one.mend in _FIELDS:
            return self._field(one.mend)
        if one.mend == kinds.MODEL:
            words, tip = f"Use {one.of[0]}", "Choose the model that can work on these bands"
        elif one.mend in _BUTTONS:
            words, tip = _BUTTONS[one.mend]
        else:
            return None
        button = QPushButton(words)
        button.setObjectName(f"mend_{one.mend.replace(' ', '_')}")
        button.setToolTip(tip)
        button.setStyleSheet("padding: 1px 7px;")
        button.clicked.connect(partial(self._mend, one))
        return button

    def _field(self, kind: str) -> NumberField:
        if kind not in self._fields:
            hint, section, settings = _FIELDS[kind]
            setting = settings.model_fields[kind]
            field = NumberField(hint, kind, setting.description or "", range_of(setting))
            field.setFixedWidth(84)
            field.given.connect(partial(self._give, section, kind))
            self._fields[kind] = field
            field.show_value(self._value(kind))
        return self._fields[kind]

    def _value(self, kind: str) -> float | None:
        value: float | None = getattr(getattr(self.project.recipe, _FIELDS[kind][1]), kind)
        return value

    def _give(self, section: str, key: str, value: float | None) -> None:
        values = {key: value}
        try:
            if section == "galaxy":
                self.project.set_galaxy(**values)
                self.project.show_message(self.project.galaxy_problem)
            else:
                self.project.set_recipe(section, enabled=True, **values)
                self.project.show_message("")
        except GalaxyMapsError as error:
            self.project.show_message(words_of(error))
            self._fields[key].show_value(self._value(key))

    def _mend(self, one: Assumption, _checked: bool = False) -> None:
        project = self.project
        if one.mend == kinds.STARS:
            self._raise("Stars")
            self.workspace.preparer.find_stars()
        elif one.mend == kinds.ELLIPSE:
            self.workspace.d25_layer.draw()
        elif one.mend == kinds.LEAVE_OUT:
            self._leave_out(one.of)
        elif one.mend == kinds.OLD_PIXEL:
            self._per_old_pixel(one.of)
        elif one.mend == kinds.CARD:
            self.card_wanted.emit()
        elif one.mend == kinds.MODEL:
            self.model_wanted.emit(one.of[0])
        else:
            project.show_message("")
            self._raise("Galaxy")

    def _raise(self, panel: str) -> None:
        raise_panel(self.workspace.layers.viewer, panel)

    def _leave_out(self, bands: tuple[str, ...]) -> None:
        settings = self.project.recipe.input
        for ready in self.project.ready_files():
            if ready.band in bands:
                place = self.project.files.places()[ready.label]
                table, _ = with_use(settings, place, used=False)
                settings = settings.model_copy(update=table)
        self.project.resettle(leave_out=settings.leave_out)

    def _per_old_pixel(self, bands: tuple[str, ...]) -> None:
        """Say of the files of some bands that they are per pixel of the survey's own images."""
        from ...bands.units import OLD_PIXEL, parse_unit
        from ...data.question import UNIT

        settings = self.project.recipe.input
        rows = [row for row in self.project.file_rows() if row.used and row.file.role == "image"]
        try:
            for row in rows:
                unit = None if row.file.unit is None else parse_unit(row.file.unit)
                if row.file.band is None or row.file.band.name not in bands or unit is None:
                    continue
                answer = f"{str(unit).removesuffix('/pix')}/{OLD_PIXEL}"
                table = with_answer(settings, [(row.found, row.file)], UNIT, answer)
                settings = settings.model_copy(update=table)
            self.project.resettle(units=settings.units)
        except GalaxyMapsError as error:
            self.project.show_message(words_of(error))
