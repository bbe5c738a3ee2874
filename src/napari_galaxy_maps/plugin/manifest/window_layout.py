"""How the window is laid out when the panels first open: large, and most of it the galaxy's."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QRect, QSize, Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QTabBar

from ..ground import viewers

if TYPE_CHECKING:
    from napari.viewer import Viewer

_OF_SCREEN = 0.9
"""Of the screen's room, in width and height, that the window takes."""
_OF_WINDOW = 0.3
"""Of the window's width, at most, that the panels take."""
_SAME = 40
"""Pixels by which a window may differ from napari's own size: parts of it settle as it is shown."""

_OPENED: weakref.WeakKeyDictionary[Viewer, QSize | None] = weakref.WeakKeyDictionary()
"""The size of a window when its first panel came, if that was napari's own; None once a person or a
script has sized it, or we have."""


def note_size(viewer: Viewer) -> None:
    """Remember, before the first panel is docked, whether anybody has sized the window."""
    window = viewers.qt_window(viewer)
    if viewer not in _OPENED and window is not None:
        _OPENED[viewer] = QSize(window.size()) if _is_as_opened(window) else None


def make_room(viewer: Viewer) -> None:
    """Make the window large, once, if nobody has sized it."""
    window, opened = viewers.qt_window(viewer), _OPENED.get(viewer)
    _OPENED[viewer] = None
    if window is None or opened is None or not window.isVisible() or window.size() != opened:
        return
    room = window.screen().availableGeometry()
    frame = window.frameGeometry().size() - window.size()
    size = QSize(round(_OF_SCREEN * room.width()), round(_OF_SCREEN * room.height())) - frame
    window.resize(size.expandedTo(opened).boundedTo(room.size() - frame))
    if not room.contains(window.frameGeometry()):
        placed = QRect(window.frameGeometry())
        placed.moveCenter(room.center())
        window.move(placed.topLeft())


def share_width(viewer: Viewer, dock: QDockWidget) -> None:
    """Give the panels their width, the layer list what it needs, and the canvas the rest."""
    window: QMainWindow | None = viewers.qt_window(viewer)
    if window is None:
        return
    width = min(dock.sizeHint().width(), int(_OF_WINDOW * window.width()))
    left = [
        other
        for other in window.findChildren(QDockWidget)
        if window.dockWidgetArea(other) == Qt.DockWidgetArea.LeftDockWidgetArea
        and other.isVisible()
        and not other.isFloating()
    ]
    docks: list[Any] = [dock, *left]
    widths = [width, *(other.minimumSizeHint().width() for other in left)]
    window.resizeDocks(docks, widths, Qt.Orientation.Horizontal)


def narrow_tabs(viewer: Viewer, name: str) -> None:
    """Make the tabs that a panel's is among narrow enough to be read beside each other."""
    window = viewers.qt_window(viewer)
    for bar in window.findChildren(QTabBar) if window is not None else ():
        if name in (bar.tabText(i) for i in range(bar.count())):
            bar.setStyleSheet("QTabBar::tab { padding: 3px 2px; }")


def _is_as_opened(window: QMainWindow) -> bool:
    """Whether a window has the size that napari gives it."""
    if window.isMaximized() or window.isFullScreen():
        return False
    difference = window.size() - window.sizeHint()
    return abs(difference.width()) <= _SAME and abs(difference.height()) <= _SAME
