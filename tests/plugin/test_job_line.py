"""What is under way stands at the foot of the panel that is seen, and its Cancel stops it."""

import time

import pytest
from qtpy.QtCore import QEvent, QObject, QPoint, QRect, Qt
from qtpy.QtWidgets import QProgressBar, QWidget

from napari_galaxy_maps.plugin.eventloop.job_stages import Stage
from napari_galaxy_maps.plugin.manifest import docks
from napari_galaxy_maps.progress import Progress

from .conftest import wait_for

pytestmark = pytest.mark.window


def counting():
    """A job that takes long."""
    for i in range(3000):
        yield Progress("count", i, 3000, f"number {i}")
        time.sleep(0.02)


@pytest.mark.parametrize("name", list(docks.PANELS))
def test_a_long_job_is_shown_and_cancelled_in_the_panel(empty_window, qtbot, name):
    from napari_galaxy_maps.plugin.workspace import workspace_of

    runner, panel = workspace_of(empty_window).runner, docks.panel(empty_window, name)
    docks.raise_panel(empty_window, name)
    line, results = panel.job_line, []
    assert line.isHidden()
    runner.start("Counting", counting, on_result=results.append)
    wait_for(qtbot, lambda: line.isVisible() and "number" in line.words.text())
    assert panel.findChildren(QProgressBar) == [line.bar], "and in one place only"
    # Beneath what scrolls, and so always in sight.
    assert panel.rect().contains(QRect(line.mapTo(panel, QPoint(0, 0)), line.size()))
    assert not panel.content.isAncestorOf(line)
    assert line.words.text().startswith("Counting: number") and line.bar.maximum() == 3000
    qtbot.mouseClick(line.cancel, Qt.MouseButton.LeftButton)
    wait_for(qtbot, lambda: runner.job is None)
    assert line.isHidden() and not results and line.words.text() == "Cancelling: Counting …"


def test_work_of_a_moment_is_not_shown(empty_window, qtbot):
    from napari_galaxy_maps.plugin.workspace import workspace_of

    runner, panel = workspace_of(empty_window).runner, docks.panel(empty_window, "Galaxy")
    docks.raise_panel(empty_window, "Galaxy")
    runner.start("Counting", counting, bar=False)
    qtbot.wait(600)
    assert panel.job_line.isHidden() and runner.job is not None
    runner.job.cancel()
    wait_for(qtbot, lambda: runner.job is None)


def test_all_stages_stand_on_one_scale(empty_window, qtbot):
    from napari_galaxy_maps.plugin.workspace import workspace_of

    signs = [Progress("sky", 5, 10), Progress("stars", 1, 1, "a note of an earlier step")]
    go = []

    def staged():
        for sign in signs:
            while len(go) <= signs.index(sign):
                yield sign
                time.sleep(0.02)

    runner, panel = workspace_of(empty_window).runner, docks.panel(empty_window, "Predict")
    docks.raise_panel(empty_window, "Predict")
    line = panel.job_line
    runner.start("Predicting", staged, stages=(Stage("stars", "stars"), Stage("sky", "sky")))
    wait_for(qtbot, lambda: line.bar.isVisible())
    assert line.words.text() == "Predicting, step 2 of 2, sky: 5 of 10"
    assert (line.bar.value(), line.bar.maximum()) == (150, 200)
    go.append(True)
    wait_for(qtbot, lambda: "step 1 of 2" in line.words.text())
    assert line.bar.value() == 150, "it does not go back"
    runner.job.cancel()
    wait_for(qtbot, lambda: runner.job is None)


class Touches(QObject):
    """Counts how often a widget is painted or laid out anew."""

    def __init__(self, widget):
        super().__init__()
        self.count = 0
        for each in (widget, *widget.findChildren(QWidget)):
            each.installEventFilter(self)

    def eventFilter(self, _, event):
        self.count += event.type() in (
            QEvent.Type.Paint,
            QEvent.Type.UpdateRequest,
            QEvent.Type.LayoutRequest,
            QEvent.Type.Show,
        )
        return False


def test_nothing_is_touched_while_nothing_changes_or_nobody_looks(empty_window, qtbot):
    from napari_galaxy_maps.plugin.workspace import workspace_of

    moving = []

    def steps():
        for number in range(3000):
            yield Progress("count", number if moving else 7, 3000, "" if moving else "seventh")
            time.sleep(0.02)

    runner, stars = workspace_of(empty_window).runner, docks.panel(empty_window, "Stars")
    galaxy = docks.panel(empty_window, "Galaxy")
    docks.raise_panel(empty_window, "Galaxy")
    runner.start("Counting", steps)
    wait_for(qtbot, lambda: galaxy.job_line.bar.isVisible())
    qtbot.wait(50)
    touched, behind = Touches(galaxy.job_line), Touches(stars.job_line)
    qtbot.wait(1300)
    assert touched.count == 0
    moving.append(True)
    wait_for(qtbot, lambda: galaxy.job_line.bar.value() > 7)
    assert touched.count > 0
    assert behind.count == 0 and stars.job_line.isHidden()
    # A panel that comes to the front says at once how far it is.
    docks.raise_panel(empty_window, "Stars")
    qtbot.wait(20)
    assert stars.job_line.isVisible() and stars.job_line.words.text().startswith("Counting: ")
    runner.job.cancel()
    wait_for(qtbot, lambda: runner.job is None)
