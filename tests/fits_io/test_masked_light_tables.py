"""What lies under masks comes back from files as it was, and a damaged table is told."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from napari_galaxy_maps.data.masked_light import Holes
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.cube_files import read_cube, write_cube
from napari_galaxy_maps.fits_io.map_files import read_maps, write_maps
from napari_galaxy_maps.fits_io.masked_light_tables import TABLE
from tests.data.test_masked_light import COLUMNS, NUMBERS, ROWS, masked_cube
from tests.fits_io.test_map_and_cube_files import made_maps


def same(one, other):
    for name, value in vars(one).items():
        if isinstance(value, dict):
            assert {k: v.tobytes() for k, v in value.items()} == {
                k: v.tobytes() for k, v in getattr(other, name).items()
            }
        else:
            assert value.tobytes() == getattr(other, name).tobytes(), name


def test_cubes_and_maps_come_back_with_the_light_under_masks(tmp_path):
    cube = masked_cube()
    write_cube(tmp_path / "cube.fits", cube, {})
    same(cube.masked_light, read_cube(tmp_path / "cube.fits").masked_light)
    maps = made_maps().take_apart(Holes(ROWS, COLUMNS, NUMBERS))
    write_maps(tmp_path / "maps.fits", maps)
    back = read_maps(tmp_path / "maps.fits")
    same(maps.filling, back.filling)
    assert np.isnan(back.values["LOG_SMD"][ROWS, COLUMNS]).all()
    write_maps(tmp_path / "bare.fits", replace(maps, filling=None))
    assert read_maps(tmp_path / "bare.fits").filling is None


@pytest.mark.parametrize("wrong", [{"X": 99}, {"Y": -1}, {"HOLE": 0}, {"HOLE": None}])
def test_a_table_that_does_not_fit_is_told(tmp_path, wrong):
    (name, value), path = next(iter(wrong.items())), tmp_path / "maps.fits"
    write_maps(path, made_maps().take_apart(Holes(ROWS, COLUMNS, NUMBERS)))
    with fits.open(path) as hdus:
        table = hdus[TABLE]
        if value is None:
            columns = fits.ColDefs([c for c in table.columns if c.name != name])
            hdus[TABLE] = fits.BinTableHDU.from_columns(columns, name=TABLE)
        else:
            table.data[name][1] = value
        hdus.writeto(tmp_path / "wrong.fits")
    with pytest.raises(InputError, match=rf"wrong.fits: its table {TABLE} cannot be read"):
        read_maps(tmp_path / "wrong.fits")
