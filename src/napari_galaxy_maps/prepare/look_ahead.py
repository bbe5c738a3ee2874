"""A look at a galaxy's images before they are prepared: where the galaxy is, and how bright it is
in each band and how well seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..progress import Steps
from .chain.preparation import Preparation
from .chain.sky_step import sky_step

if TYPE_CHECKING:
    from ..data.galaxy import BandImage, Ellipse, Galaxy
    from ..data.recipe import Recipe
    from .memory import PreparationMemory

SIGMAS = 3.0
"""Times the scatter of the sky in blocks as large: a block shows the galaxy."""
_BLOCKS = 5
"""Along the ellipse's semi-minor axis."""
_MOST_BLOCKS = 400
"""Along a side of the image: much more of it than the galaxy tells little."""
_SKY, _FEWEST = 1.25, 20
"""Ellipses beyond which the sky is looked at, and of how many blocks at least."""
_MIDDLE = 0.5
"""Ellipses within which brightness is looked at."""


@dataclass(frozen=True)
class Seen:
    """How a galaxy looks in one band.

    Attributes
    ----------
    share : float
        Of the blocks inside of its ellipse, how many stand out of the sky by `SIGMAS`; NaN where
        the image shows too little sky to tell.
    brightness : float
        Median inside of half its ellipse over the sky, MJy/sr; NaN where nothing was measured.
    """

    share: float
    brightness: float


@dataclass(frozen=True)
class Look:
    """What a look at the images came to.

    Attributes
    ----------
    ellipse : Ellipse
        As given, or as measured.
    bands : mapping of str to Seen
        By band.
    """

    ellipse: Ellipse
    bands: Mapping[str, Seen]


def look_steps(galaxy: Galaxy, recipe: Recipe, memory: PreparationMemory) -> Steps[Look]:
    """Subtract the sky, as the preparation does, which is spared it afterwards by `memory`, and
    look at the galaxy in each band.

    Raises
    ------
    GalaxyMapsError
        As the step of the sky does: when no galaxy stands out, or not at its position.
    """
    work = Preparation(galaxy, recipe, memory, None, {})
    for sign in sky_step(work):
        yield replace(sign, lasting=False)
    return Look(
        work.ellipse, {name: seen_in(image, work.ellipse) for name, image in work.images.items()}
    )


def seen_in(image: BandImage, ellipse: Ellipse) -> Seen:
    """How a galaxy looks in the band of an image whose sky was subtracted.

    Noise is measured in blocks of the size that the galaxy is looked at in, so that pixels that
    share their noise are not taken for more than they are.
    """
    from astropy.nddata import block_reduce
    from astropy.stats import sigma_clipped_stats

    side = int(ellipse.b / image.pixel_arcsec / _BLOCKS)
    side = max(1, side, -(-max(image.shape) // _MOST_BLOCKS))
    side = min(side, *image.shape)
    ny, nx = (n // side * side for n in image.shape)
    data = np.asarray(image.data[:ny, :nx], float)
    if image.mask is not None:
        data = np.where(image.mask[:ny, :nx], np.nan, data)
    with np.errstate(invalid="ignore"):
        there = block_reduce(np.isfinite(data).astype(float), side)
        blocks = block_reduce(np.nan_to_num(data), side) / np.where(there > 0, there, np.nan)
    middles = tuple(slice(side // 2, n, side) for n in (ny, nx))
    radius, known = ellipse.radius(image.wcs, image.shape)[middles], np.isfinite(blocks)
    middle = known & (radius < _MIDDLE)
    sky, inside = known & (radius > _SKY), known & (radius < 1)
    level, share = 0.0, float("nan")
    if sky.sum() >= _FEWEST and inside.any():
        _, level, scatter = sigma_clipped_stats(blocks[sky])
        share = float((blocks[inside] > level + SIGMAS * scatter).mean())
    brightness = float(np.median(blocks[middle]) - level) if middle.any() else float("nan")
    return Seen(share, brightness)
