"""Files as surveys, archives, pipelines and people write them, each with a galaxy of known flux:
what they say beyond doubt is settled, the rest is asked, and nothing is wrong in silence.

What a pixel means is told by each survey's own documentation.
"""

import warnings

import numpy as np
import pytest
from astropy.io import fits

from napari_galaxy_maps.constants import SR_PER_ARCSEC2
from napari_galaxy_maps.data.question import BAND, UNIT, ZERO_POINT, asked_in_lines
from napari_galaxy_maps.data.zero_points import parse_zero_point
from napari_galaxy_maps.fits_io.image_files import find_images, settle
from tests.conftest import tan_wcs
from tests.fits_io.known_flux import FLUX, SIDE, ab, flux_of, only


def write(path, pixel, one_jy, cards, primary=None):
    """A galaxy whose flux is `FLUX` where one unit of the image is `one_jy` in Jy; in an extension
    where there are cards of a primary header.
    """
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    shape = np.exp(-(x**2 + y**2) / 2 / 6**2)
    data = (shape / shape.sum() * FLUX / one_jy).astype("f4")
    header = tan_wcs((SIDE, SIDE), pixel).to_header()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header.update(cards)
        first = fits.PrimaryHDU() if primary is not None else fits.PrimaryHDU(data, header)
        first.header.update(primary or {})
        rest = [fits.ImageHDU(data, header, name="SCI")] if primary is not None else []
        fits.HDUList([first, *rest]).writeto(path)
    return path


def vega(zero_jy, zero_point):
    return zero_jy * 10 ** (-0.4 * zero_point)


def flam(per_angstrom, pivot):
    """Jy of a flux in erg/s/cm2/A at a pivot wavelength in A."""
    return per_angstrom * pivot**2 / 2.99792458e18 * 1e23


def mjy_sr(pixel):
    return 1e6 * pixel**2 * SR_PER_ARCSEC2


def params(cases):
    """Cases for pytest, by name."""
    return [pytest.param(*case, id=name) for name, case in cases.items()]


