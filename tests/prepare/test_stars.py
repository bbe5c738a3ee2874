"""Stars: fits recover what was put in, circles cover the light they should, odd ones are flagged,
the nucleus stays free.
"""

import importlib.util
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS, Sip

from napari_galaxy_maps.bands.registry import get_band
from napari_galaxy_maps.data.galaxy import BandImage, Ellipse
from napari_galaxy_maps.data.star_settings import StarSettings
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.band_images import read_band_image
from napari_galaxy_maps.fits_io.ds9_regions import Circle, Polygon, read_regions, write_regions
from napari_galaxy_maps.fits_io.image_files import find_images, settle
from napari_galaxy_maps.prepare.stars.catalogue import read_catalogue
from napari_galaxy_maps.prepare.stars.star_bands import (
    image_epoch,
    like_points,
    make_field,
    planck_ratio,
)
from napari_galaxy_maps.prepare.stars.star_fit import Expected, Fit, fit_star, is_saturated
from napari_galaxy_maps.prepare.stars.star_list import Star, from_circles, star_mask, to_circles
from napari_galaxy_maps.prepare.stars.star_search import band_order, find_stars, fit_stars
from napari_galaxy_maps.prepare.stars.star_wings import moffat_wings, stacked_psf
from napari_galaxy_maps.progress import run_to_end
from tests.conftest import tan_wcs

SHAPE = (240, 260)
BANDS = ("SDSS_g", "SDSS_i", "2MASS_J")
NOISE = 0.01


def gaussian(shape, x, y, fwhm, peak):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return peak * np.exp(-4 * np.log(2) * ((columns - x) ** 2 + (rows - y) ** 2) / fwhm**2)


def moffat(shape, x, y, fwhm, peak, beta=3.0):
    alpha = fwhm / (2 * np.sqrt(2 ** (1 / beta) - 1))
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return peak * (1 + ((columns - x) ** 2 + (rows - y) ** 2) / alpha**2) ** -beta


def band_image(data, band="SDSS_i", wcs=None, pixel=1.0, fwhm=3.0, **header):
    wcs = tan_wcs(data.shape, pixel) if wcs is None else wcs
    cards = fits.Header()
    cards.update({"DATE-OBS": "2016-01-01", **header})
    return BandImage(np.asarray(data, "f4"), get_band(band), wcs, fwhm=fwhm, header=cards)


class Sky:
    """A field of made-up stars around a galaxy in three bands, and its catalogue."""

    def __init__(self, tmp_path, n=24, seed=3):
        rng = np.random.default_rng(seed)
        self.tmp_path, self.rng = tmp_path, rng
        self.wcs = tan_wcs(SHAPE, 1.0, rotation=20)
        self.magnitude = np.sort(rng.uniform(12.5, 17, n))
        # a grid with jitter: what one star leaves is not another's
        cells = rng.permutation(
            [(i, j) for i in range(6) for j in range(6) if not (2 <= i <= 3 and 2 <= j <= 3)]
        )[:n]
        self.x, self.y = (cells * 38 + 25 + rng.uniform(-4, 4, (n, 2))).T
        sky = self.wcs.pixel_to_world(self.x, self.y)
        self.rows = {
            "source_id": np.arange(n), "ra": sky.ra.deg, "dec": sky.dec.deg,
            "ref_epoch": np.full(n, 2016.0),
            "parallax": np.full(n, 5.0), "parallax_error": np.full(n, 0.1), "pmra": np.zeros(n),
            "pmra_error": np.full(n, 0.1),
            "pmdec": np.zeros(n), "pmdec_error": np.full(n, 0.1), "phot_g_mean_mag": self.magnitude,
        }  # fmt: skip
        self.ellipse = Ellipse(150.0, 2.0, 40, 30, 0)
        radius = self.ellipse.radius(self.wcs, SHAPE)
        self.light, self.data = {}, {}
        for band in BANDS:
            jy = (
                3296
                * 10 ** (-0.4 * self.magnitude)
                * planck_ratio(get_band(band).pivot, 0.62, 5000)
            )
            peaks = jy / (1.3 * 2 * np.pi * (3 / 2.3548) ** 2 * 2.3504e-5)
            self.light[band] = [
                moffat(SHAPE, x, y, 3.0, peak)
                for x, y, peak in zip(self.x, self.y, peaks, strict=True)
            ]
            disc = 3 * np.exp(-2.5 * radius) + moffat(SHAPE, *self.pixel(150.0, 2.0), 4.0, 5.0)
            self.data[band] = disc + np.sum(self.light[band], axis=0) + rng.normal(0, NOISE, SHAPE)

    def pixel(self, ra, dec):
        return tuple(float(v) for v in self.wcs.world_to_pixel(SkyCoord(ra, dec, unit="deg")))

    def add(self, ra, dec, **values):
        row = {"source_id": 1000 + len(self.rows["ra"]), "ra": ra, "dec": dec, "ref_epoch": 2016.0,
               "parallax": 5.0, "parallax_error": 0.1,
               "pmra": 0.0, "pmra_error": 0.1, "pmdec": 0.0, "pmdec_error": 0.1,
               "phot_g_mean_mag": 16.0, **values}  # fmt: skip
        self.rows = {name: np.append(column, row[name]) for name, column in self.rows.items()}
        return str(row["source_id"])

    def images(self):
        return {band: band_image(data, band, self.wcs) for band, data in self.data.items()}

    def catalogue(self, without=()):
        path = self.tmp_path / "stars.ecsv"
        Table({name: column for name, column in self.rows.items() if name not in without}).write(
            path, overwrite=True
        )
        return read_catalogue(path)

    def stars(self, **settings):
        return run_to_end(
            fit_stars(self.images(), self.catalogue(), self.ellipse, StarSettings(**settings))
        )


