"""Sums inside 2 R_half and by annuli: of an exponential disc they are what theory says, and bias
and scatter what was put in.
"""

import numpy as np
import pytest

from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.measure.compare.stellar_scores import (
    galaxy_sums,
    radius_in_r_half,
    summarise,
)

SHAPE, H, RATIO, R_HALF = (201, 201), 12.0, 0.6, 1.678346990 * 12.0


def disc(offset=0.0):
    """log surface densities of an inclined exponential disc whose centre lies off the middle, and a
    linear gradient in age.
    """
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    dx, dy = x - 96.0, y - 104.0
    sin, cos = np.sin(np.radians(30)), np.cos(np.radians(30))
    r = np.hypot(dx * cos + dy * sin, (dy * cos - dx * sin) / RATIO)
    stars = 8 - r / H / np.log(10)
    return {
        "LOG_SIGMA_STAR": stars + offset,
        "LOG_SIGMA_SFR": stars - 10 + offset * r / R_HALF,
        "AGE_STAR": 8 - r / 20,
    }


def row(table, name, region="sum", inner=0.0):
    return table[
        (table["property"] == name) & (table["region"] == region) & (table["inner"] == inner)
    ][0]


def inside(r):
    return 1 - np.exp(-r / H) * (1 + r / H)


@pytest.mark.parametrize("isophotes", [True, False])
def test_sums_of_an_exponential_disc(isophotes):
    table = galaxy_sums(disc(-0.1), disc(), 0.25, isophotes=isophotes)
    assert table.meta["shape_from"] == ("isophote" if isophotes else "moments")
    assert table.meta["r_half"] == pytest.approx(R_HALF * 0.5, rel=0.01)  # pixels of 0.5 kpc
    assert table.meta["axis_ratio"] == pytest.approx(RATIO, rel=0.02)
    total = 2 * np.pi * H**2 * RATIO * 1e8 * 0.25
    found = row(table, "LOG_SIGMA_STAR")
    assert (
        found["true"] == pytest.approx(total * inside(2 * R_HALF), rel=0.01)
        and found["unit"] == "solMass"
    )
    ring = row(table, "LOG_SIGMA_STAR", "annulus", 1.0)
    assert ring["true"] == pytest.approx(total * (inside(1.5 * R_HALF) - inside(R_HALF)), rel=0.02)
    stars = table[table["property"] == "LOG_SIGMA_STAR"]
    np.testing.assert_allclose(stars["delta"], 0.1, atol=1e-6)
    # What was put on the star formation grows with radius: 0.1 dex an R_half, so at 0.75 R_half it
    # is 0.075.
    assert row(table, "LOG_SIGMA_SFR", "annulus", 0.5)["delta"] == pytest.approx(0.075, abs=0.003)
    assert len(stars) == 11 and stars["outer"].max() == 5.0


def test_ages_are_means_by_mass():
    table = galaxy_sums(disc(), disc())
    r = np.linspace(0, 2 * R_HALF, 20001)
    mass = r * np.exp(-r / H)
    age = row(table, "AGE_STAR")
    assert (
        age["true"] == pytest.approx((mass * (8 - r / 20)).sum() / mass.sum(), rel=0.01)
        and age["unit"] == "Gyr"
    )


@pytest.mark.slow
def test_linear_and_logarithmic_maps_give_the_same():
    logs = galaxy_sums(disc(0.2), disc())
    as_linear = [
        {name: plane if name == "AGE_STAR" else 10**plane for name, plane in disc(offset).items()}
        for offset in (0.2, 0.0)
    ]
    linear = galaxy_sums(*as_linear, in_log=False)
    # A pixel on the edge of a ring may fall to either side of it: rounding decides.
    np.testing.assert_allclose(linear["true"], logs["true"], rtol=1e-3)
    np.testing.assert_allclose(linear["delta"], logs["delta"], atol=1e-4)


