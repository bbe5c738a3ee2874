"""`galaxy-maps predict` prints what it takes for granted, and the option that mends it."""

import pytest

from napari_galaxy_maps.cli.assumed import option_for, print_assumptions
from napari_galaxy_maps.cli.main import _parser
from napari_galaxy_maps.data.recipe import Recipe
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
    words = option_for(Assumption("It is so.", kind, ("SDSS_r",)), Recipe())
    assert words
    known = _parser().format_help() + _predict_help()
    for word in words.replace(",", " ").split():
        if word.startswith("--"):
            assert word in known, word


def _predict_help():
    import argparse

    (commands,) = [a for a in _parser()._actions if isinstance(a, argparse._SubParsersAction)]
    return commands.choices["predict"].format_help()
