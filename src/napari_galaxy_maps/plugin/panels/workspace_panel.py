"""What every panel has at hand: the parts of its viewer's workspace, and what is to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QTimer

from ..widgets.forms import Panel, is_seen
from ..widgets.job_line import JobLine
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
        self.dye(self.layers.viewer.theme)
        self.listen(self.project.message, self._show_message)
        self.project.read_by(self.is_read)
        self.job_line = JobLine(self.runner, self.workspace.side_jobs)
        self.foot.insertWidget(0, self.job_line)
        self.listen(self.runner.job_changed, self._job_began_or_ended)
        self.listen(self.workspace.side_jobs.changed, self._job_began_or_ended)
        self.seen.connect(self._came_to_front)

    def is_read(self) -> bool:
        """Whether anybody can see the panel, so that a message need not be told elsewhere."""
        return isalive(self) and is_seen(self)

    def _job_began_or_ended(self) -> None:
        self.job_line.job_changed()

    def _came_to_front(self, seen: bool) -> None:
        if seen:
            self.job_line.show_job()

    def _show_message(self, text: str) -> None:
        self.message.say(text)

    def changeEvent(self, event: QEvent | None) -> None:
        """The window has another style: perhaps another theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.StyleChange:
            # Not in the middle of the change, for this is another one.
            QTimer.singleShot(0, self._follow_theme)

    def _follow_theme(self) -> None:
        if isalive(self) and not self.layers.is_closed:
            self.dye(self.layers.viewer.theme)
