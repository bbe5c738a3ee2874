"""Cubes fill their gaps without forgetting them, and know which pixels changed."""

import numpy as np

from napari_galaxy_maps.data.cube import BandCube, Filling, changed_pixels
from tests.conftest import tan_wcs

SHAPE = (4, 5)


def cube():
    """Two bands with the numbers 0 to 39, the first without a value at (1, 2), which is filled
    with -1.
    """
    data = np.arange(40, dtype=np.float32).reshape(2, *SHAPE)
    filling = np.full_like(data, np.nan)
    filling[0, 1, 2], data[0, 1, 2] = -1.0, np.nan
    nothing = np.zeros(SHAPE, np.int16)
    return BandCube(
        data, np.ones_like(data), ("SDSS_g", "SDSS_r"), tan_wcs(SHAPE, 2.0), 3.0, 2.0, None,
        nothing.astype(bool), nothing, filling=Filling(filling, 5 * filling),
    )  # fmt: skip


def test_what_was_measured_stays_apart_from_what_was_filled():
    bare = cube()
    full = bare.filled()
    assert full.data[0, 1, 2] == -1 and full.uncertainty[0, 1, 2] == -5 and full.filling is None
    assert np.isnan(bare.data[0, 1, 2]) and bare.filling is not None
    rest = np.isfinite(bare.data)
    np.testing.assert_array_equal(full.data[rest], bare.data[rest])
    assert full.filled() is full


def test_chosen_pixels_lie_side_by_side():
    where = np.zeros(SHAPE, bool)
    where[1, 2] = where[3, 0] = True
    line = cube().line(where)
    np.testing.assert_array_equal(line.data, [[[np.nan, 15]], [[27, 35]]])
    np.testing.assert_array_equal(line.filling.data[0], [[-1, np.nan]])
    assert line.shape == (1, 2) and line.mask.shape == line.flags.shape == (1, 2)


def test_nan_that_stays_nan_has_not_changed():
    before = cube().data
    after = before.copy()
    after[1, 0, 3] += 1
    after[0, 2, 2] = np.nan
    changed = changed_pixels((after, before), (before, before))
    assert set(zip(*np.nonzero(changed), strict=True)) == {(0, 3), (2, 2)}
