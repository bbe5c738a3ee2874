"""Truth maps from the far infrared: against mock galaxies whose truth is known, as files, and what
is refused.
"""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.data.flags import Flag, words_of
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.fits_io.map_files import read_maps
from napari_galaxy_maps.fits_io.recipe_files import read_recipe
from napari_galaxy_maps.measure.compare.comparison import compare, pixels_of
from napari_galaxy_maps.mocks.writing import mock_steps, view_for
from napari_galaxy_maps.pipeline import truth_cube_steps, truth_maps_steps, truth_recipe
from napari_galaxy_maps.progress import run_to_end
from napari_galaxy_maps.sed.truth import ORDER, far_infrared, log_with_error

pytestmark = pytest.mark.usefixtures("cached_libraries")

MODELS = "sed.n_models=5000"


@pytest.fixture(scope="module")
def mock(tmp_path_factory):
    """A spiral galaxy in all 26 bands, with its truth and recipe."""
    folder = tmp_path_factory.mktemp("mock")
    run_to_end(mock_steps(3, view_for("all", 96, 4.0), folder, "spiral", inclination=40.0))
    return folder


@pytest.fixture(scope="module")
def images(mock):
    """The mock's images, its truth left out."""
    return sorted(path for path in mock.glob("*.fits") if path.name != "truth.fits")


