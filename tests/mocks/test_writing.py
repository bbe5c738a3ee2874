"""A mock galaxy's files are read by the program as any observatory's, and the truth lies beside
them.
"""

import numpy as np
import pytest

from napari_galaxy_maps.cli import main as cli
from napari_galaxy_maps.data.properties import PROPERTIES
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.fits_io.image_files import find_images
from napari_galaxy_maps.fits_io.map_files import read_maps
from napari_galaxy_maps.fits_io.recipe_files import read_recipe
from napari_galaxy_maps.mocks.mock import make_mock
from napari_galaxy_maps.mocks.population import draw_galaxy
from napari_galaxy_maps.mocks.view import View
from napari_galaxy_maps.mocks.writing import bands_of, d25, write_mock_steps
from napari_galaxy_maps.progress import run_to_end

BANDS = ("SDSS_g", "SDSS_r", "WISE_3.4", "SPIRE_250")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A mock spiral, and the folder that it was written to."""
    folder = tmp_path_factory.mktemp("mock")
    view = View(size=96, pixel_arcsec=3.0, bands=BANDS, distance_mpc=20.0, noise=0.2, stars=0.5)
    mock = make_mock(6, view, draw_galaxy(6, "spiral", 10.3, 40))
    run_to_end(write_mock_steps(mock, folder))
    return mock, folder


def images(folder):
    return find_images([folder / f"{band}.fits" for band in BANDS])


def test_every_file_tells_its_band_unit_and_psf(made):
    mock, folder = made
    found = {image.band.name: image for image in images(folder) if image.role == "image"}
    assert set(found) == set(BANDS)
    for band, image in found.items():
        assert image.unit == "MJy/sr"
        assert image.fwhm == pytest.approx(mock.view.fwhm_of(band), rel=0.01)
        assert not image.problems


def test_the_galaxy_is_read_with_its_errors_in_its_place(made):
    mock, folder = made
    galaxy = read_galaxy([folder], read_recipe(folder / "recipe.toml"))
    assert galaxy.distance_mpc == 20.0
    assert galaxy.ellipse.a == pytest.approx(d25(mock)[0] * 30)
    for band, image in galaxy.images.items():
        assert image.uncertainty is not None
        x, y = image.wcs.world_to_pixel(galaxy.position)
        middle = (np.array(image.shape) - 1) / 2
        assert (float(y), float(x)) == pytest.approx(tuple(middle), abs=0.6), band
        # The sum is kept in pixels of whatever size.
        mine = mock.data[BANDS.index(band)].sum() * mock.view.pixel_arcsec**2
        assert image.data.sum() * image.pixel_arcsec**2 == pytest.approx(mine, rel=0.03)


def test_broad_bands_come_in_larger_pixels(made):
    _, folder = made
    galaxy = read_galaxy([folder], read_recipe(folder / "recipe.toml"))
    assert galaxy.images["SDSS_g"].pixel_arcsec == pytest.approx(3.0)
    assert galaxy.images["SPIRE_250"].pixel_arcsec == pytest.approx(6.0)


def test_the_truth_is_a_maps_file(made):
    mock, folder = made
    truth = read_maps(folder / "truth.fits")
    assert set(truth.values) == set(PROPERTIES)
    assert truth.provenance["imf"] == "Chabrier"
    np.testing.assert_array_equal(truth.values["LOG_SIGMA_STAR"], mock.truth["LOG_SIGMA_STAR"])
    assert truth.provenance["mock"]["kind"] == "spiral"


def test_the_stars_are_a_catalogue(made):
    from napari_galaxy_maps.prepare.stars.catalogue import read_catalogue

    mock, folder = made
    table = read_catalogue(folder / "stars.ecsv")
    assert len(table) == len(mock.stars) > 3
    x, _ = mock.wcs.world_to_pixel_values(table["ra"], table["dec"])
    np.testing.assert_allclose(x, [star["x"] for star in mock.stars], atol=1e-3)
    assert table.meta["has_parallax"]


def test_the_ellipse_holds_the_galaxy(made):
    mock, _ = made
    diameter, ratio = d25(mock)
    assert ratio == pytest.approx(np.cos(np.radians(40)), abs=0.05)
    assert 2 * mock.galaxy.r_e / mock.pixel_kpc * 3 / 60 < diameter < 96 * 3 / 60


def test_the_command_makes_the_same_files_twice(tmp_path, capsys):
    for name in ("one", "two"):
        options = [
            "mock",
            "--seed",
            "3",
            "--size",
            "40",
            "--bands",
            "g,r",
            "--out",
            str(tmp_path / name),
        ]
        assert cli.main(options) == 0
    assert "Msun" in capsys.readouterr().out
    for name in ("SDSS_g.fits", "recipe.toml"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--size", "3"], "--size: 3 is outside 8 to 16384 pixels"),
        (["--kind", "comet"], "comet"),
        (["--seed", "-1"], "-1"),
        (["--bands", "Q"], "'Q'"),
        (["--distance", "-4"], "-4"),
        (["--log-mass", "20"], "20"),
    ],
)
def test_a_mistake_is_told_in_one_line_and_nothing_is_written(tmp_path, capsys, options, word):
    assert cli.main(["mock", "--seed", "1", "--out", str(tmp_path / "out"), *options]) == 2
    message = capsys.readouterr().err
    assert word in message and message.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_files_that_are_there_stay(tmp_path, capsys):
    options = ["mock", "--seed", "3", "--size", "40", "--bands", "g", "--out", str(tmp_path)]
    assert cli.main(options) == 0
    assert cli.main(options) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert cli.main([*options, "--overwrite", "--quiet"]) == 0


def test_bands_by_set_or_by_name():
    assert bands_of("ugriz") == tuple(f"SDSS_{b}" for b in "ugriz")
    assert bands_of("W1,g") == ("SDSS_g", "WISE_3.4")
    assert len(bands_of("all")) == 26


@pytest.mark.slow
def test_the_dust_model_knows_the_mock(tmp_path):
    """Trained on real galaxies alone, it finds the mock's dust about where the truth has it."""
    from napari_galaxy_maps.measure.compare.comparison import compare

    folder = tmp_path / "mock"
    made = [
        "mock",
        "--seed",
        "22",
        "--size",
        "120",
        "--kind",
        "spiral",
        "--log-mass",
        "10.3",
        "--inclination",
        "50",
        "--bands",
        "input",
    ]
    assert cli.main([*made, "--distance", "30", "--out", str(folder), "--quiet"]) == 0
    out = tmp_path / "maps.fits"
    assert (
        cli.main(
            [
                "predict",
                str(folder),
                "--recipe",
                str(folder / "recipe.toml"),
                "--pixel",
                "8",
                "--out",
                str(out),
                "--quiet",
            ]
        )
        == 0
    )
    table = compare(read_maps(out), read_maps(folder / "truth.fits")).scores()
    table = table[table["over"] == "pixels"]
    rmse = dict(zip(table["property"], table["rmse"], strict=True))
    assert rmse["LOG_SLD"] < 0.25
    assert rmse["LOG_SMD"] < 0.45
    assert rmse["T_DUST"] < 5


@pytest.mark.parametrize("told", [None, 0.0])
def test_a_redshift_that_a_view_tells_is_in_its_recipe(tmp_path, told):
    view = View(size=16, bands=("SDSS_r",), distance_mpc=60.0, redshift=told, noise=0.0)
    run_to_end(write_mock_steps(make_mock(5, view), tmp_path))
    assert read_recipe(tmp_path / "recipe.toml").galaxy.redshift == told
