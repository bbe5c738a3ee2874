"""A fine map is seen as maps are compared, and the transpose is one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_galaxy_maps.measure.compare.grid_and_psf import brought
from napari_galaxy_maps.prepare.grid.resampling import pixel_map, resample_planes
from napari_galaxy_maps.sharpen.coarse_view import CoarseView, resampling_matrix
from tests.sharpen.scene import (
    COARSE_FWHM,
    COARSE_PIXEL,
    COARSE_SIZE,
    FWHM,
    MD,
    PIXEL,
    SIZE,
    grid,
    maps_of,
    true_plane,
)


def turned(degrees):
    wcs = grid(14, 13.0)
    angle = np.radians(degrees)
    wcs.wcs.pc = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    wcs.wcs.set()
    return wcs


def view(known=None, coarse=None, size=COARSE_SIZE):
    known = np.ones((SIZE, SIZE), bool) if known is None else known
    there = (coarse or grid(size, COARSE_PIXEL), (size, size))
    return CoarseView((grid(SIZE, PIXEL), (SIZE, SIZE)), there, (FWHM, COARSE_FWHM), known)


@pytest.mark.parametrize("degrees", [0, 31])
def test_the_matrix_is_the_resampling(degrees):
    where = pixel_map(grid(SIZE, PIXEL), turned(degrees), (14, 14))
    plane = np.random.default_rng(0).uniform(1, 2, (SIZE, SIZE))
    inside = (where.x - where.reach > 0) & (where.x + where.reach < SIZE - 1)
    inside &= (where.y - where.reach > 0) & (where.y + where.reach < SIZE - 1)
    assert inside.sum() > 50
    matrix = resampling_matrix(where, (SIZE, SIZE))
    ours = (matrix @ plane.ravel()).reshape(14, 14)
    theirs = resample_planes(plane[None].astype(np.float32), where)[0]
    np.testing.assert_allclose(ours[inside], theirs[inside], rtol=2e-6)


@pytest.mark.parametrize("degrees", [0, 31])
def test_a_map_is_seen_as_maps_are_compared(degrees):
    known = np.ones((SIZE, SIZE), bool)
    known[20:24, 30:33] = False
    plane = np.where(known, true_plane(), np.nan)
    maps = maps_of({MD: plane}, {}, grid(SIZE, PIXEL), FWHM)
    compared, _ = brought(maps, (turned(degrees), (14, 14)), (FWHM, COARSE_FWHM))
    there = view(known, turned(degrees), 14)
    expected = 10 ** compared.values[MD].astype(float)
    assert np.array_equal(there.seen, np.isfinite(expected))
    np.testing.assert_allclose(there.see(np.nan_to_num(plane)), expected[there.seen], rtol=1e-4)


@settings(max_examples=15)
@given(st.integers(0, 10**6))
def test_the_transpose_is_one(seed):
    rng = np.random.default_rng(seed)
    there = view(rng.uniform(size=(SIZE, SIZE)) > 0.03)
    fine, coarse = rng.standard_normal((SIZE, SIZE)), rng.standard_normal(there.seen.sum())
    assert there.see(fine) @ coarse == pytest.approx((fine * there.back(coarse)).sum(), rel=1e-9)


def test_a_grid_that_lies_elsewhere_sees_nothing():
    far = grid(COARSE_SIZE, COARSE_PIXEL)
    far.wcs.crval = [151.0, 20.0]
    far.wcs.set()
    assert not view(coarse=far).seen.any()