@pytest.fixture
def field(tmp_path):
    """A sky of stars of known places and fluxes about a galaxy."""
    return Sky(tmp_path)


@pytest.fixture
def few(tmp_path):
    """A sky of eight stars, for what concerns one more of them: a third of the time."""
    return Sky(tmp_path, n=8)


# One star


@pytest.mark.parametrize("curved", [False, True])
@pytest.mark.parametrize("fwhm", [1.6, 3.0, 9.0])
def test_a_fit_recovers_the_star_it_was_given(fwhm, curved):
    rows, columns = np.mgrid[:80, :80]
    data = gaussian((80, 80), 40.3, 38.8, fwhm, 10.0) + 2 + 0.01 * columns - 0.02 * rows
    if curved:
        data += 0.001 * (columns - 40) ** 2
    fit = fit_star(data, Expected(40.0, 39.0, fwhm * 1.2, 8.0), 0.01, curved=curved)
    assert fit.seen and not fit.saturated
    assert (fit.x, fit.y) == pytest.approx((40.3, 38.8), abs=0.05)
    assert (fit.fwhm, fit.amplitude) == (pytest.approx(fwhm, rel=0.05), pytest.approx(10, rel=0.05))


def test_the_error_of_the_amplitude_is_that_of_the_noise():
    rng = np.random.default_rng(1)
    amplitudes, errors = [], []
    for _ in range(60):
        fit = fit_star(rng.normal(0, 1.0, (40, 40)), Expected(20, 20, 3.0), 1.0, seen=np.inf)
        amplitudes.append(fit.amplitude)
        errors.append(fit.error)
    assert np.std(amplitudes) == pytest.approx(np.median(errors), rel=0.25)


def test_a_star_that_is_not_there_is_not_seen_and_one_by_a_neighbour_is_not_pulled_to_it():
    rng = np.random.default_rng(2)
    data = rng.normal(0, 1.0, (60, 60))
    assert not fit_star(data, Expected(30, 30, 3.0, 50.0), 1.0).seen
    data += gaussian(data.shape, 30, 30, 3.0, 50.0) + gaussian(data.shape, 36, 30, 3.0, 60.0)
    fit = fit_star(data, Expected(30, 30, 3.0, 50.0, position_error=0.9, width_error=0.15), 1.0)
    assert np.hypot(fit.x - 30, fit.y - 30) < 0.6 and 0.7 < fit.fwhm / 3 < 1.5


def test_the_tie_to_the_band_before_holds_a_faint_star_and_lets_a_bright_one_go():
    rng = np.random.default_rng(5)
    widths = {}
    for peak in (6.0, 2000.0):
        data = rng.normal(0, 1.0, (60, 60)) + gaussian((60, 60), 30, 30, 5.0, peak)
        widths[peak] = fit_star(data, Expected(30, 30, 3.0, peak, 1.0, 0.15), 1.0).fwhm
    assert abs(widths[2000.0] - 5) < abs(widths[6.0] - 5) and widths[2000.0] > 4


