"""Errors, masks and weights are read as what they are, from files that astropy writes and from
surveys'.

Of `fits_io.error_planes`, and of what `fits_io.image_files` and `fits_io.band_images` make of it.
"""

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import (
    CCDData,
    InverseVariance,
    StdDevUncertainty,
    VarianceUncertainty,
)

from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.fits_io.band_images import join, read_band_image
from napari_galaxy_maps.fits_io.beside_files import blank_flagged
from napari_galaxy_maps.fits_io.error_planes import sigma_from_weights
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.fits_io.image_files import find_images
from napari_galaxy_maps.fits_io.which_role import role_of_header
from tests.conftest import tan_wcs, write_image

SHAPE = (80, 90)
SIGMA = 0.1
NOISE = np.random.default_rng(0).normal(0, SIGMA, SHAPE)
KINDS = {
    StdDevUncertainty: SIGMA,
    VarianceUncertainty: SIGMA**2,
    InverseVariance: SIGMA**-2,
}


def ccd(path, unit="MJy/sr", kind=StdDevUncertainty, mask=None, **keys):
    header = tan_wcs(SHAPE, 2.0).to_header()
    errors = kind(np.full(SHAPE, KINDS[kind]))
    data = CCDData(NOISE, unit=unit, uncertainty=errors, mask=mask, header=header)
    data.write(path, **keys)
    return tight_units(path)


def tight_units(path):
    """astropy writes ``MJy / sr``; how units are read is not tested here."""
    with fits.open(path, mode="update") as hdus:
        for hdu in hdus:
            if "BUNIT" in hdu.header:
                hdu.header["BUNIT"] = hdu.header["BUNIT"].replace(" / ", "/")
    return path


def only(path):
    """The one band of a file, as a command reads it."""
    ((image, error),) = join(find_images([path])).values()
    return read_band_image(image, error)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("unit", ["MJy/sr", "Jy/pix"])
def test_every_kind_of_uncertainty_that_astropy_writes_is_that_kind(tmp_path, kind, unit):
    image = only(ccd(tmp_path / "gal_WISE_3.4.fits", unit=unit, kind=kind))
    scale = 1.0 if unit == "MJy/sr" else 1e-6 / (2 * np.pi / 180 / 3600) ** 2
    np.testing.assert_allclose(image.data, NOISE * scale, rtol=1e-5)
    np.testing.assert_allclose(image.uncertainty, SIGMA * scale, rtol=1e-5)


@pytest.mark.parametrize(
    "kind, own",
    [(StdDevUncertainty, "Jy/sr"), (VarianceUncertainty, "Jy2/sr2"), (InverseVariance, "sr2/Jy2")],
)
def test_an_uncertainty_in_a_unit_of_its_own_keeps_it(tmp_path, kind, own):
    path = ccd(tmp_path / "gal_WISE_3.4.fits", kind=kind)
    fits.setval(path, "BUNIT", value=own, extname="UNCERT")
    np.testing.assert_allclose(only(path).uncertainty, SIGMA * 1e-6, rtol=1e-5)


def test_an_uncertainty_of_an_unknown_kind_is_left_out_and_told(tmp_path):
    path = ccd(tmp_path / "gal_WISE_3.4.fits")
    fits.setval(path, "UTYPE", value="UnknownUncertainty", extname="UNCERT")
    skipped = []
    (image,) = find_images([path], skipped)
    assert image.role == "image" and "UNCERT" in skipped[0]


@pytest.mark.parametrize("name", ["MASK", "DQ", "FLAGS", "QUALITY"])
def test_masked_pixels_are_blank_and_told(tmp_path, name):
    mask = np.zeros(SHAPE, bool)
    mask[10:20, 30:50] = True
    skipped = []
    path = ccd(tmp_path / "gal_WISE_3.4.fits", mask=mask, hdu_mask=name)
    image = read_galaxy([path], Recipe(), skipped).images["WISE_3.4"]
    assert np.array_equal(np.isnan(image.data), mask)
    assert f"2.8 % of the pixels, flagged in its {name}, are blank" in image.notes
    assert image.uncertainty is not None
    assert skipped == []


def test_a_saturated_star_behind_a_mask_adds_no_flux(tmp_path):
    mask = np.zeros(SHAPE, bool)
    mask[40:43, 40:43] = True
    path = tmp_path / "gal_WISE_3.4.fits"
    header = tan_wcs(SHAPE, 2.0).to_header()
    data = np.where(mask, 1e4, NOISE)
    CCDData(data, unit="MJy/sr", mask=mask, header=header).write(path)
    tight_units(path)
    assert np.nansum(only(path).data) == pytest.approx(NOISE[~mask].sum(), rel=1e-4)


