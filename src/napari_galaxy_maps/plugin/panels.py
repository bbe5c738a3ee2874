"""Opens all panels, tabbed on the right in the order of the work."""

from __future__ import annotations

from napari.viewer import Viewer

from . import warmup
from .session import session_for

PLUGIN = "napari-galaxy-maps"
PANELS = ("Galaxy", "Prepare", "Predict")


def open_all(viewer: Viewer) -> None:
    """Open the Galaxy, Prepare and Predict panels, Galaxy in front.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer to work in.
    """
    viewer = getattr(viewer, "__wrapped__", viewer)
    session_for(viewer).arrange()
    docks = [viewer.window.add_plugin_dock_widget(PLUGIN, name, tabify=True)[0] for name in PANELS]
    for dock, name in zip(docks, PANELS, strict=True):
        dock.setWindowTitle(name)
        dock.show()
    docks[0].raise_()
    warmup.begin()


def raise_panel(viewer: Viewer, name: str) -> None:
    """Bring one of the panels to the front."""
    viewer = getattr(viewer, "__wrapped__", viewer)
    viewer.window.add_plugin_dock_widget(PLUGIN, name, tabify=True)[0].raise_()
