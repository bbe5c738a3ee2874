"""Tiles cover an image once, in windows that are aligned, with margins where there is image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_galaxy_maps.models.stellar_unet.image_tiles import cut, padded_shape, tiles


@given(
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
    st.integers(1, 6),
    st.integers(0, 3),
    st.sampled_from([8, 16]),
)
@settings(max_examples=60, deadline=None)
def test_every_pixel_is_in_one_core_and_windows_are_aligned(shape, side, halo, stride):
    count = np.zeros(shape, int)
    padded = padded_shape(shape, stride)
    for tile in tiles(shape, side * stride, halo * stride, stride):
        count[tile.core] += 1
        for window, core, inner, n, whole in zip(
            tile.window, tile.core, tile.inner, shape, padded, strict=True
        ):
            assert window.start % stride == 0 and window.stop % stride == 0 and window.stop <= whole
            assert window.start == 0 or core.start - window.start >= halo * stride
            assert window.stop == whole or window.stop - core.stop >= halo * stride
            assert core.stop <= n and inner.start == core.start - window.start
    assert (count == 1).all()


def test_only_what_is_asked_for_is_covered():
    count = np.zeros((100, 90), int)
    for tile in tiles((100, 90), 32, 16, 16, (slice(37, 61), slice(5, 200))):
        count[tile.core] += 1
    assert count[37:61, 5:].all() and count.sum() == 24 * 85


def test_a_cut_beyond_the_image_is_nan():
    planes = np.arange(2 * 5 * 6, dtype=np.float32).reshape(2, 5, 6)
    part = cut(planes, (slice(0, 16), slice(0, 16)))
    assert part.shape == (2, 16, 16)
    assert (
        (part[:, :5, :6] == planes).all()
        and np.isnan(part[:, 5:]).all()
        and np.isnan(part[:, :, 6:]).all()
    )


def test_sides_that_do_not_fit_the_stride_are_refused():
    with pytest.raises(ValueError, match="multiples of 16"):
        list(tiles((100, 100), 50, 16, 16))
