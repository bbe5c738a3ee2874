"""The published tables are read by galaxy and column; what they lack is named."""

import numpy as np
import pytest

from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.training.datasets.dustpedia_tables import DustPediaTables

N19 = "name,Ldust__Lsol,Ldust_err\nA,1e9,1e8\nB,2e9,\n"


@pytest.fixture
def tables(tmp_path):
    """A folder with a table of two galaxies, read."""
    (tmp_path / "dustpedia_cigale_results_final_version.csv").write_text(N19)
    return DustPediaTables(tmp_path)


def test_an_empty_cell_is_a_gap(tables):
    value, error = tables.n19_column("Ldust", ["B", "A"])
    np.testing.assert_array_equal(value, [2e9, 1e9])
    np.testing.assert_array_equal(error, [np.nan, 1e8])


def test_a_galaxy_that_is_missing_is_named_unless_gaps_are_allowed(tables):
    with pytest.raises(InputError, match=r"lack 'C'; get them again"):
        tables.n19_column("Ldust", ["A", "C"])
    value, error = tables.n19_column("Ldust", ["A", "C"], gaps=True)
    assert value[0] == 1e9 and np.isnan(value[1]) and np.isnan(error[1])


def test_a_column_that_is_missing_is_named(tables):
    with pytest.raises(InputError, match="lack 'Mdust__Msol'"):
        tables.n19_column("Mdust", ["A"], gaps=True)


def test_the_file_that_cannot_be_read_is_named(tables):
    with pytest.raises(InputError, match=r"dustpedia_fluxes_full\.mag cannot be read"):
        tables.herschel_detections(["A"])
