"""Windows that are closed leave nothing of ours behind.

Counted in a process of its own, where no other test holds anything.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
COUNT = """
import json
import os
from bench_open_close import one_kind

print("RESULT", json.dumps(one_kind("galaxy", 3)["left"]), flush=True)
os._exit(0)
"""
KEPT = {
    "manifest.docks.PanelRow": "the table of panels",
    "panels.predict_panel._Card": "one constant, of models whose card is not there yet",
    "eventloop.worker._Worker": "napari's windows keep them, without what was to hear of them",
    "eventloop.worker._Fetcher": "the last one, until superqt hears of its end",
}


@pytest.mark.slow
@pytest.mark.window
def test_closed_windows_leave_nothing_of_ours():
    done = subprocess.run(
        [sys.executable, "-c", COUNT],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(BENCHMARKS), *sys.path])},
        capture_output=True,
        text=True,
        timeout=240,
    )
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    left = {
        name.removeprefix("napari_galaxy_maps.plugin."): count
        for name, count in json.loads(line.removeprefix("RESULT ")).items()
    }
    assert left.pop("manifest.docks.PanelRow") > 5, "objects of ours are counted at all"
    assert set(left) <= set(KEPT), left
