"""The colours of what is secondary, doubtful or done, such that they can be read in every theme of
napari; and how panels, tables and plots get them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from qtpy.QtCore import QModelIndex, Qt
from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget

FAINT, WARNING, GOOD, LINK = "faint", "warning", "good", "link"
GROUND, INK = "ground", "ink"
"""Of a panel and its text, as the theme has them."""
CONTRAST = 4.5
"""Least contrast of text and what is behind it: Web Content Accessibility Guidelines 2.1, 1.4.3."""
INK_ROLE = int(Qt.ItemDataRole.UserRole) + 40
"""Under which a table's cell tells which of these colours its text has."""

_HUES = {FAINT: "#9aa0a8", WARNING: "#e0a030", GOOD: "#6cc070", LINK: "#5a9fe0"}
_STEP = 0.02
GROUNDS = ("background", "foreground", "primary", "console")
"""What napari's themes call the grounds that text lies on: of panels, of tables, of fields and
lists, and of long texts."""
Inks = dict[str, str]


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, 1 to 21, as the guidelines define it.

    Parameters
    ----------
    one, other : str
        Like ``"#9aa0a8"``.
    """
    return _contrast(_luminance(one), _luminance(other))


def readable(hue: str, grounds: Iterable[str], least: float = CONTRAST) -> str:
    """A colour made lighter, or else darker, until it has enough contrast with all grounds; the one
    that has most where none has enough.

    Parameters
    ----------
    hue : str
        The colour.
    grounds : iterable of str
        What may be behind it.
    least : float
        The contrast that is enough.
    """
    behind = [_luminance(ground) for ground in grounds]

    def worst(colour: str) -> float:
        own = _luminance(colour)
        return min(_contrast(own, ground) for ground in behind)

    def shades() -> Iterator[str]:
        for i in range(round(1 / _STEP) + 1):
            yield from (_mixed(hue, end, i * _STEP) for end in (255, 0))

    found = next((shade for shade in shades() if worst(shade) >= least), None)
    return found or max(shades(), key=worst)


def inks_for(theme: str) -> Inks:
    """All colours for a theme of napari, by name; all that text may lie on is behind them."""
    from napari.utils.theme import get_theme

    colours = get_theme(theme)
    named = {
        name: QColor(*getattr(colours, name).as_rgb_tuple(alpha=False)).name()
        for name in (*GROUNDS, "text")
    }
    inks = _readable_on(tuple(named[ground] for ground in GROUNDS))
    return {**inks, GROUND: named[GROUNDS[0]], INK: named["text"]}


@cache
def _readable_on(grounds: tuple[str, ...]) -> Inks:
    """All colours, readable on these grounds."""
    return {name: readable(hue, grounds) for name, hue in _HUES.items()}


def inks_of(widget: QWidget | None) -> Inks:
    """The colours of the panel that a widget is in; those of napari's dark theme outside of one."""
    while widget is not None:
        found = getattr(widget, "inks", None)
        if found is not None:
            return found
        widget = widget.parentWidget()
    return inks_for("dark")


def style_sheet(inks: Inks) -> str:
    """Gives every widget the colour that its property ``ink`` names; what a field says while it is
    empty, and what cannot be used just now, is as readable as all that is secondary.
    """
    named = [f'*[ink="{name}"] {{ color: {inks[name]}; }}' for name in _HUES]
    fields = f"QLineEdit {{ placeholder-text-color: {inks[FAINT]}; }}"
    return "\n".join([*named, fields, f"QWidget:disabled {{ color: {inks[FAINT]}; }}"])


class InkDelegate(QStyledItemDelegate):
    """Writes a table's cells in the colours that they name under `INK_ROLE`, whatever the theme."""

    def initStyleOption(self, option: QStyleOptionViewItem | None, index: QModelIndex) -> None:
        """The colour of a cell's text, when it is painted."""
        super().initStyleOption(option, index)
        name: Any = index.data(INK_ROLE)
        view = self.parent()
        if name and option is not None and isinstance(view, QWidget):
            option.palette.setColor(QPalette.ColorRole.Text, QColor(inks_of(view)[name]))


def _contrast(one: float, other: float) -> float:
    """Of two luminances."""
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mixed(colour: str, end: int, share: float) -> str:
    """A colour with a share of white (255) or black (0) in it."""
    parts = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(part + share * (end - part)):02x}" for part in parts)