@pytest.fixture(scope="module")
def fitted(mock, images, cache):
    """The truth maps of the mock's images, in memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GALAXY_MAPS_CACHE", str(cache))
        recipe = read_recipe(mock / "recipe.toml").with_values(
            [MODELS, "sed.imf=chabrier", "model.device=cpu"]
        )
        return run_to_end(truth_maps_steps(read_galaxy(images, recipe), recipe))


@pytest.mark.slow
def test_the_mocks_own_truth_is_found_again(fitted, mock):
    maps = fitted.truth.maps
    assert tuple(maps.values) == tuple(maps.errors) == ORDER
    assert np.isfinite(maps.values["T_DUST"]).sum() > 20
    compared = compare(maps, read_maps(mock / "truth.fits"))
    for name, bias, scatter in (
        ("LOG_SLD", 0.08, 0.12), ("LOG_SIGMA_LD", 0.06, 0.08), ("LOG_SIGMA_LSTAR", 0.06, 0.1),
        ("LOG_SIGMA_MD", 0.12, 0.15),
        ("T_DUST", 2.5, 2.0), ("LOG_SMD", 0.25, 0.3),
    ):  # fmt: skip
        residual = pixels_of([compared], name).residual
        assert abs(np.median(residual)) < bias, name
        assert np.std(residual) < scatter, name
    assert np.nanmedian(fitted.truth.chi2) < 3


def test_it_is_at_the_resolution_of_the_worst_far_infrared_band_and_says_what_it_is(fitted):
    maps = fitted.truth.maps
    assert (
        fitted.cube.fwhm == 36.0
        and maps.provenance["fwhm"] == 36.0
        and len(fitted.cube.bands) == 26
    )
    assert maps.provenance["imf"] == "Chabrier" and "n_models = 5000" in maps.provenance["recipe"]
    assert (
        'target = "SPIRE_500"' in maps.provenance["recipe"] and maps.provenance["distance_mpc"] > 1
    )
    assert maps.provenance["inputs"]["PACS_100"].startswith("PACS_100.fits")
    assert any("model spectra at the redshift" in note for note in maps.provenance["note"])
    for name in ORDER:
        error = maps.errors[name][np.isfinite(maps.values[name])]
        assert not (error <= 0).any() and np.isfinite(error).mean() > 0.98, name
    outside = (maps.flags & Flag.OUTSIDE) != 0
    assert np.isnan(maps.values["T_DUST"][outside]).all() and outside.any()


@pytest.mark.slow
def test_as_a_file_it_is_a_truth_like_any_other(mock, images, tmp_path, capsys):
    out = tmp_path / "truth.fits"
    arguments = [
        *map(str, images),
        "--recipe",
        str(mock / "recipe.toml"),
        "--set",
        MODELS,
        "--device",
        "cpu",
    ]
    assert main(["truth", *arguments, "--out", str(out)]) == 0
    output = capsys.readouterr().out
    assert (
        "LOG_SMD" in output
        and "at 36″, from 26 bands" in output
        and "model spectra at the redshift" in output
    )
    with fits.open(out) as hdus:
        names = {hdu.name for hdu in hdus}
        assert {*ORDER, *(f"{name}_ERR" for name in ORDER), "FLAGS", "CHI2", "RECIPE"} <= names
        assert hdus[0].header["IMF"] == "Salpeter" and hdus["CHI2"].shape == hdus["T_DUST"].shape
        assert hdus["FLAGS"].header["FLAG64"] == words_of(Flag.NO_MODEL_FITS)
    maps = read_maps(out)
    assert tuple(maps.values) == ORDER
    again = tmp_path / "again.fits"
    assert (
        main(["truth", *map(str, images), "--recipe", str(out), "--out", str(again), "--quiet"])
        == 0
    )
    assert all(
        np.array_equal(read_maps(again).values[n], maps.values[n], equal_nan=True) for n in ORDER
    )
    inputs = [str(path) for path in images if path.stem.startswith(("SDSS", "WISE", "2MASS"))]
    options = [
        "--recipe",
        str(mock / "recipe.toml"),
        "--truth",
        str(out),
        "--out",
        str(tmp_path / "maps.fits"),
    ]
    assert main(["predict", *inputs, *options]) == 0
    assert "LOG_SLD" in capsys.readouterr().out.partition("against")[2]
    assert main(["truth", *arguments, "--out", str(out)]) == 2, "it is there already"


@pytest.mark.slow
def test_a_prepared_cube_will_do(mock, images, tmp_path, capsys):
    cube, out = tmp_path / "cube.fits", tmp_path / "truth.fits"
    options = ["--recipe", str(mock / "recipe.toml"), "--quiet"]
    assert (
        main(
            [
                "prepare",
                *map(str, images),
                *options,
                "--resolution",
                "SPIRE_350",
                "--out",
                str(cube),
            ]
        )
        == 0
    )
    assert main(["truth", str(cube), "--set", MODELS, "--out", str(out), "--quiet"]) == 0
    assert float(read_maps(out).provenance["fwhm"]) == 25.0


@pytest.mark.parametrize(
    ("bands", "options", "words"),
    [
        (("SDSS_r", "WISE_3.4", "SPIRE_250"), (),
            "at least 3 far-infrared bands (70 to 500 micron), and there is only SPIRE_250"),
        (("SDSS_r", "WISE_3.4", "Spitzer_24", "PACS_70", "PACS_100"), (),
            "and there are only PACS_70 and PACS_100"),
        (("SDSS_r", "WISE_3.4"), (), "and there is none"),
        (("SDSS_r", "PACS_70", "PACS_100", "PACS_160"), ("--redshift", "7"),
            "--redshift: 7 is outside -0.003 to 0.6"),
        (("SDSS_r", "PACS_70", "PACS_100", "PACS_160"), ("--resolution", "5"), "none"),
        (("SDSS_r", "PACS_70", "PACS_100", "PACS_160"), ("--set", "sed.umin=[500]"), "sed.umin"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_in_one_line(mock, tmp_path, capsys, bands, options, words):
    out = tmp_path / "truth.fits"
    paths = [str(mock / f"{band}.fits") for band in bands]
    arguments = [
        "truth",
        *paths,
        "--recipe",
        str(mock / "recipe.toml"),
        "--out",
        str(out),
        *options,
    ]
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1 and not out.exists()


def test_without_redshift_and_distance_it_is_zero_and_that_is_said(fitted):
    recipe = truth_recipe(read_recipe_of(fitted), fitted.cube.bands)
    recipe.galaxy.distance = None
    cube = replace(fitted.cube, pixel_pc=None)
    notes = []
    truth = run_to_end(truth_cube_steps(cube, recipe), notes.append)
    assert "at redshift 0, for no redshift" in notes[0].detail and notes[0].lasting
    assert truth.maps.provenance["redshift"] == 0.0 and "distance_mpc" not in truth.maps.provenance
    recipe.galaxy.redshift = None
    truth = run_to_end(truth_cube_steps(replace(cube, redshift=0.013), recipe), notes.append)
    assert truth.maps.provenance["redshift"] == 0.013


def read_recipe_of(fitted):
    from napari_galaxy_maps.data.recipe import Recipe

    return Recipe.from_toml(fitted.truth.maps.provenance["recipe"])


def test_zero_errors_blank_far_infrared_and_what_fits_no_model(fitted):
    recipe, cube = read_recipe_of(fitted), fitted.cube
    with pytest.raises(InputError, match=r"errors of .* are zero"):
        run_to_end(
            truth_cube_steps(replace(cube, uncertainty=np.zeros_like(cube.uncertainty)), recipe)
        )
    data = cube.data.copy()
    far = [cube.bands.index(name) for name in far_infrared(cube.bands)]
    data[far[2:]] = np.nan
    with pytest.raises(InputError, match="No pixel of Mock 3 has 3 of its far-infrared bands"):
        run_to_end(truth_cube_steps(replace(cube, data=data), recipe))
    data = cube.data.copy()
    data[::2] *= 30
    truth = run_to_end(truth_cube_steps(replace(cube, data=data), recipe))
    there = np.isfinite(truth.maps.values["T_DUST"])
    assert ((truth.maps.flags[there] & Flag.NO_MODEL_FITS) != 0).mean() > 0.9
    assert np.nanmedian(truth.chi2) > 10


def test_a_pixel_with_two_far_infrared_bands_has_no_truth(fitted):
    cube = fitted.cube
    row, column = np.argwhere(np.isfinite(fitted.truth.maps.values["T_DUST"]))[0]
    data = cube.data.copy()
    far = [cube.bands.index(name) for name in far_infrared(cube.bands)]
    data[far[2:], row, column] = np.nan
    truth = run_to_end(truth_cube_steps(replace(cube, data=data), read_recipe_of(fitted)))
    assert np.isnan(truth.maps.values["LOG_SMD"][row, column]) and np.isnan(truth.chi2[row, column])
    assert (
        np.isfinite(truth.maps.values["LOG_SMD"]).sum()
        == np.isfinite(fitted.truth.maps.values["LOG_SMD"]).sum() - 1
    )


def test_an_error_in_dex_is_the_relative_one_while_small_and_finite_when_large():
    value, error = log_with_error(np.array([100.0, 1.0, 0.0]), np.array([1.0, 10.0, 1.0]))
    assert value[0] == 2 and error[0] == pytest.approx(0.01 / np.log(10), rel=1e-3)
    assert (
        error[1] == pytest.approx(np.sqrt(np.log(101)) / np.log(10))
        and np.isnan([value[2], error[2]]).all()
    )
