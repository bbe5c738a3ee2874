"""Sets of pixels: chosen, joined."""

import numpy as np

from napari_galaxy_maps.training.datasets.galaxy_pixels import GalaxyPixels, joined


def some(n, kind):
    one = np.arange(n, dtype=np.float32)
    return GalaxyPixels(
        ("a", "b"), np.tile(one, (2, 1)), np.ones((2, n), "f4"), np.tile(one[:, None], 7), one, one,
        np.zeros(n, np.int32), (kind,),
    )  # fmt: skip


def test_galaxies_of_joined_sets_keep_apart_and_parts_of_one_do_not():
    both = joined([some(3, "spiral"), some(2, "ring")])
    assert both.galaxy.tolist() == [0, 0, 0, 1, 1] and both.kinds == ("spiral", "ring")
    one = joined([some(3, "spiral"), some(2, "spiral")], one_galaxy=True)
    assert one.galaxy.tolist() == [0] * 5 and one.kinds == ("spiral",)
    assert both.values.shape == (2, 5) and both.truth.shape == (5, 7)


def test_chosen_pixels_keep_their_galaxys_number():
    both = joined([some(3, "spiral"), some(2, "ring")])
    chosen = both.select(both.galaxy == 1)
    assert len(chosen) == 2 and chosen.galaxy.tolist() == [1, 1]
    assert chosen.kinds == both.kinds and chosen.values[0].tolist() == [0, 1]
