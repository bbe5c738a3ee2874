"""The step ``grid``: every band is resampled to the same pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...progress import Progress

if TYPE_CHECKING:
    from ...progress import Steps
    from .preparation import Preparation


def grid_step(work: Preparation) -> Steps[None]:
    """Resample every band; what is worth knowing of the galaxy's distance is said first."""
    for note in work.galaxy.notes:
        yield Progress("grid", 0, len(work.images), note, lasting=True)
    yield from work.each_band("grid", lambda _, image: work.memory.resample(image, work.grid))
