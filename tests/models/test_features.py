"""Features: the same numbers from any order of bands; gaps, negatives and a missing WISE 3.4 dealt
with; clear refusals.
"""

import numpy as np
import pytest

from napari_galaxy_maps.exceptions import GalaxyMapsError
from napari_galaxy_maps.models.dust_forest.columns import Columns
from napari_galaxy_maps.models.dust_forest.features import (
    UNKNOWN_STAGE,
    ColourTerm,
    features,
    normalise,
    select,
)
from napari_galaxy_maps.models.registry import load_card

TERM = ColourTerm(0.01, 0.025)
COLUMNS = Columns.from_card(load_card("dust-forest"))
SIX = ("SDSS_g", "SDSS_r", "2MASS_J", "WISE_3.4", "WISE_4.6", "WISE_12")


def place(band):
    """Where a band lies among those that are divided by WISE 3.4."""
    return COLUMNS.others.index(COLUMNS.bands.index(band))


def fluxes(bands, n=50, seed=0):
    rng = np.random.default_rng(seed)
    values = 10 ** rng.normal(-0.5, 0.3, (len(bands), n))
    return values, 0.05 * values


def build(model, values, errors, bands, stage=None):
    """Features of all spectra; NaN where they cannot be used."""
    spectra = normalise(values, errors, bands, TERM, COLUMNS, stage)
    matrix = np.full((values.shape[1], len(COLUMNS.features)), np.nan, np.float32)
    matrix[spectra.usable] = features(select(spectra, spectra.usable), model.colours, model.sed)[0]
    return matrix


def test_features_do_not_depend_on_the_order_of_the_bands(model):
    values, errors = fluxes(SIX)
    one = build(model, values, errors, SIX)
    back = build(model, values[::-1], errors[::-1], SIX[::-1])
    assert one.shape == (50, len(COLUMNS.features))
    np.testing.assert_array_equal(one, back)


def test_far_infrared_bands_are_left_out(model):
    values, errors = fluxes((*SIX, "SPIRE_250"))
    with_it = build(model, values, errors, (*SIX, "SPIRE_250"))
    np.testing.assert_array_equal(with_it, build(model, values[:-1], errors[:-1], SIX))


def test_negative_fluxes_stay_negative_and_gaps_are_filled(model):
    values, errors = fluxes(SIX)
    values[5, 0], values[5, 1] = -0.02, np.nan
    matrix = build(model, values, errors, SIX)
    seen = matrix[:, COLUMNS.features.index("asinh WISE_12")]
    snr = matrix[:, COLUMNS.features.index("snr WISE_12")]
    assert seen[0] < 0 < seen[1] and snr[1] < snr[0] < snr[2]
    assert np.isfinite(matrix).all()


def test_how_bright_all_bands_are_is_no_feature(model):
    values, errors = fluxes(SIX)
    one, brighter = (build(model, f * values, f * errors, SIX) for f in (1, 5))
    np.testing.assert_allclose(one, brighter, rtol=1e-5, atol=1e-5)


def test_the_hubble_stage_is_a_feature_and_so_is_not_to_know_it(model):
    values, errors = fluxes(SIX, 3)
    given = build(model, values, errors, SIX, np.array([-5, 7, np.nan]))
    stage = COLUMNS.features.index("stage")
    assert given[:, stage].tolist() == [-5, 7, UNKNOWN_STAGE]
    assert (build(model, values, errors, SIX)[:, stage] == UNKNOWN_STAGE).all()


def test_a_gap_is_filled_less_certainly_than_a_measurement(model):
    values, errors = fluxes(SIX)
    width = COLUMNS.features.index("width WISE_12")
    measured = build(model, values, errors, SIX)[:, width]
    values[5] = np.nan
    filled = build(model, values, errors, SIX)[:, width]
    assert np.all(filled > 2 * measured)


def test_pixels_without_the_normalising_band_are_unusable():
    values, errors = fluxes(SIX, 4)
    values[3] = 1.0, np.nan, 0.0, -1.0
    assert normalise(values, errors, SIX, TERM, COLUMNS).usable.tolist() == [
        True,
        False,
        False,
        False,
    ]


def test_a_pixel_with_fewer_than_two_other_bands_is_unusable_and_told_missing():
    values, errors = fluxes(SIX, 2)
    values[[0, 1, 2, 4], 1] = np.nan
    spectra = normalise(values, errors, SIX, TERM, COLUMNS)
    assert spectra.usable.tolist() == [True, False]
    assert spectra.missing.tolist() == [False, True]


def test_irac_stands_in_for_wise_through_the_colour_term():
    bands = ("SDSS_g", "SDSS_r", "Spitzer_3.6", "Spitzer_4.5")
    values, errors = fluxes(bands)
    spectra = normalise(values, errors, bands, TERM, COLUMNS)
    np.testing.assert_allclose(spectra.normal, values[2] * 10**0.01)
    relative = spectra.normal_error / spectra.normal
    np.testing.assert_allclose(relative, np.hypot(0.05, 10**0.025 - 1))
    assert np.isnan(spectra.ratio[:, place("Spitzer_3.6")]).all()


def test_noise_of_the_normalising_band_enters_every_ratio():
    values, errors = fluxes(SIX)
    quiet = normalise(values, errors, SIX, TERM, COLUMNS).error
    errors[3] *= 5
    loud = normalise(values, errors, SIX, TERM, COLUMNS).error
    i = place("WISE_12")
    assert np.all(loud[:, i] > 2 * quiet[:, i])


def test_a_missing_error_becomes_the_calibration_error():
    values, errors = fluxes(SIX)
    errors[5, 0], errors[5, 1] = np.nan, 0.0
    error = normalise(values, errors, SIX, TERM, COLUMNS).error[:2, place("WISE_12")]
    assert np.all(np.isfinite(error)) and np.all(error > 0)


@pytest.mark.parametrize(
    ("bands", "says"),
    [
        (("SDSS_g", "SDSS_r", "2MASS_J"), "needs WISE_3.4 \\(or Spitzer_3.6\\)"),
        (("WISE_3.4", "SDSS_g"), "at least 2 input bands besides WISE_3.4"),
        (("Spitzer_3.6", "SDSS_g"), "at least 2 input bands besides Spitzer_3.6"),
        (("WISE_3.4", "SDSS_g", "SPIRE_250", "PACS_70"), "at least 2 input bands"),
    ],
)
def test_too_few_bands_are_refused_in_a_sentence(bands, says):
    with pytest.raises(GalaxyMapsError, match=says):
        COLUMNS.usable(bands)
