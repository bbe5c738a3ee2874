"""Training's parts: degraded galaxies, scores, the recalibration; and that the real tables give
what was said of them.

Of `training.dust_forest.fit_features`, `training.dust_forest.fit_network` and
`training.processes`, as parts of the fit of a small model.

`training.datasets.photometric_tables` is tested with the tables that it makes, in
tests/sed/test_sed_tables.py.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from napari_galaxy_maps.bands.registry import INPUT_BANDS
from napari_galaxy_maps.exceptions import GalaxyMapsError
from napari_galaxy_maps.models.dust_forest.features import ColourTerm
from napari_galaxy_maps.models.dust_forest.uncertainty import (
    QUANTITIES,
    quantities_of,
    recalibrate,
)
from napari_galaxy_maps.training.datasets.dustpedia import read_galaxies
from napari_galaxy_maps.training.datasets.galaxies import Galaxies
from napari_galaxy_maps.training.datasets.hatlas import read_hatlas
from napari_galaxy_maps.training.dust_forest.ablation import ablation_table
from napari_galaxy_maps.training.dust_forest.band_sets import ALL_BANDS, BAND_SETS
from napari_galaxy_maps.training.dust_forest.degraded_galaxies import Degradation, degrade
from napari_galaxy_maps.training.dust_forest.fit_forest import fit_model
from napari_galaxy_maps.training.dust_forest.fit_mean import COMPLETE, PARTIAL, ForestSettings
from napari_galaxy_maps.training.dust_forest.fit_recalibration import (
    COVERAGE_68,
    COVERAGE_95,
    fit_recalibration,
)
from napari_galaxy_maps.training.dust_forest.fit_spread import SpreadSettings, best_constant
from napari_galaxy_maps.training.dust_forest.pool import PoolSettings, limited_errors
from napari_galaxy_maps.training.dust_forest.scoring import folds, predict_unseen, score

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


@pytest.mark.parametrize("freedom", [100, 5])
def test_recalibration_makes_coverages_right_in_each_population(freedom):
    """Sigma told 30 % too small where 12 micron is measured and 40 % too large where it is not;
    Gaussian and heavy-tailed.
    """
    rng = np.random.default_rng(0)
    n = 6000
    unknown = rng.integers(0, 2, n).astype(float)
    sigma = rng.uniform(0.1, 0.3, n)
    residual = sigma * rng.standard_t(freedom, n)
    told = np.log(sigma) + np.log(np.where(unknown > 0, 1.4, 0.7))
    levers = np.column_stack([unknown, np.zeros(n)])
    groups = np.array([unknown == 0, unknown == 1])
    found, tail = fit_recalibration(told, levers, residual, np.zeros(n), groups, np.ones(2))
    corrected = recalibrate(told[:, None], levers, found[None])[:, 0]
    for group in groups:
        z = np.abs(residual[group]) / np.exp(corrected[group])
        assert np.mean(z < 1) == pytest.approx(0.665, abs=0.02)
        assert np.mean(z < tail) == pytest.approx(0.95, abs=0.012)
    inside = np.array([np.mean(COVERAGE_95), np.mean(COVERAGE_68)])
    wide, sigma = stats.t(freedom).ppf((1 + inside) / 2)
    expected = wide / sigma
    assert tail == pytest.approx(expected, rel=0.06)


def test_scores_are_right_on_a_case_known_beforehand():
    rng = np.random.default_rng(0)
    n = 4000
    truth, sigma, error = rng.normal(0, 1, n), np.full(n, 0.3), np.full(n, 0.1)
    predicted = truth + 0.02 + np.hypot(sigma, error) * rng.standard_normal(n)
    s = score("case", "all", "LOG_SLD", truth, error, predicted, sigma, None)
    assert s.rmse[0] == pytest.approx(np.sqrt(0.1 + 0.02**2), rel=0.04)
    assert s.rmse[1] == pytest.approx(s.rmse[0] / np.sqrt(2 * n), rel=0.2)
    assert s.me[0] == pytest.approx(0.02, abs=0.015)
    assert s.chi2[0] == pytest.approx(1, abs=0.08)
    assert s.coverage68[0] == pytest.approx(68, abs=3)
    assert s.coverage95[0] == pytest.approx(95, abs=2) and s.tail == pytest.approx(1.96, abs=0.01)
    assert s.coverage68[1] == pytest.approx(100 * np.sqrt(0.68 * 0.32 / n), rel=0.2)
    assert s.chi2_median == pytest.approx(0.455, abs=0.05)
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
    near = galaxies.surveys == "DustPedia"
    assert near.sum() == 693 and (near & (galaxies.n_detected >= 3)).sum() == 438
    errors = galaxies.truth_errors[near & (galaxies.n_detected >= 3)][:, :3]
    np.testing.assert_allclose(np.sqrt((errors**2).mean(0)), [0.06, 0.14, 1.4], rtol=0.04)
    assert np.isfinite(galaxies.stage[near]).all() and np.isnan(galaxies.stage[~near]).all()


@pytest.mark.realdata
def test_the_rival_errs_on_these_galaxies_as_its_authors_say(galaxies):
    """0.153, 0.278, 2.85 on H-ATLAS and 0.201, 0.376, 3.64 on DustPedia."""
    residual = galaxies.rival - galaxies.targets[:, :3]
    far = galaxies.surveys == "H-ATLAS"
    for rows, told in ((far, [0.153, 0.278, 2.85]), (~far, [0.201, 0.376, 3.64])):
        np.testing.assert_allclose(np.sqrt((residual[rows] ** 2).mean(0)), told, rtol=0.015)


@pytest.mark.realdata
def test_blank_fluxes_of_hatlas_that_have_an_error_are_zeros(shared_data):
    """None of WISE's published fluxes is negative; those of the faintest are blank."""
    galaxies = read_hatlas(shared_data / "hatlas")
    rows = [INPUT_BANDS.index(band) for band in ("WISE_4.6", "WISE_12", "WISE_22")]
    values, errors = galaxies.values[rows], galaxies.errors[rows]
    assert np.isfinite(values).all() and (errors > 0).all()
    assert [(v == 0).sum() for v in values] == [18, 89, 1003]


