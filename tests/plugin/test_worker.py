"""Threads end well: errors become words, cancelling takes effect, no bar spins for ever, one job at
a time.
"""

import errno
import gc
import subprocess
import sys
import time
import weakref
from threading import Event

import numpy as np
import pytest
from napari.utils import progress

from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.plugin.eventloop.worker import JobRunner, fetch
from napari_galaxy_maps.plugin.ground.layer_specs import image_spec
from napari_galaxy_maps.progress import Progress

from .conftest import idle, wait_for

pytestmark = pytest.mark.window


@pytest.fixture
def viewer(empty_window):
    """The window of this file's tests, with nothing in it."""
    return empty_window


def counting(n=3, pause=0.01, end=None):
    def steps():
        for i in range(n):
            yield Progress("count", i + 1, n, f"number {i + 1}")
            time.sleep(pause)
        if end is not None:
            raise end
        return "done"

    return steps


def test_progress_and_result_arrive_in_order_in_the_main_thread(workspace, qtbot):
    import threading

    heard, threads = [], set()

    def hear(what):
        heard.append(what)
        threads.add(threading.current_thread())

    workspace.runner.start(
        "Counting",
        counting(),
        on_progress=lambda p: hear(p.done),
        on_result=hear,
        on_end=lambda: hear("end"),
    )
    assert workspace.runner.job is not None
    wait_for(qtbot, lambda: workspace.runner.job is None)
    assert heard == [1, 2, 3, "done", "end"]
    assert threads == {threading.main_thread()}


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (InputError("a.fits is torn; fetch it again."), "a.fits is torn; fetch it again."),
        (
            PermissionError(errno.EACCES, "Permission denied", "a.fits"),
            "a.fits may not be read or written; check its permissions.",
        ),
        (MemoryError(), "There is not enough memory; close other programs, "),
    ],
)
def test_an_error_for_people_is_one_sentence_and_no_traceback(
    workspace, qtbot, notifications, error, sentence
):
    said = []
    workspace.runner.start("Counting", counting(end=error), on_error=said.append)
    wait_for(qtbot, lambda: workspace.runner.job is None)
    assert len(said) == 1 and said[0].startswith(sentence) and not list(notifications)
    workspace.runner.start("Counting", counting(end=error))  # nobody takes it, and no panel is open
    wait_for(qtbot, lambda: workspace.runner.job is None)
    (notification,) = notifications
    assert said == [notification.message]
    assert str(notification.severity) == "warning"


@pytest.mark.parametrize("error", [RuntimeError("CUDA out of memory"), ZeroDivisionError("x")])
def test_an_unexpected_error_says_so_with_its_traceback_and_no_bar_spins_on(
    workspace, qtbot, notifications, caplog, error
):
    workspace.runner.start("Counting", counting(end=error))
    wait_for(qtbot, lambda: workspace.runner.job is None)
    (notification,) = notifications
    assert notification.message.startswith("Something unexpected happened while counting")
    assert str(notification.severity) == "error"
    assert notification.exception is error and "counting" in notification.as_text()
    assert "Traceback" in caplog.text
    assert not progress._all_instances


def test_cancel_takes_effect_within_half_a_second(workspace, qtbot):
    results = []
    job = workspace.runner.start("Counting", counting(10_000, 0.05), on_result=results.append)
    qtbot.wait(300)
    start = time.monotonic()
    job.cancel()
    wait_for(qtbot, lambda: workspace.runner.job is None)
    assert time.monotonic() - start < 0.5
    assert not results and not progress._all_instances


def test_a_cancelled_generator_is_closed(workspace, qtbot):
    closed = []

    def steps():
        try:
            while True:
                yield Progress("count", 0, 1)
                time.sleep(0.01)
        finally:
            closed.append(True)

    job = workspace.runner.start("Counting", steps)
    qtbot.wait(100)
    job.cancel()
    wait_for(qtbot, lambda: workspace.runner.job is None)
    assert closed == [True]


def test_one_job_at_a_time(workspace, qtbot, notifications):
    job = workspace.runner.start("Counting", counting(100, 0.02))
    assert workspace.runner.start("Other", counting()) is None
    assert notifications.any("Counting is still under way")
    later = []
    workspace.runner.after_job(lambda: later.append(workspace.runner.job))
    job.cancel()
    wait_for(qtbot, lambda: workspace.runner.job is None)
    assert later == [None]


