"""Truth maps fitted to mock galaxies beside the mocks' own truth: bias, scatter and calibration of
every property.

python benchmarks/bench_truth.py [--seeds N] [--size PIXELS] [--models N]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.fits_io.map_files import read_maps
from napari_galaxy_maps.fits_io.recipe_files import read_recipe
from napari_galaxy_maps.measure.compare.comparison import compare, pixels_of
from napari_galaxy_maps.mocks.writing import mock_steps, view_for
from napari_galaxy_maps.pipeline import truth_maps_steps
from napari_galaxy_maps.progress import run_to_end
from napari_galaxy_maps.sed.truth import ORDER

KINDS = ("spiral", "barred", "flocculent", "lenticular", "ring", "irregular")


def main() -> None:
    """Make the mocks, fit them and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=6, help="galaxies")
    parser.add_argument("--size", type=int, default=192, help="pixels of 2 arcsec along each side")
    parser.add_argument("--models", type=int, default=50_000, help="model spectra")
    options = parser.parse_args()
    compared, n_pixels, seconds = [], 0, 0.0
    for seed in range(1, options.seeds + 1):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            kind = KINDS[(seed - 1) % len(KINDS)]
            run_to_end(mock_steps(seed, view_for("all", options.size), folder, kind))
            # The mocks' masses are Chabrier's.
            recipe = read_recipe(folder / "recipe.toml").with_values(
                ["sed.imf=chabrier", f"sed.n_models={options.models}"]
            )
            galaxy = read_galaxy(
                sorted(p for p in folder.glob("*.fits") if p.name != "truth.fits"), recipe
            )
            start = time.perf_counter()
            fitted = run_to_end(truth_maps_steps(galaxy, recipe))
            seconds += time.perf_counter() - start
            maps = fitted.truth.maps
            good = np.isfinite(maps.values["T_DUST"])
            n_pixels += int(good.sum())
            compared.append(compare(maps, read_maps(folder / "truth.fits")))
            print(
                f"{kind} {seed}: {good.sum()} pixels, median reduced chi2 "
                f"{np.nanmedian(fitted.truth.chi2):.2f}"
            )
    print(f"\n{n_pixels} pixels, {seconds:.0f} s with preparation and library\n")
    print(
        "| property | pixels | bias | scatter | median error | inside 1 sigma "
        "|\n|---|---|---|---|---|---|"
    )
    for name in ORDER:
        pixels = pixels_of(compared, name)
        residual = np.asarray(pixels.residual, float)
        low, middle, high = np.percentile(residual, [16, 50, 84])
        inside = np.mean(np.abs(residual) < pixels.sigma)
        print(
            f"| {name} | {residual.size} | {middle:+.3f} | {(high - low) / 2:.3f} | "
            f"{np.median(pixels.sigma):.3f} | {inside:.0%} |"
        )


if __name__ == "__main__":
    main()
