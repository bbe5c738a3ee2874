"""What every panel has at hand: the parts of its viewer's workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..widgets.forms import Panel
from ..workspace import workspace_of

if TYPE_CHECKING:
    from napari.viewer import Viewer


class WorkspacePanel(Panel):
    """A panel that works in one viewer.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        The viewer to work in.
    """

    def __init__(self, napari_viewer: Viewer):
        super().__init__()
        self.workspace = workspace_of(napari_viewer)
        self.project = self.workspace.project
        self.layers = self.workspace.layers
        self.runner = self.workspace.runner
