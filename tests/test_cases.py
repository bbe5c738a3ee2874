"""Files as people met and reported them, made from numpy and astropy: each is read right, or asked
about, or left out in words; none is wrong in silence.
"""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from napari_galaxy_maps.data.question import BAND, BEAM, UNIT
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.band_images import read_band_image
from napari_galaxy_maps.fits_io.ds9_regions import read_regions
from napari_galaxy_maps.fits_io.galaxies import questions_of
from napari_galaxy_maps.fits_io.image_files import find_images, settle
from napari_galaxy_maps.fits_io.source_tables import read_table, table_positions
from napari_galaxy_maps.measure.apertures.aperture_files import read_apertures

pytestmark = pytest.mark.realdata
FLUX = 0.02

RIGHT = {
    "02_2mass_1as": 0.985,
    "03_ct_s_blanks": 1,
    "03_electrons_s": 1,
    "03_jy_pix_blanks": 1,
    "03_mjy_ster_upper": 1,
    "03_njy": 1,
    "04_control_no_bunit": 1,
    "04_magsys_ab": 1,
    "04_magsys_vega": 1,
    "04_vega_nanomaggy": 1,
    "08_car_dec60": 1,
    "14_wcs_in_primary": 1,
    "14_jwst_i2d": 1,
    "16_third_axis_sip": 1,
    "16_axes_swapped": 1,
    "16_cd_and_cdelt": 1,
    "16_crota_and_pc": 1,
    "16_ecliptic": 1,
    "17_bmaj_text": 1,
    "17_bmaj_undefined": 1,
}
"""What is settled: flux over true flux."""
ASKED = {
    "02_wise_6as": (UNIT, {"unit": "DN/oldpix"}),
    "02_galex_6as": (UNIT, {"unit": "counts/s/oldpix"}),
    "05_two_bands_in_name": (BAND, {"band": "WISE_3.4"}),
    "05_irac_at_spire": (BAND, {"band": "Spitzer_3.6"}),
    "05_field_called_W3": (BAND, {"band": "MegaCam_g"}),
    "07_pacs_blue_100": (BAND, {"band": "PACS_100"}),
    "14_units_disagree": (UNIT, {"unit": "counts/s"}),
    "17_bmaj_arcsec": (BEAM, {"beam": 469.35}),
}
"""What is asked, and the answer that gives the true flux."""
OF_THEIR_CAMERA = {
    "06_decam_z": ("DECam_z", {}),
    "06_megacam_i": ("MegaCam_i", {}),
    "06_mko_J": ("UKIRT_J", {"zero_point": "22 Vega per image"}),
    "06_ps1_r": ("PS1_r", {}),
}
"""Filters that are their camera's own, and what has to be told beside."""


