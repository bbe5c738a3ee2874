"""An aperture dragged in the window with the mouse: the time from each move until its row has
changed, beside napari's own drag.

    python benchmarks/bench_drag.py [--size 1024] [--apertures 100] [--moves 60] [--json FILE]

Without a display: under xvfb-run. A real window with ten made-up maps and ellipses of up to 150
pixels semi-axis, of which the largest is dragged: mouse events on the canvas, each handled whole,
with what it makes Qt paint. "row" is the time until the table has the new values, "move" until
everything is painted, "without" the same move with nothing measured: napari moving and painting the
shape.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench_apertures import draw, made_up_maps
from bench_window import THINKING, pause, the_mouse, wait


def window_with_apertures(size: int, n_apertures: int) -> tuple[Any, int]:
    """A window with ten made-up maps and apertures, and the number of the largest, which is
    selected.
    """
    from napari.viewer import Viewer

    from napari_galaxy_maps.plugin.ground.layer_specs import map_specs
    from napari_galaxy_maps.plugin.manifest import docks as panels
    from napari_galaxy_maps.plugin.state.results import Result
    from napari_galaxy_maps.plugin.workspace import workspace_of

    viewer = Viewer(show=True)
    viewer.window.resize(1500, 900)
    workspace = workspace_of(viewer)
    panels.open_all(viewer)
    maps = made_up_maps(size)
    for spec in map_specs(maps, workspace.project.place(maps), "made up", visible="LOG_SIGMA_STAR"):
        workspace.layers.show(spec)
    workspace.project.add_result(Result("made up", maps, workspace.project.recipe))
    panels.raise_panel(viewer, "Measure")
    workspace.project.maps_changed.emit()
    measuring = workspace.measurements
    wait(lambda: measuring.planes is not None)
    apertures = draw(n_apertures, 150, size)
    measuring.add(apertures, "many")
    wait(lambda: len(measuring.rows) == n_apertures)
    largest = max(range(n_apertures), key=lambda i: apertures[i].shape.a)
    viewer.reset_view()
    pause(THINKING)
    panels.panel(viewer, "Measure").tools["select"].click()
    measuring.select([largest])
    pause(THINKING)
    return viewer, largest


def run(size: int, n_apertures: int, moves: int) -> dict[str, Any]:
    """All times in seconds."""
    import numpy as np
    from qtpy.QtCore import QEvent, QPoint, Qt

    from napari_galaxy_maps.plugin.ground.sky_shapes import ellipse_corners
    from napari_galaxy_maps.plugin.workspace import workspace_of

    mouse = the_mouse()
    viewer, largest = window_with_apertures(size, n_apertures)
    workspace = workspace_of(viewer)
    measuring = workspace.measurements
    changed: list[float] = []
    measuring.moved.connect(lambda _: changed.append(time.perf_counter()))
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton

    def drag() -> tuple[list[float], list[float]]:
        """Until the row is new, and until all is painted, of each move."""
        row, whole = [], []
        shape = measuring.apertures[largest].shape
        at = mouse.pixel(viewer, *ellipse_corners(shape, workspace.project.reference).mean(axis=0))
        mouse.send(viewer, QEvent.Type.MouseMove, at, none, none)
        mouse.send(viewer, QEvent.Type.MouseButtonPress, at, left, left)
        for i in range(1, moves + 1):
            angle = 2 * np.pi * i / moves
            there = at + QPoint(round(40 * np.sin(angle)), round(40 * (1 - np.cos(angle))))
            n, start = len(changed), time.perf_counter()
            mouse.send(viewer, QEvent.Type.MouseMove, there, none, left)
            whole.append(time.perf_counter() - start)
            if len(changed) > n:
                row.append(changed[n] - start)
        mouse.send(viewer, QEvent.Type.MouseButtonRelease, there, left, none)
        pause(0.3)
        return row, whole

    drag()  # what is compiled and imported at first
    row, whole = drag()
    keep, measuring.drag = measuring.drag, lambda *_: None  # type: ignore[method-assign]
    _, without = drag()
    measuring.drag = keep  # type: ignore[method-assign]
    found = {
        "row": row,
        "move": whole,
        "without": without,
        "changed": len(row),
        "moves": moves,
        "load": os.getloadavg()[0],
    }
    viewer.close()
    return found


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--apertures", type=int, default=100)
    parser.add_argument("--moves", type=int, default=60)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    found = run(arguments.size, arguments.apertures, arguments.moves)
    print(
        f"10 maps of {arguments.size}^2, {arguments.apertures} apertures, load {found['load']:.1f}"
    )
    print(f"the row changed in {found['changed']} of {found['moves']} moves")
    for name in ("row", "move", "without"):
        times = sorted(1000 * t for t in found[name])
        if times:
            print(
                f"{name:8} median {median(times):6.1f} ms, 95 % "
                f"{times[int(0.95 * (len(times) - 1))]:6.1f}, worst {times[-1]:6.1f}"
            )
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
