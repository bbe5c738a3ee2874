"""What the colours of galaxies usually are: a factor model that turns any bands, faint or missing,
into a full spectrum.

A spectrum is the vector of log10 F_band / F_WISE_3.4 of all bands but WISE 3.4. Over real galaxies
it is Gaussian with a few factors: ``mean + loadings @ t`` with t ~ N(0, 1), and a specific scatter
in each band. Given fluxes with errors (linear, so that a negative flux is a measurement like any
other), the most probable t is found by a few Newton steps. Its spectrum fills gaps, its width says
how well they are filled, and its chi2 says how unusual the spectrum is. Nothing of the dust is
known here.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

LN10 = float(np.log(10.0))
ITERATIONS = 6
"""At most so many Newton steps in flux, after one in log flux."""


ONE_AT_A_TIME = threading.Lock()
"""Held while a compiled parallel loop runs: not every threading layer of numba bears two at once.
"""


@dataclass(frozen=True)
class ColourModel:
    """Mean, loadings and specific variance of galaxies' spectra.

    Attributes
    ----------
    mean : ndarray, shape (n_bands,)
    loadings : ndarray, shape (n_bands, n_factors)
    specific : ndarray, shape (n_bands,)
        Variance in dex^2 that the factors leave in each band.
    """

    mean: np.ndarray
    loadings: np.ndarray
    specific: np.ndarray

    def infer(
        self, ratio: np.ndarray, error: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The most probable spectrum, its width, and how unusual it is.

        Parameters
        ----------
        ratio, error : ndarray of float64, shape (n, n_bands)
            Linear flux ratios and their 1-sigma errors; NaN where missing, negative as measured.

        Returns
        -------
        spectrum, width : ndarray, shape (n, n_bands)
            log10 of the ratio in every band, measured or not, and its standard deviation in dex.
        chi2 : ndarray, shape (n,)
            Squared Mahalanobis distance from the mean galaxy, the noise included; near the number
            of measured bands for a usual one.
        """
        from .colour_kernel import infer

        ratio = np.ascontiguousarray(ratio, dtype=np.float64)
        error = np.ascontiguousarray(error, dtype=np.float64)
        spectrum, width, chi2 = np.empty_like(ratio), np.empty_like(ratio), np.empty(len(ratio))
        cloud = (self.mean, self.loadings, self.specific)
        with ONE_AT_A_TIME:
            infer(ratio, error, *cloud, ITERATIONS, spectrum, width, chi2)
        return spectrum, width, chi2


def fit_colours(
    ratio: np.ndarray, error: np.ndarray, n_factors: int = 5, floor: float = 0.02
) -> ColourModel:
    """Fit the colour model to galaxies by expectation-maximisation over their gaps.

    Parameters
    ----------
    ratio, error : ndarray, shape (n, n_bands)
        As for `ColourModel.infer`; fluxes under 2 sigma are left out of the fit.
    n_factors : int
        Number of factors.
    floor : float
        Least scatter of a band in dex.
    """
    good = ratio > 2 * error
    y = np.where(good, np.log10(np.where(good, ratio, 1.0)), np.nan)
    noise = np.where(good, (error / np.where(good, ratio, 1.0) / LN10) ** 2 + floor**2, np.nan)
    mean, covariance = np.nanmedian(y, axis=0), np.diag(np.nanvar(y, axis=0))
    n, n_bands = y.shape
    for _ in range(20):
        left, filled = np.zeros((n_bands, n_bands)), np.empty_like(y)
        for i in range(n):
            o = np.flatnonzero(good[i])
            gain = covariance[:, o] @ np.linalg.inv(covariance[np.ix_(o, o)] + np.diag(noise[i, o]))
            filled[i] = mean + gain @ (y[i, o] - mean[o])
            left += covariance - gain @ covariance[o]
        mean = filled.mean(0)
        covariance = ((filled - mean).T @ (filled - mean) + left) / n
    specific = np.full(n_bands, floor**2)
    for _ in range(50):  # principal factors
        values, vectors = np.linalg.eigh(covariance - np.diag(specific))
        loadings = vectors[:, -n_factors:] * np.sqrt(np.maximum(values[-n_factors:], 1e-6))
        specific = np.maximum(np.diag(covariance) - (loadings**2).sum(1), 0.0)
    # The floor counted as noise above, so that the brightest galaxies would not decide alone; it is
    # scatter all the same.
    return ColourModel(mean, np.ascontiguousarray(loadings), specific + floor**2)
