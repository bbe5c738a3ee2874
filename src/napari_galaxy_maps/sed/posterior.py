"""What a library says of one pixel or aperture: percentiles of its fluxes and properties, and its
spectrum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..exceptions import InputError
from .compose import EXTENSIVE, INTENSIVE
from .fit import BAD_FIT, FitFlag
from .library import Library
from .likelihood import (
    LEAST_MODELS,
    SAFE_CHI2,
    Matrices,
    batch,
    light_of_data,
    matrices,
    observed,
    one_thread,
    scale_and_chi2,
    weights,
)

DRAWS = 2000
"""Models drawn from a posterior, as often as they are likely."""
SPECTRA = 100
"""Of them, so many have their spectrum computed."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """Models drawn as often as they are likely.

    Attributes
    ----------
    library : Library
    rows : ndarray of int, shape (n_draws,)
        Rows of the library.
    scale : ndarray, shape (n_draws,)
        Stars ever formed, Msun or Msun/kpc2.
    flux : ndarray, shape (n_draws, n_bands)
        In the library's bands and the data's unit.
    properties : dict of ndarray, shape (n_draws,)
        As in `fit.SedFit`.
    best : int
        Row of the best model.
    best_scale : float
    chi2 : float
        Of the best model, over the number of measured bands less one.
    n_measured : int
    n_models : float
        How many models share the weight: (sum w)^2 / sum w^2.
    flags : FitFlag
    unit_light : float
        Lsun/Hz (or Lsun/Hz/kpc2) per unit of the data.
    """

    library: Library
    rows: np.ndarray
    scale: np.ndarray
    flux: np.ndarray
    properties: dict[str, np.ndarray]
    best: int
    best_scale: float
    chi2: float
    n_measured: int
    n_models: float
    flags: FitFlag
    unit_light: float

    def flux_percentiles(self, percentiles: Sequence[float] = (16, 50, 84)) -> np.ndarray:
        """Percentiles of the flux in every band, shape (n_percentiles, n_bands)."""
        return _percentiles(self.flux.T, percentiles)

    def property_percentiles(
        self, percentiles: Sequence[float] = (16, 50, 84)
    ) -> dict[str, np.ndarray]:
        """Percentiles of every property, each shape (n_percentiles,)."""
        found = _percentiles(np.array([*self.properties.values()]), percentiles)
        return dict(zip(self.properties, found.T, strict=True))

    def best_flux(self) -> np.ndarray:
        """The best model in every band, shape (n_bands,)."""
        return np.asarray(self.library.light[self.best] * (self.best_scale / self.unit_light))

    def best_spectrum(self) -> tuple[np.ndarray, np.ndarray]:
        """Observed wavelength in micron and the best model's spectrum in the data's unit, each
        shape (n,).
        """
        wavelength, light = self.library.spectra(np.array([self.best]))
        return wavelength, light[0] * (self.best_scale / self.unit_light)

    def spectrum(
        self, percentiles: Sequence[float] = (16, 50, 84)
    ) -> tuple[np.ndarray, np.ndarray]:
        """Percentiles of the spectrum at each wavelength.

        Returns
        -------
        wavelength : ndarray, shape (n,)
            As observed, micron.
        values : ndarray, shape (n_percentiles, n)
            In the data's unit.
        """
        draws = np.arange(0, len(self.rows), max(1, len(self.rows) // SPECTRA))
        rows, which = np.unique(self.rows[draws], return_inverse=True)
        wavelength, once = self.library.spectra(rows)
        light = once[which] * (self.scale[draws] / self.unit_light)[:, None]
        return wavelength, _percentiles(light.T, percentiles)


def _percentiles(values: np.ndarray, percentiles: Sequence[float]) -> np.ndarray:
    """Percentiles of every row, shape (n_percentiles, n_rows); numpy's own of rows that are not
    sorted take twice as long.
    """
    ordered = np.sort(values, axis=1)
    return np.asarray(np.percentile(ordered, percentiles, axis=1, overwrite_input=True))


@lru_cache(maxsize=1)
def _noise(n: int) -> np.ndarray:
    """Normal deviates for the scales, the same every time, so that nothing flickers."""
    return np.random.default_rng(0).normal(size=n)


def posterior(
    data: np.ndarray, uncertainty: np.ndarray, bands: Sequence[str], library: Library,
    upper_limits: np.ndarray | None = None, distance_mpc: float | None = None,
    extra_error: float | None = None,
    least_models: float = LEAST_MODELS, draws: int = DRAWS,
) -> Posterior:  # fmt: skip
    """Fit a library to one pixel or aperture, on the CPU.

    Parameters
    ----------
    data, uncertainty : ndarray, shape (n_bands,)
        As in `fit.fit_steps`.
    bands : sequence of str
    library : Library
    upper_limits : ndarray of bool, shape (n_bands,), optional
    distance_mpc, extra_error, least_models : float, optional
        As in `fit.fit_steps`.
    draws : int
        Number of models drawn.

    Raises
    ------
    InputError
        When fewer than three bands are measured, or no model has a positive scale, or the data are
        wrong (`likelihood.observed`).
    """
    import torch

    limits = None if upper_limits is None else np.asarray(upper_limits)[:, None]
    seen = observed(
        np.asarray(data)[:, None], np.asarray(uncertainty)[:, None], bands,
        library.settings.extra_error if extra_error is None else extra_error, limits,
    )  # fmt: skip
    factor = light_of_data(library.redshift, distance_mpc)
    ready = matrices(library, seen.bands, "cpu")
    dtype = torch.float32
    if (seen.value**2 * seen.weight).sum() > SAFE_CHI2:
        ready, dtype = _double(library, seen.bands), torch.float64
    with one_thread(), torch.inference_mode():
        value, weight, limit, size = batch(seen, np.array([0]), ready, factor, dtype)
        scales, chi2s, curvatures = scale_and_chi2(ready, value, weight, limit)
        best = int(torch.argmin(chi2s))
        reduced = float(chi2s[0, best]) / (int(seen.n_measured[0]) - 1)
        likely = weights(chi2s - chi2s[0, best], least_models)[0].double().numpy()
        scale, curvature = (t[0].double().numpy() for t in (scales, curvatures))
    if scale[best] <= 0:
        raise InputError(
            "There is no light to fit here: the measured fluxes add up to nothing or less."
        )
    cumulative = np.cumsum(likely)
    places = (np.arange(draws) + 0.5) / draws * cumulative[-1]
    rows = np.searchsorted(cumulative, places)
    drawn = (
        np.maximum(scale[rows] + _noise(draws) / np.sqrt(curvature[rows]), 0)
        * size[0]
        / ready.norm[rows]
    )
    properties = {name: library.properties[name][rows] * drawn for name in EXTENSIVE}
    properties |= {name: library.properties[name][rows].astype(float) for name in INTENSIVE}
    return Posterior(
        library, rows, drawn, library.light[rows] * (drawn / factor)[:, None], properties, best,
        float(scale[best] * size[0] / ready.norm[best]), reduced, int(seen.n_measured[0]),
        float(cumulative[-1] ** 2 / np.sum(likely**2)),
        FitFlag.NO_MODEL_FITS if reduced > BAD_FIT else FitFlag(0), factor,
    )  # fmt: skip


@lru_cache(maxsize=1)
def _double(library: Library, bands: tuple[str, ...]) -> Matrices:
    import torch

    return matrices(library, bands, "cpu").to(torch.float64)
