"""Flags in files: named in the header, kept where a newer program set them, refused where they are
none.
"""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from napari_galaxy_maps.cli.console import print_maps
from napari_galaxy_maps.data.cube import BandCube
from napari_galaxy_maps.data.flags import MEANINGS
from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.cube_files import read_cube, write_cube
from napari_galaxy_maps.fits_io.flag_planes import read_flags
from napari_galaxy_maps.fits_io.map_files import read_maps, write_maps
from napari_galaxy_maps.pipeline import predict_cube_steps
from napari_galaxy_maps.progress import run_to_end
from tests.conftest import tan_wcs

SHAPE = (4, 5)
NEWER = 2048
FAR = 2**20
"""Needs 32 bits."""


def maps_with(*bits: int) -> PropertyMaps:
    flags = np.zeros(SHAPE, np.int16)
    flags[0, 0] = sum(bits)
    plane = np.full(SHAPE, -3, np.float32)
    return PropertyMaps({"LOG_SMD": plane}, {}, tan_wcs(SHAPE, 2.0), flags)


def cube_with(*bits: int) -> BandCube:
    bands = ("SDSS_r", "2MASS_Ks", "WISE_3.4", "WISE_12")
    data = np.ones((len(bands), *SHAPE), np.float32) * np.float32([[[1]], [[3]], [[2]], [[4]]])
    flags = np.zeros(SHAPE, np.int16)
    flags[0, 0] = sum(bits)
    return BandCube(
        data, 0.05 * data, bands, tan_wcs(SHAPE, 2.0), 6.0, 2.0, None, np.zeros(SHAPE, bool), flags
    )


def of_newer_program(path, **cards) -> None:
    """Adds bits and cards as a program of the future may write them."""
    with fits.open(path, mode="update") as hdus:
        hdus["FLAGS"].data = hdus["FLAGS"].data.astype(np.int32)
        hdus["FLAGS"].data[0, 0] = 1 + NEWER
        hdus["FLAGS"].data[1, 1] = FAR
        hdus["FLAGS"].header.update(cards)


@pytest.mark.parametrize(
    ("write", "made"),
    [(write_maps, maps_with(1)), (lambda *of: write_cube(*of, {}), cube_with(1))],
    ids=["maps", "cube"],
)
def test_every_bit_is_named_in_the_header(tmp_path, write, made):
    path = tmp_path / "made.fits"
    write(path, made)
    with fits.open(path) as hdus:
        header = hdus["FLAGS"].header
        assert header["BITPIX"] == 16
        named = {card: header[card] for card in header["FLAG*"]}
    assert named == {f"FLAG{int(flag)}": meaning.words for flag, meaning in MEANINGS.items()}


def test_bits_of_a_newer_program_go_from_cube_to_maps_and_are_named_unknown(tmp_path, capsys):
    cube, maps = tmp_path / "cube.fits", tmp_path / "maps.fits"
    write_cube(cube, cube_with(), {})
    of_newer_program(cube, FLAG2048="haunted", FLAG2049="no bit", FLAG64="something else")
    made = run_to_end(predict_cube_steps(read_cube(cube), Recipe()))
    write_maps(maps, made)
    back = read_maps(maps)
    assert back.flags[0, 0] & NEWER and back.flags[1, 1] & FAR
    assert back.unknown_flags == {NEWER: "haunted", FAR: "unknown"}
    header = fits.getheader(maps, "FLAGS")
    assert header["FLAG2048"] == "haunted" and "FLAG2049" not in header
    assert header["FLAG64"] == "no model spectrum fits"
    print_maps(back)
    told = capsys.readouterr().out
    assert "5.0% of the pixels: unknown flag 2048: haunted\n" in told


@pytest.mark.parametrize("dtype", ["u1", ">i4", "f4"])
def test_flags_of_any_type_of_number_are_read(tmp_path, dtype):
    path = tmp_path / "maps.fits"
    write_maps(path, maps_with(1, 32))
    with fits.open(path, mode="update") as hdus:
        hdus["FLAGS"].data = hdus["FLAGS"].data.astype(dtype)
    assert read_maps(path).flags[0].tolist() == [33, 0, 0, 0, 0]


@pytest.mark.parametrize("value", [np.nan, -1, 0.5, 1e12])
def test_what_is_no_sum_of_bits_is_refused(tmp_path, value):
    path = tmp_path / "maps.fits"
    write_maps(path, maps_with())
    with fits.open(path, mode="update") as hdus:
        hdus["FLAGS"].data = hdus["FLAGS"].data.astype("f4")
        hdus["FLAGS"].data[2, 2] = value
    with (
        fits.open(path) as hdus,
        pytest.raises(InputError, match=r"maps\.fits\[FLAGS\] holds what is no sum of bits"),
    ):
        read_flags(hdus, SHAPE, path)


def test_maps_without_flags_or_with_those_of_another_grid_have_none(tmp_path):
    path = tmp_path / "maps.fits"
    write_maps(path, maps_with(1))
    with fits.open(path, mode="update") as hdus:
        hdus["FLAGS"].data = np.ones((2, 2), np.int16)
    assert not read_maps(path).flags.any()
    assert not read_maps(path).unknown_flags


def test_unknown_bits_stay_where_masks_are_filled():
    from napari_galaxy_maps.data.masked_light import Holes

    maps = replace(maps_with(NEWER), unknown_flags={NEWER: "haunted"})
    apart = maps.take_apart(Holes(*np.array([[1], [1], [1]], np.int32)))
    assert apart.flags[0, 0] == NEWER and apart.unknown_flags == {NEWER: "haunted"}
