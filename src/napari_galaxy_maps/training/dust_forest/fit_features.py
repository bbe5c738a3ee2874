"""Fits what all members share: the colours of galaxies, and the network that says what a fit of
model spectra would say. Neither sees the dust of a galaxy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...bands.registry import INPUT_BANDS
from ...models.dust_forest.colour_model import ColourModel, fit_colours
from ...models.dust_forest.columns import NORMAL
from ...models.dust_forest.dense_network import DenseNetwork
from ...models.dust_forest.features import ColourTerm, Spectra, normalise
from ...models.dust_forest.sed_names import features_of_fit
from ...sed.fit import fit
from ..datasets.galaxies import Galaxies
from .band_sets import COLUMNS
from .fit_network import fit_network

if TYPE_CHECKING:
    import torch

    from ...sed.library import Library

SED_WIDTHS, SED_EPOCHS = (96, 96), 20


def fit_galaxy_colours(galaxies: Galaxies, term: ColourTerm) -> ColourModel:
    """The colour model of these galaxies."""
    spectra = normalise(galaxies.values, galaxies.errors, INPUT_BANDS, term, COLUMNS)
    return fit_colours(spectra.ratio, spectra.error)


def fitted_features(spectra: Spectra, library: Library) -> np.ndarray:
    """What fits of model spectra say of spectra, float32, shape (n, 26): `sed_names.NAMES`."""
    others = [band for band in spectra.columns.bands if band != NORMAL]
    values = np.column_stack([spectra.ratio, np.ones(len(spectra.normal))]).T
    errors = np.column_stack([spectra.error, spectra.normal_error / spectra.normal]).T
    return features_of_fit(fit(values, errors, (*others, NORMAL), library, device="cpu"))


def fit_sed_network(
    before: np.ndarray, fitted: np.ndarray, seed: int, epochs: int = SED_EPOCHS
) -> DenseNetwork:
    """Fit the network that stands in for the fits.

    Parameters
    ----------
    before : ndarray, shape (n, n_inputs)
        `features.before_fit` of spectra.
    fitted : ndarray, shape (n, 26)
        `fitted_features` of them; rows with NaN are left out.
    """
    whole = np.isfinite(fitted).all(1)
    x, y = before[whole], fitted[whole]
    middle, scale = y.mean(0), y.std(0) + 1e-6
    z = ((y - middle) / scale).astype(np.float32)

    def loss(out: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        import torch

        return torch.nn.functional.smooth_l1_loss(out, wanted)

    return fit_network(
        lambda _: (x, z), loss, SED_WIDTHS, z.shape[1], (middle, scale), seed, epochs, batch=1024
    )
