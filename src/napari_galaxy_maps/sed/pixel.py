"""One pixel or aperture as a spectrum: what was measured, the models that go with it, and what they
say of dust and stars.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..bands.registry import FIR_BANDS, get_band
from .library import Library, known_places, not_fitted
from .posterior import Posterior, posterior
from .truth import LOGARITHMS, ORDER

PERCENTILES = (16.0, 50.0, 84.0)
LIMIT_SIGMA = 3.0
"""A flux that is not positive is shown as an upper limit so many sigma above it, or above nothing.
"""


@dataclass(frozen=True, eq=False)
class PixelSpectrum:
    """What is seen in a pixel, and what model spectra make of it.

    Attributes
    ----------
    bands : tuple of str
        The bands that are measured here.
    wavelength : ndarray, shape (n,)
        Their pivots, micron.
    flux, error : ndarray, shape (n,)
        MJy/sr, as measured.
    fitted : ndarray of bool, shape (n,)
        Whether the models were fitted to it.
    spectrum_um : ndarray, shape (m,)
        Observed wavelengths of the models' spectra.
    spectrum : ndarray, shape (3, m)
        16th, 50th and 84th percentile, MJy/sr.
    model_bands : tuple of str
        All bands that the models have.
    model_um : ndarray, shape (k,)
    model_flux : ndarray, shape (3, k)
        Percentiles.
    properties : dict of ndarray, shape (3,)
        Percentiles by the maps' names and in their units.
    posterior : Posterior
        All the rest.
    """

    bands: tuple[str, ...]
    wavelength: np.ndarray
    flux: np.ndarray
    error: np.ndarray
    fitted: np.ndarray
    spectrum_um: np.ndarray
    spectrum: np.ndarray
    model_bands: tuple[str, ...]
    model_um: np.ndarray
    model_flux: np.ndarray
    properties: dict[str, np.ndarray]
    posterior: Posterior

    @property
    def not_fitted(self) -> str:
        """Words for the bands measured here that the models lack, or nothing."""
        return not_fitted(self.bands, self.posterior.library)

    @property
    def limit(self) -> np.ndarray:
        """Bands whose flux is not positive, shape (n,)."""
        return np.asarray(self.flux <= 0)

    @property
    def shown(self) -> np.ndarray:
        """The flux, or where it is not positive its upper limit, shape (n,)."""
        return np.asarray(
            np.where(self.limit, np.maximum(self.flux, 0) + LIMIT_SIGMA * self.error, self.flux)
        )


def pixel_spectrum(
    flux: np.ndarray,
    error: np.ndarray,
    bands: Sequence[str],
    library: Library,
    with_far_infrared: bool = False,
) -> PixelSpectrum:
    """Fit a library to the bands of a pixel; bands that it lacks are shown and not fitted.

    Parameters
    ----------
    flux, error : ndarray, shape (n_bands,)
        Surface brightness in MJy/sr; NaN where nothing was measured, negative as measured.
    bands : sequence of str
    library : Library
    with_far_infrared : bool
        Whether the far infrared is fitted, too; without it, it is predicted.

    Raises
    ------
    InputError
        When fewer than three bands can be fitted, errors are zero, or there is no light.
    """
    names = tuple(get_band(band).name for band in bands)
    flux, error = np.asarray(flux, float), np.asarray(error, float)
    known = known_places(names, library)
    use = np.array(
        [
            i in known and (with_far_infrared or names[i] not in FIR_BANDS)
            for i in range(len(names))
        ],
        bool,
    )
    # All bands that could be fitted, measured here or not: so the library is made ready for them
    # once.
    found = posterior(
        flux[use],
        error[use],
        [name for name, used in zip(names, use, strict=True) if used],
        library,
    )
    seen = np.isfinite(flux) & np.isfinite(error)
    spectrum_um, spectrum = found.spectrum(PERCENTILES)
    percentiles = found.property_percentiles(PERCENTILES)
    properties = {"T_DUST": percentiles["Tdust"]}
    with np.errstate(divide="ignore"):
        properties |= {name: np.log10(percentiles[what]) for name, what in LOGARITHMS.items()}
    return PixelSpectrum(
        tuple(name for name, there in zip(names, seen, strict=True) if there),
        np.array([get_band(name).pivot for name, there in zip(names, seen, strict=True) if there]),
        flux[seen], error[seen], use[seen], spectrum_um, spectrum, library.bands,
        np.array([get_band(name).pivot for name in library.bands]),
        found.flux_percentiles(PERCENTILES),
        {name: properties[name] for name in ORDER}, found,
    )  # fmt: skip
