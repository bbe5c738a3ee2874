"""The library and its fit beside real CIGALE, on a part of the DustPedia galaxies."""

import numpy as np
import pytest

from napari_galaxy_maps.bands.registry import MODEL_BANDS
from napari_galaxy_maps.data.recipe import LibrarySettings
from napari_galaxy_maps.sed.library import build_library
from napari_galaxy_maps.training.datasets.cigale_fits import (
    Spread,
    best_models,
    dust_differences,
    fitted,
    read_cigale,
)

pytestmark = pytest.mark.realdata
NAMES = list(MODEL_BANDS)


@pytest.fixture(scope="module")
def fits(shared_data):
    """CIGALE's fits of a part of the DustPedia galaxies."""
    whole = read_cigale(shared_data / "dustpedia")
    assert len(whole.names) == 715
    return whole.take(np.arange(0, 715, 6))


@pytest.fixture(scope="module")
def library():
    """A library with the prior of DustPedia."""
    return build_library(LibrarySettings(prior="dustpedia", n_models=20_000), 0.0, cache=False)


def test_models_with_cigales_parameters_are_cigales(fits):
    """The ingredients alone. SDSS g and SPIRE 500 differ by their filter curves, WISE 12 by gas
    lines that are left out.
    """
    bands, properties = best_models(fits)
    lit = fits.best["ebv"] > 0
    for k, band in enumerate(NAMES):
        spread = Spread.of(bands[k][lit])
        assert abs(spread.median) < (0.03 if band in ("SDSS_g", "SPIRE_500") else 0.016), band
        assert spread.scatter < (0.03 if band == "WISE_12" else 0.015), band
    for name in ("Ldust", "Mdust", "Mstar", "Lbolo"):
        spread = Spread.of(properties[name])
        assert abs(spread.median) < 0.006 and spread.scatter < 0.006, name
    assert Spread.of(properties["A_FUV"]).std < 0.01


def test_seen_bands_are_cigales(fits, library):
    found = fitted(fits, library, fits.short_input, scale_error=False)
    assert found.fitted.all()
    for k, band in enumerate(NAMES[:18]):
        with np.errstate(invalid="ignore"):
            seen = fits.short_input[k] & (fits.flux[k] > 3 * fits.error[k])
        spread = Spread.of(np.log10(found.flux[k] / fits.bayes[k])[seen])
        assert spread.n > 20 and abs(spread.median) < 0.02 and spread.std < 0.05, (band, spread)


@pytest.mark.parametrize(
    ("band", "limit"),
    [
        ("GALEX_FUV", 0.15),
        ("GALEX_NUV", 0.12),
        ("SDSS_u", 0.035),
        ("2MASS_H", 0.025),
        ("WISE_12", 0.14),
        ("WISE_22", 0.25),
    ],
)
def test_hidden_bands_come_back_as_cigale_saw_them(fits, library, band, limit):
    """The limits are 1.2 times the error of the imputed flux, over all galaxies."""
    k = NAMES.index(band)
    found = fitted(fits, library, fits.short_input, (band,), scale_error=False)
    with np.errstate(invalid="ignore"):
        seen = fits.short_input[k] & (fits.flux[k] > 3 * fits.error[k])
    spread = Spread.of(np.log10(found.flux[k] / fits.bayes[k])[seen])
    own = np.sqrt(np.mean((found.flux_error[k] / found.flux[k])[seen] ** 2)) / np.log(10)
    assert spread.scatter < limit and spread.scatter < 1.2 * own, (spread, own)


def test_dust_with_the_far_infrared_is_that_of_nersesian(fits, library):
    found = fitted(fits, library, np.isfinite(fits.flux + fits.error), scale_error=False)
    rows = fits.n_far_infrared >= 5
    spreads = {
        name: Spread.of(values[rows]) for name, values in dust_differences(fits, found).items()
    }
    assert spreads["Ldust"].n > 30
    for name, limit in (("Ldust", 0.05), ("Mdust", 0.15), ("Tdust", 1.5), ("Lbolo", 0.04)):
        assert spreads[name].scatter < limit and abs(spreads[name].median) < limit, (
            name,
            spreads[name],
        )
