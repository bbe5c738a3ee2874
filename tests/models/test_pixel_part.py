"""Pixels are corrected, whole galaxies are not, and what lies between is in part."""

from dataclasses import replace

import numpy as np
import pytest

from napari_galaxy_maps.models.dust_forest.features import UNKNOWN_SCALE
from napari_galaxy_maps.models.dust_forest.model import DustForest
from napari_galaxy_maps.models.dust_forest.pixel_part import (
    GALAXY_PC,
    PIXEL_PC,
    PixelPart,
    Surroundings,
    pixel_features,
    share_of_pixel,
)
from napari_galaxy_maps.models.dust_forest.uncertainty import QUANTITIES


def test_a_spectrum_is_a_pixels_up_to_3_kpc_a_galaxys_from_6_and_a_part_of_each_between():
    between = np.sqrt(PIXEL_PC * GALAXY_PC)
    share = share_of_pixel(
        np.array([UNKNOWN_SCALE, 150.0, PIXEL_PC, between, GALAXY_PC, 2e4, np.inf])
    )
    np.testing.assert_allclose(share, [1, 1, 1, 0.5, 0, 0, 0], atol=1e-12)


def rows(scale_pc=500.0, n=50):
    rng = np.random.default_rng(4)
    features, mean = rng.normal(size=(n, 96)).astype("f4"), rng.normal(size=(n, 5))
    scale = np.broadcast_to(scale_pc, n)
    return features, mean, Surroundings(rng.uniform(1, 2, n), scale, np.full(n, 0.1))


def test_scale_and_brightness_stand_between_features_and_mean():
    features, mean, about = rows(1000.0)
    seen = pixel_features(features, mean, about)
    np.testing.assert_array_equal(seen[:, :96], features)
    np.testing.assert_allclose(seen[:, 96:98], [[3.0, -1.0]] * 50, rtol=1e-6)
    np.testing.assert_allclose(seen[:, 98:103], mean, rtol=1e-6)


def test_only_what_is_a_pixel_is_corrected_and_variances_are_mixed(model):
    between = np.sqrt(PIXEL_PC * GALAXY_PC)
    features, mean, about = rows(np.repeat([500.0, between, 1e5], [20, 20, 10]))
    sigma = np.full((50, 7), 0.3, "f4")
    sigma[:20] = np.nan  # nobody asks the members for it
    part = model.pixels
    own = part.corrected(features, mean, about)
    got, got_sigma = part.applied(features, mean, sigma, about, model.columns)
    np.testing.assert_allclose(got[:20], own[:20], rtol=1e-6)
    np.testing.assert_allclose(got[20:40], (own[20:40] + mean[20:40]) / 2, rtol=1e-5)
    np.testing.assert_allclose(got[40:], mean[40:], rtol=1e-6)
    assert np.isfinite(got_sigma).all()
    np.testing.assert_allclose(got_sigma[40:], 0.3, rtol=1e-6)
    all_own = part.applied(features, mean, sigma, rows()[2], model.columns)[1]
    assert (got_sigma[:20] == all_own[:20]).all()


def test_a_file_of_a_model_keeps_its_part_for_pixels(model):
    again = DustForest.from_bytes(model.to_bytes(), model.card)
    seen = rows()
    np.testing.assert_array_equal(again.pixels.corrected(*seen), model.pixels.corrected(*seen))
    prefixed = model.pixels.arrays("x.")
    assert PixelPart.from_arrays(prefixed, "x.").arrays("x.").keys() == prefixed.keys()
    without = replace(model, pixels=None)
    assert DustForest.from_bytes(without.to_bytes(), model.card).pixels is None


def test_pixels_of_a_cube_are_corrected_by_their_side(model, make_cube):
    galaxies = replace(model, pixels=None)
    far = replace(make_cube(), pixel_pc=20_000.0)
    near, nowhere = replace(far, pixel_pc=400.0), replace(far, pixel_pc=None)
    for name in QUANTITIES:
        np.testing.assert_array_equal(
            model.predict(far, "cpu")[name], galaxies.predict(near, "cpu")[name]
        )
    maps = [model.predict(cube, "cpu")["LOG_SMD"] for cube in (near, nowhere, far)]
    assert not np.allclose(maps[0], maps[2], equal_nan=True)
    assert not np.allclose(maps[1], maps[2], equal_nan=True)


@pytest.mark.parametrize("pixel_pc", [None, 500.0, 20_000.0])
def test_the_sigmas_that_hold_95_per_cent_are_those_of_pixels_or_of_galaxies(model, pixel_pc):
    bands = model.card.bands
    tails = np.array(list(model.tails(bands, pixel_pc).values()))
    members = np.mean([m.complete.spread.tails for m in model.members], axis=0)
    expected = members if pixel_pc == 20_000.0 else model.pixels.spread.tails
    np.testing.assert_allclose(tails, expected, rtol=1e-6)
