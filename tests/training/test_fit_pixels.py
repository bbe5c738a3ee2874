"""The part for pixels learns what galaxies' members miss, from galaxies that each count alike."""

import numpy as np
import pytest

from napari_galaxy_maps.training.datasets.mock_pixels import make_mock_pixels
from napari_galaxy_maps.training.dust_forest.fit_pixels import (
    PixelSettings,
    fit_correction,
    fit_pixel_part,
    galaxy_weights,
)
from napari_galaxy_maps.training.dust_forest.fit_spread import SpreadSettings
from napari_galaxy_maps.training.dust_forest.pixel_rows import joined_rows, residuals, rows_of

FEW = PixelSettings(rounds=40, min_hessian=5.0, eta=0.3, column_share=1.0)


def test_galaxies_weigh_alike_however_many_rows_they_have():
    weight = galaxy_weights(np.repeat([3, 8], [10, 1]))
    assert weight[:10].sum() == pytest.approx(weight[10:].sum())
    assert weight.mean() == pytest.approx(1.0)


def test_a_correction_is_learnt_and_what_is_unknown_teaches_nothing():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 6)).astype("f4")
    error = np.outer(np.where(x[:, 0] > 0, 1.0, -1.0), [0.1, 0.2, 2.0, 0.05, 0.08])
    error[::2, 1] = np.nan
    error[:20] = 50.0  # such outliers must not lead
    forest = fit_correction(x, error, np.ones(len(x)), FEW, 0)
    new = rng.normal(size=(500, 6)).astype("f4")
    found = forest.predict(new)
    expected = np.outer(np.where(new[:, 0] > 0, 1.0, -1.0), [0.1, 0.2, 2.0, 0.05, 0.08])
    off = np.abs(found / expected - 1)
    assert (np.median(off, axis=0) < 0.15).all() and np.mean(off < 0.5) > 0.95


@pytest.mark.slow
def test_pixels_of_unseen_mocks_are_predicted_better_and_their_errors_hold(model):
    """A small fit: its coverage is nearer to 68 % than the members' is, and its errors less."""
    zero = np.zeros(5)
    train, test = (make_mock_pixels(n, seed, processes=1) for n, seed in ((40, 31), (16, 32)))
    settings = PixelSettings(rounds=25, spread=SpreadSettings(rounds=10, min_hessian=10.0))
    part = fit_pixel_part(model, train, zero, 1, settings, processes=1)
    rows = rows_of(model, test, zero)
    mean, sigma = part.applied(rows.features, rows.mean, rows.sigma, rows.about, model.columns)
    own, members = residuals(mean, rows), residuals(rows.mean, rows)
    for j in (0, 2, 3, 4):
        known = np.isfinite(own[:, j])
        assert np.mean(own[known, j] ** 2) < np.mean(members[known, j] ** 2)
        inside, before = (
            np.mean(np.abs(off[known, j]) < said[known, j])
            for off, said in ((own, sigma), (members, rows.sigma))
        )
        assert abs(inside - 0.68) < max(0.12, abs(before - 0.68))
    both = joined_rows([rows, rows_of(model, test, zero, 3)])
    assert both.degraded.any() and (both.about.scale_pc == 1).any()
