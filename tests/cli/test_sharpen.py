"""The command `cli.sharpen`: from files to a file, again from its result, and refusals that
a person understands.
"""

import numpy as np
import pytest
from astropy.io import fits

from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.fits_io.map_files import read_maps, write_maps
from napari_galaxy_maps.fits_io.recipe_files import read_recipe
from napari_galaxy_maps.sed.dust_light import brightness_per_mass
from tests.conftest import write_image
from tests.sharpen.scene import (
    COARSE_PIXEL,
    FWHM,
    MD,
    PIXEL,
    SIZE,
    coarse_map,
    grid,
    maps_of,
    predicted,
    true_plane,
)

KELVIN = 21.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A prediction, coarse maps, and an image at 250 micron of the same dust."""
    folder = tmp_path_factory.mktemp("sharpen")
    maps = predicted()
    kelvin = np.full((SIZE, SIZE), KELVIN, np.float32)
    warm = maps_of({MD: 10 ** maps.values[MD].astype(float)}, {MD: 0.3}, maps.wcs, FWHM)
    warm.values["T_DUST"] = kelvin  # type: ignore[index]
    write_maps(folder / "maps.fits", warm)
    write_maps(folder / "low.fits", coarse_map(0.02))
    return folder


@pytest.fixture
def here(folder, monkeypatch, tmp_path):
    monkeypatch.chdir(folder)
    return lambda *words: main(["sharpen", *map(str, words), "--quiet"])


def test_from_files_to_a_file_and_again_from_its_recipe(folder, here, tmp_path, capsys):
    one, two = tmp_path / "one.fits", tmp_path / "two.fits"
    assert here("maps.fits", "low.fits", "--beyond", "galaxy", "--out", one) == 0
    recipe = read_recipe(one)
    assert recipe.sharpen.coarse == "low.fits"
    assert recipe.sharpen.beyond == "galaxy"
    made = read_maps(one)
    assert "LOG_SIGMA_MD" in made.provenance["sharpened"]
    assert "low.fits sha256" in made.provenance["inputs"]["coarse map"]
    with fits.open(one) as hdus:
        change = made.values[MD] - read_maps("maps.fits").values[MD]
        np.testing.assert_allclose(hdus["LOG_SIGMA_MD_CORRECTION"].data, change, atol=1e-5)
        assert hdus["LOG_SIGMA_MD_CORRECTION"].header["BUNIT"] == "dex"
    assert here("maps.fits", "--recipe", one, "--out", two) == 0
    for name, plane in made.values.items():
        np.testing.assert_array_equal(read_maps(two).values[name], plane)
        if name in made.errors:
            np.testing.assert_array_equal(read_maps(two).errors[name], made.errors[name])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["maps.fits"], "Which coarse map is trusted is not told"),
        (["maps.fits", "none.fits"], "is not there"),
        (["maps.fits", "low.fits", "--coarse-fwhm", "11"], "only a wider one can be made finer"),
        (["maps.fits", "low.fits", "--image", "SPIRE_250"], "holds maps and no image"),
        (["maps.fits", "image.fits"], "name its band"),
        (["maps.fits", "image.fits", "--image", "SPIRE_25"], "SPIRE_25"),
        (
            ["maps.fits", "image.fits", "--image", "WISE_12", "--coarse-fwhm", "30"],
            "does not show the bulk of the dust",
        ),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_written(here, folder, tmp_path, capsys, words, said):
    if "image.fits" in words:
        _image(folder / "image.fits")
    out = tmp_path / "out.fits"
    assert here(*words, "--out", out) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()


def _image(path, size=40, pixel=6.0):
    """The true dust's light at 250 micron with a sky of noise, at a PSF of 18 arcsec."""
    from napari_galaxy_maps.measure.compare.grid_and_psf import brought

    exact = maps_of({MD: true_plane()}, {}, grid(SIZE, PIXEL), FWHM)
    seen, _ = brought(exact, (grid(size, pixel), (size, size)), (FWHM, 18.0))
    mass = np.nan_to_num(10 ** seen.values[MD].astype(float))
    light = mass * brightness_per_mass(np.full(mass.shape, KELVIN), "SPIRE_250", 0.0)
    # Sky all around, for what is subtracted and told as noise.
    around = np.zeros((3 * size, 3 * size))
    around[size : 2 * size, size : 2 * size] = light
    noise = 0.003 * light.max() * np.random.default_rng(3).standard_normal(around.shape)
    words = {"BUNIT": "MJy/sr", "FILTER": "SPIRE 250"}
    write_image(path, (around + noise).astype("f4"), grid(3 * size, pixel), **words)


def test_an_image_is_followed_through_the_temperature(folder, here, tmp_path):
    _image(folder / "image.fits")
    out = tmp_path / "fine.fits"
    assert here("maps.fits", "image.fits", "--image", "SPIRE_250", "--out", out) == 0
    made, before = read_maps(out), read_maps("maps.fits")
    bright = true_plane() > 0.1 * true_plane().max()
    away = [float(np.std((each.values[MD] - np.log10(true_plane()))[bright])) for each in
            (before, made)]  # fmt: skip
    level = float(np.median((made.values[MD] - np.log10(true_plane()))[bright]))
    assert away[1] < 0.5 * away[0]
    assert abs(level) < 0.05
    np.testing.assert_array_equal(made.values["T_DUST"], before.values["T_DUST"])


def test_a_result_is_not_sharpened_twice(folder, here, tmp_path, capsys):
    once = tmp_path / "once.fits"
    assert here("maps.fits", "low.fits", "--out", once) == 0
    assert here(once, "low.fits", "--out", tmp_path / "twice.fits") == 2
    assert "sharpened already" in capsys.readouterr().err


def test_coarse_pixels_of_any_size_do(folder, here, tmp_path):
    size = round(COARSE_PIXEL * 20 / 20)
    write_maps(folder / "wide.fits", coarse_map(0.02, wcs=grid(size, 20.0), size=size))
    assert here("maps.fits", "wide.fits", "--out", tmp_path / "fine.fits") == 0