def test_flat_and_blank_tops_are_saturated_and_sharp_ones_are_not():
    star = gaussian((60, 60), 30, 30, 4.0, 1e4)
    assert not is_saturated(star, 30, 30, 4.0, 1.0)
    assert is_saturated(star.clip(max=1500), 30, 30, 4.0, 1.0)
    assert is_saturated(np.where(star > 3000, np.nan, star), 30, 30, 4.0, 1.0)
    assert not is_saturated(star.clip(max=1500), 30, 30, 4.0, 1.0, magnitude=19)
    assert not is_saturated(np.random.default_rng(1).normal(0, 1, (60, 60)), 30, 30, 4.0, 1.0)


@pytest.mark.parametrize("beta", [2.1, 3.0])
def test_wings_hold_the_light_that_a_moffat_profile_has(beta):
    wings = moffat_wings(2.0, beta)
    alpha = 1 / np.sqrt(2 ** (1 / beta) - 1)
    total = 1 - (1 + (80 / alpha) ** 2) ** (1 - beta)  # it ends at 40 FWHM
    expected = alpha * np.sqrt((0.01 * total + (1 - total)) ** (1 / (1 - beta)) - 1)
    assert wings.encircling(0.01) == pytest.approx(expected, rel=0.02)
    assert wings.reaching(1e-3) == pytest.approx(alpha * np.sqrt(1e-3 ** (-1 / beta) - 1), rel=0.02)


def test_wings_are_measured_on_the_images_own_stars():
    rng = np.random.default_rng(4)
    data, fits_ = rng.normal(0, 1.0, (500, 500)), []
    for x, y in ((100, 100), (250, 100), (400, 100), (100, 250), (250, 250), (400, 250)):
        data += moffat(data.shape, x, y, 4.0, 2e4, 3.0)
        fits_.append(fit_star(data, Expected(x, y, 4.0, width_error=0.5), 1.0))
    fwhm = float(np.median([f.fwhm for f in fits_]))
    psf, number = stacked_psf(data, fits_, 1.0, fwhm, 40.0, 1.0)
    assert number == len(fits_)
    wings = psf.wings
    assert wings.encircling(0.01) == pytest.approx(moffat_wings(4.0, 3.0).encircling(0.01), rel=0.2)


# The mask


def brute_force(stars, image):
    """Every pixel against every star, by astropy's angles."""
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    sky = image.wcs.pixel_to_world(columns, rows).icrs
    mask = np.zeros(image.shape, bool)
    for star in stars:
        inside = (
            sky.separation(SkyCoord(star.ra, star.dec, unit="deg")).arcsec
            <= star.radii[image.band.name]
        )
        if star.spared:
            inside &= sky.separation(SkyCoord(*star.spared[:2], unit="deg")).arcsec > star.spared[2]
        mask |= inside
    return mask


def frames():
    yield "turned", tan_wcs(SHAPE, 1.3, rotation=37)
    skewed = tan_wcs(SHAPE, 1.0, dec=70)
    skewed.wcs.cdelt = [-1 / 3600, 1.7 / 3600]
    yield "oblong pixels", skewed
    sip = tan_wcs(SHAPE, 1.0, rotation=10)
    sip.wcs.ctype = ["RA---TAN-SIP", "DEC--TAN-SIP"]
    a, b = np.zeros((3, 3)), np.zeros((3, 3))
    a[2, 0], b[0, 2] = 4e-5, -2e-5
    sip.sip = Sip(a, b, None, None, sip.wcs.crpix)
    yield "SIP", sip
    galactic = WCS(naxis=2)
    galactic.wcs.ctype, galactic.wcs.crval = ["GLON-TAN", "GLAT-TAN"], [236.0, 41.0]
    galactic.wcs.crpix, galactic.wcs.cdelt = [130, 120], [-1 / 3600, 1 / 3600]
    yield "Galactic", galactic


