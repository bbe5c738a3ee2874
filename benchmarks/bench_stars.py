"""How well stars are masked on real images: made-up stars put into the SDSS group and NGC 309, and
DECam's saturated star.

python benchmarks/bench_stars.py ../shared/data [--seeds 6] [--stars 60] [--contrast 0.1] [--mask]

The stars are those of made_up_stars.py. An eighth lies on the galaxy, on its arms too, and one
beside its nucleus; the table also lists H II regions and the nucleus, some with a parallax that is
none. A star counts as seen in a band where its peak is 5 times the scatter of peaks fitted to
places without a star, in or off the galaxy.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import QTable, vstack
from made_up_stars import GAIA_COLUMNS, GAIA_ERROR, made_up_stars, put_in, scenes

from napari_galaxy_maps.constants import FWHM_PER_SIGMA
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.data.star_settings import StarSettings
from napari_galaxy_maps.fits_io.band_images import read_band_image
from napari_galaxy_maps.fits_io.image_files import find_images, settle
from napari_galaxy_maps.prepare.grid.pixel_positions import to_pixels
from napari_galaxy_maps.prepare.sky import subtract_sky
from napari_galaxy_maps.prepare.stars.catalogue import read_catalogue
from napari_galaxy_maps.prepare.stars.star_fit import Expected, fit_star
from napari_galaxy_maps.prepare.stars.star_light import light_planes
from napari_galaxy_maps.prepare.stars.star_list import star_mask
from napari_galaxy_maps.prepare.stars.star_search import fit_stars
from napari_galaxy_maps.progress import run_to_end

BINS = ((10, 13), (13, 15), (15, 17), (17, 18), (18, 19), (19, 20))


def ready(images, ellipse):
    """Images with the sky off."""
    return {name: subtract_sky(image, Recipe().sky, ellipse) for name, image in images.items()}


def no_stars(rng, image, ellipse, n):
    """Catalogue entries that are the nucleus (twice: with and without a parallax) and knots of the
    disc, a few with one.
    """
    from scipy.ndimage import gaussian_filter, maximum_filter

    data = np.nan_to_num(image.data)
    smooth = gaussian_filter(data, 1.0) - gaussian_filter(data, 5.0)
    radius = ellipse.radius(image.wcs, image.shape)
    peaks = (smooth == maximum_filter(smooth, 7)) & (radius > 0.12) & (radius < 1)
    rows, columns = np.nonzero(peaks)
    best = np.argsort(-smooth[rows, columns])[:n]
    sky = image.wcs.pixel_to_world(columns[best], rows[best]).icrs
    ra, dec = np.append(sky.ra.deg, [ellipse.ra] * 2), np.append(sky.dec.deg, [ellipse.dec] * 2)
    n = ra.size
    magnitude = np.append(rng.uniform(17.5, 20, n - 2), [15.0, 15.0])
    error = np.interp(magnitude, *np.array(GAIA_ERROR).T) * 2
    parallax = rng.normal(0, error)
    parallax[[0, 1, 2, -1]] = error[[0, 1, 2, -1]] * rng.uniform(4, 9, 4)
    pm = rng.normal(0, error, (2, n))
    return QTable(
        {
            "source_id": np.arange(9001, 9001 + n),
            "ra": ra,
            "dec": dec,
            "ref_epoch": np.full(n, 2016.0),
            "parallax": parallax,
            "parallax_error": error,
            "pmra": pm[0],
            "pmdec": pm[1],
            "pmra_error": error,
            "pmdec_error": error,
            "phot_g_mean_mag": magnitude,
        }
    )


def peak_scatter(rng, image, ellipse):
    """Scatter of peaks fitted where no star is, off the galaxy and in it."""
    width = float(np.hypot(image.fwhm, 0.68 * image.pixel_arcsec)) / image.pixel_arcsec
    radius = ellipse.radius(image.wcs, image.shape)
    result = []
    for where in (radius > 1.2, (radius < 1) & (radius > 0.1)):
        places = np.argwhere(where & np.isfinite(image.data))
        peaks = []
        for row, column in places[rng.choice(len(places), min(300, len(places)), replace=False)]:
            fit = fit_star(
                image.data, Expected(column, row, width), 1e-9, seen=np.inf, curved=result != []
            )
            if fit is not None:
                peaks.append(fit.amplitude)
        peaks = np.array(peaks)
        result.append(1.4826 * np.median(np.abs(peaks - np.median(peaks))))
    return result, width


def one_scene(folder, name, images, ellipse, seed, n, settings, tally):
    """Put stars in, mask them, count."""
    rng = np.random.default_rng(seed)
    widest = max(images.values(), key=lambda image: image.band.survey == "2MASS" or image.data.size)
    stars = made_up_stars(rng, widest, ellipse, n)
    first = next(iter(images.values()))
    others = no_stars(rng, images.get("SDSS_g", images.get("2MASS_J", first)), ellipse, 15)
    table = vstack([stars[GAIA_COLUMNS], others])
    path = Path(tally["tmp"]) / "stars.ecsv"
    table.write(path, overwrite=True)
    full, lights = {}, {}
    for band, image in images.items():
        full[band], lights[band] = put_in(folder, image, stars)
    begin = time.perf_counter()
    found = run_to_end(
        fit_stars(full, read_catalogue(path), ellipse, settings),
        tally["callback"] if seed == tally["first"] else None,
    )
    tally["seconds"].append(time.perf_counter() - begin)
    by_id = {star.id: star for star in found}
    tally["false"].append(
        (
            sum(int(s.id) > 9000 for s in found),
            sum(int(s.id) > 9000 and s.enabled for s in found),
            sum(int(s.id) > 9000 and bool(s.flag) for s in found),
        )
    )
    tally["listed"].append(
        np.mean([str(i) in by_id for i in stars["source_id"][stars["phot_g_mean_mag"] < 19]])
    )
    for band, image in full.items():
        begin = time.perf_counter()
        mask = star_mask(found, image)
        tally["mask"].append(time.perf_counter() - begin)
        (off, on), width = peak_scatter(rng, images[band], ellipse)
        radius = ellipse.radius(image.wcs, image.shape)
        ny, nx = image.shape
        px, py = to_pixels(image.wcs, image.shape, np.array([ellipse.ra]), np.array([ellipse.dec]))
        tally["nucleus"].append(bool(mask[round(py[0]), round(px[0])]))
        inside = (radius < 1) & np.isfinite(images[band].data)
        light = images[band].data
        tally["cost"][name, band].append(
            (float(light[inside & mask].sum() / light[inside].sum()), float(mask[inside].mean()))
        )
        usual = star_mask([s for s in found if int(s.id) <= 9000 and s.magnitude > 15], image)
        tally["usual"][name, band].append(
            (
                float(light[inside & usual].sum() / light[inside].sum()),
                sum(
                    s.enabled
                    and s.magnitude > 15
                    and s.radii[band] > 0
                    and int(s.id) <= 9000
                    and bool(ellipse_holds(ellipse, s))
                    for s in found
                ),
            )
        )
        tally["added"][name, band].append(
            light_added(light, lights[band], inside & ~mask, subtracted_light(found, image))
        )
        false = star_mask([s for s in found if int(s.id) > 9000], image)
        tally["false_cost"][name, band].append(
            float(light[inside & false].sum() / light[inside].sum())
        )
        for row, here in zip(stars, lights[band], strict=True):
            if here is None or here[1].sum() <= 0:
                continue
            box, own, x, y = here
            if not (0 <= x < nx - 1 and 0 <= y < ny - 1) or not np.isfinite(
                image.data[round(y), round(x)]
            ):
                continue
            gauss = np.exp(
                -0.5
                * ((np.mgrid[box][1] - x) ** 2 + (np.mgrid[box][0] - y) ** 2)
                / (width / FWHM_PER_SIGMA) ** 2
            )
            peak = float((own * gauss).sum() / (gauss**2).sum())
            on_galaxy = bool(radius[round(y), round(x)] < 1)
            if peak < 5 * (on if on_galaxy else off):
                continue
            valid = np.isfinite(image.data[box])
            g = float(row["phot_g_mean_mag"])
            star = by_id.get(str(row["source_id"]))
            rest = own if star is None else own - subtracted_light([star], image)[box]
            left = abs(float(rest[valid & ~mask[box]].sum() / own[valid].sum()))
            tally["left"][name, band].append(
                (g, left, on_galaxy, star is not None, "" if star is None else star.flag)
            )


def subtracted_light(stars, image):
    """What is subtracted of stars in an image."""
    band = image.band.name
    lights = [s.lights[band] for s in stars if s.enabled and band in s.lights]
    planes = light_planes(lights, image)
    return np.zeros(image.shape) if planes is None else planes.light


def light_added(light, stars, where, subtracted):
    """Stars' light that is left over the galaxy's, on some pixels."""
    added = np.zeros(light.shape) - subtracted
    for here in stars:
        if here is not None:
            added[here[0]] += here[1]
    return float(added[where].sum() / light[where].sum())


def ellipse_holds(ellipse, star):
    """Whether a star lies in the ellipse."""
    from napari_galaxy_maps.prepare.stars.star_bands import beyond

    return beyond(ellipse, np.array([star.ra]), np.array([star.dec]))[0] == 0


def report(tally):
    """Print the tables."""
    print("\nMasked so that < 1 % of their light is left, of those seen (number), by G:")
    print(
        f"{'':24s}{'band':10s}"
        + "".join(f"{a}-{b}".rjust(12) for a, b in BINS)
        + "  G<19: off galaxy   on galaxy  all but the nucleus  median left"
    )
    for (name, band), rows in tally["left"].items():
        g, left, on, _, flag = (np.array(column) for column in zip(*rows, strict=True))
        free = np.array(["nucleus" not in words for words in flag])
        cells = [share(left[(g >= a) & (g < b)]) for a, b in BINS]
        bright = g < 19
        cells += [share(left[bright & ~on]), share(left[bright & on]), share(left[bright & free])]
        print(
            f"{name:24s}{band:10s}"
            + "".join(c.rjust(13) for c in cells)
            + f"   {np.median(left[bright]):.2%}"
        )
    print(f"\nNucleus masked in {sum(tally['nucleus'])} of {len(tally['nucleus'])} images.")
    print(
        "Galaxy light (area) under all circles; light under those of stars of G > 15 (their "
        "number in the ellipse); under what is no star; what stars add to the light that is left "
        "(its scatter), dex:"
    )
    for (name, band), rows in tally["cost"].items():
        light, area = np.mean(rows, axis=0)
        print(
            f"{name:24s}{band:10s}{light:8.1%} "
            f"({area:.1%}){np.mean(tally['usual'][name, band], axis=0)[0]:9.1%} "
            f"({np.mean(tally['usual'][name, band], axis=0)[1]:.1f})"
            f"{np.mean(tally['false_cost'][name, band]):9.2%}"
            f"{np.mean(dex := np.log10(1 + np.array(tally['added'][name, band]))):9.4f} "
            f"({np.std(dex):.4f})"
        )
    listed, masked, flagged = np.sum(tally["false"], axis=0)
    print(
        f"Entries that are no stars: {listed} came through the table's test, {flagged} of them "
        f"flagged, {masked} mask."
    )
    print(f"Stars of G < 19 told as the Milky Way's and seen: {np.mean(tally['listed']):.1%}.")
    print(
        f"Fits: {np.median(tally['seconds']):.1f} s a scene; a mask: "
        f"{1e3 * np.median(tally['mask']):.0f} ms."
    )


def share(left):
    return f"{np.mean(left < 0.01):.1%} ({left.size})" if left.size else "-"


def decam(folder, settings):
    """DECam's six cutouts, each filled by one saturated star: what the fit says of it."""
    print("\nDECam cutouts with one saturated G = 10.5 star:")
    for path in sorted((folder / "stars" / "decam_testcase6").glob("*ooi*")):
        (found,) = find_images([path])
        # The night's seeing, which the header tells in pixels.
        seeing = found.header["FWHM"] * found.pixel_arcsec
        image = read_band_image(settle(found, unit="MJy/sr", psf=seeing))
        weight = fits.getdata(str(path).replace("ooi", "oow"), 1)
        bad = weight <= 0
        chunk = next(
            c
            for c in sorted((folder / "stars" / "decam_testcase6").glob("chunk*"))
            if np.isfinite(
                to_pixels(
                    image.wcs, image.shape, (t := read_catalogue(c))["ra"].value, t["dec"].value
                )[0][t["magnitude"] < 11]
            ).any()
        )
        for label, masked in (
            ("as read", image),
            ("without bad pixels", image.evolve(data=np.where(bad, np.nan, image.data))),
        ):
            stars = run_to_end(
                fit_stars({image.band.name: masked}, read_catalogue(chunk), None, settings)
            )
            bright = [s for s in stars if s.magnitude < 11.5]
            verdicts = (
                "; ".join(
                    f"G = {s.magnitude:.1f}, {s.radii[image.band.name]:.0f} arcsec: "
                    f"{s.flag or 'NOT FLAGGED'}"
                    for s in bright
                )
                or "NO STAR"
            )
            print(f"  {path.name[:26]} {label}: {verdicts}")


