"""What is known of a galaxy is found in tables by its name, however spelled, or by its position, in
the right units.
"""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, Table

from napari_galaxy_maps.data.recipe import GalaxySettings
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.galaxy_catalogue import galaxy_from_table, plain_name


@pytest.mark.parametrize(
    "name, plain",
    [("NGC 0309", "NGC309"), ("ngc309", "NGC309"), ("NGC0309", "NGC309"), ("NGC3090", "NGC3090"),
        ("Messier 51", "M51"),
     ("ESO 149-013", "ESO149-13"), ("UGC 00313", "UGC313"), ("PGC1000", "PGC1000")],
)  # fmt: skip
def test_names_have_one_spelling(name, plain):
    assert plain_name(name) == plain


def hyperleda():
    return Table(
        {"objname": ["NGC0309", "NGC5584"], "al2000": [0.945187, 14.373270],
            "de2000": [-9.91386, -0.38759],
         "logd25": [1.47, 1.50], "logr25": [0.07, 0.12], "pa": [175.0, np.nan],
         "modbest": [34.78, 31.8], "v": [5662.0, 1649.0]}
    )  # fmt: skip


@pytest.mark.parametrize(
    "ending, kind",
    [("csv", "ascii.csv"), ("ecsv", "ascii.ecsv"), ("fits", "fits"), ("vot", "votable")],
)
def test_a_table_like_hyperledas_is_understood(tmp_path, ending, kind):
    path = tmp_path / f"leda.{ending}"
    hyperleda().write(path, format=kind)
    found, words = galaxy_from_table(path, "NGC 309")
    assert found["ra"] == pytest.approx(14.1778, abs=1e-3) and found["dec"] == -9.91386
    assert found["d25"] == pytest.approx(0.1 * 10**1.47, rel=1e-6)
    assert (
        found["axis_ratio"] == pytest.approx(10**-0.07, rel=1e-6) and found["position_angle"] == 175
    )
    assert found["distance"] == pytest.approx(10**1.956, rel=1e-6)
    assert found["redshift"] == pytest.approx(5662 / 299792.458, rel=1e-6)  # for its colours
    assert "leda." in words and "NGC0309" in words
    GalaxySettings(**found)
    assert "position_angle" not in galaxy_from_table(path, "ngc 5584")[0]


def test_a_galaxy_is_found_by_its_position_too(tmp_path):
    hyperleda().write(tmp_path / "leda.csv")
    found, words = galaxy_from_table(tmp_path / "leda.csv", "my galaxy", (215.600, -0.3880))
    assert (
        found["d25"] == pytest.approx(3.1623, rel=1e-4)
        and "NGC5584" in words
        and "arcsec from the position" in words
    )


def test_units_of_the_table_count(tmp_path):
    table = QTable({"name": ["a", "b"], "ra": [10, 20] * u.deg, "dec": [1, 2] * u.deg,
        "d25": [120, 90] * u.arcsec,
                    "distance": [5000, 7000] * u.kpc, "b_a": [0.5, 0.7],
                    "pa": [0.5, 1] * u.rad})  # fmt: skip
    table.write(tmp_path / "own.ecsv")
    found, _ = galaxy_from_table(tmp_path / "own.ecsv", "A")
    assert (
        found["d25"] == pytest.approx(2)
        and found["distance"] == pytest.approx(5)
        and found["axis_ratio"] == 0.5
    )
    assert found["position_angle"] == pytest.approx(np.degrees(0.5), abs=1e-3)


def test_a_velocity_becomes_a_redshift(tmp_path):
    Table({"name": ["a", "b"], "ra": [10.0, 20], "dec": [1.0, 2], "cz": [3000.0, 1]}).write(
        tmp_path / "v.csv"
    )
    assert galaxy_from_table(tmp_path / "v.csv", "a")[0]["redshift"] == pytest.approx(
        0.010007, rel=1e-4
    )


@pytest.mark.parametrize(
    ("velocity", "redshift"), [(-300.0, -0.0010007), (0.0, 0.0), (np.nan, None), (-9999.0, None)]
)
def test_galaxies_may_come_towards_us_and_what_is_not_known_is_not_zero(
    tmp_path, velocity, redshift
):
    Table({"name": ["a"], "ra": [10.0], "dec": [1.0], "dist": [0.78], "v": [velocity]}).write(
        tmp_path / "v.csv"
    )
    found, _ = galaxy_from_table(tmp_path / "v.csv", "a")
    assert found.get("redshift") == (redshift and pytest.approx(redshift, rel=1e-4))
    assert GalaxySettings(**found).distance == 0.78


def test_what_is_missing_is_said(tmp_path):
    hyperleda().write(tmp_path / "leda.csv")
    with pytest.raises(InputError, match=r"leda\.csv has no galaxy called NGC 308 \(is it NGC309"):
        galaxy_from_table(tmp_path / "leda.csv", "NGC 308")
    with pytest.raises(InputError, match="Which galaxy of leda"):
        galaxy_from_table(tmp_path / "leda.csv")
    with pytest.raises(InputError, match="no galaxy within an arcmin of RA 100"):
        galaxy_from_table(tmp_path / "leda.csv", "", (100.0, 0.0))
    with pytest.raises(InputError, match="table of galaxies"):
        galaxy_from_table(tmp_path / "missing.csv", "x")
    Table({"name": ["a", "b"], "d25": [1.0, 2]}).write(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="no columns with positions"):
        galaxy_from_table(tmp_path / "nowhere.csv", "", (10.0, 2.0))
    assert galaxy_from_table(tmp_path / "nowhere.csv", "b")[0] == {"d25": 2.0}


@pytest.mark.realdata
def test_dustpedias_tables_are_understood(shared_data):
    folder = shared_data / "dustpedia"
    found, words = galaxy_from_table(folder / "DustPedia_HyperLEDA_Herschel.csv", "NGC 5584")
    assert found["d25"] == pytest.approx(3.1623, rel=1e-4) and found["distance"] == pytest.approx(
        28.1838, rel=1e-4
    )
    assert found["hubble_stage"] == 5.9
    assert (found["ra"], found["dec"]) == (215.59905, -0.38759)
    shape, words = galaxy_from_table(folder / "DustPedia_Aperture_Photometry_2.2.csv", "NGC 5584")
    # image moments give 152 to 156 degrees, where the table says 58 and means a/b
    assert shape["position_angle"] == pytest.approx(148.3, abs=0.1) and shape[
        "axis_ratio"
    ] == pytest.approx(0.751, abs=1e-3)
    assert "d25" not in shape and "no D25" in words
