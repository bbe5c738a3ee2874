"""Images, errors, masks and exposures in the files in which surveys and archives deliver them, with
their names and extensions: each opens as what it is, with its blank pixels.

Every one has a galaxy of known flux, noise of known sigma, two faulty pixels, and a row that
nobody has seen. The layouts are those of the surveys' documents.

Of `fits_io.beside_files`, `fits_io.image_file`, `fits_io.images_of_file` and `bands.cameras`.
"""

import warnings

import numpy as np
import pytest
from astropy.io import fits

from napari_galaxy_maps.bands.cameras import CAMERAS
from napari_galaxy_maps.bands.registry import get_band
from napari_galaxy_maps.constants import SR_PER_ARCSEC2
from napari_galaxy_maps.data.question import BAND, UNIT
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import UnresolvedError
from napari_galaxy_maps.fits_io.beside_files import faulty
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.fits_io.image_files import check_names, find_images
from tests.conftest import tan_wcs
from tests.fits_io.known_flux import FLUX, SIDE, ab

PIXEL = 0.4
SKY, FAULTS, UNSEEN = "sky", np.s_[10:12, 20], np.s_[:3]
RNG = np.random.default_rng(5)
NOISE = RNG.normal(0, 1, (SIDE, SIDE))
LEFT = np.arange(SIDE)[None, :] < SIDE // 2
SIGMA = np.where(LEFT, 1.0, 2.0) * np.ones((SIDE, SIDE))
"""Of each pixel, in thousandths of the galaxy's flux."""
JY = 1.0 / 3631
DEPTH = SIGMA**-2.0


