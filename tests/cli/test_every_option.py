"""Every option of every command with what no person means: nan, inf, -1, 0, 1e30, text, nothing."""

import argparse
import math

import numpy as np
import pytest

from napari_galaxy_maps.cli import galaxy_input, mock, train
from napari_galaxy_maps.cli.main import _parser, main
from napari_galaxy_maps.exceptions import GalaxyMapsError
from napari_galaxy_maps.measure.report import evaluation
from tests.conftest import tan_wcs, write_image
from tests.measure.test_profiles import disc

ODD = ("nan", "inf", "-1", "0", "1e30", "text", "")
NEEDED = {
    "info": ["SDSS_r.fits"],
    "prepare": ["SDSS_r.fits", "--out", "out.fits"],
    "predict": ["SDSS_r.fits", "--out", "out.fits"],
    "truth": ["SDSS_r.fits", "--out", "out.fits"],
    "attenuation": ["SDSS_r.fits", "--out", "out.fits"],
    "sharpen": ["maps.fits", "maps.fits", "--out", "out.fits"],
    "measure": ["maps.fits", "--out", "out.ecsv"],
    "profile": ["maps.fits", "--out", "out.ecsv"],
    "evaluate": ["maps.fits", "maps.fits", "--out", "out"],
    "models": [],
    "mock": ["--seed", "1", "--size", "8", "--bands", "g", "--out", "out"],
    "train dust-forest": ["--data", "nothing", "--hatlas", "none", "--out", "out"],
    "train stellar-unet": ["--out", "out"],
    "demo": [],
}
"""What a command needs to run at all."""
FORMS = {
    "--psf": "SDSS_r={}", "--beam": "SDSS_r={}", "--zero-point": "SDSS_r={}",
    "--resolution": "{}", "--ra": "{}", "--dec": "{}",
    "--ellipse": "{},2,60,50,10", "--annulus": "1.5,{}", "--fit": "5,{}",
}  # fmt: skip
"""Options that hold a number among other things, or read it later."""
ALLOWED = {
    ("--psf", "text"), ("--zero-point", "0"), ("--ra", "0"), ("--dec", "0"), ("--dec", "-1"),
    ("--ellipse", "0"),
}  # fmt: skip
"""Odd numbers that these options may have, or that are files."""


def commands():
    """Name and parser of every command, and of every kind of training."""

    def below(parser, name):
        subs = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        if not subs:
            yield name, parser
        for sub in subs:
            for key, value in sub.choices.items():
                yield from below(value, f"{name} {key}".strip())

    return dict(below(_parser(), ""))


def options():
    """Command, option and action of every option that takes a value."""
    return [
        (name, action.option_strings[-1], action)
        for name, parser in commands().items()
        for action in parser._actions
        if action.option_strings and action.nargs is None and name != "demo"
    ]


class Stopped(GalaxyMapsError):
    """All that is asked of a command before its work."""


@pytest.fixture
def stopped_before_the_work(tmp_path, monkeypatch):
    """A folder with an image and maps; the work of commands that prepare, train or invent is left
    out.
    """

    def stop(*_, **__):
        raise Stopped("stopped before the work")

    for module in (galaxy_input, mock, train):
        monkeypatch.setattr(module, "run_steps", stop)
    monkeypatch.setattr(evaluation, "write_evaluation", stop)
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    image = rng.normal(5, 1, (40, 40)).astype("f4")
    write_image(tmp_path / "SDSS_r.fits", image, tan_wcs((40, 40), 1.5), BUNIT="MJy/sr")
    disc().write(tmp_path / "maps.fits")
    return tmp_path


def test_every_command_has_its_needs_listed():
    assert set(commands()) == set(NEEDED)


def test_every_number_among_the_options_has_a_range():
    loose = [f"{c} {name}" for c, name, action in options() if action.type in (int, float)]
    assert not loose
    assert sum(hasattr(action.type, "limits") for _, _, action in options()) > 50


@pytest.mark.slow
def test_no_option_takes_what_cannot_be(stopped_before_the_work, capsys):
    before = sorted(path.name for path in stopped_before_the_work.iterdir())
    tried = refused = 0
    for command, name, action in options():
        for odd in ODD:
            needed = [*command.split(), *NEEDED[command]]
            if command == "measure" and name not in ("--ellipse", "--regions"):
                needed += ["--ellipse", "150,2,60,50,10"]
            given = f"{name}={FORMS.get(name, '{}').format(odd)}"
            status = main([*needed, given, *(["--overwrite"] if name == "--out" else [])])
            error = capsys.readouterr().err
            tried += 1
            what = f"{command} {given}: {status}, {error}"
            assert status in (0, 2) and "Traceback" not in error, what
            if status == 0 and name == "--out":
                continue
            limits = getattr(action.type, "limits", None)
            if limits is None and name not in FORMS:
                continue
            if limits is not None:
                try:
                    allowed = limits.trouble(float(odd)) == "" and odd != "1e30"
                except ValueError:
                    allowed = False
            else:
                allowed = (name, odd) in ALLOWED
            if allowed:
                assert name not in error or "no effect" in error or "to be" in error, what
            else:
                refused += 1
                assert status == 2 and "stopped before" not in error, what
                assert error.count("\n") == 1 and error.startswith("galaxy-maps: "), what
                if odd not in ("text", "") and "no effect" not in error:
                    assert math.isnan(float(odd)) or odd.lstrip("-")[:1] in error, what
        for path in stopped_before_the_work.iterdir():
            if path.name not in before:
                _remove(path)
    assert tried > 700 and refused > 300


def _remove(path):
    if path.is_dir():
        for inside in path.iterdir():
            _remove(inside)
        path.rmdir()
    else:
        path.unlink()
