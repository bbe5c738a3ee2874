"""Opens another panel from within one: by napari's command for it, as the panels are above."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.components import ViewerModel

COMMAND = "napari-galaxy-maps.raise_panel"


def raise_panel(viewer: ViewerModel, name: str) -> None:
    """Bring the panel of a name to the front, opened where it is not there."""
    from npe2 import PluginManager

    PluginManager.instance().commands.execute(COMMAND, (viewer, name))
