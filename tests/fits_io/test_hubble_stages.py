"""The Hubble stage is taken from tables that tell it, and never from another column called T.

Of `fits_io.hubble_stages`.
"""

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table

from napari_galaxy_maps.fits_io.galaxy_catalogue import galaxy_from_table
from napari_galaxy_maps.fits_io.hubble_stages import hubble_stage_of
from napari_galaxy_maps.fits_io.source_tables import columns_by_name

SIZES = {"name": ["a", "b", "c"], "logd25": [1.0, 1.2, 1.4]}


def told(table):
    return hubble_stage_of(table[0], columns_by_name(table), {"logd25", "d25"})


@pytest.mark.parametrize(
    ("name", "values", "stage"),
    [
        ("t", [5.9, -5.0, 10.0], 5.9),
        ("T", [0.0, -4.7, 9.9], 0.0),
        ("T", [-5.2, 1.0, 2.0], -5.0),  # a mean of classifiers
        ("T", [-3, 99, 90], -3.0),
        ("TT", [9, 10, 11], 9.0),
        ("hubble_stage", [-2.5, 1.0, 2.0], -2.5),
        ("HubbleType", [4.0, 1.0, 2.0], 4.0),
        ("TType", [3.0, 99.0, -99.0], 3.0),
        ("t", ["5.9", "-5.0", "10"], 5.9),
        ("t", ["5.9", "", "S0"], 5.9),
        ("hubble_stage", MaskedColumn(["-2 ", "S0", "x"], mask=[0, 0, 1]), -2.0),
    ],
)
def test_a_stage_is_taken(name, values, stage):
    assert told(Table({**SIZES, name: values})) == (stage, "")


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"T": [8.0, 20.0, 31.0]}, "its column T holds other values than Hubble stages"),
        ({"T": [8.0, 9.0, 10.0], "unit": "K"}, "its column T holds other values"),
        ({"T": [99, 3, 4]}, ""),
        ({"hubble_stage": [11.0, 3.0, 4.0]}, "its Hubble stage 11 is outside -5 to 10, and"),
        ({"t": [np.nan, 3.0, 4.0]}, ""),
        ({"t": MaskedColumn([1.0, 3.0, 4.0], mask=[1, 0, 0])}, ""),
        ({"type": ["SBc", "E", "Sb"]}, "its type SBc is no number, and was not taken"),
        ({"T": ["", "20", "31"]}, "its column T holds other values"),
        ({"hubble_stage": ["S0", "-2", ""]}, "its type S0 is no number"),
        ({"T": ["E-S0", "E", "Sb"]}, "its type E-S0 is no number"),
        ({"HubbleType": ["(R)SABa", "E", "Sb"]}, "its type (R)SABa is no number"),
        ({"type": ["G", "G", "Seyfert"]}, ""),
    ],
)  # fmt: skip
def test_what_is_no_stage_is_not_taken_and_told(columns, says):
    unit = columns.pop("unit", None)
    table = Table({**SIZES, **columns})
    if unit:
        table["T"].unit = unit
    stage, words = told(table)
    assert stage is None and (words.startswith(says) if says else words == "")


def test_a_t_without_what_galaxies_have_is_none():
    table = Table({"name": ["a", "b"], "ra": [1.0, 2.0], "dec": [1.0, 2.0], "T": [3.0, 8.0]})
    assert told(table) == (None, "")
    table["e_T"] = [0.5, 0.7]
    assert told(table) == (3.0, "")


def test_a_table_of_galaxies_says_it_among_the_rest(tmp_path):
    Table({**SIZES, "T": [-1.5, 2, 3]}).write(tmp_path / "own.csv")
    found, words = galaxy_from_table(tmp_path / "own.csv", "A")
    assert found["hubble_stage"] == -1.5 and "hubble stage -1.5" in words
    Table({**SIZES, "type": ["SBc", "E", "S?"]}).write(tmp_path / "letters.csv")
    found, words = galaxy_from_table(tmp_path / "letters.csv", "A")
    assert "hubble_stage" not in found and words.endswith("taken as a Hubble stage")
