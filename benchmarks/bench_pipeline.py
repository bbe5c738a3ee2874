"""How long the way from files to maps takes on the sample spiral, step by step, cold and with what
is remembered.

python benchmarks/bench_pipeline.py [--runs 3] [FOLDER [RECIPE]]
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path
from statistics import median

from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.fits_io.recipe_files import read_recipe
from napari_galaxy_maps.pipeline import PredictionMemory, predict_steps

SAMPLE = Path(__file__).resolve().parents[1] / "sample_data" / "spiral"


def timed(steps, spent):
    """Run steps to their end and add up the seconds of each, as its signs of life come."""
    before = time.perf_counter()
    while True:
        try:
            sign = next(steps)
        except StopIteration as stop:
            spent["end"] += time.perf_counter() - before
            return stop.value
        now = time.perf_counter()
        spent[sign.step] += now - before
        before = now


def one_run(folder, recipe):
    """Seconds by step of one run from files, and of another in which only the grid has changed."""
    first, again = defaultdict(float), defaultdict(float)
    begin = time.perf_counter()
    galaxy = read_galaxy([folder], recipe)
    first["read"] = time.perf_counter() - begin
    memory = PredictionMemory()
    maps = timed(predict_steps(galaxy, recipe, memory), first)
    changed = recipe.with_values(["grid.pixel=5"])
    timed(predict_steps(galaxy, changed, memory), again)
    return first, again, maps, len(galaxy.images)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=SAMPLE)
    parser.add_argument("recipe", nargs="?", type=Path, default=SAMPLE / "galaxy.toml")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    recipe = read_recipe(arguments.recipe)
    runs = [one_run(arguments.folder, recipe) for _ in range(arguments.runs)]
    _, _, maps, n_bands = runs[0]
    print(
        f"{n_bands} bands to maps of {maps.shape[1]} x {maps.shape[0]} pixels, s (median of "
        f"{arguments.runs} runs;"
    )
    print("the first run of a process, which also imports, apart)")
    print(f"{'step':10} {'first':>8} {'then':>8} {'new grid':>9}")
    steps = list(dict.fromkeys(step for run in runs for step in (*run[0], *run[1])))
    later = runs[1:] or runs
    rows = [
        (
            step,
            runs[0][0][step],
            median(run[0][step] for run in later),
            median(run[1][step] for run in later),
        )
        for step in steps
    ]
    rows.append(("all", *(sum(row[i] for row in rows) for i in (1, 2, 3))))
    for name, *seconds in rows:
        print(f"{name:10} {seconds[0]:8.2f} {seconds[1]:8.2f} {seconds[2]:9.2f}")


if __name__ == "__main__":
    main()