def planes(one_jy, faulty_value=1, harmless=0):
    """What an extension may hold, by name; `one_jy` is one unit of the image in Jy."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    sigma = SIGMA * 1e-3 * FLUX / one_jy / 10
    galaxy = np.exp(-(x**2 + y**2) / 2 / 4**2)
    sky = galaxy / galaxy.sum() * FLUX / one_jy + sigma * NOISE
    sky[FAULTS] = 1e3 * FLUX / one_jy
    sky[UNSEEN] = 0
    mask = np.where(galaxy > 0.1, harmless, 0)
    mask[FAULTS] |= faulty_value
    seen = np.ones((SIDE, SIDE))
    seen[UNSEEN] = 0
    return {
        SKY: sky, "sigma": sigma, "variance": sigma**2, "weight": seen * sigma**-2.0,
        "time": seen * 300 * DEPTH, "relative": seen * 100 * DEPTH, "mask": mask,
        "seen": seen * 7, "ones": seen, "anything": galaxy, "several": np.stack([mask, mask]),
    }  # fmt: skip


def hdu_of(kind, name, cards, arrays, pixel, first=False):
    """An extension with a plane of `planes`, a table, or nothing but a header."""
    header = tan_wcs((SIDE, SIDE), pixel).to_header()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header.update(cards)
    if kind == "table":
        return fits.BinTableHDU.from_columns([fits.Column("a", "E", array=[1.0])], name=name)
    if kind == "":
        first_header = fits.Header()
        first_header.update(cards)
        return fits.PrimaryHDU(header=first_header)
    array = np.arange(9.0, dtype="f4") if kind == "line" else arrays[kind]
    dtype = "i4" if kind in ("mask", "several") else "f4"
    if first:
        return fits.PrimaryHDU(array.astype(dtype), header)
    return fits.ImageHDU(array.astype(dtype), header, name=name)


def write(folder, files, one_jy, pixel=PIXEL, **keywords):
    """Files by name: lists of (kind, name of the extension, cards)."""
    arrays = planes(one_jy, **keywords)
    for name, parts in files.items():
        hdus = [hdu_of(*part, arrays, pixel, first=not i) for i, part in enumerate(parts)]
        fits.HDUList(hdus).writeto(folder / name)


def alone(kind, **cards):
    return [(kind, "", cards)]


GPC = {"HIERARCH FPA.INSTRUMENT": "GPC1", "HIERARCH FPA.FILTER": "r.00000",
       "HIERARCH FPA.ZP": 25.0, "EXPTIME": 860.0}  # fmt: skip
STK = "rings.v3.skycell.1784.059.stk.r.unconv"
UNWISE = {"BAND": 1, "MAGZP": (22.5, "Magnitude zeropoint (in Vega mag)"), "TELESCOP": "WISE"}
DECAM = {"INSTRUME": "DECam", "TELESCOP": "CTIO 4.0-m telescope"}
BRICK = {**DECAM, "FILTER": "r", "BUNIT": "nanomaggy", "SURVEY": "DECaLS", "MAGZERO": 22.5}
CP = {**DECAM, "FILTER": "r DECam SDSS c0002 6415.0 1480.0", "BUNIT": "electron/s",
      "MAGZERO": (30.0, "AB")}  # fmt: skip
HST = {"TELESCOP": "HST", "INSTRUME": "ACS", "FILTER1": "CLEAR1L", "FILTER2": "F814W",
       "EXPTIME": 1200.0}  # fmt: skip
JWST = {"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "FILTER": "F200W", "PUPIL": "CLEAR"}
EUCLID = {"TELESCOP": "Euclid", "INSTRUME": "VIS", "FILTER": "VIS", "MAGZERO": 24.6}
EUC = "EUC_MER_{}_TILE102018211-ACBD03_20241018T142710Z_00.00.fits"
MP = {"MP_BAD": 0, "MP_SAT": 1, "MP_INTRP": 2, "MP_CR": 3, "MP_EDGE": 4, "MP_DETECTED": 5,
      "HIERARCH MP_DETECTED_NEGATIVE": 6, "MP_SUSPECT": 7, "MP_NO_DATA": 8}  # fmt: skip
GALEX = {"TELESCOP": "GALEX", "BAND": 1, "BUNIT": "counts/s"}
IRAC = {"TELESCOP": "Spitzer", "INSTRUME": "IRAC", "CHNLNUM": 1, "BUNIT": "MJy/sr"}
PACS = {"TELESCOP": "Herschel Space Observatory", "INSTRUME": "PACS", "WAVELNTH": 100.0}
SPIRE = {"TELESCOP": "Herschel Space Observatory", "INSTRUME": "SPIRE", "DETECTOR": "PSW"}
ATLAS = {"TELESCOP": "WISE", "BAND": 1, "WAVELEN": 3.368, "BUNIT": "DN", "MAGZP": 20.5,
         "COADDID": "1509p015_ac51"}  # fmt: skip
TILE = {"FILTER": "g DECam SDSS c0001 4720.0 1520.0", "BUNIT": "electrons", "MAGZERO":
        (30.0, "Mag Zero-point in magnitudes/s"), "EXPTIME": 450.0,
        "DESFNAME": "DES0151+0001_r2624p01_g.fits"}  # fmt: skip
VIRCAM = {"TELESCOP": "ESO-VISTA", "INSTRUME": "VIRCAM", "FILTER": "Ks", "MAGZPT": 23.0,
          "EXPTIME": 10.0}  # fmt: skip
MEGA = {"INSTRUME": "MegaPrime", "FILTER": "r.MP9601", "BUNIT": "DN",
        "PHOTZP": (30.0, "photometric zeropoint MAG=-2.5*log(data)+zp")}  # fmt: skip
MJY = 1e6 * PIXEL**2 * SR_PER_ARCSEC2
SURVEYS = {
    "Pan-STARRS, a stack": (
        {f"{STK}.fits": alone(SKY, **GPC), f"{STK}.wt.fits": alone("variance", **GPC),
         f"{STK}.mask.fits": alone("mask", **GPC), f"{STK}.num.fits": alone("seen", **GPC),
         f"{STK}.exp.fits": alone("time", **GPC)},
        "PS1_r", ab(25) / 860, {"faulty_value": 0x2000, "harmless": 0x4080}),
    "unWISE": (
        {f"unwise-1509p015-w1-{kind}.fits": alone(plane, **UNWISE) for kind, plane in
         (("img-m", SKY), ("invvar-m", "weight"), ("std-m", "anything"), ("n-m", "seen"),
          ("n-u", "seen"))} | {"unwise-1509p015-msk.fits": alone("mask")},
        "WISE_3.4", 309.54 * 10 ** (-0.4 * 22.5), {"faulty_value": 16, "harmless": 3}),
    "NOIRLab's pipeline": (
        {f"c4d_150110_012345_{word}_r_ls9.fits": [("", "", CP), (plane, "ccd1", {})]
         for word, plane in (("osi", SKY), ("osw", "weight"), ("osd", "mask"), ("ose", "time"))},
        "DECam_r", ab(30), {"faulty_value": 3}),
    "HST, drizzled": (
        {"jc8m10010_drc.fits": [
            ("", "", HST), (SKY, "SCI", {"BUNIT": "ELECTRONS/S", "PHOTFLAM": 7e-20,
             "PHOTPLAM": 8045.0}), ("time", "WHT", {}), ("mask", "CTX", {}),
            ("table", "HDRTAB", {})]},
        "ACS_F814W", 7e-20 * 8045.0**2 / 2.99792458e18 * 1e23, {"faulty_value": 0}),
    "HST, an exposure": (
        {"jc8m10abq_flc.fits": [
            ("", "", HST), (SKY, "SCI", {"BUNIT": "ELECTRONS", "PHOTFLAM": 7e-20,
             "PHOTPLAM": 8045.0}), ("sigma", "ERR", {"BUNIT": "ELECTRONS"}), ("mask", "DQ", {})]},
        "ACS_F814W", 7e-20 * 8045.0**2 / 2.99792458e18 * 1e23 / 1200,
        {"faulty_value": 16, "harmless": 64}),
    "JWST": (
        {"jw02107-o039_t018_nircam_clear-f200w_i2d.fits": [
            ("", "", JWST), (SKY, "SCI", {"BUNIT": "MJy/sr"}), ("sigma", "ERR", {}),
            ("several", "CON", {}), ("time", "WHT", {}), ("variance", "VAR_POISSON", {}),
            ("variance", "VAR_RNOISE", {}), ("anything", "VAR_FLAT", {}), ("table", "HDRTAB", {}),
            ("table", "ASDF", {})]},
        "NIRCam_F200W", MJY, {"faulty_value": 0}),
    "Euclid": (
        {EUC.format(what): alone(plane, **EUCLID) for what, plane in
         (("BGSUB-MOSAIC-VIS", SKY), ("MOSAIC-VIS-RMS", "sigma"), ("MOSAIC-VIS-FLAG", "mask"),
          ("BGMOD-VIS", "anything"))},
        "Euclid_VIS", ab(24.6), {"faulty_value": 1 + 8, "harmless": 1 << 24}),
    "HSC, a patch": (
        {"calexp-HSC-I-9813-4,4.fits": [
            ("", "", {"FILTER": "HSC-I", "FLUXMAG0": 63095734448.0194}),
            (SKY, "IMAGE", {"EXTTYPE": "IMAGE"}), ("mask", "MASK", {"EXTTYPE": "MASK", **MP}),
            ("variance", "VARIANCE", {"EXTTYPE": "VARIANCE"}), ("table", "ARCHIVE_INDEX", {})]},
        "HSC_i", 3631 / 63095734448.0194, {"faulty_value": 2, "harmless": 32}),
    "Legacy Surveys, a brick": (
        {f"legacysurvey-1498p017-{what}-r.fits": [("", "", BRICK), (plane, "", BRICK)]
         for what, plane in (("image", SKY), ("invvar", "weight"), ("nexp", "seen"),
         ("chi2", "anything"), ("model", "anything"), ("depth", "anything"))} |
        {"legacysurvey-1498p017-maskbits.fits": [("", "", DECAM), ("mask", "MASKBITS", DECAM)]},
        "DECam_r", 3.631e-6, {"faulty_value": 1 << 6, "harmless": 1 << 12}),
    "Legacy Surveys, a cutout with weights": (
        {"cutout_150.0_2.0.fits": [(SKY, "", {**BRICK, "IMAGETYP": "image"}),
                                   ("weight", "", {**BRICK, "IMAGETYP": "invvar"})]},
        "DECam_r", 3.631e-6, {"faulty_value": 0}),
    "SDSS, a frame": (
        {"frame-r-003836-4-0084.fits": [
            (SKY, "", {"TELESCOP": "2.5m", "ORIGIN": "SDSS", "FILTER": "r", "BUNIT": "nanomaggy",
             "OBJECT": "82 N"}), ("line", "", {}), ("table", "", {}), ("table", "", {})]},
        "SDSS_r", 3.631e-6, {"faulty_value": 0}),
    "GALEX": (
        {f"NGA_NGC5584-nd-{what}.fits": alone(plane, **cards) for what, plane, cards in
         (("int", SKY, GALEX), ("rrhr", "time", {}), ("skybg", "anything", GALEX),
          ("objmask", "anything", GALEX))},
        "GALEX_NUV", ab(20.08), {"faulty_value": 0}),
    "Spitzer": (
        {f"30002561.30002561-0.IRAC.1.{what}.fits": alone(plane, **IRAC) for what, plane in
         (("mosaic", SKY), ("mosaic_unc", "sigma"), ("mosaic_cov", "seen"))},
        "Spitzer_3.6", MJY, {"faulty_value": 0}),
    "Herschel, PACS": (
        {"hpacs1342_20hpppjsmapr.fits": [
            ("", "", PACS), (SKY, "image", {"BUNIT": "Jy/pixel"}), ("seen", "coverage", {}),
            ("sigma", "stDev", {"BUNIT": "Jy/pixel"}), ("table", "HistoryScript", {}),
            ("table", "HistoryTasks", {})]},
        "PACS_100", 1.0, {"faulty_value": 0}),
    "Herschel, SPIRE": (
        {"hspirepsw1342_20pmp.fits": [
            ("", "", SPIRE), (SKY, "image", {"BUNIT": "MJy/sr"}),
            ("sigma", "error", {"BUNIT": "MJy/sr"}), ("seen", "coverage", {}),
            ("table", "History", {})]},
        "SPIRE_250", MJY, {"faulty_value": 0}),
    "WISE's Atlas": (
        {f"1509p015_ac51-w1-{what}-3.fits": alone(plane, **ATLAS) for what, plane in
         (("int", SKY), ("unc", "sigma"), ("cov", "seen"))},
        "WISE_3.4", 309.54 * 10 ** (-0.4 * 20.5), {"faulty_value": 0}),
    "DES, a tile": (
        {"DES0151+0001_r2624p01_g.fits": [
            ("", "", {}), (SKY, "SCI", {**TILE, "DES_EXT": "IMAGE"}),
            ("mask", "MSK", {**TILE, "DES_EXT": "MASK"}),
            ("weight", "WGT", {**TILE, "DES_EXT": "WEIGHT"})]},
        "DECam_g", ab(30), {"faulty_value": 2, "harmless": 4}),
    "VISTA, with its confidence": (
        {"v20100411_00123_st_tl.fits": [("", "", VIRCAM), (SKY, "DET1.CHIP1", {})],
         "v20100411_00123_st_tl_conf.fits": [("", "", VIRCAM), ("relative", "DET1.CHIP1", {})]},
        "VISTA_Ks", 677.6 * 10 ** (-0.4 * 23) / 10, {"faulty_value": 0}),
    "MegaPipe": (
        {"MegaPipe.123.456.R.MP9601.fits": alone(SKY, **MEGA),
         "MegaPipe.123.456.R.MP9601.weight.fits": alone("weight", **MEGA)},
        "MegaCam_r", ab(30), {"faulty_value": 0}),
    "Swift": (
        {"sw00030080001uw1_sk.fits": [("", "", {}), (SKY, "UW1", {
            "TELESCOP": "SWIFT", "INSTRUME": "UVOTA", "FILTER": "UVW1", "BUNIT": "counts/s",
            "MAGZP": (25.0, "AB")})],
         "sw00030080001uw1_ex.fits": [("", "", {}), ("time", "UW1", {
            "TELESCOP": "SWIFT", "INSTRUME": "UVOTA", "FILTER": "UVW1"})]},
        "UVOT_W1", ab(25), {"faulty_value": 0}),
}  # fmt: skip
WITHOUT_ERRORS = ("SDSS, a frame", "GALEX", "Swift")


@pytest.mark.parametrize("survey", SURVEYS)
def test_a_survey_is_read_as_it_is_delivered(survey, tmp_path):
    files, band, one_jy, faults = SURVEYS[survey]
    pixels = CAMERAS[get_band(band).survey].pixels or (PIXEL,)
    write(tmp_path, files, one_jy, 2.75 if survey == "unWISE" else pixels[0], **faults)
    found = find_images([tmp_path])
    own = [image for image in found if image.role == "image"]
    assert [str(image.band) for image in own] == [band]
    (image,) = read_galaxy([tmp_path], Recipe()).images.values()

    blank = np.zeros((SIDE, SIDE), bool)
    blank[UNSEEN] = True
    if faults["faulty_value"]:
        blank[FAULTS] = True
    assert np.array_equal(np.isnan(image.data), blank), image.notes
    jy = image.data * 1e6 * image.pixel_arcsec**2 * SR_PER_ARCSEC2
    if not faults["faulty_value"]:
        jy[FAULTS] = 0
    assert np.nansum(jy, dtype=float) == pytest.approx(FLUX, rel=0.05)
    if survey in WITHOUT_ERRORS:
        assert image.uncertainty is None
    else:
        sigma = image.uncertainty * 1e6 * image.pixel_arcsec**2 * SR_PER_ARCSEC2
        relative = survey in ("HST, drizzled", "VISTA, with its confidence")
        np.testing.assert_allclose(
            sigma[~blank], (SIGMA * 1e-4 * FLUX)[~blank], rtol=0.2 if relative else 1e-3
        )


def test_a_cutout_of_three_bands_comes_with_three_weights(tmp_path):
    arrays = planes(3.631e-6)
    cards = {**DECAM, "SURVEY": "DECaLS", "BUNIT": "nanomaggy", "BANDS": "grz"}
    hdus = []
    for kind, what in ((SKY, "image"), ("weight", "invvar")):
        cube = np.stack([arrays[kind]] * 3).astype("f4")
        header = tan_wcs((SIDE, SIDE), 0.262).to_header()
        header.update({**cards, "IMAGETYP": what})
        hdus.append((fits.ImageHDU if hdus else fits.PrimaryHDU)(cube, header))
    fits.HDUList(hdus).writeto(tmp_path / "cutout_150.0_2.0.fits")
    galaxy = read_galaxy([tmp_path], Recipe())
    assert list(galaxy.images) == ["DECam_g", "DECam_r", "DECam_z"]
    for image in galaxy.images.values():
        jy = image.uncertainty * 1e6 * image.pixel_arcsec**2 * SR_PER_ARCSEC2
        np.testing.assert_allclose(jy[3:], (SIGMA * 1e-4 * FLUX)[3:], rtol=1e-3)
        assert np.isnan(image.data[UNSEEN]).all()
    told = Recipe.from_tree({"input": {"leave_out": ["cutout*.fits[0][1]", "cutout*.fits[1][1]"]}})
    assert list(read_galaxy([tmp_path], told).images) == ["DECam_g", "DECam_z"]


def test_a_survey_whose_bands_are_not_known_is_asked_about(tmp_path):
    kids = {"INSTRUME": "OMEGACAM", "FILTER": "OCAM_r_SDSS"}
    name = "KiDS_DR4.0_180.0_-0.5_r_{}.fits"
    write(tmp_path, {name.format(word): alone(plane, **kids, BUNIT="Jy/pix") for word, plane in
                     (("sci", SKY), ("wei", "weight"), ("msk", "mask"))}, 1.0)  # fmt: skip
    found = find_images([tmp_path])
    assert sorted(image.role for image in found) == ["image", "mask", "weight"]
    assert {q.about for image in found for q in image.questions if image.role == "image"} == {BAND}
    told = {"bands": {name.format(word): "SDSS_r" for word in ("sci", "wei")}}
    (image,) = read_galaxy([tmp_path], Recipe.from_tree({"input": told})).images.values()
    assert np.isnan(image.data[FAULTS]).all() and image.uncertainty is not None


def test_a_mosaic_that_says_nothing_is_asked_about(tmp_path):
    """As SDSS's mosaics by SWarp."""
    write(tmp_path, {"J012345.67-012345.6.fits": alone(SKY, SOFTNAME="SWarp", EXPTIME=53.9)}, 1.0)
    (image,) = find_images([tmp_path])
    assert {question.about for question in image.questions} == {BAND, UNIT}