@pytest.mark.parametrize(
    "empty",
    [
        -100.0,
        *(pytest.param(n, marks=pytest.mark.slow) for n in (np.nan, -np.inf, -14.0)),
    ],
)
def test_empty_truth_is_left_out_and_sparse_maps_have_an_ellipse(empty):
    rng = np.random.default_rng(2)
    truth = disc()
    for name in ("LOG_SIGMA_STAR", "LOG_SIGMA_SFR"):
        truth[name] = np.where(rng.random(SHAPE) < 0.75, empty, truth[name])
    table = galaxy_sums(disc(-0.1), truth)
    assert table.meta["r_half"] == pytest.approx(R_HALF, rel=0.06)
    assert table.meta["axis_ratio"] == pytest.approx(RATIO, abs=0.1)
    assert table.meta["shape_from"] == "isophote" or "second moments" in table.meta["notes"][0]
    stars = row(table, "LOG_SIGMA_STAR")
    assert stars["delta"] == pytest.approx(
        0.1, abs=1e-6
    )  # the prediction is everywhere, and would be four times as much
    assert stars["n_empty"] / (stars["n_empty"] + stars["n_pixels"]) == pytest.approx(
        0.75, abs=0.03
    )


@pytest.mark.slow
def test_a_map_without_an_isophote_says_that_moments_were_taken():
    truth = {"LOG_SIGMA_STAR": np.full((64, 64), -100.0)}
    truth["LOG_SIGMA_STAR"][::9, ::7] = 6.0  # flat: nothing falls outwards
    table = galaxy_sums(truth, truth)
    assert table.meta["shape_from"] == "moments" and "second moments" in table.meta["notes"][0]
    assert np.nanmax(np.abs(table["delta"])) == 0


@pytest.mark.slow
def test_bias_and_scatter_are_what_was_put_in():
    rng = np.random.default_rng(5)
    offsets = rng.normal(0.1, 0.2, 40)
    tables = [galaxy_sums(disc(-offset), disc(), isophotes=False) for offset in offsets]
    tables.append(
        galaxy_sums({**disc(), "LOG_SIGMA_STAR": np.full(SHAPE, np.nan)}, disc(), isophotes=False)
    )
    found = row(summarise(tables), "LOG_SIGMA_STAR")
    assert found["n"] == 40  # of the last there is no prediction
    assert found["bias"] == pytest.approx(offsets.mean(), abs=1e-6)
    assert found["scatter"] == pytest.approx(offsets.std(ddof=1), abs=1e-6)
    assert found["bias_err"] == pytest.approx(offsets.std() / np.sqrt(40), rel=0.15)
    assert found["scatter_err"] == pytest.approx(offsets.std() / np.sqrt(80), rel=0.4)
    assert found["median"] == pytest.approx(np.median(offsets), abs=1e-6)
    single = row(summarise(tables[:1]), "LOG_SIGMA_STAR")
    assert (
        single["n"] == 1
        and np.isnan(single["scatter"])
        and single["bias"] == pytest.approx(offsets[0])
    )


def test_mistakes_are_told_in_words():
    with pytest.raises(InputError, match="no property in common"):
        galaxy_sums({"T_DUST": np.ones(SHAPE)}, disc())
    with pytest.raises(InputError, match="has no map of stars"):
        galaxy_sums(disc(), {"LOG_SIGMA_SFR": disc()["LOG_SIGMA_SFR"]})
    with pytest.raises(InputError, match="of NGC 1 are not all of one shape"):
        galaxy_sums({name: plane[:50] for name, plane in disc().items()}, disc(), name="NGC 1")
    with pytest.raises(InputError, match="is empty: there is no R_half"):
        galaxy_sums(disc(), {"LOG_SIGMA_STAR": np.full(SHAPE, np.nan)})
    with pytest.raises(InputError, match="no galaxy"):
        summarise([])


def test_a_galaxy_of_a_single_pixel_has_a_radius_all_the_same():
    plane = np.full((16, 16), np.nan)
    plane[8, 8] = 9.0
    away, outline = radius_in_r_half({"LOG_SIGMA_STAR": plane})
    assert np.isfinite(away).all() and outline["shape_from"] == "moments"
