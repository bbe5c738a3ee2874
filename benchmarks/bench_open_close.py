"""How much memory stays behind when windows are opened and closed: bare ones of napari, with our
panels, and with a galaxy in them.

    python benchmarks/bench_open_close.py [--windows 30] [--kinds bare panels galaxy] [--objects]

Without a display: under xvfb-run. Each kind is a fresh process. What stays is the resident memory
after a window was closed and its garbage collected, with what had been set aside, as it is once the
pointer rests; the first windows, which load what stays for good, are left out of the growth.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

KINDS = {
    "bare": "napari's window alone",
    "panels": "with all our panels",
    "galaxy": "with all our panels and a galaxy in three bands",
}
OURS = "napari_galaxy_maps.plugin"
FILES = ("spiral_ac51-w1-int-3.fits.gz", "frame-r-spiral.fits.bz2", "aJ_asky_spiral.fits.gz")
WARM_UP = 6
"""Windows that are not counted."""


def pause(seconds: float) -> None:
    """Run the event loop for a while."""
    from qtpy.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    QTimer.singleShot(int(1000 * seconds), loop.quit)
    loop.exec()


def resident() -> float:
    """Resident memory of this process in MiB."""
    import psutil

    return psutil.Process().memory_info().rss / 2**20


def open_and_close(kind: str) -> None:
    """One window, opened, used and closed."""
    import napari

    viewer = napari.Viewer(show=True)
    pause(0.2)
    if kind != "bare":
        from napari_galaxy_maps.plugin.manifest import docks

        docks.open_all(viewer)
        pause(0.3)
    if kind == "galaxy":
        from napari_galaxy_maps.plugin.manifest.samples import sample_folder
        from napari_galaxy_maps.plugin.workspace import workspace_of

        workspace = workspace_of(viewer)
        workspace.opener.add_paths([sample_folder() / name for name in FILES])
        end = time.monotonic() + 120
        while workspace.busy and time.monotonic() < end:
            pause(0.1)
    viewer.close()
    del viewer
    pause(0.3)


def ours_left(seconds: float = 15.0) -> dict[str, int]:
    """Objects of our classes that are alive, by class; those set aside, too.

    Threads that a window has left behind have so many seconds to end.
    """
    end = time.monotonic() + seconds
    while True:
        gc.unfreeze()
        gc.collect()
        left = dict(Counter(_name(type(thing)) for thing in gc.get_objects() if _is_ours(thing)))
        if f"{OURS}.workspace.Workspace" not in left or time.monotonic() > end:
            return left
        pause(0.5)


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _is_ours(thing: object) -> bool:
    return str(getattr(type(thing), "__module__", "")).startswith(OURS)


def one_kind(kind: str, windows: int) -> dict:
    """Resident memory after each window, and what of ours is alive at the end."""
    sizes = []
    for _ in range(windows):
        open_and_close(kind)
        # As happens once the pointer has rested for some seconds; they need not be waited for.
        gc.unfreeze()
        gc.collect()
        sizes.append(resident())
    return {"sizes": sizes, "left": ours_left() if kind != "bare" else {}}


def growth(sizes: list[float]) -> float:
    """MiB a window: the slope of a straight line through all but the first."""
    kept = sizes[min(WARM_UP, len(sizes) // 2) :]
    return float(np.polyfit(range(len(kept)), kept, 1)[0])


def main() -> None:
    """Run each kind in a process of its own, and tabulate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=30)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--objects", action="store_true", help="list what of ours is left")
    parser.add_argument("--one", choices=KINDS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print("RESULT", json.dumps(one_kind(arguments.one, arguments.windows)))
        return
    print(f"MiB in {arguments.windows} windows\n")
    print(f"{'':44}{'first':>8}{'last':>8}{'a window':>10}")
    for kind in arguments.kinds:
        command = [sys.executable, str(Path(__file__)), "--one", kind]
        done = subprocess.run(
            [*command, "--windows", str(arguments.windows)], capture_output=True, text=True
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        if not lines:
            sys.exit(done.stderr[-3000:])
        found = json.loads(lines[0].removeprefix("RESULT "))
        sizes = found["sizes"]
        print(f"{KINDS[kind]:44}{sizes[0]:8.0f}{sizes[-1]:8.0f}{growth(sizes):10.2f}")
        if arguments.objects:
            for name, count in sorted(found["left"].items()):
                print(f"    {count:5} {name}")


if __name__ == "__main__":
    main()
