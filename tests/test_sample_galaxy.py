"""The sample galaxy: its files open, hold the light that its truth says, lie where they should, and can be made again."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy import constants as const
from astropy import units as u
from astropy.table import Table

from napari_galaxy_maps.fits_io import find_images, read_galaxy, read_maps, read_recipe
from napari_galaxy_maps.maps import PROPERTIES
from napari_galaxy_maps.prepare.sky import subtract_sky

FOLDER = Path(__file__).parents[1] / "sample_data"
SAMPLE = FOLDER / "sample-galaxy"
ARCSEC2_SR = (u.arcsec**2).to(u.sr)


def load(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def maker():
    return load("make_sample_galaxy")


@pytest.fixture(scope="module")
def galaxy():
    recipe = read_recipe(SAMPLE / "galaxy.toml")
    read = read_galaxy([SAMPLE], recipe)
    return {name: subtract_sky(image, recipe.sky, read.ellipse) for name, image in read.images.items()}, read


def test_nothing_has_to_be_asked_about_the_files():
    skipped = []
    files = find_images([SAMPLE], skipped)
    assert [problem for file in files for problem in file.problems] == []
    assert len([file for file in files if file.role == "image"]) == 15
    assert len([file for file in files if file.role == "uncertainty"]) == 4
    assert len(skipped) == 1 and "truth.fits" in skipped[0]


def test_flux_in_every_band_is_that_of_bulge_and_disc(maker, galaxy):
    images, read = galaxy
    components = maker.read_components()
    assert len(images) == 15
    for name, image in images.items():
        bulge, disc = maker.render(image.wcs, image.shape, image.pixel_arcsec, image.fwhm, oversample=2)
        early, late = (1.0 if name == "WISE_3.4" else components[kind][name] for kind in ("early", "late"))
        inside = read.ellipse.radius(image.wcs, image.shape) < 1
        truth = (early * bulge + late * disc)[inside].sum()
        assert image.data[inside].sum() / truth == pytest.approx(1, abs=0.03), name


def test_every_image_lies_where_the_galaxy_is(galaxy):
    images, read = galaxy
    for name, image in images.items():
        near = read.ellipse.radius(image.wcs, image.shape) < 0.25
        y, x = np.nonzero(near)
        weight = np.clip(image.data[near], 0, None)
        centre = image.wcs.pixel_to_world((weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum())
        assert centre.separation(read.position).arcsec < 1.0, name


def test_images_are_turned_as_their_headers_say(galaxy):
    images, read = galaxy
    for name, image in images.items():
        if name in ("WISE_22", "2MASS_J", "2MASS_H", "2MASS_Ks"):
            continue  # too noisy out there to measure an angle of
        y, x = np.mgrid[: image.shape[0], : image.shape[1]]
        sky = image.wcs.pixel_to_world(x, y)
        east, north = (angle.to_value("arcsec") for angle in read.position.spherical_offsets_to(sky))
        near = np.hypot(east, north) < 110
        light = image.data[near]
        xx, yy, xy = (
            (light * a * b).sum() for a, b in ((east[near],) * 2, (north[near],) * 2, (east[near], north[near]))
        )
        angle = np.degrees(0.5 * np.arctan2(2 * xy, yy - xx)) % 180
        # The two arms pull the axis of the moments by 1.6 degrees, in all bands alike.
        assert angle == pytest.approx(read.ellipse.pa, abs=2.5), name


def test_truth_adds_up_to_the_galaxy(maker):
    truth = read_maps(SAMPLE / "truth.fits")
    components = maker.read_components()
    distance = maker.DISTANCE_MPC * u.Mpc
    frequency = const.c / (3.37 * u.micron)
    w1 = (4 * np.pi * distance**2 * frequency * maker.W1_FLUX_JY * u.Jy).to_value(u.L_sun)
    light = {"early": w1 * maker.BULGE["fraction"], "late": w1 * (1 - maker.BULGE["fraction"])}
    expected = dict.fromkeys(("LOG_SIGMA_STAR", "LOG_SIGMA_LSTAR", "LOG_SIGMA_LD", "LOG_SIGMA_MD"), 0.0)
    for kind, luminosity in light.items():
        row = components[kind]
        star, lstar = luminosity * 10 ** row["LOG_STAR_W1"], luminosity * 10 ** row["LOG_LSTAR_W1"]
        expected["LOG_SIGMA_STAR"] += star
        expected["LOG_SIGMA_LSTAR"] += lstar
        expected["LOG_SIGMA_LD"] += lstar * 10 ** row["LOG_SLD"]
        expected["LOG_SIGMA_MD"] += star * 10 ** row["LOG_SMD"]
    side = (maker.TRUTH_PIXEL * u.arcsec).to_value(u.rad) * distance.to_value(u.kpc)
    for name, value in expected.items():
        assert (10 ** truth.values[name].astype(float)).sum() * side**2 == pytest.approx(value, rel=0.02), name


def test_truth_is_consistent_with_itself():
    truth = read_maps(SAMPLE / "truth.fits")
    values = truth.values
    assert set(values) == set(PROPERTIES) & set(values) and len(values) == 7
    np.testing.assert_allclose(values["LOG_SIGMA_LD"] - values["LOG_SIGMA_LSTAR"], values["LOG_SLD"], atol=2e-5)
    np.testing.assert_allclose(values["LOG_SIGMA_MD"] - values["LOG_SIGMA_STAR"], values["LOG_SMD"], atol=2e-5)
    centre = tuple(n // 2 for n in truth.shape)
    assert values["LOG_SMD"][centre] < np.median(values["LOG_SMD"]) - 0.2, "the bulge has less dust than the disc"
    assert 0.15 < (truth.flags == 0).mean() < 0.25, "the rest lies outside the ellipse"


@pytest.mark.parametrize("band", ["GALEX_FUV", "SDSS_g", "2MASS_J", "Spitzer_3.6", "WISE_22"])
def test_the_script_makes_the_same_pixels_again(maker, tmp_path, band):
    maker.make(tmp_path, (band,))
    new = [file for file in find_images([tmp_path], []) if file.role != "maps"]
    assert new
    for file in new:
        (old,) = find_images([SAMPLE / file.path.name])
        # A value may fall on the other side of a rounding step on another machine; no more than that.
        steps = np.abs(file.load() - old.load())
        assert (steps == 0).mean() > 0.999 and file.shape == old.shape
        assert repr(file.header.tostring()) == repr(old.header.tostring())
    made, shipped = read_maps(tmp_path / "truth.fits"), read_maps(SAMPLE / "truth.fits")
    for name, value in shipped.values.items():
        np.testing.assert_allclose(made.values[name], value, rtol=1e-5)
    assert (tmp_path / "galaxy.toml").read_text() == (SAMPLE / "galaxy.toml").read_text()


@pytest.mark.realdata
def test_components_are_those_of_the_dustpedia_tables(shared_data):
    made = load("dustpedia_components").components_from_tables(shared_data / "dustpedia")
    shipped = Table.read(FOLDER / "components.ecsv", format="ascii.ecsv")
    assert list(made["quantity"]) == list(shipped["quantity"])
    for column in ("early", "late", "n_early", "n_late"):
        np.testing.assert_allclose(made[column], shipped[column], rtol=1e-3)
