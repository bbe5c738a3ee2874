"""The step ``reddening``: the Milky Way's reddening is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...progress import Progress

if TYPE_CHECKING:
    from ...progress import Steps
    from .preparation import Preparation


def reddening_step(work: Preparation) -> Steps[None]:
    """Remove the reddening of every band, where it is known."""
    from ..reddening import NOT_KNOWN, deredden, find_reddening

    reddening = find_reddening(work.recipe.reddening, work.images, work.ellipse)
    if reddening is None:
        total = len(work.images)
        yield Progress("reddening", total, total, NOT_KNOWN, lasting=True)
        return
    yield from work.each_band(
        "reddening", lambda _, image: work.memory.do("reddening", deredden, image, reddening)
    )
