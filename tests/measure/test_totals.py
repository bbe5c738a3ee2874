"""Whole-galaxy values are those of an analytic disc, and the integrated fluxes are those of the
cube.
"""

from dataclasses import replace

import numpy as np
import pytest
from astropy.table import QTable

from napari_galaxy_maps import pipeline
from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.constants import PC_PER_MPC_ARCSEC, SR_PER_ARCSEC2
from napari_galaxy_maps.data.cube import BandCube
from napari_galaxy_maps.data.galaxy import Ellipse
from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.cube_files import read_cube, write_cube
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.fits_io.map_files import write_maps
from napari_galaxy_maps.measure.apertures.aperture import Aperture
from napari_galaxy_maps.measure.apertures.photometry import measure_apertures
from napari_galaxy_maps.measure.apertures.planes import planes_of
from napari_galaxy_maps.measure.apertures.totals import galaxy_totals, integrated_cube
from napari_galaxy_maps.pipeline import PredictionMemory, predict_global, predict_steps, provenance
from napari_galaxy_maps.prepare.masks.mask_set import Masks
from napari_galaxy_maps.prepare.stars.star_list import Star
from napari_galaxy_maps.prepare.steps import prepare, prepare_steps
from napari_galaxy_maps.progress import run_to_end
from tests.conftest import tan_wcs
from tests.measure.test_profiles import DISC, KPC, H, disc

SHAPE = (61, 61)


def cube_of(data, error=0.1, bands=("SDSS_r", "WISE_3.4"), **more):
    data = np.asarray(data, "f4")
    return BandCube(
        data, np.full(data.shape, error, "f4"), bands, tan_wcs(SHAPE, 4.0), 12.0, 4.0,
        4 * 10 * PC_PER_MPC_ARCSEC,
        np.zeros(SHAPE, bool), np.zeros(SHAPE, np.int16), "NGC 0", **more,
    )  # fmt: skip


def test_totals_of_an_exponential_disc():
    temperature = np.full((301, 301), 22.0)
    maps = disc(LOG_SIGMA_SFR=temperature * 0 - 2, LOG_SIGMA_HI=temperature * 0 + 7)
    ellipse = Ellipse(150.0, 2.0, 150.0, 75.0, 40.0)
    table = {row["map"]: row for row in galaxy_totals(maps, ellipse)}
    stars = 2 * np.pi * H**2 * 0.5 * 1e8 * (1 - np.exp(-150 / H) * (1 + 150 / H)) * KPC**2
    row = table["LOG_SIGMA_STAR"]
    assert row["value"] == pytest.approx(stars, rel=5e-3) and row["unit"] == "solMass"
    assert row["log10"] == pytest.approx(np.log10(stars), abs=2e-3) and row[
        "log10_err_max"
    ] == pytest.approx(0.05, rel=1e-3)
    assert 0 < row["err"] < 0.1 * row["err_max"]
    area = np.pi * 150 * 75 * KPC**2
    assert table["LOG_SIGMA_SFR"]["value"] == pytest.approx(0.01 * area, rel=1e-3)
    assert (
        table["LOG_SIGMA_SFR"]["unit"] == "solMass / yr"
        and table["LOG_SIGMA_HI"]["unit"] == "solMass"
    )
    # without a dust mass map the temperature is averaged over area: mean radius 2/3 of 150 arcsec
    assert table["T_DUST"]["value"] == pytest.approx(25 - 100 / 50, abs=0.01) and np.isnan(
        table["T_DUST"]["log10"]
    )
    everything = {row["map"]: row for row in galaxy_totals(maps)}
    assert everything["LOG_SIGMA_SFR"]["n_pixels"] == pytest.approx(301**2, rel=1e-6)


def test_the_temperature_is_weighted_by_dust_mass():
    left = np.broadcast_to(np.arange(301) < 150, (301, 301))
    maps = disc(LOG_SIGMA_MD=np.where(left, 6.0, 2.0), T_DUST=np.where(left, 18.0, 40.0))
    table = {row["map"]: row for row in galaxy_totals(maps, DISC)}
    assert (
        table["T_DUST"]["value"] == pytest.approx(18, abs=0.01)
        and table["T_DUST"]["weight"] == "LOG_SIGMA_MD"
    )


def test_blank_pixels_are_made_up_for_if_asked():
    maps = disc(LOG_SIGMA_HI=np.full((301, 301), 7.0))
    maps.values["LOG_SIGMA_HI"][100:120] = np.nan
    plain, whole = (galaxy_totals(maps, DISC, correct_masked=c) for c in (False, True))
    one, other = (t[t["map"] == "LOG_SIGMA_HI"]["value"][0] for t in (plain, whole))
    assert other == pytest.approx(1e7 * np.pi * 5000 * KPC**2, rel=1e-4) and one < 0.95 * other


