"""The house keeps its order: nothing imports upward or in a circle, the library knows no window,
heavy modules load when used, modules and functions are short, and every module has its test.
"""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import napari_galaxy_maps

from .sources import parsed

PACKAGE = "napari_galaxy_maps"
ROOT = Path(napari_galaxy_maps.__file__).parent
TESTS = Path(__file__).parent

FLOORS = (
    ("constants", "cosmology", "progress", "exceptions", "device", "compiled", "segments"),
    ("bands",),
    ("data",),
    ("fits_io",),
    ("sed",),
    ("models", "mocks"),
    ("prepare",),
    ("measure",),
    ("pipeline", "beforehand", "provenance", "sharpen", "attenuate"),
    ("training", "batch", "archives"),
    ("cli", "plugin", "_api", "_arguments", "_attenuation", "_sharpening", "__main__"),
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
LINES = 500
"""Of a module, at most."""
BODY = 60
"""Lines of a function's body without its docstring, at most: a screen."""
UNTESTED = 60
"""Lines up to which a module needs no test of its own."""
HEAVY_AT_TOP = {
    f"{PACKAGE}.{name}": library
    for name, library in {
        "models.dust_forest.colour_kernel": "numba",
        "models.dust_forest.forest_kernel": "numba",
        "measure.apertures.ellipse_kernel": "numba",
        "prepare.stars.tied_gaussian": "numba",
        "measure.apertures.square_loops": "numba",
        "models.stellar_unet.network": "torch",
        "models.stellar_unet.output_head": "torch",
        "training.painted.frames": "torch",
        "training.painted.painting": "torch",
        "training.stellar_unet.fit_files": "torch",
        "training.stellar_unet.fit_network": "torch",
        "training.stellar_unet.observing_conditions": "torch",
        "training.stellar_unet.sums_loss": "torch",
    }.items()
}
"""Made of one heavy library from end to end: they import it at their top, and others import them
where they are used.
"""
LAZY_DOORS = (PACKAGE, f"{PACKAGE}.__main__")
"""What they import inside functions, or for type checkers, are names that others ask them for: no
circle, and nothing upward.
"""

MODULES = {
    ".".join((PACKAGE, *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in sorted(ROOT.rglob("*.py"))
}
LIBRARY = [name for name in MODULES if not name.startswith(f"{PACKAGE}.plugin")]


class Import(NamedTuple):
    """A module that another one imports, and where.

    Attributes
    ----------
    name : str
        Full name.
    lazy : bool
        Whether it stands inside a function.
    types : bool
        Whether only type checkers see it.
    """

    name: str
    lazy: bool
    types: bool


def is_type_checking(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def is_function(node):
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def named_by(node, package):
    """Full names of what one import statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        parent = package.split(".")[: len(package.split(".")) - node.level + 1]
        base = ".".join((*parent, *([node.module] if node.module else [])))
    # `from . import units` names a module, `from .units import SR` something inside one.
    inside = (f"{base}.{alias.name}" for alias in node.names)
    return [name if name in MODULES else base for name in inside]


@cache
def imports_of(path, package):
    """Every `Import` of a file that lies in `package`."""
    found = set()

    def visit(node, lazy, types):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.update(Import(name, lazy, types) for name in named_by(node, package))
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.expr):  # most of a tree, and never an import
                visit(child, lazy or is_function(child), types or is_type_checking(child))

    visit(parsed(path), False, False)
    return frozenset(found)


def imports(name, *, lazy=True, types=True):
    """Full names of what a module imports; `lazy` with those inside functions, `types` with those
    only type checkers see.
    """
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return {
        found.name
        for found in imports_of(path, package)
        if (lazy or not found.lazy) and (types or not found.types)
    }


def neighbours(name):
    """The package's own modules that one imports, except what a lazy door only names."""
    counted = name not in LAZY_DOORS
    return {other for other in imports(name, lazy=counted, types=counted) if other in MODULES}


def room(name):
    return name.split(".")[1] if "." in name else "__init__"


def short(name):
    return name.removeprefix(f"{PACKAGE}.")


def circles(graph):
    """Groups of names that can all be reached from each other, each in order."""

    def reached(start):
        seen, waiting = set(), [start]
        while waiting:
            for other in graph.get(waiting.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        return seen

    reach = {name: reached(name) for name in graph}
    groups = {
        tuple(sorted(other for other in graph if other in reach[name] and name in reach[other]))
        for name in graph
    }
    return sorted(group for group in groups if len(group) > 1)


def test_every_room_has_its_floor():
    rooms = {room(name) for name in MODULES} - {"__init__"}
    assert rooms <= set(FLOOR), f"rooms of no floor: {sorted(rooms - set(FLOOR))}"
    assert {"bands", "fits_io", "plugin"} <= rooms, "the package was not found"


def test_nothing_imports_upward():
    upward = {
        f"{short(name)} -> {short(other)}"
        for name in MODULES
        for other in neighbours(name)
        if "__init__" not in (room(name), room(other)) and FLOOR[room(other)] > FLOOR[room(name)]
    }
    assert not upward, sorted(upward)


def test_rooms_import_each_other_in_no_circle():
    graph = {}
    for name in MODULES:
        others = {room(other) for other in neighbours(name)} - {room(name), "__init__"}
        graph.setdefault(room(name), set()).update(others)
    assert not circles(graph)


def test_files_import_each_other_in_no_circle():
    """Not even inside functions, or for type checkers only."""
    graph = {short(name): {short(o) for o in neighbours(name)} - {short(name)} for name in MODULES}
    found = [" <-> ".join(group) for group in circles(graph)]
    assert not found, "files import each other in a circle: " + "; ".join(found)


def test_only_the_plugin_knows_of_windows():
    window = {name for name in LIBRARY if {o.partition(".")[0] for o in imports(name)} & WINDOW}
    assert not window, sorted(window)


def test_heavy_modules_load_when_used():
    """In the plugin too: its first panel has 0.3 s."""
    assert set(HEAVY_AT_TOP) <= set(MODULES)
    found = {}
    for name in MODULES:
        at_top = imports(name, lazy=False, types=False)
        heavy = {other.partition(".")[0] for other in at_top} & HEAVY
        heavy |= at_top & set(HEAVY_AT_TOP)
        if name in HEAVY_AT_TOP:
            library = HEAVY_AT_TOP[name]
            heavy -= {library, *(o for o in HEAVY_AT_TOP if HEAVY_AT_TOP[o] == library)}
        if heavy:
            found[short(name)] = sorted(heavy)
    assert not found, f"modules that import what is heavy at their top: {found}"


def lines_of(name):
    return len(MODULES[name].read_text(encoding="utf-8").splitlines())


def test_modules_are_short():
    long = {short(name): lines_of(name) for name in MODULES if lines_of(name) > LINES}
    assert not long, f"to be taken apart: {long}"


def body_lines(function):
    """Lines from the first statement after the docstring to the last."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_functions_fit_on_a_screen():
    long = {}
    for name, path in MODULES.items():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and body_lines(node) > BODY:
                long[f"{short(name)}.{node.name}"] = body_lines(node)
    assert not long, f"to be taken apart: {long}"


def test_modules_say_what_they_are_for():
    silent = []
    for name, path in MODULES.items():
        sentence = (ast.get_docstring(parsed(path)) or "").partition("\n\n")[0].strip()
        if not sentence.endswith((".", ":", "?")):
            silent.append(short(name))
    assert not silent


def room_tests(room_name):
    """The test files of a room: those of the folder of its name; of a single file, those beside
    this one.
    """
    folder = TESTS / room_name
    return sorted(folder.rglob("*.py") if folder.is_dir() else TESTS.glob("test_*.py"))


def is_tested(name):
    """Whether a test of its room imports a module, or names it in words: `` `room.file` ``."""
    word = re.compile(rf"`{re.escape(short(name))}[`.]")
    return any(
        name in {found.name for found in imports_of(path, "tests")}
        or word.search(path.read_text(encoding="utf-8"))
        for path in room_tests(room(name))
    )


def test_every_module_is_imported_or_named_by_a_test_of_its_room():
    """So that who changes a file finds its tests."""
    files = (name for name in LIBRARY if MODULES[name].name != "__init__.py")
    lost = [short(name) for name in files if lines_of(name) > UNTESTED and not is_tested(name)]
    assert not lost


def test_what_tests_name_is_there():
    """A module that was renamed is no longer named by the old name."""
    rooms = {room(name) for name in MODULES} - {"__init__"}
    unknown = set()
    for path in TESTS.rglob("test_*.py"):
        docstring = ast.get_docstring(parsed(path)) or ""
        for word in re.findall(r"`(\w+(?:\.\w+)+)`", docstring):
            if word.partition(".")[0] in rooms and f"{PACKAGE}.{word}" not in MODULES:
                unknown.add(f"{path.relative_to(TESTS)}: {word}")
    assert not unknown, sorted(unknown)


def test_importing_the_whole_library_loads_no_window_and_nothing_heavy():
    """What the sources promise holds when a fresh Python does it."""
    names = sorted(set(LIBRARY) - set(HEAVY_AT_TOP))
    code = (
        f"import sys, importlib\nfor name in {names!r}:\n    importlib.import_module(name)\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert PACKAGE in loaded
    assert not loaded & (WINDOW | HEAVY)


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("import torch", {"torch"}),
        ("def f():\n    import torch", set()),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch", {"typing"}),
    ],
)
def test_the_check_itself_tells_top_from_inside(tmp_path, monkeypatch, source, kept):
    path = tmp_path / "module.py"
    path.write_text(source)
    monkeypatch.setitem(MODULES, f"{PACKAGE}.module", path)
    assert imports(f"{PACKAGE}.module", lazy=False, types=False) == kept
    assert "torch" in imports(f"{PACKAGE}.module")


def test_the_check_itself_resolves_relative_imports(tmp_path, monkeypatch):
    path = tmp_path / "module.py"
    path.write_text(
        "from .. import device\nfrom ..bands.registry import Band\n"
        "from .reddening import deredden\nfrom . import sky"
    )
    monkeypatch.setitem(MODULES, f"{PACKAGE}.prepare.module", path)
    found = imports(f"{PACKAGE}.prepare.module")
    assert {
        f"{PACKAGE}.device",
        f"{PACKAGE}.bands.registry",
        f"{PACKAGE}.prepare.reddening",
        f"{PACKAGE}.prepare.sky",
    } <= found


def test_the_check_itself_finds_circles_of_any_length():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d"}, "f": {"a"}}
    assert circles(graph) == [("a", "b", "c"), ("d", "e")]


def test_the_check_itself_counts_bodies_without_their_docstrings():
    source = 'def f(\n    a,\n):\n    """Words.\n\n    More.\n    """\n    b = a\n\n    return b'
    assert body_lines(ast.parse(source).body[0]) == 3