# --- masks and exposures of a person's own --------------------------------------------------------

OWN = {"gal_SDSS_r.fits": alone(SKY, BUNIT="Jy/pix")}


def read(folder, **told):
    """The one image of a folder, and the notes of its galaxy."""
    galaxy = read_galaxy([folder], Recipe.from_tree({"input": told}))
    (image,) = galaxy.images.values()
    return image, galaxy.notes


@pytest.mark.parametrize("name", ["gal_SDSS_r_mask.fits", "gal_mask.fits", "mask.fits", "bad.fits"])
@pytest.mark.parametrize("placed", [True, False], ids=["with coordinates", "without"])
def test_a_mask_of_zeros_and_ones_blanks_the_image_it_belongs_to(name, placed, tmp_path):
    write(tmp_path, OWN, 1.0)
    plane = planes(1.0)["mask"].astype("u1")
    header = tan_wcs((SIDE, SIDE), PIXEL).to_header() if placed else None
    fits.writeto(tmp_path / name, plane, header)
    told = {} if name.startswith("gal") else {"roles": {name: "mask"}}
    image, notes = read(tmp_path, **told)
    assert np.isnan(image.data[FAULTS]).all() and notes == ()
    assert any(f"flagged in {name}" in note for note in image.notes)
    image, _ = read(tmp_path, roles={name: "ignore"})
    assert np.isfinite(image.data[FAULTS]).all()
    image, _ = read(tmp_path, **told, leave_out=[name])
    assert np.isfinite(image.data[FAULTS]).all()


