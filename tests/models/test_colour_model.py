"""The colour model recovers gaps of spectra that follow it, knows its own error, and tells usual
from unusual.

Of `models.dust_forest.colour_model` and `models.dust_forest.colour_kernel`.
"""

import numpy as np
import pytest

from napari_galaxy_maps.models.dust_forest.colour_model import ColourModel, fit_colours

N_BANDS = 8


@pytest.fixture(scope="module")
def world():
    """Spectra drawn from two factors with specific scatter, observed with 5 % noise."""
    rng = np.random.default_rng(3)
    loadings = rng.normal(0, 0.3, (N_BANDS, 2))
    truth = (
        rng.normal(0, 1, N_BANDS) * 0.3
        + rng.normal(size=(1500, 2)) @ loadings.T
        + rng.normal(0, 0.03, (1500, N_BANDS))
    )
    error = 0.05 * 10**truth
    return truth, 10**truth + error * rng.standard_normal(truth.shape), error


@pytest.fixture(scope="module")
def colours(world) -> ColourModel:
    """A colour model fitted to a world with gaps."""
    _, flux, error = world
    gaps = np.random.default_rng(0).random(flux.shape) < 0.2
    return fit_colours(np.where(gaps, np.nan, flux)[:1000], error[:1000], n_factors=2)


def test_gaps_are_filled_as_well_as_it_says(world, colours):
    truth, flux, error = (a[1000:] for a in world)
    flux = flux.copy()
    flux[:, [2, 5]] = np.nan
    spectrum, width, _ = colours.infer(flux, error)
    z = ((spectrum - truth) / width)[:, [2, 5]]
    assert np.std(truth[:, 2]) > 3 * np.std((spectrum - truth)[:, 2])
    assert 0.8 < np.mean(z**2) < 1.25


def test_distance_is_one_a_band_for_usual_spectra_however_noisy(world, colours):
    truth, flux, error = (a[1000:] for a in world)
    rng = np.random.default_rng(1)
    assert 0.8 < colours.infer(flux, error)[2].mean() / N_BANDS < 1.25
    noisy_error = 0.7 * 10**truth
    noisy = 10**truth + noisy_error * rng.standard_normal(truth.shape)
    assert 0.7 < np.median(colours.infer(noisy, noisy_error)[2]) / N_BANDS < 1.3


def test_a_spectrum_upside_down_is_far_away(world, colours):
    truth, _, error = (a[1000:1100] for a in world)
    usual = np.percentile(colours.infer(10**truth, error)[2], 99)
    upside_down = 10 ** (2 * colours.mean - truth[:, ::-1] + np.linspace(-1, 1, N_BANDS))
    assert np.median(colours.infer(upside_down, 0.05 * upside_down)[2]) > 3 * usual


def test_negative_flux_is_a_faint_measurement_not_a_gap(world, colours):
    _, flux, error = (a[1000:] for a in world)
    below = flux.copy()
    below[:, 2] = -0.5 * error[:, 2]
    gap = flux.copy()
    gap[:, 2] = np.nan
    assert np.all(colours.infer(below, error)[0][:, 2] < colours.infer(gap, error)[0][:, 2])


def test_nothing_measured_gives_the_mean(colours):
    spectrum, _, chi2 = colours.infer(np.full((1, N_BANDS), np.nan), np.full((1, N_BANDS), np.nan))
    np.testing.assert_allclose(spectrum[0], colours.mean)
    assert chi2[0] == 0
