"""RMSE, bias, R2, chi2 and coverage over pixels of predictions and truths, with their errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .coverage import within_intervals

METRICS = ("rmse", "bias", "r2", "chi2", "coverage68", "coverage95")
N_BOOTSTRAP = 500
# More to draw from cost time, and make the errors' own error no smaller than 4 %.
_MOST_UNITS = 400
_LEAST_VARIANCE = 1e-12
"""Of the truth: R2 means nothing below it."""


@dataclass(frozen=True)
class Pixels:
    """The pixels of one property that have a prediction and a truth, of all galaxies, each array of
    shape (n,).

    Attributes
    ----------
    predicted, true : ndarray
        In the property's unit (ages in log10).
    sigma : ndarray
        Of the difference: both errors in quadrature; NaN where there is none.
    radius : ndarray
        In R25.
    block, galaxy : ndarray of int
        Number of the bootstrap's block, and of the galaxy.
    tail : ndarray
        Sigmas within which 95 % of the errors are (`PropertyMaps.tail`).
    """

    predicted: np.ndarray
    true: np.ndarray
    sigma: np.ndarray
    radius: np.ndarray
    block: np.ndarray
    galaxy: np.ndarray
    tail: np.ndarray

    @property
    def residual(self) -> np.ndarray:
        """Prediction minus truth."""
        return self.predicted - self.true

    @property
    def z(self) -> np.ndarray:
        """Residual over sigma; NaN where there is no sigma."""
        return normalised_residual(self.residual, self.sigma)

    def where(self, chosen: np.ndarray) -> Pixels:
        """Those that are chosen."""
        return Pixels(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def normalised_residual(residual: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """z = residual / sigma; not finite where sigma is not known or 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        z: np.ndarray = residual / sigma
    return z


def metric_terms(
    true: np.ndarray,
    residual: np.ndarray,
    z: np.ndarray,
    tail: float | np.ndarray,
    weight: float | np.ndarray = 1.0,
) -> np.ndarray:
    """What has to be summed over pixels for `metrics_of_sums`, shape (9, n).

    Parameters
    ----------
    true, residual, z : ndarray, shape (n,)
        The truth, prediction minus truth, and that over sigma; pixels whose z is not finite count
        for neither chi2 nor coverage.
    tail : float or ndarray, shape (n,)
        Sigmas within which 95 % of the errors are.
    weight : float or ndarray, shape (n,)
        Of each pixel.
    """
    known = np.isfinite(z)
    z = np.where(known, z, 0.0)
    one_sigma, nearly_all = within_intervals(z, tail)
    weights = np.broadcast_to(np.asarray(weight, float), true.shape)
    return np.array(
        [
            weights,
            weights * residual,
            weights * residual**2,
            weights * true,
            weights * true**2,
            weights * known,
            weights * z**2,
            weights * known * one_sigma,
            weights * known * nearly_all,
        ]
    )


def metrics_of_sums(sums: np.ndarray) -> np.ndarray:
    """`METRICS`, shape (6, ...), of summed `metric_terms`, shape (9, ...)."""
    weight, off, off2, true, true2, known, z2, low, high = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        square = off2 / weight
        spread = true2 / weight - (true / weight) ** 2
        r2 = np.where(spread > _LEAST_VARIANCE, 1 - square / spread, np.nan)
        return np.array([np.sqrt(square), off / weight, r2, z2 / known, low / known, high / known])


def metrics(pixels: Pixels, seed: int = 0) -> dict[str, float]:
    """RMSE, bias, R2, chi2 and coverage, with errors from bootstraps.

    Every galaxy has one vote, however many pixels it has (DB21 Sect. 3). Drawn again are galaxies
    where there are several, else blocks of pixels that are large beside the PSF.

    Returns
    -------
    dict of str to float
        ``n``, and each of `METRICS` with its ``_err``: bias is prediction minus truth, chi2 the
        mean of z squared with z = residual / sigma, coverages the fractions of \\|z\\| under 1 and
        `Pixels.tail`. NaN where there is no sigma.
    """
    galaxies, which, counts = np.unique(pixels.galaxy, return_inverse=True, return_counts=True)
    rng = np.random.default_rng(seed)
    unit = which if len(galaxies) > 1 else np.unique(pixels.block, return_inverse=True)[1]
    if unit.max(initial=0) >= _MOST_UNITS:  # thrown together at random, whole blocks still
        unit = rng.permutation(int(unit.max()) + 1)[unit] % _MOST_UNITS
    terms = metric_terms(pixels.true, pixels.residual, pixels.z, pixels.tail, 1 / counts[which])
    n = int(unit.max()) + 1
    sums = np.array([np.bincount(unit, values, n) for values in terms])
    draws = rng.multinomial(n, np.full(n, 1 / n), N_BOOTSTRAP)
    values, drawn = metrics_of_sums(sums.sum(1)[:, None])[:, 0], metrics_of_sums(sums @ draws.T)
    with np.errstate(invalid="ignore"):
        errors = np.std(drawn, axis=1) if n > 1 else np.full(len(METRICS), np.nan)
    result = {"n": float(pixels.true.size)}
    for name, value, error in zip(METRICS, values, errors, strict=True):
        result |= {name: float(value), f"{name}_err": float(error)}
    return result


def chi2_by_galaxy(pixels: Pixels) -> dict[str, float]:
    """Percentiles over galaxies of their mean z squared (DB21 Sect. 3): ``n p16 p50 p84``; NaN
    where there is no sigma.
    """
    z = pixels.z
    known = np.isfinite(z)
    galaxies, which = np.unique(pixels.galaxy[known], return_inverse=True)
    if not len(galaxies):
        return {"n": 0.0} | dict.fromkeys(("p16", "p50", "p84"), float("nan"))
    each = np.bincount(which, z[known] ** 2) / np.bincount(which)
    low, middle, high = np.percentile(each, (16, 50, 84))
    return {"n": float(len(galaxies)), "p16": float(low), "p50": float(middle), "p84": float(high)}


def radial_metrics(
    pixels: Pixels, edges: Sequence[float] = (0, 0.25, 0.5, 0.75, 1.0, 1.5)
) -> list[dict[str, float]]:
    """`metrics` in bins of radius, in R25; bins with fewer than ten pixels are left out."""
    found = []
    for inner, outer in pairwise(edges):
        inside = (pixels.radius >= inner) & (pixels.radius < outer)
        if inside.sum() >= 10:
            found.append(
                {"r_in": float(inner), "r_out": float(outer), **metrics(pixels.where(inside))}
            )
    return found
