"""How alive the window stays: longest stall of the event loop, time to the first panel, time for
Cancel to take effect; and what several galaxies, large images and long work cost in it.

    python benchmarks/bench_window.py [--runs 5] [--parts alive sample switching …] [--json FILE]

Without a display: under xvfb-run. Each run is a fresh process with a real window: the panels are
opened, a person chooses files for some seconds, the sample galaxy is read, predicted, predicted
again at another pixel size, and cancelled. A timer ticks every 2 ms all along; a stall is the time
between two ticks. The other parts (`window_parts.py`) are a process each.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

GOALS = {"first panel": 0.2, "reading": 0.1, "worker": 0.1, "layers": 0.1, "cancel": 0.5}
WORDS = {
    "first panel": "first panel, asked for to painted",
    "plain panel": "reference: a plain dock of as many plain widgets, to painted",
    "plain layer": "reference: napari adds and paints one image, the first of a window",
    "next layer": "reference: ... and the next one",
    "all panels": "all three panels, asked for to painted",
    "idle": "longest stall after the panels are open (imports in advance)",
    "reading": "longest stall while images are read and shown",
    "worker": "longest stall while Predict works",
    "layers": "longest stall while its layers are added",
    "worker again": "longest stall while a second Predict works",
    "layers again": "longest stall while the layers that are there get its data",
    "cancel": "Cancel to the end of the job",
    "predict": "Predict to the last layer",
    "predict again": "second Predict to the last layer",
}
THINKING = 6.0
"""Seconds between opening the panels and choosing files: less than a person takes."""


def the_mouse():
    """The mouse of the window's tests (tests/plugin/mouse.py)."""
    root = str(Path(__file__).resolve().parents[1])
    if root not in sys.path:
        sys.path.append(root)
    from tests.plugin import mouse

    return mouse


class Heart:
    """A timer that ticks all along and remembers the longest gap in each phase of the work."""

    def __init__(self, workspace) -> None:
        from qtpy.QtCore import Qt, QTimer

        self.workspace = workspace
        self.phase = "idle"
        self.longest: dict[str, float] = {}
        self.busiest: dict[str, float] = {}
        self._names = self._now()
        self._last, self._cpu = time.perf_counter(), time.thread_time()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(2)

    def _now(self) -> str:
        if self.phase == "idle" or self.phase == "reading":
            return self.phase
        kind = (
            "layers"
            if self.workspace.layers.busy_showing
            else "worker"
            if self.workspace.runner.job is not None
            else ""
        )
        return (kind + self.phase) if kind else ""

    def _tick(self) -> None:
        now, cpu, name = time.perf_counter(), time.thread_time(), self._now()
        gap, busy = now - self._last, cpu - self._cpu
        self._last, self._cpu = now, cpu
        # A gap counts where it began and where it ended.
        for phase in {name, self._names} - {""}:
            self.longest[phase] = max(self.longest.get(phase, 0.0), gap)
            self.busiest[phase] = max(self.busiest.get(phase, 0.0), busy)
        self._names = name


def wait(condition, seconds: float = 300.0) -> None:
    """Run the event loop until something is so."""
    from qtpy.QtCore import QEventLoop, QTimer

    loop, timer = QEventLoop(), QTimer()
    end = time.perf_counter() + seconds
    timer.timeout.connect(lambda: loop.quit() if condition() or time.perf_counter() > end else None)
    timer.start(5)
    loop.exec()
    if not condition():
        raise TimeoutError("the window never got there")


def pause(seconds: float) -> None:
    """Run the event loop for a while."""
    end = time.perf_counter() + seconds
    wait(lambda: time.perf_counter() >= end)


def painted_after(action, find) -> float:
    """Seconds from an action to the first paint of the widget that `find` gives of its result."""
    from qtpy.QtCore import QEvent, QObject

    class Paints(QObject):
        at = 0.0

        def eventFilter(self, watched, event) -> bool:
            if event.type() == QEvent.Type.Paint and not self.at:
                self.at = time.perf_counter()
            return False

    paints = Paints()
    start = time.perf_counter()
    find(action()).installEventFilter(paints)
    wait(lambda: bool(paints.at), 20)
    return paints.at - start


def plain_panel(viewer, count: int) -> float:
    """Seconds from a dock of so many plain widgets to its first paint."""
    from qtpy.QtWidgets import (
        QCheckBox,
        QComboBox,
        QLabel,
        QLineEdit,
        QPushButton,
        QVBoxLayout,
        QWidget,
    )

    kinds = QLabel, QPushButton, QComboBox, QLineEdit, QCheckBox
    docks: list[QWidget] = []

    def ask():
        panel = QWidget()
        column = QVBoxLayout(panel)
        for i in range(count):
            column.addWidget(kinds[i % len(kinds)]())
        docks.append(viewer.window.add_dock_widget(panel, name="plain", tabify=True))
        return panel

    took = painted_after(ask, lambda panel: panel)
    viewer.window.remove_dock_widget(docks[0])
    return took


def plain_layers(viewer) -> tuple[float, float]:
    """Processor seconds of the window's thread in which napari adds and paints an image, the first
    and the next; they are taken away again.
    """
    import numpy as np
    from qtpy.QtWidgets import QApplication

    took = []
    for number in range(2):
        start = time.thread_time()
        viewer.add_image(np.zeros((400, 400), np.float32), name=f"plain {number}")
        for _ in range(3):
            QApplication.processEvents()
        took.append(time.thread_time() - start)
    viewer.layers.clear()
    return took[0], took[1]


