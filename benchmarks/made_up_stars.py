"""Stars of the Milky Way that are made up and put into real images, for the benchmarks of stars and
of filled masks.

They have the colours of black bodies on a main sequence, the motions of the Milky Way's disc and
halo, Gaia's errors, and the measured PSFs of the folder of real data (Moffat profiles for WISE).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from napari_galaxy_maps.constants import SR_PER_ARCSEC2
from napari_galaxy_maps.data.galaxy import Ellipse
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.fits_io.psf_files import read_stamp
from napari_galaxy_maps.prepare.grid.pixel_positions import to_pixels
from napari_galaxy_maps.prepare.stars.star_bands import image_epoch, planck_ratio

JY_ARCSEC2 = SR_PER_ARCSEC2 * 1e6  # Jy in one arcsec2 of 1 MJy/sr
SATURATED = {"SDSS": 14.0}  # brighter ones are cut off at this star's peak
PSFS = {
    "SDSS_g": "sdss_g", "SDSS_r": "sdss_r", "SDSS_i": "sdss_i",
    "2MASS_J": "2mass_j", "2MASS_H": "2mass_h", "2MASS_Ks": "2mass_k",
}  # fmt: skip
HOT = (
    (3200, 11.5),
    (3500, 9.8),
    (4000, 7.9),
    (4500, 6.8),
    (5000, 6.0),
    (5500, 5.1),
    (6000, 4.4),
    (6500, 3.6),
)
GAIA_ERROR = ((10, 0.02), (13, 0.02), (15, 0.03), (17, 0.07), (18, 0.12), (19, 0.22), (20, 0.5))
"""Parallax error (mas) of Gaia DR3 against G (Lindegren+ 2021); that of the proper motion is 1.03
times it a year.
"""


GAIA_COLUMNS = (
    "source_id", "ra", "dec", "ref_epoch", "parallax", "parallax_error", "pmra", "pmdec",
    "pmra_error", "pmdec_error", "phot_g_mean_mag",
)  # fmt: skip
"""What a catalogue tells of a star."""


def scenes(folder):
    """Name, galaxy as read, its ellipse."""
    bands = {f"reprojected_sdss_{x}.fits.bz2": f"SDSS_{x}" for x in "ri"}
    told = {"bands": bands, "units": {"SDSS": "nanomaggy/pix"}}
    group = read_galaxy([folder / "galaxies" / "ngc6976_group"], Recipe.from_tree({"input": told}))
    image = group.images["SDSS_i"]
    # NGC 6978, the elongated one in the middle; its nucleus is the peak of the i image there
    box = (slice(170, 210), slice(260, 310))
    row, column = np.unravel_index(np.nanargmax(image.data[box]), image.data[box].shape)
    sky = image.wcs.pixel_to_world(column + box[1].start, row + box[0].start).icrs
    yield "NGC 6978 (SDSS)", group, Ellipse(sky.ra.deg, sky.dec.deg, 70, 32, 126)
    ngc309 = read_galaxy([folder / "galaxies" / "ngc309"], Recipe())
    ellipse = Ellipse(14.177752, -9.913864, 85, 76, 0)
    yield "NGC 309 (2MASS, WISE)", ngc309, ellipse


def psf_of(folder, image, pedestal=True):
    """Surface brightness of a star of 1 Jy (MJy/sr) against radius, as a function of offsets in
    arcsec, and how far it reaches.

    The measured PSFs end on a constant level, a rest of sky: a few per cent of a star's light over
    their whole area. Without `pedestal` it is taken off.
    """
    name = image.band.name
    if name not in PSFS:
        beta = 3.0
        alpha = image.fwhm / (2 * np.sqrt(2 ** (1 / beta) - 1))
        norm = (beta - 1) / (np.pi * alpha**2) / JY_ARCSEC2
        reach = 8.0 * image.fwhm
        return (lambda u, v: norm * (1 + (u**2 + v**2) / alpha**2) ** -beta), reach
    stamp = read_stamp(folder / "psf" / f"psf_emp_{PSFS[name]}.fits.gz")
    half = stamp.data.shape[0] // 2
    radius = np.hypot(*np.mgrid[-half : half + 1, -half : half + 1])
    level = 0.0 if pedestal else np.median(stamp.data[(radius > 0.9 * half) & (radius <= half)])
    data = np.where(radius <= half, (stamp.data - level).clip(min=0), 0.0)
    data /= data.sum() * stamp.pixel_arcsec**2 * JY_ARCSEC2
    from scipy.ndimage import map_coordinates

    def light(u, v, pixel=stamp.pixel_arcsec):
        return map_coordinates(data, [v / pixel + half, u / pixel + half], order=1)

    return light, half * stamp.pixel_arcsec


def made_up_stars(rng, image, ellipse, n, magnitudes=(10, 20), on_disc=1 / 8, beside=1):
    """A table of true stars: magnitude, temperature, motion and place at 2016.0.

    The share `on_disc` of them lies in the ellipse, `beside` of them 5 to 12 arcsec from its
    centre, the others anywhere on the image.
    """
    magnitude = np.sort(rng.uniform(*magnitudes, n))
    kelvin = rng.uniform(3200, 6500, n)
    absolute = np.interp(kelvin, *np.array(HOT).T)
    parsec = (10 ** ((magnitude - absolute + 5) / 5)).clip(20, 15000)
    speed = rng.normal(0, 1, (2, n)) * np.where(parsec < 1500, 45, 120)
    motion = speed / (4.74 * parsec) * 1e3  # mas/yr
    ny, nx = image.shape
    x, y = rng.uniform(8, nx - 9, n), rng.uniform(8, ny - 9, n)
    sky = image.wcs.pixel_to_world(x, y).icrs
    ra, dec = sky.ra.deg.copy(), sky.dec.deg.copy()
    order = rng.permutation(n)
    m = int(n * on_disc + 1e-9)
    radius, angle = np.sqrt(rng.uniform(0.01, 1, m)), rng.uniform(0, 2 * np.pi, m)
    ra[order[:m]], dec[order[:m]] = on_ellipse(ellipse, radius, angle)
    distance, angle = rng.uniform(5, 12, beside), rng.uniform(0, 2 * np.pi, beside)
    near = order[m : m + beside]
    ra[near], dec[near] = on_ellipse(replace(ellipse, a=1.0, b=1.0), distance, angle)
    error = np.interp(magnitude, *np.array(GAIA_ERROR).T)
    return QTable({
        "source_id": np.arange(1, n + 1), "ra": ra, "dec": dec, "ref_epoch": np.full(n, 2016.0),
        "parallax": rng.normal(1e3 / parsec, error), "parallax_error": error,
        "pmra": rng.normal(motion[0], 1.03 * error), "pmdec": rng.normal(motion[1], 1.03 * error),
        "pmra_error": 1.03 * error, "pmdec_error": 1.03 * error, "phot_g_mean_mag": magnitude,
        "kelvin": kelvin, "true_pmra": motion[0], "true_pmdec": motion[1],
    })  # fmt: skip


def on_ellipse(ellipse, radius, angle):
    """ICRS of places in an ellipse by radius (1 on it) and angle."""
    major, minor = ellipse.a * radius * np.cos(angle), ellipse.b * radius * np.sin(angle)
    sin, cos = np.sin(np.radians(ellipse.pa)), np.cos(np.radians(ellipse.pa))
    east, north = major * sin + minor * cos, major * cos - minor * sin
    sky = SkyCoord(ellipse.ra, ellipse.dec, unit="deg").spherical_offsets_by(
        east * u.arcsec, north * u.arcsec
    )
    return sky.ra.deg, sky.dec.deg


def put_in(folder, image, stars, pedestal=True):
    """The image with the stars, and each star's own light (its box and its pixels)."""
    light, reach = psf_of(folder, image, pedestal)
    years = image_epoch(image) - 2016.0
    dec = stars["dec"] + stars["true_pmdec"] * years / 3.6e6
    ra = stars["ra"] + stars["true_pmra"] * years / 3.6e6 / np.cos(np.radians(dec))
    x, y = to_pixels(image.wcs, image.shape, ra, dec, margin=10)
    pixel = image.pixel_arcsec
    jy = 3296 * 10 ** (-0.4 * stars["phot_g_mean_mag"])
    jy = jy * np.array([planck_ratio(image.band.pivot, 0.62, t) for t in stars["kelvin"]])
    faintest_cut = SATURATED.get(image.band.survey)
    data, boxes = np.array(image.data, float), []
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    for px, py, flux in zip(x, y, jy, strict=True):
        if not np.isfinite(px):
            boxes.append(None)
            continue
        y0, y1 = (int(np.clip(py + s * reach / pixel, 0, image.shape[0] - 1)) for s in (-1, 1))
        x0, x1 = (int(np.clip(px + s * reach / pixel, 0, image.shape[1] - 1)) for s in (-1, 1))
        box = (slice(y0, y1 + 1), slice(x0, x1 + 1))
        own = flux * light((columns[box] - px) * pixel, (rows[box] - py) * pixel)
        if faintest_cut is not None:
            own = np.minimum(
                own, 3296 * 10 ** (-0.4 * faintest_cut) * light(np.zeros(1), np.zeros(1))[0]
            )
        data[box] += own
        boxes.append((box, own, px, py))
    return image.evolve(data=data.astype(np.float32)), boxes
