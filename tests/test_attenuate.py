"""From a galaxy's images to maps of attenuation and images without dust, as `attenuate` does it,
and the sums that are taken of them.
"""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

from napari_galaxy_maps.attenuate import attenuation_cube_steps
from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.data.properties import ATTENUATION
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.cube_files import read_cube
from napari_galaxy_maps.fits_io.map_files import read_maps
from napari_galaxy_maps.mocks.mock import make_mock
from napari_galaxy_maps.mocks.population import draw_galaxy
from napari_galaxy_maps.mocks.view import View
from napari_galaxy_maps.mocks.writing import write_mock_steps
from napari_galaxy_maps.progress import run_to_end

BANDS = (
    "GALEX_FUV", "GALEX_NUV", "SDSS_u", "SDSS_g", "SDSS_r", "SDSS_i", "SDSS_z", "WISE_3.4",
    "WISE_12", "WISE_22", "PACS_100", "PACS_160",
)  # fmt: skip
SMALL = ["--set", "sed.n_models=4000", "--set", "sky.enabled=false", "--quiet"]


@pytest.fixture(scope="module")
def mock(tmp_path_factory, cache):
    """The folder of a spiral galaxy, all of its bands as sharp as WISE 22."""
    folder = tmp_path_factory.mktemp("mock")
    sharp = dict.fromkeys(BANDS, 12.0)
    view = View(size=40, pixel_arcsec=4.0, bands=BANDS, fwhm=sharp, distance_mpc=30.0)
    run_to_end(write_mock_steps(make_mock(4, view, draw_galaxy(4, "spiral")), folder))
    return folder


@pytest.fixture(scope="module")
def files(mock, tmp_path_factory):
    """Maps and images that the command makes of it."""
    out = tmp_path_factory.mktemp("out")
    maps, images = out / "maps.fits", out / "images.fits"
    recipe = ["--recipe", str(mock / "recipe.toml")]
    arguments = [str(mock), *recipe, "--out", str(maps), "--images", str(images), *SMALL]
    assert main(["attenuation", *arguments]) == 0
    return maps, images


def test_the_command_writes_maps_near_the_truth(files, mock):
    maps, truth = read_maps(files[0]), read_maps(mock / "truth.fits")
    assert tuple(maps.values) == ATTENUATION
    assert set(ATTENUATION) <= set(truth.values)

    def near_centre(of, name):
        n = of.shape[0] // 2
        return np.nanmedian(of.values[name][n - 5 : n + 5, n - 5 : n + 5])

    middle = {name: [near_centre(m, name) for m in (maps, truth)] for name in ATTENUATION}
    assert middle["A_FUV"][0] == pytest.approx(middle["A_FUV"][1], abs=0.6)
    assert middle["A_V"][0] == pytest.approx(middle["A_V"][1], abs=0.25)
    assert middle["LOG_SIGMA_V"][0] == pytest.approx(middle["LOG_SIGMA_V"][1], abs=0.1)
    assert "SDSS_g" in str(maps.provenance["inputs"]) and maps.provenance["distance_mpc"]


def test_images_without_dust_are_brighter_and_their_sums_have_errors(files, tmp_path):
    images = read_cube(files[1])
    assert images.bands == BANDS[:7] and not images.dimmed
    table = tmp_path / "sums.ecsv"
    ra, dec = images.wcs.wcs.crval
    where = ["--ellipse", f"{ra},{dec},40,40,0"]
    assert main(["measure", str(files[1]), *where, "--out", str(table), "--quiet"]) == 0
    found = QTable.read(table)
    assert {str(unit) for unit in found["sum_unit"]} == {"Jy"}
    relative = np.asarray(found["sum_err"]) / np.asarray(found["sum"])
    # What cannot be told is alike in all pixels: no sum averages it away.
    assert np.all(relative > 0.9 * images.systematic) and np.all(relative < 1)


def test_a_mean_attenuation_is_that_of_the_summed_light(files, tmp_path):
    maps = read_maps(files[0])
    table = tmp_path / "mean.ecsv"
    ra, dec = maps.wcs.wcs.crval
    where = ["--ellipse", f"{ra},{dec},40,40,0", "--map", "A_FUV"]
    assert main(["measure", str(files[0]), *where, "--out", str(table), "--quiet"]) == 0
    (row,) = QTable.read(table)
    assert row["weight"] == "LOG_SIGMA_FUV" and u.Unit(str(row["mean_unit"])) == u.mag
    y, x = np.indices(maps.shape)
    cx, cy = maps.wcs.wcs_world2pix([[ra, dec]], 0)[0]
    inside = np.hypot(x - cx, y - cy) * 4.0 < 40
    bare = 10.0 ** maps.values["LOG_SIGMA_FUV"][inside].astype(float)
    through = 10 ** (-0.4 * maps.values["A_FUV"][inside].astype(float))
    good = np.isfinite(bare * through)
    by_hand = -2.5 * np.log10((bare * through)[good].sum() / bare[good].sum())
    assert float(row["mean"]) == pytest.approx(by_hand, abs=0.02)
    plain = np.nanmean(maps.values["A_FUV"][inside])
    assert 0 < float(row["mean_err"]) < 2 and np.isfinite(plain)


def test_a_prepared_cube_gives_the_same(files, mock, tmp_path):
    cube, again = tmp_path / "cube.fits", tmp_path / "again.fits"
    recipe = ["--recipe", str(mock / "recipe.toml"), "--set", "impute.enabled=false"]
    assert main(["prepare", str(mock), *recipe, *SMALL, "--out", str(cube)]) == 0
    assert main(["attenuation", str(cube), "--out", str(again), *SMALL[:2], "--quiet"]) == 0
    for name in ATTENUATION:
        np.testing.assert_allclose(
            read_maps(again).values[name], read_maps(files[0]).values[name], rtol=1e-5
        )


@pytest.mark.parametrize("command", ["predict", "truth", "attenuation"])
def test_images_without_dust_are_refused_where_dust_is_fitted(command, files, tmp_path, capsys):
    out = tmp_path / "out.fits"
    assert main([command, str(files[1]), "--out", str(out)]) == 2
    message = capsys.readouterr().err
    assert "without dust" in message and "images.fits" in message and not out.exists()


def test_what_cannot_be_told_is_told(files):
    cube = read_cube(files[1])
    with pytest.raises(InputError, match="without dust"):
        run_to_end(attenuation_cube_steps(cube, Recipe()))
