"""Images are found in files of every packing, know what they are, and are refused in one sentence
where they cannot be used.

Of `fits_io.image_files`, `fits_io.band_images`, `fits_io.galaxies` and `fits_io.open_fits`. What is
read for the preparation is tested there: `fits_io.psf_files` in tests/prepare/test_kernels.py,
`fits_io.source_tables` in tests/prepare/test_catalogue.py.
"""

import bz2
import gzip

import numpy as np
import pytest
from astropy.io import fits

from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import InputError, RecipeError, UnresolvedError
from napari_galaxy_maps.fits_io.band_images import join, read_band_image
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.fits_io.image_files import find_images, settle
from napari_galaxy_maps.fits_io.which_band import bands_in_name, guess_band
from napari_galaxy_maps.fits_io.which_role import guess_role
from tests.conftest import tan_wcs, write_image

RNG = np.random.default_rng(0)
DATA = RNG.normal(5, 1, (40, 50)).astype("f4")


def image(path, data=DATA, wcs=True, **header):
    return write_image(path, data, tan_wcs(data.shape[-2:], 1.5) if wcs else None, **header)


def only(path):
    (found,) = find_images([path])
    return found


# --- which band -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header, name, band",
    [
        ({"TELESCOP": "WISE", "BAND": 3}, "x.fits", "WISE_12"),
        ({"INSTRUME": "IRAC", "CHNLNUM": 4}, "x.fits", "Spitzer_8.0"),
        (
            {"INSTRMNT": "SPIRE               / Instrument", "DETECTOR": "PMW   / Name"},
            "x.fits",
            "SPIRE_350",
        ),
        ({"TELESCOP": "GALEX", "BAND": 2}, "x.fits", "GALEX_FUV"),
        ({"TELESCOP": "GALEX", "WVLNGTH": "227.1nm   / Wavelength"}, "x.fits", "GALEX_NUV"),
        ({"TELESCOP": "Herschel", "INSTRUME": "PACS", "FILTER": "green"}, "x.fits", "PACS_100"),
        ({"TELESCOP": "Herschel Space Observatory", "WAVELNTH": 160}, "x.fits", "PACS_160"),
        ({"TELESCOP": "Spitzer", "INSTRUME": "MIPS", "WAVELEN": "24um"}, "x.fits", "Spitzer_24"),
        ({"ORIGIN": "2MASS", "FILTER": "k"}, "aK_asky.fits", "2MASS_Ks"),
        ({"TELESCOP": "2.5m", "FILTER": "i"}, "frame.fits", "SDSS_i"),
        ({}, "NGC628_WISE_4.6.fits.gz", "WISE_4.6"),
        ({}, "ngc628-irac2.fits.fz", "Spitzer_4.5"),
        ({}, "ngc628_w4_int.fits", "WISE_22"),
        ({}, "M33.2mass.Ks.fits.bz2", "2MASS_Ks"),
        ({}, "m51_MIPS24.fits", "Spitzer_24"),
    ],
)
def test_the_band_is_found_in_the_header_or_the_name(header, name, band):
    guess = guess_band(header, name)
    assert guess.band is not None and guess.band.name == band


def test_header_and_name_that_disagree_are_asked_about_with_both():
    guess = guess_band({"TELESCOP": "2.5m", "FILTER": "g"}, "reprojected_sdss_r.fits.bz2")
    assert guess.band is None and set(guess.candidates) == {"SDSS_g", "SDSS_r"}
    assert "in the header says SDSS_g" in guess.reason
    assert "'sdss_r' in the file name says SDSS_r" in guess.reason


@pytest.mark.parametrize(
    "header, name", [({"FILTER": "B"}, "sip.fits"), ({}, "image.fits"), ({"FILTER": "H"}, "x.fits")]
)
def test_what_neither_settles_is_asked_about(header, name):
    assert guess_band(header, name).band is None


