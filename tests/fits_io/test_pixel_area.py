"""The solid angle of pixels is that of their corners on the sphere."""

import numpy as np
import pytest
from astropy.wcs import WCS

from napari_galaxy_maps.constants import SR_PER_ARCSEC2
from napari_galaxy_maps.fits_io.band_images import read_band_image
from napari_galaxy_maps.fits_io.image_files import find_images
from napari_galaxy_maps.fits_io.pixel_area import pixel_area
from tests.conftest import tan_wcs, write_image


def projected(kind, shape, side, lon=150.0, lat=0.0, at=None):
    """A WCS whose pixel in the middle of its reference lies at `lat`; sides in degrees."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = [f"RA---{kind}", f"DEC--{kind}"]
    wcs.wcs.crval = [lon, lat]
    wcs.wcs.cdelt = [-side, side]
    wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2] if at is None else at
    wcs.wcs.set()
    return wcs


def test_a_small_tangential_image_has_one_solid_angle():
    area = pixel_area(tan_wcs((300, 200), 1.5), (300, 200))
    assert isinstance(area, float) and area == pytest.approx(2.25 * SR_PER_ARCSEC2, rel=1e-5)


def test_plate_carree_pixels_shrink_towards_the_pole():
    shape, side = (200, 50), 0.05
    wcs = projected("CAR", shape, side, at=[25.5, 100.5 - 60 / side])
    area = pixel_area(wcs, shape)
    lat = 60 + (np.arange(200) - 99.5) * side
    whole = np.radians(side) * (
        np.sin(np.radians(lat + side / 2)) - np.sin(np.radians(lat - side / 2))
    )
    np.testing.assert_allclose(area, np.broadcast_to(whole[:, None], shape), rtol=1e-5)


def test_a_wide_tangential_image_has_a_map_of_them():
    shape, side = (101, 101), 0.1
    area = pixel_area(projected("TAN", shape, side), shape)
    y, x = (np.mgrid[:101, :101] - 50) * np.radians(side)
    expected = np.radians(side) ** 2 / (1 + x**2 + y**2) ** 1.5
    np.testing.assert_allclose(area, expected, rtol=2e-4)


def test_the_whole_sphere_is_four_pi():
    shape = (90, 180)
    area = pixel_area(projected("AIT", shape, 2.0), shape)
    assert np.isnan(area[0, 0]) and np.nansum(area) == pytest.approx(4 * np.pi, rel=0.03)


def test_swapped_axes_and_small_images_are_no_matter():
    for shape in ((1, 1), (3, 2), (1, 400)):
        area = pixel_area(tan_wcs(shape, 2.0), shape)
        assert area == pytest.approx(4 * SR_PER_ARCSEC2, rel=1e-4)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = (
        ["DEC--TAN", "RA---TAN"],
        [60.0, 150.0],
        [1e-3] * 2,
    )
    wcs.wcs.set()
    assert pixel_area(wcs, (20, 20)) == pytest.approx(3.6**2 * SR_PER_ARCSEC2, rel=1e-4)


def test_a_flux_per_pixel_keeps_its_flux_where_pixels_differ(tmp_path):
    shape, side = (200, 40), 0.05
    wcs = projected("CAR", shape, side, at=[20.5, 100.5 - 60 / side])
    data = np.random.default_rng(1).uniform(1, 2, shape).astype("f4")
    (found,) = find_images([write_image(tmp_path / "a_SDSS_r.fits", data, wcs, BUNIT="Jy/pix")])
    image = read_band_image(found)
    flux = np.nansum(image.data * pixel_area(wcs, shape), dtype=float) * 1e6
    assert flux == pytest.approx(float(data.sum(dtype=float)), rel=1e-5)
    assert "times their median solid angle" in image.notes[0]
    (found,) = find_images([write_image(tmp_path / "b_SDSS_r.fits", data, wcs, BUNIT="MJy/sr")])
    np.testing.assert_array_equal(read_band_image(found).data, data)