@pytest.mark.parametrize("wcs", [pytest.param(wcs, id=name) for name, wcs in frames()])
def test_masks_are_what_a_search_of_every_pixel_gives(wcs):
    rng = np.random.default_rng(6)
    image = band_image(np.zeros(SHAPE), wcs=wcs)
    sky = wcs.pixel_to_world(rng.uniform(-15, 275, 40), rng.uniform(-15, 255, 40)).icrs
    stars = [
        Star(str(i), p.ra.deg, p.dec.deg, 15.0, "gaia", {"SDSS_i": 2 + i / 2})
        for i, p in enumerate(sky)
    ]
    middle = wcs.pixel_to_world(130, 120).icrs
    spared = (middle.ra.deg, middle.dec.deg, 4.0)
    stars.append(
        Star(
            "near",
            middle.ra.deg,
            middle.dec.deg + 5 / 3600,
            15.0,
            "gaia",
            {"SDSS_i": 12.0},
            spared=spared,
        )
    )
    ours, theirs = star_mask(stars, image), brute_force(stars, image)
    assert theirs.any() and (ours != theirs).sum() <= 0.002 * theirs.sum()


def test_only_enabled_stars_mask_and_only_in_their_bands():
    image = band_image(np.zeros(SHAPE))
    star = Star("a", 150.0, 2.0, 15.0, "hand", {"SDSS_i": 5.0, "SDSS_g": 0.0})
    assert star_mask([star], image).sum() == pytest.approx(np.pi * 25, rel=0.1)
    assert not star_mask(
        [Star("a", 150.0, 2.0, 15.0, "hand", {"SDSS_i": 5.0}, enabled=False)], image
    ).any()
    assert not star_mask([star], band_image(np.zeros(SHAPE), "SDSS_g")).any()
    assert not star_mask([star], band_image(np.zeros(SHAPE), "SDSS_r")).any()
    assert not star_mask([], image).any()


# All stars in all bands


def test_bands_are_fitted_from_i_outwards():
    images = {
        name: band_image(np.zeros((9, 9)), name)
        for name in ("WISE_3.4", "SDSS_u", "SDSS_i", "2MASS_J", "SDSS_g")
    }
    assert band_order(images) == [
        ("SDSS_i", None), ("2MASS_J", "SDSS_i"), ("WISE_3.4", "2MASS_J"), ("SDSS_g", "SDSS_i"),
        ("SDSS_u", "SDSS_g"),
    ]  # fmt: skip
    del images["SDSS_i"]
    assert band_order(images)[0] == ("SDSS_g", None)


@pytest.mark.slow
def test_less_than_a_hundredth_of_the_stars_light_is_left(field):
    images, stars = field.images(), field.stars(subtract=False)
    assert len(stars) == len(field.x) and all(star.enabled for star in stars)
    for band, image in images.items():
        free = ~star_mask(stars, image)
        left = np.array([light[free].sum() / light.sum() for light in field.light[band]])
        assert (left < 0.01).mean() >= 0.95
        # no larger than the wings ask for that are assumed where no star stands alone
        assert np.median([star.radii[band] for star in stars[12:]]) < moffat_wings(
            3.2, 2.1
        ).encircling(0.005)


@pytest.mark.slow
def test_signs_of_life_come_after_every_band(few):
    signs = []
    run_to_end(fit_stars(few.images(), few.catalogue(), few.ellipse, StarSettings()), signs.append)
    finished = [sign for sign in signs if sign.result is not None]
    assert [sign.result.band.name for sign in finished] == ["SDSS_i", "2MASS_J", "SDSS_g"]
    assert (
        finished[-1].done == finished[-1].total == 3 and "8 of 8 stars seen" in finished[0].detail
    )


@pytest.mark.slow
def test_entries_that_are_no_star_of_the_milky_way_get_no_circle(few):
    x, y = 130.0, 140.0
    for band in BANDS:
        few.data[band] += gaussian(SHAPE, x, y, 3.0, 5.0)
    knot = few.wcs.pixel_to_world(x, y)
    name = few.add(knot.ra.deg, knot.dec.deg, parallax=0.1)
    assert name not in {star.id for star in few.stars()}


