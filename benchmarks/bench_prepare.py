"""PSF matching and resampling of many bands beside the plain astropy and reproject path, in the
same run on the same arrays.

    python benchmarks/bench_prepare.py --reference PATH/plain_pipeline.py [--size 1024]

The reference script makes the images (40 stars masked, 1 % dead pixels) and does the plain work.
Both grids of 8 arcmin, 80^2 at 6 arcsec and 480^2 at 1 arcsec, without and with rotation. Compared
is where the reference is above 5 sigma and its kernel lies wholly on the image: beyond an image's
border the reference takes zeros for measurements, which this program does not. Holes are filled as
far as the reference fills them; the program's own default leaves blank what less than half of the
kernel knows.
"""

import argparse
import importlib.util
import resource
import time
import warnings
from pathlib import Path

import numpy as np

from napari_galaxy_maps.bands.registry import BANDS, INPUT_BANDS
from napari_galaxy_maps.data.galaxy import BandImage, Ellipse
from napari_galaxy_maps.prepare.grid.common_grid import Grid, cutout, resample
from napari_galaxy_maps.prepare.grid.resampling import pixel_map
from napari_galaxy_maps.prepare.psf.convolution import match_psf

NAMES = [name for name in INPUT_BANDS if not name.startswith("Spitzer")]
CENTRE = (24.17, 15.78)
NOISE = 0.01


def ours(bands: list, grid: Grid, fwhm: float, errors: bool) -> np.ndarray:
    """Surface brightness of every band at the common PSF on the grid, by the program's own
    functions.
    """
    ellipse = Ellipse(*CENTRE, 100, 100)
    reach = grid.shape[0] * grid.pixel_arcsec / 2 * 1.42 + 3 * fwhm
    planes, maps = [], {}
    for name, (data, wcs, own) in zip(NAMES, bands, strict=False):
        error = np.full(data.shape, NOISE, "f4") if errors else None
        image = cutout(
            BandImage(data.astype("f4"), BANDS[name], wcs, uncertainty=error, fwhm=own),
            ellipse,
            reach,
        )
        # Holes are filled as far as the reference fills them.
        matched = match_psf(
            image, fwhm, min_weight=1e-5, largest_arcsec=min(fwhm / 6, grid.pixel_arcsec)
        )
        key = (matched.wcs.to_header_string(), matched.shape)
        if key not in maps:
            maps[key] = pixel_map(matched.wcs, grid.wcs, grid.shape)
        planes.append(resample(matched, grid, maps[key]).data)
    return np.stack(planes)


def inside(bands: list, grid: Grid, fwhm: float) -> np.ndarray:
    """Grid pixels whose kernel lies wholly on every image: more than two FWHM from every border."""
    from napari_galaxy_maps.prepare.grid.resampling import positions

    ok = np.ones(grid.shape, bool)
    for data, wcs, _ in bands:
        x, y = positions(wcs, grid.wcs, grid.shape)
        margin = 2 * fwhm / (wcs.proj_plane_pixel_scales()[0].to_value("arcsec"))
        ok &= (
            (x > margin)
            & (y > margin)
            & (x < data.shape[1] - margin)
            & (y < data.shape[0] - margin)
        )
    return ok


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--reference", type=Path, default=Path("../shared/reference/plain_pipeline.py")
    )
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=3, help="of this program; the median counts")
    arguments = parser.parse_args()
    if not arguments.reference.exists():
        print(
            f"left out: {arguments.reference} is not here; give the reference script with "
            "--reference"
        )
        raise SystemExit(0)
    spec = importlib.util.spec_from_file_location("plain", arguments.reference)
    plain = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plain)
    bands = plain.made_up_bands(arguments.size, 14)
    print(
        f"14 bands of {arguments.size}^2, PSF to 18 arcsec, seed 0; agreement where above 5 sigma"
    )
    for side, pixel in ((80, 6.0), (480, 1.0)):
        for rotation in (0.0, 30.0):
            wcs = plain.tan_wcs(side, pixel, rotation=rotation)
            grid = Grid(CENTRE, (side, side), pixel, wcs)
            times = {}
            for errors in (False, True):
                ours(bands, grid, 18.0, errors)  # compiles, fills caches
                spent = []
                for _ in range(arguments.runs):
                    start = time.perf_counter()
                    result = ours(bands, grid, 18.0, errors)
                    spent.append(time.perf_counter() - start)
                times[errors] = float(np.median(spent))
            start = time.perf_counter()
            reference = plain.match_and_resample(bands, wcs, (side, side), 18.0)
            slow = time.perf_counter() - start
            good = inside(bands, grid, 18.0) & np.isfinite(result) & np.isfinite(reference)
            rms = np.array(
                [np.std((reference - result)[k][good[k]]) for k in range(len(bands))]
            ).max()
            # 5 sigma of a pixel at the common PSF; the noise there is far below that of the images
            bright = good & (reference > 5 * NOISE * 0.2)
            off = np.abs(result / reference - 1)[bright]
            total = abs(result[bright].sum() / reference[bright].sum() - 1)
            print(
                f"{side:4d}^2 turned {rotation:2.0f}: plain {slow:5.1f} s, ours "
                f"{times[False]:.2f} s = {slow / times[False]:4.1f} x, with errors "
                f"{times[True]:.2f} s = {slow / times[True]:4.1f} x; largest difference "
                f"{off.max():.2%}, in the sum {total:.4%} (n = {bright.sum()}, rms {rms:.1e})"
            )
    print(
        f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB (the "
        "reference's included)"
    )
