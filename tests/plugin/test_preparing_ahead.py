"""While the person looks at the Predict panel, the images are prepared in a thread: Predict finds
that done, and gets the same maps.
"""

import threading

import numpy as np
import pytest

from napari_galaxy_maps import pipeline
from napari_galaxy_maps.plugin.eventloop import process_switches
from napari_galaxy_maps.prepare.stars import star_search
from napari_galaxy_maps.progress import Progress

from .conftest import idle, wait_for
from .test_before_predicting import THREE, looked
from .test_panels import click

pytestmark = pytest.mark.window


@pytest.fixture
def viewer(empty_window):
    """The window of this file's tests, with nothing in it."""
    return empty_window


def prepared(workspace, qtbot):
    """Wait until all that can be done ahead is done; gives back the cube."""
    look = workspace.first_look
    wait_for(qtbot, lambda: look.is_ready)
    return look._ahead[1]


@pytest.fixture
def slow(monkeypatch):
    """A preparation ahead that goes on until it is told to end; gives back what it has done."""
    done = []

    def steps(galaxy, recipe, memory, masks=None):
        done.append("begun")
        try:
            while True:
                yield Progress("sky", 0, 1)
                threading.Event().wait(0.01)
        finally:
            threading.Event().wait(0.2)  # a step takes its time
            done.append("ended")

    monkeypatch.setattr(pipeline, "prepare_ahead_steps", steps)
    return done


def test_predict_finds_the_preparation_done_and_gets_the_same_maps(
    opening, workspace, qtbot, monkeypatch
):
    predict = opening(THREE, stars={"find": True})
    assert prepared(workspace, qtbot) is not None
    fits = []
    monkeypatch.setattr(star_search, "find_stars_steps", lambda *_: fits.append(1))
    click(qtbot, predict.button)
    wait_for(qtbot, lambda: workspace.project.maps is not None and idle(workspace))
    assert not fits
    project = workspace.project
    assert set(project.step_notes) >= {"sky", "stars", "psf", "grid", "errors"}
    monkeypatch.undo()
    alone = pipeline.predict(project.galaxy, project.recipe)
    for name, plane in alone.values.items():
        np.testing.assert_array_equal(project.maps.values[name], plane)
        np.testing.assert_array_equal(project.maps.errors[name], alone.errors[name])
    np.testing.assert_array_equal(project.maps.flags, alone.flags)


def test_that_most_would_be_flagged_is_said_before_the_first_prediction(opening, workspace, qtbot):
    predict = opening({**THREE, "WISE_12": 1e4})
    assert prepared(workspace, qtbot) is not None
    wait_for(qtbot, lambda: workspace.first_look.known().remarks)
    said = [one.text for one in predict.assumed.found]
    assert any("unlike anything that dust-forest was trained on" in text for text in said)
    assert workspace.project.maps is None


def test_another_setting_is_prepared_for_anew(opening, workspace, qtbot):
    opening(THREE)
    first = prepared(workspace, qtbot)
    workspace.project.set_recipe("grid", pixel=7.0)
    look = workspace.first_look
    wait_for(qtbot, lambda: look._ahead[1] is not first and look.is_ready)
    assert look._ahead[1].pixel_arcsec == pytest.approx(7.0)


def test_what_is_remembered_of_maps_stays(opening, workspace, qtbot):
    """With another setting prepared ahead, each edit of a mask would prepare all of it anew."""
    predict = opening(THREE)
    click(qtbot, predict.button)
    wait_for(qtbot, lambda: workspace.project.maps is not None and idle(workspace))
    before = workspace.project.memory.cube
    workspace.project.set_recipe("grid", pixel=7.0)
    qtbot.wait(1500)
    assert workspace.first_look._ahead is None and workspace.project.memory.cube is before


def test_a_job_waits_until_the_work_ahead_has_ended(opening, workspace, qtbot, slow):
    predict = opening(THREE)
    wait_for(qtbot, lambda: slow == ["begun"])
    click(qtbot, predict.button)
    wait_for(qtbot, lambda: workspace.project.maps is not None and idle(workspace))
    assert slow[:2] == ["begun", "ended"]
    assert not workspace.runner._aside or slow[-1] == "begun"


def test_what_is_not_asked_for_any_more_is_given_up(opening, workspace, qtbot, slow):
    opening(THREE)
    wait_for(qtbot, lambda: slow == ["begun"])
    workspace.project.set_recipe("grid", pixel=7.0)
    wait_for(qtbot, lambda: slow == ["begun", "ended", "begun"])
    workspace.project.set_recipe("reddening", ebv=0.1)
    wait_for(qtbot, lambda: slow[-2:] == ["ended", "begun"] and len(slow) == 5)


def test_it_ends_with_the_window(opening, workspace, qtbot, slow, monkeypatch):
    opening(THREE)
    wait_for(qtbot, lambda: slow == ["begun"])
    monkeypatch.setattr(type(workspace.layers), "is_closed", True)
    wait_for(qtbot, lambda: slow == ["begun", "ended"])


def test_what_cannot_be_prepared_is_tried_once_and_in_silence(
    opening, workspace, qtbot, monkeypatch
):
    tried, said = [], []
    workspace.project.message.connect(said.append)

    def fails(*_):
        tried.append(1)
        yield Progress("sky", 0, 1)
        raise ValueError("not so")

    monkeypatch.setattr(pipeline, "prepare_ahead_steps", fails)
    opening(THREE)
    said.clear()
    assert prepared(workspace, qtbot) is None
    qtbot.wait(1500)
    assert tried == [1] and not said
    workspace.project.set_recipe("grid", pixel=7.0)
    wait_for(qtbot, lambda: tried == [1, 1])


@pytest.mark.parametrize("why", ["forbidden", "archive"])
def test_nothing_is_prepared_where_it_may_not_be(opening, workspace, qtbot, slow, monkeypatch, why):
    if why == "forbidden":
        monkeypatch.setenv(process_switches.VARIABLE, "preparing")
    opening(THREE, **({"stars": {"catalogue": "gaia"}} if why == "archive" else {}))
    looked(workspace, qtbot)
    qtbot.wait(1500)
    assert slow == []
