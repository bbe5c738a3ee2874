"""What surveys and cameras call themselves stands in the tables of bands alone: who adds one adds a
row, and no code asks for one by name.

Of `bands.cameras`.
"""

import ast
import re
from pathlib import Path

import pytest

import napari_galaxy_maps
from napari_galaxy_maps.bands.cameras import CAMERAS
from napari_galaxy_maps.bands.registry import BANDS
from tests.sources import parsed

ROOT = Path(napari_galaxy_maps.__file__).parent
ROOMS = ("fits_io", "data", "prepare", "measure", "cli", "plugin")
"""Rooms whose work is the same for every survey's images. Models, spectra and mocks are made of
certain bands, and are about them."""
MORE = ("COADDID", "DES", "Herschel", "HST", "JWST", "KiDS", "Legacy Surveys", "LGA",
        "NOIRLab", "Pan-STARRS", "Spitzer", "Swift", "UKIDSS", "unWISE")  # fmt: skip
"""Beside the names of the table."""
ALLOWED = {
    "prepare/errors/poisson.py": "photons of GALEX, whose counts are known without a gain",
    "prepare/stars/star_bands.py": "measured wings of stars, as a table of its own",
}
"""Files that may name one, and why."""


def texts(path):
    """The strings in a module's code, without docstrings and the names of bands."""
    tree = parsed(path)
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            text = node.value
            for band in BANDS:
                text = text.replace(band, "")
            yield node.lineno, text


NAMED = re.compile("|".join(rf"(?<![A-Za-z]){re.escape(n)}(?![a-z])" for n in (*CAMERAS, *MORE)))


@pytest.mark.parametrize("room", ROOMS)
def test_no_code_names_a_survey(room):
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in sorted((ROOT / room).rglob("*.py"))
        if str(path.relative_to(ROOT)) not in ALLOWED
        for line, text in texts(path)
        if NAMED.search(text)
    ]
    assert not found, "\n".join(found)


def test_what_is_allowed_is_there():
    for name in ALLOWED:
        assert any(NAMED.search(text) for _, text in texts(ROOT / name)), name
