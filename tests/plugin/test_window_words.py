"""No sentence of the lower rooms names an option, and what an error asks for is named as each face
has it: an option on the command line, a panel and its control in the window.
"""

import ast
import re
from pathlib import Path

import pytest
from qtpy.QtWidgets import QAbstractButton, QLabel, QTableWidget

import napari_galaxy_maps
from napari_galaxy_maps.cli.options import options_of
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import ASIDE, InputError, in_words
from napari_galaxy_maps.plugin.ground.window_words import (
    CONTROLS,
    panels_of,
    words_of,
    words_of_several,
)
from napari_galaxy_maps.plugin.manifest import docks

ROOT = Path(napari_galaxy_maps.__file__).parent
LOWER = [
    path
    for path in sorted(ROOT.rglob("*.py"))
    if path.relative_to(ROOT).parts[0] not in ("cli", "training", "data")
]
"""`data/question.py` has the options that answer a question, for the command line alone."""
ERRORS = ("InputError", "RecipeError", "ModelError", "GalaxyMapsError")
IN_WINDOW_NOWHERE = {"overwrite", "fwhm", "resume"}
"""What the window asks for by itself, or has no control for."""


def strings_of(path):
    """The strings of a file that are no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docs:
            yield node.lineno, node.value


def asked_for():
    """The settings that errors ask for, with their places in the source."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Name) and called.id in ERRORS and node.args[1:]:
                for argument in node.args[1:]:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        yield argument.value, f"{path.relative_to(ROOT)}:{node.lineno}"


def test_lower_rooms_and_the_window_name_no_options_and_no_commands():
    pattern = re.compile(r"(^|[\s(])--[a-z]|galaxy-maps (prepare|predict|truth|measure|train)\b")
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in LOWER
        for line, text in strings_of(path)
        if pattern.search(text)
    ]
    assert not found


def test_what_errors_ask_for_is_a_setting_that_both_faces_know():
    recipe, asked = Recipe(), dict(asked_for())
    assert len(asked) > 10
    for setting, where in asked.items():
        section, dot, key = setting.partition(".")
        if dot:
            assert hasattr(getattr(recipe, section), key), where
        else:
            assert setting in ASIDE, where
        assert options_of([setting]) or setting == "sharpen.coarse", where
        assert setting in CONTROLS or setting in IN_WINDOW_NOWHERE, where


def test_each_face_says_where():
    error = InputError("It needs the distance; give it.", "galaxy.distance", "galaxy.redshift")
    assert str(error) == "It needs the distance; give it."
    assert in_words(error, options_of) == (
        "It needs the distance; give it (--distance, --redshift)."
    )
    assert words_of(error) == ("It needs the distance; give it (Galaxy panel: Distance, redshift).")
    assert words_of(InputError("It is there.", "overwrite")) == "It is there."
    assert panels_of(["grid.pixel", "galaxy.ra"]) == "Prepare panel: Pixel; Galaxy panel: RA"
    assert words_of(ZeroDivisionError("by zero")) == "by zero"


def test_of_many_sentences_the_first_are_told():
    sentences = [f"{name}.fits is torn." for name in "abcde"]
    assert words_of_several(sentences[:2]) == "a.fits is torn. b.fits is torn."
    assert words_of_several(sentences).endswith(
        "c.fits is torn. And 2 more; see the list in the Galaxy panel."
    )


@pytest.mark.window
def test_the_controls_that_are_named_are_in_their_panels(empty_window):
    for panel_name, control in CONTROLS.values():
        panel = docks.panel(empty_window, panel_name)
        words = [w.text() for w in panel.findChildren(QLabel) + panel.findChildren(QAbstractButton)]
        for table in panel.findChildren(QTableWidget):
            headers = (table.horizontalHeaderItem(i) for i in range(table.columnCount()))
            words += [header.text() for header in headers if header is not None]
        if control and not control.startswith("the tick"):
            assert any(control in text for text in words), (panel_name, control)
