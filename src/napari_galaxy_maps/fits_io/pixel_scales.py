"""The scale of pixel values: linear, an inverse hyperbolic sine, or magnitudes; and the way back to
linear.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from ..exceptions import InputError

Scale = Literal["linear", "asinh", "magnitudes"]

MAGNITUDES = "mag/arcsec2"
"""The unit of an image in magnitudes."""
MAGGIES = "maggy/arcsec2"
"""What its pixels are in when they have become linear."""
ASINH_STEP = 2.5 / np.log(10)
"""Pan-STARRS's ``a``: the values of a skycell are magnitudes where they are bright (Magnier+ 2020,
ApJS 251, 3, Sect. 3).
"""


def scale_of(header: Mapping[str, Any], unit: str | None) -> Scale:
    """On which scale the values of an image are.

    Parameters
    ----------
    header : mapping
        FITS header: ``BSOFTEN`` and ``BOFFSET`` tell of an asinh scale.
    unit : str or None
        Of the values, from the header or from a person.

    Raises
    ------
    InputError
        When the values are asinh magnitudes (luptitudes), or the keywords of an asinh scale are
        not numbers: there is no way back.
    """
    text = str(unit or "").strip().lower()
    if re.search(r"luptitude|asinh", text):
        raise InputError(
            f"The values are asinh magnitudes ({unit!r}), whose softening the header does not "
            "tell; give the image with linear values."
        )
    if "BSOFTEN" in header or "BOFFSET" in header:
        asinh_keywords(header)
        return "asinh"
    return "magnitudes" if is_magnitude(text) else "linear"


def is_magnitude(unit: str) -> bool:
    """Whether a unit, in whatever spelling, is magnitudes (per solid angle or not)."""
    return bool(re.match(r"(ab|st|vega)?[ _]?mags?(nitudes?)?\b(?!.*jy)", unit.strip().lower()))


def asinh_keywords(header: Mapping[str, Any]) -> tuple[float, float]:
    """``BOFFSET`` and ``BSOFTEN`` of an image on an asinh scale.

    Raises
    ------
    InputError
        When one of them is missing or no number, or the softening is not positive.
    """
    found = []
    for key in ("BOFFSET", "BSOFTEN"):
        try:
            value = float(header[key])
        except (KeyError, TypeError, ValueError):
            value = np.nan
        if not np.isfinite(value) or (key == "BSOFTEN" and value <= 0):
            raise InputError(
                "The header tells of an asinh scale (BOFFSET, BSOFTEN), but its "
                f"{key} = {header.get(key)!r} is no use; give the image with linear values."
            )
        found.append(value)
    return found[0], found[1]


def linear_from_asinh(values: np.ndarray, boffset: float, bsoften: float) -> np.ndarray:
    """Linear values of ``a asinh((linear - boffset) / (2 bsoften))``, in float64, the same shape.

    `boffset` and `bsoften` are in the unit of the linear values, which the result has too.
    """
    return boffset + 2 * bsoften * np.sinh(np.asarray(values, np.float64) / ASINH_STEP)


def flux_from_magnitudes(values: np.ndarray) -> np.ndarray:
    """10^(-0.4 m) in float64, the same shape; NaN and +inf (no flux at all) become NaN."""
    values = np.asarray(values, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        flux = 10 ** (-0.4 * np.where(np.isfinite(values), values, np.nan))
    return np.where(np.isfinite(flux), flux, np.nan)


def flux_error_from_magnitudes(flux: np.ndarray, error: np.ndarray) -> np.ndarray:
    """The error of a flux in its unit, from the 1-sigma error of its magnitude: 0.4 ln 10 f s."""
    return 0.4 * np.log(10) * np.asarray(flux, np.float64) * np.abs(np.asarray(error, np.float64))
