"""Profiles, gradients, isophotes and R_half of an exponential disc are what it was made with, to
half a percent.

Of `measure.profiles.radial_profile` and `measure.profiles.ellipses`;
`measure.profiles.galaxy_profile` is tested as a notebook calls it, in tests/test_front_door.py.
"""

import sys
from dataclasses import replace

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

from napari_galaxy_maps.bands.registry import get_band
from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.constants import PC_PER_MPC_ARCSEC
from napari_galaxy_maps.data.galaxy import BandImage, Ellipse
from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.fits_io.map_files import write_maps
from napari_galaxy_maps.measure.profiles.ellipses import (
    fit_isophote,
    fit_moments,
    half_mass_ellipse,
    half_radius,
    recipe_ellipse,
)
from napari_galaxy_maps.measure.profiles.radial_profile import (
    equal_steps,
    fit_gradients,
    radial_profile,
)
from tests.conftest import tan_wcs

SHAPE, PIXEL, H = (301, 301), 2.0, 30.0
DISC = Ellipse(150.0, 2.0, 100.0, 50.0, 40.0)  # inclined by 60 degrees
R_HALF = 1.678346990 * H  # of an exponential disc
KPC = 10 * PC_PER_MPC_ARCSEC / 1000  # per arcsec, at 10 Mpc


def disc(rotation=30.0, error=0.05, recipe="", **more):
    wcs = tan_wcs(SHAPE, PIXEL, rotation=rotation)
    r = 100 * DISC.radius(wcs, SHAPE)
    values = {"LOG_SIGMA_STAR": 8 - r / H / np.log(10), "T_DUST": 25 - r / 50, **more}
    values = {name: plane.astype("f4") for name, plane in values.items()}
    errors = {} if error is None else {name: np.full(SHAPE, error, "f4") for name in values}
    made_by = {"distance_mpc": 10.0, "recipe": recipe}
    return PropertyMaps(values, errors, wcs, np.zeros(SHAPE, np.int16), made_by, 8.0)


def of(table, name, source="measured"):
    return table[(table["map"] == name) & (table["source"] == source)]


@pytest.mark.parametrize("rotation", [0.0, 30.0, 200.0])
def test_profile_and_growth_curve_of_an_exponential_disc(rotation):
    rows = of(radial_profile(disc(rotation), DISC, equal_steps(5, 180), r25=100), "LOG_SIGMA_STAR")
    inner, outer = rows["r_in"].value, rows["r_out"].value

    def inside(r):
        return 1 - np.exp(-r / H) * (1 + r / H)

    total = 2 * np.pi * H**2 * 0.5 * 1e8
    mean = total * (inside(outer) - inside(inner)) / (np.pi * 0.5 * (outer**2 - inner**2))
    np.testing.assert_allclose(10 ** rows["mean"], mean, rtol=5e-3)
    np.testing.assert_allclose(10 ** rows["median"][1:], mean[1:], rtol=0.03)
    np.testing.assert_allclose(rows["growth"], total * inside(outer) * KPC**2, rtol=5e-3)
    np.testing.assert_allclose(np.cumsum(rows["sum"]), rows["growth"], rtol=1e-6)
    np.testing.assert_allclose(
        rows["area"].to_value(u.arcsec**2), np.pi * 0.5 * (outer**2 - inner**2), rtol=1e-5
    )
    assert rows["r_kpc"].unit == u.kpc and rows["r_kpc"][-1].value == pytest.approx(
        rows["r"][-1].value * KPC
    )
    np.testing.assert_allclose(rows["r_r25"], rows["r"].value / 100)
    half = np.interp(total / 2, rows["growth"] / KPC**2, outer)
    assert half == pytest.approx(R_HALF, rel=5e-3)


def test_percentiles_of_a_ring_are_those_of_its_pixels():
    rng = np.random.default_rng(0)
    rows = of(radial_profile(noisy(rng), DISC, [0, 150]), "T_DUST")
    assert rows["p16"][0] == pytest.approx(19, abs=0.05) and rows["p84"][0] == pytest.approx(
        21, abs=0.05
    )
    assert rows["median"][0] == pytest.approx(20, abs=0.05)


