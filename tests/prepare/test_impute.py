"""Gaps and negative pixels are filled by model spectra: right to their errors, in the given bands
only, and never from the far infrared.
"""

from dataclasses import replace

import numpy as np
import pytest

from napari_galaxy_maps.bands.registry import INPUT_BANDS
from napari_galaxy_maps.data.cube import BandCube
from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.masked_light import MaskedLight
from napari_galaxy_maps.data.recipe import ImputeSettings, LibrarySettings, Recipe
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.prepare import impute
from napari_galaxy_maps.prepare.impute import fill_steps, impute_steps, model_redshift, wanted_bands
from napari_galaxy_maps.prepare.memory import PreparationMemory
from napari_galaxy_maps.prepare.steps import prepare_steps
from napari_galaxy_maps.progress import run_to_end
from napari_galaxy_maps.sed.library import build_library
from tests.conftest import tan_wcs

pytestmark = pytest.mark.usefixtures("cached_libraries")

BANDS = tuple(band for band in INPUT_BANDS if not band.startswith("Spitzer"))
SHAPE = (6, 10)
RECIPE = Recipe.from_tree(
    {
        "impute": {"enabled": True, "n_models": 4000},
        "galaxy": {"redshift": 0.0},
        "model": {"device": "cpu"},
    }
)


