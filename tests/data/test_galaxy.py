"""Images and ellipses know their pixels, and a change leaves what they were as it was."""

import numpy as np
import pytest
from astropy import units as u

from napari_galaxy_maps.bands.registry import get_band
from napari_galaxy_maps.data.galaxy import BandImage, Ellipse, Galaxy, pixel_frame
from tests.conftest import tan_wcs

SHAPE = (41, 61)


@pytest.mark.parametrize("angle", [0.0, 30.0, 115.0])
def test_the_frame_of_pixels_is_their_side_times_the_rotation(angle):
    frame = pixel_frame(tan_wcs(SHAPE, 2.0, rotation=angle), SHAPE)
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    assert frame @ frame.T == pytest.approx(4.0 * np.eye(2), abs=1e-4)
    assert abs(frame[0, 0]) == pytest.approx(2.0 * abs(cos), abs=1e-4)
    assert abs(frame[1, 0]) == pytest.approx(2.0 * abs(sin), abs=1e-4)


@pytest.mark.parametrize("rotation", [0.0, 70.0])
def test_the_radius_is_one_at_the_ends_of_both_axes(rotation):
    wcs = tan_wcs(SHAPE, 1.0, rotation=rotation)
    ellipse = Ellipse(150.0, 2.0, 16.0, 8.0, 35.0)
    radius = ellipse.radius(wcs, SHAPE)
    assert radius[20, 30] == pytest.approx(0.0, abs=1e-6)
    centre = wcs.pixel_to_world(30, 20)
    for angle, length in ((35.0, 16.0), (125.0, 8.0)):
        end = centre.directional_offset_by(angle * u.deg, length * u.arcsec)
        x, y = (round(float(at)) for at in wcs.world_to_pixel(end))
        assert radius[y, x] == pytest.approx(1.0, abs=0.71 / length)


def test_a_changed_image_keeps_its_notes_and_leaves_the_old_one_alone():
    data = np.ones(SHAPE, np.float32)
    image = BandImage(data, get_band("SDSS_r"), tan_wcs(SHAPE, 1.5), fwhm=1.3, meta={"a": 1})
    changed = image.evolve("doubled", data=2 * data, meta={"b": 2})
    assert changed.notes == (*image.notes, "doubled") and changed.meta == {"a": 1, "b": 2}
    assert image.notes == () and image.meta == {"a": 1} and image.data is data
    assert changed.pixel_arcsec == pytest.approx(1.5) and changed.shape == SHAPE


def test_a_galaxy_has_a_position_when_both_coordinates_are_known():
    assert Galaxy("NGC 1", {}, ra=150.0).position is None
    assert Galaxy("NGC 1", {}, ra=150.0, dec=2.0).position.dec.deg == 2.0
