"""Features: the same numbers from any order of bands; gaps, negatives and a missing WISE 3.4 dealt
with; clear refusals.
"""

import numpy as np
import pytest

from napari_galaxy_maps.bands.registry import INPUT_BANDS
from napari_galaxy_maps.exceptions import GalaxyMapsError
from napari_galaxy_maps.models.dust_forest.features import (
    FEATURE_NAMES,
    ColourTerm,
    build,
    normalise,
    usable_bands,
)

TERM = ColourTerm(0.01, 0.025)
SIX = ("SDSS_g", "SDSS_r", "2MASS_J", "WISE_3.4", "WISE_4.6", "WISE_12")


def fluxes(bands, n=50, seed=0):
    rng = np.random.default_rng(seed)
    values = 10 ** rng.normal(-0.5, 0.3, (len(bands), n))
    return values, 0.05 * values


def test_features_do_not_depend_on_the_order_of_the_bands(model):
    values, errors = fluxes(SIX)
    colours = model.members[0].colours
    one = build(values, errors, SIX, colours, TERM)
    back = build(values[::-1], errors[::-1], SIX[::-1], colours, TERM)
    assert one.shape == (50, len(FEATURE_NAMES))
    np.testing.assert_array_equal(one, back)


def test_far_infrared_bands_are_left_out(model):
    values, errors = fluxes((*SIX, "SPIRE_250"))
    colours = model.members[0].colours
    with_it = build(values, errors, (*SIX, "SPIRE_250"), colours, TERM)
    np.testing.assert_array_equal(with_it, build(values[:-1], errors[:-1], SIX, colours, TERM))


def test_negative_fluxes_stay_negative_and_gaps_are_filled(model):
    values, errors = fluxes(SIX)
    values[5, 0], values[5, 1] = -0.02, np.nan
    matrix = build(values, errors, SIX, model.members[0].colours, TERM)
    ratio = matrix[:, FEATURE_NAMES.index("ratio WISE_12")]
    assert ratio[0] == pytest.approx(-0.02 / values[3, 0], rel=1e-5)
    assert ratio[1] > 0
    assert np.isfinite(matrix).all()


def test_a_gap_is_filled_less_certainly_than_a_measurement(model):
    values, errors = fluxes(SIX)
    width = FEATURE_NAMES.index("width WISE_12")
    measured = build(values, errors, SIX, model.members[0].colours, TERM)[:, width]
    values[5] = np.nan
    filled = build(values, errors, SIX, model.members[0].colours, TERM)[:, width]
    assert np.all(filled > 2 * measured)


def test_pixels_without_the_normalising_band_are_unusable():
    values, errors = fluxes(SIX, 4)
    values[3] = 1.0, np.nan, 0.0, -1.0
    assert normalise(values, errors, SIX, TERM).usable.tolist() == [True, False, False, False]


def test_a_pixel_with_fewer_than_two_other_bands_is_unusable_and_told_missing():
    values, errors = fluxes(SIX, 2)
    values[[0, 1, 2, 4], 1] = np.nan
    spectra = normalise(values, errors, SIX, TERM)
    assert spectra.usable.tolist() == [True, False]
    assert spectra.missing.tolist() == [False, True]


def test_irac_stands_in_for_wise_through_the_colour_term():
    bands = ("SDSS_g", "SDSS_r", "Spitzer_3.6", "Spitzer_4.5")
    values, errors = fluxes(bands)
    spectra = normalise(values, errors, bands, TERM)
    normal = INPUT_BANDS.index("WISE_3.4")
    np.testing.assert_allclose(spectra.ratio[:, normal], values[2] * 10**0.01)
    relative = spectra.error[:, normal] / spectra.ratio[:, normal]
    np.testing.assert_allclose(relative, np.hypot(0.05, 10**0.025 - 1))
    assert np.isnan(spectra.ratio[:, INPUT_BANDS.index("Spitzer_3.6")]).all()


def test_noise_of_the_normalising_band_enters_every_ratio():
    values, errors = fluxes(SIX)
    quiet = normalise(values, errors, SIX, TERM).error
    errors[3] *= 5
    loud = normalise(values, errors, SIX, TERM).error
    i = INPUT_BANDS.index("WISE_12")
    assert np.all(loud[:, i] > 2 * quiet[:, i])


def test_a_missing_error_becomes_the_calibration_error():
    values, errors = fluxes(SIX)
    errors[5, 0], errors[5, 1] = np.nan, 0.0
    error = normalise(values, errors, SIX, TERM).error[:2, INPUT_BANDS.index("WISE_12")]
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
        usable_bands(bands)