@pytest.fixture(scope="module")
def spectra():
    """Models of another seed than the library's, so that no model of it is the truth itself; noise
    of 3 %.
    """
    others = build_library(LibrarySettings(n_models=500, seed=77), 0.0, cache=False)
    light = others.light[:: 500 // 60][:60, others.columns((*BANDS, "SPIRE_250"))].astype(float).T
    true = light / light.max(0) * 5
    noisy = true * (1 + 0.03 * np.random.default_rng(1).normal(size=true.shape))
    return true, noisy.astype("f4"), (0.03 * true).astype("f4")


def made(spectra, bands=BANDS):
    """The spectra as a cube of 6 x 10 pixels."""
    rows = [(*BANDS, "SPIRE_250").index(band) for band in bands]
    data, error = (array[rows].reshape(len(bands), *SHAPE).astype("f4") for array in spectra[1:])
    nothing = np.zeros(SHAPE, np.int16)
    return BandCube(
        data.copy(), error.copy(), tuple(bands), tan_wcs(SHAPE, 6.0), 12.0, 6.0, None,
        nothing.astype(bool), nothing.copy(),
        "made up", correlation=np.arange(1.0, len(bands) + 1), systematic=np.full(len(bands), 0.02),
    )  # fmt: skip


def run(cube, recipe=RECIPE, memory=None):
    """The cube with its gaps filled, and what was said meanwhile."""
    progress = []
    return run_to_end(impute_steps(cube, recipe, memory=memory), progress.append).filled(), progress


@pytest.mark.slow
def test_what_is_filled_is_right_to_its_errors_and_what_is_there_stays(spectra):
    cube = made(spectra)
    holes = np.zeros(cube.data.shape, bool)
    rng = np.random.default_rng(3)
    for pixel in range(60):
        holes.reshape(len(BANDS), -1)[rng.choice(len(BANDS), 2, replace=False), pixel] = True
    cube.data[holes] = np.nan
    filled, progress = run(cube)
    assert np.isfinite(filled.data).all() and filled.bands == BANDS
    assert np.array_equal(filled.data[~holes], cube.data[~holes])
    assert np.array_equal(filled.uncertainty[~holes], cube.uncertainty[~holes])
    true = spectra[0][:-1].reshape(filled.data.shape)[holes]
    z = (filled.data[holes] - true) / filled.uncertainty[holes]
    assert np.mean(np.abs(z) < 1) > 0.5 and np.mean(np.abs(z) < 3) > 0.95
    assert np.median(np.abs(np.log10(filled.data[holes] / true))) < 0.06
    assert (filled.flags & Flag.BAND_MISSING).all()
    assert any(
        "of its pixels filled by model spectra at the redshift 0, good to" in p.detail
        for p in progress
    )


def test_a_negative_pixel_is_filled_and_counts_as_measured_in_the_fit(spectra):
    cube = made(spectra)
    i = BANDS.index("GALEX_FUV")
    cube.data[i, 2, 3], cube.uncertainty[i, 2, 3] = -0.001, 0.0005
    filled, _ = run(cube)
    missing = made(spectra)
    missing.data[i, 2, 3] = np.nan
    other, _ = run(missing)
    assert 0 < filled.data[i, 2, 3] < other.data[i, 2, 3], (
        "the negative flux pulls it down, and a gap does not"
    )
    assert (filled.flags[2, 3] & Flag.BAND_MISSING) and not filled.flags[0, 0]
    assert np.array_equal(np.delete(filled.data[:, 0, 0], i), np.delete(cube.data[:, 0, 0], i))


def test_without_gaps_the_cube_itself_comes_back(spectra):
    cube = made(spectra)
    filled, progress = run(cube)
    assert filled is cube and progress[-1].detail == "nothing to fill"


def test_bands_that_are_not_given_are_filled_only_when_asked_for(spectra):
    some = tuple(band for band in BANDS if band not in ("GALEX_FUV", "WISE_12"))
    cube = made(spectra, some)
    assert run(cube)[0] is cube
    recipe = RECIPE.with_values(["impute.bands=all"])
    filled, progress = run(cube, recipe)
    assert set(filled.bands) == set(INPUT_BANDS) and filled.bands == tuple(
        b for b in INPUT_BANDS if b in filled.bands
    )
    assert filled.data.shape == (
        18,
        *SHAPE,
    ) and filled.correlation.shape == filled.systematic.shape == (18,)
    w3 = filled.bands.index("WISE_12")
    true = spectra[0][BANDS.index("WISE_12")].reshape(SHAPE)
    assert np.median(np.abs(np.log10(filled.data[w3] / true))) < 0.15
    assert any(p.detail.startswith("WISE_12: not given: all of it filled") for p in progress)
    assert filled.images["WISE_12"].meta["imputed"]


def test_masks_and_the_light_under_them_stay_with_their_bands(spectra):
    """Also where bands that were not given come between them."""
    bands = tuple(band for band in BANDS if band != "WISE_12")
    cube = made(spectra, bands)
    own = np.zeros(cube.data.shape, bool)
    own[bands.index("WISE_22"), 1, 1] = True
    one, nothing = np.array([1], np.int32), np.full((len(bands), 1), np.nan, np.float32)
    known = nothing.copy()
    known[bands.index("WISE_22")] = 7
    light = MaskedLight(one, one, one, known, 0.1 * known, nothing, np.array([True]))
    cube = replace(cube, mask=own.any(axis=0), own_masks=own, masked_light=light)
    recipe = RECIPE.with_values(["impute.bands=all"])
    found = run_to_end(impute_steps(cube, recipe))
    row = found.bands.index("WISE_22")
    assert found.own_masks.shape == found.data.shape and found.own_masks[row, 1, 1]
    assert np.isfinite(found.masked_light.data[:, 0]).nonzero()[0].tolist() == [row]
    assert found.own_masks[found.bands.index("WISE_12"), 1, 1], "known where none is masked"
    assert not found.own_masks[found.bands.index("WISE_4.6")].any()


def test_the_far_infrared_is_neither_used_nor_filled(spectra):
    cube = made(spectra, (*BANDS, "SPIRE_250"))
    cube.data[3, 1, 1] = np.nan
    cube.data[-1, 2, 2] = np.nan
    filled, _ = run(cube)
    loud = made(spectra, (*BANDS, "SPIRE_250"))
    loud.data[3, 1, 1] = np.nan
    loud.data[-1] *= 100
    other, _ = run(loud)
    assert filled.data[3, 1, 1] == other.data[3, 1, 1]
    assert np.isnan(filled.data[-1, 2, 2]) and filled.bands[-1] == "SPIRE_250"
    assert "SPIRE_250" not in wanted_bands(cube.bands, ImputeSettings(bands="all"))


def test_masked_pixels_and_those_with_too_few_bands_stay_as_they_are(spectra):
    cube = made(spectra)
    cube.data[4, 0, :2] = np.nan
    cube.mask[0, 0] = True
    cube.data[2:, 3, 3] = np.nan
    filled, _ = run(cube)
    assert np.isnan(filled.data[4, 0, 0]) and np.isfinite(filled.data[4, 0, 1])
    assert np.isnan(filled.data[2:, 3, 3]).all() and not filled.flags[3, 3]


def test_what_no_model_explains_is_not_filled():
    library = build_library(LibrarySettings(n_models=500), 0.0, cache=False)
    flux = np.array([[1.0], [1000.0], [1.0], [1000.0], [1.0], [np.nan]])
    bands = ("SDSS_u", "SDSS_g", "SDSS_r", "SDSS_i", "SDSS_z", "2MASS_J")
    filled = run_to_end(fill_steps(flux, 0.01 * flux, bands, bands, library, "cpu"))
    assert np.isnan(filled.values[-1, 0]) and not filled.imputed.any()


def test_only_pixels_that_have_changed_are_fitted_again(spectra, monkeypatch):
    cube, memory = made(spectra), PreparationMemory()
    cube.data[5, :, :4] = np.nan
    first, _ = run(cube, memory=memory)
    counted = []

    def counting(values, *arguments):
        counted.append(values.shape[1])
        return (yield from fill_steps(values, *arguments))

    monkeypatch.setattr(impute, "fill_steps", counting)
    again, _ = run(cube, memory=memory)
    assert counted == [0] and np.array_equal(again.data, first.data)
    data = cube.data.copy()
    data[7, 2, 2:5] *= 1.1
    changed, _ = run(replace(cube, data=data), memory=memory)
    assert counted == [0, 3]
    fresh, _ = run(replace(cube, data=data))
    assert np.allclose(changed.data, fresh.data, rtol=1e-5, equal_nan=True)
    run(cube, RECIPE.with_values(["impute.n_models=3000"]), memory)
    assert counted[-1] == 60, "another library"


def test_what_was_measured_stays_beside_what_was_filled(spectra):
    cube = made(spectra)
    cube.data[0, 2, 3] = -0.001
    cube.data[4, 1, 1] = np.nan
    filled = run_to_end(impute_steps(cube, RECIPE))
    assert np.array_equal(filled.data, cube.data, equal_nan=True)
    where = np.isfinite(filled.filling.data)
    assert (
        where.sum() == 2
        and where[0, 2, 3]
        and where[4, 1, 1]
        and (filled.filling.uncertainty[where] > 0).all()
    )
    line = filled.line(filled.flags > 0)
    assert line.shape == (1, 2) and np.isfinite(line.filled().data).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"bands": ("SDSS_r", "WISE_3.4")},
            "three bands up to 22 micron, and there is only SDSS_r and WISE_3.4",
        ),
        ({"redshift": 0.55}, "redshift of 0.55"),
        ({"error": 0}, "errors of SDSS_u are zero"),
    ],
)
def test_where_nothing_can_be_filled_it_is_told_and_the_cube_stays(spectra, change, words):
    cube = made(spectra, change.get("bands", BANDS))
    cube.data[1, 0, 0] = np.nan
    if "error" in change:
        cube.uncertainty[2] = 0
    found, progress = run(
        cube, RECIPE.with_values([f"galaxy.redshift={change.get('redshift', 0.0)}"])
    )
    assert (
        found is cube
        and progress[-1].detail.startswith("nothing filled")
        and words in progress[-1].detail
    )


