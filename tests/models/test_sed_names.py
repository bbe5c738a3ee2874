"""What a fit says, as features: logarithms and widths that are never NaN where there is a fit.

Of `models.dust_forest.sed_names`.
"""

import numpy as np
import pytest

from napari_galaxy_maps.data.recipe import LibrarySettings
from napari_galaxy_maps.models.dust_forest.sed_names import NAMES, features_of_fit
from napari_galaxy_maps.sed.fit import fit
from napari_galaxy_maps.sed.library import build_library


@pytest.fixture(scope="module")
def found():
    """Features of models of a library, fitted with errors of 3 %, and the fit."""
    library = build_library(LibrarySettings(n_models=600), 0.0, cache=False)
    w1 = library.bands.index("WISE_3.4")
    light = (library.light[:40] / library.light[:40, [w1]]).astype(float).T
    light = np.column_stack([light, np.full(len(light), np.nan)])
    fitted = fit(light, 0.03 * light, library.bands, library, device="cpu")
    return features_of_fit(fitted), fitted, light


def test_a_feature_is_the_log_of_what_was_fitted(found):
    features, fitted, light = found
    assert features.shape == (41, len(NAMES))
    row = fitted.bands.index("SPIRE_250")
    np.testing.assert_allclose(
        features[:40, NAMES.index("SPIRE_250")], np.log10(fitted.flux[row, :40]), rtol=1e-5
    )
    assert (
        np.median(np.abs(features[:40, NAMES.index("SPIRE_250")] - np.log10(light[row, :40])))
        < 0.05
    )
    np.testing.assert_array_equal(
        features[:40, NAMES.index("Tdust")], fitted.properties["Tdust"][:40]
    )


def test_widths_are_in_dex_and_what_was_not_fitted_is_blank(found):
    features, fitted, _ = found
    relative = fitted.errors["Mdust"] / fitted.properties["Mdust"] / np.log(10)
    np.testing.assert_allclose(features[:40, NAMES.index("width Mdust")], relative[:40], rtol=1e-4)
    assert np.isfinite(features[:40]).all() and np.isnan(features[40]).any()
