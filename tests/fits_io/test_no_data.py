"""Pixels that hold no data become NaN and are told of, and no measurement does: sentinels, zeros.

Of `fits_io.no_data`, and of what `fits_io.band_images` makes of it.
"""

import gzip

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.band_images import read_band_image
from napari_galaxy_maps.fits_io.image_files import find_images
from napari_galaxy_maps.fits_io.no_data import blank_sentinels, blank_zeros, zeros_are_counts
from tests.conftest import tan_wcs, write_image

SIZE = 120
Y, X = np.mgrid[:SIZE, :SIZE]
RADIUS = np.hypot(X - (SIZE - 1) / 2, Y - (SIZE - 1) / 2)


def noise(sigma=2.0, level=0.0, seed=1):
    return np.random.default_rng(seed).normal(level, sigma, (SIZE, SIZE)).astype("f4")


def photons(rate, seed=1):
    return np.random.default_rng(seed).poisson(rate, (SIZE, SIZE)).astype("f4")


# --- sentinels ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [-32768, -999, -9999, -99, 1e30, -1e30, 3.4028235e38, -3.4028235e38, -1234.5]
)
@pytest.mark.parametrize("integers", [False, True])
def test_a_sentinel_is_blank_and_said(value, integers):
    if integers and abs(value) > 1e9:
        return
    data = noise(3.0, 5.0)
    data = np.rint(data) if integers else data
    data[:, :14] = value
    found, notes = blank_sentinels(data, {})
    assert np.array_equal(np.isnan(found), X < 14)
    assert len(notes) == 1 and notes[0].startswith("11.7 % of the pixels hold ")
    assert float(notes[0].split("hold ")[1].split(",")[0]) == pytest.approx(value, rel=1e-5)
    assert (data[:, :14] == np.float32(value)).all()  # what was given is as it was


@pytest.mark.parametrize("sigma", [5.0, 20.0, 60.0, 200.0])
@pytest.mark.parametrize("level", [-99.0, -60.0, 0.0])
def test_whole_numbers_whose_noise_passes_through_99_stay(sigma, level):
    data = np.rint(noise(sigma, level))
    assert (data == -99).sum() > 10 or abs(level + 99) > 4 * sigma
    found, notes = blank_sentinels(data, {})
    assert found is data and notes == ()


def test_99_inside_the_noise_is_blank_where_it_is_far_too_frequent():
    data = noise(60.0)
    data[40:60, 40:60] = -99
    assert np.isnan(blank_sentinels(data, {})[0]).sum() == 400
    data[:, :20] = -99
    whole = np.rint(data)
    assert np.isnan(blank_sentinels(whole, {})[0]).sum() == (whole == -99).sum() > 2800


def test_few_pixels_are_a_sentinel_only_together_and_far_out():
    area, scattered, single = noise(), noise(), noise()
    area[30:33, 30:34] = -9999
    scattered[::40, ::40] = -9999
    single[5, 5] = -9999
    assert np.isnan(blank_sentinels(area, {})[0]).sum() == 12
    assert np.isfinite(blank_sentinels(scattered, {})[0]).all()
    assert np.isfinite(blank_sentinels(single, {})[0]).all()


def test_the_flat_top_of_a_saturated_star_is_no_sentinel():
    for top in (32767, 65535, 99, 999, 30000.5):
        data = noise(3.0, 10.0)
        data[RADIUS < 20] = top
        assert blank_sentinels(data, {})[1] == (), top
        assert blank_zeros(data)[1] == (), top


def test_few_distinct_values_are_no_sentinels():
    rng = np.random.default_rng(1)
    for values in ([-1, 0, 1], [-99, 0, 99], [-3, -2, -1, 0], [-999, -998, -997]):
        data = rng.choice(values, (SIZE, SIZE)).astype("f4")
        assert blank_sentinels(data, {})[1] == (), values


def test_a_value_that_was_cut_off_below_is_none():
    data = np.maximum(noise(2.0), -3.0)
    assert (data == -3).mean() > 0.01
    assert blank_sentinels(data, {})[1] == ()


def test_the_header_may_name_the_value():
    data = noise(2.0, 100.0)
    data[:10] = 0.5
    assert blank_sentinels(data, {})[1] == ()
    found, notes = blank_sentinels(data, {"NODATA": 0.5})
    assert np.isnan(found[:10]).all() and np.isfinite(found[10:]).all() and "hold 0.5" in notes[0]
    assert blank_sentinels(data, {"NODATA": "none"})[1] == ()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    sigma=st.floats(0.01, 3e3),
    level=st.floats(-3e3, 3e3),
    whole=st.booleans(),
    source=st.booleans(),
)
def test_no_noise_with_or_without_a_source_loses_a_pixel(seed, sigma, level, whole, source):
    data = noise(sigma, level, seed)
    data += 100 * sigma * np.exp(-RADIUS / 10) * source
    data = np.rint(data) if whole else data
    if whole and len(np.unique(data)) < 3:
        return
    found, notes = blank_sentinels(data, {"BITPIX": 16 if whole else -32})
    assert notes == () and found is data


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    value=st.sampled_from([-32768.0, -9999.0, -99999.0, 1e30]),
    sigma=st.floats(0.01, 100),
    share=st.floats(0.01, 0.9),
)
def test_a_sentinel_far_out_is_always_found(seed, value, sigma, share):
    data = noise(sigma, 3.0, seed)
    here = np.random.default_rng(seed).random(data.shape) < share
    data[here] = value
    assert np.array_equal(np.isnan(blank_sentinels(data, {})[0]), here)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("blank", [False, True])
