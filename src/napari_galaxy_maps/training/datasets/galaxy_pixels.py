"""Pixels of galaxies with their truth: what a pixel model is trained and scored on."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True)
class GalaxyPixels:
    """n pixels of m galaxies.

    Attributes
    ----------
    bands : tuple of str
    values, errors : ndarray of float32, shape (n_bands, n)
        Surface brightness as observed and its 1-sigma error (calibration included), MJy/sr; NaN
        where a pixel has none.
    truth : ndarray of float32, shape (n, 7)
        `models.dust_forest.uncertainty.QUANTITIES`, with Salpeter's initial mass function and
        THEMIS's dust; NaN where there is no truth.
    scale_pc : ndarray of float32, shape (n,)
        Side of the pixel.
    radius : ndarray of float32, shape (n,)
        Distance from the centre in the galaxy's plane, in semi-major axes of D25.
    galaxy : ndarray of int32, shape (n,)
        Number of the galaxy, 0 to m - 1.
    kinds : tuple of str
        What each of the m galaxies is.
    """

    bands: tuple[str, ...]
    values: np.ndarray
    errors: np.ndarray
    truth: np.ndarray
    scale_pc: np.ndarray
    radius: np.ndarray
    galaxy: np.ndarray
    kinds: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.galaxy)

    def select(self, keep: np.ndarray) -> GalaxyPixels:
        """The pixels `keep` (bool or indices along n); the galaxies keep their numbers."""
        own = {name: getattr(self, name) for name in ("bands", "kinds")}
        along_last = ("values", "errors")
        rows = {
            f.name: getattr(self, f.name)[:, keep]
            if f.name in along_last
            else getattr(self, f.name)[keep]
            for f in fields(self)
            if f.name not in own
        }
        return GalaxyPixels(**own, **rows)