HST = {"TELESCOP": "HST"}
JWST = {"TELESCOP": "JWST", "INSTRUME": "NIRCAM"}
DECAM = {"INSTRUME": "DECam", "TELESCOP": "CTIO 4.0-m telescope"}
SPIRE = {"INSTRUME": "SPIRE", "TELESCOP": "Herschel Space Observatory", "DETECTOR": "PSW"}
VISTA = {"TELESCOP": "ESO-VISTA", "INSTRUME": "VIRCAM"}
SETTLED = {
    "Legacy Surveys, a brick in g": (
        "legacysurvey-1498p017-image-g.fits", 0.262, 3.631e-6, "DECam_g",
        {**DECAM, "FILTER": "g", "BUNIT": ("nanomaggy", "AB mag = 22.5 - 2.5*log10(nanomaggy)"),
         "MAGZERO": 22.5, "SURVEY": "DECaLS"}, None),
    "Legacy Surveys, a brick in W1": (
        "legacysurvey-1498p017-image-W1.fits", 2.75, 309.54e-9, "WISE_3.4",
        {"TELESCOP": "WISE", "FILTER": ("W1", "WISE band"), "MAGZERO": 22.5, "MAGSYS": "Vega",
         "SURVEY": ("DECaLS+BASS+MzLS", "The LegacySurveys")}, None),
    "Pan-STARRS, a stack": (
        "cutout_rings.v3.skycell.1405.038.stk.r.unconv.fits", 0.25, ab(25) / 860, "PS1_r",
        {"HIERARCH FPA.INSTRUMENT": "GPC1", "HIERARCH FPA.FILTER": "r.00000",
         "HIERARCH FPA.ZP": 25.0, "EXPTIME": (860.0, "Exposure time (sec)")}, None),
    "MegaPipe's definition of its zero point": (
        "MegaPipe.123.456.G.fits", 0.186, ab(30), "MegaCam_g",
        {"INSTRUME": "MegaPrime", "FILTER": "g.MP9401", "BUNIT": "DN", "EXPTIME": 3000.0,
         "PHOTZP": (30.0, "photometric zeropoint MAG=-2.5*log(data)+zp")}, None),
    "HSC, a coadd": (
        "calexp-HSC-I-9813-4,4.fits", 0.168, 3631 / 63095734448.0194, "HSC_i", {},
        {"FILTER": "HSC-I", "FLUXMAG0": 63095734448.0194}),
    "HSC, a coadd in its second i filter": (
        "calexp-HSC-I2-9813-4,4.fits", 0.168, 3631 / 63095734448.0194, "HSC_i", {},
        {"INSTRUME": "Hyper Suprime-Cam", "FILTER": "HSC-I2", "FLUXMAG0": 63095734448.0194}),
    "Rubin": (
        "deepCoadd_5063_14_i.fits", 0.2, 1e-9, "Rubin_i", {"BUNIT": "nJy"},
        {"INSTRUME": "LSSTComCam", "FILTER": "i_06"}),
    "UKIDSS": (
        "w20050501_00123_sf_st.fits", 0.4, vega(1530, 22.5) / 10, "UKIRT_J",
        {"TELESCOP": "UKIRT", "INSTRUME": "WFCAM", "FILTER": "J", "MAGZPT": 22.5, "EXP_TIME": 10.0},
        None),
    "ESO's definition of PHOTZP": (
        "ADP.2015-01-01T00.fits", 0.34, vega(1561, 25.5), "VISTA_J",
        {**VISTA, "FILTER": "J", "PHOTSYS": "VEGA", "BUNIT": "ADU", "EXPTIME": 15.0,
         "TEXPTIME": 60.0, "PHOTZP": (25.5, "MAG=-2.5*log(data)+PHOTZP")}, None),
    "HST, drizzled": (
        "hst_12345_01_wfc3_uvis_f814w_ib01_drc.fits", 0.04, flam(1.5e-19, 8039.0), "WFC3_F814W",
        {"BUNIT": "ELECTRONS/S", "PHOTFLAM": 1.5e-19, "PHOTPLAM": 8039.0, "PHOTZPT": -21.1},
        {**HST, "INSTRUME": "WFC3", "DETECTOR": "UVIS", "FILTER": "F814W", "EXPTIME": 1200.0}),
    "HST, an exposure in electrons": (
        "j12345_flc.fits", 0.05, flam(7e-20, 8045.0) / 500, "ACS_F814W",
        {"BUNIT": "ELECTRONS", "PHOTFLAM": 7e-20, "PHOTPLAM": 8045.0},
        {**HST, "INSTRUME": "ACS", "FILTER1": "CLEAR1L", "FILTER2": "F814W", "EXPTIME": 500.0}),
    "HST, PHOTFLAM and PHOTFNU that agree": (
        "icau_drz.fits", 0.128, 1.5188e-7, "WFC3_F160W",
        {"BUNIT": "ELECTRONS/S", "PHOTFLAM": 1.9276e-20, "PHOTFNU": 1.5188e-7,
         "PHOTPLAM": 15369.18}, {**HST, "INSTRUME": "WFC3", "FILTER": "F160W"}),
    "JWST": (
        "jw02107_nircam_clear-f200w_i2d.fits", 0.031, mjy_sr(0.031), "NIRCam_F200W",
        {"BUNIT": "MJy/sr", "PHOTMJSR": 2.1}, {**JWST, "FILTER": "F200W", "PUPIL": "CLEAR"}),
    "JWST, a filter in the pupil wheel": (
        "jw02731_nircam_i2d.fits", 0.031, mjy_sr(0.031), "NIRCam_F162M",
        {"BUNIT": "MJy/sr"}, {**JWST, "FILTER": "F150W2", "PUPIL": "F162M"}),
    "units of 10 nJy, as grizli writes them": (
        "ceers-full-grizli-v7.2-f200w-clear_drc_sci.fits", 0.04, 1e-8, "NIRCam_F200W",
        {**JWST, "BUNIT": "10.0*nanoJansky", "ZP": 28.9, "PHOTFNU": 1e-8, "FILTER": "F200W"},
        None),
    "Euclid": (
        "EUC_MER_BGSUB-MOSAIC-NIR-H_TILE102018211.fits", 0.1, ab(30), "Euclid_H",
        {"TELESCOP": "Euclid", "INSTRUME": "NISP", "FILTER": "NIR_H", "MAGZERO": 30.0}, None),
    "Spitzer": (
        "30002561.irac.1.mosaic.fits", 0.6, mjy_sr(0.6), "Spitzer_3.6",
        {"TELESCOP": "Spitzer", "INSTRUME": "IRAC", "CHNLNUM": 1, "BUNIT": "MJy/sr",
         "FLUXCONV": 0.1257, "EXPTIME": 96.8}, None),
    "WISE's Atlas": (
        "1509p015_ac51-w1-int-3.fits", 1.375, vega(309.54, 20.5), "WISE_3.4",
        {"TELESCOP": "WISE", "BAND": 1, "WAVELEN": 3.368, "BUNIT": "DN", "MAGZP": 20.5,
         "EXPTIME": 7.7}, None),
    "unWISE": (
        "unwise-1509p015-w1-img-m.fits", 2.75, vega(309.54, 22.5), "WISE_3.4",
        {"BAND": 1, "MAGZP": (22.5, "Magnitude zeropoint (in Vega mag)")}, None),
    "2MASS": (
        "aJ_asky_990601n0120080.fits", 1.0, vega(1594, 20.9), "2MASS_J",
        {"ORIGIN": "2MASS", "FILTER": "j", "MAGZP": 20.9, "EXPTIME": 7.8}, None),
    "SDSS": (
        "frame-r-003836-4-0084.fits", 0.396, 3.631e-6, "SDSS_r",
        {"TELESCOP": "2.5m", "ORIGIN": "SDSS", "FILTER": "r", "BUNIT": "nanomaggy",
         "NMGY": 0.0051, "EXPTIME": "53.907456"}, None),
    "HIPE": ("map.fits", 6.0, 36 / 469.35, "SPIRE_250", {"BUNIT": "Jy/beam"}, SPIRE),
    "counts per exposure, as CASU writes them": (
        "w20050501_00123_sf_st.fits", 0.4, vega(1530, 22.5) / 10, "UKIRT_J",
        {"TELESCOP": "UKIRT", "INSTRUME": "WFCAM", "FILTER": "J", "MAGZPT": 22.5, "EXP_TIME": 10.0,
         "BUNIT": "counts/exp"}, None),
    "a zero point per second by the formula in its comment": (
        "SDSS_r.fits", 0.396, ab(25) / 300, "SDSS_r",
        {"BUNIT": "ADU", "EXPTIME": 300.0, "MAGZP": (25.0, "AB m=-2.5*log10(ADU/EXPTIME)+MAGZP")},
        None),
    "a zero point per image by its comment": (
        "SDSS_r.fits", 0.396, ab(25), "SDSS_r",
        {"BUNIT": "ADU", "EXPTIME": 300.0, "MAGZP": (25.0, "AB, per exposure")},
        None),
    "two systems in a comment, of a Vega survey": (
        "w1.fits", 2.75, vega(309.54, 22.5), "WISE_3.4",
        {"BUNIT": "DN", "MAGZP": (22.5, "Vega; add 2.699 for AB")}, None),
    "electrons of a zero point of ADU": (
        "SDSS_r.fits", 0.396, ab(25) / 2.5, "SDSS_r",
        {"BUNIT": "electron/s", "GAIN": 2.5, "MAGZP": (25.0, "AB mag of 1 ADU/s")}, None),
    "e/s of a zero point of ADU": (
        "SDSS_r.fits", 0.396, ab(25) / 2.5, "SDSS_r",
        {"BUNIT": "e/s", "GAIN": 2.5, "MAGZP": (25.0, "AB mag of 1 ADU/s")}, None),
    "MJy / sr and words": (
        "SDSS_r.fits", 0.5, mjy_sr(0.5), "SDSS_r", {"BUNIT": "MJy / sr (calibrated)"}, None),
    "uJy / arcsec^2 and words": (
        "SDSS_r.fits", 0.5, 0.25e-6, "SDSS_r",
        {"BUNIT": "uJy / arcsec^2 after sky subtraction"}, None),
    "Jy / beam and words": (
        "SPIRE_250.fits", 6.0, 36 / 469.35, "SPIRE_250",
        {"BUNIT": "Jy / beam (natural weighting)"}, None),
    "counts / s and words": (
        "SDSS_r.fits", 0.396, ab(25), "SDSS_r",
        {"BUNIT": "counts / s (sky subtracted)", "MAGZP": (25.0, "AB"), "EXPTIME": 300.0}, None),
}  # fmt: skip
SETTLED |= {
    f"MAGSYS = {text}": (
        "w1.fits", 2.75, ab(22.5), "WISE_3.4", {"BUNIT": "DN", "MAGZP": 22.5, "MAGSYS": text}, None,
    )
    for text in ("ABMAG", "AB_MAG", "MAG_AB", "ABMAGS")
}  # fmt: skip
SETTLED |= {
    f"a comment {text!r}": (
        "w1.fits", 2.75, ab(22.5), "WISE_3.4", {"BUNIT": "DN", "MAGZP": (22.5, text)}, None,
    )
    for text in ("AB mag", "m_AB = -2.5 log10(flux) + MAGZP", "zero point, mag_AB")
}  # fmt: skip
SETTLED |= {
    f"in {text}": (
        "SDSS_r.fits", 0.5, one_jy, "SDSS_r", {"BUNIT": text}, None)
    for text, one_jy in (
        ("MJy per steradian", mjy_sr(0.5)), ("MJY SR-1", mjy_sr(0.5)),
        ("KJY/SR", mjy_sr(0.5) / 1e3), ("MJy rad^-2", mjy_sr(0.5)),
        ("10^-7 Jy/pix", 1e-7), ("1.e-3 Jy/pix", 1e-3), ("1e-6*Jy", 1e-6),
        ("Jansky/pixel", 1.0), ("UJY", 1e-6),
        ("10**(-17) ergs/cm2/s/A", flam(1e-17, 6240.0)),
        ("W/m^2/Hz", 1e26), ("Jy/sq. arcsec", 0.25),
        ("muJy", 1e-6), ("micro Jy", 1e-6), ("mJansky/pixel", 1e-3),
        ("(MJy/sr)", mjy_sr(0.5)), ("[Jy/pix]", 1.0),
        ("MJy/sr (color corrected)", mjy_sr(0.5)),
    )
}  # fmt: skip


