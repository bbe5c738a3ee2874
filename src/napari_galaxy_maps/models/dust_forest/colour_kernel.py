"""The compiled inference of the colour model; numba stands at its top, so that it is imported where
it is used.
"""
# mypy: disallow-untyped-defs=False

from __future__ import annotations

import numba
import numpy as np

from ...compiled import compiled

LN10 = float(np.log(10.0))
_FARTHEST = 8.0
"""Greatest log10 of a flux ratio that is taken to a power, either way."""
_SMALL_STEP = 1e-2
"""A step that changes no factor by more than this is the last."""
_LARGE_STEP = 2.0
# NaN is meaningful here, so the fast-math flags leave out those that assume there is none.
_FAST = {"nsz", "arcp", "contract", "reassoc"}


@numba.njit(fastmath=_FAST, error_model="numpy", inline="always")
def _modelled(d, mean, loadings, t):
    """log10 of the ratio in band `d` that factors `t` make."""
    m = mean[d]
    for a in range(len(t)):
        m += loadings[d, a] * t[a]
    return m


@numba.njit(fastmath=_FAST, error_model="numpy", inline="always")
def _power_of_ten(m):
    return np.exp(min(max(m, -_FARTHEST), _FARTHEST) * LN10)


@numba.njit(fastmath=_FAST, error_model="numpy", inline="always")
def _normal_equations(i, first, ratio, error, mean, loadings, specific, t, g, h):
    """Gradient `g` and curvature `h` of the likelihood of pixel `i`: of log fluxes above 3 sigma at
    the first step, of fluxes afterwards.
    """
    k = len(t)
    for a in range(k):
        g[a] = -t[a]
        for b in range(k):
            h[a, b] = 1.0 if a == b else 0.0
    for d in range(ratio.shape[1]):
        r = ratio[i, d]
        if np.isnan(r):
            continue
        e = error[i, d]
        m = _modelled(d, mean, loadings, t)
        if first:
            if r <= 3 * e:
                continue
            w = 1 / ((e / (r * LN10)) ** 2 + specific[d])
            residual = np.log10(r) - m
        else:
            flux = _power_of_ten(m)
            slope = flux * LN10
            w = slope * slope / (e * e + specific[d] * slope * slope)
            residual = (r - flux) / slope
        for a in range(k):
            g[a] += w * residual * loadings[d, a]
            for b in range(a + 1):
                h[a, b] += w * loadings[d, a] * loadings[d, b]


@numba.njit(fastmath=_FAST, error_model="numpy", inline="always")
def _factorise(h):
    """Cholesky's factor of `h`, in its place."""
    for a in range(len(h)):
        for b in range(a + 1):
            v = h[a, b]
            for c in range(b):
                v -= h[a, c] * h[b, c]
            h[a, b] = np.sqrt(v) if a == b else v / h[b, b]


@numba.njit(fastmath=_FAST, error_model="numpy", inline="always")
def _solve(h, g, y):
    """The step `y` of which the equations' right side is `g`; returns its largest part."""
    k = len(g)
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
    return largest


@numba.njit(fastmath=_FAST, error_model="numpy", inline="always")
def _variance(d, loadings, h, y):
    """Variance of band `d` that the factors' uncertainty makes."""
    variance = 0.0
    for a in range(len(y)):
        v = loadings[d, a]
        for c in range(a):
            v -= h[a, c] * y[c]
        y[a] = v / h[a, a]
        variance += y[a] * y[a]
    return variance


@numba.njit(fastmath=_FAST, error_model="numpy", inline="always")
def _describe(i, ratio, error, mean, loadings, specific, t, h, y, spectrum, width):
    """Write pixel `i`'s most probable spectrum and its width; returns how unusual it is."""
    total = 0.0
    for a in range(len(t)):
        total += t[a] * t[a]
    for d in range(ratio.shape[1]):
        m = _modelled(d, mean, loadings, t)
        variance = _variance(d, loadings, h, y)
        r = ratio[i, d]
        if np.isnan(r):
            spectrum[i, d] = m
            width[i, d] = np.sqrt(variance + specific[d])
        else:
            slope = _power_of_ten(m) * LN10
            noise = (error[i, d] / slope) ** 2
            residual = r / slope - 1 / LN10
            gain = specific[d] / (specific[d] + noise)
            total += residual * residual / (noise + specific[d])
            spectrum[i, d] = m + min(max(gain * residual, -1.0), 1.0)
            width[i, d] = np.sqrt(variance * (1 - gain) ** 2 + specific[d] * (1 - gain))
    return total


@compiled(fastmath=_FAST, error_model="numpy", nogil=True, parallel=True)
def infer(ratio, error, mean, loadings, specific, iterations, spectrum, width, chi2):
    """Fill `spectrum`, `width` and `chi2` as `ColourModel.infer` returns them, one pixel a step of
    a parallel loop.
    """
    k = loadings.shape[1]
    for i in numba.prange(len(ratio)):
        h = np.empty((k, k))
        g = np.empty(k)
        t = np.zeros(k)
        y = np.empty(k)
        for iteration in range(iterations + 1):
            first = iteration == 0
            _normal_equations(i, first, ratio, error, mean, loadings, specific, t, g, h)
            _factorise(h)
            largest = _solve(h, g, y)
            # A faint flux makes the slope small and the step wild: no step leaves the cloud at
            # once.
            damp = _LARGE_STEP / largest if not first and largest > _LARGE_STEP else 1.0
            for a in range(k):
                t[a] += damp * y[a]
            if not first and largest < _SMALL_STEP:
                break
        chi2[i] = _describe(i, ratio, error, mean, loadings, specific, t, h, y, spectrum, width)