def noisy(rng):
    maps = disc()
    return PropertyMaps(
        {"T_DUST": rng.normal(20, 1.0, SHAPE).astype("f4")},
        {},
        maps.wcs,
        maps.flags,
        maps.provenance,
    )


@pytest.mark.parametrize(
    "radius, unit, per_arcsec",
    [
        ("r", "arcsec", 1.0),
        ("r_kpc", "kpc", KPC),
        ("r_r25", "R25", 0.01),
        ("r_rhalf", "R_half", 1 / R_HALF),
    ],
)
def test_gradients_are_those_of_the_disc(radius, unit, per_arcsec):
    profile = radial_profile(disc(), DISC, equal_steps(5, 150), r25=100, r_half=R_HALF)
    table = {row["map"]: row for row in fit_gradients(profile, radius)}
    assert table["LOG_SIGMA_STAR"]["gradient"] == pytest.approx(
        -1 / H / np.log(10) / per_arcsec, rel=5e-3
    )
    assert table["LOG_SIGMA_STAR"]["central"] == pytest.approx(8, abs=0.01)
    assert (
        table["LOG_SIGMA_STAR"]["unit"] == f"dex/{unit}" and table["T_DUST"]["unit"] == f"K/{unit}"
    )
    assert table["T_DUST"]["gradient"] == pytest.approx(-0.02 / per_arcsec, rel=5e-3)


@pytest.mark.slow
def test_errors_of_gradients_are_the_scatter_of_draws():
    """Independent pixels of known error: 60 gradients scatter as the errors say."""
    rng = np.random.default_rng(1)
    maps, slopes, errors = disc(error=0.3), [], []
    for _ in range(60):
        plane = maps.values["T_DUST"] + rng.normal(0, 0.3, SHAPE).astype("f4")
        draw = PropertyMaps(
            {"T_DUST": plane}, {"T_DUST": maps.errors["T_DUST"]}, maps.wcs, maps.flags, {}, 0.0
        )
        (row,) = fit_gradients(radial_profile(draw, DISC, equal_steps(10, 60)), "r")
        slopes.append(row["gradient"])
        errors.append(row["gradient_err"])
    assert np.std(slopes) == pytest.approx(np.median(errors), rel=0.3)
    assert np.mean(slopes) == pytest.approx(-0.02, abs=3 * np.median(errors) / np.sqrt(60))


def test_a_profile_without_errors_takes_them_from_its_scatter():
    rows = fit_gradients(radial_profile(disc(error=None), DISC, equal_steps(10, 100)), "r")
    assert np.isnan(rows["chi2"]).all() and (rows["gradient_err"] > 0).all()


def test_prediction_and_truth_are_measured_over_the_same_annuli_on_their_own_grids():
    wcs = tan_wcs((151, 151), 4.0)
    r = 100 * DISC.radius(wcs, (151, 151))
    truth = PropertyMaps(
        {"LOG_SIGMA_STAR": (8.1 - r / H / np.log(10)).astype("f4")},
        {},
        wcs,
        np.zeros((151, 151), np.int16),
    )
    table = radial_profile({"prediction": disc(), "truth": truth}, DISC, equal_steps(20, 140))
    mine, theirs = of(table, "LOG_SIGMA_STAR", "prediction"), of(table, "LOG_SIGMA_STAR", "truth")
    np.testing.assert_allclose(theirs["mean"] - mine["mean"], 0.1, atol=0.01)
    np.testing.assert_array_equal(mine["r"], theirs["r"])
    assert len(of(table, "T_DUST", "truth")) == 0 and np.isnan(theirs["sum"]).all()
    assert any(note.startswith("truth: ") for note in table.meta["notes"])


