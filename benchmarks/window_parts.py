"""What several galaxies, large images and long work cost in one window: the parts of
`bench_window.py` beside its stalls. Each part is a function that a fresh process runs.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from bench_open_close import growth, one_kind, resident
from bench_window import THINKING, Heart, pause, wait

BANDS = (
    ("GALEX", "FUV"), ("GALEX", "NUV"), ("SDSS", "u"), ("SDSS", "g"), ("SDSS", "r"), ("SDSS", "i"),
    ("SDSS", "z"), ("2MASS", "J"), ("2MASS", "H"), ("2MASS", "Ks"), ("WISE", "W1"), ("WISE", "W2"),
    ("WISE", "W3"), ("WISE", "W4"), ("Herschel", "PACS 100"),
)  # fmt: skip
N_GALAXIES, SIDE = 10, 1000
LARGE, SMALL = 8192, 512
FRAMES = 40


# Made-up images ----------------------------------------------------------------------------------


def write_image(path: Path, side: int, ra: float, camera: str, band: str, seed: int = 1) -> None:
    """A round galaxy of noise and light, whose header says all that has to be known."""
    from astropy.io import fits
    from astropy.wcs import WCS

    noise = np.random.default_rng(seed).normal(1, 0.05, (min(side, 512),) * 2).astype("f4")
    data = np.tile(noise, (side // len(noise) + 1,) * 2)[:side, :side]
    y, x = np.ogrid[:side, :side]
    data += 10 * np.exp(-np.hypot(y - side / 2, x - side / 2) / (side / 10)).astype("f4")
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [ra, 2]
    wcs.wcs.crpix, wcs.wcs.cdelt = [(side + 1) / 2] * 2, [-1 / 3600, 1 / 3600]
    header = wcs.to_header()
    header.update(BUNIT="MJy/sr", TELESCOP=camera, FILTER=band, BMAJ=6.1 / 3600, BMIN=6.1 / 3600)
    path.parent.mkdir(exist_ok=True)
    fits.PrimaryHDU(data, header).writeto(path)


def write_galaxies(folder: Path, n_galaxies: int, side: int) -> list[Path]:
    """Folders of galaxies in 15 bands, each at its own place on the sky."""
    folders = []
    for number in range(n_galaxies):
        folders.append(folder / f"galaxy-{number}")
        for i, (camera, band) in enumerate(BANDS):
            name = f"{camera}-{band}.fits".replace(" ", "-")
            write_image(folders[-1] / name, side, 10 + 30 * number, camera, band, 100 * number + i)
    return folders


# A window ----------------------------------------------------------------------------------------


@contextmanager
def window(width: int = 1280, height: int = 800) -> Iterator[tuple[Any, Any]]:
    """A window with all panels that has been open for some seconds, and its workspace; what is
    done ahead is done.
    """
    import napari

    from napari_galaxy_maps.plugin.eventloop import preload
    from napari_galaxy_maps.plugin.manifest import docks
    from napari_galaxy_maps.plugin.workspace import workspace_of

    viewer = napari.Viewer(show=True)
    viewer.window.resize(width, height)
    docks.open_all(viewer)
    pause(THINKING)
    wait(lambda: not preload.under_way())
    yield viewer, workspace_of(viewer)
    viewer.close()


def settled(workspace: Any) -> None:
    """Wait until nothing is under way."""
    pause(0.1)
    wait(lambda: not workspace.busy)
    pause(0.3)


def open_folder(workspace: Any, folder: Path) -> None:
    """Open a folder of images and wait until all is shown."""
    workspace.opener.add_paths([folder])
    settled(workspace)


def image_is_shown(viewer: Any, workspace: Any) -> bool:
    """Whether an image is switched on and something of it is on the canvas."""
    on = any(k.kind == "image" and layer.visible for k, layer in workspace.layers.shown().items())
    return on and float(viewer.screenshot(canvas_only=True, flash=False)[..., :3].std()) > 2


def painted(viewer: Any, action: Callable[[], Any]) -> tuple[float, float]:
    """Seconds from a call until the canvas has been painted after it, and what the processors
    computed in them.
    """
    from qtpy.QtWidgets import QApplication

    canvas = viewer.window._qt_viewer.canvas._scene_canvas
    paints: list[float] = []

    def note(_: Any) -> None:
        paints.append(time.perf_counter())

    canvas.events.draw.connect(note, position="last")
    start, busy = time.perf_counter(), time.process_time()
    action()
    called = time.perf_counter()
    while not (paints and paints[-1] > called):
        QApplication.processEvents()
        if time.perf_counter() - start > 60:
            raise TimeoutError("the canvas was not painted")
    took = time.perf_counter() - start, time.process_time() - busy
    canvas.events.draw.disconnect(note)
    return took


# Parts -------------------------------------------------------------------------------------------


def switching() -> dict[str, float]:
    """Another galaxy, result, map and view, with two and with ten galaxies open."""
    from napari_galaxy_maps.plugin.manifest import samples

    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name, window() as (viewer, workspace):
        folders = write_galaxies(Path(name), N_GALAXIES - 2, 300)
        project, views, galaxies = workspace.project, workspace.views, workspace.galaxies

        def often(name: str, *actions: Callable[[], Any]) -> None:
            times = []
            for action in actions * 4:
                times.append(painted(viewer, action))
                settled(workspace)
            kept = times[2:]
            found[name], found[f"{name} busy"] = (median(each) for each in zip(*kept, strict=True))
            found[f"{name} worst"] = max(seconds for seconds, _ in kept)

        for sample in (samples.SPIRAL, samples.EARLY_TYPE):
            galaxies.begin()
            project.take_recipe_in(samples.sample_folder(sample))
            open_folder(workspace, samples.sample_folder(sample))
            workspace.predictor.predict()
            settled(workspace)
        project.set_recipe("grid", pixel=4.0)
        workspace.predictor.predict()
        settled(workspace)
        one, two = project.results[:2]
        names = list(two.maps.values)[:2]
        views.look(names[0])
        settled(workspace)
        often("result", *(lambda r=r: workspace.choose_result(r) for r in (one, two)))
        often("map", *(lambda n=n: views.look(n) for n in names))
        often("view", *(lambda v=v: views.switch(v) for v in ("error", "map")))
        often("two", *(lambda g=g: galaxies.switch(g) for g in galaxies.all[:2]))
        for folder in folders:
            open_folder(workspace, folder)
        often("ten", *(lambda g=g: galaxies.switch(g) for g in galaxies.all[-2:]))
        often("ten, made again", *(lambda g=g: galaxies.switch(g) for g in galaxies.all[:3]))
    return found


def ten_galaxies() -> dict[str, float]:
    """Memory of ten galaxies in 15 bands of 1000 x 1000, each shown again; a session of them."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folders = write_galaxies(Path(name), N_GALAXIES, SIDE)
        with window() as (viewer, workspace):
            most = found["empty"] = resident()
            for folder in folders:
                open_folder(workspace, folder)
                most = max(most, resident())
            galaxies, times = workspace.galaxies, []
            assert len(galaxies.all) == N_GALAXIES
            found["shown again"] = 0
            for galaxy in galaxies.all:
                start, busy = time.perf_counter(), time.process_time()
                galaxies.switch(galaxy)
                wait(lambda: image_is_shown(viewer, workspace), 60)
                times.append((time.perf_counter() - start, time.process_time() - busy))
                settled(workspace)
                found["shown again"] += image_is_shown(viewer, workspace)
                most = max(most, resident())
            found["most"] = most
            found["again"], found["again busy"] = (
                median(each) for each in zip(*times, strict=True)
            )
            found["again worst"] = max(seconds for seconds, _ in times)
            session = Path(name) / "ten.galaxymaps"
            workspace.sessions.save(session)
            settled(workspace)
        pause(1)
        with window() as (viewer, workspace):
            start, busy = time.perf_counter(), time.process_time()
            workspace.sessions.open(session)
            wait(lambda: image_is_shown(viewer, workspace), 60)
            found["session"] = time.perf_counter() - start
            found["session busy"] = time.process_time() - busy
            settled(workspace)
            assert len(workspace.galaxies.all) == N_GALAXIES
    return found