@pytest.mark.parametrize("name, pixel, one_jy, band, cards, primary", params(SETTLED))
def test_what_a_survey_says_is_settled(name, pixel, one_jy, band, cards, primary, tmp_path):
    image = only(write(tmp_path / name, pixel, one_jy, cards, primary))
    assert image.problems == ()
    assert str(image.band) == band
    assert flux_of(image) == pytest.approx(FLUX, rel=0.02)


ADU = {"BUNIT": "ADU", "MAGZP": (25.0, "AB")}
PER_SECOND = {"zero_point": f"{25 + 2.5 * np.log10(300)} AB per image"}
ASKED = {
    "Legacy Surveys, a cutout": (
        "cutout_150.0_2.0.fits", 0.262, 3.631e-6, {BAND, UNIT},
        {"band": "DECam_g", "unit": "nanomaggy"},
        {"SURVEY": "LegacySurvey", "BANDS": "g", "BAND0": "g"}, None),
    "GALEX, counts": (
        "NGA_NGC5584-nd-cnt.fits", 1.5, ab(20.08) / 1500, {ZERO_POINT},
        {"zero_point": "20.08 AB per second"},
        {"TELESCOP": "GALEX", "BAND": 1, "EXPTIME": 1500.0, "BUNIT": "counts"}, None),
    "Swift, counts": (
        "sw00030080001uw1_sk.fits", 1.004, vega(903.6, 17.44) / 800, {ZERO_POINT},
        {"zero_point": "17.44 Vega per second"},
        {"TELESCOP": "SWIFT", "INSTRUME": "UVOTA", "FILTER": "UVW1", "BUNIT": "count",
         "EXPOSURE": 800.0}, None),
    "Euclid, with an exposure time": (
        "EUC_MER_BGSUB-MOSAIC-VIS_TILE102018211.fits", 0.1, ab(24.6), {ZERO_POINT},
        {"zero_point": "24.6 AB per image"},
        {"INSTRUME": "VIS", "FILTER": "VIS", "MAGZERO": 24.6, "EXPTIME": 2240.0}, None),
    "VISTA, with two exposure times": (
        "v20100411_00123_st_tl.fits", 0.34, vega(677.6, 23) / 7.5, {ZERO_POINT},
        {"zero_point": f"{23 + 2.5 * np.log10(7.5)} Vega per image"},
        {**VISTA, "FILTER": "Ks", "MAGZPT": 23.0, "EXPTIME": 7.5, "TEXPTIME": 120.0}, None),
    "an exposure time in words": (
        "SDSS_r.fits", 0.396, ab(25) / 300, {ZERO_POINT}, PER_SECOND, {**ADU, "EXPTIME": "300 s"},
        None),
    "an exposure time with a comma": (
        "SDSS_r.fits", 0.396, ab(25) / 300, {ZERO_POINT}, PER_SECOND, {**ADU, "EXPTIME": "300,0"},
        None),
    "two exposure times": (
        "SDSS_r.fits", 0.396, ab(25) / 300, {ZERO_POINT}, PER_SECOND,
        {**ADU, "EXPTIME": 300.0, "TEXPTIME": 1200.0}, None),
    "an exposure time each in primary and extension": (
        "SDSS_r.fits", 0.396, ab(25) / 300, {ZERO_POINT}, PER_SECOND, {**ADU, "EXPTIME": 300.0},
        {"EXPTIME": 1200.0}),
    "a zero point with a comma beside another": (
        "SDSS_r.fits", 0.396, ab(25.5), {ZERO_POINT}, {"zero_point": "25.5 AB"},
        {"BUNIT": "ADU", "MAGZP": ("25,5", "AB"), "PHOTZP": (27.0, "AB")}, None),
    "a zero point with a comma against GALEX's custom": (
        "NUV.fits", 1.5, ab(20.5), {ZERO_POINT}, {"zero_point": "20.5 AB"},
        {"TELESCOP": "GALEX", "BUNIT": "counts/s", "MAGZP": ("20,5", "AB")}, None),
    "microjansky of another zero point": (
        "SDSS_r.fits", 0.396, ab(25), {UNIT}, {"unit": "DN", "zero_point": "25 AB"},
        {"BUNIT": "uJy", "MAGZERO": (25.0, "AB zero point of the image")}, None),
    "megajansky without a solid angle": (
        "SDSS_r.fits", 0.5, 1e-3, {UNIT}, {"unit": "mJy/pix"}, {"BUNIT": "MJy"}, None),
}  # fmt: skip


