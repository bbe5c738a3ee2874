"""The floors inside the plugin hold: no file imports a higher floor or is in a circle, and no two
files share a name.
"""

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import napari_galaxy_maps

from ..sources import parsed

PACKAGE = "napari_galaxy_maps"
ROOT = Path(napari_galaxy_maps.__file__).parent
PLUGIN = f"{PACKAGE}.plugin"

FLOORS = (
    "ground",
    "session",
    "eventloop",
    "state",
    "canvas",
    "jobs",
    "workspace",
    "widgets",
    "panels",
    "manifest",
)
"""From the ground up. Jobs leave layers behind, so that the canvas is below them."""
FLOOR = {name: number for number, name in enumerate(FLOORS)}

FILES = {
    ".".join((PACKAGE, *path.relative_to(ROOT).with_suffix("").parts)): path
    for path in sorted(ROOT.rglob("*.py"))
    if path.name != "__init__.py"
}
OWN = [name for name in FILES if name.startswith(f"{PLUGIN}.")]


def floor_of(name):
    """Number of the floor that a file of the plugin is on."""
    return FLOOR[name.removeprefix(f"{PLUGIN}.").partition(".")[0]]


@cache
def imported(name):
    """The plugin's files that a file imports, at its top, inside functions or for types only."""
    found = set()
    for node in ast.walk(parsed(FILES[name])):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = name.split(".")[: -node.level] if node.level else []
            base = ".".join((*parents, *([node.module] if node.module else [])))
            found.add(base)
            found.update(f"{base}.{alias.name}" for alias in node.names)
    return found & set(OWN)


def test_every_file_is_on_a_floor():
    folders = {name.removeprefix(f"{PLUGIN}.").partition(".")[0] for name in OWN}
    assert folders == set(FLOORS)


def test_imports_are_found_wherever_they_stand():
    """Without this the others could not fail."""
    register = f"{PLUGIN}.canvas.layer_register"
    assert {f"{PLUGIN}.state.project", f"{PLUGIN}.canvas.status_bar"} <= imported(register)
    lazy = f"{PLUGIN}.workspace"
    assert f"{PLUGIN}.canvas.aperture_layer" in imported(lazy), "it is imported inside a function"
    typed = f"{PLUGIN}.canvas.canvas_legend"
    assert f"{PLUGIN}.eventloop.idle_queue" in imported(typed), "it is imported for types only"


@pytest.mark.parametrize("name", OWN)
def test_no_file_imports_a_higher_floor(name):
    higher = sorted(other for other in imported(name) if floor_of(other) > floor_of(name))
    assert not higher, f"{name} imports {higher} from a floor above"


@pytest.mark.parametrize("name", [name for name in OWN if ".session." in name])
def test_sessions_know_no_window(name):
    """A script can read them where there is no display."""
    named = {
        module.partition(".")[0]
        for node in ast.walk(parsed(FILES[name]))
        for module in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert "pathlib" in named or "functools" in named, "imports are found"
    assert not named & {"napari", "qtpy", "magicgui", "superqt", "vispy", "psygnal"}


def test_no_files_import_each_other_in_a_circle():
    try:
        tuple(TopologicalSorter({name: imported(name) for name in OWN}).static_order())
    except CycleError as error:
        pytest.fail(f"files import each other in a circle: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("name", OWN)
def test_no_other_file_has_the_same_name(name):
    base = name.rpartition(".")[2]
    others = [other for other in FILES if other != name and other.rpartition(".")[2] == base]
    assert not others, f"{name} is called like {others}"
