"""The part of dust-forest's errors that a galaxy's pixels share, by its card."""

from dataclasses import replace

import numpy as np
import pytest

from napari_galaxy_maps import pipeline
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import ModelError
from napari_galaxy_maps.models.dust_forest.uncertainty import QUANTITIES, galaxy_part
from napari_galaxy_maps.pipeline import PredictionMemory, predict_cube_steps
from napari_galaxy_maps.progress import run_to_end

SHARES = {name: [0.6, 0.1] for name in QUANTITIES if name != "T_DUST"}


def with_shares(model, shares):
    settings = {**model.card.settings, "galaxy_errors": shares}
    return replace(model, card=replace(model.card, settings=settings))


def test_a_galaxy_shares_no_more_than_well_measured_pixels_do():
    sigma = np.array([0.05, 0.2, 3.0, np.nan], np.float32)
    part = galaxy_part(sigma, 0.36, 0.2)
    np.testing.assert_allclose(part, [0.03, 0.12, 0.12, np.nan], rtol=1e-6)
    assert part.dtype == np.float32


def test_maps_have_the_part_for_each_quantity_of_the_card(model, make_cube):
    cube = make_cube()
    plain = with_shares(model, {}).predict(cube, "cpu")
    maps = with_shares(model, SHARES).predict(cube, "cpu")
    assert not plain.galaxy_errors and list(maps.galaxy_errors) == list(SHARES)
    for name, plane in maps.galaxy_errors.items():
        np.testing.assert_array_equal(maps.errors[name], plain.errors[name])
        expected = np.sqrt(0.6) * np.minimum(maps.errors[name], 0.1)
        np.testing.assert_allclose(plane, expected, rtol=1e-6)


@pytest.mark.parametrize(
    "shares",
    [[0.5], 0.5, {"LOG_SLD": 0.5}, {"LOG_SLD": [1.5, 0.1]}, {"LOG_SLD": [0.5, 0]},
     {"LOG_SLD": ["a", 1]}, {"Z": [0.5, 0.1]}, {"LOG_SLD": [float("nan"), 0.1]}],
)  # fmt: skip
def test_a_card_that_says_something_else_is_refused_in_words(model, make_cube, shares):
    with pytest.raises(ModelError, match="card of dust-forest has galaxy_errors that are none"):
        with_shares(model, shares).predict(make_cube(), "cpu")


@pytest.mark.parametrize("before", [True, False])
def test_pixels_predicted_again_keep_the_part_of_the_others(model, make_cube, monkeypatch, before):
    """Maps that were made without it stay so: of their pixels it is not known."""
    monkeypatch.setattr(pipeline, "chosen_model", lambda name: with_shares(model, SHARES))
    cube, recipe, memory = make_cube(), Recipe(), PredictionMemory()
    cube.mask[2, 3] = True
    first = run_to_end(predict_cube_steps(cube, recipe, memory=memory))
    if not before:
        memory.maps = replace(first, galaxy_errors={})
    edited = replace(cube, mask=np.zeros_like(cube.mask))
    again = run_to_end(predict_cube_steps(edited, recipe, memory=memory))
    assert np.isfinite(again.values["LOG_SLD"][2, 3])
    fresh = run_to_end(predict_cube_steps(edited, recipe))
    assert set(again.galaxy_errors) == (set(SHARES) if before else set())
    for name, plane in again.galaxy_errors.items():
        np.testing.assert_allclose(plane, fresh.galaxy_errors[name], rtol=1e-6)
