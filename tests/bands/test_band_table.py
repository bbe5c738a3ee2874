"""The table of bands: the 26 of the models are as they ever were, no two bands share a name, and
what a row says can be.

Of `bands.band_table` and `bands.registry`.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_galaxy_maps.bands.band_table import TABLE, Band, read_bands
from napari_galaxy_maps.bands.registry import (
    BANDS,
    FIR_BANDS,
    INPUT_BANDS,
    MODEL_BANDS,
    _by_alias,
    bands_by_survey,
    find_band,
)
from napari_galaxy_maps.constants import ZERO_AB_JY

FROZEN = json.loads((Path(__file__).parents[1] / "frozen" / "bands.json").read_text())
VEGA = {"2MASS", "WISE", "UKIRT", "VISTA", "Johnson"}
OTHERS = [band for band in BANDS.values() if band.use == "other"]


def test_the_26_bands_of_the_models_are_what_they_ever_were():
    assert tuple(row["name"] for row in FROZEN) == MODEL_BANDS
    assert tuple(name for name in BANDS if name in MODEL_BANDS) == MODEL_BANDS
    for row in FROZEN:
        now = {key: getattr(BANDS[row["name"]], key) for key in row}
        assert now == {**row, "aliases": tuple(row["aliases"])}  # to the last bit
        assert BANDS[row["name"]].system == ("Vega" if row["vega_jy"] else "AB")


def test_18_bands_are_input_and_8_are_truth():
    assert (len(INPUT_BANDS), len(FIR_BANDS)) == (18, 8)
    assert tuple(row["name"] for row in FROZEN if row["pivot"] < 23) == INPUT_BANDS
    assert tuple(row["name"] for row in FROZEN if row["pivot"] > 23) == FIR_BANDS


def test_all_bands_come_in_order_of_wavelength():
    pivots = [band.pivot for band in BANDS.values()]
    assert pivots == sorted(pivots) and len(BANDS) == len(read_bands()) > 100


@pytest.mark.parametrize(
    "name, band",
    [
        ("DES_g", "DECam_g"), ("decam g", "DECam_g"), ("g_DECam", "DECam_g"),
        ("g DECam SDSS c0001 4720.0 1520.0", "DECam_g"), ("PanSTARRS_g", "PS1_g"),
        ("Pan-STARRS_g", "PS1_g"), ("PS1g", "PS1_g"), ("CFHT_g", "MegaCam_g"),
        ("CFHTLS_g", "MegaCam_g"), ("g.MP9401", "MegaCam_g"), ("HSC-G", "HSC_g"),
        ("LSST_g", "Rubin_g"), ("UKIDSS_K", "UKIRT_K"), ("WFCAM_K", "UKIRT_K"),
        ("WFC3_UVIS_F606W", "WFC3_F606W"), ("ACS_F606W", "ACS_F606W"), ("F335M", "NIRCam_F335M"),
        ("F770W", "MIRI_F770W"), ("F129", "Roman_F129"), ("VIKING_Z", "VISTA_Z"),
        ("W2", "WISE_4.6"), ("UVOT_UVW2", "UVOT_W2"), ("Bessell_R", "Cousins_R"), ("z", "SDSS_z"),
    ],
)  # fmt: skip
def test_a_band_is_found_by_the_names_that_headers_and_files_use(name, band):
    assert find_band(name).name == band


@pytest.mark.parametrize(
    "name",
    [
        "F606W", "F814W", "F475W",  # of two of Hubble's cameras
        "F200W", "F444W", "F150W",  # NIRISS has filters of the same names
        "F160W", "F110W", "F336W",  # so have NICMOS and WFPC2
        "F775W", "F625W", "F850LP",  # WFC3's have no curve here, and exist
        "UVW1", "UVM2",  # XMM's OM has them, too
        "Johnson_R", "g.MP9402", "u.MP9302", "U", "B", "V", "Y", "y", "IC", "M2", "VIS",
    ],
)  # fmt: skip
def test_a_name_that_may_be_several_bands_finds_none(name):
    assert find_band(name) is None


def test_no_name_or_alias_belongs_to_two_bands():
    band = BANDS["PS1_g"]
    assert len(_by_alias(tuple(BANDS.values()))) > len(BANDS)
    with pytest.raises(ValueError, match="'ps1-G' names both PS1_g and twin"):
        _by_alias((band, Band("twin", "twin", 0.5, 1.0, 0.1, 3.0, ("ps1-G",))))


def test_magnitudes_are_in_the_system_of_the_survey():
    for band in BANDS.values():
        assert (band.system == "Vega") == (band.survey in VEGA), band
        expected = band.vega_jy if band.survey in VEGA else ZERO_AB_JY
        assert band.zero_point_jy == expected, band


def test_a_person_chooses_among_the_models_bands_first_and_then_by_survey():
    groups = bands_by_survey()
    assert next(iter(groups)) == "" and tuple(groups[""]) == MODEL_BANDS
    assert groups["PS1"] == ["PS1_g", "PS1_r", "PS1_i", "PS1_z", "PS1_y"]
    assert groups["Johnson"][-1] == "Cousins_I"
    assert sorted(name for names in groups.values() for name in names) == sorted(BANDS)


# What a row says can be ---------------------------------------------------------------------------


def test_reddening_follows_the_extinction_curve_of_the_bands_known_before():
    """Between its neighbours among the 18, which are spread over all wavelengths; the bump at 0.22
    micron and the very broad F146 stand out.
    """
    known = [BANDS[name] for name in INPUT_BANDS]
    x, y = np.log([b.pivot for b in known]), np.log([b.reddening for b in known])
    for band in OTHERS:
        if 0.3 < band.pivot < 20 and band.name != "Roman_F146":
            expected = np.exp(np.interp(np.log(band.pivot), x, y))
            assert band.reddening == pytest.approx(expected, rel=0.12, abs=0.012), band
    assert BANDS["UVOT_M2"].reddening > BANDS["GALEX_NUV"].reddening


def test_vega_is_as_bright_as_in_the_bands_known_before():
    """A blackbody in the infrared, and between published zero points."""
    known = [b for b in BANDS.values() if b.use != "other" and b.vega_jy and b.pivot < 13]
    x, y = np.log([b.pivot for b in known]), np.log([b.vega_jy for b in known])
    for band in OTHERS:
        assert (band.vega_jy is None) == (band.pivot > 5.2), band
        if band.vega_jy and band.pivot > 1.2 and band.name != "Roman_F146":
            assert band.vega_jy == pytest.approx(np.exp(np.interp(np.log(band.pivot), x, y)), 0.04)
        elif band.vega_jy and band.pivot > 0.43:  # redward of the Balmer jump
            assert 1400 < band.vega_jy < 4100, band


@pytest.mark.parametrize("band", OTHERS, ids=str)
def test_a_band_is_plausible(band):
    assert 0.02 < band.fwhm < 3 and 0.005 <= band.calibration <= 0.05
    assert 1999 <= band.epoch <= 2030 and 0 < band.reddening < 8
    assert band.curve.startswith(("sedpy:", "speclite:"))
    assert band.count_rate_jy is None and band.beam_arcsec2 is None
    # The table BANDS of a cube's file has room for so many letters.
    assert len(band.name) <= 12 and band.name.split("_")[0] in {band.survey, "Cousins"}


def test_diffraction_widens_the_psf_of_each_camera_in_space():
    for survey in ("NIRCam", "MIRI", "Roman"):
        widths = [b.fwhm for b in BANDS.values() if b.survey == survey and b.name != "Roman_F146"]
        assert widths == sorted(widths)


# Reading the table --------------------------------------------------------------------------------


def test_astropy_reads_the_same_table():
    from astropy.table import Table

    table = Table.read(TABLE, format="ascii.ecsv")
    assert list(table["name"]) == list(BANDS) and str(table["pivot"].unit) == "um"
    for row, band in zip(table, BANDS.values(), strict=True):
        assert (row["pivot"], row["fwhm"], row["reddening"], row["epoch"]) == (
            band.pivot, band.fwhm, band.reddening, band.epoch,
        )  # fmt: skip
        assert (None if np.ma.is_masked(row["vega_jy"]) else row["vega_jy"]) == band.vega_jy


def rows_with(tmp_path, **change):
    """A table of one row with some values changed."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("name,"))
    names = lines[head].split(",")
    row = next(line for line in lines if line.startswith("2MASS_J,")).split(",")
    row = [str(change.get(name, value)) for name, value in zip(names, row, strict=True)]
    path = tmp_path / "bands.ecsv"
    path.write_text("\n".join((*lines[: head + 1], ",".join(row), "")), encoding="utf-8")
    return path, head + 2


def test_a_row_is_a_band(tmp_path):
    assert read_bands(rows_with(tmp_path)[0]) == (BANDS["2MASS_J"],)
    (band,) = read_bands(rows_with(tmp_path, name="New_X", aliases="", vega_jy="1e3")[0])
    assert (band.name, band.aliases, band.vega_jy) == ("New_X", (), 1000.0)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"pivot": "-1"}, "pivot is -1"), ({"pivot": ""}, "could not convert"),
        ({"fwhm": "nan"}, "fwhm is nan"), ({"use": "inputs"}, "use is 'inputs'"),
        ({"system": "ST"}, "system is 'ST'"), ({"vega_jy": ""}, "need vega_jy"),
        ({"name": ""}, "needs a name"), ({"reddening": "much"}, "could not convert"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_is_refused_with_its_line(tmp_path, change, words):
    path, line = rows_with(tmp_path, **change)
    with pytest.raises(ValueError, match=rf"bands\.ecsv, line {line}: .*{words}"):
        read_bands(path)


def test_the_bands_load_without_astropy():
    code = (
        "import sys\nimport napari_galaxy_maps.bands.registry\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'astropy', 'numpy', 'yaml'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "astropy" not in done.stdout and "yaml" not in done.stdout
