"""File > Open Sample: the sample galaxy, a file a band as an observatory would deliver it, and its truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..exceptions import InputError
from . import loading, readers
from .session import current_session

FOLDER = "sample-galaxy"


def sample_folder() -> Path:
    """The folder of the sample galaxy: in the installed package, or in the repository.

    Raises
    ------
    InputError
        When it is in neither.
    """
    package = Path(__file__).parents[1]
    for parent in (package / "sample_data", package.parents[1] / "sample_data"):
        if (parent / FOLDER).is_dir():
            return parent / FOLDER
    raise InputError("The sample galaxy is not in this installation; install the package again.")


def open_sample() -> list[tuple[Any, ...]]:
    """Open the sample galaxy; in a running window the first band comes at once and the others by themselves."""
    folder = sample_folder()
    session = current_session()
    if session is not None:
        use_recipe(session, folder)
    if session is None or not readers.in_event_loop():
        return readers.read_now([folder], session)
    # napari wants a layer back from a sample: the normalising band is read here, all else in the thread.
    images = sorted(folder.glob("*.fits*"))
    first = next((p for p in images if "3.4" in p.name or "w1" in p.name.lower()), images[0])
    layers = readers.read_now([first], session)
    loading.add_paths(session, [folder])
    return layers


def use_recipe(session: Any, folder: Path) -> None:
    """Take over what a folder's recipe says of the galaxy, where there is one recipe and nobody has said anything."""
    from ..fits_io import read_recipe
    from ..recipe import Recipe

    recipes = sorted(folder.glob("*.toml"))
    if len(recipes) == 1 and session.recipe == Recipe():
        session.recipe = read_recipe(recipes[0])
        session.recipe_changed.emit()