@pytest.mark.parametrize("name, pixel, one_jy, about, answers, cards, primary", params(ASKED))
def test_what_it_does_not_say_is_asked(
    name, pixel, one_jy, about, answers, cards, primary, tmp_path
):
    image = only(write(tmp_path / name, pixel, one_jy, cards, primary))
    assert {question.about for question in image.questions} == about
    assert flux_of(settle(image, **answers)) == pytest.approx(FLUX, rel=0.02)


SILENT = {
    "SCAMP's scale beside its zero point": (
        "CFHT_g.fits", 0.186, ab(30) * 0.05,
        {"INSTRUME": "MegaPrime", "FILTER": "g.MP9401",
         "FLXSCALE": (0.05, "SCAMP relative flux scale"), "MAGZEROP": (30.0, "SCAMP zero-point")},
        None),
    "a scale of 1": (
        "SDSS_r.fits", 0.396, ab(25), {**ADU, "FLXSCALE": 1.0}, None),
    "an exposure time in minutes": (
        "SDSS_r.fits", 0.396, ab(25) / 1500,
        {"BUNIT": "ADU", "MAGZP": (25.0, "AB mag of 1 ADU/s"),
         "EXPOSURE": (25.0, "[min] exposure")}, None),
    "a comment with the exposure time in it": (
        "SDSS_r.fits", 0.396, ab(25),
        {"BUNIT": "ADU", "MAGZP": (25.0, "AB zero point of the 53.1 s image"), "EXPTIME": 53.1},
        None),
    "the system in a COMMENT": (
        "k.fits", 1.0, ab(20),
        {"ORIGIN": "2MASS", "FILTER": "k", "MAGZP": 20.0, "BUNIT": "DN",
         "COMMENT": "Zero point MAGZP converted to the AB system"}, None),
    "two gains": (
        "SDSS_r.fits", 0.396, ab(25) / 2.5,
        {"BUNIT": "electron", "MAGZP": (25.0, "AB mag of 1 ADU"), "GAIN": 1.0, "EGAIN": 2.5}, None),
    "two beams": (
        "SPIRE_250.fits", 6.0, 36 / (np.pi / 4 / np.log(2) * 36**2),
        {"BUNIT": "Jy/beam", "BMAJ": 24 / 3600, "BMIN": 24 / 3600},
        {"BMAJ": 36 / 3600, "BMIN": 36 / 3600}),
    "a divisor behind the unit": (
        "SDSS_r.fits", 0.5, 1e-3, {"BUNIT": "Jy / pix / 1000"}, None),
}  # fmt: skip