def test_whole_numbers_with_a_scale_lose_their_blanks_from_the_file(tmp_path, packed, blank):
    raw = np.rint(noise(300.0, 2000.0)).astype("i2")
    raw[:, :30] = -32768
    header = tan_wcs(raw.shape, 1.5).to_header()
    header["BUNIT"] = "MJy/sr"
    path = tmp_path / "a_WISE_3.4.fits"
    hdu = fits.CompImageHDU(raw, header) if packed else fits.PrimaryHDU(raw, header)
    hdu.header["BSCALE"], hdu.header["BZERO"] = 0.01, 7.0
    if blank:
        hdu.header["BLANK"] = -32768
    hdu.writeto(path)
    image = read_band_image(find_images([path])[0])
    assert np.array_equal(np.isnan(image.data), X < 30)
    if not packed:  # astropy keeps no BSCALE of packed images
        assert image.data[60, 60] == pytest.approx(raw[60, 60] * 0.01 + 7, rel=1e-5)
    assert ("taken as blank" in " ".join(image.notes)) is not blank


def test_an_image_of_sentinels_alone_is_refused(tmp_path):
    data = np.full((40, 50), 1e30, "f4")
    path = write_image(tmp_path / "a_WISE_3.4.fits", data, tan_wcs(data.shape, 1.5), BUNIT="Jy/pix")
    with pytest.raises(InputError, match="no valid pixel"):
        read_band_image(find_images([path])[0])


# --- zeros ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.005, 0.02, 0.05, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0, 5.0])
@pytest.mark.parametrize("galaxy", [0, 5, 50])
@pytest.mark.parametrize("kind", ["counts", "rate", "exposure", "field", "doubled"])
def test_zeros_among_photons_stay(rate, galaxy, kind):
    """Also where counts were divided by an exposure that varies, in a round field, and where each
    pixel was made four.
    """
    rng = np.random.default_rng(3)
    data = photons(rate + galaxy * np.exp(-RADIUS / 12))
    exposure = 1600 * (1 + 0.1 * X / SIZE + 0.02 * rng.random(data.shape))
    inside = np.ones(data.shape, bool)
    if kind == "rate":
        data = data / 1600
    elif kind != "counts":
        data = data / exposure
    if kind == "field":
        inside = RADIUS < SIZE / 2 - 1
        data = data * inside
    elif kind == "doubled":
        data = np.repeat(np.repeat(data[:60, :60], 2, 0), 2, 1)
    found, _ = blank_zeros(data.astype("f4"))
    assert np.isnan(found[inside]).mean() < 0.005
    assert np.nanmean(found[inside]) == pytest.approx(data[inside].mean(), rel=0.006)


def test_a_shallow_fuv_image_says_that_its_zeros_stay():
    data = photons(0.21) / np.float32(1600)
    found, notes = blank_zeros(data)
    share = f"{100 * (data == 0).mean():.3g} %"
    assert found is data
    assert notes == (f"{share} of the pixels are zero: counts of few photons, which stay",)


@pytest.mark.parametrize(
    "level, sigma, step", [(278, 0.7, 0.25), (3.8, 0.05, 0), (0, 2, 0), (0, 2, 1)]
)
@pytest.mark.parametrize("where", ["left", "corner", "wedge", "inside", "frame", "rows"])
def test_padding_is_blank_in_counts_of_a_detector_too(level, sigma, step, where):
    data = noise(sigma, level)
    data = np.rint(data / step) * np.float32(step) if step else data
    pad = {
        "left": X < 20,
        "corner": (X > 90) & (Y > 80),
        "wedge": X + 3 * Y < 130,
        "inside": (abs(X - 50) < 12) & (abs(Y - 60) < 12),
        "frame": (X < 9) | (X > 110) | (Y < 9) | (Y > 110),
        "rows": Y < 2,
    }[where]
    natural = (data == 0) & ~pad
    data[pad] = 0
    found, notes = blank_zeros(data)
    wrong = np.isnan(found) != pad
    if step != 1:
        assert not wrong.any()
    else:  # where zero is a common value, the edge is found to a pixel or two
        assert wrong.mean() < 0.01 and np.isnan(found)[pad].mean() > 0.9
        assert np.isnan(found)[natural].mean() < 0.05
    assert len(notes) == 1 and "areas of zeros, taken as blank" in notes[0]


def test_coarse_steps_about_zero_are_measurements():
    """As 8 % of SPIRE's pixels in maps that were rounded."""
    for sigma in (0.3, 0.4, 0.5, 0.6, 0.7, 1.5, 4.0):
        data = np.rint(noise(sigma))
        assert (data == 0).mean() > 0.09
        found, notes = blank_zeros(data)
        assert found is data and notes == (), sigma