def test_band_images_have_profiles_too():
    wcs = tan_wcs(SHAPE, PIXEL)
    data = np.exp(-100 * DISC.radius(wcs, SHAPE) / H).astype("f4")
    rows = radial_profile(
        BandImage(data, get_band("SDSS_r"), wcs, fwhm=3.0), DISC, equal_steps(10, 100)
    )
    assert (
        (np.diff(rows["mean"]) < 0).all()
        and list(set(rows["sum_unit"])) == ["Jy"]
        and "r_kpc" not in rows.colnames
    )


# --- ellipses -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ratio, pa", [(0.35, 20.0), (0.7, 100.0), (0.9, 170.0)])
def test_the_isophote_has_the_shape_of_the_disc(ratio, pa):
    rng = np.random.default_rng(2)
    truth = Ellipse(150.0, 2.0, 100.0, 100 * ratio, pa)
    wcs = tan_wcs(SHAPE, PIXEL, rotation=70.0)
    plane = 1e3 * np.exp(-100 * truth.radius(wcs, SHAPE) / H) + rng.normal(0, 1, SHAPE)
    plane[rng.random(SHAPE) < 0.02] = np.nan
    plane[160:164, 150:155] = np.nan
    found = fit_isophote(plane, wcs, Ellipse(150.0003, 1.9997, 60.0, 45.0, 60.0))
    assert found.b / found.a == pytest.approx(ratio, abs=0.02) and found.a == 60.0
    assert (found.pa - pa + 90) % 180 - 90 == pytest.approx(0, abs=2 / (1 - ratio))
    assert (found.ra, found.dec) == (pytest.approx(150, abs=3e-4), pytest.approx(2, abs=3e-4))


@pytest.mark.realdata
def test_the_isophote_of_a_galaxy_with_arms_is_found(shared_data):
    """NGC 5584 in WISE 12: image moments give a position angle of 152 to 156 degrees."""
    path = shared_data / "galaxies" / "ngc5584" / "NGC5584_WISE_12.fits.gz"
    galaxy = read_galaxy([path], Recipe.from_tree({"input": {"units": {"WISE_12": "Jy/pix"}}}))
    image = galaxy.images["WISE_12"]
    found = fit_isophote(image.data, image.wcs, Ellipse(215.599, -0.3877, 60.0, 45.0, 60.0))
    assert found.pa == pytest.approx(154, abs=8) and 0.4 < found.b / found.a < 0.8
    found = fit_isophote(
        image.data, image.wcs, Ellipse(215.599, -0.3877, 40.0, 30.0, 150.0)
    )  # across the arms
    assert 125 < found.pa < 165


@pytest.mark.slow
def test_a_map_with_a_hole_is_fitted_as_a_masked_array_is(monkeypatch):
    ellipses = sys.modules[fit_isophote.__module__]
    y, x = np.indices((121, 121))
    plane = np.exp(-np.hypot(x - 60, (y - 60) / 0.6) / 12)
    plane[75:86, 70:85] = np.nan
    wcs, start = tan_wcs(plane.shape, 1.0), Ellipse(150.0, 2.0, 30.0, 25.0, 0.0)
    found = fit_isophote(plane, wcs, start)
    pixels = ellipses._Pixels(np.ma.masked_invalid(plane))
    assert pixels[80][75] is np.ma.masked and pixels[60][60] == plane[60, 60]
    assert pixels[79:82, 74:76].mask.all() and pixels.shape == plane.shape
    monkeypatch.setattr(ellipses, "_Pixels", lambda masked: masked)
    assert fit_isophote(plane, wcs, start) == found


def test_a_fit_that_fails_says_so_once(capfd):
    maps = disc()
    plane = np.full(SHAPE, np.nan)
    plane[148:153, 148:153] = 1.0
    with pytest.raises(InputError, match="No isophote can be fitted"):
        fit_isophote(plane, maps.wcs, replace(DISC, a=250.0, b=200.0))
    output = capfd.readouterr()
    assert output.out == "" and output.err == ""


