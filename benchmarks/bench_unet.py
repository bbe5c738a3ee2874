"""Pixels per second of stellar-unet beside PICASSO's network, tile by tile and in training, and the
memory of a large image.

    python benchmarks/bench_unet.py [--size 1024] [--large 8192] [--device cpu]

PICASSO's network has 64 to 1024 channels (31 million parameters as built here; published: 28.9) and
is given the same images through the same tiles, as ours is: arrays in, maps out, with everything
that is done to both (channels, flags, uncertainties). Weights do not matter for time. The best of
some runs counts. `--large N` predicts an image of N x N pixels in a process of its own and reports
by how much its memory grew beyond what the input takes; maps go to temporary files.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from astropy.wcs import WCS

from napari_galaxy_maps.data.cube import BandCube
from napari_galaxy_maps.models.registry import load_model
from napari_galaxy_maps.models.stellar_unet.inputs import N_CHANNELS, UGRIZ
from napari_galaxy_maps.progress import run_to_end


def best(work: Callable[[], object], runs: int) -> float:
    """Seconds of the fastest of some runs."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def made_up_cube(size: int) -> BandCube:
    """An exponential disc with noise in five bands."""
    rng = np.random.default_rng(0)
    data = np.empty((5, size, size), np.float32)
    sigma = np.empty_like(data)
    x = (np.arange(size, dtype=np.float32) - size / 2) / (size / 8)
    for k, level in enumerate((0.5, 2.0, 4.0, 5.5, 6.5)):
        for row in range(size):  # by row, so that making the input takes no memory of its own
            sigma[k, row] = 0.02
            data[k, row] = level * np.exp(-np.hypot(x, x[row])) + 0.02 * rng.standard_normal(
                size, np.float32
            )
    nowhere = np.zeros((size, size), bool)
    return BandCube(
        data, sigma, UGRIZ, WCS(naxis=2), 1.3, 0.4, 100.0, nowhere, nowhere.astype(np.int16)
    )


def picasso_like(model):
    """The model with PICASSO's network in its place."""
    import torch

    from napari_galaxy_maps.models.stellar_unet.network import PICASSO_WIDTHS, UNet
    from napari_galaxy_maps.models.stellar_unet.output_head import Head

    network = UNet(
        N_CHANNELS, Head().outputs, PICASSO_WIDTHS, normalised=False, pyramid=False
    ).eval()
    return replace(
        model,
        network=network.to(memory_format=torch.channels_last),
        domain=None,  # it is in features of our network
        settings={**model.settings, "pyramid": False, "head": "gaussian"},
    )


def large(size: int) -> None:
    """Predict a large image and print how the memory grew, in GB."""
    model = load_model("stellar-unet")
    run_to_end(model.predict_steps(made_up_cube(64), "cpu"))
    cube = made_up_cube(size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    run_to_end(model.predict_steps(cube, "cpu"))
    seconds = time.perf_counter() - start
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20
    print(
        f"{size} x {size}: {seconds:.0f} s, {size**2 / seconds:,.0f} pixels/s, {grown:.2f} GiB "
        "beyond the input at most (the pages of temporary files that the system keeps in memory "
        "included)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--large", type=int, default=0)
    options = parser.parse_args()
    if options.large:
        large(options.large)
        return
    model = load_model("stellar-unet")
    other = picasso_like(model)
    cube = made_up_cube(options.size)
    for m in (model, other):
        run_to_end(m.predict_steps(made_up_cube(64), options.device))
    seconds = {
        "stellar-unet": best(
            lambda: run_to_end(model.predict_steps(cube, options.device)), options.runs
        ),
        "PICASSO": best(lambda: run_to_end(other.predict_steps(cube, options.device)), 1),
    }
    for name, value in seconds.items():
        print(
            f"{name:20} {value:7.2f} s for {options.size}^2 pixels, "
            f"{options.size**2 / value:10,.0f} pixels/s"
        )
    print(f"ratio {seconds['PICASSO'] / seconds['stellar-unet']:.1f}")
    subprocess.run([sys.executable, __file__, "--large", "4096"], check=True)


if __name__ == "__main__":
    main()
