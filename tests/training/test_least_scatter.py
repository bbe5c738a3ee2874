"""The scatter that no model can beat is what a regression leaves, and noise adds to it."""

import numpy as np
import pytest

from napari_galaxy_maps.models.stellar_unet.outputs import STELLAR_PROPERTIES
from napari_galaxy_maps.progress import drain
from napari_galaxy_maps.training.datasets.mock_set import FIRST_SEED, make_set_steps
from napari_galaxy_maps.training.stellar_unet.least_scatter import (
    RingTable,
    least_scatter,
    ring_table,
)


def made_up(n, seed):
    """Galaxies whose sums follow from a small colour to 0.1 dex; seen, the colour is as uncertain
    as it is large.
    """
    rng = np.random.default_rng(seed)
    light, colour = rng.normal(0, 1.0, n), rng.normal(0, 0.01, n)
    rings = np.zeros((n, 5, 6))
    rings[..., :5] = light[:, None, None] + colour[:, None, None] * np.array([1, -1, 1, -1, 0])
    noise = np.zeros_like(rings)
    noise[..., :5] = rng.normal(0, 0.01, (n, 1, 5)) * np.sqrt(4 / 1)
    sums = (30 * colour + rng.normal(0, 0.1, n))[:, None] * np.ones(len(STELLAR_PROPERTIES))
    return RingTable(rings, rings + noise, np.zeros((n, 3)), np.zeros((n, 3)), sums)


@pytest.mark.slow
def test_a_small_colour_is_found_beside_large_brightness():
    train, test = made_up(3000, 0), made_up(1000, 1)
    ideal, seen = (
        least_scatter(train, test, seen, properties=["AGE_STAR"])["AGE_STAR"]
        for seen in (False, True)
    )
    assert ideal["n"] == 1000 and 0.1 <= ideal["scatter"] < 0.125
    # Four bands with noise of twice the colour: half of its variance of 0.3^2 is left.
    assert seen["scatter"] == pytest.approx(np.hypot(0.1, 0.3 / np.sqrt(2)), rel=0.08)


def test_rings_of_mocks_and_their_file(tmp_path):
    first = FIRST_SEED["train"]
    mocks = drain(make_set_steps(tmp_path / "set", range(first, first + 3), 32))
    table = ring_table(mocks)
    assert table.noiseless.shape == table.seen.shape == (3, 5, 6) and table.sums.shape == (3, 7)
    middle = table.noiseless[:, 2, :5]
    assert np.isfinite(middle).all() and np.nanmax(np.abs(table.seen[:, 2, :5] - middle)) < 0.2
    assert (np.diff(table.noiseless[:, 1:, 2], axis=1) < 0).all()  # fainter outwards
    table.write(tmp_path / "rings.npz")
    again = RingTable.read(tmp_path / "rings.npz")
    np.testing.assert_array_equal(again.seen, table.seen)
    np.testing.assert_array_equal(again.known, table.known)