def test_bits_of_flags_count_whichever_they_are_and_flags_of_most_pixels_are_left_out(tmp_path):
    flags = np.zeros(SHAPE, "i4")
    flags[5, 5], flags[6, 6], flags[7, 7] = 1, 4, 2**30
    header = tan_wcs(SHAPE, 2.0).to_header()
    header["BUNIT"] = "MJy/sr"
    for share, blank in ((0.0, 3), (0.6, 0)):
        flags[: int(share * SHAPE[0])] = 16
        path = tmp_path / f"gal_WISE_3.4_{blank}.fits"
        fits.HDUList([fits.PrimaryHDU(NOISE, header), fits.ImageHDU(flags, name="DQ")]).writeto(
            path
        )
        image = only(path)
        assert np.isnan(image.data).sum() == blank
        assert ("flags 60 % of the pixels, too many for faults" in " ".join(image.notes)) == (
            blank == 0
        )


def test_masks_belong_to_the_image_of_their_version_and_shape(tmp_path):
    header = tan_wcs(SHAPE, 2.0).to_header()
    header["BUNIT"] = "MJy/sr"
    first, second, small = np.zeros(SHAPE, "i2"), np.zeros(SHAPE, "i2"), np.ones((9, 9), "i2")
    first[0, 0], second[5, 5] = 1, 1
    hdus = [fits.PrimaryHDU()]
    for number, (band, flags) in enumerate((("SDSS_g", first), ("SDSS_r", second)), 1):
        image = fits.ImageHDU(NOISE, header, name="SCI", ver=number)
        image.header["FILTER"] = band
        hdus += [image, fits.ImageHDU(flags, name="DQ", ver=number)]
    hdus.append(fits.ImageHDU(small, name="MASK", ver=1))
    fits.HDUList(hdus).writeto(tmp_path / "two.fits")
    found = find_images([tmp_path / "two.fits"])
    images = [image for image in found if image.role == "image"]
    for image, blank in zip(images, ((0, 0), (5, 5)), strict=True):
        assert np.argwhere(np.isnan(read_band_image(image).data)).tolist() == [list(blank)]


@pytest.mark.parametrize("name", ["WGT", "WHT", "WEIGHT", "IVAR"])
def test_a_plane_of_weights_gives_errors_and_its_zeros_blanks(tmp_path, name):
    header = tan_wcs(SHAPE, 2.0).to_header()
    header["BUNIT"] = "MJy/sr"
    weight = np.full(SHAPE, SIGMA**-2, "f4")
    weight[:, :7] = 0
    data = np.where(weight > 0, NOISE, 55.0)
    path = tmp_path / "gal_WISE_3.4.fits"
    fits.HDUList([fits.PrimaryHDU(data, header), fits.ImageHDU(weight, name=name)]).writeto(path)
    image = only(path)
    assert np.array_equal(np.isnan(image.data), weight == 0)
    np.testing.assert_allclose(image.uncertainty[:, 7:], SIGMA, rtol=1e-5)
    assert f"7.8 % of the pixels, where the plane {name} is zero, are blank" in image.notes


def test_a_weight_map_of_its_own_blanks_where_it_is_zero(tmp_path):
    wcs, weight = tan_wcs(SHAPE, 2.0), np.full(SHAPE, SIGMA**-2, "f4")
    weight[:5] = 0
    write_image(tmp_path / "a_WISE_3.4.fits", NOISE, wcs, BUNIT="MJy/sr")
    write_image(tmp_path / "a_WISE_3.4_ivar.fits", weight, wcs)
    image = read_galaxy([tmp_path], Recipe()).images["WISE_3.4"]
    assert np.array_equal(np.isnan(image.data), weight == 0)
    assert "6.2 %" not in image.notes[0] and "a_WISE_3.4_ivar.fits is zero" in image.notes[-1]


# --- are weights what they are taken for? ---------------------------------------------------------


def sky(sigma, seed=1, shape=(128, 128)):
    y, x = np.indices(shape)
    galaxy = 300 * np.median(sigma) * np.exp(-np.hypot(x - 64, y - 64) / 9)
    return np.random.default_rng(seed).normal(0, 1, shape) * sigma + galaxy + 7


