"""The light under masks: what surrounds a hole says what lies in it, to the error that is told."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from napari_galaxy_maps.bands.registry import BANDS
from napari_galaxy_maps.data.cube import BandCube
from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.galaxy import BandImage, Ellipse
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import RecipeError
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.prepare.chain.fill_step import fill_step
from napari_galaxy_maps.prepare.masked_light import fill_cube, holes_of, light_model
from napari_galaxy_maps.prepare.masks.mask_set import Masks
from napari_galaxy_maps.prepare.memory import PreparationMemory
from napari_galaxy_maps.prepare.psf.kernels import kernel_between
from napari_galaxy_maps.prepare.stars.star_list import Star
from napari_galaxy_maps.prepare.steps import STEPS, prepare_steps
from napari_galaxy_maps.progress import run_to_end
from tests.conftest import tan_wcs

SHAPE, FWHM = (81, 81), 3.0
"""Pixels of 1 arcsec."""
ELLIPSE = Ellipse(150.0, 2.0, 35.0, 25.0, 30.0)
RADIUS = ELLIPSE.radius(tan_wcs(SHAPE, 1.0), SHAPE)
NAMES = ("SDSS_g", "SDSS_r", "2MASS_J")


def a_galaxy(seed: int = 1) -> np.ndarray:
    """A disc with clumps of the PSF's size on it, and noise, in MJy/sr."""
    rng = np.random.default_rng(seed)
    clumps = gaussian_filter(rng.normal(size=SHAPE), FWHM / 2.355)
    disc = 5 * np.exp(-2.5 * RADIUS) * (1 + 0.2 * clumps / clumps.std())
    return (disc + 0.01 * rng.normal(size=SHAPE)).astype("f4")


def a_cube(*planes: np.ndarray) -> BandCube:
    data = np.stack(planes)
    nothing = np.zeros(SHAPE, np.int16)
    return BandCube(
        data, np.hypot(np.float32(0.01), 0.02 * data), NAMES[: len(planes)],
        tan_wcs(SHAPE, 1.0), FWHM, 1.0, None,
        nothing.astype(bool), nothing, systematic=np.full(len(planes), 0.02),
    )  # fmt: skip


def models_of(cube: BandCube) -> dict:
    return {
        name: light_model(BandImage(plane, BANDS[name], cube.wcs, fwhm=FWHM), ELLIPSE)
        for name, plane in zip(cube.bands, cube.data, strict=True)
    }