@pytest.mark.slow
def test_the_nucleus_is_never_masked_even_with_a_parallax(few):
    on = few.add(150.0, 2.0 + 1 / 3600, parallax=0.6)
    beside = few.add(150.0, 2.0 + 7 / 3600, phot_g_mean_mag=14.0)
    bx, by = few.pixel(150.0, 2.0 + 7 / 3600)
    for band in BANDS:
        few.data[band] += moffat(SHAPE, bx, by, 3.0, 40.0)
    stars = {star.id: star for star in few.stars()}
    assert stars[on].flag.startswith("over the nucleus") and not stars[on].enabled
    assert stars[beside].enabled and "which stays free" in stars[beside].flag
    x, y = (round(v) for v in few.pixel(150.0, 2.0))
    for image in few.images().values():
        mask = star_mask(list(stars.values()), image)
        assert not mask[y, x] and mask[round(by), round(bx)]


@pytest.mark.slow
def test_a_knot_with_a_chance_parallax_is_flagged_and_does_not_mask(few):
    x, y = 140.0, 128.0
    for band in BANDS:
        few.data[band] += gaussian(SHAPE, x, y, 7.0, 8.0)
    knot = few.wcs.pixel_to_world(x, y)
    name = few.add(knot.ra.deg, knot.dec.deg, parallax=0.5)
    (star,) = [star for star in few.stars() if star.id == name]
    assert "H II region" in star.flag and not star.enabled


@pytest.mark.slow
def test_saturated_and_runaway_fits_are_flagged(field):
    wide = field.wcs.pixel_to_world(40.0, 225.0)
    for band in BANDS:
        field.data[band] = field.data[band].clip(max=0.2 * field.light[band][0].max())
        field.data[band] += gaussian(SHAPE, 40, 225, 14.0, 10.0)
    name = field.add(wide.ra.deg, wide.dec.deg)
    stars = {star.id: star for star in field.stars()}
    assert "saturated" in stars["0"].flag and stars["0"].enabled
    assert "ran away in" in stars[name].flag and "PSFs wide" in stars[name].flag
    assert all("saturated" not in stars[str(i)].flag for i in range(12, 24))


@pytest.mark.slow
def test_a_star_that_moved_since_the_images_were_taken_is_masked_where_it_was(field):
    field.rows["pmra"][0], field.rows["pmdec"][0] = 400.0, -300.0  # 10 arcsec in 20 years
    images = {
        band: image.evolve(header=fits.Header({"DATE-OBS": "1996-01-01"}))
        for band, image in field.images().items()
    }
    assert image_epoch(images["SDSS_i"]) == pytest.approx(1996, abs=0.01)
    there = SkyCoord(field.rows["ra"][0], field.rows["dec"][0], unit="deg")
    field.rows["ra"][0] += 8 / 3600 / np.cos(np.radians(2))
    field.rows["dec"][0] -= 6 / 3600
    (star,) = [
        s
        for s in run_to_end(fit_stars(images, field.catalogue(), field.ellipse, StarSettings()))
        if s.id == "0"
    ]
    assert SkyCoord(star.ra, star.dec, unit="deg").separation(there).arcsec < 0.1
    assert "moved" not in star.flag
    settings = StarSettings(epoch=2016.0)
    stars = run_to_end(fit_stars(images, field.catalogue(), field.ellipse, settings))
    assert "0" not in {star.id for star in stars}, "it is not there in the wrong year"


def test_a_star_gets_no_circle_where_it_is_not_seen(few):
    few.data["2MASS_J"] -= few.light["2MASS_J"][-1]
    (star,) = [star for star in few.stars() if star.id == "7"]
    assert star.radii["2MASS_J"] == 0 and star.radii["SDSS_i"] > 0


@pytest.mark.slow
def test_dust_behind_a_star_is_not_taken_for_the_star_in_the_far_infrared(few):
    images = few.images()
    rng = np.random.default_rng(8)
    data = rng.normal(0, 0.1, SHAPE) + np.sum(
        [gaussian(SHAPE, x, y, 18.0, 5.0) for x, y in zip(few.x, few.y, strict=True)], axis=0
    )
    images["SPIRE_250"] = band_image(data, "SPIRE_250", few.wcs, fwhm=18.0)
    stars = run_to_end(fit_stars(images, few.catalogue(), few.ellipse, StarSettings()))
    assert len(stars) == 8 and not any(star.radii["SPIRE_250"] for star in stars)


