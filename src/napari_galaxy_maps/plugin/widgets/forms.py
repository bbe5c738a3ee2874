"""Small pieces that the panels share: a line for messages, number fields that may be empty, a
panel's frame.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

from qtpy.compat import isalive
from qtpy.QtCore import QSize, Qt, QTimer, Signal
from qtpy.QtGui import QColor, QDoubleValidator, QIcon, QKeySequence, QPainter, QPixmap, QShortcut
from qtpy.QtWidgets import (
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ...data.setting import Range
from ..ground.edit_history import History
from . import plot_canvas, theme_colours

if TYPE_CHECKING:
    from .help_window import HelpWindow

_NARROWEST = 280
"""Pixels of a panel; what needs more scrolls."""


def wrapped(text: str = "", colour: str = "", name: str = "") -> QLabel:
    """A label that wraps its words and never forces its panel to be wide; its colour is one of
    `theme_colours`.
    """
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    if colour:
        label.setProperty("ink", colour)
    if name:
        label.setObjectName(name)
    return label


class Message(QLabel):
    """A sentence that something is wrong, or nothing at all."""

    def __init__(self, name: str = "message"):
        super().__init__()
        self.setObjectName(name)
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setProperty("ink", theme_colours.WARNING)
        self.hide()

    def say(self, text: str) -> None:
        """Show `text`; hide when it is empty."""
        self.setText(text)
        self.setVisible(bool(text))


class _NumberOrNothing(QDoubleValidator):
    """Lets a field be emptied, too: Qt's own never tells of that."""

    def validate(self, text: str | None, position: int) -> tuple[Any, str, int]:
        if not (text or "").strip():
            return QDoubleValidator.State.Acceptable, text or "", position
        return super().validate(text, position)


class NumberField(QLineEdit):
    """A number that may be left empty.

    Parameters
    ----------
    placeholder : str
        In the empty field.
    name : str
        Of the field.
    meaning : str
        For its tooltip.
    limits : Range, optional
        Which numbers make sense; the tooltip says it. Any number can be entered all the same, so
        that who takes it can say what is wrong.
    """

    given = Signal(object)
    """A float or None, when the person has finished."""

    def __init__(
        self,
        placeholder: str = "unknown",
        name: str = "",
        meaning: str = "",
        limits: Range | None = None,
    ):
        super().__init__()
        self.setToolTip("; ".join(filter(None, (meaning, "" if limits is None else str(limits)))))
        validator = _NumberOrNothing(-1e300, 1e300, 300)
        validator.setNotation(QDoubleValidator.Notation.ScientificNotation)
        # A comma would otherwise be the decimal sign in half of Europe and a point refused.
        locale = validator.locale().c()
        validator.setLocale(locale)
        self.setValidator(validator)
        self.setPlaceholderText(placeholder)
        self.setObjectName(name)
        self.setMinimumWidth(50)
        self.editingFinished.connect(self._finished)

    def _finished(self) -> None:
        if self.isModified():
            self.setModified(False)
            self.given.emit(float(self.text()) if self.text().strip() else None)

    def show_value(self, value: float | None) -> None:
        """Show a number without telling anybody."""
        if not (self.hasFocus() and self.isModified()):
            self.setText("" if value is None else f"{value:.7g}")
            self.setModified(False)