def test_words_in_a_name_are_no_bands():
    for name in ("ngc309_red.fits", "blue_sky.fits", "final_v2.fits", "a_u.fits", "I.fits"):
        assert bands_in_name(name) == []


# --- which unit, which role -----------------------------------------------------------------------


def test_what_hipe_left_gives_way_to_bunit_and_is_told(tmp_path):
    found = only(image(tmp_path / "m51_SPIRE_250.fits", QTTY____="Jy/beam", BUNIT="MJy/sr"))
    assert found.unit == "MJy/sr" and "QTTY____ = 'Jy/beam'" in found.unit_reason


def test_a_unit_that_is_only_likely_is_suggested_and_not_used(tmp_path):
    found = only(image(tmp_path / "NGC5584_WISE_12.fits"))
    assert (
        found.unit is None
        and found.unit_suggestion == "Jy/pix"
        and "which unit" in found.problems[0]
    )
    with pytest.raises(UnresolvedError, match="which unit"):
        read_band_image(found)
    assert read_band_image(settle(found, unit="Jy/pix")).unit == "Jy/pix"


@pytest.mark.parametrize(
    "extname, name, role",
    [("", "w1-unc-3.fits", "uncertainty"), ("ERR", "x.fits", "uncertainty"),
        ("VARIANCE", "x.fits", "variance"),
     ("", "x_ivar.fits", "weight"), ("MASK", "x.fits", "mask"), ("SCI", "ngc_w1.fits", "image")],
)  # fmt: skip
def test_the_role_is_told_by_the_names(extname, name, role):
    assert guess_role(extname, name) == role


def test_an_uncertainty_is_joined_to_its_band_in_its_unit(tmp_path):
    image(tmp_path / "ngc_w1-int.fits", BUNIT="Jy/pix")
    image(tmp_path / "ngc_w1-unc.fits", np.abs(DATA), BUNIT="mJy/pix")
    image(tmp_path / "ngc_w2-int.fits", BUNIT="Jy/pix")
    image(tmp_path / "ngc_w2-var.fits", DATA**2)
    pairs = join(find_images([tmp_path]))
    one, two = (read_band_image(*pairs[name]) for name in ("WISE_3.4", "WISE_4.6"))
    np.testing.assert_allclose(one.uncertainty, np.abs(one.data) / 1e3, rtol=1e-5)
    np.testing.assert_allclose(two.uncertainty, np.abs(two.data), rtol=1e-5)


# --- packings and shapes --------------------------------------------------------------------------


def test_every_packing_gives_the_same_pixels(tmp_path):
    plain = image(tmp_path / "a_WISE_3.4.fits", BUNIT="MJy/sr")
    content = plain.read_bytes()
    (tmp_path / "b_WISE_3.4.fits.gz").write_bytes(gzip.compress(content))
    (tmp_path / "c_WISE_3.4.fits.bz2").write_bytes(bz2.compress(content))
    data, header = fits.getdata(plain, header=True)
    fits.CompImageHDU(data, header, compression_type="GZIP_1", quantize_level=0).writeto(
        tmp_path / "d_WISE_3.4.fits.fz"
    )
    for path in sorted(tmp_path.iterdir()):
        found = read_band_image(only(path))
        assert (
            found.band.name == "WISE_3.4"
            and found.data.dtype == np.dtype("f4")
            and found.data.dtype.isnative
        )
        np.testing.assert_array_equal(found.data, DATA)


def test_degenerate_axes_are_dropped_and_a_true_cube_is_refused(tmp_path):
    wcs_cards = {
        "CTYPE3": "FREQ",
        "CTYPE4": "STOKES",
        "CRVAL3": 1e9,
        "CRVAL4": 1,
        "CDELT3": 1,
        "CDELT4": 1,
        "CRPIX3": 1,
        "CRPIX4": 1,
    }
    found = only(image(tmp_path / "a_WISE_3.4.fits", DATA[None, None], BUNIT="MJy/sr", **wcs_cards))
    assert found.shape == DATA.shape and found.wcs.naxis == 2
    np.testing.assert_array_equal(found.load(), DATA)
    with pytest.raises(InputError, match=r"holds a cube of 50 x 40 x 3 pixels along FREQ"):
        find_images([image(tmp_path / "b.fits", np.stack([DATA] * 3), CTYPE3="FREQ")])
    with pytest.raises(InputError, match=r"holds a cube of 50 x 40 x 20 pixels"):
        find_images([image(tmp_path / "c.fits", np.stack([DATA] * 20))])


