"""`galaxy-maps predict` prints what it takes for granted, and the option that mends it."""

from dataclasses import replace

import pytest

from napari_galaxy_maps.cli.assumed import (
    option_for,
    print_assumptions,
    print_assumptions_of_cube,
)
from napari_galaxy_maps.cli.main import _parser, main
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.fits_io.cube_files import read_cube
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.pipeline import PredictionMemory
from napari_galaxy_maps.prepare import assumptions as kinds
from napari_galaxy_maps.prepare.assumptions import Assumption

KINDS = (
    kinds.STARS, kinds.EBV, kinds.ELLIPSE, kinds.REDSHIFT, kinds.DISTANCE, kinds.LEAVE_OUT,
    kinds.OLD_PIXEL, kinds.FILES, kinds.MODEL, kinds.CARD,
)  # fmt: skip


@pytest.fixture
def bands(galaxy_folder):
    return galaxy_folder({"2MASS_J": 20.0, "WISE_3.4": 30.0, "WISE_4.6": 15.0})


def test_what_is_assumed_is_printed_with_its_option(bands, capsys):
    recipe = Recipe()
    said = print_assumptions(read_galaxy([bands], recipe), recipe, None, PredictionMemory(), False)
    lines = [s for s in capsys.readouterr().out.splitlines() if s.startswith("assumed: ")]
    assert [line.rpartition("(--")[2].split()[0] for line in lines] == [
        "redshift", "stars", "ebv", "ra,",
    ]  # fmt: skip
    assert all(any(text in line for line in lines) for text in said)
    assert "the ellipse was measured" in lines[-1]


def test_nothing_is_printed_quietly_or_where_all_is_known(bands, capsys):
    told = ["galaxy.redshift=0.01", "galaxy.ra=150", "galaxy.dec=2", "galaxy.d25=2"]
    recipe = Recipe().with_values([*told, "reddening.ebv=0", "stars.find=true"])
    galaxy, memory = read_galaxy([bands], recipe), PredictionMemory()
    assert print_assumptions(galaxy, recipe, None, memory, False) == []
    assert print_assumptions(galaxy, Recipe(), None, memory, True) == []
    assert "assumed" not in capsys.readouterr().out


@pytest.mark.parametrize("kind", KINDS)
def test_every_option_that_is_named_is_there(kind):
    known = _parser().format_help() + _predict_help()
    for of_cube in (False, True):
        words = option_for(Assumption("It is so.", kind, ("SDSS_r",)), Recipe(), of_cube)
        assert words
        for word in words.replace(",", " ").replace(";", " ").split():
            if word.startswith("--"):
                assert word in known, word


def cube_of(folder, tmp_path, *told):
    """A prepared cube, as it is read from its file."""
    out = tmp_path / "cube.fits"
    main(["prepare", str(folder), "--out", str(out), "--quiet", "--overwrite", *told])
    return read_cube(out)


def lines_of(cube, capsys, *told):
    capsys.readouterr()
    said = print_assumptions_of_cube(cube, Recipe().with_values(told), False)
    lines = capsys.readouterr().out.splitlines()
    assert all(any(text in line for line in lines) for text in said)
    return lines


def test_of_a_cube_is_printed_what_applies_to_it(bands, tmp_path, capsys):
    cube = cube_of(bands, tmp_path)
    flagged, line = lines_of(cube, capsys)
    assert "of the galaxy's pixels are unlike anything that dust-forest was" in flagged
    assert line.startswith("assumed: Distance unknown: dust-forest takes each pixel for")
    assert f"pixels of {cube.pixel_arcsec:.2g}″" in line
    assert line.endswith("(prepare the images anew with --redshift or --distance)")
    known = cube_of(bands, tmp_path, "--redshift", "0.01")
    assert lines_of(known, capsys) == [flagged]
    assert print_assumptions_of_cube(cube, Recipe(), True) == []


def test_a_weak_band_of_a_cube_is_printed_and_a_unit_that_cannot_be(bands, tmp_path, capsys):
    cube = cube_of(bands, tmp_path, "--redshift", "0.01")
    weak = cube.bands.index("2MASS_J")
    data = cube.data.copy()
    data[weak] = 0.0
    (line,) = (line for line in lines_of(replace(cube, data=data), capsys) if "2MASS_J" in line)
    assert "2MASS_J: under 5% of the galaxy" in line and "anew with --unit or --band" in line
    data[weak] = 1000 * cube.data[weak]
    odd = next(line for line in lines_of(replace(cube, data=data), capsys) if "2MASS_J" in line)
    assert "is the unit right?" in odd or "is a unit wrong?" in odd


def test_a_cube_of_real_images_is_told_from_one_of_a_mock(galaxy_folder, tmp_path, capsys):
    real = cube_of(galaxy_folder({"SDSS_g": 5.0, "SDSS_r": 8.0}), tmp_path)
    lines = lines_of(real, capsys, "model.name=stellar-unet")
    assert any("not to be trusted on real images" in line for line in lines)
    redshift = next(line for line in lines if "Redshift unknown" in line)
    assert redshift.endswith("(--redshift)"), "that one can be told of a cube"
    folder = tmp_path / "mock"
    main(
        ["mock", "--seed", "3", "--size", "48", "--bands", "ugriz", "--out", str(folder), "--quiet"]
    )
    lines = lines_of(cube_of(folder, tmp_path), capsys, "model.name=stellar-unet")
    assert not any("real images" in line for line in lines)


def test_the_command_prints_it_before_the_maps_and_only_once(bands, tmp_path, capsys):
    cube_of(bands, tmp_path)
    capsys.readouterr()
    main(["predict", str(tmp_path / "cube.fits"), "--out", str(tmp_path / "maps.fits")])
    out = capsys.readouterr().out
    for words in ("Distance unknown", "unlike anything that dust-forest was trained on"):
        assert out.count(words) == 1 and out.find(words) < out.find("maps of")


def _predict_help():
    import argparse

    (commands,) = [a for a in _parser()._actions if isinstance(a, argparse._SubParsersAction)]
    return commands.choices["predict"].format_help()
