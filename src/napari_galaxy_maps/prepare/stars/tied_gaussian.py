"""The Gaussian over a background that fits the pixels of a star best, softly tied to what is
expected of it: a few hundred of these are fitted in every galaxy, so it is compiled. numba stands
at its top, so that it is imported where it is used.
"""
# mypy: disallow-untyped-defs=False

from __future__ import annotations

import numba
import numpy as np

from ...compiled import compiled

_OUTLYING = 2.0
"""Residuals, in their errors, from which on they count by their size and not by its square."""
_MOST_STEPS = 100
_CONVERGED = 1e-12
"""Relative change of the cost at which the fit ends."""


@numba.njit
def _counted(residual):
    """What a residual adds to the cost, and how its slope and its curvature count."""
    z = (residual / _OUTLYING) ** 2
    root = np.sqrt(1.0 + z)
    slope = 1.0 / root
    curvature = slope - z / ((1.0 + z) * root)
    return _OUTLYING**2 * (root - 1.0), slope, max(curvature, 2.2e-16)


@numba.njit
def _slopes(p, u, v, values, ground, means, ties, weight, gradient, hessian):
    """The cost; its gradient and its approximate second derivatives are filled in."""
    n_terms = ground.shape[1]
    n = 4 + n_terms
    gradient[:] = 0.0
    hessian[:] = 0.0
    row = np.empty(n)
    cost = 0.0
    s2 = np.exp(2 * p[3])
    for i in range(u.size):
        du, dv = u[i] - p[1], v[i] - p[2]
        apart = du * du + dv * dv
        light = np.exp(p[0] - 0.5 * apart / s2)
        residual = light - values[i]
        for k in range(n_terms):
            residual += ground[i, k] * p[4 + k]
            row[4 + k] = ground[i, k] * weight
        residual *= weight
        row[0] = light * weight
        row[1] = row[0] * du / s2
        row[2] = row[0] * dv / s2
        row[3] = row[0] * apart / s2
        added, slope, curvature = _counted(residual)
        cost += added
        for j in range(n):
            gradient[j] += row[j] * slope * residual
            for k in range(j + 1):
                hessian[j, k] += row[j] * row[k] * curvature
    for j in range(4):
        residual = (p[j] - means[j]) * ties[j]
        added, slope, curvature = _counted(residual)
        cost += added
        gradient[j] += ties[j] * slope * residual
        hessian[j, j] += ties[j] ** 2 * curvature
    return cost


@numba.njit
def _solved(hessian, gradient, damping, fixed, step):
    """Fill in the step of the free parameters, by Cholesky's method; False where there is
    none.
    """
    n = gradient.size
    lower = np.zeros((n, n))
    for j in range(n):
        for k in range(j + 1):
            value = 0.0 if fixed[j] or fixed[k] else hessian[j, k]
            if j == k:
                value = 1.0 if fixed[j] else value * (1.0 + damping)
            for m in range(k):
                value -= lower[j, m] * lower[k, m]
            if j > k:
                lower[j, k] = value / lower[k, k]
            elif value > 0.0:
                lower[j, j] = np.sqrt(value)
            else:
                return False
    for j in range(n):
        value = 0.0 if fixed[j] else -gradient[j]
        for m in range(j):
            value -= lower[j, m] * step[m]
        step[j] = value / lower[j, j]
    for j in range(n - 1, -1, -1):
        value = step[j]
        for m in range(j + 1, n):
            value -= lower[m, j] * step[m]
        step[j] = value / lower[j, j]
    return True


@compiled(nogil=True)
def fitted(u, v, values, ground, start, low, high, means, ties, weight):
    n = start.size
    p = np.minimum(np.maximum(start, low), high)
    gradient, hessian, step = np.empty(n), np.empty((n, n)), np.empty(n)
    new_gradient, new_hessian = np.empty(n), np.empty((n, n))
    fixed = np.zeros(n, np.bool_)
    cost = _slopes(p, u, v, values, ground, means, ties, weight, gradient, hessian)
    damping = 1e-3
    for _ in range(_MOST_STEPS):
        for j in range(n):
            fixed[j] = (p[j] <= low[j] and gradient[j] > 0) or (p[j] >= high[j] and gradient[j] < 0)
        if not _solved(hessian, gradient, damping, fixed, step):
            damping = max(10 * damping, 1e-6)
            continue
        new = np.minimum(np.maximum(p + step, low), high)
        new_cost = _slopes(
            new, u, v, values, ground, means, ties, weight, new_gradient, new_hessian
        )
        if new_cost <= cost:
            gained = cost - new_cost
            p, cost = new, new_cost
            gradient, new_gradient = new_gradient, gradient
            hessian, new_hessian = new_hessian, hessian
            damping = max(0.1 * damping, 1e-12)
            if gained <= _CONVERGED * cost:
                break
        else:
            damping *= 10
            if damping > 1e10:
                break
    return p


def fit_tied_gaussian(
    pixels: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    start: np.ndarray,
    bounds: tuple[np.ndarray, np.ndarray],
    means: np.ndarray,
    ties: np.ndarray,
    weight: float,
) -> np.ndarray:
    """Fit a circular Gaussian and a linear background to pixels.

    The sum over pixels and ties of 4 (sqrt(1 + (r / 2)^2) - 1) is least, r the residual in its
    error (the loss ``soft_l1`` of `scipy.optimize.least_squares` with a scale of 2), by the method
    of Levenberg and Marquardt within bounds.

    Parameters
    ----------
    pixels : tuple of ndarray of float64
        Offsets of the pixels along both axes, shape (n,), their values, shape (n,), and the terms
        of the background in them, shape (n, n_terms).
    start : ndarray, shape (4 + n_terms,)
        Logarithm of the amplitude, offset along both axes, logarithm of sigma, and the factors of
        the background's terms.
    bounds : tuple of two ndarrays, each of shape (4 + n_terms,)
        Lowest and highest values.
    means, ties : ndarray, shape (4,)
        What is expected of the first four parameters, and the inverse errors of that; 0 where
        nothing is expected.
    weight : float
        Inverse error of a pixel.

    Returns
    -------
    ndarray, shape (4 + n_terms,)
    """
    u, v, values, ground = (np.ascontiguousarray(plane, float) for plane in pixels)
    known = np.where(ties > 0, means, 0.0)
    found: np.ndarray = fitted(
        u, v, values, ground, start.astype(float), *bounds, known, ties, float(weight)
    )
    return found
