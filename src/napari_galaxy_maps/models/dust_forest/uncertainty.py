"""The uncertainty model: boosted trees for log sigma, and a recalibration fitted to galaxies that
the trees did not see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .columns import Columns
from .packed_forest import PackedForest

N_TARGETS = 5
"""What is predicted: `training.datasets.galaxies.TARGETS`."""
QUANTITIES: tuple[str, ...] = (
    "LOG_SLD", "LOG_SMD", "T_DUST", "LOG_SIGMA_LSTAR", "LOG_SIGMA_STAR", "LOG_SIGMA_LD",
    "LOG_SIGMA_MD",
)  # fmt: skip
"""What a sigma is given for; residuals of the last two correlate, so that they have trees of their
own.
"""


def quantities_of(targets: np.ndarray) -> np.ndarray:
    """The seven quantities, surface densities per WISE 3.4 luminosity, from the five that are
    predicted: log L_dust/L_star = log L_dust - log L_star, and so for masses.

    Parameters
    ----------
    targets : ndarray, shape (..., 5)
        As `training.datasets.galaxies.TARGETS`; where the stars are unknown (NaN), what needs none
        is known still.

    Returns
    -------
    ndarray, shape (..., 7)
        In the order of `QUANTITIES`.
    """
    dust_light, dust_mass, temperature, light, mass = np.moveaxis(targets, -1, 0)
    return np.stack(
        [dust_light - light, dust_mass - mass, temperature, light, mass, dust_light, dust_mass],
        axis=-1,
    )


def spread_features(features: np.ndarray, mean: np.ndarray, unusual: np.ndarray) -> np.ndarray:
    """What the spread's trees see: the mean's features, the prediction itself, and how unusual the
    colours are.

    Parameters
    ----------
    features : ndarray of float32, shape (n, n_features)
    mean : ndarray of float32, shape (n, 5)
    unusual : ndarray, shape (n,)

    Returns
    -------
    ndarray of float32, shape (n, n_features + 6)
    """
    return np.hstack([features, mean, np.log10(np.maximum(unusual, 1e-3))[:, None]]).astype(
        np.float32
    )


def galaxy_part(sigma: np.ndarray, share: float, most: float) -> np.ndarray:
    """The part of an uncertainty that all pixels of a galaxy share.

    A model errs about a galaxy as a whole (Dobbels & Baes 2021, Sect. 3) by as much as it errs
    where pixels are well measured; what their sigma has beyond that is their own noise.

    Parameters
    ----------
    sigma : ndarray
        1-sigma uncertainties of pixels, of one of `QUANTITIES`.
    share : float
        Of the variance of well measured pixels, between 0 and 1.
    most : float
        Sigma of a well measured galaxy.

    Returns
    -------
    ndarray
        Of the shape and type of `sigma`; NaN where that is.
    """
    return np.asarray(np.sqrt(share) * np.minimum(sigma, most), sigma.dtype)


_OWN = ("limits", "recalibration", "tails")


@dataclass(frozen=True)
class Spread:
    """log sigma of the seven quantities.

    Attributes
    ----------
    forest : PackedForest
        Gives ln sigma before recalibration.
    limits : ndarray, shape (2, 7)
        Least and greatest ln sigma.
    recalibration : ndarray, shape (7, 2 + n_levers)
        Parameters of `recalibrate`.
    tails : ndarray, shape (7,)
        The sigmas that hold 95 % of the errors; a Gaussian's would be 1.96.
    """

    forest: PackedForest
    limits: np.ndarray
    recalibration: np.ndarray
    tails: np.ndarray

    def sigma(self, x: np.ndarray, columns: Columns, device: str = "cpu") -> np.ndarray:
        """1-sigma uncertainties, shape (n, 7), from `spread_features`."""
        raw = np.clip(self.forest.predict(x, device), self.limits[0], self.limits[1])
        out: np.ndarray = np.exp(recalibrate(raw, levers(x, columns), self.recalibration))
        return out

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """The arrays by name, to be written to a file."""
        own = {prefix + k: getattr(self, k) for k in _OWN}
        return {**self.forest.arrays(prefix), **own}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str) -> Spread:
        """The reverse of `arrays`."""
        own = {k: arrays[prefix + k] for k in _OWN}
        return cls(PackedForest.from_arrays(arrays, prefix), **own)


def levers(x: np.ndarray, columns: Columns) -> np.ndarray:
    """By what the recalibration tells kinds of input apart.

    Parameters
    ----------
    x : ndarray, shape (n, n_features + 6)
        From `spread_features`.
    columns : Columns
        Of the model.

    Returns
    -------
    ndarray, shape (n, 8)
        How unknown the fluxes are in one band of GALEX, SDSS and 2MASS and in WISE 2 to 4, between
        0 (measured) and 1, the logarithm of the signal-to-noise ratio of WISE 3.4, and that of how
        unusual the colours are, between -1 and 2.
    """
    found = x[:, columns.lever_places]
    widths = np.array([name.startswith("width ") for name in columns.levers])
    unknown = np.clip(np.log10(np.maximum(found, 0.03) / 0.03), 0, 1)
    return np.column_stack([np.where(widths, unknown, found), np.clip(x[:, -1], -1, 2)])


def recalibrate(raw: np.ndarray, levers: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    """ln sigma after recalibration: a constant, a slope of ln sigma itself, and one of each lever,
    are added.

    Parameters
    ----------
    raw : ndarray, shape (n, 7)
        ln sigma before.
    levers : ndarray, shape (n, n_levers)
    parameters : ndarray, shape (7, 2 + n_levers)

    Returns
    -------
    ndarray, shape (n, 7)
    """
    out: np.ndarray = raw * (1 + parameters[:, 1]) + parameters[:, 0] + levers @ parameters[:, 2:].T
    return out
