"""Mistakes in options are one sentence; what begins with a minus and a digit is a value."""

import pytest

from napari_galaxy_maps.cli.main import _parser, main
from napari_galaxy_maps.cli.options import recipe_of
from napari_galaxy_maps.cli.parser import Parser
from napari_galaxy_maps.exceptions import InputError


@pytest.mark.parametrize("dec", ["-09:54:50", "-9d54m50s", "-9.91389", "-.5", "-1e-3"])
def test_a_southern_declination_is_a_value(dec):
    given = ["predict", "x", "--out", "o.fits", "--ra", "00:56:42.6", "--dec", dec]
    recipe = recipe_of(_parser().parse_args(given))
    assert recipe.galaxy.ra == pytest.approx(14.1775) and -10 < recipe.galaxy.dec < 0


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
