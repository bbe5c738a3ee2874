"""What maps of fitted pixels have in common: their place on the grid, and their record."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data.cube import BandCube
from .library import Library, known_places


def on_grid(cube: BandCube, pixels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values of fitted pixels as planes of a cube's grid, NaN elsewhere.

    Parameters
    ----------
    cube : BandCube
    pixels : ndarray of int, shape (n,)
        Of its flattened grid.
    values : ndarray, shape (..., n)

    Returns
    -------
    ndarray of float32, shape (..., ny, nx)
    """
    full = np.full((*values.shape[:-1], cube.mask.size), np.nan, np.float32)
    full[..., pixels] = values
    return full.reshape(*values.shape[:-1], *cube.shape)


def record_of_fit(
    cube: BandCube, library: Library, model: str, notes: list[str]
) -> tuple[dict[str, Any], float | None]:
    """What maps say of the fit of a library, and the pixels over which their noise is shared."""
    known = known_places(cube.bands, library)
    provenance = {
        "object": cube.name, "model": model, "imf": library.settings.imf.capitalize(),
        "bands": ", ".join(cube.bands[i] for i in known), "fwhm": cube.fwhm,
        "redshift": library.redshift,
        "library": f"{len(library)} model spectra, prior {library.settings.prior}",
        "note": [*cube.notes, *notes],
    }  # fmt: skip
    shared = None if cube.correlation is None else float(np.max(cube.correlation[known]))
    return provenance, shared
