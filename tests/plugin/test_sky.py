"""Layers lie where their pixels are on the sky, and positions read as astronomers write them."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st

from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.plugin.ground import sky_plane as sky

from ..conftest import tan_wcs


@given(st.floats(0, 359.9), st.floats(-89, 89), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_offsets_are_those_of_a_tangent_plane_and_back(ra0, dec0, dx, dy):
    ra, dec = sky.position_at(dx * 3600, dy * 3600, (ra0, dec0))
    east, north = sky.offsets(np.array(ra), np.array(dec), (ra0, dec0))
    assert np.allclose([east, north], [dx * 3600, dy * 3600], atol=1e-5)


def test_offsets_agree_with_a_tan_wcs():
    reference = (83.6, 22.0)
    wcs = tan_wcs((200, 200), 10.0, *reference)
    x, y = np.array([0.0, 150.0, 33.0]), np.array([10.0, 199.0, 120.0])
    ra, dec = wcs.all_pix2world(x, y, 0)
    east, north = sky.offsets(ra, dec, reference)
    assert np.allclose(-east, (x - 99.5) * 10, atol=1e-4)
    assert np.allclose(north, (y - 99.5) * 10, atol=1e-4)


@pytest.mark.parametrize("rotation", [0, 37, 180, 271])
@pytest.mark.parametrize("pixel", [0.9, 6.0])
def test_bands_of_any_pixel_and_rotation_fall_on_the_same_place(pixel, rotation):
    reference = (150.0, 2.0)
    star = SkyCoord(150.01, 2.012, unit="deg")
    wcs = tan_wcs((300, 250), pixel, 150.002, 1.998, rotation)
    affine = sky.sky_affine(wcs, (300, 250), reference)
    column, row = wcs.world_to_pixel(star)
    north, west, _ = affine @ [row, column, 1]
    east, up = reference_offsets(star, reference)
    assert np.hypot(north - up, west + east) < 0.02, "arcsec"


def reference_offsets(star, reference):
    centre = SkyCoord(*reference, unit="deg")
    east, north = centre.spherical_offsets_to(star)
    return east.arcsec, north.arcsec


def test_up_is_north_and_left_is_east():
    affine = sky.sky_affine(tan_wcs((100, 100), 1.0), (100, 100), (150.0, 2.0))
    assert affine[0, 0] == pytest.approx(1, abs=1e-6)  # a row up is an arcsec north
    assert affine[1, 1] == pytest.approx(
        1, abs=1e-6
    )  # a column right is an arcsec west, drawn to the right


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["sip-wcs.fits", "galactic_2d.fits"])
def test_distorted_and_galactic_images_lie_within_a_pixel(shared_data, name):
    from napari_galaxy_maps.fits_io.image_files import find_images

    file = find_images([shared_data / "fits_cases" / name])[0]
    reference = sky.centre_of(file.wcs, file.shape)
    affine = sky.sky_affine(file.wcs, file.shape, reference)
    ny, nx = file.shape
    rows, columns = np.array([ny * 0.4, ny * 0.6]), np.array([nx * 0.55, nx * 0.4])
    positions = file.wcs.pixel_to_world(columns, rows).icrs
    east, north = sky.offsets(positions.ra.deg, positions.dec.deg, reference)
    placed = affine @ np.stack([rows, columns, np.ones(2)])
    assert np.all(np.hypot(placed[0] - north, placed[1] + east) < 1.5 * file.pixel_arcsec)


def test_an_image_on_the_other_side_of_the_sky_is_refused():
    with pytest.raises(InputError, match="another part of the sky"):
        sky.sky_affine(tan_wcs((50, 50), 1.0, 330, -2), (50, 50), (150.0, 2.0))


def test_positions_in_words_never_show_sixty_seconds():
    assert sky.position_text(14.1775, -9.913889) == "RA 00:56:42.6  Dec -09:54:50"
    assert sky.position_text(359.99999999, -0.0000001) == "RA 00:00:00.0  Dec -00:00:00"
    assert sky.sexagesimal(1.99999999, 1) == "02:00:00.0"


@pytest.mark.slow
def test_threads_have_their_own_wcs_and_agree():
    shared = sky.ThreadWCS(tan_wcs((100, 100), 1.0))
    own = shared.get()
    with ThreadPoolExecutor(4) as pool:
        positions = list(pool.map(lambda i: shared.position(i % 90, 5), range(400)))
        others = set(pool.map(lambda _: id(shared.get()), range(50)))
    assert id(own) not in others
    assert positions == [shared.position(i % 90, 5) for i in range(400)]