@pytest.mark.parametrize("name, pixel, one_jy, cards, primary", params(SILENT))
def test_nothing_is_wrong_in_silence(name, pixel, one_jy, cards, primary, tmp_path):
    image = only(write(tmp_path / name, pixel, one_jy, cards, primary))
    assert image.questions or flux_of(image) == pytest.approx(FLUX, rel=0.02)


BANDS = {
    "WFPC2": ("a.fits", {**HST, "INSTRUME": "WFPC2", "FILTNAM1": "F606W"}),
    "NICMOS": ("a.fits", {**HST, "INSTRUME": "NICMOS", "FILTER": "F160W"}),
    "NIRISS": ("a.fits", {"TELESCOP": "JWST", "INSTRUME": "NIRISS", "FILTER": "F356W",
                          "PUPIL": "CLEARP"}),
    "MOIRCS": ("a.fits", {"TELESCOP": "Subaru", "INSTRUME": "MOIRCS", "FILTER": "Y"}),
    "CFH12K": ("a.fits", {"TELESCOP": "CFHT 3.6m", "INSTRUME": "CFH12K", "FILTER": "r"}),
    "Mosaic-2": ("a.fits", {"TELESCOP": "CTIO 4.0-m telescope", "INSTRUME": "Mosaic2",
                            "FILTER": "r SDSS c6018"}),
    "a narrow filter in the pupil wheel": (
        "a.fits", {**JWST, "FILTER": "F444W", "PUPIL": "F470N"}),
    "a telescope that is none of these": (
        "a.fits", {"TELESCOP": "Liverpool Telescope", "FILTER": "SDSS-R"}),
    "an instrument that is none of these": (
        "M51_SDSS-R.fits", {"INSTRUME": "IO:O", "FILTER1": "SDSS-R"}),
    "des in French": (
        "a.fits", {"ORIGIN": "Observatoire des Makes", "FILTER": "r"}),
    "KiDS": ("KiDS_r.fits", {"INSTRUME": "OMEGACAM", "FILTER": "OCAM_r_SDSS"}),
    "ZTF": ("a.fits", {"INSTRUME": "ZTF/MOSAIC", "FILTER": "ZTF r"}),
    "IRAS": ("NGC1_IRAS_100.fits", {"TELESCOP": "IRAS"}),
    "AKARI by name": ("NGC1_AKARI_160.fits", {}),
    "HAWK-I by name": ("ngc4258_HAWKI_Ks.fits", {}),
    "WFPC2 by name": ("gal_WFPC2_F275W.fits", {}),
    "UIT by name": ("UIT_FUV.fits", {}),
    "XMM-OM's W1 by name": ("gal_OM_W1.fits", {}),
    "the name of another band": ("gal_SDSS_g.fits", {"ORIGIN": "SDSS", "FILTER": "r"}),
}  # fmt: skip