@pytest.mark.parametrize("factor", [0.4, 1.0, 2.5])
def test_weights_near_the_noise_are_believed(factor):
    sigma = np.full((128, 128), 0.3)
    found, notes = sigma_from_weights(sky(sigma), (factor * sigma) ** -2.0, "w.fits")
    np.testing.assert_allclose(found, factor * 0.3, rtol=1e-6)
    assert notes == ()


@pytest.mark.parametrize("exposure", [2400.0, 1.0, 1e-3])
def test_exposure_times_are_relative_weights_and_said(exposure):
    """As the WHT of a drizzled image: the noise goes with the root of the exposure."""
    time = np.where(np.arange(128)[None, :] < 64, exposure, exposure / 4) * np.ones((128, 128))
    truth = 0.05 * np.sqrt(exposure / time)
    found, notes = sigma_from_weights(sky(truth), time, "WHT")
    if abs(np.log(0.05 * np.sqrt(exposure))) > np.log(3):
        np.testing.assert_allclose(found, truth, rtol=0.1)
        assert "no inverse variance" in notes[0] and "scaled to the noise" in notes[0]


def test_a_variance_that_is_called_a_weight_is_a_variance():
    sigma = np.where(np.arange(128)[None, :] < 64, 1.0, 10.0) * np.ones((128, 128))
    found, notes = sigma_from_weights(sky(sigma), sigma**2, "x.wt.fits")
    np.testing.assert_allclose(found, sigma)
    assert notes == ("the noise grows with the weights of x.wt.fits: taken as a variance",)
    assert sigma_from_weights(sky(sigma), sigma**-2.0, "x")[1] == ()


def test_noise_that_neighbours_share_is_still_noise():
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(np.random.default_rng(3).normal(0, 1, (128, 128)), 1.5)
    found, notes = sigma_from_weights(smooth, np.full(smooth.shape, smooth.std() ** -2.0), "w")
    assert notes == () and found[0, 0] == pytest.approx(smooth.std())


def test_where_the_noise_cannot_be_told_weights_are_believed():
    for data in (np.zeros((60, 60)), np.full((60, 60), np.nan), np.ones((5, 5))):
        found, notes = sigma_from_weights(data, np.full(data.shape, 4.0), "w")
        assert (found == 0.5).all() and notes == ()
    weight = np.array([[4.0, 0.0, -1.0, np.nan]])
    assert np.isnan(sigma_from_weights(np.zeros((1, 4)), weight, "w")[0][0, 1:]).all()


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "utype, role",
    [("StdDevUncertainty", "uncertainty"), ("var", "variance"), ("InverseVariance", "weight"),
     ("ivar", "weight"), ("UnknownUncertainty", "ignore"), (None, None), ("other", None)],
)  # fmt: skip
def test_the_role_of_a_plane_by_its_utype(utype, role):
    assert role_of_header({"UTYPE": utype}) == role


def test_flags_that_leave_no_pixel_are_left_out():
    data = np.ones((4, 4))
    found, notes = blank_flagged(data, {"MASK": np.ones((4, 4), bool)})
    assert found is data and "MASK flags 100 % of the pixels" in notes[0]
    assert blank_flagged(data, {"MASK": np.zeros((4, 4), bool)}) == (data, ())


def test_of_several_error_planes_the_error_itself_is_used(tmp_path):
    """As in JWST's files."""
    header = tan_wcs(SHAPE, 2.0).to_header()
    header["BUNIT"] = "MJy/sr"
    planes = {"ERR": SIGMA, "CON": 1, "WHT": 500, "VAR_POISSON": 0.005, "VAR_RNOISE": 0.004}
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(NOISE, header, name="SCI")]
    hdus += [fits.ImageHDU(np.full(SHAPE, v, "f4"), header, name=n) for n, v in planes.items()]
    path = tmp_path / "gal_SDSS_r_i2d.fits"
    fits.HDUList(hdus).writeto(path)
    np.testing.assert_allclose(only(path).uncertainty, SIGMA, rtol=1e-5)


@pytest.mark.realdata
@pytest.mark.parametrize("band", "griz")
def test_the_weights_of_a_real_survey_are_inverse_variances(shared_data, band):
    path = shared_data / "galaxies" / "three_surveys_ugc1411" / f"DES_{band}.fits"
    images = find_images([path])
    assert [image.role for image in images] == ["image", "weight"]
    sigma, notes = sigma_from_weights(images[0].load(), images[1].load(), "DES")
    assert notes == ()
    with fits.open(path) as hdus:
        np.testing.assert_allclose(sigma, hdus["WGT"].data ** -0.5, rtol=1e-5)
