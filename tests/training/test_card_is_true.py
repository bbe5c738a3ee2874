"""The card is reproduced from the shipped weights on the real galaxies, each by the member that
never saw it.

Of `training.dust_forest.card_text`, `training.dust_forest.card_notes` and
`training.dust_forest.imputation_trial`.
"""

import numpy as np
import pytest

from napari_galaxy_maps.models.dust_forest.uncertainty import QUANTITIES, quantities_of
from napari_galaxy_maps.training.dust_forest.band_sets import ALL_BANDS, BAND_SETS
from napari_galaxy_maps.training.dust_forest.pool import limited_errors
from napari_galaxy_maps.training.dust_forest.scoring import (
    DUST_PER_W1,
    judged,
    populations,
    predict_unseen,
)

pytestmark = pytest.mark.realdata
CASES = {case.name: case for case in (ALL_BANDS, *BAND_SETS)}
BEST_PUBLISHED = {
    "all": {"LOG_SLD": 0.193, "LOG_SMD": 0.352, "T_DUST": 3.33},
    ">= 3 FIR": {"LOG_SLD": 0.088, "LOG_SMD": 0.24, "T_DUST": 2.43},
    "H-ATLAS": {"LOG_SIGMA_LD": 0.114, "LOG_SIGMA_MD": 0.263, "T_DUST": 2.85},
}


@pytest.fixture(scope="module")
def unseen(model, galaxies):
    """Predictions of the real galaxies by members that never saw them, by set of bands."""
    return {name: predict_unseen(model, galaxies, case) for name, case in CASES.items()}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("population", BEST_PUBLISHED)
def test_rows_of_the_card_are_what_the_weights_give(model, galaxies, unseen, case, population):
    found = unseen[case]
    truth, errors = quantities_of(galaxies.targets), limited_errors(galaxies)
    use = np.isfinite(found.values[:, 0]) & populations(galaxies)[population]
    for name in judged(CASES[case], population):
        j, told = QUANTITIES.index(name), model.card.score(case, population, name)
        residual = (found.values - truth)[use, j]
        z = residual / np.hypot(found.sigma[use, j], errors[use, j])
        assert use.sum() == told.n
        assert np.sqrt(np.mean(residual**2)) == pytest.approx(told.rmse[0], rel=1e-3)
        assert residual.mean() == pytest.approx(told.me[0], abs=2e-3 * max(1, abs(told.me[0])))
        assert np.mean(z**2) == pytest.approx(told.chi2[0], rel=5e-3)
        assert 100 * np.mean(np.abs(z) < 1) == pytest.approx(told.coverage68[0], abs=0.5)
        nearly_all = np.abs(z) < found.tails[use, j]
        assert 100 * np.mean(nearly_all) == pytest.approx(told.coverage95[0], abs=0.5)


@pytest.mark.parametrize("population", BEST_PUBLISHED)
def test_errors_are_those_aimed_at(model, population):
    for name, most in BEST_PUBLISHED[population].items():
        assert model.card.score("all bands", population, name).rmse[0] <= most


BY_NEARBY_GALAXIES_ALONE = {
    "no WISE 2 to 4": {"LOG_SLD": 0.348, "LOG_SMD": 0.426, "T_DUST": 3.998},
    "SDSS + WISE 1": {"LOG_SLD": 0.359, "LOG_SMD": 0.431, "T_DUST": 3.799},
    "2MASS + WISE 1, 2": {"LOG_SLD": 0.463, "LOG_SMD": 0.572, "T_DUST": 4.170},
    "no GALEX": {"LOG_SLD": 0.202, "LOG_SMD": 0.355, "T_DUST": 3.398},
    "imputed fluxes": {"LOG_SLD": 0.193, "LOG_SMD": 0.361, "T_DUST": 3.561},
}
"""RMSE of a model that was trained on DustPedia alone, with brightness (version 1)."""


@pytest.mark.parametrize("case", BY_NEARBY_GALAXIES_ALONE)
def test_a_survey_chosen_by_dust_makes_nearby_galaxies_no_worse(model, case):
    for name, rmse in BY_NEARBY_GALAXIES_ALONE[case].items():
        assert model.card.score(case, "all", name).rmse[0] < 1.05 * rmse


@pytest.mark.parametrize("population", ["H-ATLAS", ">= 3 FIR"])
def test_it_beats_the_published_network_on_the_same_galaxies(galaxies, unseen, population):
    """By more than two sigma of a paired bootstrap, in all three."""
    far = populations(galaxies)[population]
    draws = np.random.default_rng(0).integers(0, far.sum(), (500, far.sum()))
    for k, name in enumerate(DUST_PER_W1):
        own = unseen["all bands"].values[far, QUANTITIES.index(name)] - galaxies.targets[far, k]
        rival = galaxies.rival[far, k] - galaxies.targets[far, k]
        gain = np.sqrt((rival[draws] ** 2).mean(1)) - np.sqrt((own[draws] ** 2).mean(1))
        assert gain.mean() > 2 * gain.std()


