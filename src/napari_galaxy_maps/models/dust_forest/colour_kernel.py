"""The compiled loops of the colour model, its inference and each band beside the others; numba
stands at its top, so that it is imported where it is used.
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
_LEAST_VARIANCE = 1e-4
"""Of a band beside the others, dex^2: none is known better than to 0.01 dex."""
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


@numba.njit(fastmath=_FAST, error_model="numpy", inline="always")
def _weigh(i, ratio, error, normal, mean, specific, weight, off):
    """Of the bands of spectrum `i` that are above 3 sigma, the weights and how far they are off the
    mean galaxy, but for a factor common to all; weights of the others are 0. The normalising band
    stands behind all others; the ratios' errors hold its error `normal`, which is its own here.
    """
    last = ratio.shape[1]
    weight[last], off[last] = 1 / max((normal / LN10) ** 2, _LEAST_VARIANCE), 0.0
    count, common = 1, 0.0
    for d in range(last):
        r, e = ratio[i, d], error[i, d]
        weight[d] = off[d] = 0.0
        if r > 3 * e:
            noise = max((e / r) ** 2 - normal * normal, 0.0) / (LN10 * LN10)
            weight[d] = 1 / max(noise + specific[d], _LEAST_VARIANCE)
            off[d] = np.log10(r) - mean[d]
            common += off[d]
            count += 1
    for d in range(last + 1):
        if weight[d] > 0:
            off[d] -= common / count


@numba.njit(fastmath=_FAST, error_model="numpy", inline="always")
def _equations(weight, off, factors, g, h):
    """Right side `g` and matrix `h` of the factors that bands of these weights say."""
    k = len(g)
    for a in range(k):
        g[a] = 0.0
        for b in range(a + 1):
            h[a, b] = 1.0 if a == b else 0.0
    for d in range(len(weight)):
        w = weight[d]
        if w > 0:
            for a in range(k):
                f = w * factors[d, a]
                g[a] += f * off[d]
                for b in range(a + 1):
                    h[a, b] += f * factors[d, b]


@numba.njit(fastmath=_FAST, error_model="numpy", inline="always")
def _invert(h):
    """The inverse of a lower triangle, in its place."""
    for a in range(len(h)):
        h[a, a] = 1 / h[a, a]
        for b in range(a):
            v = 0.0
            for c in range(b, a):
                v -= h[a, c] * h[c, b]
            h[a, b] = v * h[a, a]


@compiled(fastmath=_FAST, error_model="numpy", nogil=True, parallel=True)
def beside_others(ratio, error, normal, mean, factors, specific, offset, width, chi2):
    """Fill `offset`, `width` and `chi2` as `contradiction.beside_others` says, one spectrum a step
    of a parallel loop, the normalising band last; of a band that is not compared, nothing.

    What is left of a band beyond what all others say, and its variance, follow from the inverse
    covariance C^-1 of all bands: (C^-1 y) / (C^-1)_dd and 1 / (C^-1)_dd.
    """
    n_bands, k = factors.shape
    for i in numba.prange(len(ratio)):
        h = np.empty((k, k))
        g = np.empty(k)
        t = np.empty(k)
        weight = np.empty(n_bands)
        off = np.empty(n_bands)
        _weigh(i, ratio, error, normal[i], mean, specific, weight, off)
        _equations(weight, off, factors, g, h)
        _factorise(h)
        _solve(h, g, t)
        _invert(h)
        total = 0.0
        for d in range(n_bands):
            w = weight[d]
            if w > 0:
                left = off[d]
                for a in range(k):
                    left -= factors[d, a] * t[a]
                spread = 0.0
                for a in range(k):
                    v = 0.0
                    for c in range(a + 1):
                        v += h[a, c] * factors[d, c]
                    spread += v * v
                inverse = w * (1 - w * spread)
                total += w * left * off[d]
                offset[i, d] = w * left / inverse
                width[i, d] = 1 / np.sqrt(inverse)
        chi2[i] = total