def test_extensions_are_images_of_their_own(tmp_path):
    header = tan_wcs(DATA.shape, 1.5).to_header()
    hdus = [fits.PrimaryHDU()]
    for name in ("SDSS_g", "SDSS_r"):
        hdus.append(fits.ImageHDU(DATA, header, name=name))
        hdus[-1].header["BUNIT"] = "Jy/pix"
    hdus.append(fits.ImageHDU(np.abs(DATA), name="SDSS_r_ERR"))
    hdus.append(fits.BinTableHDU.from_columns([fits.Column("a", "E", array=[1.0])], name="CATALOG"))
    fits.HDUList(hdus).writeto(tmp_path / "many.fits")
    skipped = []
    found = find_images([tmp_path / "many.fits"], skipped)
    assert [(f.label, f.band.name, f.role) for f in found] == [
        ("many.fits[1]", "SDSS_g", "image"), ("many.fits[2]", "SDSS_r", "image"),
        ("many.fits[3]", "SDSS_r", "uncertainty"),
    ]  # fmt: skip
    assert len(skipped) == 1 and "table" in skipped[0]
    assert read_band_image(*join(found)["SDSS_r"]).uncertainty is not None


def test_integers_with_scale_and_blank_become_floats_with_nan(tmp_path):
    hdu = fits.PrimaryHDU((DATA * 100).astype("i2"), tan_wcs(DATA.shape, 1.5).to_header())
    hdu.header["BUNIT"], hdu.header["BLANK"] = "MJy/sr", -32768
    hdu.data[3, 4] = -32768
    hdu.header["BSCALE"], hdu.header["BZERO"] = 0.01, 1.0
    path = tmp_path / "a_WISE_3.4.fits"
    hdu.writeto(path)
    raw = path.read_bytes()
    data = only(path).load()
    assert len(raw) and np.isnan(data[3, 4]) and np.isfinite(data).sum() == data.size - 1


def test_zeros_outside_the_coverage_are_blank_and_zeros_inside_are_not(tmp_path):
    data = DATA.copy()
    data[:, :10] = 0
    data[20, 30] = 0
    found = read_band_image(only(image(tmp_path / "a_WISE_3.4.fits", data, BUNIT="MJy/sr")))
    assert (
        np.isnan(found.data[:, :10]).all()
        and found.data[20, 30] == 0
        and "blank" in found.notes[-1]
    )


# --- bad input: a sentence each -------------------------------------------------------------------


def bad_files(folder):
    good = image(folder / "good_WISE_3.4.fits", BUNIT="MJy/sr").read_bytes()
    (folder / "short.fits").write_bytes(good[: len(good) - 4000])
    (folder / "short.fits.gz").write_bytes(gzip.compress(good)[:2000])
    (folder / "text.fits").write_text("not an image\n")
    (folder / "empty.fits").write_bytes(b"")
    image(folder / "nowcs_WISE_3.4.fits", wcs=False, BUNIT="MJy/sr")
    fits.HDUList(
        [fits.PrimaryHDU(), fits.BinTableHDU.from_columns([fits.Column("a", "E", array=[1.0])])]
    ).writeto(folder / "table.fits")
    fits.PrimaryHDU(np.zeros(30, "f4")).writeto(folder / "line.fits")


