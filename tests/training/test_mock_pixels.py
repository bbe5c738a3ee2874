"""Pixels of mock galaxies: what averaging and laws of dust do, and that a seed gives the same."""

import numpy as np
import pytest

from napari_galaxy_maps.bands.registry import INPUT_BANDS
from napari_galaxy_maps.mocks.layers import ADDITIVE
from napari_galaxy_maps.sed.tables import dust_table
from napari_galaxy_maps.training.datasets.dust_laws import (
    DustLaw,
    apply_law,
    draw_law,
    local_field,
    shells,
)
from napari_galaxy_maps.training.datasets.galaxy_pixels import joined
from napari_galaxy_maps.training.datasets.mock_pixels import (
    FIRST_SEED,
    binned,
    pixels_of_mock,
    true_values,
    whole_mock,
)

DUST, DIFFUSE, CLOUD = (ADDITIVE.index(name) for name in ("dust", "diffuse", "cloud"))


@pytest.fixture(scope="module")
def planes():
    return np.random.default_rng(0).uniform(1, 2, (len(ADDITIVE), 8, 8))


def test_a_law_keeps_what_dust_emits_and_moves_it_between_clouds_and_the_rest(planes):
    radius = np.full((8, 8), 0.5)
    out = apply_law(planes, DustLaw(mass=2.0, mass_gradient=0.7, hot=3.0), radius)
    np.testing.assert_allclose(
        out[DIFFUSE] + out[CLOUD], planes[DIFFUSE] + planes[CLOUD], rtol=1e-6
    )
    assert (out[CLOUD] > planes[CLOUD]).all()
    np.testing.assert_allclose(out[DUST], 2 * planes[DUST])  # the gradient is about half of R25
    others = [i for i in range(len(ADDITIVE)) if i not in (DUST, DIFFUSE, CLOUD)]
    np.testing.assert_array_equal(out[others], planes[others])


def test_a_gradient_of_the_dust_is_per_r25(planes):
    out = apply_law(planes, DustLaw(mass_gradient=0.3), np.ones((8, 8)))
    np.testing.assert_allclose(np.log10(out[DUST] / planes[DUST]), 0.15, rtol=1e-6)
    np.testing.assert_allclose(apply_law(planes, DustLaw(), np.ones((8, 8))), planes, rtol=1e-5)


def test_what_dust_emits_scatters_from_place_to_place_by_as_much_as_told():
    rng = np.random.default_rng(3)
    field = local_field((200, 200), 0.2, rng)
    assert field.std() == pytest.approx(1.0, rel=1e-3)
    near, far = (np.mean(field * np.roll(field, step, 0)) for step in (1, 10))
    assert near > 0.8 and abs(far) < 0.1  # 0.2 and 2 kpc
    planes = np.ones((len(ADDITIVE), 200, 200))
    out = apply_law(planes, DustLaw(local=0.2), np.ones((200, 200)), field)
    assert np.log10(out[DIFFUSE]).std() == pytest.approx(0.2, rel=1e-3)


def test_laws_scatter_about_what_mocks_assume_and_early_types_have_more_dust():
    rng = np.random.default_rng(1)
    late, early = (
        np.log10([draw_law(rng, kind).mass for _ in range(400)]) for kind in (False, True)
    )
    assert np.median(late) == pytest.approx(0, abs=0.02)
    assert np.median(early) == pytest.approx(np.log10(2.8), abs=0.05)
    assert early.std() > 2 * late.std()


def test_shells_of_old_stars_shine_in_the_mid_infrared_alone():
    light = shells(np.ones((2, 2)), DustLaw(shells=2.0), INPUT_BANDS)
    lit = {band for band, plane in zip(INPUT_BANDS, light, strict=True) if plane.any()}
    assert lit == {"WISE_12", "WISE_22", "Spitzer_5.8", "Spitzer_8.0"}


def test_averaging_to_coarser_pixels_keeps_the_mean():
    image = np.random.default_rng(2).uniform(0, 1, (2, 60, 60))
    coarse = binned(image, 3)
    assert coarse.shape == (2, 20, 20)
    np.testing.assert_allclose(coarse.mean((1, 2)), image.mean((1, 2)), rtol=0.02)


def test_temperature_is_that_at_which_the_mass_has_its_luminosity():
    at_one = dust_table().lsun_per_msun
    sums = {
        "lstar": np.array([[1e8]]), "emitted": np.array([[1e5 * at_one]]),
        "star": np.array([[1e8]]), "dust": np.array([[1e5]]), "shining": np.array([[1.0]]),
    }  # fmt: skip
    sld, smd, temperature, lstar, star, emitted, mass = true_values(sums).ravel()
    assert temperature == pytest.approx(18.3, abs=0.05)
    assert (star, mass) == (pytest.approx(8.24), pytest.approx(5.0))  # Salpeter's masses of stars
    assert smd == pytest.approx(mass - star) and sld == pytest.approx(emitted - lstar)
    dark = true_values({**sums, "shining": np.array([[1e-9]])}).ravel()
    assert np.isnan(dark[[0, 1, 2, 5, 6]]).all() and np.isfinite(dark[[3, 4]]).all()


def test_a_galaxys_pixels_come_on_several_scales_and_a_seed_gives_them_again():
    some = pixels_of_mock(FIRST_SEED + 3)
    again = pixels_of_mock(FIRST_SEED + 3)
    np.testing.assert_array_equal(some.values, again.values)
    assert len(np.unique(some.scale_pc)) >= 2 and some.scale_pc.min() >= 150
    assert (some.radius < 1.2).all() and (some.errors > 0).all()
    assert np.isfinite(some.truth[:, 3:5]).all()


def test_a_galaxy_smaller_than_a_pixel_has_none():
    none = pixels_of_mock(FIRST_SEED + 3, scales_pc=(1e6,), angular=False)
    assert len(none) == 0 and len(none.kinds) == 1 and none.truth.shape == (0, 7)


def test_a_whole_galaxy_is_one_pixel_as_wide_as_itself():
    whole = joined([whole_mock(FIRST_SEED + k) for k in (3, 4)])
    assert len(whole) == 2 and whole.galaxy.tolist() == [0, 1]
    assert (whole.scale_pc > 3000).all() and (whole.values[:, 0] > -1).all()
