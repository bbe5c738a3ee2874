"""The card is reproduced from the shipped weights on the real galaxies, each by the member that
never saw it.

Of `training.dust_forest.card_text`, `training.dust_forest.card_notes` and
`training.dust_forest.imputation_trial`.
"""

import numpy as np
import pytest

from napari_galaxy_maps.training.dust_forest.band_sets import ALL_BANDS, BAND_SETS
from napari_galaxy_maps.training.dust_forest.fit_spread import truth_errors
from napari_galaxy_maps.training.dust_forest.scoring import predict_unseen

pytestmark = pytest.mark.realdata
GOALS = {
    "all": {"LOG_SLD": 0.225, "LOG_SMD": 0.387, "T_DUST": 3.37},
    ">= 3 FIR": {"LOG_SLD": 0.130, "LOG_SMD": 0.256, "T_DUST": 2.45},
}


@pytest.fixture(scope="module")
def unseen(model, galaxies):
    """Predictions of the real galaxies by members that never saw them, by set of bands."""
    return {case.name: predict_unseen(model, galaxies, case) for case in (ALL_BANDS, *BAND_SETS)}


@pytest.mark.parametrize("case", [c.name for c in (ALL_BANDS, *BAND_SETS)])
@pytest.mark.parametrize("population", ["all", ">= 3 FIR"])
@pytest.mark.parametrize("j", [0, 1, 2])
def test_a_row_of_the_card_is_what_the_weights_give(model, galaxies, unseen, case, population, j):
    values, sigma, _ = unseen[case]
    told = model.card.score(case, population, ("LOG_SLD", "LOG_SMD", "T_DUST")[j])
    use = np.isfinite(values[:, 0]) & ((population == "all") | (galaxies.n_detected >= 3))
    residual = (values[:, j] - galaxies.targets[:, j])[use]
    z = residual / np.hypot(sigma[use, j], truth_errors(galaxies)[use, j])
    assert use.sum() == told.n
    assert np.sqrt(np.mean(residual**2)) == pytest.approx(told.rmse[0], rel=1e-3)
    assert residual.mean() == pytest.approx(told.me[0], abs=1e-3 * max(1, abs(told.me[0])))
    assert np.mean(z**2) == pytest.approx(told.chi2[0], rel=5e-3)
    assert 100 * np.mean(np.abs(z) < 1) == pytest.approx(told.coverage68, abs=0.5)


@pytest.mark.parametrize("population", GOALS)
@pytest.mark.parametrize("name", ["LOG_SLD", "LOG_SMD", "T_DUST"])
def test_errors_are_no_worse_than_the_baseline(model, population, name):
    assert model.card.score("all bands", population, name).rmse[0] <= GOALS[population][name]


def test_uncertainty_beats_a_constant(model):
    assert all(s.likelihood_gain > 0 for s in model.card.scores if s.case == "all bands")


def test_real_galaxies_are_seldom_out_of_distribution_and_shuffled_ones_often(
    model, galaxies, unseen
):
    assert np.mean(unseen["all bands"][2] > 1) < 0.04
    from dataclasses import replace

    order = np.random.default_rng(0).permutation(18)
    shuffled = replace(galaxies, values=galaxies.values[order], errors=galaxies.errors[order])
    unusual = predict_unseen(model, shuffled, ALL_BANDS)[2]
    assert np.nanmean(unusual[np.isfinite(unusual)] > 1) > 0.9


def test_real_galaxies_made_fainter_are_not_out_of_distribution(model, galaxies):
    from dataclasses import replace

    rng = np.random.default_rng(0)
    extra = 4 * galaxies.errors
    faint = replace(
        galaxies,
        values=galaxies.values + extra * rng.standard_normal(extra.shape),
        errors=np.hypot(galaxies.errors, extra),
    )
    unusual = predict_unseen(model, faint, ALL_BANDS)[2]
    assert np.mean(unusual[np.isfinite(unusual)] > 1) < 0.04


@pytest.mark.parametrize("name", ["LOG_SLD", "LOG_SMD", "T_DUST"])
def test_real_galaxies_with_fewer_bands_are_less_certain(unseen, name):
    j = ("LOG_SLD", "LOG_SMD", "T_DUST").index(name)
    whole = unseen["all bands"][1][:, j]
    for case in ("no WISE 2 to 4", "SDSS + WISE 1", "2MASS + WISE 1, 2"):
        fewer = unseen[case][1][:, j]
        use = np.isfinite(fewer)
        assert np.median(fewer[use]) > 1.05 * np.median(whole[use])


def test_nearly_all_uncertainties_are_calibrated(model):
    """The three of 72 conditions that do not hold are the card's: T_DUST with all bands and without
    IRAC, imputed LOG_SLD.
    """
    judged = [
        ((score.case, score.property), holds)
        for score in model.card.scores
        if score.property in ("LOG_SLD", "LOG_SMD", "T_DUST")
        and (score.population == "all" or score.case == ALL_BANDS.name)
        for holds in score.conditions()
    ]
    assert len(judged) == 72
    assert {what for what, holds in judged if not holds} == {
        ("all bands", "T_DUST"), ("no IRAC", "T_DUST"), ("imputed fluxes", "LOG_SLD")
    }  # fmt: skip
    well_measured = [
        s for s in model.card.scores if (s.case, s.population) == (ALL_BANDS.name, ">= 3 FIR")
    ]
    assert all(s.calibrated() for s in well_measured if s.property in GOALS["all"])


def test_what_the_card_says_of_filled_gaps_is_what_comes_out(model, galaxies):
    """By property, on the same galaxies; and so the step is on by default, and the temperature
    keeps its gaps.
    """
    import re

    from napari_galaxy_maps.data.recipe import Recipe
    from napari_galaxy_maps.training.dust_forest import imputation_trial as imputation

    rows = imputation.compare(model, galaxies, imputation.library_for_galaxies())
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
    assert by_row["all bands", "gaps", "all", "LOG_SLD"].verdict() == "better"
    assert by_row["all bands", "gaps", ">= 3 FIR", "LOG_SLD"].both < 0.1
    gaps = [r for r in rows if r.filled == "gaps"]
    assert not any(r.verdict() == "worse" for r in gaps)
    assert all(0.85 < r.chi2[1] < 1.15 for r in gaps if r.population == "all")
    assert [r.verdict() for r in rows if r.filled == "all"].count("worse") > 5
    assert Recipe().impute.enabled and Recipe().impute.bands == "given"
