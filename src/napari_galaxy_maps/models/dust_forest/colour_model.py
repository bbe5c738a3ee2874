"""What the colours of galaxies usually are: a factor model that turns any bands, faint or missing,
into a full spectrum.

A spectrum is the vector of log10 F_band / F_WISE_3.4, with log10 of the WISE 3.4 intensity in the
normalising band's own place. Over real galaxies it is Gaussian with a few factors: ``mean +
loadings @ t`` with t ~ N(0, 1), and a specific scatter in each band. Given fluxes with errors
(linear, so that a negative flux is a measurement like any other), the most probable t is found by a
few Newton steps. Its spectrum fills gaps, its width says how well they are filled, and its chi2
says how unusual the spectrum is. Nothing of the dust is known here.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

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
            Linear flux ratios (the intensity in MJy/sr in the normalising band's place) and their
            1-sigma errors; NaN where missing, negative as measured.

        Returns
        -------
        spectrum, width : ndarray, shape (n, n_bands)
            log10 of the ratio in every band, measured or not, and its standard deviation in dex.
        chi2 : ndarray, shape (n,)
            Squared Mahalanobis distance from the mean galaxy, the noise included; near the number
            of measured bands for a usual one.
        """
        ratio = np.ascontiguousarray(ratio, dtype=np.float64)
        error = np.ascontiguousarray(error, dtype=np.float64)
        spectrum, width, chi2 = np.empty_like(ratio), np.empty_like(ratio), np.empty(len(ratio))
        with ONE_AT_A_TIME:
            _kernel()(
                ratio,
                error,
                self.mean,
                self.loadings,
                self.specific,
                ITERATIONS,
                spectrum,
                width,
                chi2,
            )
        return spectrum, width, chi2


@cache
def _kernel() -> Any:
    """The compiled inference, one pixel a step of a parallel loop."""
    import numba

    # NaN is meaningful here, so the fast-math flags leave out those that assume there is none.
    fast = {"nsz", "arcp", "contract", "reassoc"}

    @numba.njit(fastmath=fast, error_model="numpy", nogil=True, cache=True, parallel=True)
    def infer(ratio, error, mean, loadings, specific, iterations, spectrum, width, chi2):  # type: ignore[no-untyped-def]
        n, n_bands = ratio.shape
        k = loadings.shape[1]
        for i in numba.prange(n):
            h = np.empty((k, k))
            g = np.empty(k)
            t = np.zeros(k)
            y = np.empty(k)
            for iteration in range(iterations + 1):
                for a in range(k):
                    g[a] = -t[a]
                    for b in range(k):
                        h[a, b] = 1.0 if a == b else 0.0
                for d in range(n_bands):
                    r = ratio[i, d]
                    if np.isnan(r):
                        continue
                    e = error[i, d]
                    m = mean[d]
                    for a in range(k):
                        m += loadings[d, a] * t[a]
                    if iteration == 0:
                        if r <= 3 * e:
                            continue
                        w = 1 / ((e / (r * LN10)) ** 2 + specific[d])
                        residual = np.log10(r) - m
                    else:
                        flux = np.exp(min(max(m, -8.0), 8.0) * LN10)
                        slope = flux * LN10
                        w = slope * slope / (e * e + specific[d] * slope * slope)
                        residual = (r - flux) / slope
                    for a in range(k):
                        g[a] += w * residual * loadings[d, a]
                        for b in range(a + 1):
                            h[a, b] += w * loadings[d, a] * loadings[d, b]
                for a in range(k):  # Cholesky, in place
                    for b in range(a + 1):
                        v = h[a, b]
                        for c in range(b):
                            v -= h[a, c] * h[b, c]
                        h[a, b] = np.sqrt(v) if a == b else v / h[b, b]
                for a in range(k):
                    v = g[a]
                    for c in range(a):
                        v -= h[a, c] * y[c]
                    y[a] = v / h[a, a]
                largest = 0.0
                for a in range(k - 1, -1, -1):
                    v = y[a]
                    for c in range(a + 1, k):
                        v -= h[c, a] * y[c]
                    y[a] = v / h[a, a]
                    largest = max(largest, abs(y[a]))
                # A faint flux makes the slope small and the step wild: no step leaves the cloud at
                # once.
                damp = 2.0 / largest if iteration > 0 and largest > 2.0 else 1.0
                for a in range(k):
                    t[a] += damp * y[a]
                if iteration > 0 and largest < 1e-2:
                    break
            total = 0.0
            for a in range(k):
                total += t[a] * t[a]
            for d in range(n_bands):
                m = mean[d]
                for a in range(k):
                    m += loadings[d, a] * t[a]
                variance = 0.0
                for a in range(k):
                    v = loadings[d, a]
                    for c in range(a):
                        v -= h[a, c] * y[c]
                    y[a] = v / h[a, a]
                    variance += y[a] * y[a]
                r = ratio[i, d]
                if np.isnan(r):
                    spectrum[i, d] = m
                    width[i, d] = np.sqrt(variance + specific[d])
                else:
                    slope = np.exp(min(max(m, -8.0), 8.0) * LN10) * LN10
                    noise = (error[i, d] / slope) ** 2
                    residual = r / slope - 1 / LN10
                    gain = specific[d] / (specific[d] + noise)
                    total += residual * residual / (noise + specific[d])
                    spectrum[i, d] = m + min(max(gain * residual, -1.0), 1.0)
                    width[i, d] = np.sqrt(variance * (1 - gain) ** 2 + specific[d] * (1 - gain))
            chi2[i] = total

    return infer


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
