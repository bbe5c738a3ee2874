"""Opens the panels, tabbed on the right in the order of the work, all at once or one of them."""

from __future__ import annotations

import weakref
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

from napari.viewer import Viewer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QDockWidget, QWidget

from ..canvas.galaxy_view import show_galaxy
from ..eventloop import preload
from ..eventloop.idle_queue import next_turn
from ..widgets.forms import is_seen
from ..widgets.session_bar import ask_to_close
from ..workspace import workspace_of
from . import window_layout

PLUGIN = "napari-galaxy-maps"


@dataclass(frozen=True)
class PanelRow:
    """One panel.

    Attributes
    ----------
    name : str
        As in the menu (`napari.yaml`).
    place : str
        Module of `plugin/panels` and class.
    with_all : bool
        Whether it opens with all panels, or alone only.
    """

    name: str
    place: str
    with_all: bool = True


ROWS = (
    PanelRow("Galaxy", "galaxy_panel:GalaxyPanel"),
    PanelRow("Prepare", "prepare_panel:PreparePanel"),
    PanelRow("Stars", "stars_panel:StarsPanel"),
    PanelRow("Predict", "predict_panel:PredictPanel"),
    PanelRow("Inspect", "inspect_panel:InspectPanel"),
    PanelRow("Measure", "measure_panel:MeasurePanel"),
    PanelRow("Pixel", "pixel_panel:PixelPanel"),
    PanelRow("Sharpen", "sharpen_panel:SharpenPanel", with_all=False),
    PanelRow("Neighbours", "neighbours_panel:NeighboursPanel", with_all=False),
    PanelRow("Mock", "mock_panel:MockPanel", with_all=False),
)
"""All panels in the order of the work."""
PANELS = tuple(row.name for row in ROWS if row.with_all)
MORE = tuple(row.name for row in ROWS if not row.with_all)


def open_all(viewer: Viewer) -> None:
    """Open all panels, Galaxy in front; when they first open, the window is made large if nobody
    has sized it, and the galaxy has most of it.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer to work in.
    """
    viewer = getattr(viewer, "__wrapped__", viewer)
    workspace = workspace_of(viewer)
    workspace.layers.arrange()
    new = not all(_full_name(name) in viewer.window.dock_widgets for name in PANELS)
    first, *others = (dock_of(panel(viewer, name)) for name in PANELS)
    window: Any = first.parentWidget()
    for dock, name in zip((first, *others), PANELS, strict=True):
        dock.setWindowTitle(name)
        dock.show()
        if dock is not first:
            # Also of those that stood there alone: each goes behind the last tab, so that they come
            # in order.
            window.tabifyDockWidget(first, dock)
    raise_panel(viewer, PANELS[0])
    if new:
        window_layout.make_room(viewer)
        window_layout.share_width(viewer, first)
        # Once canvas and tabs are there.
        next_turn(partial(show_galaxy, workspace.layers, workspace.project))
        next_turn(partial(window_layout.narrow_tabs, viewer, PANELS[0]))
    preload.begin()
    _keep_session(viewer)


def _keep_session(viewer: Viewer) -> None:
    """What is done with the panels is saved by itself, and nothing unsaved is closed unasked."""
    sessions, weak = workspace_of(viewer).sessions, weakref.ref(viewer)

    def in_front() -> str:
        alive = weak()
        shown = {} if alive is None else alive.window.dock_widgets
        seen = [name for name in PANELS if is_seen(shown.get(_full_name(name)))]
        return seen[0] if seen else ""

    def bring(name: str) -> None:
        alive = weak()
        if alive is not None and name in PANELS:
            raise_panel(alive, name)

    if sessions.panel is None:
        sessions.panel, sessions.raise_panel = in_front, bring
        sessions.watch_closing(viewer, ask_to_close)
        sessions.keep()


def panel(viewer: Viewer, name: str) -> Any:
    """One of the panels, opened if it is not there; from napari's menu it has the same name, and is
    the same.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer to work in.
    name : str
        One of `PANELS` or `MORE`.
    """
    viewer = getattr(viewer, "__wrapped__", viewer)
    full_name = _full_name(name)
    docked = viewer.window.dock_widgets
    if full_name in docked:
        return docked[full_name]
    widget = _class_of(name)(viewer)
    neighbours = [other for other in (*PANELS, *MORE) if _full_name(other) in docked]
    window_layout.note_size(viewer)
    dock = viewer.window.add_dock_widget(
        widget, name=full_name, area="right", tabify=bool(neighbours)
    )
    dock.setWindowTitle(name)
    if not neighbours:
        window_layout.share_width(viewer, dock)
    return widget


def raise_panel(viewer: Viewer, name: str) -> None:
    """Bring one of the panels to the front."""
    dock = dock_of(panel(viewer, name))
    dock.show()
    dock.raise_()


def dock_of(widget: QWidget) -> QDockWidget:
    """The dock that a panel is in."""
    parent: QWidget | None = widget
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parentWidget()
    if parent is None:
        raise LookupError(f"{widget} is in no dock")
    return parent


class AllPanels(QWidget):
    """The menu entry that opens all panels: napari wants a widget for it, which makes way for them
    at once.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        The viewer to work in.
    """

    def __init__(self, napari_viewer: Viewer):
        super().__init__()
        self._viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        QTimer.singleShot(0, self._make_way)

    def _make_way(self) -> None:
        open_all(self._viewer)
        with suppress(LookupError):  # made by hand, without a dock
            self._viewer.window.remove_dock_widget(dock_of(self))
        self.deleteLater()


def _full_name(name: str) -> str:
    from napari.plugins import menu_item_template
    from npe2 import PluginManager

    display_name = PluginManager.instance().get_manifest(PLUGIN).display_name
    return menu_item_template.format(display_name, name)


def _class_of(name: str) -> Any:
    """The class of a panel, which loads with the first panel that is opened of it."""
    place = next(row.place for row in ROWS if row.name == name)
    module, _, class_name = place.partition(":")
    return getattr(import_module(f"..panels.{module}", __package__), class_name)
