"""By how much each band of a spectrum differs from what all of its other bands say, by the factor
model of galaxies' colours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .colour_model import ONE_AT_A_TIME, ColourModel
from .features import Spectra

_ANY_BRIGHTNESS = 30.0
"""Dex by which galaxies' brightness may scatter: it says nothing of a band."""


@dataclass(frozen=True)
class Offsets:
    """Bands of n spectra beside what their other bands say; in the order of `Columns.bands`.

    Attributes
    ----------
    offset : ndarray, shape (n, n_bands)
        Dex by which the band is brighter than the others say; NaN where it is not above
        3 sigma, and neither counts for the others.
    width : ndarray, shape (n, n_bands)
        How well that is known, dex: by the scatter of galaxies' colours, given the other bands,
        and by the noise.
    chi2 : ndarray, shape (n,)
        Of all bands together. Without one band it is less by (offset / width)^2 of that band.
    """

    offset: np.ndarray
    width: np.ndarray
    chi2: np.ndarray

    @property
    def sigmas(self) -> np.ndarray:
        """How many widths each band is off, shape (n, n_bands); 0 where it is not compared."""
        return np.nan_to_num(self.offset / self.width)


def beside_others(spectra: Spectra, colours: ColourModel) -> Offsets:
    """Compare every band with what all the others say of it.

    In log flux all is Gaussian and linear: brightness, factors, specific scatter and noise. So what
    the others say is known in closed form, for the normalising band as for any other.

    Parameters
    ----------
    spectra : Spectra
        All of them usable.
    colours : ColourModel
        Of the columns of the spectra.
    """
    from .colour_kernel import beside_others as loop

    columns = spectra.columns
    n, n_bands = len(spectra.normal), len(columns.bands)
    factors = np.zeros((n_bands, 1 + colours.loadings.shape[1]))
    factors[:-1, 1:], factors[:, 0] = colours.loadings, _ANY_BRIGHTNESS
    offset, width = np.full((2, n, n_bands), np.nan)
    chi2 = np.empty(n)
    with ONE_AT_A_TIME:
        loop(
            np.ascontiguousarray(spectra.ratio),
            np.ascontiguousarray(spectra.error),
            np.ascontiguousarray(spectra.normal_error / spectra.normal),
            colours.mean,
            factors,
            colours.specific,
            offset,
            width,
            chi2,
        )
    order = np.argsort([*columns.others, columns.normal])
    return Offsets(offset[:, order], width[:, order], chi2)
