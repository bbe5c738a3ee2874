"""What a fit of model spectra says of a galaxy, as features of dust-forest: names and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...bands.registry import FIR_BANDS, get_band

if TYPE_CHECKING:
    from ...sed.fit import SedFit

_FAR = tuple(band for band in FIR_BANDS if get_band(band).survey in ("PACS", "SPIRE"))
_SUMS = ("Ldust", "Mdust", "Mstar", "Lbolo", "SFR")
NAMES: tuple[str, ...] = (
    *_FAR, *(f"width {band}" for band in _FAR), *_SUMS, *(f"width {name}" for name in _SUMS),
    "Tdust", "width Tdust", "A_FUV", "width A_FUV",
)  # fmt: skip
"""Means of log10 flux in the far infrared and of log10 of sums, all over the WISE 3.4 flux, their
widths in dex; and two that are no ratios.
"""
_LEAST, _MOST = 1e-9, 1e9
_WIDEST = 2.0


def features_of_fit(fit: SedFit) -> np.ndarray:
    """What a fit to fluxes over that of WISE 3.4 says.

    Parameters
    ----------
    fit : SedFit
        Of n spectra.

    Returns
    -------
    ndarray of float32, shape (n, 26)
        `NAMES`; NaN where nothing was fitted.
    """
    rows = [fit.bands.index(band) for band in _FAR]
    means = [*fit.flux[rows], *(fit.properties[name] for name in _SUMS)]
    sigmas = [*fit.flux_error[rows], *(fit.errors[name] for name in _SUMS)]
    logs = np.log10(np.clip(means, _LEAST, _MOST))
    widths = np.clip(np.array(sigmas) / np.clip(means, _LEAST, _MOST) / np.log(10), 0, _WIDEST)
    n = len(_FAR)
    others = [of[name] for name in ("Tdust", "A_FUV") for of in (fit.properties, fit.errors)]
    return np.vstack([logs[:n], widths[:n], logs[n:], widths[n:], others]).T.astype(np.float32)
