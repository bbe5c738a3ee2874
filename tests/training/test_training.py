"""Training's parts: degraded galaxies, scores, the recalibration; and that the real tables give
what was said of them.

`training.datasets.photometric_tables` is tested with the tables that it makes, in
tests/sed/test_sed_tables.py.
"""

import numpy as np
import pytest

from napari_galaxy_maps.bands.registry import INPUT_BANDS
from napari_galaxy_maps.exceptions import GalaxyMapsError
from napari_galaxy_maps.models.dust_forest.features import ColourTerm
from napari_galaxy_maps.models.dust_forest.uncertainty import recalibrate
from napari_galaxy_maps.training.datasets.dustpedia import read_galaxies
from napari_galaxy_maps.training.dust_forest.degraded_galaxies import Degradation, degrade
from napari_galaxy_maps.training.dust_forest.fit_recalibration import fit_recalibration
from napari_galaxy_maps.training.dust_forest.fit_spread import best_constant
from napari_galaxy_maps.training.dust_forest.scoring import folds, score

TERM = ColourTerm(0.0, 0.02)
W1 = INPUT_BANDS.index("WISE_3.4")


@pytest.fixture
def fluxes():
    """Made-up fluxes in 18 bands."""
    rng = np.random.default_rng(0)
    values = 10 ** rng.normal(0, 0.2, (18, 2000))
    return values, 0.05 * values


def test_degraded_galaxies_keep_enough_bands(fluxes):
    values, _ = degrade(*fluxes, Degradation(group=0.6, band=0.2), TERM, np.random.default_rng(1))
    assert np.isfinite(values[W1]).all()
    assert (np.isfinite(values).sum(0) >= 3).all()
    assert np.isnan(values).mean() > 0.4


def test_added_noise_matches_the_errors_told(fluxes):
    truth, error = fluxes
    how = Degradation(group=0, band=0, noise=1, stand_in=0)
    values, errors = degrade(truth, error, how, TERM, np.random.default_rng(1))
    added = np.sqrt(errors**2 - error**2)
    use = added > 0.1 * error
    z = ((values - truth) / np.where(use, added, 1))[use & (np.arange(18) != W1)[:, None]]
    assert np.std(z) == pytest.approx(1, abs=0.03)
    assert (values < 0).any()
    assert (values[W1] > 2 * errors[W1]).all()


def test_nothing_is_done_when_nothing_is_asked(fluxes):
    values, errors = degrade(*fluxes, Degradation(0, 0, 0, 0), TERM, np.random.default_rng(1))
    np.testing.assert_array_equal(values, fluxes[0])
    np.testing.assert_array_equal(errors, fluxes[1])


def test_the_constant_sigma_is_found_beneath_the_truths_errors():
    rng = np.random.default_rng(0)
    error = rng.uniform(0.0, 0.4, 5000)
    residual = rng.normal(0, 0.2, 5000) + error * rng.standard_normal(5000)
    assert np.exp(best_constant(residual, error) / 2) == pytest.approx(0.2, rel=0.06)


@pytest.mark.parametrize("tails", [100, 8])
def test_recalibration_makes_chi2_and_coverages_right_in_each_population(tails):
    """Sigma told 30 % too small where 12 micron is measured and 40 % too large where it is not;
    Gaussian and heavy-tailed.
    """
    rng = np.random.default_rng(0)
    n = 6000
    unknown = rng.integers(0, 2, n).astype(float)
    sigma = rng.uniform(0.1, 0.3, n)
    residual = sigma * rng.standard_t(tails, n) * np.sqrt(1 - 2 / tails)
    told = np.log(sigma) + np.log(np.where(unknown > 0, 1.4, 0.7))
    levers = np.column_stack([unknown, np.zeros(n)])
    groups = np.array([unknown == 0, unknown == 1])
    found = fit_recalibration(told, levers, residual, np.zeros(n), groups, np.ones(2))
    corrected = recalibrate(told[:, None], levers, found[None])[:, 0]
    for group, factor in zip(groups, (0.7, 1.4), strict=True):
        z = np.abs(residual[group]) / np.exp(corrected[group])
        assert 0.95 < np.mean(z**2) < 1.15
        assert np.mean(z < 1) == pytest.approx(0.68, abs=0.04) and np.mean(
            z < 1.96
        ) == pytest.approx(0.95, abs=0.02)
        assert np.median(corrected[group] - told[group]) == pytest.approx(-np.log(factor), abs=0.12)


def test_scores_are_right_on_a_case_known_beforehand():
    rng = np.random.default_rng(0)
    n = 4000
    truth, sigma, error = rng.normal(0, 1, n), np.full(n, 0.3), np.full(n, 0.1)
    predicted = truth + 0.05 + np.hypot(sigma, error) * rng.standard_normal(n)
    s = score("case", "all", "LOG_SLD", truth, error, predicted, sigma, None)
    assert s.rmse[0] == pytest.approx(np.sqrt(0.1 + 0.05**2), rel=0.04)
    assert s.rmse[1] == pytest.approx(s.rmse[0] / np.sqrt(2 * n), rel=0.2)
    assert s.me[0] == pytest.approx(0.05, abs=0.015)
    assert s.chi2[0] == pytest.approx(1, abs=0.08)
    assert s.coverage68 == pytest.approx(68, abs=3) and s.coverage95 == pytest.approx(95, abs=2)
    assert s.calibrated() and np.isnan(s.baseline_rmse[0])


def test_overconfidence_is_not_called_calibrated():
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 1, 500)
    s = score(
        "c",
        "all",
        "T_DUST",
        truth,
        np.zeros(500),
        truth + rng.normal(0, 1, 500),
        np.full(500, 0.5),
        None,
    )
    assert not s.calibrated()


def test_missing_tables_are_told(tmp_path):
    with pytest.raises(GalaxyMapsError, match="give the folder with the DustPedia tables"):
        read_galaxies(tmp_path)


@pytest.mark.realdata
def test_the_tables_give_the_galaxies_of_the_baseline(galaxies):
    assert len(galaxies) == 693
    assert int((galaxies.n_detected >= 3).sum()) == 438
    rms = np.sqrt((galaxies.target_errors[:, :3] ** 2)[galaxies.n_detected >= 3].mean(0))
    np.testing.assert_allclose(rms, [0.06, 0.14, 1.4], rtol=0.04)
    assert sum(len(test) for _, test in folds(693)) == 693


@pytest.mark.realdata
@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(galaxies):
    from napari_galaxy_maps.models.dust_forest.model import DustForest
    from napari_galaxy_maps.training.dust_forest.fit_forest import train_member
    from napari_galaxy_maps.training.dust_forest.fit_spread import SpreadSettings
    from napari_galaxy_maps.training.dust_forest.fit_trees import ForestSettings, TreeSettings

    some = galaxies.take(np.arange(120))
    few = ForestSettings(n_trees=2, draws=1)
    trees = TreeSettings(
        copies=5, imputed_copies=1, logs=few, temperature=few, rounds=3, boost_draws=1
    )
    spread = SpreadSettings(rounds=3)
    one, again, other = (
        DustForest((train_member(some, TERM, seed, trees, spread),), TERM, None).to_bytes()
        for seed in (1, 1, 2)
    )
    assert one == again != other


@pytest.mark.realdata
def test_bands_left_out_are_what_the_case_says(galaxies):
    from napari_galaxy_maps.training.dust_forest.band_sets import BAND_SETS

    for case in BAND_SETS:
        values, _ = case.padded(galaxies)
        given = {INPUT_BANDS[i] for i in np.flatnonzero(np.isfinite(values).any(1))}
        assert given == set(case.bands)