def predictions(count: int = 30) -> dict[str, float]:
    """Memory after the second and after the last of many predictions of the sample, each from the
    start.
    """
    from napari_galaxy_maps.plugin.manifest import samples

    sizes = []
    with window() as (_, workspace):
        workspace.project.take_recipe_in(samples.sample_folder())
        open_folder(workspace, samples.sample_folder())
        for _ in range(count):
            workspace.project.memory = None
            workspace.predictor.predict()
            settled(workspace)
            gc.unfreeze()
            gc.collect()
            sizes.append(resident())
            print(f"prediction {len(sizes)}: {sizes[-1]:.0f} MiB", file=sys.stderr)
    return {"second": sizes[1], "last": sizes[-1], "growth": 100 * (sizes[-1] / sizes[1] - 1)}


def windows(count: int = 30) -> dict[str, float]:
    """Memory that a window with a galaxy leaves behind."""
    return {"a window": growth(one_kind("galaxy", count)["sizes"])}


def large() -> dict[str, float]:
    """Frames a second of an image of 8192 x 8192 beside a small one in the same window, and the
    longest stall while each is opened.
    """
    found: dict[str, float] = {}
    frames: dict[tuple[str, str], list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as name, window() as (viewer, workspace):
        paths = {"warm-up": Path(name) / "0/w.fits"}
        write_image(paths["warm-up"], SMALL, 10, "WISE", "W1")
        for number, (kind, side) in enumerate((("small", SMALL), ("large", LARGE)), 1):
            paths[kind] = Path(name) / f"{number}/w.fits"
            write_image(paths[kind], side, 10 + 60 * number, "WISE", "W1")
        for kind, path in paths.items():
            heart = Heart(workspace)
            heart.phase = "reading"
            open_folder(workspace, path.parent)
            heart._timer.stop()
            found[f"{kind} stall"] = heart.longest["reading"]
            found[f"{kind} stall busy"] = heart.busiest["reading"]
        _canvas_alone(viewer)
        _, small, big = workspace.galaxies.all
        for _ in range(2):  # in turn, so that other work on the machine falls on both
            for kind, galaxy in (("small", small), ("large", big)):
                workspace.galaxies.switch(galaxy)
                wait(lambda: image_is_shown(viewer, workspace))
                settled(workspace)
                for movement, times in _moved(viewer, workspace).items():
                    frames.setdefault((kind, movement), []).extend(times)
        found["levels"] = float(next(iter(workspace.layers.shown().values())).multiscale)
    for (kind, movement), pairs in frames.items():
        times = sorted(seconds for seconds, _ in pairs)
        found[f"{kind} {movement}"] = 1 / median(times)
        found[f"{kind} {movement} worst"] = 1 / times[int(0.95 * (len(times) - 1))]
        found[f"{kind} {movement} busy"] = median(busy for _, busy in pairs)
    return found


def _canvas_alone(viewer: Any) -> None:
    """Let the canvas have all of the window."""
    from qtpy.QtWidgets import QDockWidget

    for dock in viewer.window._qt_window.findChildren(QDockWidget):
        dock.hide()
    pause(0.5)


def _moved(viewer: Any, workspace: Any) -> dict[str, list[tuple[float, float]]]:
    """Seconds a frame, from the camera's move to the painted window, and of the processors in it,
    while the image is panned at three zooms and enlarged forty times and back.
    """
    from qtpy.QtWidgets import QApplication

    from napari_galaxy_maps.plugin.ground.viewers import camera_and_scale_bar

    camera, _ = camera_and_scale_bar(viewer)
    (layer,) = workspace.layers.shown().values()
    workspace.layers.fit(next(iter(workspace.layers.shown())))
    pause(0.3)
    whole, middle = camera.zoom, np.array(camera.center[-2:])
    reach = 0.15 * float(np.ptp(np.asarray(layer.extent.world)[:, 0]))
    canvas = viewer.window._qt_viewer.canvas.native

    def frame(zoom: float, centre: np.ndarray) -> tuple[float, float]:
        start, busy = time.perf_counter(), time.process_time()
        camera.zoom, camera.center = zoom, (0, *centre)
        canvas.update()
        QApplication.processEvents()
        return time.perf_counter() - start, time.process_time() - busy

    angles = np.linspace(0, 2 * np.pi, FRAMES)
    circle = np.stack([np.sin(angles), np.cos(angles)], axis=1)
    found = {}
    for movement, zoom in (("pan", 1.0), ("pan x6", 6.2), ("pan x20", 20.0)):
        places = middle + circle * reach * min(1, 3 / zoom)
        found[movement] = [frame(zoom * whole, place) for place in places]
    zooms = whole * np.geomspace(1, 40, FRAMES)
    found["zoom"] = [frame(zoom, middle) for zoom in (*zooms, *zooms[::-1])]
    return found


PARTS: dict[str, Callable[[], dict[str, float]]] = {
    "switching": switching,
    "galaxies": ten_galaxies,
    "predictions": predictions,
    "windows": windows,
    "large": large,
}
ROWS: dict[str, list[tuple[str, str, str, str]]] = {
    "switching": [
        (name, words, "ms", "100")
        for name, words in (
            ("two", "another galaxy, two open, to the painted canvas"),
            ("ten", "another galaxy, ten open, whose layers are kept"),
            ("ten, made again", "another galaxy, ten open, whose layers are made again"),
            ("result", "another result"),
            ("map", "another map"),
            ("view", "another view of a map"),
        )
    ],
    "galaxies": [
        ("empty", "resident before", "MiB", ""),
        ("most", "most of ten galaxies, 15 bands of 1000 x 1000 each", "MiB", "6144"),
        ("shown again", "galaxies that show their image again", "", "10"),
        ("again", "another of ten galaxies, until its image is painted", "ms", ""),
        ("session", "a session of ten galaxies, until the first image is painted", "ms", "1000"),
    ],
    "predictions": [
        ("second", "after the second of 30 predictions", "MiB", ""),
        ("last", "after the last", "MiB", ""),
        ("growth", "more than after the second", "%", "5"),
    ],
    "windows": [("a window", "what each of 30 windows with a galaxy leaves", "MiB", "2")],
    "large": [
        *(
            (f"{kind} {movement}", f"{words} of {side} x {side}, frames a second", "", goal)
            for movement, words in (
                ("pan", "moving all"),
                ("pan x6", "moving, enlarged 6 times,"),
                ("pan x20", "moving, enlarged 20 times,"),
                ("zoom", "zooming into and out"),
            )
            for kind, side, goal in (("large", LARGE, "20"), ("small", SMALL, ""))
        ),
        ("large stall", f"longest stall while {LARGE} x {LARGE} are opened", "ms", "100"),
        ("small stall", f"longest stall while {SMALL} x {SMALL} are opened", "ms", ""),
    ],
}
"""Of each part: the figure, what it is, its unit and the goal. Beside a figure stand its ``worst``
(of frames, 95 % are faster) and ``busy``, the ms that were computed: of a stall in the window's own
thread, of all else on all processors, which paint the canvas where there is no graphics card.
"""


def tabulated(part: str, found: dict[str, float]) -> Iterator[str]:
    """The lines of a part's table."""
    for name, words, unit, goal in ROWS[part]:
        if name not in found:
            continue
        scale = 1000 if unit == "ms" else 1
        worst = found.get(f"{name} worst")
        beside = f"{scale * worst:9.1f}" if worst is not None else " " * 9
        busy = found.get(f"{name} busy")
        beside += f"{1000 * busy:9.1f}" if busy is not None else " " * 9
        yield f"{words:64}{scale * found[name]:9.1f}{beside}{goal:>8} {unit}"