def test_the_integrated_cube_holds_the_galaxys_fluxes():
    rng = np.random.default_rng(0)
    data = rng.normal(3.0, 0.1, (2, *SHAPE))
    data[1] += 2
    ellipse = Ellipse(150.0, 2.0, 80.0, 40.0, 20.0)
    single = integrated_cube(
        cube_of(data, correlation=np.array([0.0, 0.0]), systematic=np.array([0.0, 0.02])), ellipse
    )
    assert single.shape == (1, 1) and single.bands == ("SDSS_r", "WISE_3.4")
    np.testing.assert_allclose(single.data[:, 0, 0], [3, 5], atol=0.02)
    n = np.pi * 80 * 40 / 16
    assert single.uncertainty[0, 0, 0] == pytest.approx(0.1 / np.sqrt(n), rel=0.02)
    assert single.uncertainty[1, 0, 0] == pytest.approx(0.02 * 5, rel=0.1)
    assert single.pixel_arcsec**2 == pytest.approx(np.pi * 80 * 40, rel=1e-4)
    assert single.pixel_pc == pytest.approx(single.pixel_arcsec * 10 * PC_PER_MPC_ARCSEC)


def test_a_band_with_holes_has_no_integrated_flux_and_masked_pixels_do_not_count():
    data = np.full((2, *SHAPE), 3.0)
    data[0, :, :20] = np.nan
    cube = cube_of(data)
    cube.data[:, 30:33, 30:33] = 1e6
    cube.mask[30:33, 30:33] = True
    single = integrated_cube(cube)
    assert np.isnan(single.data[0, 0, 0]) and single.data[1, 0, 0] == pytest.approx(3)
    cube.mask[:] = True
    with pytest.raises(
        InputError, match="NGC 0 has no pixel inside the ellipse that is not masked"
    ):
        integrated_cube(cube)


@pytest.fixture
def starry(galaxy_folder):
    """A cube of three bands of which two have a bright star each, masked there, elsewhere; and the
    cube without stars.
    """
    recipe = Recipe.from_tree(
        {"galaxy": {"ra": 150.0, "dec": 2.0, "d25": 2.5}, "psf": {"target": 9.0}}
    )
    folder = galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0, "SDSS_r": 2.5})
    galaxy = read_galaxy([folder], recipe)
    images, stars = dict(galaxy.images), []
    for band, east, radius in (("SDSS_r", 30.0, 12.0), ("WISE_3.4", -35.0, 24.0)):
        image, ra = images[band], 150 + east / 3600
        x, y = image.wcs.world_to_pixel_values(ra, 2.0)
        rows, columns = np.indices(image.shape)
        width = 2 * (2.0 / image.pixel_arcsec) ** 2  # of a star of 2 arcsec sigma
        light = 50 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / width)
        images[band] = image.evolve(data=image.data + light.astype("f4"))
        stars.append(Star(band, ra, 2.0, 12.0, "hand", {band: radius}))
    spoilt = replace(galaxy, images=images)
    made = run_to_end(prepare_steps(spoilt, recipe, masks=Masks(tuple(stars))))
    return made, prepare(galaxy, recipe)


def test_a_bands_sum_leaves_out_its_own_stars_alone(starry, tmp_path):
    cube, clean = starry
    write_cube(tmp_path / "cube.fits", cube, {})
    aperture = Aperture(Ellipse(150.0, 2.0, 60.0, 60.0, 0.0))
    found, whole, back = (
        {row["map"]: row for row in measure_apertures(source, [aperture])}
        for source in (cube, clean, read_cube(tmp_path / "cube.fits"))
    )
    assert found["2MASS_J"]["sum"] == pytest.approx(whole["2MASS_J"]["sum"], rel=1e-6)
    assert found["2MASS_J"]["n_masked"] == 0
    for i, band in enumerate(cube.bands):
        assert back[band]["sum"] == found[band]["sum"]
        own = np.where(cube.own_masks[i] & ~clean.mask, clean.data[i], 0).sum(dtype=float)
        lost = own * cube.pixel_arcsec**2 * SR_PER_ARCSEC2 * 1e6
        full = whole[band]["sum"]
        assert found[band]["sum_measured"] == pytest.approx(full - lost, rel=3e-3)
        assert found[band]["sum"] == pytest.approx(full, rel=0.01)
        assert (lost > 0.01 * full) == (band != "2MASS_J")
    # an older file, which knows no band's own mask, keeps its numbers
    older = replace(cube.masked_alike(), masked_light=None)
    old = {row["map"]: row for row in measure_apertures(older, [aperture])}
    assert len({float(row["n_masked"]) for row in old.values()}) == 1
    assert old["2MASS_J"]["sum"] < 0.98 * whole["2MASS_J"]["sum"]


