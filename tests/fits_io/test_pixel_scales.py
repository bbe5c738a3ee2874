"""Values on an asinh scale and in magnitudes become linear, with their errors, or are refused.

Of `fits_io.pixel_scales` and `fits_io.linear_pixels`.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.band_images import read_band_image
from napari_galaxy_maps.fits_io.image_files import find_images
from napari_galaxy_maps.fits_io.linear_pixels import linear_pixels
from napari_galaxy_maps.fits_io.pixel_scales import (
    MAGNITUDES,
    flux_error_from_magnitudes,
    flux_from_magnitudes,
    linear_from_asinh,
    scale_of,
)
from tests.conftest import tan_wcs, write_image

A = 2.5 / np.log(10)
LINEAR = np.random.default_rng(0).normal(400, 30, (40, 50))
BOFFSET, BSOFTEN = 1.3, 80.0


def asinh(linear, boffset=BOFFSET, bsoften=BSOFTEN):
    return (A * np.arcsinh((linear - boffset) / (2 * bsoften))).astype("f4")


@given(
    linear=st.floats(-1e5, 1e7),
    boffset=st.floats(-100, 100),
    bsoften=st.floats(0.1, 1e4),
)
def test_an_asinh_scale_is_undone(linear, boffset, bsoften):
    value = A * np.arcsinh((linear - boffset) / (2 * bsoften))
    back = linear_from_asinh(np.array([value]), boffset, bsoften)[0]
    assert back == pytest.approx(linear, rel=1e-9, abs=1e-9 * bsoften)


def test_bright_values_of_the_asinh_scale_are_magnitudes():
    """So `a` is Pogson's: a factor of 100 is 5 magnitudes."""
    one, hundred = (A * np.arcsinh(flux / (2 * BSOFTEN)) for flux in (1e8, 1e10))
    assert hundred - one == pytest.approx(5, abs=1e-9)


def test_magnitudes_become_fluxes():
    flux = flux_from_magnitudes(np.array([0, 2.5, 25, np.nan, np.inf, -np.inf, 1e6, -1e6]))
    np.testing.assert_allclose(flux[:3], [1, 0.1, 1e-10], rtol=1e-12)
    assert np.isnan(flux[3:6]).all() and flux[6] == 0 and np.isnan(flux[7])


def test_errors_of_magnitudes_are_those_of_small_changes():
    magnitudes, error = np.array([18.0, 21.5]), np.array([0.001, -0.002])
    flux = flux_from_magnitudes(magnitudes)
    change = flux - flux_from_magnitudes(magnitudes + np.abs(error))
    np.testing.assert_allclose(flux_error_from_magnitudes(flux, error), change, rtol=2e-3)
    assert flux_error_from_magnitudes(np.array([2.0]), np.array([0.1])) == pytest.approx(0.1842068)


@pytest.mark.parametrize(
    "unit",
    ["mag/arcsec2", "mag/arcsec^2", "MAG/ARCSEC2", "mag arcsec-2", "ABmag/arcsec2", "mag(AB)",
     "magnitudes per square arcsec", "mag"],
)  # fmt: skip
def test_magnitudes_are_known_by_their_unit(unit):
    assert scale_of({}, unit) == "magnitudes"


@pytest.mark.parametrize("unit", ["Jy/pix", "maggy", "nanomaggy", "mgy", "DN", "", None, "MJy/sr"])
def test_all_else_is_linear_unless_the_header_tells_of_a_softening(unit):
    assert scale_of({}, unit) == "linear"
    assert scale_of({"BOFFSET": 0.0, "BSOFTEN": 3.0}, unit) == "asinh"


@pytest.mark.parametrize("unit", ["luptitude", "Luptitudes/arcsec2", "asinh mag", "mag(asinh)"])
def test_luptitudes_are_refused(unit):
    with pytest.raises(InputError, match=r"asinh magnitudes .*give the image with linear values"):
        scale_of({}, unit)


@pytest.mark.parametrize(
    "header",
    [{"BSOFTEN": 80.0}, {"BOFFSET": 1.0}, {"BOFFSET": "x", "BSOFTEN": 80.0},
     {"BOFFSET": None, "BSOFTEN": 80.0}, {"BOFFSET": 1.0, "BSOFTEN": 0.0},
     {"BOFFSET": np.nan, "BSOFTEN": 1.0}],
)  # fmt: skip
def test_an_asinh_scale_with_a_keyword_missing_is_refused_with_the_file(header):
    with pytest.raises(InputError, match=r"a\.fits: .*asinh scale .*(BOFFSET|BSOFTEN) = "):
        linear_pixels(LINEAR, header, "DN", "image", "a.fits")


