"""A camera is known by what headers and file names call it, and so are its filters.

Of `bands.cameras` and `bands.ecsv_rows`.
"""

import pytest
from astropy.table import QTable

from napari_galaxy_maps.bands.cameras import (
    CAMERAS,
    OTHERS,
    TABLE,
    cameras_called,
    cameras_in_name,
    other_camera,
    read_cameras,
)
from napari_galaxy_maps.bands.registry import BANDS


def test_every_survey_of_a_band_is_a_camera():
    assert {band.survey for band in BANDS.values()} <= set(CAMERAS)


@pytest.mark.parametrize(
    "text, cameras, own",
    [
        ("WISE Science Data Center, IPAC, Caltech", {"WISE"}, True),
        ("NEOWISE-R", {"WISE"}, True),
        ("Herschel Space Observatory", {"PACS", "SPIRE"}, False),
        ("Spitzer", {"IRAC", "MIPS"}, False),
        ("2.5m", {"SDSS"}, True),
        ("g DECam SDSS c0001 4720.0 1520.0", {"DECam"}, True),
        ("UVOTA", {"UVOT"}, True),
        ("du Pont 2.5m", set(), False),
        ("OTHERWISE", set(), False),
        ("ACS", {"ACS"}, True),
    ],
)
def test_a_header_calls_a_camera_by_whole_words(text, cameras, own):
    assert cameras_called(text) == (cameras, own)


@pytest.mark.parametrize("text", ["FORS2", "LBC_RED", "LBCB", "GMOS-N", "VST", "ZTF/MOSAIC"])
def test_cameras_that_are_none_of_these_are_known_as_such(text):
    assert other_camera(text)


def test_a_file_name_calls_a_camera_by_whole_parts():
    assert cameras_in_name(["NGC1", "DES", "g"]) == {"DECam"}
    assert cameras_in_name(["design", "bass2"]) == set()


@pytest.mark.parametrize(
    "camera, text, band",
    [
        ("GALEX", "1", "GALEX_NUV"), ("GALEX", "Far UV", "GALEX_FUV"),
        ("SDSS", "g_prime", "SDSS_g"),
        ("2MASS", "k_s", "2MASS_Ks"), ("WISE", "W4", "WISE_22"), ("WISE", "3.0", "WISE_12"),
        ("IRAC", "ch2", "Spitzer_4.5"), ("IRAC", "3.6", "Spitzer_3.6"), ("PACS", "blue", "PACS_70"),
        ("SPIRE", "PLW", "SPIRE_500"), ("MIPS", "24", "Spitzer_24"), ("SDSS", "Halpha", None),
    ],
)  # fmt: skip
def test_a_camera_knows_its_filters(camera, text, band):
    found = CAMERAS[camera].band(text)
    assert (found and found.name) == band


def test_astropy_reads_the_table_as_it_is_read_here():
    table = QTable.read(TABLE, format="ascii.ecsv")
    named = [row["name"] for row in table if row["words"]]
    assert named == list(CAMERAS) and len(table) == len(named) + len(OTHERS)


@pytest.mark.parametrize(
    "row, says",
    [
        ("X,x(,,,,,,", "line 3"),
        ("X,x,,,,wide,,", "wide"),
        ("X,x,,,,,bananas,", "bananas"),
        ("X,x,,,,,,MAGZP=night", "night"),
    ],
)
def test_a_row_that_cannot_be_is_named(tmp_path, row, says):
    path = tmp_path / "surveys.ecsv"
    columns = "name,words,telescopes,in_names,filters,pixels,counts,zero_point_per"
    path.write_text(f"# %ECSV 1.0\n{columns}\n{row}\n")
    with pytest.raises(ValueError, match=says):
        read_cameras(path)


def test_a_survey_is_one_row(tmp_path):
    path = tmp_path / "surveys.ecsv"
    columns = "name,words,telescopes,in_names,filters,pixels,counts,zero_point_per"
    path.write_text(
        f"{columns}\nSDSS,Sloan,,sloan,green=SDSS_g,0.4,maggies,ZP=second\nFORS2,,,,,,,\n"
    )
    cameras, others = read_cameras(path)
    assert others == ("FORS2",) and cameras["SDSS"].pixels == (0.4,)
    assert cameras["SDSS"].band("green").name == "SDSS_g"
    assert cameras["SDSS"].zero_point_per == {"ZP": "second"}