def test_integrated_fluxes_are_of_the_same_pixels_in_all_bands(starry):
    cube, clean = starry
    single = integrated_cube(cube, fill=False)
    np.testing.assert_allclose(
        single.data[:, 0, 0], np.nanmean(np.where(cube.mask, np.nan, cube.data), (1, 2)), rtol=1e-5
    )
    filled, whole = (integrated_cube(source) for source in (cube, clean))
    np.testing.assert_allclose(filled.data, whole.data, rtol=0.01)
    assert filled.pixel_arcsec == pytest.approx(whole.pixel_arcsec, rel=1e-5)


def test_totals_without_a_distance_are_asked_for():
    maps = disc()
    unknown = PropertyMaps(maps.values, maps.errors, maps.wcs, maps.flags)
    with pytest.raises(InputError, match=r"Totals need the galaxy's distance"):
        galaxy_totals(unknown, DISC)
    assert galaxy_totals(planes_of(unknown, distance_mpc=10.0), DISC)["value"][0] > 0


@pytest.fixture
def predicted(galaxy_folder):
    """Maps, cube and recipe of a galaxy of one colour all over, predicted by dust-forest."""
    recipe = Recipe.from_tree({"galaxy": {"ra": 150.0, "dec": 2.0, "d25": 2.5, "distance": 10.0}})
    galaxy = read_galaxy(
        [galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0, "2MASS_Ks": 9.0, "SDSS_r": 2.5})], recipe
    )
    memory = PredictionMemory()
    maps = run_to_end(predict_steps(galaxy, recipe, memory))
    return maps, memory.cube, recipe, galaxy


@pytest.mark.slow
def test_maps_and_integrated_fluxes_of_a_galaxy_of_one_colour_agree(predicted):
    """Every pixel has the same colours, so that both ways see the same galaxy; they differ by the
    model alone.
    """
    maps, cube, recipe, galaxy = predicted
    single = predict_global(cube, recipe, galaxy.ellipse)
    assert single.shape == (1, 1) and np.isfinite(single.values["LOG_SMD"]).all()
    assert float(single.provenance["distance_mpc"]) == pytest.approx(10)
    table = {row["map"]: row for row in galaxy_totals(maps, galaxy.ellipse, single)}
    for name, row in table.items():
        assert np.isfinite(row["global"]), name
        if np.isfinite(row["log10"]) and row["value"] > 0:
            assert row["difference"] == pytest.approx(
                row["log10"] - np.log10(row["global"]), abs=1e-6
            )
    assert abs(table["LOG_SIGMA_STAR"]["difference"]) < 0.1
    scaled = {
        row["map"]: row for row in galaxy_totals(maps, galaxy.ellipse, single, correct_masked=True)
    }
    assert scaled["T_DUST"]["global"] == table["T_DUST"]["global"]
    assert scaled["LOG_SIGMA_STAR"]["global"] >= table["LOG_SIGMA_STAR"]["global"]


@pytest.mark.slow
def test_measure_total_on_the_command_line(predicted, tmp_path, capsys, monkeypatch):
    maps, cube, recipe, galaxy = predicted
    told = recipe.with_values(["galaxy.hubble_stage=3"]).to_toml()
    write_maps(tmp_path / "maps.fits", replace(maps, provenance=maps.provenance | {"recipe": told}))
    other = replace(cube, hubble_stage=7.0)
    write_cube(tmp_path / "cube.fits", other, provenance(galaxy, recipe))
    stages = []
    monkeypatch.setattr(
        pipeline,
        "predict_global",
        lambda cube, *more: stages.append(cube.hubble_stage) or predict_global(cube, *more),
    )
    out = tmp_path / "t.ecsv"
    arguments = [
        "measure",
        str(tmp_path / "maps.fits"),
        "--total",
        "--cube",
        str(tmp_path / "cube.fits"),
        "--out",
        str(out),
    ]
    assert main(arguments) == 0
    assert "LOG_SIGMA_MD" in capsys.readouterr().out
    assert stages == [3], "as the maps, and not as the cube"
    table = QTable.read(out)
    alike = replace(cube, hubble_stage=3.0)
    expected = galaxy_totals(maps, galaxy.ellipse, predict_global(alike, recipe, galaxy.ellipse))
    np.testing.assert_allclose(table["value"], expected["value"], rtol=1e-5)
    np.testing.assert_allclose(table["difference"], expected["difference"], atol=1e-4)
    assert (
        main(
            ["measure", str(tmp_path / "cube.fits"), "--total", "--out", str(tmp_path / "no.ecsv")]
        )
        == 2
    )
    assert "holds no maps" in capsys.readouterr().err
