"""What pixels have that whole galaxies have not: a correction of the members' mean and an
uncertainty of its own, fitted to pixels of mock galaxies.

The members know whole galaxies. How far a pixel is one of these is told by its side in pc: up to
`PIXEL_PC` it is a pixel, from `GALAXY_PC` on a galaxy, and in between a part of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...constants import PC_PER_MPC_ARCSEC
from .columns import Columns
from .packed_forest import PackedForest
from .uncertainty import Spread, spread_features

PIXEL_PC, GALAXY_PC = 3000.0, 6000.0
"""DB21 go up to 3 kpc; the apertures of 96 % of DustPedia's galaxies are wider than 6 kpc."""


def share_of_pixel(scale_pc: np.ndarray) -> np.ndarray:
    """How far spectra are those of pixels, between 0 and 1; those of an unknown scale are.

    Parameters
    ----------
    scale_pc : ndarray, shape (n,)
        Side of the pixel, or the root of a galaxy's aperture; small where it is not known
        (`features.UNKNOWN_SCALE`, below all others).
    """
    steps = np.log10(np.array([PIXEL_PC, GALAXY_PC]))
    return np.interp(np.log10(scale_pc), steps, [1.0, 0.0])


def unknown_side(model: str, pixel_arcsec: float | None) -> str:
    """A sentence on what a model takes for the side of pixels of which no distance tells it.

    Parameters
    ----------
    model : str
        Its name.
    pixel_arcsec : float or None
        Side of the pixels, where it is known: then it is said up to which distance that is right.
    """
    kpc = PIXEL_PC / 1000
    right = ""
    if pixel_arcsec:
        most = PIXEL_PC / (PC_PER_MPC_ARCSEC * pixel_arcsec)
        right = f", which pixels of {pixel_arcsec:.2g}″ are up to {most:.0f} Mpc"
    return (
        f"Distance unknown: {model} takes each pixel for {kpc:g} kpc wide at most{right}. Maps per "
        "kpc² and ratios need no distance, but sums have no mass and no luminosity."
    )


@dataclass(frozen=True)
class Surroundings:
    """What is known of n pixels beside their colours.

    Attributes
    ----------
    unusual : ndarray, shape (n,)
        How unusual the colours are.
    scale_pc : ndarray, shape (n,)
        Side of the pixel, or `features.UNKNOWN_SCALE`.
    brightness : ndarray, shape (n,)
        Surface brightness in the normalising band, MJy/sr: where stars are dense, dust is warm.
    """

    unusual: np.ndarray
    scale_pc: np.ndarray
    brightness: np.ndarray

    def take(self, rows: np.ndarray) -> Surroundings:
        """Those of the pixels at `rows`."""
        return Surroundings(self.unusual[rows], self.scale_pc[rows], self.brightness[rows])


def pixel_features(features: np.ndarray, mean: np.ndarray, about: Surroundings) -> np.ndarray:
    """What the pixels' trees see: `uncertainty.spread_features` with the logarithms of scale and
    brightness between, as in DB21 (Sect. 2.3).

    Parameters
    ----------
    features : ndarray of float32, shape (n, n_features)
    mean : ndarray, shape (n, 5)
        What the members say.
    about : Surroundings

    Returns
    -------
    ndarray of float32, shape (n, n_features + 8)
    """
    own = np.log10(np.column_stack([about.scale_pc, about.brightness])).astype(np.float32)
    return spread_features(np.hstack([features, own]), mean, about.unusual)


@dataclass(frozen=True)
class PixelPart:
    """Correction and uncertainty of pixels.

    Attributes
    ----------
    correction : PackedForest
        What is added to the members' mean of the five targets.
    spread : Spread
        Of the seven quantities, from the corrected mean.
    """

    correction: PackedForest
    spread: Spread

    def corrected(
        self,
        features: np.ndarray,
        mean: np.ndarray,
        about: Surroundings,
        device: str = "cpu",
    ) -> np.ndarray:
        """The mean of pixels, shape (n, 5); arguments as of `pixel_features`."""
        seen = pixel_features(features, mean, about)
        return np.asarray(mean + self.correction.predict(seen, device), np.float32)

    def applied(
        self,
        features: np.ndarray,
        mean: np.ndarray,
        sigma: np.ndarray,
        about: Surroundings,
        columns: Columns,
        device: str = "cpu",
    ) -> tuple[np.ndarray, np.ndarray]:
        """Mean and uncertainty of spectra as far as they are those of pixels.

        Parameters
        ----------
        features, mean, about
            As of `pixel_features`.
        sigma : ndarray, shape (n, 7)
            Of `uncertainty.QUANTITIES`, as the members say; NaN where nothing of it is needed.
        columns : Columns

        Returns
        -------
        mean : ndarray of float32, shape (n, 5)
        sigma : ndarray of float32, shape (n, 7)
        """
        mean, sigma = mean.astype(np.float32), sigma.astype(np.float32)
        share = share_of_pixel(about.scale_pc)
        rows = np.flatnonzero(share > 0)
        if not len(rows):
            return mean, sigma
        seen, of_rows, w = features[rows], about.take(rows), share[rows, None]
        own = self.corrected(seen, mean[rows], of_rows, device)
        own_sigma = self.spread.sigma(pixel_features(seen, own, of_rows), columns, device)
        mean[rows] = w * own + (1 - w) * mean[rows]
        rest = np.where(w < 1, sigma[rows], 0.0)
        sigma[rows] = np.sqrt(w * own_sigma**2 + (1 - w) * rest**2)
        return mean, sigma

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """The arrays by name, to be written to a file."""
        return {
            **self.correction.arrays(f"{prefix}correction."),
            **self.spread.arrays(f"{prefix}spread."),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str) -> PixelPart:
        """The reverse of `arrays`."""
        return cls(
            PackedForest.from_arrays(arrays, f"{prefix}correction."),
            Spread.from_arrays(arrays, f"{prefix}spread."),
        )
