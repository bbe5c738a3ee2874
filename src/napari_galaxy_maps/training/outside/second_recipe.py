"""Galaxies of the second recipe (`training.other_mocks`) in ugriz, warped, with their true stars.

Their light has the strongest nebular lines, and no continuum of the gas.
"""

from __future__ import annotations

import numpy as np

from ..other_mocks import histories
from ..other_mocks.layout import DrawnShape, Layout
from ..other_mocks.painting import StarPainter
from ..other_mocks.populations import Populations, band_response
from ..other_mocks.simulated import measured
from ..other_mocks.traits import draw_traits
from .scene import Scene
from .starlight import BANDS, N_BANDS, OVER_YR, PLANES, truth_columns

KINDS = ("elliptical", "lenticular", "disc", "density wave", "ring", "irregular")
N_PIXELS = 160
PER_R_HALF = 15.0
"""Pixels of a half-mass radius along the major axis."""
_ROWS = 8192


def paint_second(kind: str, populations: Populations, redshift: float, seed: int) -> Scene:
    """A galaxy of one of `KINDS`; the same seed makes the same one."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    traits = draw_traits(kind, rng)
    found = histories.double_power_law(
        populations.age_yr, traits.start, traits.falling, traits.rising
    )
    shape = DrawnShape(traits, found, int(rng.integers(2**31)))
    painter = StarPainter(traits, found, populations, band_response(BANDS, redshift))
    step = traits.size / PER_R_HALF
    at = (np.arange(N_PIXELS) - (N_PIXELS - 1) / 2) * step
    across, up = np.meshgrid(at, at)
    x, y = warped(across, up, traits.size, rng)
    layout = shape.at(x, y)
    planes = painted(painter, layout, truth_columns(populations))
    planes[:N_BANDS] /= (1 + redshift) ** 3
    centre, _, _, half = measured(planes[-1])
    return Scene(planes, centre, half, redshift)


def warped(
    x: np.ndarray, y: np.ndarray, size: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Places turned by an angle that grows with the radius, by up to 40 degrees within 3 half-mass
    radii, so that isophotes twist.
    """
    twist = np.radians(rng.uniform(-40, 40)) * np.clip(np.hypot(x, y) / (3 * size), 0, 1.5) ** 1.5
    cos, sin = np.cos(twist), np.sin(twist)
    return cos * x + sin * y, cos * y - sin * x


def painted(painter: StarPainter, layout: Layout, truth: np.ndarray) -> np.ndarray:
    """`starlight.PLANES` of a layout at redshift 0, shape (n_planes, ny, nx).

    Parameters
    ----------
    painter : StarPainter
        Of `starlight.BANDS`.
    layout : Layout
        Of arrays (ny, nx).
    truth : ndarray
        Of `starlight.truth_columns`.
    """
    ny, nx = layout.old.shape
    planes = np.zeros((len(PLANES), ny, nx), np.float32)
    tables = painter.tables(truth)
    rows = max(1, _ROWS // nx)
    for start in range(0, ny, rows):
        part = slice(start, start + rows)
        flat = Layout(**{key: value[part].ravel() for key, value in vars(layout).items()})
        light = painter.stars(flat)[0]
        stars = np.add(*painter.composed(tables, flat))
        young = histories.YOUNG_GYR * 1e9
        stars[:, 2] = (flat.young * young + flat.recent * (OVER_YR - young)) / OVER_YR
        made = np.concatenate([light, stars], axis=1)
        planes[:, part] = made.T.reshape(len(PLANES), *layout.old[part].shape)
    return planes