def test_moments_and_the_half_mass_ellipse_have_the_shape_of_the_disc():
    maps = disc()
    plane = 10.0 ** maps.values["LOG_SIGMA_STAR"]
    assert half_radius(plane, maps.wcs, DISC) == pytest.approx(R_HALF, rel=5e-3)
    found = fit_moments(plane, maps.wcs, replace(DISC, a=150.0, b=75.0))
    assert found.b / found.a == pytest.approx(0.5, abs=0.01) and found.pa == pytest.approx(
        40, abs=0.5
    )
    found = half_mass_ellipse(maps, Ellipse(150.0, 2.0, 60.0, 60.0))
    assert found.a == pytest.approx(R_HALF, rel=5e-3)
    assert found.b / found.a == pytest.approx(0.5, abs=0.01) and found.pa == pytest.approx(
        40, abs=0.5
    )


@pytest.mark.parametrize("seed", range(3, 9))
def test_r_half_lives_with_a_truth_of_sparse_particles(seed):
    """Three quarters of the pixels are empty, as in maps made of simulation particles."""
    maps = disc()
    rng = np.random.default_rng(seed)
    plane = maps.values["LOG_SIGMA_STAR"].copy()
    plane[rng.random(SHAPE) < 0.75] = -np.inf
    plane[rng.random(SHAPE) < 0.1] = np.nan
    sparse = PropertyMaps({"LOG_SIGMA_STAR": plane}, {}, maps.wcs, maps.flags)
    found = half_mass_ellipse(sparse, Ellipse(150.0, 2.0, 60.0, 60.0))
    assert found.a == pytest.approx(R_HALF, rel=0.08)
    assert found.b / found.a == pytest.approx(0.5, abs=0.1)


def test_the_recipe_in_a_result_gives_its_ellipse():
    recipe = Recipe.from_tree(
        {"galaxy": {"ra": 1.0, "dec": 2.0, "d25": 4.0, "axis_ratio": 0.5, "position_angle": 30.0}}
    )
    assert recipe_ellipse({"recipe": recipe.to_toml()}) == Ellipse(1.0, 2.0, 120.0, 60.0, 30.0)
    assert recipe_ellipse({"recipe": "no = toml ["}) is None and recipe_ellipse({}) is None


# --- mistakes -----------------------------------------------------------------------------------


def test_mistakes_are_told_in_words():
    maps = disc()
    flat = np.ones(SHAPE)
    with pytest.raises(InputError, match=r"No isophote can be fitted 60\.0 arcsec from"):
        fit_isophote(flat, maps.wcs, Ellipse(150, 2, 60, 30))
    with pytest.raises(InputError, match="No isophote can be fitted"):
        fit_isophote(flat, maps.wcs, Ellipse(151, 2, 60, 30))
    with pytest.raises(InputError, match="No isophote can be fitted"):
        fit_isophote(np.full(SHAPE, np.nan), maps.wcs, Ellipse(150, 2, 60, 30))
    with pytest.raises(InputError, match="The map is empty within"):
        fit_moments(np.zeros(SHAPE), maps.wcs, DISC)
    with pytest.raises(InputError, match="is empty"):
        half_radius(np.full(SHAPE, np.nan), maps.wcs, DISC)
    with pytest.raises(
        InputError, match=r"R_half needs the map LOG_SIGMA_STAR; the file has no map"
    ):
        half_mass_ellipse(noisy(np.random.default_rng(0)), DISC)
    with pytest.raises(InputError, match="must grow from 0"):
        radial_profile(maps, DISC, [0, 10, 5])
    with pytest.raises(InputError, match=r"No annulus about RA 160\.00000"):
        radial_profile(maps, replace(DISC, ra=160.0), [0, 10, 20])
    with pytest.raises(InputError, match="are 10000000 annuli; choose a larger step"):
        equal_steps(1e-5, 100)
    with pytest.raises(InputError, match="make"):
        equal_steps(-1, 100)
    with pytest.raises(InputError, match="at least three annuli"):
        fit_gradients(radial_profile(maps, DISC, [0, 10, 20]), "r")
    with pytest.raises(InputError, match="has no column r_r25: it needs R25"):
        fit_gradients(radial_profile(maps, DISC, [0, 10, 20, 30]), "r_r25")


# --- the command line ---------------------------------------------------------------------------


