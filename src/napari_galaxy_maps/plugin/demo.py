"""`galaxy-maps demo`: the window on the sample galaxy with its maps predicted; with a file name, a picture of it."""

from __future__ import annotations

from pathlib import Path

from napari.viewer import Viewer

from ..exceptions import GalaxyMapsError
from . import loading, panels, sample_data, work
from .session import Session, session_for

_SIZE = (1560, 920)
_LIMIT_MS = 300_000


def main(screenshot: str | None = None) -> int:
    """Open the window, predict, and stay; or save a picture and close.

    Parameters
    ----------
    screenshot : str, optional
        PNG file to write.

    Returns
    -------
    int
        Exit status: 0, or 1 when the maps did not come.

    Raises
    ------
    GalaxyMapsError
        When the sample galaxy is missing or the picture cannot be written.
    """
    import napari
    from qtpy.QtCore import QTimer

    folder = sample_data.sample_folder()
    viewer = Viewer(title="Galaxy Maps", show=True)
    viewer.window.resize(*_SIZE)
    panels.open_all(viewer)
    session = session_for(viewer)
    done: list[str] = []

    def loaded() -> None:
        if session.galaxy is not None and session.job is None and not session.busy_showing and not session.maps:
            session.galaxy_changed.disconnect(loaded)
            QTimer.singleShot(0, lambda: predict(session))

    def predict(session: Session) -> None:
        panels.raise_panel(viewer, "Predict")
        work.predict(session)

    def predicted() -> None:
        done.append("maps")
        if screenshot:
            # One more second: colour bars and thumbnails are painted by then.
            QTimer.singleShot(1000, lambda: (save_picture(viewer, screenshot), viewer.close()))

    session.maps_changed.connect(predicted)
    session.galaxy_changed.connect(loaded)
    sample_data.use_recipe(session, folder)
    QTimer.singleShot(0, lambda: loading.add_paths(session, [folder]))
    if screenshot:
        QTimer.singleShot(_LIMIT_MS, viewer.close)
    napari.run()
    return 0 if done or not screenshot else 1


def save_picture(viewer: Viewer, path: str) -> None:
    """Save the whole window as a picture, and make sure that the canvas in it is not blank.

    Raises
    ------
    GalaxyMapsError
        When the canvas is blank: this machine paints none without a display.
    """
    picture = viewer.screenshot(path=None, canvas_only=True, flash=False)
    if picture[..., :3].std() < 1:
        raise GalaxyMapsError("The canvas came out blank; run under a display or under Xvfb.")
    if not Path(path).parent.is_dir():
        raise GalaxyMapsError(f"{path} cannot be written: there is no folder {Path(path).parent}.")
    viewer.screenshot(path=path, canvas_only=False, flash=False)