def longest_cancel(workspace, heart) -> float:
    """Seconds from Cancel to the end of a Predict, the longest of four."""
    cancels = []
    for delay in (0.1, 0.4, 0.8, 1.5):
        heart.phase = " cancelled"
        workspace.project.memory = None
        job = workspace.predictor.predict()
        pause(delay)
        start = time.perf_counter()
        job.cancel()
        wait(lambda: workspace.runner.job is None)
        cancels.append(time.perf_counter() - start)
        pause(0.2)
    return max(cancels)


def one_run() -> dict[str, float]:
    """All figures of one fresh process."""
    import napari
    from qtpy.QtWidgets import QWidget

    viewer = napari.Viewer(show=True)
    viewer.window.resize(1560, 940)
    pause(1.0)
    found: dict[str, float] = {}

    def ask():
        from napari_galaxy_maps.plugin.manifest import (
            docks as panels,  # its import is part of the wait
        )

        return panels.panel(viewer, "Galaxy")

    found["first panel"] = painted_after(ask, lambda panel: panel.content)
    panel = ask()
    found["plain panel"] = plain_panel(viewer, len(panel.content.findChildren(QWidget)))
    from napari_galaxy_maps.plugin.manifest import docks as panels
    from napari_galaxy_maps.plugin.manifest import samples as sample_data
    from napari_galaxy_maps.plugin.workspace import workspace_of

    workspace = workspace_of(viewer)
    start = time.perf_counter()
    panels.open_all(viewer)
    found["all panels"] = time.perf_counter() - start
    pause(0.5)
    heart = Heart(workspace)
    pause(THINKING)

    def idle() -> bool:
        return not workspace.busy

    heart.phase = "reading"
    folder = sample_data.sample_folder()
    workspace.project.take_recipe_in(folder)
    workspace.opener.add_paths([folder])
    wait(lambda: workspace.project.galaxy is not None and idle())
    pause(0.5)
    panels.raise_panel(viewer, "Predict")
    pause(0.5)

    for again in ("", " again"):
        heart.phase = again
        before, start = workspace.project.maps, time.perf_counter()
        workspace.predictor.predict()
        wait(lambda before=before: workspace.project.maps is not before and idle())
        found[f"predict{again}"] = time.perf_counter() - start
        pause(0.7)
        workspace.project.set_recipe("grid", pixel=3.0)

    found["cancel"] = longest_cancel(workspace, heart)
    found.update({name: gap for name, gap in heart.longest.items() if name in WORDS})
    found.update({f"{name} busy": busy for name, busy in heart.busiest.items() if name in WORDS})
    found["load"] = os.getloadavg()[0]
    viewer.layers.clear()
    found["plain layer"], found["next layer"] = first_layers()
    viewer.close()
    return found


def first_layers() -> tuple[float, float]:
    """`plain_layers` of a window of its own."""
    import napari

    viewer = napari.Viewer(show=True)
    pause(1.0)
    took = plain_layers(viewer)
    viewer.close()
    return took


def in_a_process(part: str) -> dict[str, float]:
    """All figures of one part, or of one run of ``alive``, in a fresh process."""
    process = subprocess.run(
        [sys.executable, __file__, "--one", part], stdout=subprocess.PIPE, text=True, timeout=1800
    )
    lines = [line for line in process.stdout.splitlines() if line.startswith("RESULT ")]
    if not lines:
        sys.exit(f"{part}: no figures")
    found: dict[str, float] = json.loads(lines[0].removeprefix("RESULT "))
    return found


def tell_of_runs(runs: list[dict[str, float]]) -> None:
    """Tabulate the stalls, and say which goals are met."""
    load = ", ".join(f"{run['load']:.1f}" for run in runs)
    print(
        f"ms in {len(runs)} runs on {os.cpu_count()} processors with load averages of {load}; "
        "'busy' is what the window's"
    )
    print(
        "own thread computed in a stall: the rest of it waited for a processor, for the job, or "
        "for other programs.\n"
    )
    print(f"{'':66}{'median':>8}{'worst':>8}{'busy':>8}{'goal':>8}")
    for name, words in WORDS.items():
        values = [1000 * run[name] for run in runs if name in run]
        if values:
            goal = GOALS.get(name.removesuffix(" again") if name != "predict again" else "")
            target = f"{1000 * goal:8.0f}" if goal else ""
            busy = [1000 * run[f"{name} busy"] for run in runs if f"{name} busy" in run]
            most = f"{max(busy):8.0f}" if busy else " " * 8
            print(f"{words:66}{median(values):8.0f}{max(values):8.0f}{most}{target}")


def main() -> None:
    """Run, tabulate, and say which goals are met."""
    import sample_part
    import window_parts

    samples = {"sample": sample_part.run, "looking": sample_part.run_looking}
    others = {**samples, **window_parts.PARTS}
    names = ["alive", *others]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="of the part alive")
    parser.add_argument("--parts", nargs="+", choices=names, default=names)
    parser.add_argument("--json", type=Path, help="write all figures there")
    parser.add_argument("--one", choices=names, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        measure = others.get(arguments.one, one_run)
        print("RESULT", json.dumps(measure()), flush=True)
        os._exit(0)  # no figure is of how the process ends
    found: dict[str, list[dict[str, float]]] = {}
    for part in arguments.parts:
        runs = arguments.runs if part == "alive" else 1
        found[part] = [in_a_process(part) for _ in range(runs)]
        print(f"\n{part}" if part != "alive" else "")
        if part == "alive":
            tell_of_runs(found[part])
        elif part in samples:
            print("\n".join(sample_part.tabulated(found[part][0])), flush=True)
        else:
            print(f"{'':64}{'figure':>9}{'worst':>9}{'busy':>9}{'goal':>8}")
            print("\n".join(window_parts.tabulated(part, found[part][0])), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
