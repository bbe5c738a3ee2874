"""A galaxy of another making than the mocks', on a fine grid before any camera sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .starlight import PLANES


@dataclass(frozen=True, eq=False)
class Scene:
    """A galaxy with its truth.

    Attributes
    ----------
    planes : ndarray, shape (n_planes, n, n)
        `starlight.PLANES`: brightness in MJy/sr, and the truth per kpc2.
    centre : tuple of float
        Row and column.
    r_half : float
        Radius in pixels of the circle that holds half of the mass of stars.
    redshift : float
        At which it is bright as it is.
    """

    planes: np.ndarray
    centre: tuple[float, float]
    r_half: float
    redshift: float

    def plane(self, name: str) -> np.ndarray:
        """One of the planes."""
        return np.asarray(self.planes[PLANES.index(name)])
