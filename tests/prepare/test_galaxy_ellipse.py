"""The measured ellipse is the galaxy's, whatever stars lie on it and beside it.

Of `prepare.galaxy_ellipse`.
"""

import numpy as np
import pytest

from napari_galaxy_maps.bands.registry import get_band
from napari_galaxy_maps.data.galaxy import BandImage
from napari_galaxy_maps.prepare.galaxy_ellipse import measure_ellipse
from tests.conftest import tan_wcs

SIZE, PIXEL, FWHM = 240, 0.4, 3.3
Y, X = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
STARS = {
    "on it, as faint as a knot": [(20, 10, 0.03)],
    "on it, as bright as the galaxy": [(20, 10, 1)],
    "at its edge, three times as bright": [(55, 0, 3)],
    "beside it, three times as bright": [(95, 80, 3)],
    "five on it": [(20, 10, 0.3), (-20, -10, 0.3), (5, 30, 0.3), (-30, 20, 0.3), (30, -20, 0.3)],
}


def image_with(stars, mask=None, hole=None):
    """An inclined disc with its long axis to the upper left, and stars of so many times its
    light.
    """
    cos, sin = np.cos(2.2), np.sin(2.2)
    disc = np.exp(-np.hypot(X * cos + Y * sin, (Y * cos - X * sin) / 0.6) / 14)
    light = disc + np.random.default_rng(2).normal(0, 0.02, X.shape)
    a = FWHM / (2 * np.sqrt(2 ** (1 / 3) - 1))
    for x, y, times in stars:
        moffat = (1 + ((X - x) ** 2 + (Y - y) ** 2) / a**2) ** -3.0
        light += times * disc.sum() * moffat / moffat.sum()
    if hole is not None:
        light[hole] = 50.0
    return BandImage(
        light.astype("f4"), get_band("SDSS_i"), tan_wcs(light.shape, PIXEL), fwhm=FWHM * PIXEL,
        mask=mask,
    )  # fmt: skip


def check(ellipse, alone):
    """As without stars: centre to 3 pixels, sizes to 15 %, angle to 8 degrees."""
    off = np.hypot((ellipse.ra - alone.ra) * np.cos(np.radians(2)), ellipse.dec - alone.dec)
    assert off * 3600 / PIXEL < 3
    assert ellipse.a == pytest.approx(alone.a, rel=0.15)
    assert ellipse.b / ellipse.a == pytest.approx(alone.b / alone.a, abs=0.08)
    assert abs((ellipse.pa - alone.pa + 90) % 180 - 90) < 8


@pytest.fixture(scope="module")
def alone():
    """The ellipse of the galaxy without a star."""
    return measure_ellipse(image_with([]))


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("case", STARS)
def test_stars_do_not_drag_the_ellipse(case, given, alone):
    near = (alone.ra, alone.dec) if given else None
    ellipse = measure_ellipse(image_with(STARS[case]), near)
    check(ellipse, alone)
    assert not given or (ellipse.ra, ellipse.dec) == near


def test_what_an_image_s_mask_hides_is_not_measured(alone):
    """A bleeding star that is no point."""
    hole = (np.abs(X - 30) < 6) & (np.abs(Y - 10) < 40)
    check(measure_ellipse(image_with([], mask=hole, hole=hole)), alone)


def test_the_given_position_is_kept_a_few_pixels_off_the_middle(alone):
    near = (alone.ra + 4 * PIXEL / 3600, alone.dec - 3 * PIXEL / 3600)
    ellipse = measure_ellipse(image_with([]), near)
    assert (ellipse.ra, ellipse.dec) == near
    assert ellipse.a == pytest.approx(alone.a, rel=0.01)
