"""A look at a galaxy's images before they are prepared, or at its prepared bands: where the galaxy
is, and how bright it is in each band and how well seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..data.cube import random_part
from ..data.flags import Flag
from ..progress import Steps
from .chain.preparation import Preparation
from .chain.sky_step import sky_step

if TYPE_CHECKING:
    from ..data.cube import BandCube
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
    ellipse : Ellipse or None
        As given, or as measured; None where prepared bands were looked at.
    bands : mapping of str to Seen
        By band.
    """

    ellipse: Ellipse | None
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


def seen_in_cube(cube: BandCube) -> dict[str, Seen]:
    """How a galaxy looks in each band of a prepared cube, by the cube's own errors; empty where the
    cube does not say which pixels are of the galaxy.

    Inside of its ellipse is what no flag says is outside; the moments of these pixels tell how far
    from its middle a pixel is.
    """
    outside = (cube.flags & Flag.OUTSIDE) != 0
    rows, columns = np.nonzero(~outside)
    if rows.size < _FEWEST or not outside.any():
        return {}
    # Of a filled ellipse the variance along an axis is a quarter of the semi-axis squared.
    spread = 4 * np.cov(rows, columns)
    if np.linalg.matrix_rank(spread) < 2:
        return {}
    side = max(1, int(np.sqrt(np.linalg.eigvalsh(spread)[0]) / _BLOCKS))
    away = np.indices(cube.shape) - np.array([rows.mean(), columns.mean()])[:, None, None]
    radius = np.sqrt(np.einsum("iyx,ij,jyx->yx", away, np.linalg.inv(spread), away))
    correlation, systematic = (
        np.zeros(len(cube.bands)) if known is None else known
        for known in (cube.correlation, cube.systematic)
    )
    return {
        band: _seen_by_errors(
            cube.data[i],
            random_part(cube.data[i], cube.uncertainty[i], float(systematic[i])),
            cube.mask if cube.own_masks is None else cube.own_masks[i],
            radius,
            side,
            max(1.0, float(correlation[i])),
        )
        for i, band in enumerate(cube.bands)
    }


def _seen_by_errors(
    data: np.ndarray,
    error: np.ndarray,
    mask: np.ndarray,
    radius: np.ndarray,
    side: int,
    correlation: float,
) -> Seen:
    """How a galaxy looks in blocks of a band, of which `correlation` pixels share their noise."""
    from astropy.nddata import block_reduce

    ny, nx = (n // side * side for n in data.shape)
    good = (np.isfinite(data) & np.isfinite(error) & ~mask)[:ny, :nx]
    there = block_reduce(good.astype(float), side)
    with np.errstate(invalid="ignore", divide="ignore"):
        light = block_reduce(np.where(good, data[:ny, :nx], 0.0), side) / there
        variance = block_reduce(np.where(good, error[:ny, :nx], 0.0) ** 2.0, side)
        # The noise of fewer pixels than share it is not less than that of one.
        noise = np.sqrt(variance * np.minimum(correlation, there)) / there
    middles = tuple(slice(side // 2, n, side) for n in (ny, nx))
    known, away = there > 0, radius[middles]
    inside, middle = known & (away < 1), known & (away < _MIDDLE)
    share = float((light[inside] > SIGMAS * noise[inside]).mean()) if inside.any() else np.nan
    return Seen(share, float(np.median(light[middle])) if middle.any() else float("nan"))
