"""The step ``sky``: the sky is subtracted, and the ellipse measured where none is given."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...progress import Progress

if TYPE_CHECKING:
    from ...data.galaxy import BandImage, Ellipse
    from ...progress import Steps
    from .preparation import Preparation


def sky_step(work: Preparation) -> Steps[None]:
    """Subtract the sky of every band; measure the galaxy's ellipse where none is given."""
    from ..sky import subtract_sky

    settings = work.recipe.sky
    ellipse = work.galaxy.ellipse
    if settings.enabled:
        if ellipse is None and settings.model == "polynomial":
            # A polynomial that does not know where the galaxy is would take part of it away.
            ellipse = yield from _measured_ellipse(work)
        yield from work.each_band(
            "sky",
            lambda _, image: work.memory.do(
                "sky", subtract_sky, image, settings.model_copy(), ellipse
            ),
        )
    if ellipse is None:
        ellipse = yield from _measured_ellipse(work)
    work.ellipse = ellipse


def _measured_ellipse(work: Preparation) -> Steps[Ellipse]:
    """The ellipse of a galaxy of which none is given, and words about it."""
    from ..extent import detection_image, measure_ellipse

    galaxy, total = work.galaxy, len(work.images)
    near = None if galaxy.ra is None or galaxy.dec is None else (galaxy.ra, galaxy.dec)
    shown = detection_image(replace(galaxy, images=work.images))
    ellipse = work.memory.do("extent", measure_ellipse, shown, near)
    yield Progress("sky", total, total, _ellipse_note(ellipse, shown), lasting=True)
    return ellipse


def _ellipse_note(ellipse: Ellipse, image: BandImage) -> str:
    return (
        f"no D25 given: ellipse of the 3 sigma isophote of {image.band}, "
        f"RA {ellipse.ra:.5f}, Dec {ellipse.dec:.5f}, "
        f"semi-axes {ellipse.a:.0f} and {ellipse.b:.0f} arcsec, "
        f"position angle {ellipse.pa:.0f} degrees"
    )