def test_a_mask_that_does_not_fit_is_left_out_and_said(tmp_path):
    write(tmp_path, OWN, 1.0)
    header = tan_wcs((SIDE, SIDE), PIXEL).to_header()
    header["CRPIX1"] += 3
    mask = planes(1.0)["mask"].astype("u1")
    fits.writeto(tmp_path / "gal_SDSS_r_mask.fits", mask, header)
    small = tan_wcs((9, 9), 2.8).to_header()
    fits.writeto(tmp_path / "gal_SDSS_r_flags.fits", np.ones((9, 9), "i2"), small)
    other = tan_wcs((SIDE, SIDE), PIXEL).to_header()
    fits.writeto(tmp_path / "gal_SDSS_g_mask.fits", mask, other)
    image, notes = read(tmp_path)
    assert np.isfinite(image.data[FAULTS]).all()
    said = " ".join(image.notes)
    assert "gal_SDSS_r_mask.fits is not used: it lies up to 3 pixels off its image" in said
    assert "gal_SDSS_r_flags.fits is not used: it has 9 x 9 pixels, its image 64 x 64" in said
    assert notes == (
        "gal_SDSS_g_mask.fits belongs to no image here, by its band or its name, and is not used.",
    )


def test_a_mask_that_says_one_for_good_blanks_nothing_and_is_said(tmp_path):
    write(tmp_path, OWN | {"gal_SDSS_r_mask.fits": alone("ones")}, 1.0)
    image, _ = read(tmp_path)
    assert np.isfinite(image.data[FAULTS]).all()
    assert any("gal_SDSS_r_mask.fits flags 95.3 % of the pixels" in note for note in image.notes)


