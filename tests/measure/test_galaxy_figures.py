"""Figures of several galaxies hold their numbers, and files find their truths by themselves.

Of `measure.figures.galaxy_figures`, `measure.figures.profile_figures` and
`measure.compare.truth_matching`; `measure.figures.map_figures` is tested in
tests/test_front_door.py.
"""

import numpy as np
import pytest

from napari_galaxy_maps.data.galaxy import Ellipse
from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.measure.compare.comparison import compare, pixels_of, values_beside
from napari_galaxy_maps.measure.compare.truth_matching import match_truths
from napari_galaxy_maps.measure.figures.galaxy_figures import (
    annuli_against_truth,
    galaxies_against_truth,
    side_by_side,
    sums_against_truth,
)
from napari_galaxy_maps.measure.figures.prediction_figures import sigma_against_error
from napari_galaxy_maps.measure.figures.profile_figures import profiles_figure
from napari_galaxy_maps.measure.profiles.radial_profile import radial_profile
from napari_galaxy_maps.measure.report.tables import stellar_sums
from tests.conftest import ink, tan_wcs

SHAPE = (40, 44)
RNG = np.random.default_rng(4)


def maps_of(offset=0.0, noise=0.0, ra=150.0, model=True, age=True, **provenance):
    """An exponential disc in stars and dust temperature, off by so much, with noise whose sigma is
    told.
    """
    wcs = tan_wcs(SHAPE, 4.0)
    wcs.wcs.crval = [ra, 2.0]
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    stars = 8 - np.hypot(x - 21.5, (y - 19.5) / 0.7) / 8
    values = {
        "LOG_SIGMA_STAR": stars + offset + noise * RNG.normal(size=SHAPE),
        "T_DUST": 15 + 10 * offset + stars,
    }
    if age:
        values["AGE_STAR"] = 10 ** (0.1 * stars + offset)
    values = {name: plane.astype("f4") for name, plane in values.items()}
    errors = {name: np.full(SHAPE, noise or 0.1, "f4") for name in values}
    made_by = {"fwhm": "8", **({"model_hash": "abc"} if model else {}), **provenance}
    return PropertyMaps(values, errors, wcs, np.zeros(SHAPE, np.int16), made_by)


def several(offsets=(0.1, -0.2, 0.3), noise=0.05):
    return [
        compare(maps_of(offset, noise, object=f"G{i}"), maps_of(model=False))
        for i, offset in enumerate(offsets)
    ]


def test_means_of_galaxies_and_the_share_of_the_error_between_them():
    figure, table = galaxies_against_truth(several(), "LOG_SIGMA_STAR")
    np.testing.assert_allclose(table["bias"], [0.1, -0.2, 0.3], atol=0.005)
    np.testing.assert_allclose(table["within"], 0.05, rtol=0.05)
    between = np.mean(np.array([0.1, 0.2, 0.3]) ** 2)
    assert table.meta["between"] == pytest.approx(between / (between + 0.05**2), abs=0.01)
    assert list(table["galaxy"]) == ["G0", "G1", "G2"] and ink(figure) > 0.05
    sigma = np.hypot(0.05, 0.1)  # the truth's error is in it
    np.testing.assert_allclose(table["chi2"], (table["bias"] ** 2 + 0.05**2) / sigma**2, rtol=0.05)


def test_sigma_against_error_tells_chi2_by_galaxy():
    figure, table = sigma_against_error(pixels_of(several(), "LOG_SIGMA_STAR"), "LOG_SIGMA_STAR")
    chi2 = table.meta["chi2"]
    each = (np.array([0.1, 0.2, 0.3]) ** 2 + 0.05**2) / (0.05**2 + 0.1**2)
    assert chi2["chi2"] == pytest.approx(each.mean(), rel=0.05)
    assert chi2["galaxies_p50"] == pytest.approx(each[1], rel=0.05) and chi2["galaxies_n"] == 3
    assert any("by galaxy" in text.get_text() for text in figure.axes[0].texts)


@pytest.mark.slow
def test_many_galaxies_side_by_side_share_their_colours():
    figure, table = side_by_side(several(), "LOG_SIGMA_STAR")
    pictures = [axes.images[0] for axes in figure.axes if axes.images]
    assert len(pictures) == 12 and len({pictures[i].get_clim() for i in (0, 1, 4, 5, 8, 9)}) == 1
    residual = table[table["map"] == "residual"]
    np.testing.assert_allclose(residual["p50"], [0.1, -0.2, 0.3], atol=0.01)
    figure, _ = side_by_side(several(np.linspace(-0.1, 0.1, 11)), "LOG_SIGMA_STAR")
    assert "9 of 11 galaxies" in figure.get_suptitle()
    with pytest.raises(InputError, match="No pixel has both"):
        side_by_side(several(), "LOG_SMD")


