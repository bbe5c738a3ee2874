"""Which files a recipe or an option names, and whether two paths lead to one file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

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


def files_named_by(recipe: Recipe) -> dict[str, Path]:
    """What the recipe's settings name that may be a file, by its use."""
    texts: dict[str, float | str] = {
        f"psf of {band}": psf for band, psf in recipe.input.psf.items()
    }
    texts |= {f"kernel of {band}": kernel for band, kernel in recipe.psf.kernels.items()}
    texts |= {
        "common psf": recipe.psf.target,
        "stars": recipe.stars.catalogue,
        "reddening": recipe.reddening.map,
        "coarse map": recipe.sharpen.coarse,
    }
    return {
        use: Path(text).expanduser()
        for use, text in texts.items()
        if isinstance(text, str) and text
    }


def files_of_recipe(recipe: Recipe, beside: Path | None = None) -> list[Path]:
    """The files that a recipe names and that are there.

    Parameters
    ----------
    recipe : Recipe
    beside : Path, optional
        A folder in which they may lie, too.
    """
    named = list(files_named_by(recipe).values())
    near = [beside / path for path in named] if beside is not None else []
    return [found for path in (*named, *near) for found in path_in(str(path)) if found.is_file()]