def test_where_the_redshift_comes_from():
    assert model_redshift(0.012, 3.0)[0] == 0.012
    z, words = model_redshift(None, 44.3)
    assert z == pytest.approx(0.010, abs=1e-3) and "44.3 Mpc" in words
    assert model_redshift(None, None) == (
        0.0,
        "model spectra at redshift 0, for no redshift or distance was told",
    )
    assert model_redshift(0.0, 700.0) == (0.0, "model spectra at the redshift 0")
    assert model_redshift(-0.001, 0.78) == (
        0.0,
        "model spectra at the redshift 0, for the galaxy's -0.001",
    )
    with pytest.raises(InputError, match="cannot be used"):
        model_redshift(None, 1e5)


@pytest.mark.slow
def test_the_whole_preparation_fills_unless_it_is_switched_off(galaxy_folder, tmp_path):
    from napari_galaxy_maps.fits_io.cube_files import read_cube, write_cube
    from napari_galaxy_maps.fits_io.galaxies import read_galaxy

    folder = galaxy_folder(
        {"SDSS_g": 2.0, "SDSS_r": 4.0, "SDSS_i": 5.0, "2MASS_J": 8.0, "WISE_3.4": 5.0}, noise=0.3
    )
    recipe = Recipe.from_tree(
        {"galaxy": {"ra": 150.0, "dec": 2.0, "d25": 4.0}, "model": {"device": "cpu"}}
    )
    galaxy = read_galaxy([folder], recipe)
    off = run_to_end(prepare_steps(galaxy, recipe.with_values(["impute.enabled=false"])))
    on = run_to_end(prepare_steps(galaxy, recipe.with_values(["impute.n_models=2000"])))
    inside = ~off.mask
    assert off.filling is None and (off.data[:, inside] <= 0).any(), "noise makes some negative"
    filled = (on.flags & Flag.BAND_MISSING) != 0
    assert filled[inside].any() and not ((off.flags & Flag.BAND_MISSING) != 0).any()
    assert (
        np.array_equal(on.data, off.data, equal_nan=True)
        and (on.filled().data[:, filled & inside] > 0).all()
    )
    assert any("filled by model spectra" in note for note in on.notes)

    write_cube(tmp_path / "cube.fits", on, {})
    again = read_cube(tmp_path / "cube.fits")
    assert np.array_equal(again.filling.data, on.filling.data, equal_nan=True)
    assert np.array_equal(again.filling.uncertainty, on.filling.uncertainty, equal_nan=True)


@pytest.mark.slow
def test_a_network_is_shown_noise_as_it_was_trained_on_it(galaxy_folder):
    from napari_galaxy_maps.fits_io.galaxies import read_galaxy
    from napari_galaxy_maps.pipeline import predict_steps

    folder = galaxy_folder(
        {"SDSS_g": 2.0, "SDSS_r": 4.0, "SDSS_i": 5.0, "WISE_3.4": 5.0}, noise=0.3
    )
    tree = {
        "galaxy": {"ra": 150.0, "dec": 2.0, "d25": 2.0},
        "model": {"device": "cpu"},
        "impute": {"n_models": 500},
    }
    for model, filled in (("dust-forest", True), ("stellar-unet", False)):
        recipe = Recipe.from_tree({**tree, "model": {"device": "cpu", "name": model}})
        steps = [p.step for p in predict_steps(read_galaxy([folder], recipe), recipe)]
        assert ("impute" in steps) == filled and recipe.impute.enabled, (
            "the person's recipe stays as it is"
        )