def test_sentinels_are_blank_before_a_scale_is_undone():
    values = asinh(LINEAR)
    values[:5] = -999
    header = {"BOFFSET": BOFFSET, "BSOFTEN": BSOFTEN}
    found, notes = linear_pixels(values, header, "DN", "image", "a.fits")
    assert found.dtype == np.float32 and np.isnan(found[:5]).all()
    np.testing.assert_allclose(found[5:], LINEAR[5:], rtol=1e-4)
    assert len(notes) == 2 and "hold -999" in notes[0] and "asinh" in notes[1]
    magnitudes = np.full((40, 50), 21.0) + np.random.default_rng(1).normal(0, 0.1, (40, 50))
    magnitudes[:5] = 99
    found, notes = linear_pixels(magnitudes, {}, MAGNITUDES, "image", "a.fits")
    assert np.isnan(found[:5]).all() and "hold 99" in notes[0]
    np.testing.assert_allclose(found[5:], 10 ** (-0.4 * magnitudes[5:]), rtol=1e-6)


def test_a_skycell_is_read_with_its_variance_each_by_its_own_keywords(tmp_path):
    wcs = tan_wcs(LINEAR.shape, 0.25)
    cards = {"BUNIT": "Jy/pix", "BOFFSET": BOFFSET, "BSOFTEN": BSOFTEN}
    plain = write_image(tmp_path / "p_SDSS_r.fits", LINEAR, wcs, BUNIT="Jy/pix")
    path = write_image(tmp_path / "a_SDSS_r.fits", asinh(LINEAR), wcs, **cards)
    variance = np.full(LINEAR.shape, 900.0)
    other = write_image(
        tmp_path / "a_SDSS_r_var.fits", asinh(variance, 2.0, 50.0), wcs, BUNIT="Jy2/pix2",
        BOFFSET=2.0, BSOFTEN=50.0,
    )  # fmt: skip
    (expected,), (image,), (error,) = (find_images([p]) for p in (plain, path, other))
    found, linear = read_band_image(image, error), read_band_image(expected)
    np.testing.assert_allclose(found.data, linear.data, rtol=1e-4)
    scale = float(np.median(linear.data / LINEAR))
    np.testing.assert_allclose(found.uncertainty, 30 * scale, rtol=1e-4)
    assert any("asinh scale made linear (BSOFTEN = 80, BOFFSET = 1.3)" in n for n in found.notes)
    assert any("a_SDSS_r_var.fits: values on an asinh scale" in n for n in found.notes)


def test_a_plane_of_an_asinh_file_without_keywords_of_its_own_is_refused(tmp_path):
    from astropy.io import fits

    header = tan_wcs(LINEAR.shape, 0.25).to_header()
    header["BUNIT"], header["BOFFSET"], header["BSOFTEN"] = "Jy/pix", BOFFSET, BSOFTEN
    plane = fits.ImageHDU(np.ones(LINEAR.shape, "f4"), name="ERR")
    path = tmp_path / "a_SDSS_r.fits"
    fits.HDUList([fits.PrimaryHDU(asinh(LINEAR), header), plane]).writeto(path)
    image, error = find_images([path])
    assert read_band_image(image).uncertainty is None
    with pytest.raises(InputError, match="whether this plane is on it; leave it out"):
        read_band_image(image, error)


@pytest.mark.parametrize("role", ["uncertainty", "variance", "weight"])
@pytest.mark.parametrize("unit, zero_jy", [("mag/arcsec2", 3631), ("AB mag arcsec-2", 3631)])
def test_an_image_in_magnitudes_is_read_with_the_errors_of_its_magnitudes(
    tmp_path, role, unit, zero_jy
):
    magnitudes = np.random.default_rng(2).normal(22, 0.1, (40, 50)).astype("f4")
    stored = {"uncertainty": 0.1, "variance": 0.01, "weight": 100.0}[role]
    wcs = tan_wcs(magnitudes.shape, 1.0)
    (image,) = find_images([write_image(tmp_path / "a_SDSS_r.fits", magnitudes, wcs, BUNIT=unit)])
    (error,) = find_images(
        [write_image(tmp_path / "a_SDSS_r_err.fits", np.full(magnitudes.shape, stored, "f4"), wcs)]
    )
    found = read_band_image(image, replace(error, role=role))
    # 22 mag/arcsec2 (AB) is 3631 Jy x 10^-8.8 in each arcsec2
    expected = zero_jy * 1e-6 * 10 ** (-0.4 * magnitudes) * (180 * 3600 / np.pi) ** 2
    np.testing.assert_allclose(found.data, expected, rtol=1e-5)
    np.testing.assert_allclose(found.uncertainty, 0.0921034 * expected, rtol=1e-4)
    assert "magnitudes made linear, 10^(-0.4 m)" in found.notes and found.unit == MAGNITUDES
