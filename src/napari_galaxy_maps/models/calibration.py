"""What a network's values and uncertainties are worth: corrected by what they were found to be on galaxies held out from training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

N_BANDS = 5
_ARRAYS = ("sharpness", "shift", "raw", "correction")


@dataclass(frozen=True)
class Calibration:
    """Shifts of values and corrections of sigmas, by property, for each number of bands and for pixels of some sizes.

    Attributes
    ----------
    sharpness : ndarray, shape (n_sizes,)
        log2 of the PSF's FWHM in pixels, rising: for pixels between these, and beyond the first and the last, corrections are
        interpolated and held.
    shift : ndarray, shape (5, n_sizes, n_maps)
        To be added to values, dex; first for one band, last for five. NaN: the map was never taught.
    raw, correction : ndarray, shape (5, n_sizes, n_maps, n_knots)
        ln of sigmas (dex) that the network says, rising, and what to add to them.
    """

    sharpness: np.ndarray
    shift: np.ndarray
    raw: np.ndarray
    correction: np.ndarray

    @classmethod
    def none(cls, n_maps: int) -> Calibration:
        """One that changes nothing."""
        flat = np.zeros((N_BANDS, 1, n_maps, 1))
        return cls(np.zeros(1), flat[..., 0], flat, flat)

    def corrected(
        self, value: np.ndarray, sigma: np.ndarray, n_bands: int, sharpness: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Values and sigmas in dex, shape (n_maps, ...), of an image in `n_bands` bands whose PSF has 2^`sharpness` pixels."""
        shift, raw, correction = (
            self._at(table[n_bands - 1], sharpness) for table in (self.shift, self.raw, self.correction)
        )
        logs = np.log(np.maximum(sigma, 1e-9))
        added = np.stack(
            [np.interp(plane, *knots) for plane, knots in zip(logs, zip(raw, correction, strict=True), strict=True)]
        )
        new = value + shift.reshape(-1, *(1,) * (value.ndim - 1))
        return new.astype(value.dtype), np.where(np.isnan(new), np.nan, np.exp(logs + added)).astype(sigma.dtype)

    def _at(self, table: np.ndarray, sharpness: float) -> np.ndarray:
        """A table of the sizes, shape (n_sizes, ...), between which `sharpness` is."""
        place = float(np.interp(sharpness, self.sharpness, np.arange(len(self.sharpness))))
        low = int(place)
        high = min(low + 1, len(table) - 1)
        return np.asarray(table[low] + (place - low) * (table[high] - table[low]))

    def only(self, taught: np.ndarray) -> Calibration:
        """Without the maps that were never taught: they must not look certain. `taught` has shape (n_maps,)."""
        return replace(self, shift=np.where(taught, self.shift, np.nan))

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """The arrays by name, to be written to a file."""
        return {f"{prefix}{key}": np.asarray(getattr(self, key), np.float64) for key in _ARRAYS}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str) -> Calibration:
        """The reverse of `arrays`; raises `KeyError` where one is missing."""
        return cls(*(arrays[f"{prefix}{key}"] for key in _ARRAYS))
