"""The limit of the density lies where errors double, and what the card says of it is what the
weights give.

Of `training.dust_forest.density_of_galaxies`, `training.dust_forest.density_tables` and
`training.dust_forest.fit_density`.
"""

from dataclasses import replace

import numpy as np
import pytest

from napari_galaxy_maps.models.dust_forest.contradiction import Offsets
from napari_galaxy_maps.training.dust_forest.density_of_galaxies import (
    density_pixels,
    error_ratio,
    find_limit,
    fit_isolation,
    spectra_of,
    tails_of,
)
from napari_galaxy_maps.training.dust_forest.density_tables import (
    NAMED_BAND,
    TITLES,
    named_band,
    types_of,
)


def test_the_limit_is_where_errors_double():
    """Of 4000 galaxies the 4 % farthest out err three times as much."""
    rng = np.random.default_rng(0)
    anomaly = rng.random(4000)
    sigma = np.where(anomaly > 0.96, 3.0, 1.0)
    squared = (sigma[:, None] * rng.standard_normal((4000, 3))) ** 2
    limit, share, ratio, error = find_limit(anomaly, squared)
    assert share == pytest.approx(np.mean(anomaly > limit), abs=1e-3)
    assert ratio >= 2 and share == pytest.approx(0.06)  # as many as may be
    assert 0.01 < error < 0.3
    assert find_limit(anomaly, np.ones((4000, 3)))[2] == pytest.approx(1)


def test_the_ratio_of_errors_has_an_error_that_it_keeps():
    rng = np.random.default_rng(1)
    beyond = np.arange(1000) < 100
    found = [
        error_ratio(beyond, (np.where(beyond, 2, 1)[:, None] * rng.standard_normal((1000, 3))) ** 2)
        for _ in range(20)
    ]
    ratios, errors = np.transpose(found)
    assert ratios.mean() == pytest.approx(2, abs=0.06)
    assert np.std(ratios) == pytest.approx(errors.mean(), rel=0.6)


def test_tails_are_one_for_gaussians_and_wider_for_others():
    rng = np.random.default_rng(2)
    offset = np.column_stack(
        [rng.standard_normal(5000), 2 * rng.standard_normal(5000), np.full(5000, np.nan)]
    )
    tails = tails_of(Offsets(offset, np.ones_like(offset), np.zeros(5000)))
    np.testing.assert_allclose(tails, [1, 2, 1], rtol=0.08)


def test_an_isolation_forest_knows_who_stands_alone():
    rng = np.random.default_rng(3)
    forest = fit_isolation(rng.standard_normal((3000, 6)).astype("f4"), 0)
    alone, among = forest.predict(np.array([[6.0] * 6, [0.0] * 6], np.float32))[:, 0]
    assert alone > among


def test_pixels_of_other_mocks_are_seldom_out_of_distribution(model):
    pixels = density_pixels(7, processes=1, galaxies=3)[1]
    spectra, usable = spectra_of(
        pixels.values.astype(float), pixels.errors.astype(float), pixels.bands, model.colour_term
    )
    assert usable.sum() > 200
    assert np.mean(model.predict_spectra(spectra)[2] > 1) < 0.04


@pytest.mark.realdata
def test_the_card_says_what_the_weights_give_of_wrong_bands(model, galaxies):
    told = {table.title: table for table in model.card.tables}
    assert set(TITLES) <= set(told)
    near = galaxies.take(np.flatnonzero(galaxies.surveys == "DustPedia"))
    found = named_band(model, near)
    assert (
        found.rows == tuple(map(tuple, told[NAMED_BAND].rows))
        and found.text == told[NAMED_BAND].text
    )
    kinds = types_of(near)
    assert sum(mine.sum() for name, mine in kinds.items() if "Vega" not in name) == len(near)
    few = replace(near, stage=np.full(len(near), np.nan))
    assert not types_of(few)["ellipticals"].any()
