"""Pixels per second of dust-forest, beside three plain scikit-learn forests and one with three
outputs, in one run.

    python benchmarks/bench_forest.py [--pixels 1000000] [--device cpu] [--trees 100]

The plain forests have 100 trees each, are fitted to 714 made-up galaxies, and predict three values;
ours gives seven with their uncertainties, from raw surface brightness with gaps. Two ratios are
printed: of its trees alone, three values by as many trees, and of the whole model. The best of
three runs counts.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import numpy as np
from astropy.wcs import WCS

from napari_galaxy_maps.data.cube import BandCube
from napari_galaxy_maps.models.dust_forest.packed_forest import from_sklearn
from napari_galaxy_maps.models.registry import load_model


def best(work: Callable[[], object], runs: int = 3) -> float:
    """Seconds of the fastest of some runs."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def made_up_cube(model, n: int) -> BandCube:
    """Pixels drawn from the colours that the model knows, a tenth of them missing in each band."""
    rng = np.random.default_rng(0)
    colours = model.colours
    log = colours.mean + rng.standard_normal((n, colours.loadings.shape[1])) @ colours.loadings.T
    bands, normal = model.columns.bands, model.columns.normal
    flux = np.ones((n, len(bands)))
    flux[:, model.columns.others] = 10**log
    flux *= 10 ** rng.normal(-0.5, 0.4, (n, 1))
    error = 0.05 * flux
    flux += error * rng.standard_normal(flux.shape)
    gaps = rng.random(flux.shape) < 0.1
    gaps[:, normal] = False
    flux[gaps] = np.nan
    shape = (len(bands), n // 1000, 1000)
    nothing = np.zeros(shape[1:], np.int16)
    return BandCube(
        flux.T.reshape(shape).astype("f4"),
        error.T.reshape(shape).astype("f4"),
        bands,
        WCS(naxis=2),
        12.0,
        4.0,
        None,
        nothing.astype(bool),
        nothing,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pixels", type=int, default=1_000_000)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    from sklearn.ensemble import RandomForestRegressor

    rng = np.random.default_rng(0)
    n = options.pixels // 1000 * 1000
    x = rng.normal(size=(714, 14)).astype("f4")
    y = np.column_stack([x[:, k] + x[:, 3] * x[:, 5] for k in range(3)])
    pixels = rng.normal(size=(n, 14)).astype("f4")
    plain = {"min_samples_leaf": 2, "n_jobs": -1, "random_state": 0, "n_estimators": options.trees}
    three = [RandomForestRegressor(**plain).fit(x, y[:, k]) for k in range(3)]
    one = RandomForestRegressor(**plain).fit(x, y)
    packed = from_sklearn(one.estimators_, np.eye(3))
    difference = np.abs(
        packed.predict(pixels[:10_000], options.device) - one.predict(pixels[:10_000])
    ).max()
    model = load_model("dust-forest")
    cube = made_up_cube(model, n)
    model.predict(made_up_cube(model, 1000), options.device)  # compiled, or loaded from the cache
    seconds = {
        "three scikit-learn forests": best(lambda: [f.predict(pixels) for f in three]),
        "one with three outputs": best(lambda: one.predict(pixels)),
        "the same trees, packed": best(lambda: packed.predict(pixels, options.device)),
        "dust-forest, whole": best(lambda: model.predict(cube, options.device)),
    }
    print(
        f"{n:,} pixels, {os.cpu_count()} cores, device {options.device}; packed trees differ by "
        f"{difference:.1e}"
    )
    reference = seconds["three scikit-learn forests"]
    for name, value in seconds.items():
        print(
            f"{name:28s} {value:7.2f} s {n / value:12,.0f} pixels/s {reference / value:6.2f} x "
            "three forests"
        )
    trees = sum(
        len(m.complete.trees.size) + len(m.complete.spread.forest.size) for m in model.members
    )
    print(
        f"dust-forest: {len(model.members)} members, {trees} trees, 7 values with uncertainties, "
        "gaps filled"
    )


if __name__ == "__main__":
    main()
