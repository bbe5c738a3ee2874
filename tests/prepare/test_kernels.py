"""Kernels are normalised, centred and odd-sized wherever they are from, say what is wrong with
them, and match PSFs.
"""

import numpy as np
import pytest
from astropy.io import fits

from napari_galaxy_maps.data.galaxy import Stamp, pixel_frame
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.psf_files import read_stamp
from napari_galaxy_maps.prepare.psf.convolve_planes import convolve
from napari_galaxy_maps.prepare.psf.kernels import (
    examined,
    kernel_between,
    kernel_from_stamp,
    on_pixels,
)
from tests.conftest import tan_wcs


def gaussian(side, sigma, centre=None, q=1.0, angle=0.0):
    cy, cx = centre or ((side - 1) / 2, (side - 1) / 2)
    y, x = np.mgrid[:side, :side]
    u = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
    v = (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
    return np.exp(-(u**2 + (v / q) ** 2) / 2 / sigma**2)


def well_made(kernel):
    array = kernel.array
    middle = tuple(n // 2 for n in array.shape)
    assert array.shape[0] % 2 == array.shape[1] % 2 == 1
    assert array.sum() == pytest.approx(1, abs=1e-5)
    assert np.unravel_index(array.argmax(), array.shape) == middle


def encircled(array, pixel, radii):
    half = array.shape[0] // 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1] * pixel
    return np.array([array[np.hypot(x, y) < r].sum() for r in radii])


def test_a_kernel_that_is_not_centred_not_square_and_not_normalised_is_mended_and_told(tmp_path):
    data = 340 * gaussian(61, 5, centre=(26, 34))[:, 4:]
    header = fits.Header({"PIXSCALE": 1.0})
    fits.PrimaryHDU(data, header).writeto(tmp_path / "kernel.fits")
    kernel = kernel_from_stamp(read_stamp(tmp_path / "kernel.fits"), np.eye(2))
    well_made(kernel)
    assert "pixels off its middle" in str(kernel)
    centred = gaussian(kernel.array.shape[0], 5)
    np.testing.assert_allclose(kernel.array, centred / centred.sum(), atol=2e-5)


def test_lost_energy_and_negative_lobes_are_told():
    data = gaussian(81, 6) - 0.2 * gaussian(81, 3, centre=(40, 62))
    kernel = examined(data, "made")
    well_made(kernel)
    assert 0.1 < kernel.negative < 0.2 and "negative lobe" in str(kernel)
    off = examined(gaussian(81, 12, centre=(40, 70)), "made")
    assert off.lost > 0.2 and "cut off" in str(off)


@pytest.mark.parametrize("pixel", [0.5, 1.0, 2.3])
def test_a_stamp_keeps_its_width_on_other_pixels(pixel):
    stamp = Stamp(gaussian(201, 14), 0.5 * np.eye(2))
    moved = Stamp(on_pixels(stamp, pixel * np.eye(2)), pixel * np.eye(2))
    assert moved.data.sum() == pytest.approx(1)
    radii = [4, 7, 12]
    expected = 1 - np.exp(-(np.array(radii) ** 2) / 2 / 7.0**2)
    np.testing.assert_allclose(encircled(moved.data, pixel, radii), expected, atol=0.03)


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_psf_is_turned_with_the_image(mirrored):
    stamp = Stamp(
        gaussian(101, 10, q=0.4, angle=np.radians(110)), np.eye(2)
    )  # long axis 20 degrees east of north
    wcs = tan_wcs((60, 60), 1.0, rotation=30)
    if mirrored:
        wcs.wcs.cdelt = [1 / 3600, 1 / 3600]
    turned = on_pixels(stamp, pixel_frame(wcs, (60, 60)))
    half = turned.shape[0] // 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    angle = 0.5 * np.arctan2(2 * (turned * x * y).sum(), (turned * (x**2 - y**2)).sum())
    here = wcs.pixel_to_world(30, 30)
    there = wcs.pixel_to_world(30 + 5 * np.cos(angle), 30 + 5 * np.sin(angle))
    assert here.position_angle(there).deg % 180 == pytest.approx(20, abs=1)


def test_a_stamp_lies_as_its_own_header_says(tmp_path):
    wcs = tan_wcs((81, 81), 1.0, rotation=70)
    data = gaussian(
        81, 8, q=0.4, angle=np.radians(90 + 20 - 70)
    )  # 20 degrees east of north on the turned stamp
    fits.PrimaryHDU(data, wcs.to_header()).writeto(tmp_path / "psf.fits")
    turned = on_pixels(read_stamp(tmp_path / "psf.fits"), np.eye(2))
    half = turned.shape[0] // 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    angle = 0.5 * np.degrees(np.arctan2(2 * (turned * x * y).sum(), (turned * (x**2 - y**2)).sum()))
    assert (angle - 90) % 180 == pytest.approx(20, abs=1)  # north is up, east is left


def test_a_peak_between_pixels_is_centred(tmp_path):
    fits.PrimaryHDU(gaussian(40, 3), fits.Header({"PIXSCALE": 1.0})).writeto(tmp_path / "even.fits")
    stamp = read_stamp(tmp_path / "even.fits")
    expected = gaussian(41, 3) / gaussian(41, 3).sum()
    np.testing.assert_allclose(stamp.data, expected, atol=2e-3 * expected.max())
    assert stamp.fwhm == pytest.approx(3 * 2.3548, rel=0.01)


def test_two_gaussians_need_a_gaussian_and_equal_ones_nothing():
    kernel = kernel_between(6.0, 12.0, np.eye(2))
    well_made(kernel)
    assert Stamp(kernel.array, np.eye(2)).fwhm == pytest.approx(np.sqrt(108), rel=0.05)
    assert kernel_between(6.0, 6.0, np.eye(2)) is None


SCALE = fits.Header({"PIXSCALE": 1.0})
REFUSED = {
    "noscale": (gaussian(21, 3), fits.Header(), "tells no pixel scale; add PIXSCALE"),
    "negative": (-gaussian(21, 3), SCALE, "has no positive peak"),
    "blank": (np.full((21, 21), np.nan), SCALE, "has no positive peak"),
    "hollow": (gaussian(21, 1.0) - 0.1, SCALE, "a PSF or kernel has a positive sum"),
    "cube": (np.ones((3, 21, 21)), SCALE, "holds a cube of 21 x 21 x 3 pixels, no PSF or kernel"),
    "border": (gaussian(21, 3, centre=(0, 10)), SCALE, "brightest on its border"),
    "dot": (np.ones((2, 2)), SCALE, "is an image of 2 x 2 pixels"),
    "nothing": (None, SCALE, "holds no PSF or kernel: a 2-D image is needed"),
}


def test_a_gaussian_is_round_on_the_sky_where_pixels_are_not_square():
    kernel = kernel_between(3.0, 12.0, np.array([[1.0, 0.0], [0.0, 2.0]]))
    well_made(kernel)
    half = kernel.array.shape[0] // 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    sigmas = [np.sqrt((kernel.array * r**2).sum()) for r in (x * 1.0, y * 2.0)]
    assert sigmas == pytest.approx([np.sqrt(135) / 2.3548] * 2, rel=0.01)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_kernel_is_refused(tmp_path, name):
    data, header, says = REFUSED[name]
    fits.PrimaryHDU(data, header).writeto(tmp_path / f"{name}.fits")
    with pytest.raises(InputError, match=rf"{name}\.fits.*{says}"):
        read_stamp(tmp_path / f"{name}.fits")


def test_a_missing_or_broken_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist; check the path of the PSF or kernel"):
        read_stamp(tmp_path / "missing.fits")
    (tmp_path / "text.fits").write_text("no FITS")
    with pytest.raises(InputError, match="is not a FITS file"):
        read_stamp(tmp_path / "text.fits")


def test_blank_pixels_and_a_plane_inside_a_cube_are_mended(tmp_path):
    data = gaussian(41, 4)
    data[3:6, 3:6] = np.nan
    fits.PrimaryHDU(data[None, None], SCALE).writeto(tmp_path / "psf.fits")
    stamp = read_stamp(tmp_path / "psf.fits")
    assert "0.5% of its pixels blank, taken as 0" in str(
        stamp
    ) and stamp.data.sum() == pytest.approx(1)


def test_a_level_of_sky_is_taken_off_and_wings_are_not(tmp_path):
    level = gaussian(101, 4) + 0.003
    fits.PrimaryHDU(level, SCALE).writeto(tmp_path / "level.fits")
    stamp = read_stamp(tmp_path / "level.fits")
    assert "a level that is 23% of its sum taken off as sky" in str(stamp)
    np.testing.assert_allclose(stamp.data, gaussian(101, 4) / gaussian(101, 4).sum(), atol=1e-7)
    y, x = np.mgrid[-50:51, -50:51]
    wings = gaussian(101, 4) + 0.05 / (1 + (x**2 + y**2) / 25)
    fits.PrimaryHDU(wings, SCALE).writeto(tmp_path / "wings.fits")
    assert "sky" not in str(read_stamp(tmp_path / "wings.fits"))


def test_a_file_is_read_again_only_when_it_has_changed(tmp_path):
    path = tmp_path / "psf.fits"
    fits.PrimaryHDU(gaussian(41, 4), SCALE).writeto(path)
    first = read_stamp(path)
    assert read_stamp(str(path)) is first
    fits.PrimaryHDU(gaussian(41, 6), SCALE).writeto(path, overwrite=True)
    assert read_stamp(path).fwhm == pytest.approx(1.5 * first.fwhm, rel=0.01)


@pytest.mark.realdata
@pytest.mark.parametrize("pixel, angle", [(1.375, 0), (4.0, 30)])
def test_the_kernel_of_aniano_is_mended(shared_data, pixel, angle):
    stamp = read_stamp(shared_data / "kernels" / "Kernel_LoRes_WISE_4.6_to_SPIRE_350.fits")
    kernel = kernel_from_stamp(
        stamp, pixel_frame(tan_wcs((90, 80), pixel, rotation=angle), (90, 80))
    )
    well_made(kernel)
    assert 0.001 < kernel.negative < 0.01


@pytest.mark.realdata
@pytest.mark.parametrize(
    "own, target, pixel",
    [("sdss_i", "galex_nuv", 0.4), ("sdss_r", "galex_fuv", 0.4), ("2mass_j", "galex_nuv", 1.0)],
)
def test_measured_psfs_are_matched_to_two_percent_of_encircled_energy(
    shared_data, own, target, pixel
):
    narrow, wide = (
        read_stamp(shared_data / "psf" / f"psf_emp_{name}.fits.gz") for name in (own, target)
    )
    kernel = kernel_between(narrow, wide, pixel * np.eye(2))
    well_made(kernel)
    star, goal = on_pixels(narrow, pixel * np.eye(2)), on_pixels(wide, pixel * np.eye(2))
    side = max(star.shape[0], goal.shape[0]) + 40
    side += 1 - side % 2
    star, goal = (np.pad(p, (side - p.shape[0]) // 2) for p in (star, goal))
    radii = np.array([2, 3, 4, 6, 8, 10, 15])
    off = encircled(convolve(star[None], kernel.array)[0], pixel, radii) - encircled(
        goal, pixel, radii
    )
    assert np.abs(off).max() < 0.02
