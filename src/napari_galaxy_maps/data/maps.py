"""Maps of properties on one grid, as predicted or fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .properties import GAUSSIAN_95

if TYPE_CHECKING:
    from astropy.wcs import WCS


@dataclass(frozen=True)
class PropertyMaps:
    """Maps of properties on one grid.

    Attributes
    ----------
    values : mapping of str to ndarray of float32, shape (ny, nx)
        The maps by property name, in the property's unit; NaN where there is none.
    errors : mapping of str to ndarray of float32, shape (ny, nx)
        Their 1-sigma uncertainties; a map without one is missing here.
    wcs : astropy.wcs.WCS
        Celestial coordinates of the grid.
    flags : ndarray of int16, shape (ny, nx)
        Bits of `Flag`.
    provenance : mapping
        What made them: recipe (TOML text), model, its hash, versions, inputs with checksums, IMF,
        name of the galaxy.
    correlation : float or None
        Pixels over which the noise of the maps is shared
        (`prepare.errors.error_budget.correlation`): that of the band where it is shared most. None
        where it is not known.
    tails : mapping of str to float
        By property, the sigmas within which 95 % of the errors were found to be; where it is
        missing here a Gaussian's, 1.96.
    """

    values: Mapping[str, np.ndarray]
    errors: Mapping[str, np.ndarray]
    wcs: WCS
    flags: np.ndarray
    provenance: Mapping[str, Any] = field(default_factory=dict)
    correlation: float | None = None
    tails: Mapping[str, float] = field(default_factory=dict)

    def tail(self, name: str) -> float:
        """Sigmas of a property within which 95 % of the errors are."""
        return self.tails.get(name, GAUSSIAN_95)

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx) of the grid."""
        ny, nx = self.flags.shape
        return ny, nx
