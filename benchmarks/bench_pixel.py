"""How fast the Pixel panel follows the pointer: from a movement of the mouse over the canvas to the
painted spectrum.

    python benchmarks/bench_pixel.py [--models 50000] [--moves 200]

Without a display: under xvfb-run. A real window with a made-up cube of 18 bands, every pixel
another spectrum; the pointer goes from pixel to pixel. A spectrum is painted when its plot gets its
paint event, and on the screen when Qt has put the window together, which it does anew, the canvas
of napari with it, whatever changes. References in the same run: the same plot painted whole
(`canvas.draw`), and a word of one label brought to the screen.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from typing import Any

import numpy as np
from bench_window import pause, the_mouse, wait

GOAL_MS = 16.0
SHAPE, PIXEL = (30, 40), 6.0


def made_up(bands: tuple[str, ...]):
    """A cube of models with noise, and its image at 3.4 micron."""
    from astropy.wcs import WCS

    from napari_galaxy_maps.bands.registry import get_band
    from napari_galaxy_maps.data.cube import BandCube
    from napari_galaxy_maps.data.galaxy import BandImage
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


def window_with_spectra(n_models: int) -> tuple[Any, float]:
    """A window with the made-up cube and the Pixel panel, and the seconds that its models took."""
    import napari

    from napari_galaxy_maps.bands.registry import INPUT_BANDS
    from napari_galaxy_maps.plugin.ground.layer_specs import image_spec
    from napari_galaxy_maps.plugin.manifest import docks as panels
    from napari_galaxy_maps.plugin.workspace import workspace_of

    cube, image = made_up(INPUT_BANDS)
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1560, 940)
    panels.open_all(viewer)
    workspace = workspace_of(viewer)
    workspace.project.set_recipe("sed", n_models=n_models)
    workspace.project.set_recipe("galaxy", redshift=0.002)
    workspace.layers.show(image_spec(image, workspace.project.place(image), "made up"))
    workspace.project.cube = cube
    viewer.reset_view()
    pause(3)
    panels.raise_panel(viewer, "Pixel")
    workspace.project.cube_changed.emit()
    start = time.perf_counter()
    wait(lambda: workspace.spectra.ready() and workspace.runner.job is None)
    made = time.perf_counter() - start
    pause(4)
    return viewer, made


def run(n_models: int, moves: int) -> dict[str, float]:
    """All figures of one window, ms."""
    from qtpy.QtCore import QEvent, QObject, QPointF, Qt
    from qtpy.QtGui import QMouseEvent
    from qtpy.QtWidgets import QApplication

    from napari_galaxy_maps.plugin.manifest import docks as panels
    from napari_galaxy_maps.plugin.state.pixel_spectra import Place

    mouse = the_mouse()
    viewer, made = window_with_spectra(n_models)
    panel = panels.panel(viewer, "Pixel")
    widget = mouse.canvas(viewer)

    class Paints(QObject):
        asked = at = 0.0

        def eventFilter(self, watched, event) -> bool:
            if event.type() == QEvent.Type.Paint and self.asked:
                self.at = time.perf_counter()
            return False

    paints, show = Paints(), panel.view.show_spectrum

    def asked(found) -> None:
        paints.asked = time.perf_counter()
        show(found)

    panel.view.show_spectrum = asked
    rng = np.random.default_rng(1)
    to_paint, to_screen, own, processor = [], [], [], []
    for k in range(moves + 5):
        north, west = ((rng.random(2) - 0.5) * np.array(SHAPE) * PIXEL * 0.9).tolist()
        at = mouse.pixel(viewer, north, west)
        if k == 1:
            panel.view.canvas.installEventFilter(paints)
        before, paints.asked, paints.at = panel.updates, 0.0, 0.0
        event = QMouseEvent(
            QEvent.Type.MouseMove,
            QPointF(at),
            QPointF(widget.mapToGlobal(at)),
            Qt.MouseButton.NoButton,
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
        )
        start, busy = time.perf_counter(), time.thread_time()
        QApplication.sendEvent(widget, event)
        while time.perf_counter() - start < 2 and (
            panel.updates == before or (k and not paints.at)
        ):
            QApplication.processEvents()
        QApplication.processEvents()
        if k >= 5 and panel.updates > before:
            to_screen.append(time.perf_counter() - start)
            to_paint.append(paints.at - start)
            own.append(panel.took)
            processor.append(time.thread_time() - busy)
    repaints = panel.view.repaints
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
        "movement to painted spectrum, median": 1e3 * float(np.median(to_paint)),
        "movement to painted spectrum, 95 %": 1e3 * float(np.percentile(to_paint, 95)),
        "movement to the screen, median": 1e3 * float(np.median(to_screen)),
        "... of a word in a label (reference)": 1e3 * float(np.median(_words(panel.fit_text))),
        "of it the panel's own, median": 1e3 * float(np.median(own)),
        "processor time of the window's thread, median": 1e3 * float(np.median(processor)),
        "... 95 %": 1e3 * float(np.percentile(processor, 95)),
        "... of one fit alone": 1e3 * float(np.median(parts)),
        "... of painting the plot whole (reference)": 1e3 * float(np.median(whole)),
        "share of movements that painted it whole": repaints / (moves + 5),
    }
    viewer.close()
    return found


def _words(label: Any) -> list[float]:
    """Seconds from a word of a label to the screen, again and again."""
    from qtpy.QtWidgets import QApplication

    found = []
    for k in range(20):
        QApplication.processEvents()
        start = time.perf_counter()
        label.setText(f"{k}\nsecond line\nthird line")
        QApplication.processEvents()
        found.append(time.perf_counter() - start)
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
