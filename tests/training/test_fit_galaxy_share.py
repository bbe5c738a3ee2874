"""How much of the dust-forest's squared error a galaxy's pixels share, from known residuals and
from mock galaxies.
"""

from dataclasses import replace

import numpy as np
import pytest

from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.models.dust_forest.uncertainty import QUANTITIES
from napari_galaxy_maps.training.dust_forest import fit_galaxy_share
from napari_galaxy_maps.training.dust_forest.fit_galaxy_share import galaxy_errors, shared_part


@pytest.mark.parametrize("bias", [0.0, 0.3])
@pytest.mark.parametrize("scatter", [0.0, 0.5])
def test_the_share_of_known_residuals_is_found_within_its_error(scatter, bias):
    """Few pixels a galaxy, so that their own scatter must be taken off; galaxies of other sizes
    count alike, and the bias that all have counts as shared.
    """
    rng = np.random.default_rng(2)
    found, errors = [], []
    for _ in range(60):
        residuals = [
            bias + rng.normal(0, scatter) + rng.normal(0, 1, rng.integers(5, 60)) for _ in range(40)
        ]
        share, error = shared_part(residuals)
        found.append(share)
        errors.append(error)
    common = bias**2 + scatter**2
    expected = common / (common + 1)
    assert np.mean(found) == pytest.approx(expected, abs=0.015)
    if common:
        assert np.std(found) == pytest.approx(np.mean(errors), rel=0.35)


def test_pixels_that_all_err_alike_share_everything():
    assert shared_part([np.full(30, offset) for offset in (0.1, -0.2, 0.3)])[0] == 1.0


@pytest.mark.slow
def test_a_card_gets_shares_the_sigma_of_well_measured_galaxies_and_a_sentence(model):
    settings, note = galaxy_errors(model, mocks=3, seed=1)
    assert list(settings) == list(QUANTITIES)
    for name, (share, most) in settings.items():
        assert 0 < share < 1
        assert most == pytest.approx(
            model.card.score("all bands", ">= 3 FIR", name).sigma, abs=1e-4
        )
    assert "measured on mock galaxies" in note and f"LOG_SLD {settings['LOG_SLD'][0]:.2f}" in note
    assert (settings, note) == galaxy_errors(model, mocks=3, seed=1)


def test_what_cannot_be_measured_is_told(model, monkeypatch):
    with pytest.raises(InputError, match="0 of 0 mock galaxies have 20 pixels"):
        galaxy_errors(model, mocks=0)
    residual = dict.fromkeys(QUANTITIES, np.arange(30.0))
    monkeypatch.setattr(fit_galaxy_share, "mock_residuals", lambda *_: residual)
    bare = replace(model, card=replace(model.card, scores=()))
    with pytest.raises(InputError, match="no score of LOG_SLD for all bands"):
        galaxy_errors(bare, mocks=2)
