"""A star's circle edited in the window: the time until new data are in the layers, beside a full
run, and the longest stall.

    python benchmarks/bench_star_editing.py [--edits 12] [--size 0] [--json FILE]

Without a display: under xvfb-run. A real window with the sample spiral, or with one of 14 made-up
bands of SIZE x SIZE pixels, its maps predicted. Circles are added, moved, made larger, switched off
and deleted one after another; the maps follow. For comparison the same window predicts with an
empty memory, in turn with the edits. A timer ticks every 2 ms; a stall is the time between two
ticks.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from bench_window import THINKING, Heart, pause, wait


def files_of(size: int, folder: Path) -> list[Path]:
    """The sample spiral's files, or made-up ones."""
    from napari_galaxy_maps.plugin.manifest import samples as sample_data

    if not size:
        return [sample_data.sample_folder()]
    import numpy as np
    from astropy.io import fits
    from bench_edit import made_up_galaxy

    for name, image in made_up_galaxy(size, np.random.default_rng(1)).images.items():
        header = image.wcs.to_header()
        header["BUNIT"], header["FILTER"] = "MJy/sr", name
        fits.PrimaryHDU(image.data, header).writeto(folder / f"{name}.fits")
    return [folder]


def settings(workspace: Any, size: int, folder: Path) -> None:
    """What is known of the galaxy."""

    if not size:
        workspace.project.take_recipe_in(folder)
        return
    workspace.project.set_recipe(
        "galaxy",
        ra=24.17,
        dec=15.78,
        d25=380 / 60,
        axis_ratio=0.6,
        position_angle=90.0,
        distance=20.0,
    )
    workspace.project.set_recipe("psf", target=18.0)
    workspace.project.set_recipe("grid", pixel=6.0)


def edits_of(workspace: Any, count: int, rng: Any) -> Any:
    """One edit after another, as a person makes them: add, move, resize, switch off, delete."""
    from napari_galaxy_maps.prepare.masks import mask_edits

    masking, galaxy = workspace.masks, workspace.project.galaxy
    ellipse = galaxy.ellipse
    for number in range(count):
        stars = list(masking.items)
        one = stars[int(rng.integers(len(stars)))] if stars else None
        east, north = rng.uniform(-0.6, 0.6, 2) * ellipse.b
        place = (ellipse.ra + east / 3600, ellipse.dec + north / 3600)
        kind = number % 5
        if one is None or kind == 0:
            star = mask_edits.circle_by_hand(masking.now, place, 10.0, "", workspace.project.bands)
            yield lambda star=star: masking.edit("add", added=[star])
        elif kind == 1:
            moved = replace(one, ra=place[0], dec=place[1])
            yield lambda one=one, moved=moved: masking.edit("move", [(one, moved)])
        elif kind == 2:
            yield lambda one=one: masking.edit(
                "resize", [(one, mask_edits.resized(one, 12.0, "", workspace.project.bands))]
            )
        elif kind == 3:
            yield lambda one=one: masking.switch([one], not one.enabled)
        else:
            yield lambda one=one: masking.delete([one])


def run(count: int, size: int) -> dict[str, Any]:
    """All times in seconds."""
    import numpy as np
    from napari.viewer import Viewer

    from napari_galaxy_maps.plugin.jobs.refresh_maps import PAUSE_MS
    from napari_galaxy_maps.plugin.manifest import docks as panels
    from napari_galaxy_maps.plugin.workspace import workspace_of
    from napari_galaxy_maps.prepare.masks import mask_edits

    viewer = Viewer(show=True)
    viewer.window.resize(1500, 900)
    workspace = workspace_of(viewer)
    panels.open_all(viewer)
    pause(THINKING)

    def idle() -> bool:
        return not workspace.busy

    with tempfile.TemporaryDirectory() as folder:
        paths = files_of(size, Path(folder))
        settings(workspace, size, paths[0])
        workspace.opener.add_paths(paths)
        wait(lambda: workspace.project.galaxy is not None and idle())
    panels.raise_panel(viewer, "Stars")
    rng = np.random.default_rng(2)
    ellipse = workspace.project.galaxy.ellipse
    for _ in range(20):
        east, north = rng.uniform(-0.7, 0.7, 2) * ellipse.b
        place = (ellipse.ra + east / 3600, ellipse.dec + north / 3600)
        star = mask_edits.circle_by_hand(
            workspace.masks.now, place, rng.uniform(4, 15), "", workspace.project.bands
        )
        workspace.masks.edit("add", added=[star])
    workspace.predictor.predict()
    wait(lambda: workspace.project.maps is not None and idle())
    pause(1)
    heart = Heart(workspace)
    full, edit, layers = [], [], []
    for number, change in enumerate(edits_of(workspace, count, rng)):
        before, start = workspace.project.maps, time.perf_counter()
        heart.phase = " edited"
        change()
        wait(lambda before=before: workspace.project.maps is not before)
        edit.append(time.perf_counter() - start - PAUSE_MS / 1000)
        wait(idle)
        layers.append(time.perf_counter() - start - PAUSE_MS / 1000)
        heart.phase = "idle"
        pause(0.4)
        if number % 4 == 0:
            workspace.project.memory = None
            before, start = workspace.project.maps, time.perf_counter()
            workspace.predictor.predict()
            wait(lambda before=before: workspace.project.maps is not before)
            full.append(time.perf_counter() - start)
            wait(idle)
            pause(0.4)
    names = ("worker edited", "layers edited")
    found = {
        "full": full,
        "edit": edit,
        "layers": layers,
        "load": os.getloadavg()[0],
        "shape": workspace.project.maps.shape,
        "bands": len(workspace.project.bands),
        "stall": {name: heart.longest.get(name, 0.0) for name in names},
        "busy": {name: heart.busiest.get(name, 0.0) for name in names},
    }
    viewer.close()
    return found


def main() -> None:
    """Run and tabulate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edits", type=int, default=12)
    parser.add_argument(
        "--size", type=int, default=0, help="of the made-up bands; 0: the sample spiral"
    )
    parser.add_argument("--json", type=Path, help="write all figures there")
    arguments = parser.parse_args()
    found = run(arguments.edits, arguments.size)
    ms = {name: 1000 * median(found[name]) for name in ("full", "edit", "layers")}
    print(
        f"{found['bands']} bands, {found['shape'][1]} x {found['shape'][0]} pixels, load average "
        f"{found['load']:.1f}; ms, median (worst)"
    )
    for name, words in (
        ("full", "full run in the window, to its maps"),
        ("edit", "edit (after the pause for more) to new maps"),
        ("layers", "... to new data in the last layer"),
    ):
        print(f"{words:50}{ms[name]:8.0f} ({1000 * max(found[name]):.0f})")
    print(f"full run / edit: {ms['full'] / ms['edit']:.1f}")
    for name, words in (
        ("worker edited", "while the maps are made"),
        ("layers edited", "while the layers get them"),
    ):
        print(
            f"longest stall {words:36}{1000 * found['stall'][name]:8.0f}, the window's own part "
            f"{1000 * found['busy'][name]:.0f}"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
