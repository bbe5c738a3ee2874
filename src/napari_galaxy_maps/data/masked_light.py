"""What is thought to lie under masks: of the bands of a cube, and of maps, kept apart from what was
measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class Holes:
    """The pixels under masks, pixel by pixel.

    Attributes
    ----------
    rows, columns : ndarray of int32, shape (k,)
        Where they lie on the grid, from 0.
    holes : ndarray of int32, shape (k,)
        Which hole each belongs to, from 1: pixels that touch each other. What is wrong in one pixel
        of a hole is wrong in the others, too.
    """

    rows: np.ndarray
    columns: np.ndarray
    holes: np.ndarray

    @property
    def where(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns, as an index of planes."""
        return self.rows, self.columns

    def taken_from(self, planes: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What planes hold in these pixels, each of shape (k,); it is NaN in them afterwards."""
        taken = {name: np.array(plane[self.where]) for name, plane in planes.items()}
        for plane in planes.values():
            plane[self.where] = np.nan
        return taken


@dataclass(frozen=True, eq=False)
class MaskedLight(Holes):
    """The light of each band of a cube under its own mask.

    Attributes
    ----------
    data, uncertainty : ndarray of float32, shape (n_bands, k)
        Surface brightness and its 1-sigma error in MJy/sr; NaN where the band was measured there,
        or nothing could be filled in.
    noise : ndarray of float32, shape (n_bands, k)
        1-sigma noise of the pixels about the hole, MJy/sr: what is filled in has none, but models
        take a pixel for as faint as its noise.
    wanted : ndarray of bool, shape (k,)
        Whether a prediction is wanted there, or the pixel lies outside of the galaxy's ellipse.
    """

    data: np.ndarray
    uncertainty: np.ndarray
    noise: np.ndarray
    wanted: np.ndarray

    def of_bands(self, choose: Callable[[np.ndarray], np.ndarray]) -> MaskedLight:
        """The same of other bands; `choose` makes their rows of the rows of these."""
        data, uncertainty, noise = map(choose, (self.data, self.uncertainty, self.noise))
        return replace(self, data=data, uncertainty=uncertainty, noise=noise)


@dataclass(frozen=True, eq=False)
class MapFilling(Holes):
    """Values of maps under masks, by property name, each of shape (k,).

    Attributes
    ----------
    values, errors, galaxy_errors : mapping of str to ndarray of float32
        As those of `PropertyMaps`.
    """

    values: Mapping[str, np.ndarray] = field(default_factory=dict)
    errors: Mapping[str, np.ndarray] = field(default_factory=dict)
    galaxy_errors: Mapping[str, np.ndarray] = field(default_factory=dict)
