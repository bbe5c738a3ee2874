"""Shares of pixels in an ellipse are exact: photutils says the same, and they sum to its area."""

import numpy as np
import pytest

from napari_galaxy_maps.measure.apertures.ellipse_kernel import shares

SHAPE = (40, 50)
STEP_OFF = (1.1e-8, 1.7e-8)  # photutils loses a part where a tip touches a pixel's corner exactly


def of_image(x, y, a, b, angle):
    return shares(x, y, a, b, np.cos(angle), np.sin(angle), 0, 0, SHAPE[1], SHAPE[0])


def by_photutils(x, y, a, b, angle):
    from photutils.geometry import elliptical_overlap_grid

    x, y = x + STEP_OFF[0], y + STEP_OFF[1]
    edges = (-0.5 - x, SHAPE[1] - 0.5 - x, -0.5 - y, SHAPE[0] - 0.5 - y)
    return elliptical_overlap_grid(*edges, SHAPE[1], SHAPE[0], a, b, angle, 1, 1)


def some_ellipses():
    rng = np.random.default_rng(0)
    for k in range(300):
        x, y = rng.uniform(-5, 55), rng.uniform(-5, 45)
        if k % 3 == 0:  # on corners and in the middle of pixels
            x, y = np.round([2 * x, 2 * y]) / 2
        a = 10 ** rng.uniform(-1.5, 1.6)
        angle = rng.choice([0, np.pi / 2, np.pi / 4]) if k % 4 == 0 else rng.uniform(0, np.pi)
        yield float(x), float(y), a, a * 10 ** rng.uniform(-1.5, 0), float(angle)


def test_shares_are_those_of_photutils_wherever_an_ellipse_lies_and_whatever_its_size():
    for ellipse in some_ellipses():
        assert of_image(*ellipse) == pytest.approx(by_photutils(*ellipse), abs=1e-6), ellipse


@pytest.mark.parametrize("a", [0.05, 0.5, 3.0, 15.0])
@pytest.mark.parametrize("ratio", [1.0, 0.3])
def test_shares_sum_to_the_area(a, ratio):
    found = of_image(24.3, 19.8, a, a * ratio, 0.7)
    assert found.sum() == pytest.approx(np.pi * a * a * ratio, rel=1e-11)
    assert found.min() == 0
    assert found.max() <= 1


def test_pixels_well_inside_are_whole_and_those_outside_are_0():
    found = of_image(25.0, 20.0, 10.0, 10.0, 0.0)
    assert (found[17:24, 22:29] == 1).all()
    assert not found[:9].any()
    assert not found[:, :14].any()
