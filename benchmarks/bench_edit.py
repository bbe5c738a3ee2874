"""One star's circle edited, all bands: the time until cube and maps are new, beside the program's
own full run.

    python benchmarks/bench_edit.py [--size 1024] [--pixel 6] [--edits 12] [--subtracted]

Fourteen made-up bands with 40 stars masked; circles of 10 arcsec are moved, added, resized and
deleted one after another. Prints the ratio of the medians, the time of each part, and how far the
edited maps are from those of a full run.
"""

import argparse
import time
from dataclasses import replace

import numpy as np
from astropy.wcs import WCS

from napari_galaxy_maps.bands.registry import BANDS, INPUT_BANDS
from napari_galaxy_maps.data.galaxy import BandImage, Ellipse, Galaxy
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.pipeline import PredictionMemory, predict_steps
from napari_galaxy_maps.prepare.masks.mask_set import Masks
from napari_galaxy_maps.prepare.stars.star_light import StarLight
from napari_galaxy_maps.prepare.stars.star_list import Star
from napari_galaxy_maps.prepare.stars.star_wings import StarPsf
from napari_galaxy_maps.progress import run_to_end

PIXEL = [
    1.5,
    1.5,
    0.45,
    0.45,
    0.45,
    0.45,
    0.45,
    1.0,
    1.0,
    1.0,
    1.375,
    1.375,
    1.375,
    1.375,
]  # arcsec, FUV ... WISE 4
SUBTRACTED = False
NAMES = [name for name in INPUT_BANDS if not name.startswith("Spitzer")]
BRIGHT = [
    0.02,
    0.03,
    0.1,
    0.4,
    0.8,
    1.1,
    1.3,
    2.0,
    2.4,
    2.0,
    1.0,
    0.6,
    0.9,
    1.4,
]  # MJy/sr, a spiral's colours


def tan_wcs(size: int, pixel: float) -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [24.17, 15.78]
    wcs.wcs.crpix = [(size + 1) / 2, (size + 1) / 2]
    wcs.wcs.cdelt = [-pixel / 3600, pixel / 3600]
    wcs.wcs.set()
    return wcs


def made_up_galaxy(size: int, rng: np.random.Generator) -> Galaxy:
    images = {}
    for name, pixel, bright in zip(NAMES, PIXEL, BRIGHT, strict=True):
        pixel = max(pixel, 480 / size)
        y, x = (np.mgrid[:size, :size] - (size - 1) / 2) * pixel
        data = bright * (3 * np.exp(-np.hypot(x, y / 0.6) / 60) + rng.normal(0, 0.01, (size, size)))
        images[name] = BandImage(
            data.astype("f4"), BANDS[name], tan_wcs(size, pixel), fwhm=BANDS[name].fwhm
        )
    return Galaxy("made up", images, 24.17, 15.78, 20.0, Ellipse(24.17, 15.78, 190, 114, 90))


def star(k: int, dx: float, dy: float, radius: float) -> Star:
    ra, dec = 24.17 + dx / 3600, 15.78 + dy / 3600
    lights = {}
    if SUBTRACTED:
        lights = {
            name: StarLight(
                ra, dec, 1.0, 1.0, 0.01, 30.0, 15.0, radius, StarPsf(BANDS[name].fwhm, 2.5)
            )
            for name in NAMES
        }
    return Star(str(k), ra, dec, 15.0, "hand", dict.fromkeys(NAMES, radius), lights=lights)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--pixel", type=float, default=6.0, help="of the grid, arcsec")
    parser.add_argument("--edits", type=int, default=12)
    parser.add_argument("--subtracted", action="store_true", help="stars are subtracted, too")
    arguments = parser.parse_args()
    SUBTRACTED = arguments.subtracted
    rng = np.random.default_rng(1)
    galaxy = made_up_galaxy(arguments.size, rng)
    recipe = Recipe.from_tree(
        {"psf": {"target": 18.0}, "grid": {"pixel": arguments.pixel}, "reddening": {"ebv": 0.05}}
    )
    stars = [star(k, *rng.uniform(-150, 150, 2), rng.uniform(4, 20)) for k in range(40)]
    run_to_end(
        predict_steps(galaxy, recipe, PredictionMemory(), Masks(tuple(stars)))
    )  # compiles, loads
    memory = PredictionMemory()
    run_to_end(predict_steps(galaxy, recipe, memory, Masks(tuple(stars))))
    full, edit, off = [], [], {"cube": 0.0}
    for k in range(arguments.edits):
        which = int(rng.integers(len(stars)))
        if k % 4 == 0:
            stars[which] = star(which, *rng.uniform(-100, 100, 2), 10.0)
        elif k % 4 == 1:
            stars.append(star(100 + k, *rng.uniform(-100, 100, 2), 10.0))
        elif k % 4 == 2:
            stars[which] = replace(stars[which], radii=dict.fromkeys(NAMES, 10.0))
        else:
            del stars[which]
        masks = Masks(tuple(stars))
        start = time.perf_counter()
        maps = run_to_end(predict_steps(galaxy, recipe, memory, masks))
        edit.append(time.perf_counter() - start)
        fresh_memory = PredictionMemory()
        start = time.perf_counter()
        fresh = run_to_end(predict_steps(galaxy, recipe, fresh_memory, masks))
        full.append(time.perf_counter() - start)
        for band, ours, theirs in zip(
            memory.cube.bands, memory.cube.data, fresh_memory.cube.data, strict=True
        ):
            assert (np.isnan(ours) == np.isnan(theirs)).all(), band
            off["cube"] = max(
                off["cube"], float(np.nanmax(np.abs(ours - theirs)) / np.nanmax(theirs))
            )
        for name, plane in fresh.values.items():
            gap = np.nanmax(np.abs(maps.values[name] - plane)) / np.nanmax(np.abs(plane))
            off[name] = max(off.get(name, 0.0), float(gap))
        assert (maps.flags == fresh.flags).all()
    ratios = np.array(edit) / np.array(full)
    side = maps.shape[0]
    print(f"14 bands of {arguments.size}^2 to {side}^2 pixels, {arguments.edits} edits (n), seed 1")
    print(
        f"full run {np.median(full):.2f} s, edit {np.median(edit):.3f} s, edit / full: median "
        f"1/{1 / np.median(ratios):.0f}, worst 1/{1 / ratios.max():.0f}"
    )
    print(
        "largest difference to a full run, of the map's peak: "
        + ", ".join(f"{k} {v:.1e}" for k, v in off.items())
    )