def main():
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--first", type=int, default=100)
    parser.add_argument("--stars", type=int, default=60)
    parser.add_argument("--contrast", type=float, default=StarSettings().contrast)
    parser.add_argument("--mask", action="store_true", help="mask all, subtract none")
    parser.add_argument("--missed", action="store_true", help="list the stars that were missed")
    arguments = parser.parse_args()
    import tempfile

    settings = StarSettings(contrast=arguments.contrast, subtract=not arguments.mask)
    with tempfile.TemporaryDirectory() as tmp:
        tally = {
            "left": defaultdict(list),
            "nucleus": [],
            "cost": defaultdict(list),
            "false_cost": defaultdict(list),
            "usual": defaultdict(list),
            "added": defaultdict(list),
            "false": [],
            "listed": [],
            "seconds": [],
            "mask": [],
            "tmp": tmp,
            "first": arguments.first,
            "callback": lambda p: print(" ", p.detail) if p.result is not None else None,
        }
        for name, galaxy, ellipse in scenes(arguments.folder):
            images = ready(galaxy.images, ellipse)
            for seed in range(arguments.first, arguments.first + arguments.seeds):
                one_scene(
                    arguments.folder, name, images, ellipse, seed, arguments.stars, settings, tally
                )
    report(tally)
    if arguments.missed:
        for key, rows in tally["left"].items():
            for g, left, on, there, flag in rows:
                if g < 19 and left >= 0.01:
                    print(
                        f"  missed {key} G = {g:.1f} left {left:.1%} {'on' if on else 'off'} "
                        f"galaxy {'' if there else 'NOT LISTED'} {flag}"
                    )
    decam(arguments.folder, settings)


if __name__ == "__main__":
    main()
