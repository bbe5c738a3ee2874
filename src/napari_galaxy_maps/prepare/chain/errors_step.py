"""The step ``errors``: every pixel gets its error, and the bands become one cube."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...progress import Progress

if TYPE_CHECKING:
    from ...data.galaxy import BandImage
    from ...progress import Steps
    from .preparation import Preparation


def errors_step(work: Preparation) -> Steps[None]:
    """Give every band its errors, and stack the bands."""
    from ..errors.error_budget import add_errors, background
    from .cube import stacked

    def with_errors(name: str, image: BandImage) -> BandImage:
        sky = work.memory.do(
            "background", background, work.unmasked[name], work.ellipse, work.grid.pixel_arcsec
        )
        return work.memory.do("errors", add_errors, image, sky, work.recipe.errors.model_copy())

    yield from work.each_band("errors", with_errors)
    if work.recipe.errors.background:
        quiet = ", ".join(name for name, image in work.images.items() if image.meta["rms"] == 0)
        if quiet:
            words = (
                f"no noise at all in the sky of {quiet}, as in no measured image: errors there are "
                "too small; look at the files"
            )
            yield Progress("errors", len(work.images), len(work.images), words, lasting=True)
    work.cube = stacked(work)