@pytest.mark.slow
def test_without_parallaxes_all_are_flagged_and_those_on_the_galaxy_do_not_mask(few):
    x, y = 140.0, 128.0
    for band in BANDS:
        few.data[band] += moffat(SHAPE, x, y, 3.0, 20.0)
    knot = few.wcs.pixel_to_world(x, y)
    name = few.add(knot.ra.deg, knot.dec.deg)
    catalogue = few.catalogue(without=("parallax", "parallax_error", "pmra", "pmra_error"))
    stars = run_to_end(fit_stars(few.images(), catalogue, few.ellipse, StarSettings()))
    assert len(stars) == 9 and all("no parallaxes" in star.flag for star in stars)
    assert [star.id for star in stars if not star.enabled] == [name]


def test_a_catalogue_of_another_place_or_frame_is_refused_in_one_sentence(field):
    field.rows["ra"] = field.rows["ra"] + 90
    with pytest.raises(
        InputError,
        match=r"none of its 24 stars lies on the images \(the nearest is 90 degrees off\)",
    ):
        field.stars()
    field.rows["ra"] = field.rows["ra"] - 90
    galactic = SkyCoord(field.rows["ra"], field.rows["dec"], unit="deg").galactic
    field.rows["ra"], field.rows["dec"] = galactic.l.deg, galactic.b.deg
    with pytest.raises(
        InputError, match="as Galactic longitude and latitude they would; name the columns l and b"
    ):
        field.stars()
    with pytest.raises(InputError, match="no image"):
        run_to_end(fit_stars({}, field.catalogue(), None, StarSettings()))


def test_blank_and_masked_images_do_no_harm(few):
    images = few.images()
    images["SDSS_g"] = images["SDSS_g"].evolve(data=np.full(SHAPE, np.nan, "f4"))
    images["2MASS_J"] = images["2MASS_J"].evolve(mask=np.ones(SHAPE, bool))
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        stars = run_to_end(fit_stars(images, few.catalogue(), few.ellipse, StarSettings()))
    assert len(stars) == 8 and not any(
        star.radii["SDSS_g"] or star.radii["2MASS_J"] for star in stars
    )


@pytest.mark.slow
def test_stars_are_found_without_a_catalogue(field):
    x, y = 140.0, 128.0
    for band in BANDS:
        field.data[band] += moffat(SHAPE, x, y, 3.0, 20.0)  # a compact knot of the disc
        field.data[band] += gaussian(SHAPE, 225, 40, 12.0, 5.0)  # a galaxy in the background
    stars = find_stars(field.images(), field.ellipse, StarSettings())
    assert all(
        star.origin == "daofind" and "found without a catalogue" in star.flag for star in stars
    )
    place = np.array([field.pixel(star.ra, star.dec) for star in stars])
    nearest = [
        np.hypot(*(place - (x0, y0)).T).min() for x0, y0 in zip(field.x, field.y, strict=True)
    ]
    assert (np.array(nearest) < 1).mean() > 0.9
    assert np.hypot(*(place - (225, 40)).T).min() > 3
    inside = np.array([np.hypot(*(p - (x, y))) < 2 for p in place])
    assert inside.any() and not any(
        star.enabled for star, i in zip(stars, inside, strict=True) if i
    )
    assert find_stars({"SDSS_i": band_image(np.zeros(SHAPE))}, None, StarSettings()) == []


@pytest.mark.parametrize(
    ("widths", "peak", "kept"),
    [
        ((1.0, 1.0, 1.1), 20.0, True),
        ((1.0, 2.0, 2.0), 20.0, False),  # a knot: sharp where it was found alone
        ((1.0, 2.0, 2.0), 5.0, True),  # too faint there for a width
        ((2.0, 1.0, 1.0), 20.0, False),
        ((1.0, 1.0, 2.0), 20.0, True),  # one band may be blended
        ((1.0, None, None), 20.0, True),
    ],
)
def test_what_is_proposed_is_a_point_in_most_of_the_bands_that_show_it(widths, peak, kept):
    one = SkyCoord([150.0], [2.0], unit="deg")
    fields = {}
    for band, width in zip(("SDSS_i", "SDSS_r", "SDSS_g"), widths, strict=True):
        image = band_image(np.zeros((40, 40)), band)
        stars = make_field(image, one, ([150.0], [2.0]), None, np.ones(1), 0.6)
        wide = None if width is None else width * stars.fwhm_pixels
        height = 20.0 if band == "SDSS_i" else peak
        fit = None if wide is None else Fit(height, 1.0, 20.0, 20.0, wide, 0.1, True)
        fields[band] = stars
        stars.fits = [fit]
    assert like_points(fields, "SDSS_i").tolist() == [kept]


