"""The floors hold: nothing imports upward or in a circle, the library knows no window, heavy
modules load when used.
"""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import napari_galaxy_maps

PACKAGE = "napari_galaxy_maps"
ROOT = Path(napari_galaxy_maps.__file__).parent

FLOORS = (
    ("constants", "cosmology", "progress", "exceptions", "device"),
    ("bands",),
    ("data",),
    ("fits_io",),
    ("sed",),
    ("models", "mocks"),
    ("prepare",),
    ("measure",),
    ("pipeline", "sharpen"),
    ("training", "batch", "archives"),
    ("cli", "plugin", "_api", "__main__"),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
WINDOW = {
    "napari",
    "qtpy",
    "magicgui",
    "superqt",
    "PyQt6",
    "PySide6",
    "vispy",
    "pytestqt",
    "napari_matplotlib",
}
HEAVY = {
    "torch",
    "sklearn",
    "xgboost",
    "reproject",
    "photutils",
    "scipy",
    "matplotlib",
    "numba",
    "pandas",
    "regions",
}
LINES = 600
NETWORKS = {
    f"{PACKAGE}.{name}"
    for name in (
        "models.dust_forest.colour_kernel",
        "models.dust_forest.forest_kernel",
        "models.stellar_unet.network",
        "models.stellar_unet.output_head",
        "training.stellar_unet.views",
        "training.stellar_unet.fit_network",
        "training.stellar_unet.sums_loss",
    )
}
"""Made of torch or numba from end to end: they import it at their top, and others import them where
they are used.
"""

MODULES = {
    ".".join((PACKAGE, *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in sorted(ROOT.rglob("*.py"))
}
LIBRARY = [name for name in MODULES if not name.startswith(f"{PACKAGE}.plugin")]


def is_type_checking(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports(name, *, lazy=True, types=True):
    """Full names of what a module imports; `lazy` with those inside functions, `types` with those
    only type checkers see.
    """
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()

    def visit(node):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join((*parent, *([node.module] if node.module else [])))
            # `from . import units` names a module, `from .units import SR` something inside one.
            found.update(
                f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base
                for alias in node.names
            )
        for child in ast.iter_child_nodes(node):
            if not lazy and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                continue
            if not types and is_type_checking(child):
                continue
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


def room(name):
    return name.split(".")[1] if "." in name else "__init__"


def own(names):
    return {name for name in names if name in MODULES}


def test_every_room_has_its_floor():
    rooms = {room(name) for name in MODULES} - {"__init__"}
    assert rooms <= set(FLOOR), f"rooms of no floor: {sorted(rooms - set(FLOOR))}"
    assert {"bands", "fits_io", "plugin"} <= rooms, "the package was not found"


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) != "__init__"])
def test_nothing_imports_upward(name):
    upward = {
        other
        for other in own(imports(name))
        if room(other) in FLOOR and FLOOR[room(other)] > FLOOR[room(name)]
    }
    assert not upward, f"{name} imports {sorted(upward)} from a floor above"


def test_rooms_import_each_other_in_no_circle():
    graph = {}
    for name in MODULES:
        if room(name) in ("__init__", "cli", "plugin"):
            continue
        others = {room(other) for other in own(imports(name))} - {room(name), "__init__"}
        graph.setdefault(room(name), set()).update(others)
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"rooms import each other in a circle: {' -> '.join(error.args[1])}")


def test_modules_import_each_other_in_no_circle():
    graph = {}
    for name in MODULES:
        # A package that names what its modules hold is no circle with them.
        others = own(imports(name, lazy=False, types=False)) - {name, name.rpartition(".")[0]}
        graph[name] = others
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"modules import each other in a circle: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("name", LIBRARY)
def test_only_the_plugin_knows_of_windows(name):
    assert not {other.partition(".")[0] for other in imports(name)} & WINDOW


@pytest.mark.parametrize("name", list(MODULES))
def test_heavy_modules_load_when_used(name):
    """In the plugin too: its first panel has 0.3 s."""
    found = imports(name, lazy=False, types=False)
    heavy = {other.partition(".")[0] for other in found} & HEAVY | found & NETWORKS
    if name in NETWORKS:
        heavy -= NETWORKS | {"torch", "numba"}
    assert not heavy, f"{name} imports {sorted(heavy)} at its top"


@pytest.mark.parametrize("name", list(MODULES))
def test_modules_are_short(name):
    lines = len(MODULES[name].read_text(encoding="utf-8").splitlines())
    assert lines <= LINES, f"{name} has {lines} lines: take it apart"


@pytest.mark.parametrize("name", list(MODULES))
def test_modules_say_what_they_are_for(name):
    docstring = ast.get_docstring(ast.parse(MODULES[name].read_text(encoding="utf-8")))
    assert docstring and docstring.partition("\n\n")[0].strip().endswith((".", ":", "?"))


def test_importing_the_whole_library_loads_no_window_and_nothing_heavy():
    """What the sources promise holds when a fresh Python does it."""
    code = f"import sys, importlib\nfor name in {sorted(set(LIBRARY) - NETWORKS)!r}:\n    importlib.import_module(name)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert PACKAGE in loaded
    assert not loaded & (WINDOW | HEAVY)


@pytest.mark.parametrize(
    ("source", "kept"),
    [("import torch", {"torch"}), ("def f():\n    import torch", set()),
     ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch", {"typing"})],
)  # fmt: skip
def test_the_check_itself_tells_top_from_inside(tmp_path, monkeypatch, source, kept):
    path = tmp_path / "module.py"
    path.write_text(source)
    monkeypatch.setitem(MODULES, f"{PACKAGE}.module", path)
    assert imports(f"{PACKAGE}.module", lazy=False, types=False) == kept


def test_the_check_itself_resolves_relative_imports(tmp_path, monkeypatch):
    path = tmp_path / "module.py"
    path.write_text(
        "from .. import device\nfrom ..bands.registry import Band\nfrom .reddening import "
        "deredden\nfrom . import sky"
    )
    monkeypatch.setitem(MODULES, f"{PACKAGE}.prepare.module", path)
    found = imports(f"{PACKAGE}.prepare.module")
    assert {
        f"{PACKAGE}.device",
        f"{PACKAGE}.bands.registry",
        f"{PACKAGE}.prepare.reddening",
        f"{PACKAGE}.prepare.sky",
    } <= found
