"""File > Open Sample: a spiral and an early type, a file a band as an observatory would deliver it,
and their truths.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..ground.package_files import folder_with
from ..workspace import current_workspace
from . import readers

SPIRAL, EARLY_TYPE = "spiral", "early-type"


def sample_folder(name: str = SPIRAL) -> Path:
    """The folder of a sample galaxy; an `InputError` where it is not there."""
    return folder_with("sample_data", name, "The sample galaxies are") / name


def open_spiral() -> list[tuple[Any, ...]]:
    """Open the spiral; in a running window the first band comes at once and the others by
    themselves.
    """
    return _open(SPIRAL)


def open_early_type() -> list[tuple[Any, ...]]:
    """Open the early type, as `open_spiral`."""
    return _open(EARLY_TYPE)


def _open(name: str) -> list[tuple[Any, ...]]:
    folder = sample_folder(name)
    workspace = current_workspace()
    if workspace is not None:
        workspace.galaxies.begin()
        workspace.project.take_recipe_in(folder)
    if workspace is None or not readers.in_event_loop():
        return readers.read_now([folder], workspace)
    # napari wants a layer back from a sample: the normalising band is read here, all else in the
    # thread.
    images = sorted(folder.glob("*.fits*"))
    first = next((p for p in images if "w1-int" in p.name), images[0])
    layers = readers.read_now([first], workspace)
    workspace.opener.add_paths([folder])
    return layers