@pytest.mark.parametrize("name, cards", params(BANDS))
def test_another_cameras_filter_is_asked_about(name, cards, tmp_path):
    image = only(write(tmp_path / name, 0.5, mjy_sr(0.5), {**cards, "BUNIT": "MJy/sr"}))
    assert image.band is None and [question.about for question in image.questions] == [BAND]


@pytest.mark.parametrize(
    "old, new",
    [(b"BUNIT   =", b"bunit   ="), (b"'Jane Doe'", b"'Jan\xe9 Doe'")],
    ids=["a keyword in small letters", "a name beyond ASCII"],
)
def test_cards_beyond_the_standard(old, new, tmp_path):
    path = write(tmp_path / "SDSS_r.fits", 0.5, 1.0, {"BUNIT": "Jy/pix", "OBSERVER": "Jane Doe"})
    path.write_bytes(path.read_bytes().replace(old, new))
    assert flux_of(only(path)) == pytest.approx(FLUX, rel=1e-3)


@pytest.mark.parametrize("value", [-1e10, -9999.9, -888.0, 0.0, 1e20, 1e30])
def test_a_border_without_data(value, tmp_path):
    path = write(tmp_path / "SDSS_r.fits", 0.5, 1e-6, {"BUNIT": "uJy/pix"})
    with fits.open(path, mode="update") as hdus:
        hdus[0].data += np.random.default_rng(1).normal(0, 0.3, (SIDE, SIDE)).astype("f4")
        hdus[0].data[:, :8] = value
    assert flux_of(only(path)) == pytest.approx(FLUX, rel=0.02)


def test_different_questions_are_not_one_line(tmp_path):
    for letter, unit in (("g", "flux"), ("r", "light")):
        write(tmp_path / f"SDSS_{letter}.fits", 0.5, 1.0, {"BUNIT": unit})
    questions = [q for image in find_images([tmp_path]) for q in image.questions]
    assert len(asked_in_lines(questions)) == 2


def test_kids_counts_maggies():
    assert parse_zero_point("0 AB").magnitude == 0
