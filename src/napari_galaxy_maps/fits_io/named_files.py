"""Which files a recipe or an option names, and whether two paths lead to one file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..data.recipe import Recipe


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file: by links, other spellings or another case, too."""
    try:
        return one.samefile(other)
    except OSError:
        return False


def path_in(text: str) -> Iterator[Path]:
    """The path that a text names, where there is something."""
    with suppress(OSError, ValueError, RuntimeError):  # no path at all, or a folder that is closed
        path = Path(text).expanduser()
        if text and path.exists():
            yield path


def files_of_recipe(recipe: Recipe, beside: Path | None = None) -> list[Path]:
    """The files that a recipe names: a table of stars, a map of E(B-V), PSFs, kernels.

    Parameters
    ----------
    recipe : Recipe
    beside : Path, optional
        A folder in which they may lie, too.
    """
    texts = [text for text in _texts(recipe.model_dump().values()) if text]
    near = [str(beside / text) for text in texts] if beside is not None else []
    return [path for text in (*texts, *near) for path in path_in(text) if path.is_file()]


def _texts(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            yield from _texts(value.values())
        elif isinstance(value, list | tuple):
            yield from _texts(value)
