"""Compiled functions are found again by the next process, and work where nothing can be kept."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import napari_galaxy_maps
from napari_galaxy_maps import compiled

SOURCE = Path(napari_galaxy_maps.__file__).parents[1]

COMMANDS = """
import gc, json, sys
import numba
import numpy as np
from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.prepare.grid import resampling_loops
from napari_galaxy_maps.prepare.stars.star_fit import Expected, fit_star

folder = sys.argv[1]
bands = "SDSS_g,SDSS_r,2MASS_J,WISE_3.4,WISE_12"
options = ["--quiet", "--overwrite"]
mock = ["mock", "--seed", "6", "--kind", "spiral", "--size", "48", "--pixel", "4"]
assert main([*mock, "--bands", bands, "--out", folder + "/mock", *options]) == 0
images = [f"{folder}/mock/{band}.fits" for band in bands.split(",")]
recipe = ["--recipe", folder + "/mock/recipe.toml"]
assert main(["predict", *images, *recipe, "--out", folder + "/maps.fits", *options]) == 0
maps = [folder + "/maps.fits", "--total", "--out", folder + "/totals.ecsv"]
assert main(["measure", *maps, *options]) == 0
y, x = np.mgrid[:40, :40] - 20.0
assert fit_star(np.exp(-(x**2 + y**2) / 8), Expected(20.0, 20.0, 4.0), 0.01).seen
# Images that are turned need the general loop.
plane, one, out = np.full((16, 16), 4.0), np.ones((1, 16, 16), np.float32), np.zeros((3, 1, 16, 16))
form = np.stack([plane, plane / 8, plane])
resampling_loops.compiled_loops()[1](one, plane, plane, form, plane / 2, 0, 16, out[0], *out[1:, 0])
print(json.dumps({
    found.__name__: [sum(found.stats.cache_hits.values()), sum(found.stats.cache_misses.values())]
    for found in gc.get_objects()
    if issubclass(type(found), numba.core.dispatcher.Dispatcher)
    and found.py_func.__module__.startswith("napari_galaxy_maps")
    and found._cache.cache_path
}))
"""
COMPILED = {
    "_march_rays", "separable", "general", "fill", "sums", "infer", "beside_others", "descend",
    "shares", "gathered", "fitted", "spread", "flagged",
}  # fmt: skip
INSIDE = {"gaussian", "of_side", "add_part", "extremes"}
"""Those that others have compiled into them."""


def run(command, **environment):
    variables = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(
        [sys.executable, *command], env=variables, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_the_second_process_compiles_nothing(tmp_path):
    kept = tmp_path / "cache"
    calls = []
    for _ in range(2):
        done = run(["-c", COMMANDS, str(tmp_path)], NUMBA_CACHE_DIR=str(kept))
        assert done.returncode == 0, done.stderr
        files = {path: path.stat().st_mtime_ns for path in kept.rglob("*.nb?")}
        calls.append((json.loads(done.stdout.splitlines()[-1]), files))
    (first, files), (second, files_after) = calls
    assert set(first) - INSIDE == COMPILED
    for name in COMPILED:
        assert first[name][1] > 0, f"{name} was not compiled by the first process"
        assert second[name][0] > 0 and second[name][1] == 0, f"{name}: {second[name]}"
    assert files and files_after == files


def test_nothing_is_compiled_past_the_one_place():
    sources = Path(napari_galaxy_maps.__file__).parent.rglob("*.py")
    found = {path.name for path in sources if "cache=True" in path.read_text(encoding="utf-8")}
    assert found == {"compiled.py"}


@pytest.fixture
def said(monkeypatch, caplog):
    """The warnings, which are said once in each test."""
    compiled._say_once.cache_clear()
    yield caplog
    compiled._say_once.cache_clear()


def test_no_folder_to_keep_functions_in_is_said_once(monkeypatch, said):
    from numba.core.caching import FunctionCache

    def refuse(*_):
        raise RuntimeError("cannot cache function 'f': no locator available for file 'f.py'")

    monkeypatch.setattr(FunctionCache, "__init__", refuse)
    functions = [compiled.compiled(nogil=True)(lambda x: x + 1) for _ in range(2)]
    assert [function(1) for function in functions] == [2, 2]
    assert [record.getMessage()[:40] for record in said.records] == [
        "No folder for compiled functions can be "
    ]


def test_a_full_disk_costs_only_the_time(monkeypatch, said):
    from numba.core.caching import FunctionCache

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FunctionCache, "save_overload", full)
    assert compiled.compiled()(lambda x: x + 2)(1) == 3
    assert len(said.records) == 1
