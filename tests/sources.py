"""The sources of the package and of its tests as syntax trees, each parsed once a process."""

import ast
from functools import cache
from pathlib import Path


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a Python file; nobody may change it."""
    return ast.parse(path.read_text(encoding="utf-8"))