def test_uncertainty_of_dust_beats_a_constant(model):
    """That of the stars' mass does not, nor that of the dust's mass where it is well measured:
    sigma holds 68 %, and the few outliers are far away.
    """
    whole = [s for s in model.card.scores if s.case == "all bands" and s.population != ">= 3 FIR"]
    dust = [s for s in whole if s.property not in ("LOG_SIGMA_LSTAR", "LOG_SIGMA_STAR")]
    assert len(dust) == 8 and all(s.likelihood_gain > 0 for s in dust)


@pytest.mark.parametrize("population", BEST_PUBLISHED)
def test_errors_are_larger_where_sigma_is(galaxies, unseen, population):
    """Of the quarter with the largest sigmas beside that with the smallest."""
    found, truth = unseen["all bands"], quantities_of(galaxies.targets)
    use = populations(galaxies)[population]
    for name in BEST_PUBLISHED[population]:
        j = QUANTITIES.index(name)
        size = np.abs(found.values - truth)[use, j][np.argsort(found.sigma[use, j])]
        least, *_, most = np.array_split(size, 4)
        assert np.median(most) > 1.3 * np.median(least), name


def test_nearly_all_uncertainties_are_calibrated(model):
    right = [s.calibrated() for s in model.card.scores]
    assert np.mean(right) > 0.7
    whole = [s for s in model.card.scores if s.case == "all bands"]
    assert np.mean([s.calibrated() for s in whole]) > 0.6 and max(s.off() for s in whole) < 4


def test_real_galaxies_are_seldom_out_of_distribution_and_shuffled_ones_often(
    model, galaxies, unseen
):
    from dataclasses import replace

    near = galaxies.take(np.arange(693))
    assert np.mean(unseen["all bands"].score[:693] > 1) < 0.04
    order = np.random.default_rng(0).permutation(18)
    shuffled = replace(near, values=near.values[order], errors=near.errors[order])
    score = predict_unseen(model, shuffled, ALL_BANDS).score
    assert np.mean(score[np.isfinite(score)] > 1) > 0.8


def test_real_galaxies_made_fainter_are_not_out_of_distribution(model, galaxies):
    from dataclasses import replace

    near = galaxies.take(np.arange(693))
    rng = np.random.default_rng(0)
    extra = 4 * near.errors
    faint = replace(
        near,
        values=near.values + extra * rng.standard_normal(extra.shape),
        errors=np.hypot(near.errors, extra),
    )
    score = predict_unseen(model, faint, ALL_BANDS).score
    assert np.mean(score[np.isfinite(score)] > 1) < 0.04


@pytest.mark.parametrize("name", ["LOG_SLD", "LOG_SMD", "T_DUST"])
def test_real_galaxies_with_fewer_bands_are_less_certain(unseen, name):
    j = ("LOG_SLD", "LOG_SMD", "T_DUST").index(name)
    whole = unseen["all bands"].sigma[:693, j]
    for case in ("no WISE 2 to 4", "SDSS + WISE 1", "2MASS + WISE 1, 2"):
        fewer = unseen[case].sigma[:693, j]
        use = np.isfinite(fewer)
        assert np.median(fewer[use]) > 1.05 * np.median(whole[use])


def test_what_the_card_says_of_filled_gaps_is_what_comes_out(model, galaxies):
    """By property, on the same galaxies; and so the step is on by default, and the temperature
    keeps its gaps.
    """
    import re

    from napari_galaxy_maps.data.recipe import Recipe
    from napari_galaxy_maps.training.dust_forest import imputation_trial as imputation

    rows = imputation.compare(
        model, galaxies.take(np.arange(693)), imputation.library_for_galaxies()
    )
    told = [note for note in model.card.notes if note.startswith(imputation.NOTE)]
    assert len(told) == 2
    for note, fresh in zip(told, imputation.notes(rows), strict=True):
        for pattern, tolerance in (
            (r"\d+\.\d+", 0.002),
            (r"(?<![.\d])\d+(?![.\d])", 2),
        ):  # a row may be near two sigma
            numbers, again = (np.array(re.findall(pattern, text), float) for text in (note, fresh))
            assert np.allclose(numbers, again, rtol=0.02, atol=tolerance), (
                "make the card anew: training.imputation --card"
            )
    by_row = {(r.case, r.filled, r.population, r.property): r for r in rows}
    temperature = by_row["all bands", "gaps", "all", "T_DUST"]
    assert (
        temperature.imputed > temperature.observed + 0.05
        and temperature.both == temperature.observed
    )
    assert by_row["all bands", "gaps", "all", "LOG_SLD"].verdict() != "worse"
    assert by_row["all bands", "gaps", ">= 3 FIR", "LOG_SLD"].both < 0.1
    gaps = [r for r in rows if r.filled == "gaps"]
    assert [r.verdict() for r in gaps].count("worse") < 6
    assert [r.verdict() for r in rows if r.filled == "all"].count("worse") > 3
    assert Recipe().impute.enabled and Recipe().impute.bands == "given"
