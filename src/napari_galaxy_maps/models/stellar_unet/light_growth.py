"""How a galaxy's light grows with radius: annuli, the Sersic profile over a sky that fits them, and
the radius that holds half.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

_CLIP = 3.0
"""Outliers of an annulus are farther than this from its median, in robust standard deviations."""
_SEEN = 0.4
"""Share of an annulus that must be there for it to count."""
_SHAPE_ERROR = 0.05
"""By how much galaxies are not Sersic's, relative."""
_INDEX, _INDEX_ERROR = 2.0, 1.5
"""Sersic index that is expected."""
_SKY_ERROR, _MOST_SKY = 0.3, 1.5
"""Of a sky that was subtracted, in units of a pixel's noise: what is usual, and at most."""
_FEWEST = 6


@dataclass(frozen=True)
class Annuli:
    """Elliptical annuli.

    Attributes
    ----------
    inner, outer, radius : ndarray, shape (n,)
        Edges, and the mean radius of the pixels, along the major axis in pixels.
    mean, error : ndarray, shape (n,)
        Of the surface brightness.
    axis_ratio : float
    """

    inner: np.ndarray
    outer: np.ndarray
    radius: np.ndarray
    mean: np.ndarray
    error: np.ndarray
    axis_ratio: float

    @property
    def area(self) -> np.ndarray:
        """Pixels, shape (n,)."""
        return np.asarray(np.pi * self.axis_ratio * (self.outer**2 - self.inner**2))


def annuli(
    light: np.ndarray,
    noise: np.ndarray,
    good: np.ndarray,
    radius: np.ndarray,
    axis_ratio: float,
    step: float = 1.0,
) -> Annuli:
    """Means in annuli, each a tenth wider than its radius, out to where the image shows too little.

    Parameters
    ----------
    light, noise : ndarray, shape (ny, nx)
        Surface brightness and its error.
    good : ndarray of bool, shape (ny, nx)
        Pixels that count.
    radius : ndarray, shape (ny, nx)
        Along the major axis, pixels.
    axis_ratio : float
    step : float
        Least width, pixels.
    """
    order = np.argsort(radius[good])
    away, values, errors = (plane[good][order] for plane in (radius, light, noise))
    edges = [0.0]
    while edges[-1] < (away[-1] if away.size else 0):
        edges.append(edges[-1] + max(step, 0.1 * edges[-1]))
    rows = []
    for low, high in pairwise(edges):
        first, last = np.searchsorted(away, (low, high))
        n, area = last - first, np.pi * axis_ratio * (high**2 - low**2)
        if n < max(_SEEN * area, 1):
            if high > 3 * step:
                break
            continue
        part, sigma = values[first:last], errors[first:last]
        middle = np.median(part)
        spread = 1.4826 * np.median(np.abs(part - middle))
        keep = np.abs(part - middle) <= _CLIP * spread if n > 8 else np.ones(n, bool)
        error = np.sqrt(np.mean(sigma[keep] ** 2) / max(keep.sum(), 1))
        rows.append((low, high, away[first:last][keep].mean(), part[keep].mean(), error))
    inner, outer, mean_radius, mean, error = np.array(rows).T if rows else np.empty((5, 0))
    return Annuli(inner, outer, mean_radius, mean, error, axis_ratio)


def half_light(found: Annuli, fwhm: float, pixel_noise: float) -> tuple[float, float, float] | None:
    """The radius that holds half of the light in annuli and beyond them.

    Parameters
    ----------
    found : Annuli
    fwhm : float
        Of the PSF in pixels: within it no profile is fitted, if there are annuli enough.
    pixel_noise : float
        Of a pixel of the sky.

    Returns
    -------
    radius : float
        Along the major axis, pixels.
    unseen : float
        Share of the light beyond the annuli that show any, by the fit.
    signal : float
        The light in the annuli over its noise.
    None where there is no light.
    """
    if found.mean.size < 3:
        return None
    sky, beyond = _fitted(found, fwhm, pixel_noise)
    above = found.mean - sky
    shown = np.flatnonzero(above > found.error)
    # The first gap in the light ends it; noise comes up again further out.
    faint = np.flatnonzero(above <= found.error)
    last = int(faint[0]) - 1 if faint.size else int(shown[-1])
    if last < 1:
        return None
    here = slice(0, last + 1)
    amount = above[here] * found.area[here]
    error = float(np.sqrt(((found.error * found.area)[here] ** 2).sum()))
    grown, edge = np.cumsum(amount), found.outer[here]
    tail = max(float(beyond(edge[-1])), 0.0)
    total = grown[-1] + tail
    if not total > 0:
        return None
    half = np.interp(total / 2, np.append(0.0, grown), np.append(0.0, edge**2))
    return float(np.sqrt(half)), tail / total, float(grown[-1]) / max(error, 1e-30)


def _fitted(
    found: Annuli, fwhm: float, pixel_noise: float
) -> tuple[float, Callable[[float], float]]:
    """The sky, and the light beyond a radius by Sersic's profile."""
    from scipy.optimize import least_squares
    from scipy.special import gammainc, gammaln

    use = found.radius > fwhm
    if use.sum() < _FEWEST:
        use = np.ones(found.radius.size, bool)
    r, mean, error = found.radius[use], found.mean[use], found.error[use]
    error = np.hypot(error, _SHAPE_ERROR * np.abs(mean)) + 1e-12

    def steepness(n: float) -> float:
        return 2 * n - 1 / 3 + 0.009876 / n  # Prugniel & Simien 1997

    def off(p: np.ndarray) -> np.ndarray:
        log_i, log_r, n, sky = p
        b = steepness(n)
        model = np.exp(log_i - b * ((r / np.exp(log_r)) ** (1 / n) - 1)) + sky * pixel_noise
        return np.append((model - mean) / error, [(n - _INDEX) / _INDEX_ERROR, sky / _SKY_ERROR])

    top, size = np.log(max(float(mean[0]), 1e-12)), np.log(np.median(r))
    tries = [
        least_squares(
            off,
            (top - 1, size + shift, n, 0.0),
            bounds=((-60, -3, 0.4, -_MOST_SKY), (60, 9, 6, _MOST_SKY)),
            x_scale=(1, 1, 1, 0.3),
        )
        for n, shift in ((1.0, 0.0), (3.0, -0.7))
    ]
    log_i, log_r, n, sky = min(tries, key=lambda t: t.cost).x
    b, size = steepness(n), np.exp(log_r)
    total = (
        2
        * np.pi
        * found.axis_ratio
        * n
        * size**2
        * np.exp(log_i + b - 2 * n * np.log(b) + gammaln(2 * n))
    )
    return float(
        sky * pixel_noise
    ), lambda at: float(total) * (1 - gammainc(2 * n, b * (at / size) ** (1 / n)))
