"""What a network's values and uncertainties are worth: corrected by what they were found to be on
galaxies held out from training.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...data.properties import GAUSSIAN_95
from .inputs import UGRIZ

if TYPE_CHECKING:
    from ...data.cube import BandCube

N_BANDS = len(UGRIZ)
_ARRAYS = ("sharpness", "shift", "depth", "raw", "correction", "tail")
_LEAST_RATIO = 0.1


def depth_of(data: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """ln of how far each pixel stands out of the noise in the band where it does most, shape (ny,
    nx); at least ln 0.1.

    Parameters
    ----------
    data, sigma : ndarray, shape (n_bands, ny, nx)
        NaN where missing.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.fmax.reduce(data / sigma, axis=0)
    return np.asarray(np.log(np.fmax(ratio, _LEAST_RATIO)))


def off_in_dex(data: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """By how much the logarithm of the light may be off by its error, the median of the bands: what
    was filled under a mask is off in all bands alike, which no network is told. Shape (ny, nx).
    """
    with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no band there
        off = np.nanmedian(np.log10(1 + sigma / np.maximum(data, 0.1 * sigma)), axis=0)
    return np.nan_to_num(off)


def sharpness_of(cube: BandCube) -> float:
    """log2 of the PSF's FWHM in pixels of the image (`Calibration`)."""
    return float(np.log2(max(cube.fwhm, 1e-3) / cube.pixel_arcsec))


@dataclass(frozen=True)
class Calibration:
    """Shifts of values and corrections of sigmas, by property, for each number of bands and for
    pixels of some sizes.

    Attributes
    ----------
    sharpness : ndarray, shape (n_sizes,)
        log2 of the PSF's FWHM in pixels, rising: for pixels between these, and beyond the first and
        the last, corrections are interpolated and held.
    shift : ndarray, shape (5, n_sizes, n_maps)
        To be added to values, dex; first for one band, last for five. NaN: the map was never
        taught.
    depth : ndarray, shape (5, n_sizes, n_depths)
        `depth_of` pixels, rising, between which corrections are interpolated.
    raw, correction : ndarray, shape (5, n_sizes, n_depths, n_maps, n_knots)
        ln of sigmas (dex) that the network says, rising, and what to add to them.
    tail : ndarray, shape (5, n_sizes, n_maps)
        Corrected sigmas within which 95 % of the errors are.
    """

    sharpness: np.ndarray
    shift: np.ndarray
    depth: np.ndarray
    raw: np.ndarray
    correction: np.ndarray
    tail: np.ndarray

    @classmethod
    def none(cls, n_maps: int) -> Calibration:
        """One that changes nothing."""
        flat = np.zeros((N_BANDS, 1, 1, n_maps, 1))
        by_map = flat[:, :, 0, :, 0]
        return cls(np.zeros(1), by_map, flat[:, :, :, 0, 0], flat, flat, by_map + GAUSSIAN_95)

    def corrected(
        self,
        value: np.ndarray,
        sigma: np.ndarray,
        depth: np.ndarray,
        n_bands: int,
        sharpness: float,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Values and sigmas in dex of an image in `n_bands` bands whose PSF has 2^`sharpness`
        pixels.

        Parameters
        ----------
        value, sigma : ndarray, shape (n_maps, ...)
        depth : ndarray, shape (...)
            `depth_of` its pixels.
        n_bands : int
        sharpness : float
        """
        shift, depths, raw, correction = (
            self._at(table[n_bands - 1], sharpness)
            for table in (self.shift, self.depth, self.raw, self.correction)
        )
        place = np.interp(depth, depths, np.arange(len(depths)))
        logs = np.log(np.maximum(sigma, 1e-9))
        added = np.zeros_like(logs)
        for row, level in enumerate(zip(raw, correction, strict=True)):
            weight = np.maximum(1 - np.abs(place - row), 0)
            near = weight > 0
            for k, knots in enumerate(zip(*level, strict=True)):
                added[k][near] += weight[near] * np.interp(logs[k][near], *knots)
        new = value + shift.reshape(-1, *(1,) * (value.ndim - 1))
        return new.astype(value.dtype), np.where(
            np.isnan(new), np.nan, np.exp(logs + added)
        ).astype(sigma.dtype)

    def tails(self, n_bands: int, sharpness: float) -> np.ndarray:
        """Sigmas within which 95 % of the errors are, shape (n_maps,); arguments as those of
        `corrected`.
        """
        return self._at(self.tail[n_bands - 1], sharpness)

    def _at(self, table: np.ndarray, sharpness: float) -> np.ndarray:
        """A table of the sizes, shape (n_sizes, ...), between which `sharpness` is."""
        place = float(np.interp(sharpness, self.sharpness, np.arange(len(self.sharpness))))
        low = int(place)
        high = min(low + 1, len(table) - 1)
        return np.asarray(table[low] + (place - low) * (table[high] - table[low]))

    def only(self, taught: np.ndarray) -> Calibration:
        """Without the maps that were never taught: they must not look certain. `taught` has shape
        (n_maps,).
        """
        return replace(self, shift=np.where(taught, self.shift, np.nan))

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """The arrays by name, to be written to a file."""
        return {f"{prefix}{key}": np.asarray(getattr(self, key), np.float64) for key in _ARRAYS}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str) -> Calibration:
        """The reverse of `arrays`; raises `KeyError` where one is missing."""
        gaussian = np.full(
            arrays[f"{prefix}shift"].shape, GAUSSIAN_95
        )  # of what earlier versions trained
        arrays = {f"{prefix}tail": gaussian, **arrays}
        return cls(*(arrays[f"{prefix}{key}"] for key in _ARRAYS))