@pytest.fixture(scope="module")
def cases(shared_data, tmp_path_factory) -> Path:
    maker = shared_data.parent / "cases" / "make.py"
    if not maker.exists():
        pytest.skip(f"{maker} is not there")
    folder = tmp_path_factory.mktemp("cases")
    done = subprocess.run([sys.executable, maker, folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def image_of(folder):
    (path,) = folder.iterdir()
    return next(image for image in find_images([path]) if image.role == "image")


def ratio(image):
    """Flux over true flux, by the solid angle of the middle pixel's corners on the sphere."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = read_band_image(image)
    x, y = (read.shape[1] - 1) / 2, (read.shape[0] - 1) / 2
    steps = ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))
    a, b, c, d = (
        read.wcs.pixel_to_world(x + dx, y + dy).icrs.cartesian.xyz.value for dx, dy in steps
    )
    area = 0.5 * np.linalg.norm(np.cross(c - a, d - b))
    return float(np.nansum(read.data, dtype=float)) * 1e6 * area / FLUX


@pytest.mark.parametrize("case", RIGHT)
def test_what_agrees_is_read_right(cases, case):
    image = image_of(cases / case)
    assert image.problems == ()
    assert ratio(image) == pytest.approx(RIGHT[case], rel=5e-3)


@pytest.mark.parametrize("case", ASKED)
def test_what_does_not_agree_is_asked(cases, case):
    image = image_of(cases / case)
    about, answer = ASKED[case]
    assert about in [question.about for question in questions_of([image])]
    assert ratio(settle(image, **answer)) == pytest.approx(1, rel=0.06)


@pytest.mark.parametrize("case", OF_THEIR_CAMERA)
def test_a_filter_is_its_cameras_own(cases, case):
    band, told = OF_THEIR_CAMERA[case]
    image = settle(image_of(cases / case), **told)
    assert image.band is not None and image.band.name == band and image.problems == ()
    assert ratio(image) == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize("name", ["exp-drc-sci_SDSS_r", "SDSS_r_psf_matched", "SDSS_r_noise_free"])
def test_a_science_image_stays_one_whatever_its_name_holds(cases, name):
    (path,) = (cases / "13_names" / f"gal_{name}").iterdir()
    (image,) = find_images([path])
    assert image.role == "image" and ratio(image) == pytest.approx(1, rel=5e-3)


def test_pan_starrs_weights_are_variances(cases):
    told = {"unit": "nanomaggy/pix"}
    pair = [settle(image, **told) for image in find_images([cases / "12_wt_is_variance"])]
    image, error = sorted(pair, key=lambda found: found.role)
    assert (image.role, error.role) == ("image", "variance")
    read = read_band_image(image, error)
    quiet = read.uncertainty[:, :28] / read.uncertainty[:, 36:].mean()
    assert quiet.mean() == pytest.approx(0.1, rel=0.01)


@pytest.mark.parametrize("case", ["12_count_map_alone", "12_mask_ood"])
def test_what_is_no_image_is_left_out(cases, case):
    with pytest.raises(InputError, match=r"no FITS image of the sky \(.* role '(exposure|mask)'\)"):
        find_images([cases / case])


def test_planes_that_are_bands_are_images(cases):
    (path,) = (cases / "15_cube_of_bands").iterdir()
    found = find_images([path])
    answers = [image.questions[0].answers for image in found]
    assert [set(a) & {"DECam_g", "DECam_r", "DECam_z"} for a in answers] == [
        {"DECam_g"}, {"DECam_r"}, {"DECam_z"},
    ]  # fmt: skip
    for k, (image, band) in enumerate(zip(found, "grz", strict=True), 1):
        settled = settle(image, band=f"DECam_{band}", unit="nanomaggy")
        assert ratio(settled) == pytest.approx(k, rel=5e-3)
    (path,) = (cases / "15_cube_JHK_six_planes").iterdir()
    six = find_images([path])
    assert len(six) == 6 and all(image.questions[0].about == BAND for image in six)
    settled = [settle(i, band=f"2MASS_{b}") for i, b in zip(six, ("J", "H", "Ks"), strict=False)]
    assert [ratio(image) for image in settled] == pytest.approx([0.985] * 3, rel=0.02)


@pytest.mark.parametrize("name", ["stars.tsv", "stars_semicolon.txt"])
def test_tables_of_vizier_are_read(cases, name):
    table = read_table(cases / "20_vizier" / name, "stars")
    sky, _, _ = table_positions(table, cases / name)
    np.testing.assert_allclose(sky.ra.deg, [150.0001, 150.002])
    np.testing.assert_allclose(sky.dec.deg, [2.0001, 2.002])
    assert np.ma.is_masked(table["Plx"][1]) and table["Gmag"][0] == 14.5


def test_no_case_raises_but_in_words(cases):
    for path in sorted(cases.rglob("*.fits")):
        try:
            find_images([path])
        except InputError as error:
            assert path.name in str(error)


def test_no_shape_of_a_region_file_is_lost_without_a_word(cases):
    folder, told = cases / "19_lost_shapes", []
    circles, polygons = read_regions(folder / "pixel_sizes.reg", left_out=told)
    assert (len(circles), len(polygons), len(told)) == (1, 0, 2)
    assert all("its size is in pixels" in text for text in told)
    for read, count in ((read_regions, 2), (read_apertures, 2)):
        told = []
        found = read(folder / "composite.reg", left_out=told)
        assert not told
        assert (sum(map(len, found)) if isinstance(found, tuple) else len(found)) == count