@pytest.mark.parametrize(
    "name, says",
    [("short.fits", "cut short"), ("short.fits.gz", "cut short|damaged|not a FITS"),
        ("text.fits", "not a FITS file"),
     ("empty.fits", "is empty"), ("nowcs_WISE_3.4.fits", "no sky coordinates"),
     ("table.fits", "table, not an image"),
     ("line.fits", "line of 30 pixels"), ("missing.fits", "does not exist")],
)  # fmt: skip
def test_a_bad_file_is_refused_in_one_sentence_that_names_it(tmp_path, name, says):
    bad_files(tmp_path)
    with pytest.raises(InputError, match=says) as caught:
        read_galaxy([tmp_path / name], Recipe())
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_in_a_folder_the_bad_files_are_left_out_and_told(tmp_path):
    bad_files(tmp_path)
    skipped = []
    found = find_images([tmp_path], skipped)
    assert [f.label for f in found] == ["good_WISE_3.4.fits"]
    assert len(skipped) == 7


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no FITS image"):
        find_images([tmp_path])


def test_an_all_nan_image_is_refused(tmp_path):
    path = image(tmp_path / "a_WISE_3.4.fits", np.full((40, 50), np.nan, "f4"), BUNIT="MJy/sr")
    with pytest.raises(InputError, match="holds no valid pixel"):
        read_band_image(only(path))


def test_a_band_that_is_there_twice_is_refused_with_both_files(tmp_path):
    image(tmp_path / "a_WISE_3.4.fits", BUNIT="MJy/sr")
    image(tmp_path / "b_W1.fits", BUNIT="MJy/sr")
    with pytest.raises(
        InputError, match=r"WISE_3\.4 is there twice: a_WISE_3\.4\.fits and b_W1\.fits"
    ):
        read_galaxy([tmp_path], Recipe())


def test_an_uncertainty_of_another_shape_is_refused(tmp_path):
    image(tmp_path / "a_W1.fits", BUNIT="MJy/sr")
    image(tmp_path / "a_W1_unc.fits", DATA[:30], BUNIT="MJy/sr")
    with pytest.raises(InputError, match=r"50 x 30 pixels but its image a_W1\.fits is 50 x 40"):
        read_galaxy([tmp_path], Recipe())


def test_a_recipe_that_names_a_file_that_is_not_there_is_refused(tmp_path):
    image(tmp_path / "a_W1.fits", BUNIT="MJy/sr")
    with pytest.raises(RecipeError, match=r"'b\.fits'.*none of the files"):
        read_galaxy([tmp_path], Recipe.from_tree({"input": {"bands": {"b.fits": "W2"}}}))


def test_the_persons_word_settles_band_unit_and_psf(tmp_path):
    image(tmp_path / "a.fits")
    recipe = Recipe.from_tree(
        {
            "input": {
                "bands": {"a.fits": "IRAC1"},
                "units": {"Spitzer_3.6": "MJy/sr"},
                "psf": {"Spitzer_3.6": 2.5},
            }
        }
    )
    galaxy = read_galaxy([tmp_path / "a.fits"], recipe)
    assert (
        galaxy.images["Spitzer_3.6"].fwhm == 2.5 and galaxy.images["Spitzer_3.6"].unit == "MJy/sr"
    )


def test_a_folder_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(
        "pathlib.Path.iterdir", refuse
    )  # the tests may run as root, who may read everything
    with pytest.raises(InputError, match="may not be read; check its permissions"):
        find_images([tmp_path])


def test_the_psf_is_the_headers_beam_or_the_bands_and_wider_for_wise_atlas_images(tmp_path):
    assert only(image(tmp_path / "a_WISE_3.4.fits", BUNIT="MJy/sr")).fwhm == 6.1
    assert only(
        image(tmp_path / "b_WISE_3.4.fits", BUNIT="MJy/sr", COADDID="0138m107_ac51")
    ).fwhm == pytest.approx(8.63)
    assert only(
        image(tmp_path / "c_SPIRE_250.fits", BUNIT="MJy/sr", BMAJ=0.00583333)
    ).fwhm == pytest.approx(21, abs=0.01)
