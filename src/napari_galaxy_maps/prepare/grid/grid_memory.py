"""Whether a grid fits into the memory, before anything is made on it."""

from __future__ import annotations

import math

from ...device import free_memory
from ...exceptions import InputError

PER_BAND, BESIDE = 60, 200
"""Bytes for each pixel of the grid: of each band (image, error, mask and what is made on the way)
and of the maps. Measured as the peak of `prepare` and `predict` with 4 and 17 bands on grids of up
to 2,251 pixels a side: 44 and 67, and 20 to 200."""


def check_grid_memory(
    side: int, bands: int, pixel_arcsec: float, available: int | None = None
) -> None:
    """Refuse a grid that would need more memory than there is.

    Parameters
    ----------
    side : int
        Pixels on a side of the grid.
    bands : int
        How many images are brought to it.
    pixel_arcsec : float
        Side of its pixels.
    available : int, optional
        Bytes; by default what the system has free.

    Raises
    ------
    InputError
        With the pixel that would do.
    """
    free = free_memory() if available is None else available
    needed = side**2 * (PER_BAND * bands + BESIDE)
    if needed <= free:
        return
    enough = pixel_arcsec * math.sqrt(needed / free) * 1.05
    digits = 1 - math.floor(math.log10(enough))
    enough = math.ceil(enough * 10**digits) / 10**digits
    raise InputError(
        f"A grid of {side} x {side} pixels of {pixel_arcsec:g} arcsec takes about "
        f"{needed / 1e9:.1f} GB for {bands} bands, and {free / 1e9:.1f} GB of memory are free; "
        f"choose pixels of {enough:g} arcsec or more, or a smaller extent."
    )