def test_missing_hatlas_tables_are_told(tmp_path):
    with pytest.raises(GalaxyMapsError, match=r"hatlas_fluxes_full\.mag cannot be read"):
        read_hatlas(tmp_path)


@pytest.mark.realdata
def test_folds_split_each_survey_by_itself_and_every_galaxy_is_tested_once(galaxies):
    from sklearn.model_selection import KFold

    found = folds(galaxies.surveys)
    assert sorted(np.concatenate([test for _, test in found])) == list(range(len(galaxies)))
    for (fit, test), (_, alone) in zip(
        found, KFold(4, shuffle=True, random_state=123).split(np.zeros(693)), strict=True
    ):
        assert not set(fit) & set(test)
        np.testing.assert_array_equal(test[test < 693], alone)


def test_errors_of_the_truth_are_limited_and_those_of_stars_do_not_count(few):
    errors = limited_errors(few)
    j = {name: QUANTITIES.index(name) for name in QUANTITIES}
    assert errors[0, j["T_DUST"]] == 2.0 and errors[1, j["T_DUST"]] == 0.5
    assert errors[0, j["LOG_SMD"]] == errors[0, j["LOG_SIGMA_MD"]] == 0.2
    assert (errors[:, j["LOG_SIGMA_LSTAR"]] == 0).all()


@pytest.fixture(scope="module")
def few():
    """Two hundred made-up galaxies of two surveys: the redder at 12 micron, the dustier."""
    rng = np.random.default_rng(3)
    n = 200
    dust = rng.normal(0, 0.4, n)
    values = 10 ** (rng.normal(0, 0.05, (18, n)) + np.linspace(0, 1, 18)[:, None] * dust)
    values *= 10 ** rng.normal(0, 0.5, n)
    surveys = np.where(np.arange(n) < 120, "DustPedia", "H-ATLAS")
    targets = np.column_stack([dust, dust - 3, 22 + 5 * dust, 0.1 * dust, 0.2 * dust])
    targets[surveys == "H-ATLAS", 3:] = np.nan
    errors = np.tile([0.05, 0.1, 1.0, 0.04, 0.1, 0.05, 0.1], (n, 1))
    errors[0], errors[1] = 9.0, 0.0
    return Galaxies(
        np.arange(n).astype(str), surveys, values, 0.05 * values, np.full((18, n), np.nan),
        np.full((18, n), np.nan), np.where(surveys == "H-ATLAS", np.nan, 3.0), np.full(n, 2e4),
        np.ones(n), targets, errors, np.full(n, 4), np.full((n, 3), np.nan),
    )  # fmt: skip


SMALL_MEANS = tuple(
    replace(
        settings, logs=ForestSettings(n_trees=4, draws=1),
        temperature=ForestSettings(n_trees=4, draws=1), rounds=20, boost_draws=1, epochs=5,
        width=16,
    )
    for settings in (COMPLETE, PARTIAL)
)  # fmt: skip
SMALL = (
    PoolSettings(copies=3, imputed_copies=1),
    SMALL_MEANS,
    SpreadSettings(rounds=5),
)  # fmt: skip


@pytest.mark.slow
def test_a_model_learns_dust_from_colours_and_a_seed_gives_the_same_one_again(few):
    model, pool, fitted = fit_model(few, 1, *SMALL, processes=1)
    again, other = (fit_model(few, s, *SMALL, processes=1)[0] for s in (1, 2))
    halves = (
        [h for m in f.members for h in (m.complete, m.partial)] for f in (model, again, other)
    )
    for one, same, else_ in zip(*halves, strict=True):
        np.testing.assert_array_equal(one.trees.leaf, same.trees.leaf)
        # Some of what trees are grown on comes of a network, which on some processors differs from
        # run to run by rounding.
        np.testing.assert_allclose(one.trees.threshold, same.trees.threshold, rtol=1e-6, atol=1e-6)
        for mine, theirs in zip(one.network.weights, same.network.weights, strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-5)
        assert not np.array_equal(one.trees.leaf, else_.trees.leaf)
    values = predict_unseen(model, few, ALL_BANDS).values
    truth = quantities_of(few.targets)
    for name in ("LOG_SIGMA_LD", "LOG_SIGMA_MD"):
        j = QUANTITIES.index(name)
        assert np.std(values[:, j] - truth[:, j]) < 0.75 * np.std(truth[:, j])
    assert pool.features.shape == (1 + len(BAND_SETS) + 3, 200, 96)
    table = ablation_table(few, pool, fitted, 0, SMALL_MEANS[0])
    assert [row[0] for row in table.rows][:3] == [
        "all of it",
        "with the Hubble stage",
        "trees alone",
    ]
    assert all(len(row) == len(table.head) for row in table.rows)


@pytest.mark.realdata
def test_bands_left_out_are_what_the_case_says(galaxies):
    near = galaxies.take(np.arange(693))
    for case in BAND_SETS:
        values, _ = case.padded(near)
        given = {INPUT_BANDS[i] for i in np.flatnonzero(np.isfinite(values).any(1))}
        assert given == set(case.bands)
        assert np.isfinite(case.stage(near)).all() == case.with_stage
