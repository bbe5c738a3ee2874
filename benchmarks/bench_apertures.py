"""One hundred elliptical apertures on ten maps of 1024 x 1024, beside photutils one by one, and one
of them dragged.

    python benchmarks/bench_apertures.py [--side 1024] [--apertures 100] [--two-parts]

Ours gives sums, weighted means, their errors, medians and percentiles; photutils' ApertureStats and
aperture_photometry are asked for the sum, its error and the median only. Semi-axes are drawn up to
the size named in the row.
"""

from __future__ import annotations

import argparse
import time
import warnings

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from photutils.aperture import ApertureStats, SkyEllipticalAperture

from napari_galaxy_maps.data.galaxy import Ellipse
from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.data.properties import PROPERTIES
from napari_galaxy_maps.measure.apertures.aperture import Aperture
from napari_galaxy_maps.measure.apertures.photometry import measure_apertures
from napari_galaxy_maps.measure.apertures.planes import planes_of

PIXEL = 2.0  # arcsec


def made_up_maps(side: int, two_parts: bool = False) -> PropertyMaps:
    """Ten maps of a disc with noise and a few blank pixels."""
    rng = np.random.default_rng(0)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [150, 2]
    wcs.wcs.crpix, wcs.wcs.cdelt = [(side + 1) / 2] * 2, [-PIXEL / 3600, PIXEL / 3600]
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    blank = rng.random((side, side)) < 0.01
    values, errors = {}, {}
    for name in list(PROPERTIES)[:10]:
        low, high = PROPERTIES[name].limits
        plane = high - (high - low) * np.hypot(x, y) / side + rng.normal(0, 0.05, x.shape)
        plane[blank] = np.nan
        values[name] = plane.astype("f4")
        errors[name] = np.full(x.shape, 0.1, "f4")
    return PropertyMaps(
        values, errors, wcs, np.zeros(x.shape, np.int16), {"distance_mpc": 20.0}, correlation=10.0,
        galaxy_errors={name: error / 2 for name, error in errors.items()} if two_parts else {},
    )  # fmt: skip


def draw(n: int, largest: float, side: int) -> list[Aperture]:
    """Ellipses with semi-major axes up to `largest` pixels."""
    rng = np.random.default_rng(1)
    reach = side * PIXEL / 3600 / 3
    found = []
    for i in range(n):
        a = PIXEL * largest * (1 if i == 0 else rng.uniform(0.1, 1))
        ra, dec = 150 + rng.uniform(-reach, reach), 2 + rng.uniform(-reach, reach)
        found.append(
            Aperture(Ellipse(ra, dec, a, a * rng.uniform(0.3, 1), rng.uniform(0, 180)), str(i))
        )
    return found


def by_photutils(maps: PropertyMaps, apertures: list[Aperture]) -> dict[tuple[str, str], float]:
    """The sum over pixels of every map that adds up in every aperture, photutils one by one."""
    found = {}
    for name, plane in maps.values.items():
        prop = PROPERTIES[name]
        blank = ~np.isfinite(plane)
        linear = (
            np.where(blank, 0, 10.0 ** plane.astype(float))
            if prop.additive
            else np.nan_to_num(plane)
        )
        error = maps.errors[name] * np.log(10) * linear
        for aperture in apertures:
            shape = aperture.shape
            ellipse = SkyEllipticalAperture(
                SkyCoord(shape.ra, shape.dec, unit="deg"),
                shape.a * u.arcsec,
                shape.b * u.arcsec,
                theta=shape.pa * u.deg,
            )
            stats = ApertureStats(linear, ellipse.to_pixel(maps.wcs), error=error, mask=blank)
            found[aperture.name, name] = float(stats.sum)
            _ = stats.sum_err, stats.median
    return {key: value for key, value in found.items() if PROPERTIES[key[1]].additive}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--apertures", type=int, default=100)
    parser.add_argument("--skip-reference", action="store_true", help="leave photutils out")
    parser.add_argument("--two-parts", action="store_true", help="errors have a shared part")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    maps = made_up_maps(options.side, options.two_parts)
    measure_apertures(
        planes_of(maps), draw(1, 5, options.side)
    )  # compiled, or loaded from the cache
    print(
        f"{options.apertures} ellipses on {len(maps.values)} maps of {options.side} x "
        f"{options.side}; milliseconds"
    )
    print(
        "semi-axis  maps to planes  first, all of them  again  one dragged (median)  photutils  "
        "ratio  difference"
    )
    for largest in (20, 60, 150):
        apertures = draw(options.apertures, largest, options.side)
        start = time.perf_counter()
        planes = planes_of(maps)
        laid = time.perf_counter()
        table = measure_apertures(planes, apertures)
        first = time.perf_counter()
        measure_apertures(planes, apertures)
        again = time.perf_counter()
        drags = []
        for i in range(15):
            shape = apertures[0].shape  # the largest
            moved = [
                Aperture(Ellipse(shape.ra + 1e-4 * (i + 1), shape.dec, shape.a, shape.b, shape.pa)),
                *apertures[1:],
            ]
            before = time.perf_counter()
            measure_apertures(planes, moved)
            drags.append(time.perf_counter() - before)
        row = [laid - start, first - laid, again - first, float(np.median(drags))]
        text = (
            f"up to {largest:3d}  {1e3 * row[0]:14.0f}  {1e3 * row[1]:18.0f}  "
            f"{1e3 * row[2]:5.0f}  {1e3 * row[3]:20.1f}"
        )
        if not options.skip_reference:
            before = time.perf_counter()
            reference = by_photutils(maps, apertures)
            seconds = time.perf_counter() - before
            kpc2 = table["area"].value / table["n_pixels"] * (20e3 * np.pi / 180 / 3600) ** 2
            sums = dict(
                zip(zip(table["name"], table["map"], strict=True), table["sum"] / kpc2, strict=True)
            )
            worst = max(abs(sums[key] / value - 1) for key, value in reference.items())
            text += f"  {1e3 * seconds:9.0f}  {seconds / row[1]:5.1f}  {worst:.1e}"
        print(text)


if __name__ == "__main__":
    main()