def test_a_mask_that_may_show_the_galaxy_is_used_where_it_is_told_alone(tmp_path):
    write(tmp_path, OWN | {"gal_mask.fits": alone("mask")}, 1.0, faulty_value=0, harmless=1)
    image, _ = read(tmp_path)
    assert np.isfinite(image.data[30:34, 30:34]).all()
    assert any("flags the brightest part of the image" in note for note in image.notes)
    image, _ = read(tmp_path, roles={"gal_mask.fits": "mask"})
    assert np.isnan(image.data[30:34, 30:34]).all()


@pytest.mark.parametrize("name", ["gal_SDSS_r_exp.fits", "gal_SDSS_r_coverage.fits"])
def test_an_exposure_map_of_its_own_blanks_where_it_is_zero(name, tmp_path):
    write(tmp_path, OWN | {name: alone("time")}, 1.0)
    image, _ = read(tmp_path)
    assert np.isnan(image.data[UNSEEN]).all() and np.isnan(image.data).sum() == 3 * SIDE
    assert any(f"where {name} is zero" in note for note in image.notes)


@pytest.mark.parametrize(
    ("survey", "header", "words"),
    [("GALEX", {"TELESCOP": "GALEX", "BAND": 1, "BUNIT": "counts"}, ("nd-cnt", "nd-rrhr", {})),
     ("UVOT", {"TELESCOP": "SWIFT", "INSTRUME": "UVOTA", "FILTER": "UVW1", "BUNIT": "counts",
      "MAGZP": (25.0, "AB mag of 1 count/s")}, ("sk", "ex", {"BUNIT": "s", "TELESCOP": "SWIFT"})),
     ("a person's", {"FILTER": "SDSS_r", "BUNIT": "counts", "MAGZP": (25.0, "AB mag of 1 count/s")},
      ("sky", "exp", {"BUNIT": "s"}))],
)  # fmt: skip
def test_counts_that_lack_an_exposure_take_that_of_the_map(survey, header, words, tmp_path):
    jy = ab(20.08) if survey == "GALEX" else ab(25)
    pixel = {"GALEX": 1.5, "UVOT": 0.502}.get(survey, PIXEL)
    image, seconds, unit = words
    arrays = planes(jy)
    arrays[SKY] = np.where(arrays["time"] > 0, arrays[SKY] * arrays["time"], 0)
    for name, plane, cards in ((image, SKY, header), (seconds, "time", unit)):
        hdu_of(plane, "", cards, arrays, pixel, first=True).writeto(tmp_path / f"g-{name}.fits")
    read_image, _ = read(tmp_path)
    flux = read_image.data * 1e6 * read_image.pixel_arcsec**2 * SR_PER_ARCSEC2
    flux[FAULTS] = 0
    assert np.nansum(flux, dtype=float) == pytest.approx(FLUX, rel=0.05)
    assert np.isnan(flux[UNSEEN]).all()
    assert f"divided by the seconds of g-{seconds}.fits" in read_image.notes
    with pytest.raises(UnresolvedError, match="hich magnitude"):
        read(tmp_path, leave_out=[f"g-{seconds}.fits"])


