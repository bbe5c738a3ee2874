"""The first panel is there at once: painted within 0.3 s, and no heavy module is loaded for it."""

import json
import subprocess
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

pytestmark = pytest.mark.window

HEAVY = (
    "torch",
    "sklearn",
    "xgboost",
    "reproject",
    "photutils",
    "matplotlib",
    "numba",
    "scipy",
    "regions",
)

SCRIPT = """
import json, sys, time
import napari
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QApplication

viewer = napari.Viewer(show=True)
for _ in range(30):
    QApplication.processEvents()
    time.sleep(0.01)
before = set(sys.modules)


class Paints(QObject):
    at = None

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and self.at is None:
            self.at = time.perf_counter()
        return False


found = {}
for name in ("Galaxy", "Prepare", "Stars", "Predict", "Inspect", "Measure"):
    paints = Paints()
    start = time.perf_counter()
    dock, panel = viewer.window.add_plugin_dock_widget("napari-galaxy-maps", name)
    panel.content.installEventFilter(paints)
    while paints.at is None and time.perf_counter() - start < 10:
        QApplication.processEvents()
    found[name] = paints.at - start
new = sorted({name.partition(".")[0] for name in set(sys.modules) - before})
print("RESULT", json.dumps({"seconds": found, "new": new}))
viewer.close()
"""


def test_panels_load_no_heavy_module_and_are_painted_soon():
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    line = next(line for line in run.stdout.splitlines() if line.startswith("RESULT"))
    found = json.loads(line.removeprefix("RESULT"))
    assert not set(HEAVY) & set(found["new"])
    # The goal is 0.3 s, which benchmarks/bench_window.py measures; a busy test machine gets three
    # times that.
    assert max(found["seconds"].values()) < 0.9, found["seconds"]


def test_the_window_does_not_wait_for_a_torch_that_a_thread_is_still_importing(monkeypatch):
    from napari_galaxy_maps.plugin.widgets.device_box import available_devices

    half = ModuleType("torch")  # as it stands in sys.modules meanwhile: without anything to ask
    half.__spec__ = ModuleSpec("torch", None)
    half.__spec__._initializing = True
    monkeypatch.setitem(sys.modules, "torch", half)
    assert available_devices() == {"auto", "cpu"}
