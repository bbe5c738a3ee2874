"""Stars and neighbours are told apart from the galaxy that they touch.

Of `segments`.
"""

import numpy as np
import pytest

from napari_galaxy_maps.segments import filled, is_point, others_in

FWHM, SIZE, NOISE = 3.0, 121, 0.02
Y, X = np.mgrid[:SIZE, :SIZE]


def star(x, y, peak):
    a = FWHM / (2 * np.sqrt(2 ** (1 / 3) - 1))
    return peak * (1 + ((X - x) ** 2 + (Y - y) ** 2) / a**2) ** -3.0


def disc(x, y, scale, peak=1.0):
    return peak * np.exp(-np.hypot(X - x, Y - y) / scale)


def apart(light, at=None):
    from scipy.ndimage import gaussian_filter

    noisy = light + np.random.default_rng(1).normal(0, NOISE, light.shape)
    smooth = gaussian_filter(noisy, FWHM / 2.3548)
    return others_in(noisy, smooth, smooth > 3 * NOISE, NOISE / 3, FWHM, at)


@pytest.mark.parametrize("peak", [2, 10, 1000])
@pytest.mark.parametrize("at", [None, (60, 60)])
def test_a_star_on_a_galaxy_is_another_s_however_bright(peak, at):
    own, others = apart(disc(60, 60, 12) + star(85, 66, peak), at)
    assert own[60, 60] and others[66, 85] and not others[60, 60]
    assert not others[60, 40], "the far side is the galaxy's"


def test_a_galaxy_alone_keeps_all_of_its_light_and_so_does_its_bright_nucleus():
    assert not apart(disc(60, 60, 12))[1].any()
    own, others = apart(disc(60, 60, 12) + star(60, 60, 30))
    assert own[60, 60] and not others[60, 60]


def test_the_place_chooses_a_galaxy_that_a_brighter_star_leaves_without_a_peak():
    light = disc(60, 60, 5) + star(70, 63, 30)
    own, others = apart(light, (60, 60))
    assert own[60, 60] and others[63, 70]


@pytest.mark.parametrize("width, point", [(FWHM, True), (2.5 * FWHM, False)])
def test_a_point_is_as_narrow_as_the_psf(width, point):
    light = np.exp(-((X - 60.3) ** 2 + (Y - 60.2) ** 2) / 2 / (width / 2.3548) ** 2)
    assert is_point(light, light > 0.01, FWHM) is point


def test_holes_are_filled_from_their_rims():
    plane = 1 + 0.02 * X - 0.01 * Y
    holes = (np.hypot(X - 40, Y - 50) < 6) | (np.hypot(X, Y - 90) < 5)
    mended = filled(np.where(holes, 99.0, plane), holes)
    assert np.abs(mended - plane).max() < 0.11, "nearest at the edge"
    inner = np.hypot(X - 40, Y - 50) < 6
    np.testing.assert_allclose(mended[inner], plane[inner], atol=1e-6)
    assert (mended[~holes] == plane[~holes]).all()
