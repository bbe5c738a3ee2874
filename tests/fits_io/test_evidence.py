"""What the words of a file mean is settled where they agree and asked where they do not: every case
has a galaxy of known flux, and what is settled gives it back.

Of `fits_io.evidence`, `fits_io.header_words`, `fits_io.which_band`, `fits_io.which_unit`,
`fits_io.which_zero_point` and `fits_io.which_beam`.
"""

import numpy as np
import pytest
from astropy.io import fits

from napari_galaxy_maps.bands.registry import BANDS, get_band
from napari_galaxy_maps.constants import SR_PER_ARCSEC2
from napari_galaxy_maps.data.question import BAND, BEAM, PSF, UNIT, ZERO_POINT, asked_in_lines
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import InputError, UnresolvedError
from napari_galaxy_maps.fits_io.band_images import read_band_image
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.fits_io.header_words import Words
from napari_galaxy_maps.fits_io.image_files import find_images, settle
from napari_galaxy_maps.fits_io.which_band import guess_band
from tests.conftest import tan_wcs, write_image
from tests.fits_io.known_flux import FLUX, SIDE, ab, flux_of, only


def write(path, pixel, one_jy, spread=1.0, **cards):
    """A galaxy whose flux is `FLUX` where one unit of the image is `one_jy` in Jy."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    shape = np.exp(-(x**2 + y**2) / 2 / 6**2)
    values = shape / shape.sum() * FLUX / one_jy * spread
    return write_image(path, values.astype("f4"), tan_wcs((SIDE, SIDE), pixel), **cards)


W1 = 309.54
SETTLED = {
    "2MASS counts at its own zero point": (
        "k.fits", 1.0, 666.7 * 10 ** (-0.4 * 19.98),
        {"ORIGIN": "2MASS", "FILTER": "k", "MAGZP": 19.98}),
    "counts/s with blanks": (
        "NUV.fits", 1.5, ab(20.08), {"TELESCOP": "GALEX", "BAND": 1, "BUNIT": "ct / s"}),
    "electrons/s of a zero point": (
        "SDSS_r.fits", 0.2, ab(25), {"BUNIT": "electrons/s", "MAGZPT": 25.0}),
    "an AB zero point of a Vega survey": (
        "w1.fits", 2.75, ab(22.5),
        {"TELESCOP": "WISE", "BAND": 1, "BUNIT": "DN", "MAGZP": 22.5, "MAGSYS": "AB"}),
    "nanomaggies said to be Vega in the comment of the zero point": (
        "w1.fits", 2.75, W1 * 1e-9,
        {"BUNIT": "nanomaggy", "MAGZP": (22.5, "Magnitude zeropoint (in Vega mag)")}),
    "MAGSYS before the comment that explains nanomaggies": (
        "W1.fits", 2.75, W1 * 1e-9,
        {"BUNIT": ("nanomaggy", "AB mag = 22.5 - 2.5*log10(nanomaggy)"), "MAGZERO": 22.5,
         "MAGSYS": "Vega"}),
    "no unit, but a zero point and its system": (
        "W1.fits", 2.75, W1 * 10 ** (-0.4 * 22.5),
        {"TELESCOP": "WISE", "MAGZERO": 22.5, "MAGSYS": "Vega"}),
    "a zero point per second, by its comment": (
        "SDSS_g.fits", 0.396, ab(24) / 300,
        {"BUNIT": "ADU", "EXPTIME": 300.0, "PHOTZP": (24.0, "[mag] zero point for 1 ADU/s")}),
    "two zero points that differ by the exposure time": (
        "SDSS_g.fits", 0.396, ab(24) / 300,
        {"BUNIT": "ADU", "EXPTIME": 300.0, "MAGZPT": 24.0, "MAGZERO": 24 + 2.5 * np.log10(300)}),
    "the flux of magnitude 0 in counts": (
        "SDSS_i.fits", 0.396, 3631 / 6.3e10, {"BUNIT": "adu", "FLUXMAG0": 6.3e10}),
    "an exposure of one second": (
        "SDSS_g.fits", 0.396, ab(24), {"BUNIT": "DN", "EXPTIME": 1.0, "MAGZP": 24.0}),
    "PHOTFLAM at PHOTPLAM": (
        "SDSS_i.fits", 0.05, 1e-19 * 7600.0**2 / 2.99792458e18 * 1e23,
        {"BUNIT": "ELECTRONS/S", "PHOTFLAM": 1e-19, "PHOTPLAM": 7600.0}),
    "PHOTFNU of counts with an exposure time": (
        "SDSS_i.fits", 0.396, 1e-7 / 50, {"BUNIT": "counts", "PHOTFNU": 1e-7, "EXPTIME": 50}),
    "a zero point of electrons for an image in ADU": (
        "SDSS_i.fits", 0.396, ab(26) * 2.5,
        {"BUNIT": "ADU", "MAGZP": (26.0, "mag of one e-"), "GAIN": 2.5}),
    "nJy as Rubin writes it": ("SDSS_r.fits", 0.2, 1e-9, {"BUNIT": "nJy"}),
    "MJY/STER": (
        "IRAC1.fits", 0.6, 1e6 * 0.36 * SR_PER_ARCSEC2, {"INSTRUME": "IRAC", "BUNIT": "MJY/STER"}),
    "nmgy / arcsec2 with blanks": (
        "SDSS_r.fits", 0.5, 3.631e-6 * 0.25, {"BUNIT": "nmgy / arcsec2"}),
    "per wavelength": (
        "SDSS_r.fits", 0.5, 1e-17 * 6240.0**2 / 2.99792458e18 * 1e23,
        {"BUNIT": "1e-17 erg/s/cm2/A"}),
    "a beam that is no number": (
        "SPIRE_250.fits", 6.0, 36 / 469.35, {"BUNIT": "Jy/beam", "BMAJ": "N/A"}),
    "a beam wider than the band's, of a map that was smoothed": (
        "SPIRE_250.fits", 6.0, 36 / (np.pi / 4 / np.log(2) * 30**2),
        {"BUNIT": "Jy/beam", "BMAJ": 30 / 3600, "BMIN": 30 / 3600}),
    "a beam said to be in arcsec": (
        "SPIRE_250.fits", 6.0, 36 / (np.pi / 4 / np.log(2) * 30**2),
        {"BUNIT": "Jy/beam", "BMAJ": (30.0, "[arcsec]"), "BMIN": (30.0, "[arcsec]")}),
    "HIPE's left-over unit": (
        "SPIRE_250.fits", 6.0, 1e6 * 36 * SR_PER_ARCSEC2,
        {"BUNIT": "MJy/sr", "QTTY____": "Jy/beam"}),
    "a comment inside the value": (
        "SDSS_r.fits", 0.5, 1.0, {"SIGUNIT": "Jy/pix              / Unit of the map"}),
}  # fmt: skip
ASKED = {
    "WISE counts on other pixels": (
        "w1.fits", 6.0, W1 * 10 ** (-0.4 * 20.5), (1.375 / 6) ** 2, UNIT, ("DN/oldpix", "DN/pix"),
        {"unit": "DN/oldpix"}, {"TELESCOP": "WISE", "BAND": 1, "BUNIT": "DN", "MAGZP": 20.5}),
    "GALEX counts/s on other pixels": (
        "NUV.fits", 6.0, ab(20.08), (1.5 / 6) ** 2, UNIT, ("counts/s/oldpix", "counts/s/pix"),
        {"unit": "counts/s/oldpix"}, {"TELESCOP": "GALEX", "BUNIT": "counts/s"}),
    "nanomaggies of SDSS on other pixels that are its own": (
        "SDSS_r.fits", 1.0, 3.631e-6, 1.0, UNIT, ("nanomaggy/oldpix", "nanomaggy/pix"),
        {"unit": "nanomaggy/pix"}, {"ORIGIN": "SDSS", "BUNIT": "nanomaggy"}),
    "nanomaggies of a Vega survey": (
        "W1.fits", 2.75, W1 * 1e-9, 1.0, ZERO_POINT, ("AB", "Vega"), {"zero_point": "Vega"},
        {"BUNIT": "nanomaggy"}),
    "two systems": (
        "SDSS_r.fits", 0.396, ab(25), 1.0, ZERO_POINT, ("AB", "Vega"), {"zero_point": "AB"},
        {"BUNIT": "DN", "MAGZP": (25.0, "AB mag"), "MAGSYS": "Vega"}),
    "a zero point per image or per second": (
        "SDSS_r.fits", 0.396, ab(25) / 90, 1.0, ZERO_POINT, ("25 per image", "25 per second"),
        {"zero_point": "25 per second"}, {"BUNIT": "ADU", "MAGZERO": 25.0, "EXPTIME": "90.0"}),
    "a zero point per second without an exposure time": (
        "SDSS_r.fits", 0.396, ab(28), 1.0, ZERO_POINT, (), {"zero_point": "28 AB per image"},
        {"BUNIT": "ADU", "MAGZERO": (25.0, "mag for 1 s")}),
    "zero points that differ": (
        "SDSS_r.fits", 0.396, ab(25), 1.0, ZERO_POINT, ("25 AB per image", "26.3 AB per image"),
        {"zero_point": "25 AB per image"}, {"BUNIT": "counts/s", "MAGZP": 25.0, "PHOTZP": 26.3}),
    "a zero point that cannot be": (
        "SDSS_r.fits", 0.396, ab(25), 1.0, ZERO_POINT, (), {"zero_point": "25"},
        {"BUNIT": "counts/s", "MAGZP": 250.0}),
    "no zero point": (
        "SDSS_r.fits", 0.396, ab(25), 1.0, ZERO_POINT, (), {"zero_point": "25 AB"},
        {"BUNIT": "counts"}),
    "nanomaggies of another size": (
        "SDSS_r.fits", 0.396, ab(25), 1.0, UNIT, ("nanomaggy/pix", "DN/pix"), {"unit": "DN/pix"},
        {"BUNIT": "nanomaggy", "MAGZERO": 25.0}),
    "electrons without a gain": (
        "SDSS_r.fits", 0.396, ab(25), 1.0, ZERO_POINT, (), {"zero_point": "25 AB"},
        {"BUNIT": "ADU", "MAGZP": (26.0, "mag of one electron")}),
    "a system without a zero flux": (
        "SDSS_r.fits", 0.396, ab(25), 1.0, ZERO_POINT, (), {"zero_point": "25 AB"},
        {"BUNIT": "DN", "MAGZP": 25.2, "MAGSYS": "STMAG"}),
    "milli or mega": (
        "SDSS_r.fits", 0.5, 1e6 * 0.25 * SR_PER_ARCSEC2, 1.0, UNIT, ("MJy/sr", "mJy/sr"),
        {"unit": "MJy/sr"}, {"BUNIT": "mjy/sr"}),
    "light of the whole band": (
        "SDSS_r.fits", 0.5, 1e6 * 0.25 * SR_PER_ARCSEC2, 1.0, UNIT, ("2.081e+05 MJy/sr",),
        {"unit": "MJy/sr"}, {"BUNIT": "W/m2/sr"}),
    "a temperature": (
        "SDSS_r.fits", 0.5, 1e6 * 0.25 * SR_PER_ARCSEC2, 1.0, UNIT, (), {"unit": "MJy/sr"},
        {"BUNIT": "K"}),
    "per pixel or per beam": (
        "SPIRE_250.fits", 6.0, 36 / 469.35, 1.0, UNIT, ("Jy/pix", "Jy/beam"),
        {"unit": "Jy/beam"}, {"BUNIT": "Jy"}),
    "a flux and a temperature": (
        "SDSS_r.fits", 0.5, 1.0, 1.0, UNIT, ("Jy/pix",), {"unit": "Jy/pix"},
        {"BUNIT": "Jy/pix", "ZUNITS": "K"}),
    "two units": (
        "SDSS_r.fits", 0.5, 1.0, 1.0, UNIT, ("Jy/pix", "MJy/sr"), {"unit": "Jy/pix"},
        {"BUNIT": "Jy/pix", "ZUNITS": "MJy/sr"}),
    "a beam of 18 degrees": (
        "SPIRE_250.fits", 6.0, 36 / 469.35, 1.0, PSF, ("18.2",), {"psf": 18.2},
        {"BUNIT": "Jy/beam", "BMAJ": 18.2, "BMIN": 18.2}),
    "a beam of a hundredth of a pixel": (
        "SPIRE_250.fits", 6.0, 36 / 469.35, 1.0, PSF, (), {"psf": 18.0},
        {"BUNIT": "Jy/beam", "BMAJ": 1e-5}),
    "a Gaussian beam, or one with wings": (
        "SPIRE_250.fits", 6.0, 36 / 469.35, 1.0, BEAM, ("469.35", "375.3"), {"beam": 469.35},
        {"BUNIT": "Jy/beam", "BMAJ": 18.2 / 3600, "BMIN": 18.2 / 3600}),
}  # fmt: skip


@pytest.mark.parametrize("case", SETTLED)
def test_what_agrees_gives_the_true_flux(case, tmp_path):
    name, pixel, one_jy, cards = SETTLED[case]
    image = only(write(tmp_path / name, pixel, one_jy, **cards))
    assert image.problems == ()
    assert flux_of(image) == pytest.approx(FLUX, rel=2e-3)


@pytest.mark.parametrize("case", ASKED)
def test_what_does_not_is_asked_and_the_answer_gives_the_true_flux(case, tmp_path):
    name, pixel, one_jy, spread, about, answers, answer, cards = ASKED[case]
    image = only(write(tmp_path / name, pixel, one_jy, spread, **cards))
    (question,) = image.questions
    assert (question.about, question.answers) == (about, answers)
    with pytest.raises(UnresolvedError) as caught:
        read_band_image(image)
    assert caught.value.questions == (question,) and name in str(caught.value)
    assert flux_of(settle(image, **answer)) == pytest.approx(FLUX, rel=2e-3)


def test_the_question_quotes_every_statement(tmp_path):
    path = write(tmp_path / "SDSS_r.fits", 0.5, 1.0, BUNIT="Jy/pix", ZUNITS="MJy/sr")
    (question,) = only(path).questions
    assert "BUNIT = 'Jy/pix' says Jy/pix; ZUNITS = 'MJy/sr' says MJy/sr" in question.text


def test_the_units_of_primary_and_extension_are_compared(tmp_path):
    primary = fits.PrimaryHDU()
    primary.header["BUNIT"], primary.header["MAGZERO"] = "counts/s", 25.0
    header = tan_wcs((SIDE, SIDE), 0.396).to_header()
    header["BUNIT"] = "ADU"
    image = fits.ImageHDU(np.ones((SIDE, SIDE), "f4"), header, name="CCD4")
    fits.HDUList([primary, image]).writeto(tmp_path / "SDSS_r.fits")
    (question,) = only(tmp_path / "SDSS_r.fits").questions
    assert question.about == UNIT and set(question.answers) == {"DN", "counts/s"}
    assert "(extension)" in question.text and "(primary)" in question.text


def test_one_answer_serves_all_files_of_a_survey_a_pattern_or_a_folder(tmp_path):
    for letter in "gri":
        cards = {"ORIGIN": "SDSS", "FILTER": letter, "BUNIT": "nanomaggy"}
        write(tmp_path / f"frame-{letter}.fits", 1.0, 3.631e-6, **cards)
    with pytest.raises(UnresolvedError) as caught:
        read_galaxy([tmp_path], Recipe())
    (line,) = asked_in_lines(caught.value.questions)
    assert "and 1 more" in line and "--unit SDSS=nanomaggy/oldpix" in line
    for key in ("SDSS", "frame-*.fits", tmp_path.name, str(tmp_path)):
        told = {"input": {"units": {key: "nanomaggy/pix"}}}
        galaxy = read_galaxy([tmp_path], Recipe.from_tree(told))
        assert list(galaxy.images) == ["SDSS_g", "SDSS_r", "SDSS_i"]


def test_what_a_unit_has_no_use_for_is_refused(tmp_path):
    write(tmp_path / "a_SDSS_r.fits", 0.5, 1.0, BUNIT="Jy/pix")
    told = {"input": {"zero_points": {"a_SDSS_r.fits": "22.5 AB"}}}
    with pytest.raises(InputError, match="needs none; leave it out"):
        read_galaxy([tmp_path], Recipe.from_tree(told))


# --- bands ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header, name",
    [
        ({}, "gal_WISE_3.4_conv_to_WISE_22.fits"),
        ({}, "gal_IRAC1_SPIRE250.fits"),
        ({"INSTRUME": "MegaPrime", "FILTER": "g.MP9402"}, "CFHTLS_W3_g.fits"),
        ({}, "CFHTLS_W3_g.fits"),
        ({"INSTRUME": "PACS", "DETECTOR": "BLUE", "WAVELNTH": 100.0}, "map.fits"),
        ({"INSTRUME": "FORS2", "FILTER": "r"}, "a.fits"),
        ({"INSTRUME": "FORS2", "FILTER": "R_SPECIAL"}, "gal_SDSS_r.fits"),
        ({"INSTRUME": "OMEGACAM", "FILTER": "r_SDSS"}, "a.fits"),
        ({"INSTRUME": "ALFOSC", "FILTER": "SDSS g"}, "a.fits"),
        ({"INSTRUME": "Unheard-of", "FILTER": "Ks"}, "a.fits"),
        ({"FILTER": "J (MKO)"}, "a.fits"),
        ({"INSTRUME": "DECam", "SURVEY": "SDSS", "FILTER": "g"}, "a.fits"),
        ({"INSTRUME": "DECam", "FILTER": "r"}, "gal_SDSS_r.fits"),
        ({"SURVEY": "DSS2 Red"}, "skv.fits"),
    ],
)
def test_another_cameras_filter_and_two_bands_are_asked_about(header, name):
    guess = guess_band(header, name)
    assert guess.band is None and guess.reason


@pytest.mark.parametrize(
    "header, camera, letter",
    [
        ({"INSTRUME": "DECam", "FILTER": "z DECam SDSS c0004 9260.0 1520.0"}, "DECam", "z"),
        ({"INSTRUME": "MegaPrime", "FILTER": "i (MegaCam)"}, "MegaCam", "i"),
        ({"INSTRUME": "MegaPrime", "FILTER": "g.MP9402"}, "MegaCam", "g"),
        ({"INSTRUME": "GPC1", "FILTER": "r (PS1)"}, "PS1", "r"),
        ({"FPA.INSTRUMENT": "GPC1", "FPA.FILTER": "g.00000"}, "PS1", "g"),
        ({"INSTRUME": "WFCAM", "FILTER": "J (MKO)"}, "UKIRT", "J"),
        ({"INSTRUME": "Hyper Suprime-Cam", "FILTER": "HSC-G"}, "HSC", "g"),
        ({"TELESCOP": "HST", "INSTRUME": "ACS", "FILTER1": "CLEAR1L", "FILTER2": "F606W"},
         "ACS", "F606W"),
        ({"TELESCOP": "HST", "INSTRUME": "WFC3", "FILTER": "F606W"}, "WFC3", "F606W"),
        ({"TELESCOP": "JWST", "INSTRUME": "NIRCAM", "FILTER": "F335M"}, "NIRCam", "F335M"),
        ({"TELESCOP": "VISTA", "INSTRUME": "VIRCAM", "FILTER": "Ks"}, "VISTA", "Ks"),
    ],
)  # fmt: skip
def test_a_camera_has_filters_of_its_own(header, camera, letter):
    guess = guess_band(header, "field7.fits")
    name = f"{camera}_{letter}"
    assert (guess.band and guess.band.name) == (name if name in BANDS else None)
    assert guess.cameras == {camera}


@pytest.mark.parametrize(
    "survey, band",
    [("SDSSg", "SDSS_g"), ("SDSSdr7g", "SDSS_g"), ("2MASS-K", "2MASS_Ks"), ("WISE 3.4", "WISE_3.4"),
     ("GALEX Far UV", "GALEX_FUV")],
)  # fmt: skip
def test_the_survey_card_of_skyview_names_a_band(survey, band):
    assert guess_band({"SURVEY": survey}, "skv123.fits").band is get_band(band)


def test_a_letter_in_the_header_agrees_with_a_name_that_has_it():
    assert guess_band({"FILTER": "r"}, "gal_SDSS_r.fits").band is get_band("SDSS_r")
    assert guess_band({"FILTER": "g"}, "gal_SDSS_r.fits").band is None


# --- cards ----------------------------------------------------------------------------------------


def test_a_card_that_cannot_be_read_is_passed_over(tmp_path):
    path = write(tmp_path / "SDSS_r.fits", 0.5, 1.0, BUNIT="Jy/pix", BMAJ="x")
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"BMAJ    = 'x       '", b"BMAJ    = 'x  o     "))
    image = only(path)
    assert image.unit == "Jy/pix" and image.fwhm == 1.3
    assert flux_of(image) == pytest.approx(FLUX, rel=1e-3)


def test_words_say_where_they_stand_and_are_told_once():
    words = Words({"BUNIT": "DN", "BAND": 1}, {"BUNIT": "counts/s", "BAND": 1})
    assert [str(word) for word in words.of(("BUNIT", "BAND"))] == [
        "BUNIT = 'DN' (extension)", "BUNIT = 'counts/s' (primary)", "BAND = 1 (extension)",
    ]  # fmt: skip


def test_each_question_is_a_line_with_the_option_that_answers_it(tmp_path):
    paths = [
        write(tmp_path / "a.fits", 0.5, 1.0, BUNIT="Jy/pix"),
        write(tmp_path / "b_W1.fits", 2.75, 1.0, BUNIT="nanomaggy"),
    ]
    questions = [q for image in find_images(paths) for q in image.questions]
    assert [question.about for question in questions] == [BAND, ZERO_POINT]
    one, two = asked_in_lines(questions)
    assert "a.fits: Which band is it?" in one and "--band" in one
    assert "--zero-point b_W1.fits=AB or --zero-point b_W1.fits=Vega" in two
