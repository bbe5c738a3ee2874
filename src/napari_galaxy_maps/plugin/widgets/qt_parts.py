"""Parts of Qt's widgets that are always there, though Qt's types allow that they are not; and
layouts emptied.
"""

from __future__ import annotations

from typing import TypeVar

from qtpy.QtWidgets import QLayout

Part = TypeVar("Part")


def present(part: Part | None) -> Part:
    """The part itself, e.g. a table's header.

    Raises
    ------
    LookupError
        When it is not there after all.
    """
    if part is None:
        raise LookupError("This widget has no such part.")
    return part


def clear(layout: QLayout) -> None:
    """Take all widgets out of a layout; they go in the next turn of the event loop."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
