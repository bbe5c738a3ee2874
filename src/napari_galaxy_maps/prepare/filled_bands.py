"""Bands whose gaps were filled, and what is kept of that for the next time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class FilledBands:
    """Bands with their gaps filled.

    Attributes
    ----------
    bands : tuple of str
    values, errors : ndarray of float32, shape (n_bands, n_pixels)
        As measured where that can be used, else the mean and standard deviation of the posterior.
    imputed : ndarray of bool, shape (n_bands, n_pixels)
        Where the values are not those that were measured.
    """

    bands: tuple[str, ...]
    values: np.ndarray
    errors: np.ndarray
    imputed: np.ndarray


@dataclass(frozen=True, eq=False)
class LastFilling:
    """What was filled last, and from what.

    Attributes
    ----------
    key : tuple
        Settings, redshift and bands.
    values, errors : ndarray, shape (n_bands, ny, nx)
        Before.
    mask : ndarray of bool, shape (ny, nx)
    filled : FilledBands
        After, by pixel.
    """

    key: tuple[Any, ...]
    values: np.ndarray
    errors: np.ndarray
    mask: np.ndarray
    filled: FilledBands
