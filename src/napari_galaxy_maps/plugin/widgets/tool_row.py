"""A row of buttons for the tools of the canvas; that of the tool in hand is pressed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

from ..canvas.tools import Tools
from .forms import make_button


class ToolRow(QWidget):
    """The buttons; pressed once more, a button puts its tool away.

    Parameters
    ----------
    tools : Tools
        What they give; whoever makes the row lets `show_tool` hear of its changes.
    buttons : iterable of tuple of str
        Name, words and tip of each.
    """

    given = Signal(bool)
    """A button was pressed, and whether there was anything to use its tool on."""

    def __init__(self, tools: Tools, buttons: Iterable[tuple[str, str, str]]):
        super().__init__()
        self._tools = tools
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self.buttons: dict[str, QPushButton] = {}
        for name, text, tip in buttons:
            button = make_button(text, name, partial(self._pressed, name))
            button.setCheckable(True)
            button.setToolTip(tip)
            self.buttons[name] = button
            row.addWidget(button)
        self.show_tool()

    def _pressed(self, name: str) -> None:
        done = self._tools.toggle(name)
        self.show_tool()  # Qt has checked the button, whatever came of it
        self.given.emit(done)

    def show_tool(self) -> None:
        """Show which tool is in hand."""
        now = self._tools.now
        for name, button in self.buttons.items():
            button.setChecked(name == now)
