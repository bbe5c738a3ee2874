"""How fast the Pixel panel follows the pointer: from a movement of the mouse over the canvas to the
painted spectrum.

    python benchmarks/bench_pixel.py [--models 50000] [--moves 200]

Without a display: under xvfb-run. A real window with a made-up cube of 18 bands, every pixel
another spectrum; the pointer goes from pixel to pixel. The reference is the same plot painted whole
each time (`canvas.draw`), in the same run.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from typing import Any

import numpy as np
from bench_window import pause, wait

GOAL_MS = 50.0
SHAPE, PIXEL = (30, 40), 6.0
WARM_UP = 5
"""Movements that do not count."""


def made_up(bands: tuple[str, ...]):
    """A cube of models with noise, and its image at 3.4 micron."""
    from astropy.wcs import WCS

    from napari_galaxy_maps.bands.registry import get_band
    from napari_galaxy_maps.data.galaxy import BandCube, BandImage
    from napari_galaxy_maps.data.recipe import LibrarySettings
    from napari_galaxy_maps.sed.library import build_library

    library = build_library(
        LibrarySettings(n_models=SHAPE[0] * SHAPE[1], seed=5), 0.002, cache=False
    )
    light = library.light[:, library.columns(bands)].astype(float)
    rng = np.random.default_rng(0)
    data = (light / light.max(1, keepdims=True)).T * rng.lognormal(1, 1, len(light))
    error = 0.05 * data
    data = data + error * rng.normal(size=data.shape)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = (
        ["RA---TAN", "DEC--TAN"],
        [150, 2],
        [SHAPE[1] / 2, SHAPE[0] / 2],
    )
    wcs.wcs.cdelt = [-PIXEL / 3600, PIXEL / 3600]
    wcs.wcs.set()
    planes = [array.reshape(-1, *SHAPE).astype("f4") for array in (data, error)]
    nothing = np.zeros(SHAPE, np.int16)
    cube = BandCube(
        *planes, bands, wcs, 12.0, PIXEL, None, nothing.astype(bool), nothing, "made up"
    )
    return cube, BandImage(planes[0][bands.index("WISE_3.4")], get_band("WISE_3.4"), wcs, fwhm=12)


def open_window(n_models: int) -> tuple[Any, Any, float]:
    """A window that shows the cube, its Pixel panel, and the seconds that the models took."""
    import napari

    from napari_galaxy_maps.bands.registry import INPUT_BANDS
    from napari_galaxy_maps.plugin.ground.layer_specs import image_spec
    from napari_galaxy_maps.plugin.manifest import docks as panels
    from napari_galaxy_maps.plugin.state.pixel_spectra import Spectra
    from napari_galaxy_maps.plugin.state.session import session_for

    cube, image = made_up(INPUT_BANDS)
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1560, 940)
    panels.open_all(viewer)
    session = session_for(viewer)
    session.set_recipe("sed", n_models=n_models)
    session.set_recipe("galaxy", redshift=0.002)
    session.show(image_spec(image, session.place(image), "made up"))
    session.cube = cube
    viewer.reset_view()
    pause(3)
    panels.raise_panel(viewer, "Pixel")
    session.cube_changed.emit()
    start = time.perf_counter()
    wait(lambda: Spectra.of(session).ready() and session.job is None)
    made = time.perf_counter() - start
    pause(4)
    return viewer, panels.panel(viewer, "Pixel"), made


def follow_pointer(viewer: Any, panel: Any, moves: int) -> dict[str, list[float]]:
    """Seconds from each movement to the painted spectrum, of it the panel's own, and of processor
    time.
    """
    from canvas_mouse import NONE, pixel, send
    from qtpy.QtCore import QEvent, QObject
    from qtpy.QtWidgets import QApplication

    class Paints(QObject):
        at = 0.0

        def eventFilter(self, watched, event) -> bool:
            if event.type() == QEvent.Type.Paint:
                self.at = time.perf_counter()
            return False

    paints = Paints()
    rng = np.random.default_rng(1)
    found: dict[str, list[float]] = {"painted": [], "own": [], "processor": []}
    for k in range(moves + WARM_UP):
        north, west = ((rng.random(2) - 0.5) * np.array(SHAPE) * PIXEL * 0.9).tolist()
        at = pixel(viewer, north, west)
        if k == 1:
            panel.view.canvas.installEventFilter(paints)
        before, paints.at = panel.updates, 0.0
        start, busy = time.perf_counter(), time.thread_time()
        send(viewer, QEvent.Type.MouseMove, at, NONE, NONE)
        while time.perf_counter() - start < 2 and (
            panel.updates == before or (k and not paints.at)
        ):
            QApplication.processEvents()
        if k >= WARM_UP and panel.updates > before:
            found["painted"].append(paints.at - start)
            found["own"].append(panel.took)
            found["processor"].append(time.thread_time() - busy)
    return found


def run(n_models: int, moves: int) -> dict[str, float]:
    """All figures of one window, ms."""
    from napari_galaxy_maps.plugin.state.pixel_spectra import Place

    viewer, panel, made = open_window(n_models)
    times = follow_pointer(viewer, panel, moves)
    whole, parts = [], []
    for k in range(20):
        start = time.thread_time()
        panel.view.canvas.draw()
        middle = time.thread_time()
        panel.spectra.at(Place(k % SHAPE[0], k))
        whole.append(middle - start)
        parts.append(time.thread_time() - middle)
    found = {
        "models made": 1e3 * made,
        "movement to painted spectrum, median": 1e3 * float(np.median(times["painted"])),
        "movement to painted spectrum, 95 %": 1e3 * float(np.percentile(times["painted"], 95)),
        "of it the panel's own, median": 1e3 * float(np.median(times["own"])),
        "processor time of the window's thread, median": 1e3 * float(np.median(times["processor"])),
        "... 95 %": 1e3 * float(np.percentile(times["processor"], 95)),
        "... of one fit alone": 1e3 * float(np.median(parts)),
        "... of painting the plot whole (reference)": 1e3 * float(np.median(whole)),
        "share of movements that painted it whole": panel.view.repaints / (moves + WARM_UP),
    }
    viewer.close()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", type=int, default=50_000)
    parser.add_argument("--moves", type=int, default=200)
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    import os

    with tempfile.TemporaryDirectory() as folder:
        os.environ["GALAXY_MAPS_CACHE"] = folder
        found = run(options.models, options.moves)
    for name, value in found.items():
        print(f"{name:45s} {value:10.2f}")
    print(f"goal: {GOAL_MS:g} ms")
    if options.json:
        from pathlib import Path

        Path(options.json).write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