def circle(x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.indices(SHAPE)
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2


def filled(cube, masks, models=None, known=None):
    known = {} if known is None else known
    return fill_cube(cube, masks, RADIUS <= 1, RADIUS, models or models_of(cube), known)


def test_a_smooth_galaxy_is_found_again_under_its_mask():
    disc = (5 * np.exp(-2.5 * RADIUS)).astype("f4")
    hole = circle(52, 45, 4)
    light = filled(
        a_cube(np.where(hole, np.float32(99), disc)), hole[None], models_of(a_cube(disc))
    )
    np.testing.assert_allclose(light.data[0], disc[hole], rtol=0.03)
    np.testing.assert_allclose(light.noise, 0.01, rtol=1e-3)
    assert (light.holes == 1).all() and light.wanted.all() and len(light.rows) == hole.sum()


@pytest.mark.parametrize("radius", [2, 4.5, 9])
def test_the_told_error_holds_two_thirds_of_the_pixels(radius):
    off = []
    for seed in range(6):
        plane = a_galaxy(seed)
        models = models_of(a_cube(plane))
        for x, y in ((40, 55), (55, 40), (28, 34)):
            hole = circle(x, y, radius)
            light = filled(a_cube(plane), hole[None], models)
            off.append(np.abs(light.data[0] - plane[hole]) / light.uncertainty[0])
    assert 0.5 < np.mean(np.concatenate(off) < 1) < 0.9


def test_each_band_is_filled_under_its_own_mask_and_what_stands_there_is_not_looked_at():
    planes = [a_galaxy(seed) for seed in (1, 2, 3)]
    masks = np.stack([circle(52, 45, 4), circle(52, 45, 4), circle(30, 30, 3)])
    models = models_of(a_cube(*planes))
    light = filled(a_cube(*planes), masks, models)
    for k, mask in enumerate(masks):
        there = np.zeros(SHAPE, bool)
        there[light.where] = np.isfinite(light.data[k])
        assert np.array_equal(there, mask)
        alone = filled(a_cube(planes[k]), mask[None], {NAMES[0]: models[NAMES[k]]})
        np.testing.assert_allclose(light.data[k][there[light.where]], alone.data[0], rtol=1e-6)
    spoiled = [
        np.where(mask, np.float32(np.nan), plane) for mask, plane in zip(masks, planes, strict=True)
    ]
    again = filled(a_cube(*spoiled), masks, models)
    assert np.array_equal(again.data, light.data, equal_nan=True)
    assert set(light.holes) == {1, 2}


def test_an_edit_fills_anew_only_what_it_touches_and_gives_what_a_full_run_gives():
    cube = a_cube(a_galaxy(1), a_galaxy(2))
    models, known = models_of(cube), {}
    before = np.stack([circle(52, 45, 4) | circle(25, 30, 3)] * 2)
    after = before | circle(40, 60, 3)
    filled(cube, before, models, known)
    kept = dict(known["SDSS_g"].holes)
    edited = filled(cube, after, models, known)
    assert sum(known["SDSS_g"].holes.get(place) is hole for place, hole in kept.items()) == 2
    full = filled(cube, after, models)
    for name in ("data", "uncertainty", "noise", "rows", "columns", "holes"):
        assert np.array_equal(getattr(edited, name), getattr(full, name), equal_nan=True), name


def test_holes_at_the_edge_and_without_surroundings():
    plane = a_galaxy()
    models = models_of(a_cube(plane))
    corner = np.zeros(SHAPE, bool)
    corner[:6, :6] = True
    assert np.isfinite(filled(a_cube(plane), corner[None], models).data).all()
    alone = np.where(circle(40, 40, 15), np.float32(np.nan), plane)
    assert filled(a_cube(alone), circle(40, 40, 5)[None], models) is None
    assert filled(a_cube(plane), np.zeros((1, *SHAPE), bool), models) is None
    off = BandImage(plane, BANDS["SDSS_g"], tan_wcs(SHAPE, 1.0, dec=3.0), fwhm=FWHM)
    assert light_model(off, ELLIPSE) is None
    assert filled(a_cube(plane), corner[None], {NAMES[0]: None}) is None


@settings(max_examples=15)
@given(level=st.floats(-10, 1e4, width=32), x=st.integers(0, 80), radius=st.floats(0.5, 12))
def test_nothing_but_a_constant_comes_of_a_constant(level, x, radius):
    plane = np.full(SHAPE, level, np.float32)
    light = filled(a_cube(plane), circle(x, 40, radius)[None])
    np.testing.assert_allclose(light.data, level, rtol=1e-5, atol=1e-6)


def test_holes_that_nearly_touch_are_one():
    mask = np.zeros((5, 12), bool)
    mask[2, [1, 3, 8]] = True
    assert holes_of(mask)[2, [1, 3, 8]].tolist() == [1, 1, 2]


def test_the_step_fills_what_is_masked_and_old_recipes_leave_it_out(galaxy_folder):
    recipe = Recipe.from_tree({"galaxy": {"ra": 150.0, "dec": 2.0, "d25": 2.5}})
    galaxy = read_galaxy([galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0, "SDSS_r": 2.5})], recipe)
    assert next(step for step in STEPS if step.name == "fill").run is fill_step
    star = Star("a", 150.005, 2.0, 15.0, "hand", {"WISE_3.4": 12.0, "2MASS_J": 8.0})
    memory, masks = PreparationMemory(), Masks((star,))
    cube = run_to_end(prepare_steps(galaxy, recipe, memory, masks))
    light = cube.masked_light
    for name, own, values in zip(cube.bands, cube.own_masks, light.data, strict=True):
        there = np.zeros(cube.shape, bool)
        there[light.where] = np.isfinite(values) & light.wanted
        inside = (cube.flags & Flag.OUTSIDE) == 0
        blank = inside & ~np.isfinite(cube.data[cube.bands.index(name)])
        assert np.array_equal(there, (own & inside) | blank), name
    assert not np.isfinite(light.data[cube.bands.index("SDSS_r")]).any()
    assert (cube.flags[light.where] & Flag.FILLED).all()
    assert any("filled under masks" in note for note in cube.notes)
    whole = cube.with_masked_light()
    assert np.isfinite(whole.data[:, ~whole.mask]).all()
    assert not whole.mask[light.rows[light.wanted], light.columns[light.wanted]].any()
    again = run_to_end(prepare_steps(galaxy, recipe, memory, masks))
    assert np.array_equal(again.masked_light.data, light.data, equal_nan=True)
    tree = recipe.model_dump(exclude_none=True)
    del tree["fill"]
    old = Recipe.from_tree(tree)
    assert not old.fill.enabled and Recipe.from_tree({"galaxy": {"d25": 2.5}}).fill.enabled
    assert run_to_end(prepare_steps(galaxy, old, None, masks)).masked_light is None
    bare = run_to_end(prepare_steps(galaxy, recipe))
    assert bare.masked_light is None and not (bare.flags & Flag.FILLED).any()
    with pytest.raises(RecipeError, match="fill"):
        recipe.with_values(["fill.depth=3"])


def test_a_cube_of_some_bands_has_the_light_of_these():
    cube = a_cube(a_galaxy(1), a_galaxy(2))
    light = filled(cube, np.stack([circle(52, 45, 4), circle(30, 30, 3)]))
    some = replace(cube, masked_light=light).only(["SDSS_r"])
    assert np.array_equal(some.masked_light.data[0], light.data[1], equal_nan=True)
    assert some.line(np.ones(SHAPE, bool)).masked_light is None


def test_what_is_masked_counts_as_the_profile_when_psfs_are_matched():
    """On a slope, the mean of what lies about a mask is not what lies at its rim."""
    band, wcs = BANDS["SDSS_r"], tan_wcs(SHAPE, 1.0)
    slope = np.tile(np.linspace(1, 9, SHAPE[1], dtype=np.float32), (SHAPE[0], 1))
    image = BandImage(slope, band, wcs, fwhm=1.0)
    kernel = kernel_between(1.0, 5.0, image.frame)
    mask, away = circle(40, 40, 5), [slice(20, 61), slice(20, 61)]
    found = []
    for smooth in (None, slope):
        memory = PreparationMemory()
        for now in (circle(30, 45, 3), mask):  # an edit gives what a full run does
            bare, image_at_psf = memory.match(image, now, kernel, 5.0, 0.5, smooth=smooth)
        found.append(np.nanmax(np.abs(image_at_psf.data - bare.data)[*away]))
        fresh = PreparationMemory().match(image, mask, kernel, 5.0, 0.5, smooth=smooth)[1]
        np.testing.assert_allclose(image_at_psf.data, fresh.data, rtol=1e-6)
    assert found[0] > 0.1 and found[1] < 1e-5
