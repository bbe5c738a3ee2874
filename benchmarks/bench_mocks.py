"""Mock galaxies a second on one core, and how the time grows with the pixels.

    python benchmarks/bench_mocks.py [--number 40]

Time is that of the process, so that other work on the machine counts little; every size makes the
same galaxies, each seen so that it fills its image. One warm-up loads the tables and compiles the
march. Goals: 5 galaxies a second at 128 x 128 in ugriz, and a time that grows no faster than the
pixels.
"""

import argparse
import os
import time

import numpy as np

from napari_galaxy_maps.bands.registry import MODEL_BANDS
from napari_galaxy_maps.mocks.mock import make_mock
from napari_galaxy_maps.mocks.view import View


def seconds(view: View, seeds: range) -> np.ndarray:
    """Time of the process for each seed."""
    times = []
    for seed in seeds:
        start = time.process_time()
        make_mock(seed, view)
        times.append(time.process_time() - start)
    return np.array(times)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--number", type=int, default=40)
    number = parser.parse_args().number
    os.sched_setaffinity(
        0, {min(os.sched_getaffinity(0))}
    )  # one core, whatever the libraries would like
    make_mock(0)
    before = None
    for size, count in (
        (64, number),
        (128, number),
        (256, max(number // 3, 6)),
        (512, max(number // 8, 5)),
    ):
        times = seconds(View(size=size), range(count))
        same = seconds(View(size=size), range(5)).mean()
        line = (
            f"{size:4} x {size:<4} ugriz  {times.mean() * 1e3:7.1f} ms a galaxy, "
            f"{1 / times.mean():5.1f} a second"
        )
        if before is not None:
            line += (
                f"; {same / before:.2f} times that of a quarter of the pixels (the same 5 galaxies)"
            )
        print(line, flush=True)
        before = same
    times = seconds(View(size=128, bands=MODEL_BANDS, pixel_arcsec=2.0), range(max(number // 2, 5)))
    print(
        f" 128 x 128  26 bands {times.mean() * 1e3:6.1f} ms a galaxy, {1 / times.mean():5.1f} a "
        "second"
    )


if __name__ == "__main__":
    main()
