"""The part for pixels learns what galaxies' members miss, from galaxies that each count alike.

Of `training.dust_forest.fit_pixels`, `training.dust_forest.boosting` and
`training.dust_forest.command`.
"""

import numpy as np
import pytest

from napari_galaxy_maps.models.dust_forest.features import UNKNOWN_SCALE
from napari_galaxy_maps.models.dust_forest.uncertainty import QUANTITIES
from napari_galaxy_maps.training.datasets.mock_pixels import make_mock_pixels
from napari_galaxy_maps.training.dust_forest.add_pixels import judged_sets, main, with_pixels
from napari_galaxy_maps.training.dust_forest.fit_pixels import (
    PixelSettings,
    fit_correction,
    galaxy_weights,
)
from napari_galaxy_maps.training.dust_forest.fit_spread import SpreadSettings
from napari_galaxy_maps.training.dust_forest.pixel_rows import (
    FIT_SHOWN,
    joined_rows,
    residuals,
    rows_of,
    spire_250,
)
from napari_galaxy_maps.training.dust_forest.score_pixels import rmse

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
    settings = PixelSettings(rounds=25, spread=SpreadSettings(rounds=10, min_hessian=10.0))
    fitted, zero = with_pixels(model, 30, 20, 7, settings, processes=1)
    assert zero.shape == (5,) and np.abs(zero[[0, 1, 3, 4]]).max() < 0.4
    others = make_mock_pixels(2, 40, processes=1)
    sets = judged_sets(fitted, zero, others, 12, 7, processes=1)
    assert list(sets) == ["A", "A, 18 arcsec", "A, scale unknown", "A, bands left out", "B"]
    found = sets["A"]
    for name in ("LOG_SLD", "LOG_SIGMA_LSTAR", "LOG_SIGMA_STAR"):
        j = QUANTITIES.index(name)
        assert rmse(found.own[:, j], found.galaxy)[0] < rmse(found.members[:, j], found.galaxy)[0]
        own, members = (
            np.mean(np.abs(off[:, j]) < sigma[:, j])
            for off, sigma in (
                (found.own, found.own_sigma),
                (found.members, found.members_sigma),
            )
        )
        assert abs(own - 0.68) < abs(members - 0.68)
    assert (found.radius < 1).all() and np.isnan(sets["A, scale unknown"].scale_pc).all()


def test_a_copy_with_bands_left_out_is_told_apart(model):
    pixels = make_mock_pixels(1, 41, processes=1)
    whole, taken = rows_of(model, pixels, np.zeros(5)), rows_of(model, pixels, np.zeros(5), 3)
    both = joined_rows([whole, taken])
    assert len(both.pixel) == len(whole.pixel) + len(taken.pixel)
    assert not whole.degraded.any() and taken.degraded.all()
    assert (both.about.scale_pc == UNKNOWN_SCALE).any()
    faint = spire_250(pixels.truth[whole.pixel]) < FIT_SHOWN
    assert np.isnan(whole.targets[faint, 1]).all()
    assert np.isfinite(residuals(whole.mean, whole)[~faint]).all()


def test_tables_that_are_not_there_are_told_in_a_sentence(tmp_path, capsys):
    folders = ["--data", str(tmp_path), "--hatlas", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main(folders) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