def test_layers_stay_through_an_error(workspace, viewer, qtbot, image):
    from napari_galaxy_maps.plugin.ground.layer_specs import image_spec

    picture = image()
    workspace.layers.show(image_spec(picture, workspace.project.place(picture)))
    workspace.runner.start("Counting", counting(end=ValueError("broken")))
    wait_for(qtbot, lambda: workspace.runner.job is None)
    assert len(viewer.layers) == 1
    assert np.array_equal(viewer.layers[0].data, picture.data)


@pytest.fixture
def collections_as_usual(workspace, qtbot):
    """The thresholds of garbage collection without any job, once the window is painted; what was
    set aside is back after.
    """
    wait_for(qtbot, lambda: not workspace.busy)
    yield gc.get_threshold()
    gc.unfreeze()


def test_what_has_called_for_tasks_is_painted_before_they_have_their_turn(
    workspace, viewer, qtbot, image
):
    picture = image()
    layer = workspace.layers.show(image_spec(picture, workspace.project.place(picture)))
    wait_for(qtbot, lambda: idle(workspace))
    qtbot.wait(100)
    order = []

    def paint(_):
        order.append("paint")

    draws = viewer.window._qt_viewer.canvas._scene_canvas.events.draw
    draws.connect(paint)
    layer.opacity = 0.5
    workspace.layers.show_later([], lambda: order.append("task"))
    wait_for(qtbot, lambda: idle(workspace))
    draws.disconnect(paint)
    assert order[0] == "paint" and "task" in order


def test_collections_wait_for_the_jobs_of_two_windows(workspace, qtbot, collections_as_usual):
    """The end of the one's does not begin them while the other's goes on."""
    runners, ends = (workspace.runner, JobRunner()), (Event(), Event())
    for runner, end in zip(runners, ends, strict=True):
        runner.start("Waiting", lambda end=end: until(end), bar=False)
    assert gc.get_threshold() != collections_as_usual
    ends[0].set()
    wait_for(qtbot, lambda: runners[0].job is None)
    assert gc.get_threshold() != collections_as_usual, "the other still runs"
    ends[1].set()
    wait_for(qtbot, lambda: runners[1].job is None and not workspace.busy)
    assert gc.get_threshold() == collections_as_usual


def until(end):
    """Signs of life until an event is set."""
    while not end.wait(0.01):
        yield Progress("wait", 0, 1, "")


class Hearer:
    """Something large that waits for a result."""

    result = None

    def hear(self, result):
        self.result = result


@pytest.mark.parametrize("kind", ["job", "fetch"])
def test_what_waited_for_a_result_is_free_while_the_window_stays(
    workspace, qtbot, collections_as_usual, kind
):
    """The window keeps every worker, to ask it to quit."""
    hearer = Hearer()
    if kind == "job":
        job = workspace.runner.start("Counting", counting(), on_result=hearer.hear)
        wait_for(qtbot, lambda: workspace.runner.job is None)
        job.cancel()  # of no effect any more
        del job
    else:
        fetch(lambda hearer=hearer: "done", lambda result, hearer=hearer: hearer.hear(result))
    wait_for(qtbot, lambda: hearer.result == "done")
    alive, hearer = weakref.ref(hearer), None

    def is_free():
        gc.unfreeze()
        gc.collect()
        return alive() is None

    wait_for(qtbot, is_free)


def test_work_that_ends_after_the_windows_have_ends_in_silence():
    """A process that closes with a fetch under way ends as any other."""
    script = """
import threading
from qtpy.QtCore import QCoreApplication
from napari_galaxy_maps.plugin.eventloop import worker

app = QCoreApplication([])
begun, gone = threading.Event(), threading.Event()
made = []
kept = worker._Fetcher.__init__
worker._Fetcher.__init__ = lambda self, *a: (kept(self, *a), made.append(self))[0]
worker.fetch(lambda: (begun.set(), gone.wait(20)), print)
begun.wait(20)
from PyQt6 import sip
sip.delete(made[0].signals)
gone.set()
from qtpy.QtCore import QThreadPool
QThreadPool.globalInstance().waitForDone()
print("ended")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0 and done.stdout == "ended\n", done.stderr