# Region files


@pytest.mark.slow
def test_circles_come_back_from_a_region_file_as_they_were(tmp_path, few):
    stars = [star for star in few.stars() if any(star.radii.values())]
    stars[0] = Star(
        "hand {made}",
        150.01,
        2.01,
        float("nan"),
        "hand",
        dict.fromkeys(BANDS, 4.0),
        "look; here",
        False,
        (150.0, 2.0, 3.0),
    )
    write_regions(tmp_path / "stars.reg", to_circles(stars))
    circles, polygons = read_regions(tmp_path / "stars.reg")
    back = from_circles(circles, BANDS)
    assert len(back) == len(stars) and not polygons
    for star, again in zip(stars, back, strict=True):
        assert (again.origin, again.flag, again.enabled) == (star.origin, star.flag, star.enabled)
        assert again.magnitude == pytest.approx(star.magnitude, abs=1e-3, nan_ok=True)
        assert again.radii == pytest.approx(dict(star.radii), abs=1e-5)
        assert (
            SkyCoord(star.ra, star.dec, unit="deg")
            .separation(SkyCoord(again.ra, again.dec, unit="deg"))
            .arcsec
            < 1e-4
        )
    assert back[0].spared == pytest.approx((150.0, 2.0, 3.0)) and back[1].spared is None
    with pytest.raises(InputError, match="is there already"):
        write_regions(tmp_path / "stars.reg", circles)


def test_ds9s_own_frames_forms_and_switches_are_read(tmp_path):
    (tmp_path / "a.reg").write_text(
        "# Region file format: DS9 version 4.1\nglobal color=green\nfk5\n"
        'circle(10:00:00.0,+2:00:00.0,5") # text={a star}\n'
        '-circle(150.1,2.0,3")\npolygon(150,2,150.1,2,150.1,2.1)\n'
        'galactic\ncircle(236.0,41.0,0.1\')\nfk5\nbox(150,2,5",6",0)\nbox(150,2,5",6",30)\n'
        "point(150,2)\npanda(1,2,3,4,5,6,7,8)\n"
    )
    left_out = []
    circles, polygons = read_regions(tmp_path / "a.reg", left_out=left_out)
    assert [circle.radius for circle in circles] == pytest.approx([5, 6])
    assert [shape.frees for shape in polygons] == [True, False, False, False]
    assert circles[0].id == "a star" and (circles[0].ra, circles[0].dec) == pytest.approx(
        (150, 2), abs=1e-4
    )
    galactic = SkyCoord(236, 41, unit="deg", frame="galactic").icrs
    assert (circles[1].ra, circles[1].dec) == pytest.approx((galactic.ra.deg, galactic.dec.deg))
    np.testing.assert_allclose(
        polygons[1].vertices, [[150, 2], [150.1, 2], [150.1, 2.1]], atol=1e-4
    )
    assert any("1 point shape left out" in text for text in left_out) and any(
        "panda" in text for text in left_out
    )


def test_pixel_regions_need_the_image_they_belong_to(tmp_path):
    (tmp_path / "a.reg").write_text("image\ncircle(131,121,5)\npolygon(1,1,11,1,11,11)\n")
    with pytest.raises(InputError, match=r"2 shapes in pixel coordinates; open the image"):
        read_regions(tmp_path / "a.reg")
    wcs = tan_wcs(SHAPE, 2.0, rotation=30)
    circles, polygons = read_regions(tmp_path / "a.reg", wcs)
    sky = wcs.pixel_to_world(130, 120)  # DS9 counts from 1
    assert (circles[0].ra, circles[0].dec, circles[0].radius) == pytest.approx(
        (sky.ra.deg, sky.dec.deg, 10.0), rel=1e-6
    )
    assert len(polygons) == 1


def test_polygons_keep_their_band_and_their_flag(tmp_path):
    polygon = Polygon(
        np.array([[150, 2], [150.1, 2], [150.1, 2.1]]), "SDSS_i", "painted", "why", False
    )
    write_regions(tmp_path / "a.reg", [Circle(150, 2, 5.0)], [polygon])
    circles, (back,) = read_regions(tmp_path / "a.reg")
    np.testing.assert_allclose(back.vertices, polygon.vertices)
    assert (back.band, back.id, back.flag, back.enabled) == ("SDSS_i", "painted", "why", False)
    assert circles[0].band == "" and from_circles(circles, BANDS)[0].radii == pytest.approx(
        dict.fromkeys(BANDS, 5.0)
    )


