"""Mistakes in options are one sentence; what begins with a minus and a digit is a value."""

import pytest

from napari_galaxy_maps.cli.main import _parser, main
from napari_galaxy_maps.cli.options import ellipse_of, parse_pairs, recipe_of
from napari_galaxy_maps.cli.parser import Parser
from napari_galaxy_maps.exceptions import GalaxyMapsError, InputError


@pytest.mark.parametrize("dec", ["-09:54:50", "-9d54m50s", "-9.91389", "-.5", "-1e-3"])
def test_a_southern_declination_is_a_value(dec):
    given = ["predict", "x", "--out", "o.fits", "--ra", "00:56:42.6", "--dec", dec]
    recipe = recipe_of(_parser().parse_args(given))
    assert recipe.galaxy.ra == pytest.approx(14.1775) and -10 < recipe.galaxy.dec < 0


def test_a_galaxy_is_found_in_a_table_by_a_position_in_hours(tmp_path):
    table = tmp_path / "galaxies.csv"
    table.write_text("name,ra,dec,d25\nNGC 309,14.1775,-9.9139,3.0\nNGC 1,1.8,27.7,1.6\n")
    place = ["--ra", "00:56:42.6", "--dec", "-09:54:50", "--table", str(table)]
    recipe = recipe_of(_parser().parse_args(["predict", "x", "--out", "o.fits", "--quiet", *place]))
    assert recipe.galaxy.d25 == pytest.approx(3.0)


@pytest.mark.parametrize("ellipse", ["150,2,0,0,10", "150,2,nan,3,10", "150,2,60,1,0", "150,2,9"])
def test_an_ellipse_that_is_none_is_refused(ellipse):
    with pytest.raises(GalaxyMapsError, match="--ellipse"):
        ellipse_of(ellipse)


def test_two_answers_about_one_file_are_refused():
    with pytest.raises(GalaxyMapsError, match="contradict each other"):
        parse_pairs(["a.fits=SDSS_r", "a.fits=SDSS_g"], "--band", "FILE=BAND")
    assert parse_pairs(["a=b=c", "a=b=c"], "--unit", "FILE=UNIT") == {"a": "b=c"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["predict"], "The following arguments are required: PATH, --out; see"),
        (["info", "x", "--unknown"], "Unrecognized arguments: --unknown; see"),
        (["fly"], "invalid choice: 'fly'"),
        (["mock", "--out", "o", "--seed", "one"], "--seed: 'one' is not a whole number."),
        (["mock", "--out", "o", "--seed", "9" * 5000], "(5000 characters)' is not a whole number."),
    ],
)
def test_a_mistake_is_one_sentence(arguments, says, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1 and len(error) < 400


def test_the_sentence_of_an_option_begins_with_its_name():
    parser = Parser(prog="telescope")
    parser.add_argument("--mirror", choices=["flat", "curved"])
    with pytest.raises(InputError, match=r"^--mirror: invalid choice: 'round'"):
        parser.parse_args(["--mirror", "round"])
