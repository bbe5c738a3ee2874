"""Dust is taken away by as much as it dimmed: of models of another seed, within the errors."""

import numpy as np
import pytest

from napari_galaxy_maps.bands.registry import FIR_BANDS, INPUT_BANDS, MODEL_BANDS
from napari_galaxy_maps.data.recipe import LibrarySettings
from napari_galaxy_maps.progress import run_to_end
from napari_galaxy_maps.sed.compose import DIMMED
from napari_galaxy_maps.sed.dustless import dustless_steps
from napari_galaxy_maps.sed.fit import FitFlag, fit
from napari_galaxy_maps.sed.library import build_library
from napari_galaxy_maps.sed.likelihood import light_of_data

SCALE, REDSHIFT = 3e7, 0.004
FACTOR = light_of_data(REDSHIFT, None)


@pytest.fixture(scope="module")
def library():
    return build_library(LibrarySettings(n_models=12_000), REDSHIFT, cache=False)


@pytest.fixture(scope="module")
def others():
    """Models that the library does not have."""
    return build_library(LibrarySettings(n_models=300, seed=9), REDSHIFT, cache=False)


def pixels(others, bands, noise, seed=3):
    """What others' models look like in MJy/sr, with noise."""
    light = others.light[:, others.columns(bands)].T * SCALE / FACTOR
    error = noise * light
    rng = np.random.default_rng(seed)
    return light + error * rng.standard_normal(light.shape), error


def dustless(*args, **more):
    return run_to_end(dustless_steps(*args, device="cpu", **more))


def test_the_library_keeps_light_before_attenuation(others):
    seen = others.light[:, others.columns(DIMMED)]
    dimmed = -2.5 * np.log10(seen / others.bare)
    np.testing.assert_allclose(dimmed[:, 0], others.properties["A_FUV"], atol=2e-4)
    assert np.all(dimmed > -1e-5)
    # V lies between g and r, and so does what dust takes of it (lines apart).
    a_v, g, r = others.properties["A_V"], dimmed[:, 3], dimmed[:, 4]
    between = (a_v < np.maximum(g, r) + 0.03) & (a_v > np.minimum(g, r) - 0.03)
    assert between.mean() > 0.95
    frequency = 2.998e14 / 0.55 * (1 + 0)
    low, high = np.sort(others.bare[:, [3, 4]] * frequency, axis=1).T
    inside = (others.visual > 0.8 * low) & (others.visual < 1.25 * high)
    assert inside.mean() > 0.95  # but for lines of the youngest


def test_without_dust_light_stays_as_it_is():
    clear = build_library(LibrarySettings(n_models=300, ebv=[1e-6]), REDSHIFT, cache=False)
    data, error = pixels(clear, INPUT_BANDS, 0.01)
    found = dustless(data, error, INPUT_BANDS, clear)
    rows = [INPUT_BANDS.index(band) for band in DIMMED]
    assert found.bands == DIMMED
    assert np.abs(found.properties["A_FUV"]).max() < 1e-4
    # At 1 % noise and 10 % of the models it is the measured light that counts.
    np.testing.assert_allclose(found.light[1], data[rows], rtol=0.01)
    half = (found.light[2] - found.light[0]) / 2
    np.testing.assert_allclose(half / error[rows], 1, atol=0.25)


def test_dust_is_taken_away_and_errors_say_how_well(library, others):
    data, error = pixels(others, INPUT_BANDS, 0.05)
    found = dustless(data, error, INPUT_BANDS, library)
    truth = others.bare.T * SCALE / FACTOR
    for k in range(len(DIMMED)):
        low, middle, high = found.light[:, k]
        off = -2.5 * np.log10(middle / truth[k])
        assert abs(np.median(off)) < 0.05
        assert 0.58 < np.mean((low <= truth[k]) & (truth[k] <= high)) < 0.82
    low, middle, high = found.properties["A_FUV"]
    a_fuv = others.properties["A_FUV"]
    assert 0.58 < np.mean((low <= a_fuv) & (a_fuv <= high)) < 0.82
    # Better by far than no correction.
    assert np.median(np.abs(middle - a_fuv)) < 0.3 * np.median(a_fuv)
    # The mean of the same weights.
    mean = fit(data, error, INPUT_BANDS, library, device="cpu").properties["A_FUV"]
    assert np.median(np.abs(mean - middle)) < 0.1


def test_fewer_bands_mean_wider_errors(library, others):
    optical = tuple(band for band in INPUT_BANDS if band.startswith(("SDSS", "2MASS")))
    errors = []
    for bands in (MODEL_BANDS, INPUT_BANDS, optical):
        data, error = pixels(others, bands, 0.05)
        low, _, high = dustless(data, error, bands, library).properties["A_FUV"]
        errors.append(np.median(high - low))
    assert errors[0] < errors[1] < 0.6 * errors[2]
    assert set(FIR_BANDS) <= set(MODEL_BANDS)


def test_faint_pixels_lean_on_the_models_and_not_on_their_noise(library, others):
    """FUV at a signal of 1 sigma: its light without dust scatters by less than its noise."""
    data, error = pixels(others, INPUT_BANDS, 0.03)
    fuv = INPUT_BANDS.index("GALEX_FUV")
    light = others.light[:, others.columns(["GALEX_FUV"])[0]] * SCALE / FACTOR
    rng = np.random.default_rng(8)
    error[fuv] = light
    data[fuv] = light + light * rng.standard_normal(len(light))
    found = dustless(data, error, INPUT_BANDS, library)
    truth = others.bare[:, 0] * SCALE / FACTOR
    low, middle, high = found.light[:, 0]
    assert np.median(np.abs(np.log10(middle / truth))) < 0.15
    assert 0.58 < np.mean((low <= truth) & (truth <= high)) < 0.82
    assert np.all(low > 0)


def test_what_cannot_be_fitted_is_blank(library, others):
    data, error = pixels(others, INPUT_BANDS, 0.05)
    data, error = data[:, :4].copy(), error[:, :4]
    data[2:, 0] = np.nan
    data[:, 1] *= -1
    found = dustless(data, error, INPUT_BANDS, library)
    assert list(found.flags[:2]) == [FitFlag.TOO_FEW, FitFlag.NOTHING_SEEN]
    assert np.all(np.isnan(found.light[:, :, :2])) and np.all(np.isfinite(found.light[:, :, 2:]))
    assert np.all(np.isnan(found.properties["A_V"][:, :2]))
