"""The step ``impute``: gaps of the cube are filled by model spectra."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...progress import Steps
    from .preparation import Preparation


def impute_step(work: Preparation) -> Steps[None]:
    """Fill the gaps of the cube."""
    from ..impute import impute_steps

    work.cube = yield from impute_steps(
        work.cube, work.recipe, work.galaxy.distance_mpc, work.memory
    )
