"""How much memory the work on a galaxy takes, and what of it can be dropped and made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from ..ground.pyramids import bytes_of_levels
from .galaxy_work import GalaxyWork


def nbytes_of(work: GalaxyWork) -> int:
    """Bytes of all arrays that are held for what can be made again: images, prepared bands, and
    what the steps remember. Each is counted once.
    """
    held = (work.files.held(), work.galaxy, work.memory, work.step_images, work.cube)
    return _nbytes(held, set())


def spare(work: GalaxyWork) -> bool:
    """Drop what can be made again; False where there was nothing of the kind. Results, masks and
    what a person said of the files stay.
    """
    if not (work.files.any_read or work.memory is not None or work.cube is not None):
        return False
    work.files.forget_images()
    work.galaxy = work.memory = work.cube = None
    work.step_images = {}
    return True


def _nbytes(value: Any, seen: set[int]) -> int:
    if id(value) in seen or value is None or isinstance(value, str | int | float):
        return 0
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        of_base = _nbytes(value.base, seen) if value.base is not None else value.nbytes
        return of_base + bytes_of_levels(value)
    if isinstance(value, Mapping):
        return sum(_nbytes(each, seen) for each in value.values())
    if isinstance(value, list | tuple | set):
        return sum(_nbytes(each, seen) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return sum(_nbytes(getattr(value, each.name), seen) for each in fields(value))
    return 0
