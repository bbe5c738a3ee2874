"""What a window keeps by itself, what it asks when it is closed, and images that have moved."""

import pytest
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog

from napari_galaxy_maps.plugin.jobs.keep_sessions import words_of_missing
from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.plugin.session.kept_states import last_states
from napari_galaxy_maps.plugin.widgets import session_bar
from napari_galaxy_maps.plugin.widgets.galaxies_view import words_of
from napari_galaxy_maps.plugin.workspace import workspace_of

from .conftest import idle, take_maps, wait_for
from .test_panels import click, panel

pytestmark = pytest.mark.window


@pytest.fixture(autouse=True)
def states(tmp_path, monkeypatch):
    """A place of the test's own for what windows keep."""
    monkeypatch.setenv("GALAXY_MAPS_STATE", str(tmp_path / "state"))


@pytest.fixture
def window(qtbot):
    """Opens windows with all panels, and closes those that are left."""
    import napari

    made = []

    def make():
        viewer = napari.Viewer(show=True)
        viewer.window.resize(1400, 850)
        panels.open_all(viewer)
        made.append(viewer)
        own = workspace_of(viewer)
        wait_for(qtbot, lambda: idle(own))
        return viewer, own

    yield make
    for viewer in made:
        if not workspace_of(viewer).layers.is_closed:
            viewer.close()


def open_images(own, qtbot, folder):
    own.opener.add_paths([folder])
    wait_for(qtbot, lambda: own.project.galaxy is not None and idle(own))


def test_a_window_that_was_closed_is_offered_again(window, qtbot, galaxy_folder, maps):
    viewer, own = window()
    open_images(own, qtbot, galaxy_folder({"2MASS_J": 20.0, "WISE_3.4": 30.0}))
    take_maps(own, maps)
    own.sessions.keep_now()
    wait_for(qtbot, lambda: not own.sessions._writing)
    assert last_states() == [], "a window that is open is not offered"
    viewer.close()
    wait_for(qtbot, lambda: len(last_states()) == 1)
    (state,) = last_states()
    assert not state.crashed and state.galaxies == ("NGC 309",)

    viewer, own = window()
    bar = panel(viewer, "Galaxy").session
    wait_for(qtbot, lambda: bar.offer.isVisibleTo(bar))
    assert "NGC 309" in bar.offer_text.text()
    click(qtbot, bar.offer.findChild(type(bar.save_button), "open_last"))
    wait_for(qtbot, lambda: own.project.result is not None and idle(own))
    wait_for(qtbot, lambda: own.project.galaxy is not None and idle(own))
    assert sorted(own.project.bands) == ["2MASS_J", "WISE_3.4"] and not bar.offer.isVisibleTo(bar)
    result = own.project.result
    assert not result.saved and not result.opened, "a reopened result is a result, not a truth"
    assert not own.project.truths and own.sessions.folder is None


def test_closing_asks_once_and_only_about_what_is_not_saved(
    window, qtbot, galaxy_folder, maps, monkeypatch
):
    asked, answer = [], [""]
    monkeypatch.setattr(panels, "ask_to_close", lambda text: asked.append(text) or answer[0])
    viewer, own = window()
    open_images(own, qtbot, galaxy_folder({"WISE_3.4": 30.0}))
    result = take_maps(own, maps)
    qt_window = viewer.window._qt_window
    qt_window.close(confirm_need=True)
    assert len(asked) == 1 and "NGC 309: dust-forest" in asked[0]
    assert not own.layers.is_closed, "the person stays"
    result.saved = True
    assert own.sessions.words_of_unsaved() == ""
    result.saved, answer[0] = False, "close"
    qt_window.close(confirm_need=True)
    wait_for(qtbot, lambda: own.layers.is_closed)
    assert len(asked) == 2
    assert [state.galaxies for state in last_states()] == [("NGC 309",)], "kept all the same"


def test_images_that_are_not_there_are_asked_for_while_the_rest_opens(
    window, qtbot, galaxy_folder, monkeypatch, tmp_path
):
    viewer, own = window()
    folder = galaxy_folder({"2MASS_J": 20.0, "WISE_3.4": 30.0})
    open_images(own, qtbot, folder)
    path = tmp_path / "one.galaxymaps"
    own.sessions.save(path)
    wait_for(qtbot, lambda: own.sessions.folder == path and idle(own))
    viewer.close()
    away = tmp_path / "elsewhere"
    away.mkdir()
    lost = next(file for file in folder.iterdir() if "2MASS_J" in file.name)
    lost.rename(away / lost.name)

    viewer, own = window()
    # As napari does for File > Open Folder… and for what is dropped.
    QTimer.singleShot(0, lambda: viewer.open(path, plugin=panels.PLUGIN))
    wait_for(qtbot, lambda: own.project.galaxy is not None and idle(own))
    bar = panel(viewer, "Galaxy").session
    assert list(own.project.bands) == ["WISE_3.4"] and bar.missing.isVisibleTo(bar)
    assert lost.name in bar.missing_text.text()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(away))
    click(qtbot, bar.missing.findChild(type(bar.save_button), "find_missing"))
    wait_for(qtbot, lambda: len(own.project.bands) == 2 and idle(own))
    assert not own.project.missing and not bar.missing.isVisibleTo(bar)
    assert len(own.galaxies.all) == 1


def test_what_the_list_and_the_messages_say(workspace, maps):
    take_maps(workspace, maps)
    assert words_of("NGC 309", workspace.project) == "NGC 309, 1 result, not saved"
    assert words_of_missing(1).startswith("1 file of the session was not found")
    assert session_bar.SUFFIX == ".galaxymaps"
