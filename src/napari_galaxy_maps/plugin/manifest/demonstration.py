"""The demonstration: opens the sample spiral, predicts its maps, sharpens them by one of its
far-infrared images, takes the dust out of its images, and shows the maps; given a file, saves the
window and ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...exceptions import GalaxyMapsError
from ...fits_io.safe_writing import check_output, written_whole
from ..canvas.map_views import key_of
from ..workspace import workspace_of
from . import docks

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from ..state.results import Result

SAMPLE = "spiral"
SHOWN = "LOG_SIGMA_MD"
"""The map that is looked at in the end."""
TRUSTED = "SPIRE_250"
"""The image by which the maps are sharpened."""

_SIZE = (1560, 920)
_LOOK_MS = 50
_PAINT_S = 1.5
_PATIENCE_S = 300.0


class Demo:
    """Does what a person would do, a step at a time, each begun when the one before has ended.

    Parameters
    ----------
    viewer : napari.Viewer
        To work in.
    on_end : callable
        Called once, when the maps are shown and painted, or when something went wrong (`problem`
        says what).
    """

    def __init__(self, viewer: Viewer, on_end: Callable[[], None]):
        from qtpy.QtCore import QTimer

        self.viewer = viewer
        self.workspace = workspace_of(viewer)
        self.problem = ""
        self._on_end = on_end
        self._steps = iter(
            (self._open, self._predict, self._look_at, self._sharpen, self._take_dust, self._show)
        )
        self._messages: list[str] = []
        self._predicted: Result | None = None
        self._began = self._quiet_since = time.monotonic()
        self.workspace.project.message.connect(self._messages.append)
        self._timer = QTimer()
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._began > _PATIENCE_S:
            self._end(f"The demonstration did not come to its end within {_PATIENCE_S:.0f} s.")
        if self.workspace.busy:
            self._quiet_since = now
        # One job begins in the turn after another: only a while without any says that all is done.
        elif now - self._quiet_since > 5 * _LOOK_MS / 1000:
            self._quiet_since = now
            step = next(self._steps, None)
            if step is None:
                return
            try:
                step()
            except Exception as error:
                # Without this a window that nobody watches would stay open for ever.
                self._end(f"The demonstration failed: {error}")

    def _open(self) -> None:
        docks.open_all(self.viewer)
        self.viewer.open_sample(docks.PLUGIN, SAMPLE)

    def _predict(self) -> None:
        if self.workspace.project.galaxy is None:
            self._end("The sample galaxy did not open.")
            return
        docks.raise_panel(self.viewer, "Predict")
        self.workspace.predictor.predict()

    def _look_at(self) -> None:
        """The maps, while the rest is done."""
        self._predicted, views = self.workspace.project.result, self.workspace.views
        if self._predicted is None:
            self._end("No maps were predicted.")
            return
        views.look(SHOWN)
        views.layers.fit(key_of(self._predicted, SHOWN))

    def _sharpen(self) -> None:
        project = self.workspace.project
        image = project.galaxy.images.get(TRUSTED) if project.galaxy is not None else None
        if image is not None:
            project.set_recipe("sharpen", coarse=str(image.path), image=TRUSTED)
            self.workspace.sharpener.sharpen()

    def _take_dust(self) -> None:
        self.workspace.dust_taker.take()

    def _show(self) -> None:
        if self._predicted in self.workspace.project.results:  # else somebody has closed it
            self.workspace.choose_result(self._predicted)
            self.workspace.views.look(SHOWN)
        from qtpy.QtCore import QTimer

        QTimer.singleShot(int(_PAINT_S * 1000), self._end)

    def _end(self, problem: str = "") -> None:
        if self._timer.isActive():
            self._timer.stop()
            self.problem = " ".join([problem, *self._messages[-1:]]) if problem else ""
            self._on_end()


def save_window(viewer: Viewer, path: str | Path) -> None:
    """Save a picture of the whole window.

    Raises
    ------
    GalaxyMapsError
        When the canvas is blank, as without OpenGL, or the file cannot be written.
    """
    picture = viewer.screenshot(path=None, canvas_only=True, flash=False)
    if picture[..., :3].std() < 1:
        raise GalaxyMapsError(
            "The canvas came out blank; run under a display or under Xvfb, with OpenGL "
            "(libgl1-mesa-dri)."
        )
    with written_whole(path, overwrite=True) as beside:
        try:
            viewer.screenshot(path=str(beside), canvas_only=False, flash=False)
        except ValueError as error:
            raise GalaxyMapsError(
                f"{path} cannot be written ({error}); name a .png file."
            ) from None


def main(screenshot: str | None = None) -> int:
    """Run the demonstration.

    Parameters
    ----------
    screenshot : str, optional
        File for a picture of the window, which then closes; without it the window stays.

    Returns
    -------
    int
        0.

    Raises
    ------
    GalaxyMapsError
        When the maps did not come, in words.
    """
    if screenshot:
        check_output(screenshot, overwrite=True)
    import napari

    viewer = napari.Viewer(title="Galaxy Maps")
    if screenshot:
        viewer.window.resize(*_SIZE)
    failures: list[BaseException] = []

    def ended() -> None:
        try:
            if demo.problem:
                raise GalaxyMapsError(demo.problem)
            if screenshot:
                save_window(viewer, screenshot)
        except GalaxyMapsError as error:
            failures.append(error)
        if screenshot:
            viewer.close()

    demo: Any = Demo(viewer, ended)
    napari.run()
    if failures:
        raise failures[0]
    return 0
