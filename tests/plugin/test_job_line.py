"""What is under way stands at the foot of the panel that is seen, and its Cancel stops it."""

import time

import pytest
from qtpy.QtCore import Qt

from napari_galaxy_maps.plugin.manifest import docks
from napari_galaxy_maps.progress import Progress

from .conftest import wait_for

pytestmark = pytest.mark.window


def counting():
    """A job that takes long."""
    for i in range(3000):
        yield Progress("count", i, 3000, f"number {i}")
        time.sleep(0.02)


@pytest.mark.parametrize("name", ["Galaxy", "Stars", "Measure", "Prepare"])
def test_a_long_job_is_shown_and_cancelled_in_the_panel(empty_window, qtbot, name):
    from napari_galaxy_maps.plugin.workspace import workspace_of

    runner, panel = workspace_of(empty_window).runner, docks.panel(empty_window, name)
    docks.raise_panel(empty_window, name)
    line, results = panel.job_line, []
    assert line.isHidden()
    runner.start("Counting", counting, on_result=results.append)
    wait_for(qtbot, lambda: line.isVisible() and "number" in line.words.text())
    assert line.words.text().startswith("Counting: number") and line.bar.maximum() == 3000
    qtbot.mouseClick(line.cancel, Qt.MouseButton.LeftButton)
    wait_for(qtbot, lambda: runner.job is None)
    assert line.isHidden() and not results


def test_work_of_a_moment_is_not_shown(empty_window, qtbot):
    from napari_galaxy_maps.plugin.workspace import workspace_of

    runner, panel = workspace_of(empty_window).runner, docks.panel(empty_window, "Galaxy")
    docks.raise_panel(empty_window, "Galaxy")
    runner.start("Counting", counting, bar=False)
    qtbot.wait(600)
    assert panel.job_line.isHidden() and runner.job is not None
    runner.job.cancel()
    wait_for(qtbot, lambda: runner.job is None)
