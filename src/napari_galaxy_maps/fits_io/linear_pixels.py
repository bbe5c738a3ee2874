"""From the numbers in a file to linear pixel values: blanks out, asinh and magnitudes undone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..exceptions import InputError
from .no_data import blank_sentinels
from .pixel_scales import asinh_keywords, flux_from_magnitudes, linear_from_asinh, scale_of


def linear_pixels(
    data: np.ndarray, header: Mapping[str, Any], unit: str | None, role: str, label: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The values of an image as they add up, NaN where there is none.

    Parameters
    ----------
    data : ndarray of float, shape (ny, nx)
        As stored, scaled by ``BSCALE`` and ``BZERO``.
    header : mapping
        FITS header.
    unit : str or None
        Of the values.
    role : str
        As of `ImageFile`; magnitudes become fluxes in images alone, since what a magnitude's error
        means depends on the flux.
    label : str
        What to call the image in errors.

    Returns
    -------
    data : ndarray of float32, shape (ny, nx)
        Linear, in native byte order.
    notes : tuple of str
        What was done, in words.

    Raises
    ------
    InputError
        When the scale has no way back.
    """
    try:
        scale = scale_of(header, unit)
        data, notes = blank_sentinels(data, header, magnitudes=scale == "magnitudes")
        if scale == "asinh":
            boffset, bsoften = asinh_keywords(header)
            with np.errstate(over="ignore", invalid="ignore"):
                data = linear_from_asinh(data, boffset, bsoften)
            notes += (
                f"values on an asinh scale made linear (BSOFTEN = {bsoften:g}, BOFFSET = "
                f"{boffset:g})",
            )
        elif scale == "magnitudes" and role == "image":
            data = flux_from_magnitudes(data)
            notes += ("magnitudes made linear, 10^(-0.4 m)",)
    except InputError as error:
        raise InputError(f"{label}: {error}") from None
    with np.errstate(over="ignore"):
        data = data.astype(np.float32)
    data[~np.isfinite(data)] = np.nan
    return data, notes