def test_a_map_that_does_not_say_seconds_divides_nothing(tmp_path):
    header = {"FILTER": "SDSS_r", "BUNIT": "counts", "MAGZP": (25.0, "AB mag of 1 count/s")}
    write(tmp_path, {"g-sky.fits": alone(SKY, **header), "g-exp.fits": alone("time")}, 1.0)
    with pytest.raises(UnresolvedError, match="hich magnitude"):
        read(tmp_path)


def test_segments_are_sources_and_no_faults(tmp_path):
    write(tmp_path, OWN | {"gal_SDSS_r_segm.fits": alone("mask")}, 1.0, harmless=3)
    image, _ = read(tmp_path)
    assert np.isfinite(image.data[FAULTS]).all()


def test_a_plane_whose_role_is_told_is_used_as_that(tmp_path):
    parts = [("", "", {}), (SKY, "SCI", {"BUNIT": "Jy/pix", "FILTER": "SDSS_r"}),
             ("mask", "BAD", {}), ("variance", "NOISE2", {})]  # fmt: skip
    write(tmp_path, {"gal_SDSS_r.fits": parts}, 1.0)
    told = {"gal_SDSS_r.fits[BAD]": "mask", "gal_SDSS_r.fits[3]": "variance"}
    image, _ = read(tmp_path, roles=told)
    assert np.isnan(image.data[FAULTS]).all() and image.uncertainty is not None
    image, _ = read(tmp_path, roles=told, leave_out=["gal_SDSS_r.fits[bad]"])
    assert np.isfinite(image.data[FAULTS]).all()


def test_an_exposure_map_beside_a_named_image_can_be_left_out(tmp_path):
    files, _, one_jy, _ = SURVEYS["GALEX"]
    write(tmp_path, files, one_jy, 1.5)
    path, beside = (tmp_path / f"NGA_NGC5584-nd-{word}.fits" for word in ("int", "rrhr"))
    for told, roles in (([], ["image", "exposure"]), ([beside.name], ["image"])):
        recipe = Recipe.from_tree({"input": {"leave_out": told}}).input
        check_names([path], recipe)
        assert [image.role for image in find_images([path], told=recipe)] == roles


@pytest.mark.parametrize(
    ("bits", "header", "faults"),
    [(None, {}, [0, 1, 1, 1, 0]), (("1",), {}, [0, 0, 1, 1, 0]),
     (("SAT",), {"MP_SAT": 0}, [0, 1, 0, 1, 0]), (("SAT",), {}, [0, 1, 1, 1, 0])],
)  # fmt: skip
def test_bits_that_are_faults(bits, header, faults):
    found = faulty(np.array([0, 1, 2, 3, np.nan]), header, bits)
    assert found.tolist() == [bool(fault) for fault in faults]
    assert faulty(np.array([0, np.nan]), {}, None).tolist() == [False, True]
