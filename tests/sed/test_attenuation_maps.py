"""Maps of attenuation and images without dust of a cube: units, flags, errors, what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from napari_galaxy_maps.bands.registry import INPUT_BANDS
from napari_galaxy_maps.data.cube import BandCube
from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.properties import ATTENUATION
from napari_galaxy_maps.data.recipe import LibrarySettings
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.cube_files import read_cube, write_cube
from napari_galaxy_maps.fits_io.map_files import read_maps, write_maps
from napari_galaxy_maps.progress import run_to_end
from napari_galaxy_maps.sed.attenuation_maps import (
    attenuation_steps,
    check_bands,
    loosened,
    what_is_missing,
)
from napari_galaxy_maps.sed.compose import DIMMED
from napari_galaxy_maps.sed.fitted_maps import on_grid, record_of_fit
from napari_galaxy_maps.sed.library import build_library
from napari_galaxy_maps.sed.likelihood import light_of_data
from napari_galaxy_maps.sed.priors import for_attenuation, nodes
from tests.conftest import tan_wcs

BANDS = INPUT_BANDS
SHAPE = (6, 10)


@pytest.fixture(scope="module")
def library():
    settings = for_attenuation(LibrarySettings(n_models=6000), BANDS)
    return build_library(settings, 0.0, cache=False)


@pytest.fixture(scope="module")
def truth():
    """Models of another seed, a pixel each."""
    settings = for_attenuation(LibrarySettings(n_models=100, seed=5), BANDS)
    models = build_library(settings, 0.0, cache=False)
    return models, 3e7 / light_of_data(0.0, None)


@pytest.fixture(scope="module")
def cube(truth):
    models, scale = truth
    n = SHAPE[0] * SHAPE[1]
    light = models.light[:n, models.columns(BANDS)].T * scale
    error = 0.04 * light
    data = light + error * np.random.default_rng(2).standard_normal(light.shape)
    data, error = (a.reshape(len(BANDS), *SHAPE).astype(np.float32) for a in (data, error))
    mask = np.zeros(SHAPE, bool)
    mask[0, 0] = True
    data[BANDS.index("GALEX_FUV"), 0, 1] = np.nan
    data[:, 0, 2] = np.nan
    data[3:6, 0, 2] = 1.0  # optical alone
    error[:, 0, 3] = 100 * data[:, 0, 3]
    return BandCube(
        data, error, BANDS, tan_wcs(SHAPE, 4.0), 12.0, 4.0, 200.0, mask, mask.astype(np.int16), "G",
        correlation=np.full(len(BANDS), 2.0), redshift=0.0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def found(cube, library):
    return run_to_end(attenuation_steps(cube, library, "cpu"))


def test_maps_are_of_the_dust_in_front(found, truth):
    models, _ = truth
    assert tuple(found.maps.values) == ATTENUATION and set(found.maps.errors) == set(ATTENUATION)
    n = SHAPE[0] * SHAPE[1]
    for name in ("A_FUV", "A_V"):
        plane, error = found.maps.values[name].ravel(), found.maps.errors[name].ravel()
        off = (plane - models.properties[name][:n]) / error
        assert 0.5 < np.nanmean(np.abs(off) < 1) < 0.9
    light = np.log10(models.visual[:n] * 3e7)
    assert np.nanmedian(np.abs(found.maps.values["LOG_SIGMA_V"].ravel() - light)) < 0.08
    assert found.maps.provenance["imf"] == "Salpeter"


def test_images_are_the_measured_ones_brightened(found, cube):
    rows = [BANDS.index(band) for band in DIMMED]
    assert found.cube.bands == DIMMED and not found.cube.dimmed
    data = cube.data[rows]
    inner = np.s_[:, 1:]
    taken = found.dimmed[0][inner]
    brightened = 2.5 * np.log10(found.cube.data[inner] / data[inner])
    # As far as the medians of a light and of its attenuation go together.
    np.testing.assert_allclose(brightened, taken, atol=0.2)
    assert np.all(found.cube.uncertainty[inner] > 0.5 * cube.uncertainty[rows][inner])
    assert np.all((found.cube.systematic > 0.01) & (found.cube.systematic < 1))


def test_what_was_not_measured_is_not_made_up(found):
    fuv = found.cube.bands.index("GALEX_FUV")
    assert np.isnan(found.cube.data[fuv, 0, 1]) and np.isfinite(found.cube.data[1, 0, 1])
    assert np.isfinite(found.maps.values["A_FUV"][0, 1])
    assert np.isnan(found.maps.values["A_FUV"][0, 0])  # masked
    assert np.isnan(found.cube.data[:, 0, 0]).all()


def test_flags_tell_where_the_bands_do_not(found):
    flags = found.maps.flags
    assert flags[0, 0] == Flag.MASKED
    assert flags[0, 1] & Flag.BAND_MISSING and not flags[0, 1] & Flag.DUST_UNTOLD
    assert flags[0, 2] & Flag.DUST_UNTOLD and flags[0, 2] & Flag.BAND_MISSING
    assert flags[0, 3] & Flag.FAINT and flags[0, 3] & Flag.DUST_UNTOLD
    assert not flags[3, 5] & (Flag.FAINT | Flag.DUST_UNTOLD | Flag.BAND_MISSING)
    np.testing.assert_array_equal(found.cube.flags, flags)


def test_files_hold_all_of_it(found, cube, tmp_path):
    maps, images = tmp_path / "maps.fits", tmp_path / "images.fits"
    write_maps(maps, found.maps, extra=found.hdus())
    write_cube(images, found.cube, found.maps.provenance, extra=found.cube_hdus())
    again, read = read_maps(maps), read_cube(images)
    np.testing.assert_array_equal(again.values["A_FUV"], found.maps.values["A_FUV"])
    np.testing.assert_array_equal(again.galaxy_errors["A_V"], found.maps.errors["A_V"])
    np.testing.assert_array_equal(read.data, found.cube.data)
    np.testing.assert_allclose(read.systematic, found.cube.systematic, rtol=1e-6)
    assert not read.dimmed and "SED fit" in read.provenance["model"]
    from astropy.io import fits

    with fits.open(maps) as hdus:
        assert hdus["A_FUV"].header["BUNIT"] == hdus["A_FUV_P84"].header["BUNIT"] == "mag"
        low, high = (hdus[f"A_V_P{level}"].data for level in (16, 84))
        assert np.all((low <= high)[1:]) and np.isfinite(hdus["CHI2"].data[1:]).all()
    with fits.open(images) as hdus:
        assert (
            hdus["DIMMED"].shape == hdus["DATA"].shape and hdus["DATA"].header["BUNIT"] == "MJy/sr"
        )


def test_no_model_is_fitted_to_images_without_dust(found, library):
    with pytest.raises(InputError, match="images without dust"):
        run_to_end(attenuation_steps(found.cube, library, "cpu"))
    with pytest.raises(InputError, match="measured"):
        found.cube.only(["SDSS_r"]).check_dimmed()


def test_bands_that_tell_nothing_are_said_or_refused(cube):
    assert what_is_missing(BANDS) == ""
    assert "no ultraviolet" in what_is_missing([b for b in BANDS if "GALEX" not in b])
    assert "neither" in what_is_missing(["SDSS_g", "SDSS_r", "SDSS_i"])
    assert "colours of starlight" in what_is_missing(["GALEX_FUV", "SDSS_r", "SDSS_i"])
    with pytest.raises(InputError, match="no ultraviolet or optical"):
        check_bands(["WISE_3.4", "WISE_12", "WISE_22"])
    with pytest.raises(InputError, match="only GALEX_FUV and SDSS_r"):
        check_bands(["GALEX_FUV", "SDSS_r"])
    nothing = replace(cube, mask=np.ones(SHAPE, bool))
    with pytest.raises(InputError, match="No pixel of G"):
        run_to_end(attenuation_steps(nothing, build_library(LibrarySettings(n_models=200), 0.0)))


def test_only_the_light_of_dust_is_loosened():
    data, error = np.full((3, 2), 4.0), np.full((3, 2), 1.0)
    bands = ["SDSS_r", "WISE_4.6", "WISE_12"]
    np.testing.assert_allclose(loosened(data, error, bands)[:, 0], [1, 1, np.sqrt(2)])


def test_the_prior_of_attenuation_gives_way_to_what_is_asked_for():
    own = for_attenuation(LibrarySettings(slope=[-0.1, 0.1]), BANDS)
    assert list(nodes(own)["slope"]) == [-0.1, 0.1] and nodes(own)["ebv"][-1] == 1.2
    assert for_attenuation(LibrarySettings(prior="dustpedia"), BANDS).ebv is None
    # Where nothing shows dust, the prior is not opened either.
    assert for_attenuation(LibrarySettings(), ["SDSS_g", "GALEX_FUV"]).ebv is None


def test_fitted_pixels_go_back_to_their_places_and_say_what_was_fitted(cube, library):
    pixels = np.array([0, 13, 59])
    planes = on_grid(cube, pixels, np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    assert planes.shape == (2, *SHAPE) and np.isfinite(planes).sum() == 6
    assert planes[1, 1, 3] == 5 and planes[0, 5, 9] == 3
    told, shared = record_of_fit(cube, library, "a fit", ["odd"])
    assert told["model"] == "a fit" and told["note"][-1] == "odd" and shared == 2.0
    assert told["bands"].split(", ") == [band for band in cube.bands if band in library.bands]
