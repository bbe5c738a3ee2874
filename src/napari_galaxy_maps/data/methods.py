"""What galaxies, cubes and maps can be asked to do with themselves: draw, write, tabulate.

The data know no figures and no files, which stand on floors above them. Their methods are therefore
looked up in a table, which is empty here and filled by the package's front door when it loads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

METHODS: dict[str, Callable[..., Any]] = {}
"""Functions by ``"Class.method"``; the first parameter is the object."""

_loaders: list[Callable[[], object]] = []


def fill_with(loader: Callable[[], object]) -> None:
    """Have the table filled by `loader` when a method is first called."""
    _loaders.append(loader)


def call(name: str, *arguments: Any, **options: Any) -> Any:
    """Call the method `name`, as in ``"PropertyMaps.plot"``."""
    while name not in METHODS and _loaders:
        _loaders.pop()()
    return METHODS[name](*arguments, **options)
