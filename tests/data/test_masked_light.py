"""What lies under masks stands apart from what was measured, and can be put among it."""

from dataclasses import replace

import numpy as np

from napari_galaxy_maps.data.cube import BandCube
from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.data.masked_light import Holes, MaskedLight
from tests.conftest import tan_wcs

SHAPE = (4, 5)
ROWS, COLUMNS, NUMBERS = (np.array(n, np.int32) for n in ([0, 2, 3], [1, 2, 4], [1, 2, 2]))
NAN = np.float32(np.nan)


def masked_cube() -> BandCube:
    """Two bands of ones under three masked pixels: the first masked in one band, the second in
    both, the third outside of the ellipse.
    """
    data = np.ones((2, *SHAPE), np.float32)
    own = np.zeros(data.shape, bool)
    own[0, 0, 1] = own[:, 2, 2] = own[:, 3, 4] = True
    flags = np.zeros(SHAPE, np.int16)
    flags[3, 4] = Flag.OUTSIDE
    known = np.array([[5, 6, 7], [np.nan, 8, 9]], np.float32)
    light = MaskedLight(
        ROWS, COLUMNS, NUMBERS, known, 0.06 * known, 0.08 * known, np.array([True, True, False])
    )
    return BandCube(
        data, 0.5 * data, ("SDSS_g", "SDSS_r"), tan_wcs(SHAPE, 2.0), 3.0, 2.0, None,
        own.any(axis=0), flags, own_masks=own, masked_light=light,
    )  # fmt: skip


def test_filled_in_a_cube_shows_light_under_masks_where_a_prediction_is_wanted():
    cube = masked_cube()
    whole = cube.with_masked_light()
    assert whole.data[:, ROWS, COLUMNS].tolist() == [[5, 6, 7], [1, 8, 9]]
    assert whole.uncertainty[1, 0, 1] == 0.5 and np.isclose(whole.uncertainty[1, 2, 2], 0.8)
    assert whole.mask[ROWS, COLUMNS].tolist() == [False, False, True]
    assert whole.own_masks[:, ROWS, COLUMNS].tolist() == [[False, False, True]] * 2
    assert (cube.data == 1).all() and cube.mask.sum() == 3, "the cube itself has not changed"
    assert whole.masked_light is None and whole.with_masked_light() is whole


def test_maps_are_taken_apart_and_shown_whole():
    values = np.arange(20, dtype=np.float32).reshape(SHAPE)
    values[3, 4] = np.nan
    flags = np.full(SHAPE, Flag.FILLED, np.int16)
    maps = PropertyMaps(
        {"LOG_SMD": values.copy()}, {"LOG_SMD": values + 1}, tan_wcs(SHAPE, 2.0), flags,
        galaxy_errors={"LOG_SMD": values + 2},
    ).take_apart(Holes(ROWS, COLUMNS, NUMBERS))  # fmt: skip
    filling = maps.filling
    assert filling.rows.tolist() == [0, 2] and filling.holes.tolist() == [1, 2]
    assert filling.values["LOG_SMD"].tolist() == [1, 12]
    assert filling.errors["LOG_SMD"].tolist() == [2, 13]
    assert filling.galaxy_errors["LOG_SMD"].tolist() == [3, 14]
    for planes in (maps.values, maps.errors, maps.galaxy_errors):
        assert np.isnan(planes["LOG_SMD"][filling.where]).all()
    assert np.argwhere(maps.flags & Flag.FILLED).tolist() == [[0, 1], [2, 2]]
    assert np.array_equal(maps.whole("LOG_SMD"), values, equal_nan=True)
    assert maps.whole("LOG_SMD") is maps.whole("LOG_SMD")
    assert np.array_equal(maps.whole("LOG_SMD", error=True), values + 1, equal_nan=True)
    bare = replace(maps, filling=None)
    assert bare.whole("LOG_SMD") is maps.values["LOG_SMD"]
