"""From a click on the sample galaxy to its painted maps, in seconds of the processors: the part
``sample`` of `bench_window.py`.

Fifteen bands of the sample spiral are read, shown, prepared and predicted: at once, and where the
person looks at the images until they have been prepared ahead (`run_looking`). Beside the whole
stand the window's own thread, the modules that were imported only then, and two references of the
same process: the same maps made without a window from images that are read already, and reading the
files with astropy alone.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench_window import THINKING, pause, wait

GOAL_S = 3.0
N_BANDS = 15


class Imports:
    """Adds up the processor time of imports while it stands first in `sys.meta_path`'s place:
    modules are executed by their loaders, which it wraps.
    """

    def __init__(self) -> None:
        self.seconds, self._depth = 0.0, 0
        self._before: set[str] = set()

    def __enter__(self) -> Imports:
        import importlib._bootstrap as bootstrap  # type: ignore[import-not-found]

        self._bootstrap, self._load = bootstrap, bootstrap._load_unlocked
        self._before = set(sys.modules)

        def load(spec: Any) -> Any:
            start = time.thread_time()
            self._depth += 1
            try:
                return self._load(spec)
            finally:
                self._depth -= 1
                if not self._depth:
                    self.seconds += time.thread_time() - start

        bootstrap._load_unlocked = load
        return self

    def __exit__(self, *_: object) -> None:
        self._bootstrap._load_unlocked = self._load

    @property
    def new(self) -> int:
        """How many modules have come."""
        return len(set(sys.modules) - self._before)


def bands_of(folder: Path) -> list[Path]:
    """The files of the fifteen bands: those of the models, without the far infrared."""
    from napari_galaxy_maps.fits_io.image_files import find_images

    far = ("PACS", "SPIRE")
    files = [file for file in find_images([folder]) if file.band is not None]
    near = [file for file in files if not file.band.name.startswith(far)]
    return sorted({file.path for file in near})


def run_looking() -> dict[str, float]:
    """The figures of a person who looks at the images before the click on Predict."""
    return run(looking=True)


def run(looking: bool = False) -> dict[str, float]:
    """All figures, seconds of the processors."""
    import napari
    from astropy.io import fits

    from napari_galaxy_maps.plugin.eventloop import preload
    from napari_galaxy_maps.plugin.manifest import docks, samples
    from napari_galaxy_maps.plugin.workspace import workspace_of

    viewer = napari.Viewer(show=True)
    viewer.window.resize(1560, 940)
    docks.open_all(viewer)
    workspace = workspace_of(viewer)
    pause(THINKING)
    wait(lambda: not preload.under_way())
    folder = samples.sample_folder()
    paths = bands_of(folder)
    workspace.project.take_recipe_in(folder)
    pause(1.0)
    found: dict[str, float] = {}
    begun, own, wall = time.process_time(), time.thread_time(), time.perf_counter()
    with Imports() as imports:
        workspace.opener.add_paths(paths)
        wait(lambda: workspace.project.galaxy is not None and not workspace.busy)
        found["read and shown"] = time.process_time() - begun
        if looking:
            wait(lambda: workspace.first_look.is_ready)
            pause(0.5)
            found["ahead"] = time.process_time() - begun - found["read and shown"]
        clicked, clicked_wall = time.process_time(), time.perf_counter()
        workspace.predictor.predict()
        wait(lambda: workspace.project.maps is not None and not workspace.busy)
        pause(0.1)
    found["predict"] = time.process_time() - clicked
    found["predict wall"] = time.perf_counter() - clicked_wall
    found["click to maps"] = time.process_time() - begun
    found["wall"] = time.perf_counter() - wall
    found["own"] = time.thread_time() - own
    found["imports"], found["modules"] = imports.seconds, imports.new
    found["bands"] = len(workspace.project.galaxy.images)
    from napari_galaxy_maps.pipeline import predict

    begun = time.process_time()
    predict(workspace.project.galaxy, workspace.project.recipe)
    found["without a window"] = time.process_time() - begun
    begun = time.process_time()
    for path in paths:
        with fits.open(path) as hdus:
            for hdu in hdus:
                _ = hdu.data
    found["astropy reads"] = time.process_time() - begun
    viewer.close()
    return found


def tabulated(found: dict[str, float]) -> Iterator[str]:
    """The lines of the table."""
    rows = (
        ("click to maps", f"click on the sample to painted maps (goal {GOAL_S:g} s)"),
        ("read and shown", "... until all images are shown"),
        ("ahead", "... while the person looks: prepared ahead"),
        ("predict", "... from the click on Predict"),
        ("predict wall", "    the same on the clock"),
        ("own", "... of it the window's own thread"),
        ("imports", f"... of it imports ({found['modules']:.0f} modules)"),
        ("without a window", "reference: the same maps without a window, from images in memory"),
        ("astropy reads", "reference: the files read by astropy alone"),
    )
    yield f"{found['bands']:.0f} bands; s of the processors ({found['wall']:.1f} s on the clock)"
    for name, words in rows:
        if name in found:
            yield f"{words:66}{found[name]:8.2f}"
    least = found["without a window"] + found["astropy reads"]
    yield f"{'over both references':66}{found['click to maps'] / least:8.2f}"