@pytest.mark.slow
def test_profile_writes_the_table_of_the_library(tmp_path, capsys):
    recipe = Recipe.from_tree(
        {
            "galaxy": {
                "ra": 150.0,
                "dec": 2.0,
                "d25": 200 / 60,
                "axis_ratio": 0.5,
                "position_angle": 40.0,
                "distance": 10.0,
            }
        }
    ).to_toml()
    write_maps(tmp_path / "maps.fits", disc(recipe=recipe))
    write_maps(tmp_path / "truth.fits", disc(rotation=0.0, error=None))
    out = tmp_path / "p.ecsv"
    arguments = ["profile", str(tmp_path / "maps.fits"), "--out", str(out), "--overwrite"]
    assert (
        main([*arguments, "--step", "10", "--truth", str(tmp_path / "truth.fits"), "--fit", "0,80"])
        == 0
    )
    output = capsys.readouterr().out
    assert "dex/arcsec" in output and "dex/kpc" in output and "written to" in output
    table = QTable.read(out)
    rows = of(table, "LOG_SIGMA_STAR")
    assert rows["r_out"][-1] == 100 * u.arcsec and len(rows) == 10 and rows["r_r25"][-1] < 1
    np.testing.assert_allclose(
        rows["mean"], of(table, "LOG_SIGMA_STAR", "truth")["mean"], atol=1e-3
    )
    assert main([*arguments, "--r-half", "--quiet"]) == 0
    table = QTable.read(out)
    assert (
        table.meta["r_half_arcsec"] == pytest.approx(R_HALF, rel=5e-3)
        and len(of(table, "T_DUST")) == 10
    )
    assert of(table, "T_DUST")["r_rhalf"][0] == pytest.approx(1 / 3)
    assert main([*arguments, "--ellipse", "150,2,60,60,0", "--isophote", "40", "--quiet"]) == 0
    ellipse = QTable.read(out).meta["ellipse"]
    assert (
        ellipse["a"] == 60
        and ellipse["b"] == pytest.approx(30, rel=0.02)
        and ellipse["pa"] == pytest.approx(40, abs=1)
    )


@pytest.mark.slow
def test_profile_draws_what_it_measured(tmp_path, capsys):
    write_maps(tmp_path / "maps.fits", disc())
    out, picture = tmp_path / "p.ecsv", tmp_path / "p.svg"
    arguments = [
        "profile",
        str(tmp_path / "maps.fits"),
        "--out",
        str(out),
        "--ellipse",
        "150,2,100,50,40",
        "--step",
        "10",
    ]
    draw = [*arguments, "--quiet", "--figure", str(picture)]
    assert main([*draw, "--over", "r-half", "--show", "growth"]) == 0
    written = picture.read_text()  # the texts of a figure stand in comments
    assert (
        "R/R_half" in written and "stellar mass [Msun]" in written and "temperature" not in written
    )
    assert QTable.read(out).meta["r_half_arcsec"] == pytest.approx(
        R_HALF, rel=0.02
    )  # of a map cut at 300 arcsec
    out.unlink()
    assert main(draw) == 2 and not out.exists()
    assert "p.svg is there already" in capsys.readouterr().err
    assert main([*draw, "--over", "r25", "--overwrite"]) == 2
    assert "not known in R/R25" in capsys.readouterr().err
    assert main([*draw[:-1], str(tmp_path / "p.doc"), "--overwrite"]) == 2
    assert ".png, .pdf or .svg" in capsys.readouterr().err


def test_profile_asks_for_what_it_does_not_know(tmp_path, capsys):
    write_maps(tmp_path / "maps.fits", disc())
    arguments = ["profile", str(tmp_path / "maps.fits"), "--out", str(tmp_path / "p.ecsv")]
    assert main(arguments) == 2
    assert "give --ellipse RA,DEC,A,B,PA" in capsys.readouterr().err
    assert main([*arguments[:-1], str(tmp_path / "p.txt")]) == 2
    assert ".ecsv or .csv" in capsys.readouterr().err
