"""A form for a section of the recipe, made of its fields: ranges, units and tooltips are theirs."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from magicgui.widgets import create_widget
from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QToolButton,
    QWidget,
)

from ...data.setting import Shown, description_with_unit, range_of, shown_of, unit_of
from .forms import wrapped
from .qt_parts import ComboBox, present
from .theme_colours import FAINT

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo


_NO_LIMIT = 1e9
_SPACING = 6


class _NoWheel(QObject):
    """Leaves the wheel over magicgui's own boxes to the panel, as `qt_parts` does for ours."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.Wheel:
            event.ignore()
            return True
        return False


class SettingsForm(QWidget):
    """The settings of a section of the recipe.

    Parameters
    ----------
    read : callable
        Gives the section as it is now.
    change : callable
        Takes a setting's name and its new value; refuses it by itself where it makes no sense.
    complain : callable
        Takes a sentence where what was written is no value at all.
    by_band : callable, optional
        Makes the control of a setting that is a dictionary by band, from its name and field; it has
        a method ``refresh``. Without it such settings are not shown.
    keys : iterable of str, optional
        The settings to show; by default all that the section shows in forms, short of its switch.
    """

    def __init__(
        self,
        read: Callable[[], BaseModel],
        change: Callable[[str, Any], None],
        complain: Callable[[str], None],
        by_band: Callable[[str, FieldInfo], Any] | None = None,
        keys: Iterable[str] | None = None,
    ):
        super().__init__()
        self._read, self._change, self._complain, self._by_band = read, change, complain, by_band
        self._fields = type(read()).model_fields
        self._readers: list[Callable[[], None]] = []
        self._placed: list[tuple[QWidget, ...] | QWidget | None] = []
        self._abreast, self._wide = 0, 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(_SPACING)
        self._no_wheel = _NoWheel(self)
        for key in self._shown_keys() if keys is None else keys:
            self._add(key, self._fields[key])
        self._lay_out(2)

    def refresh(self) -> None:
        """Show the section as it is."""
        for read in self._readers:
            read()

    def _shown_keys(self) -> list[str]:
        return [
            key
            for key, field in self._fields.items()
            if key != "enabled" and shown_of(field).in_forms
        ]

    def _value(self, key: str) -> Any:
        return getattr(self._read(), key)

    def _add(self, key: str, field: FieldInfo) -> None:
        """The control of one setting, by the kind of its values."""
        kinds = _kinds(field.annotation)
        if kinds == {bool}:
            self._add_switch(key, field)
        elif get_origin(field.annotation) is Literal:
            self._add_choice(key, field)
        elif kinds in ({int}, {float}):
            self._add_number(key, field, whole=kinds == {int})
        elif kinds == {float, type(None)}:
            self._add_optional_number(key, field)
        elif kinds == {float, str}:
            self._add_number_or_words(key, field)
        elif kinds == {str}:
            self._add_text(key, field)
        elif kinds == {dict}:
            self._add_by_band(key, field)
        else:
            self._add_in_recipe_only(key, field)

    # Layout --------------------------------------------------------------------------------------

    def _place(self, *widgets: QWidget) -> None:
        """A label and a control, or a switch that carries its own label, beside another such."""
        self._placed.append(widgets)

    def _place_alone(self, widget: QWidget) -> None:
        """A widget in a row of its own."""
        self._placed.append(widget)

    def _place_line(self, text: str, *widgets: QWidget) -> None:
        """A label and widgets in a row of their own, the first of them as wide as there is room."""
        whole = QWidget()
        line = QHBoxLayout(whole)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(QLabel(text))
        for i, widget in enumerate(widgets):
            line.addWidget(widget, 1 if i == 0 else 0)
        self._place_alone(whole)

    def _break_row(self) -> None:
        """What follows begins a new row."""
        self._placed.append(None)

    def _lay_out(self, abreast: int) -> None:
        """Put all into the grid, so many settings in a row."""
        self._abreast = abreast
        while self._grid.takeAt(0) is not None:
            pass
        for column in (1, 3):
            self._grid.setColumnStretch(column, 1 if column < 2 * abreast else 0)
        row, done = 0, 0
        for placed in self._placed:
            if done and (done == abreast or not isinstance(placed, tuple)):
                row, done = row + 1, 0
            if isinstance(placed, tuple):
                for i, widget in enumerate(placed):
                    self._grid.addWidget(widget, row, 2 * done + i, 1, 3 - len(placed))
                done += 1
            elif placed is not None:
                self._grid.addWidget(placed, row, 0, 1, 2 * abreast)
                row += 1

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Two settings stand beside each other where there is room for them."""
        super().resizeEvent(event)
        if self._abreast == 2:
            self._wide = self._grid.minimumSize().width()
        abreast = 2 if self.width() >= self._wide else 1
        if abreast != self._abreast:
            self._lay_out(abreast)

    def minimumSizeHint(self) -> QSize:
        """As narrow as it is with one setting in a row."""
        columns: list[list[int]] = [[0], [0], [0]]
        for placed in self._placed:
            widgets = placed if isinstance(placed, tuple) else (placed,)
            for i, widget in enumerate(widgets):
                if widget is not None:
                    column = i if len(widgets) == 2 else 2
                    width = max(widget.minimumSizeHint().width(), widget.minimumWidth())
                    columns[column].append(width)
        labels, controls, whole = map(max, columns)
        width = max(labels + _SPACING + controls, whole)
        return QSize(width, super().minimumSizeHint().height())

    # Controls ------------------------------------------------------------------------------------

    def _made(self, key: str, field: FieldInfo, annotation: Any, **options: Any) -> Any:
        """magicgui's widget for a setting, which tells of changes and shows the recipe's value."""
        # Typed as magicgui's bare Widget, it has a value and tells of changes all the same.
        widget: Any = create_widget(annotation=annotation, name=key, options=options)
        widget.native.setObjectName(key)
        widget.native.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        widget.native.installEventFilter(self._no_wheel)
        widget.native.setToolTip(description_with_unit(field))
        widget.changed.connect(lambda value: self._change(key, value))

        def read() -> None:
            with widget.changed.blocked():
                widget.value = self._value(key)

        self._readers.append(read)
        return widget

    def _add_switch(self, key: str, field: FieldInfo) -> None:
        box = self._made(key, field, bool, text=_title(key, field))
        self._place(box.native)

    def _add_choice(self, key: str, field: FieldInfo) -> None:
        box = self._made(key, field, field.annotation)
        self._place(QLabel(_title(key, field)), box.native)

    def _add_number(self, key: str, field: FieldInfo, whole: bool) -> None:
        low, high = _limits(field)
        # Not magicgui's box for whole numbers, which cannot show a unit behind them.
        box = self._made(
            key, field, float, min=low, max=high, step=float(shown_of(field).increment)
        ).native
        unit = unit_of(field)
        box.setSuffix(f" {unit.symbol}" if unit else "")
        box.setDecimals(0 if whole else 2)
        box.setKeyboardTracking(False)
        self._enable_for(box, shown_of(field))
        self._place(QLabel(_title(key, field)), box)

    def _enable_for(self, box: QWidget, shown: Shown) -> None:
        """Enable a control only while another setting makes it matter."""
        if shown.only_for is not None:
            key, value = shown.only_for
            self._readers.append(lambda: box.setEnabled(self._value(key) == value))

    def _add_optional_number(self, key: str, field: FieldInfo) -> None:
        """A number that may be left out."""
        line = self._text_field(key, field)
        unit = unit_of(field)
        of_unit = f" of {unit.words or unit.symbol}" if unit else ""

        def finished() -> None:
            written = line.text().strip().replace(",", ".")
            try:
                value = float(written) if written else None
            except ValueError:
                self._complain(f"{_title(key, field)} is a number{of_unit}, not {written!r}.")
                self.refresh()
            else:
                self._change(key, value)

        def read() -> None:
            value = self._value(key)
            line.setText("" if value is None else f"{value:g}")

        line.editingFinished.connect(finished)
        self._readers.append(read)
        self._place_line(_title(key, field), line)

    def _add_number_or_words(self, key: str, field: FieldInfo) -> None:
        """A number or words, chosen of examples or written."""
        box = ComboBox()
        box.setObjectName(key)
        box.setEditable(True)
        box.setInsertPolicy(ComboBox.InsertPolicy.NoInsert)
        box.addItems([str(example) for example in field.examples or ()])
        box.setToolTip(description_with_unit(field))
        box.setMinimumWidth(80)

        def shown() -> str:
            value = self._value(key)
            return value if isinstance(value, str) else f"{value:g}"

        def finished() -> None:
            written = box.currentText().strip() or str(field.default)
            # Qt tells of one entry twice; the second must not wipe the words about the first away.
            if written != shown():
                self._change(key, written)

        def read() -> None:
            box.setEditText(shown())

        box.activated.connect(lambda _: finished())
        present(box.lineEdit()).editingFinished.connect(finished)
        self._readers.append(read)
        self._break_row()
        self._place(QLabel(_title(key, field)), box)
        self._place(wrapped(shown_of(field).hint, FAINT))
        self._break_row()

    def _add_text(self, key: str, field: FieldInfo) -> None:
        """Words, or a file, written or chosen."""
        line = self._text_field(key, field)
        line.editingFinished.connect(lambda: self._change(key, line.text().strip()))
        self._readers.append(lambda: line.setText(self._value(key)))
        if not shown_of(field).is_file:
            self._place_line(_title(key, field), line)
            return
        choose = QToolButton()
        choose.setObjectName(f"choose_{key}")
        choose.setText("…")
        choose.setToolTip("Choose the file")

        def ask() -> None:
            chosen, _ = QFileDialog.getOpenFileName(self, shown_of(field).hint)
            if chosen:
                line.setText(chosen)
                self._change(key, chosen)

        choose.clicked.connect(lambda _: ask())
        self._place_line(_title(key, field), line, choose)

    def _text_field(self, key: str, field: FieldInfo) -> QLineEdit:
        line = QLineEdit()
        line.setObjectName(key)
        line.setPlaceholderText(shown_of(field).hint)
        line.setToolTip(description_with_unit(field))
        return line

    def _add_by_band(self, key: str, field: FieldInfo) -> None:
        if self._by_band is not None:
            setting = self._by_band(key, field)
            self._readers.append(setting.refresh)
            self._place_alone(setting)

    def _add_in_recipe_only(self, key: str, field: FieldInfo) -> None:
        """A line for a setting that no control is made for, so that it is not missed."""
        self._place_alone(
            wrapped(f"{description_with_unit(field)}: set it in a recipe", FAINT, key)
        )


def _title(key: str, field: FieldInfo) -> str:
    """What stands before a control."""
    return field.title or key.replace("_", " ").capitalize()


def _kinds(annotation: Any) -> set[Any]:
    """The types that a setting's value may have."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return {get_origin(part) or part for part in get_args(annotation)}
    return {origin or annotation}


def takes_files(field: FieldInfo) -> bool:
    """Whether the values of a dictionary by band may be files."""
    *_, value = get_args(field.annotation)
    return str in _kinds(value)


def _limits(field: FieldInfo) -> tuple[float, float]:
    """The lowest and highest value that may be entered."""
    limits = range_of(field)
    return (limits.least, limits.most) if limits is not None else (-_NO_LIMIT, _NO_LIMIT)
