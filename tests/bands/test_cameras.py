"""A camera is known by what headers and file names call it, and so are its filters.

Of `bands.cameras` and `bands.ecsv_rows`.
"""

from typing import get_args

import pytest
from astropy.table import QTable

from napari_galaxy_maps.bands.cameras import (
    CAMERAS,
    OTHERS,
    TABLE,
    cameras_called,
    cameras_in_name,
    custom_zero_point,
    other_camera,
    read_cameras,
    role_words,
)
from napari_galaxy_maps.bands.registry import BANDS
from napari_galaxy_maps.data.recipe import Role


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


def test_the_customs_of_a_survey_stand_in_its_row(tmp_path):
    path = tmp_path / "surveys.ecsv"
    customs = {
        "custom_zero_points": "ZP+OURS=image", "pixels_at": "22.5=2.75", "roles": "gg=mask",
        "own_roles": "wt=variance", "bad_bits": "gg@SDSS_g=1 SAT", "exposures": "int=rr ex",
        "units": "int=counts/s", "wider_psf": "ATLAS=1.4", "plane_zero_points": "GZP=g",
        "object_is_field": "yes",
    }  # fmt: skip
    columns = "name,words,telescopes,in_names,filters,pixels,counts,zero_point_per"
    row = ",".join(customs.values())
    path.write_text(f"{columns},{','.join(customs)}\nSDSS,Sloan,,,,0.4,maggies,,{row}\n")
    camera = read_cameras(path)[0]["SDSS"]
    assert camera.bad_bits == {"gg@SDSS_g": ("1", "SAT")} and camera.pixels_at == {22.5: 2.75}
    assert camera.exposures == {"int": ("rr", "ex")} and camera.wider_psf == {"ATLAS": 1.4}
    assert camera.object_is_field and camera.plane_zero_points == {"GZP": "g"}
    assert camera.custom_zero_points == {"ZP+OURS": "image"} and camera.units["int"] == "counts/s"


def test_words_that_others_use_otherwise_count_where_the_survey_is_called():
    assert "wt" not in role_words() and role_words(["PS1"])["wt"] == "variance"
    assert role_words()["oow"] == "weight"
    assert custom_zero_point("MAGZERO", {"DES_EXT", "DESFNAME"}) == "image"
    assert custom_zero_point("MAGZERO", {"DES_EXT"}) == ""


def test_every_custom_names_bands_and_roles_that_there_are():
    for camera in CAMERAS.values():
        words = {**camera.roles, **camera.own_roles}.values()
        assert {camera.name, *words} <= {*get_args(Role), camera.name}, camera.name
        only = {key.partition("@")[2] for key in camera.bad_bits} - {""}
        assert all(BANDS[name].survey == camera.name for name in only), camera.name


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