def test_small_holes_of_zeros_inside_stay():
    data = noise(1.0, 3.0)
    data[50:58, 50:58] = 0
    data[70, 70] = 0
    assert blank_zeros(data)[0] is data


def test_an_exposure_map_decides_alone():
    data, seen = photons(0.2), RADIUS < 50
    data[~seen] = 0
    found, notes = blank_zeros(data, seen * 1600.0, "the plane EXP")
    assert np.array_equal(np.isnan(found), ~seen)
    assert notes == (
        f"{100 * (~seen).mean():.3g} % of the pixels, where the plane EXP is zero, are blank",
    )
    padded = noise()
    padded[:, :20] = 0
    assert blank_zeros(padded, np.ones(padded.shape))[0] is padded
    assert blank_zeros(noise(), np.zeros(padded.shape))[1] == ()  # it would leave nothing


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), rate=st.floats(0.003, 3.0), width=st.integers(0, 40))
def test_counts_of_few_photons_never_lose_a_zero(seed, rate, width):
    data = photons(rate, seed)
    data[:, :width] = 0
    if (data > 0).sum() < 3:
        return
    assert zeros_are_counts(data) and blank_zeros(data)[0] is data
    assert zeros_are_counts(data / np.float32(1234.5))


def test_an_image_that_is_zero_all_over_stays_for_others_to_refuse():
    data = np.zeros((20, 20), "f4")
    assert blank_zeros(data)[0] is data and not zeros_are_counts(data)


def test_the_exposure_map_beside_a_galex_image_is_used(tmp_path):
    data, seen = photons(0.2), RADIUS < 50
    wcs = tan_wcs(data.shape, 1.5)
    path = write_image(
        tmp_path / "NGC1-nd-int.fits", data * seen / 1600, wcs, BUNIT="counts/s", TELESCOP="GALEX",
        BAND=1,
    )  # fmt: skip
    without = read_band_image(find_images([path])[0])
    assert np.isfinite(without.data).all() and "counts of few photons" in without.notes[-1]
    beside = write_image(tmp_path / "NGC1-nd-rrhr.fits", seen * 1600.0, wcs)
    image = read_band_image(find_images([path])[0])
    assert np.array_equal(np.isnan(image.data), ~seen)
    assert "NGC1-nd-rrhr.fits is zero" in image.notes[-1]
    beside.write_bytes(b"no FITS")
    assert np.isfinite(read_band_image(find_images([path])[0]).data).all()


# --- files that lack nothing but padding ----------------------------------------------------------


@pytest.mark.parametrize("kind", ["plain", "gzip", "extension", "packed"])
def test_a_file_without_its_padding_is_complete_and_one_byte_less_is_not(tmp_path, kind):
    data = noise()[:, :113]
    header = tan_wcs(data.shape, 1.5).to_header()
    header["BUNIT"] = "MJy/sr"
    hdus = {
        "extension": [fits.PrimaryHDU(), fits.ImageHDU(data, header)],
        "packed": [
            fits.PrimaryHDU(),
            fits.CompImageHDU(data, header, compression_type="GZIP_1", quantize_level=0),
        ],
    }.get(kind, [fits.PrimaryHDU(data, header)])
    path = tmp_path / "a_WISE_3.4.fits"
    fits.HDUList(hdus).writeto(path)
    whole = path.read_bytes()
    with fits.open(path, disable_image_compression=True) as opened:
        end = opened[-1].fileinfo()["datLoc"] + opened[-1].size
    assert end < len(whole)
    pack = gzip.compress if kind == "gzip" else bytes
    for length in (end, end + 1, len(whole) - 1):
        path.write_bytes(pack(whole[:length]))
        np.testing.assert_array_equal(find_images([path])[0].load(), data)
    path.write_bytes(pack(whole[: end - 1]))
    with pytest.raises(InputError, match="cut short"):
        find_images([path])[0].load()


@pytest.mark.realdata
@pytest.mark.parametrize(
    "folder", ["ngc309", "ngc5584", "ngc6976_group", "ngc891", "m51", "three_surveys_ugc1411"]
)
def test_no_measured_pixel_of_a_real_image_is_lost(shared_data, folder):
    """Two of SDSS's interpolated images have one and two columns of zeros at their border, no other
    one a pixel without data that is no NaN.
    """
    padded = {"reprojected_sdss_i.fits.bz2": 682, "reprojected_sdss_r.fits.bz2": 1364}
    images = [i for i in find_images([shared_data / "galaxies" / folder]) if i.role == "image"]
    assert images
    for image in images:
        with fits.open(image.path) as hdus:
            stored = np.asarray(hdus[image.hdu].data, "f4").reshape(image.shape)
        notes = []
        loaded = image.load(notes)
        np.testing.assert_array_equal(loaded, stored)
        assert notes == []
        found, _ = blank_zeros(loaded)
        lost = np.isnan(found) & np.isfinite(stored)
        assert lost.sum() == padded.get(image.path.name, 0) and (stored[lost] == 0).all()