class Panel(QWidget):
    """A dock widget whose content scrolls when the window is low, or very narrow; beneath it, and
    always in sight, stand its message and the button that opens its page of the documentation.
    """

    closed = False
    dyed = Signal()
    """The panel has got the colours of another theme."""
    seen = Signal(bool)
    """Whether the panel came to the front, or went behind another."""

    def __init__(self) -> None:
        super().__init__()
        self.content = QWidget()
        self.column = QVBoxLayout(self.content)
        self.column.setContentsMargins(8, 8, 8, 8)
        self.column.setSpacing(6)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(self.content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(area, 1)
        self.foot = QVBoxLayout()
        self.foot.setContentsMargins(8, 2, 8, 4)
        self.foot.addLayout(self._last_line())
        layout.addLayout(self.foot)
        self.setMinimumWidth(_NARROWEST)
        self._dock: QDockWidget | None = None
        self._help: HelpWindow | None = None
        self.inks: theme_colours.Inks = {}

    def _last_line(self) -> QHBoxLayout:
        self.message = Message()
        self.help_button = QPushButton("?")
        self.help_button.setFixedSize(26, 24)
        self.help_button.setObjectName("help")
        self.help_button.setAccessibleName("Help")
        self.help_button.setToolTip("What this panel does: its page of the documentation (F1)")
        self.help_button.clicked.connect(lambda _: self.show_help())
        key = QShortcut(QKeySequence(Qt.Key.Key_F1), self)
        key.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        key.activated.connect(self.show_help)
        foot = QHBoxLayout()
        foot.addWidget(self.message, 1)
        foot.addStretch(0)
        foot.addWidget(self.help_button, 0, Qt.AlignmentFlag.AlignBottom)
        return foot

    def show_help(self) -> None:
        """Open the panel's page of the documentation."""
        from . import help_window

        page = help_window.PAGES.get(type(self).__name__, help_window.CONTENTS)
        self._help = help_window.show_help(self, page)

    def dye(self, theme: str) -> None:
        """Take the colours of a theme of napari."""
        inks = theme_colours.inks_for(theme)
        if inks == self.inks:
            return
        self.inks = inks
        self.setStyleSheet(theme_colours.style_sheet(inks))
        for canvas in self.findChildren(QWidget, plot_canvas.NAME):
            plot_canvas.dye(canvas, inks)
        if self._help is not None and isalive(self._help):
            self._help.dye(inks)
        self.dyed.emit()

    def showEvent(self, event: Any) -> None:
        """Hear of tabs: a dock behind another one counts as visible in Qt."""
        super().showEvent(event)
        dock = self.parentWidget()
        while dock is not None and not isinstance(dock, QDockWidget):
            dock = dock.parentWidget()
        if dock is not None and dock is not self._dock:
            self._dock = dock
            dock.visibilityChanged.connect(self.seen)

    def sizeHint(self) -> QSize:
        """As wide as the table of files needs."""
        return QSize(530, 600)

    def listen(self, signal: Any, slot: Any) -> None:
        """Connect a signal to a method of a widget, for as long as Qt keeps the widget."""
        weak = WeakMethod(slot)

        def hear(*values: Any) -> None:
            method = weak()
            if method is not None and isalive(method.__self__):
                method(*values)
            else:
                # Not here, in the middle of the signal. (`destroyed` is no help: it comes too late
                # or not at all.)
                QTimer.singleShot(0, lambda: signal.disconnect(hear, missing_ok=True))

        signal.connect(hear)


def make_button(text: str, name: str, slot: Callable[[], Any], tip: str = "") -> QPushButton:
    """A button that calls `slot`, which need not know whether it is checked; a tooltip says what it
    does.
    """
    button = QPushButton(text)
    button.setObjectName(name)
    button.setToolTip(tip)
    button.clicked.connect(lambda *_: slot())
    return button


def agreed(parent: QWidget | None, title: str, question: str) -> bool:
    """Whether a person says yes to a question."""
    answer = QMessageBox.question(parent, title, question)
    return bool(answer == QMessageBox.StandardButton.Yes)


def show_history(history: History[Any], undo: QPushButton, redo: QPushButton) -> None:
    """Let two buttons say what they would take back, or do again."""
    for button, words, verb, keys in (
        (undo, history.undoes, "Undo", "Ctrl+Z"),
        (redo, history.redoes, "Redo", "Ctrl+Shift+Z"),
    ):
        button.setEnabled(bool(words))
        button.setToolTip(f"{verb} {words} ({keys})" if words else f"Nothing to {verb.lower()}")


def bind_edit_keys(
    widget: QWidget,
    undo: Callable[[], Any],
    redo: Callable[[], Any],
    delete: Callable[[], Any] | None = None,
    escape: Callable[[], Any] | None = None,
) -> None:
    """Ctrl+Z, Ctrl+Shift+Z, Delete and Escape, wherever in a panel the focus is."""
    for keys, slot in (
        (QKeySequence("Ctrl+Z"), undo),
        (QKeySequence("Ctrl+Shift+Z"), redo),
        (QKeySequence(Qt.Key.Key_Delete), delete),
        (QKeySequence(Qt.Key.Key_Escape), escape),
    ):
        if slot is None:
            continue
        shortcut = QShortcut(keys, widget)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(slot)


def is_seen(widget: QWidget | None) -> bool:
    """Whether anybody can see a widget: it is shown, and not in a dock behind another one."""
    if widget is None:
        return False
    return bool(widget.isVisible() and not widget.visibleRegion().isEmpty())


def eye_icon(colour: str) -> QIcon:
    """napari's eye in a colour; an empty icon where this napari has none."""
    try:
        from napari.resources import get_icon_path

        svg = Path(get_icon_path("visibility")).read_text()
    except (ImportError, ValueError, OSError):
        return QIcon()
    from qtpy.QtSvg import QSvgRenderer

    pixmap = QPixmap(32, 32)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(svg.encode()).render(painter)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.fillRect(pixmap.rect(), QColor(colour))
    painter.end()
    return QIcon(pixmap)


def heading(text: str) -> QLabel:
    """A heading inside a panel."""
    label = QLabel(text)
    label.setStyleSheet("font-weight: bold;")
    return label
