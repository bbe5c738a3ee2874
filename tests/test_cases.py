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
from napari_galaxy_maps.fits_io.galaxies import questions_of
from napari_galaxy_maps.fits_io.image_files import find_images, settle

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


def test_no_case_raises_but_in_words(cases):
    for path in sorted(cases.rglob("*.fits")):
        try:
            find_images([path])
        except InputError as error:
            assert path.name in str(error)