@pytest.mark.parametrize(
    "text", ["hello world", "fk5;circle(10,20)", "fk5;circle(10,20,a)", "", "fk5\npoint(1,2)\n"]
)
def test_what_is_no_region_file_is_refused_in_one_sentence(tmp_path, text):
    (tmp_path / "bad.reg").write_text(text)
    with pytest.raises(InputError, match=r"bad\.reg") as caught:
        read_regions(tmp_path / "bad.reg")
    assert "\n" not in str(caught.value)


def test_binary_and_missing_region_files_are_refused(tmp_path):
    (tmp_path / "a.reg").write_bytes(bytes(range(128, 256)))
    with pytest.raises(InputError, match="is not text in UTF-8"):
        read_regions(tmp_path / "a.reg")
    with pytest.raises(InputError, match="does not exist"):
        read_regions(tmp_path / "b.reg")


# Real images


@pytest.mark.realdata
@pytest.mark.parametrize("blanked", [False, True], ids=["as read", "bad pixels blank"])
def test_the_saturated_bleeding_star_of_the_decam_cutouts_is_flagged_in_all(shared_data, blanked):
    folder = shared_data / "stars" / "decam_testcase6"
    paths = sorted(folder.glob("*ooi*"))
    assert len(paths) == 6
    for path in paths:
        (found,) = find_images([path])
        # The night's seeing, which the header tells in pixels.
        seeing = found.header["FWHM"] * found.pixel_arcsec
        image = read_band_image(settle(found, unit="MJy/sr", psf=seeing))
        if blanked:
            weight = fits.getdata(str(path).replace("ooi", "oow"), 1)
            image = image.evolve(data=np.where(weight > 0, image.data, np.nan).astype("f4"))
        flagged = []
        for chunk in sorted(folder.glob("chunk*")):
            try:
                stars = run_to_end(
                    fit_stars({image.band.name: image}, read_catalogue(chunk), None, StarSettings())
                )
            except InputError:  # the other cutouts' stars
                continue
            flagged += [star.flag for star in stars if star.magnitude < 11]
        assert len(flagged) == 1 and ("saturated" in flagged[0] or "ran away" in flagged[0]), (
            path.name
        )


@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1], ids=["NGC 6978 in SDSS", "NGC 309 in 2MASS and WISE"])
def test_stars_put_into_real_galaxies_are_masked_and_the_nucleus_is_not(
    shared_data, tmp_path, monkeypatch, number
):
    """One draw of the benchmark; all of them stand in docs/stars.md."""
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "bench_stars.py"
    monkeypatch.syspath_prepend(str(path.parent))
    spec = importlib.util.spec_from_file_location("bench_stars", path)
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    tally = {key: defaultdict(list) for key in ("left", "cost", "false_cost", "usual", "added")}
    tally |= {key: [] for key in ("nucleus", "false", "listed", "seconds", "mask")}
    tally |= {"tmp": tmp_path, "first": None, "callback": None}
    name, galaxy, ellipse = list(bench.scenes(shared_data))[number]
    images = bench.ready(galaxy.images, ellipse)
    bench.one_scene(shared_data, name, images, ellipse, 105, 60, StarSettings(), tally)
    assert not any(tally["nucleus"])
    ((_, enabled, _),) = tally["false"]
    assert enabled == 0, "an entry that is no star masks"
    assert set(tally["left"]) == {(name, band) for band in images}
    bright = [row for rows in tally["left"].values() for row in rows if row[0] < 19]
    left = np.array([left for _, left, on, *_ in bright if not on])
    # Of a subtracted star more is left where it is about as faint as the noise.
    assert left.size > 80 and np.median(left) < 0.02
    if number == 0:
        assert (left < 0.01).mean() >= 0.95
    else:
        added = [values[0] for values in tally["added"].values()]
        assert np.log10(1 + np.abs(added)).max() < 0.03
    assert max(share for ((share, _),) in tally["usual"].values()) < 0.2, "light under circles"
