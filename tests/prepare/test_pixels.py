"""The short way between sky and pixels agrees with astropy's long one, in every frame and under
distortion.
"""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS

from napari_galaxy_maps.prepare.grid.pixel_positions import pixel_steps, to_pixels
from tests.conftest import tan_wcs
from tests.prepare.test_resampling import distorted, galactic, skewed

SHAPE = (80, 120)


def fk4(shape, pixel):
    header = tan_wcs(shape, pixel, 149.36, 2.25).to_header()
    header.update({"RADESYS": "FK4", "EQUINOX": 1950.0})
    return WCS(header)


def fk5(shape, pixel):
    header = tan_wcs(shape, pixel).to_header()
    header.update({"RADESYS": "FK5", "EQUINOX": 2000.0})
    return WCS(header)


@pytest.mark.parametrize("kind", [tan_wcs, skewed, galactic, distorted, fk4, fk5])
def test_positions_and_steps_are_astropys(kind):
    wcs = kind(SHAPE, 2.0)
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, SHAPE[1] - 1, 30), rng.uniform(0, SHAPE[0] - 1, 30)
    sky = wcs.pixel_to_world(x, y).icrs
    ours = to_pixels(wcs, SHAPE, sky.ra.deg, sky.dec.deg)
    np.testing.assert_allclose(ours, (x, y), atol=0.02)  # FK5 is ICRS to 0.03 arcsec
    steps = pixel_steps(wcs, x, y)
    for column, (dx, dy) in enumerate(((1, 0), (0, 1))):
        length = wcs.pixel_to_world(x, y).separation(wcs.pixel_to_world(x + dx, y + dy)).arcsec
        np.testing.assert_allclose(
            np.hypot(steps[:, 0, column], steps[:, 1, column]), length, rtol=2e-3
        )


def test_what_lies_off_the_image_or_behind_the_sky_is_nan():
    wcs = tan_wcs(SHAPE, 2.0)
    far = SkyCoord([150.0, 150.0, 330.0, 150.2], [2.0, 40.0, -2.0, 2.0], unit="deg")
    x, _ = to_pixels(wcs, SHAPE, far.ra.deg, far.dec.deg)
    assert np.isfinite(x).tolist() == [True, False, False, False]
    x, _ = to_pixels(wcs, SHAPE, np.array([150.036]), np.array([2.0]), margin=20)
    assert np.isfinite(x).all()
