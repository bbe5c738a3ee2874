"""The sample galaxies: their files open, hold the light that their truth says, lie where they
should, and can be made again.

Of `pipeline`: the whole way from files to maps.
"""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.table import QTable

from napari_galaxy_maps.bands.registry import FIR_BANDS, INPUT_BANDS
from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.constants import PC_PER_MPC_ARCSEC
from napari_galaxy_maps.data.plausible import odd_values
from napari_galaxy_maps.data.properties import ATTENUATION, PROPERTIES
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.fits_io.image_files import find_images
from napari_galaxy_maps.fits_io.map_files import read_maps
from napari_galaxy_maps.fits_io.recipe_files import read_recipe
from napari_galaxy_maps.measure.compare.comparison import compare
from napari_galaxy_maps.measure.report.scores import scores_of
from napari_galaxy_maps.prepare.reddening import Reddening, deredden
from napari_galaxy_maps.prepare.sky import subtract_sky

FOLDER = Path(__file__).parents[1] / "sample_data"
NAMES = ("spiral", "early-type")


def load(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def maker():
    """The script that makes the sample galaxies, as a module."""
    return load("make_sample_galaxies")


@pytest.fixture(scope="module")
def mock(maker):
    """The early type as it stands in the sky."""
    return maker.sky_of(maker.SAMPLES[1])


@pytest.fixture(scope="module", params=[NAMES[0], pytest.param(NAMES[1], marks=pytest.mark.slow)])
def galaxy(request):
    """Name, images without sky and reddening, galaxy and truth."""
    folder = FOLDER / request.param
    recipe = read_recipe(folder / "galaxy.toml")
    read = read_galaxy([folder], recipe)
    reddening = Reddening(recipe.reddening.ebv, 0.0, "")
    images = {
        name: deredden(subtract_sky(image, recipe.sky, read.ellipse), reddening)
        for name, image in read.images.items()
    }
    return request.param, images, read, read_maps(folder / "truth.fits")


def away_from_stars(folder, wcs, shape, arcsec):
    """The pixels that are farther than this from all stars."""
    stars = QTable.read(folder / "gaia.ecsv")
    pixel = np.sqrt(np.abs(np.linalg.det(wcs.pixel_scale_matrix))) * 3600
    x, y = wcs.world_to_pixel_values(stars["ra"].to_value("deg"), stars["dec"].to_value("deg"))
    rows, columns = np.indices(shape)
    far = np.ones(shape, bool)
    for a, b in zip(x, y, strict=True):
        far &= np.hypot(columns - a, rows - b) * pixel > arcsec
    return far


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_nothing_has_to_be_asked_about_the_files(name):
    skipped = []
    files = find_images([FOLDER / name], skipped)
    assert [problem for file in files for problem in file.problems] == []
    images = {file.band.name for file in files if file.role == "image"}
    assert set(FIR_BANDS) - images == {"Spitzer_24", "Spitzer_70"}
    assert (
        set(INPUT_BANDS) - images >= {"Spitzer_4.5", "Spitzer_5.8", "Spitzer_8.0"}
        and len(images) >= 20
    )
    assert len([file for file in files if file.role == "uncertainty"]) == 4 + 6
    assert not [text for text in skipped if "truth.fits" not in text]
    maps = [file for file in files if file.role == "exposure"]
    assert len(maps) == 6 and all(file.extension.upper() == "COVERAGE" for file in maps)
    units = {file.unit for file in files if file.role != "exposure"}
    assert units == {"counts/s", "nanomaggy", "DN", "Jy/pix", "MJy/sr"}
    assert {file.path.suffix for file in files} >= {".gz", ".bz2"}


def test_both_together_are_small():
    assert sum(path.stat().st_size for name in NAMES for path in (FOLDER / name).iterdir()) < 6e6


@pytest.mark.slow
def test_flux_in_every_band_is_that_of_the_mock(mock):
    folder = FOLDER / "early-type"
    recipe = read_recipe(folder / "galaxy.toml")
    read = read_galaxy([folder], recipe)
    position = mock.wcs.world_to_pixel(read.position)
    np.testing.assert_allclose(position, (mock.view.size - 1) / 2, atol=0.01)
    for name, image in read.images.items():
        image = deredden(
            subtract_sky(image, recipe.sky, read.ellipse), Reddening(recipe.reddening.ebv, 0.0, "")
        )
        sums = []
        for plane, wcs in (
            (image.data, image.wcs),
            (mock.model[mock.view.bands.index(name)], mock.wcs),
        ):
            near = read.ellipse.radius(wcs, plane.shape) < 0.7
            if name not in FIR_BANDS:  # where no star shines
                near &= away_from_stars(folder, wcs, plane.shape, 2.0 + 1.5 * image.fwhm)
            sums.append(plane[near].sum() * abs(np.linalg.det(wcs.pixel_scale_matrix)))
        assert sums[0] / sums[1] == pytest.approx(
            1, abs=0.08 if name.startswith("GALEX") or name == "WISE_22" else 0.05
        ), name


def test_every_image_lies_where_the_galaxy_is(galaxy):
    sample, images, read, _ = galaxy
    for name, image in images.items():
        near = read.ellipse.radius(image.wcs, image.shape) < 0.35
        y, x = np.nonzero(near)
        weight = np.clip(image.data[near], 0, None)
        centre = image.wcs.pixel_to_world(
            (weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()
        )
        # Young stars and dust lie in arms and clumps, which pull.
        old = name.startswith(
            ("2MASS", "WISE_3.4", "WISE_4.6", "Spitzer", "SDSS_r", "SDSS_i", "SDSS_z")
        )
        limit = 1.5 if old or sample == "early-type" else 4.0
        assert centre.separation(read.position).arcsec < limit, name


def test_images_are_turned_as_their_headers_say(galaxy):
    _, images, read, _ = galaxy
    turned = (
        "SDSS_g",
        "SDSS_r",
        "SDSS_i",
        "WISE_3.4",
        "WISE_4.6",
        "Spitzer_3.6",
        "PACS_100",
        "SPIRE_250",
    )
    found = {}
    for name in turned:
        if name not in images:
            continue
        image = images[name]
        y, x = np.mgrid[: image.shape[0], : image.shape[1]]
        sky = image.wcs.pixel_to_world(x, y)
        east, north = (
            angle.to_value("arcsec") for angle in read.position.spherical_offsets_to(sky)
        )
        near = np.hypot(east, north) < 60
        light = image.data[near]
        xx, yy, xy = (
            (light * a * b).sum()
            for a, b in ((east[near],) * 2, (north[near],) * 2, (east[near], north[near]))
        )
        found[name] = np.degrees(0.5 * np.arctan2(2 * xy, yy - xx)) % 180
    # Arms, bars and stars pull the axis of the moments a little; a frame turned the wrong way would
    # be off by tens of degrees.
    assert max(abs((angle - read.ellipse.pa + 90) % 180 - 90) for angle in found.values()) < 12, (
        found
    )


def test_truth_adds_up_to_the_galaxy_that_was_drawn(galaxy):
    _, _, read, truth = galaxy
    drawn = truth.provenance["mock"]
    side = (
        abs(truth.wcs.proj_plane_pixel_scales()[0].to_value("arcsec"))
        * read.distance_mpc
        * PC_PER_MPC_ARCSEC
        / 1e3
    )

    def total(name):
        return np.log10(np.nansum(10 ** truth.values[name].astype(float)) * side**2)

    # The truth ends a quarter beyond D25, and holds a neighbour's tail or none: a few percent of
    # the mass are beyond.
    assert total("LOG_SIGMA_STAR") == pytest.approx(float(drawn["log_mass"]), abs=0.06)
    assert total("LOG_SIGMA_SFR") == pytest.approx(float(drawn["log_sfr"]), abs=0.1)


def test_truth_is_consistent_with_itself(galaxy):
    _, _, read, truth = galaxy
    values = truth.values
    assert set(values) == set(PROPERTIES) - set(ATTENUATION)
    for ratio, above, below in (("LOG_SLD", "LD", "LSTAR"), ("LOG_SMD", "MD", "STAR")):
        difference = values[f"LOG_SIGMA_{above}"] - values[f"LOG_SIGMA_{below}"]
        off = np.abs(values[ratio] - difference)
        # A pixel beside blanks is of those of its parts that are known.
        assert np.nanpercentile(off, 99) < 2e-4 and np.nanmax(off) < 0.01
    assert odd_values(truth, "the truth", list(values)) == []
    inside = truth.flags == 0
    np.testing.assert_array_equal(inside, read.ellipse.radius(truth.wcs, truth.shape) <= 1)
    assert truth.provenance["imf"] == "Chabrier" and float(truth.provenance["fwhm"]) == 12.0


def test_far_infrared_weighs_the_dust_of_the_truth(galaxy):
    """Dust mass by SPIRE 250's flux and a modified black body of the truth's temperature: kappa 6
    cm2/g as THEMIS's.
    """
    from astropy import constants as const
    from astropy import units as u
    from astropy.modeling.physical_models import BlackBody

    _, images, read, truth = galaxy
    image = images["SPIRE_250"]
    near = read.ellipse.radius(image.wcs, image.shape) < 1.3
    solid = abs(np.linalg.det(image.wcs.pixel_scale_matrix)) * u.deg**2
    flux = image.data[near].sum() * u.MJy / u.sr * solid
    mass = np.nan_to_num(10 ** truth.values["LOG_SIGMA_MD"].astype(float))
    temperature = np.nansum(truth.values["T_DUST"] * mass) / mass.sum() * u.K
    frequency = const.c / (253 * u.micron)
    seen = (
        flux
        * (read.distance_mpc * u.Mpc) ** 2
        / (6.0 * u.cm**2 / u.g)
        / BlackBody(temperature)(frequency)
        / u.sr
    )
    side = (
        abs(truth.wcs.proj_plane_pixel_scales()[0].to_value("arcsec"))
        * read.distance_mpc
        * PC_PER_MPC_ARCSEC
        / 1e3
    )
    expected = mass.sum() * side**2
    assert np.log10(seen.to_value(u.Msun) / expected) == pytest.approx(
        0, abs=0.15
    )  # in clouds it is warmer than its mean


def test_stars_of_the_table_shine_where_it_says(galaxy):
    sample, images, _, _ = galaxy
    stars = QTable.read(FOLDER / sample / "gaia.ecsv")
    assert {"source_id", "parallax", "parallax_error", "pmra", "pmra_error", "ref_epoch"} <= set(
        stars.colnames
    )
    image = images["SDSS_i"]
    x, y = image.wcs.world_to_pixel_values(
        stars["ra"].to_value("deg"), stars["dec"].to_value("deg")
    )
    bright = (stars["phot_g_mean_mag"].value < 19) & (
        np.hypot(x - image.shape[1] / 2, y - image.shape[0] / 2) < 130
    )
    for star in np.flatnonzero(
        bright
    ):  # not those beside a brighter one, whose light is highest there
        beside = np.hypot(x - x[star], y - y[star]) < 9
        bright[star] = (
            stars["phot_g_mean_mag"].value[beside].min() == stars["phot_g_mean_mag"].value[star]
        )
    assert bright.sum() >= 2
    for a, b in zip(np.rint(x[bright]).astype(int), np.rint(y[bright]).astype(int), strict=True):
        box = image.data[b - 6 : b + 7, a - 6 : a + 7]
        assert np.hypot(*np.subtract(np.unravel_index(box.argmax(), box.shape), 6)) < 2


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_whole_way_ends_near_the_truth(name, tmp_path, capsys):
    """Stars of the table masked, reddening and sky taken off, one PSF and grid, predicted, and
    compared under one IMF.
    """
    folder, out = FOLDER / name, tmp_path / "maps.fits"
    command = ["predict", str(folder), "--recipe", str(folder / "galaxy.toml"), "--out", str(out)]
    assert main([*command, "--truth", str(folder / "truth.fits")]) == 0
    output = capsys.readouterr()
    assert "stars of gaia.ecsv subtracted or masked" in output.err + output.out
    assert "from Chabrier's initial mass function to Salpeter's" in output.out
    maps, truth = read_maps(out), read_maps(folder / "truth.fits")
    compared = compare(maps, truth)
    rows = {row["property"]: row for row in scores_of([compared]).pixels()}
    for prop, most in (
        ("LOG_SIGMA_STAR", 0.25),
        ("LOG_SIGMA_LSTAR", 0.12),
        ("LOG_SLD", 0.25),
        ("LOG_SMD", 0.3),
    ):
        assert abs(rows[prop]["bias"]) < most, (prop, rows[prop])
    assert "ebv = 0.0" in maps.provenance["recipe"]


@pytest.mark.slow
def test_the_script_makes_the_same_pixels_again(maker, mock, tmp_path):
    sample = maker.SAMPLES[1]
    maker.make(sample, tmp_path, mock, ("GALEX_FUV", "SDSS_g", "2MASS_J", "WISE_22", "PACS_160"))
    new = [file for file in find_images([tmp_path], []) if file.role in ("image", "uncertainty")]
    assert len(new) == 7
    for file in new:
        old = next(
            f for f in find_images([FOLDER / sample.key / file.path.name]) if f.hdu == file.hdu
        )
        # A value may fall on the other side of a rounding step on another machine; no more than
        # that.
        assert (file.load() == old.load()).mean() > 0.999 and file.shape == old.shape
        assert repr(file.header.tostring()) == repr(old.header.tostring())
    made, shipped = (read_maps(folder / "truth.fits") for folder in (tmp_path, FOLDER / sample.key))
    for name, value in shipped.values.items():
        np.testing.assert_allclose(made.values[name], value, rtol=1e-4, atol=1e-5)
    assert (tmp_path / "galaxy.toml").read_text() == (
        FOLDER / sample.key / "galaxy.toml"
    ).read_text()
    stars = [QTable.read(folder / "gaia.ecsv") for folder in (tmp_path, FOLDER / sample.key)]
    np.testing.assert_allclose(stars[0]["ra"], stars[1]["ra"], rtol=1e-9)
