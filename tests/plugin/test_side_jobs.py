"""Work beside a job is shown as one, can be stopped, and is done for the last that was asked."""

import time

import pytest
from qtpy.QtCore import QObject, Qt

from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.plugin.eventloop.side_jobs import SideJobs
from napari_galaxy_maps.plugin.manifest import docks
from napari_galaxy_maps.progress import Progress

from .conftest import wait_for

pytestmark = pytest.mark.window


def counting(result="counted", seconds=60.0):
    def steps():
        for i in range(int(seconds * 50)):
            yield Progress("count", i, 3000, f"number {i}")
            time.sleep(0.02)
        return result

    return steps


def test_the_panel_shows_it_and_its_cancel_stops_it(empty_window, qtbot):
    from napari_galaxy_maps.plugin.workspace import workspace_of

    workspace, panel = workspace_of(empty_window), docks.panel(empty_window, "Measure")
    docks.raise_panel(empty_window, "Measure")
    line, results = panel.job_line, []
    workspace.side_jobs.start("Counting", counting(), results.append, panel)
    wait_for(qtbot, lambda: line.isVisible() and "number" in line.words.text())
    assert workspace.runner.job is None, "nothing else has to wait for it"
    qtbot.mouseClick(line.cancel, Qt.MouseButton.LeftButton)
    wait_for(qtbot, lambda: workspace.side_jobs.job is None)
    assert line.isHidden() and not results


def test_a_job_comes_before_it(empty_window, qtbot):
    from napari_galaxy_maps.plugin.workspace import workspace_of

    workspace, panel = workspace_of(empty_window), docks.panel(empty_window, "Measure")
    docks.raise_panel(empty_window, "Measure")
    side = workspace.side_jobs.start("Aside", counting(), print, panel)
    job = workspace.runner.start("Counting", counting())
    wait_for(qtbot, lambda: panel.job_line.words.text().startswith("Counting: number"))
    job.cancel()
    wait_for(qtbot, lambda: panel.job_line.words.text().startswith("Aside: number"))
    side.cancel()
    wait_for(qtbot, lambda: workspace.side_jobs.job is None and workspace.runner.job is None)


def test_only_what_an_owner_asked_for_last_is_computed(qapp, qtbot):
    jobs, owner, other, results = SideJobs(), QObject(), QObject(), []
    first = jobs.start("First", counting("first"), results.append, owner)
    jobs.start("Other", counting("other", 0.1), results.append, other)
    last = jobs.start("Last", counting("last", 0.1), results.append, owner)
    assert first.cancelled and jobs.job is last
    wait_for(qtbot, lambda: jobs.job is None)
    assert sorted(results) == ["last", "other"]


def test_nothing_is_brought_to_an_owner_that_is_gone(qapp, qtbot):
    jobs, owner, results = SideJobs(), QObject(), []
    jobs.start("Counting", counting("late", 0.1), results.append, owner)
    del owner
    wait_for(qtbot, lambda: jobs.job is None)
    assert not results


def test_what_goes_wrong_is_said_and_ends_it(qapp, qtbot, notifications):
    def steps():
        yield Progress("count", 0, 1)
        raise InputError("It cannot be counted; give numbers.")

    jobs, owner = SideJobs(), QObject()
    jobs.start("Counting", steps, print, owner)
    wait_for(qtbot, lambda: jobs.job is None)
    assert any("It cannot be counted" in one.message for one in notifications)
