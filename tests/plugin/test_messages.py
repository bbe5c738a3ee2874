"""A message is told in one place: in the panels where somebody sees one, else in a notification; a
folder or file that cannot be used is a sentence and no traceback.
"""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from qtpy.QtCore import QMimeData, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QApplication

from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.plugin.ground.viewers import camera_and_scale_bar
from napari_galaxy_maps.plugin.manifest import docks
from napari_galaxy_maps.progress import Progress

from .conftest import idle, wait_for

pytestmark = pytest.mark.window


def failing():
    """A job that a person's mistake ends."""
    yield Progress("count", 0, 1)
    raise InputError("a.fits is torn; fetch it again.", "galaxy.distance")


@pytest.fixture
def bad(tmp_path):
    """Folders and files that hold no image."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "notes.txt").write_text("no image")
    (tmp_path / "text.fits").write_text("no image")
    (tmp_path / "nothing.fits").write_bytes(b"")
    Table({"a": [1, 2]}).write(tmp_path / "table.fits")
    fits.PrimaryHDU(np.zeros((50, 50), "f4")).writeto(tmp_path / "torn.fits")
    (tmp_path / "torn.fits").write_bytes((tmp_path / "torn.fits").read_bytes()[:5000])
    return tmp_path


WORDS = {
    "empty": "holds no FITS image",
    "texts": "holds no FITS image",
    "text.fits": "is not a FITS file",
    "nothing.fits": "is empty",
    "table.fits": "holds a table, not an image",
    "torn.fits": "is cut short",
}


@pytest.mark.parametrize("name", [row.name for row in docks.ROWS])
def test_every_panel_that_is_seen_tells_what_went_wrong_and_no_notification_does(
    empty_window, qtbot, notifications, name
):
    from napari_galaxy_maps.plugin.workspace import workspace_of

    own, panel = workspace_of(empty_window), docks.panel(empty_window, name)
    docks.raise_panel(empty_window, name)
    qtbot.waitUntil(panel.is_read)
    own.runner.start("Counting", failing)
    wait_for(qtbot, lambda: idle(own))
    said = "a.fits is torn; fetch it again (Galaxy panel: Distance)."
    assert panel.message.text() == said and panel.message.isVisibleTo(panel)
    assert not list(notifications)
    own.project.show_message("")
    assert not panel.message.isVisibleTo(panel)


def test_where_no_panel_is_seen_a_notification_tells(viewer, workspace, qtbot, notifications):
    panel = docks.panel(viewer, "Galaxy")
    docks.dock_of(panel).hide()
    assert not panel.is_read()
    workspace.runner.start("Counting", failing)
    wait_for(qtbot, lambda: idle(workspace))
    (notification,) = notifications
    assert notification.message.startswith("a.fits is torn") and "--" not in notification.message
    assert str(notification.severity) == "warning"
    workspace.project.show_message("Saved.")
    assert str(list(notifications)[-1].severity) == "info"


def test_a_notification_does_not_cover_the_scale_bar(viewer, workspace):
    workspace.layers.arrange()
    _, scale_bar = camera_and_scale_bar(viewer)
    assert scale_bar.visible and str(scale_bar.position).endswith("bottom_left")


@pytest.mark.parametrize("name", WORDS)
def test_what_is_dropped_on_the_window_and_cannot_be_used_is_a_sentence(
    empty_window, qtbot, notifications, bad, name
):
    from napari_galaxy_maps.plugin.workspace import workspace_of

    own, panel = workspace_of(empty_window), docks.panel(empty_window, "Galaxy")
    docks.raise_panel(empty_window, "Galaxy")
    qtbot.waitUntil(panel.is_read)
    own.project.show_message("")

    def drop():
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(bad / name))])
        nothing = Qt.KeyboardModifier.NoModifier
        event = QDropEvent(
            QPointF(300, 300), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, nothing
        )
        empty_window.window._qt_viewer.dropEvent(event)

    def choose():  # napari asks which reader is to open it; ours is chosen already
        dialog = QApplication.activeModalWidget()
        if dialog is not None:
            dialog.accept()

    closer = QTimer()
    closer.timeout.connect(choose)
    closer.start(50)
    QTimer.singleShot(0, drop)
    wait_for(qtbot, lambda: bool(panel.message.text()))
    closer.stop()
    wait_for(qtbot, lambda: idle(own))
    assert WORDS[name] in panel.message.text() and name in panel.message.text()
    assert not list(notifications)


@pytest.mark.parametrize("name", WORDS)
def test_what_is_added_by_the_buttons_and_cannot_be_used_is_a_sentence(
    empty_window, qtbot, notifications, monkeypatch, bad, name
):
    from qtpy.QtWidgets import QFileDialog

    from napari_galaxy_maps.plugin.workspace import workspace_of

    own, panel = workspace_of(empty_window), docks.panel(empty_window, "Galaxy")
    docks.raise_panel(empty_window, "Galaxy")
    qtbot.waitUntil(panel.is_read)
    own.project.show_message("")
    path = str(bad / name)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, **__: path)
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_, **__: ([path], ""))
    button = panel.add_folder_button if (bad / name).is_dir() else panel.add_files_button
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    wait_for(qtbot, lambda: bool(panel.message.text()))
    wait_for(qtbot, lambda: idle(own))
    assert WORDS[name] in panel.message.text()
    assert not list(notifications)