@pytest.mark.slow
def test_sums_and_annuli_of_picasso():
    sums, notes = stellar_sums(several())
    figure, table = sums_against_truth(sums)
    assert ink(figure) > 0.02
    assert len(notes) == 3 and all("The distance is not known" in note for note in notes)
    stars = table[table["property"] == "LOG_SIGMA_STAR"]
    np.testing.assert_allclose(stars["delta"], [-0.1, 0.2, -0.3], atol=0.02)
    text = figure.axes[0].texts[0].get_text()
    assert (
        f"{np.mean(stars['delta']):+.3f}" in text
        and f"{np.std(stars['delta'], ddof=1):.3f}" in text
    )
    figure, table = annuli_against_truth(sums)
    stars = table[table["property"] == "LOG_SIGMA_STAR"]
    assert len(stars) == 10 and ink(figure) > 0.02
    full = stars[stars["n"] == 3]
    np.testing.assert_allclose(full["bias"], -0.2 / 3, atol=0.02)
    np.testing.assert_allclose(full["scatter"], np.std([0.1, -0.2, 0.3], ddof=1), atol=0.02)
    figure, table = annuli_against_truth(sums[:1])
    assert (
        len(figure.axes) == 1 and np.isnan(table["scatter"]).all()
    )  # of one galaxy there is no scatter
    without = compare(
        maps_of(),
        PropertyMaps({"T_DUST": np.ones(SHAPE, "f4")}, {}, maps_of().wcs, maps_of().flags),
    )
    assert stellar_sums([without])[1] == [
        "galaxy 1: The truth has no map of stars (LOG_SIGMA_STAR or LOG_SIGMA_LSTAR), which R_half "
        "is measured on."
    ]
    with pytest.raises(InputError, match="No galaxy has"):
        sums_against_truth([])


def test_values_beside_are_those_of_the_same_pixels():
    comparisons = several()
    comparisons[1].maps.values["LOG_SIGMA_STAR"][:7] = np.nan
    stars = pixels_of(comparisons, "LOG_SIGMA_STAR")
    np.testing.assert_array_equal(
        values_beside(comparisons, "LOG_SIGMA_STAR", "LOG_SIGMA_STAR"), stars.predicted
    )
    age = values_beside(comparisons, "LOG_SIGMA_STAR", "AGE_STAR")
    assert age.shape == stars.true.shape and age.max() < 1.5  # ages are scored as logarithms
    assert np.isnan(values_beside(comparisons, "LOG_SIGMA_STAR", "LOG_SMD")).all()


@pytest.mark.slow
def test_profiles_of_several_maps_share_the_radius():
    maps = [maps_of(age=False, distance_mpc=10.0, model=model) for model in (True, False)]
    ellipse = Ellipse(150.0, 2.0, 75.0, 50.0, 90.0)
    table = radial_profile(
        dict(zip(("prediction", "truth"), maps, strict=True)), ellipse, range(0, 90, 15), 75.0
    )
    figure = profiles_figure(table, "r_kpc")
    assert [axes.get_ylabel().split("\n")[0] for axes in figure.axes] == [
        "stellar mass",
        "dust temperature",
    ]
    assert (
        figure.axes[0].get_xlim() == figure.axes[1].get_xlim()
        and figure.axes[1].get_xlabel() == "kpc"
    )
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == [
        "prediction",
        "truth",
    ]
    growth = profiles_figure(table, "r_r25", "growth")
    assert len(growth.axes) == 1  # temperatures do not add up
    lines = [line for line in growth.axes[0].lines if len(line.get_xdata()) == 5]
    np.testing.assert_allclose(
        lines[0].get_xdata(), [0.2, 0.4, 0.6, 0.8, 1.0]
    )  # a sum is inside the outer edge
    with pytest.raises(InputError, match="not known in R/R_half"):
        profiles_figure(table, "r_rhalf")
    with pytest.raises(InputError, match="no growth curve"):
        profiles_figure(table[table["map"] == "T_DUST"], "r", "growth")


def test_files_find_their_truths():
    files = {
        "t2": maps_of(ra=20.0, model=False), "p1": maps_of(ra=10.0),
        "p2": maps_of(ra=20.0, object="B"),
        "t1": maps_of(ra=10.0, model=False), "other2": maps_of(ra=20.0, model=False, object="B"),
    }  # fmt: skip
    pairs, left = match_truths(files)
    assert pairs == [("p1", "t1"), ("p2", "other2")] and left == [
        "t2 belongs to none of the predictions."
    ]
    pairs, left = match_truths({"a": maps_of(), "b": maps_of(), "c": maps_of()})
    assert pairs == [("a", "b")] and "c has no partner" in left[0]
    pairs, left = match_truths({"p": maps_of(), "far": maps_of(ra=30.0, model=False)})
    assert pairs == [] and "No truth covers p" in left[0] and "far belongs to none" in left[1]
