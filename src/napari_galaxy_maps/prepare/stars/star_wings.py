"""How far the wings of a PSF reach: of a Moffat profile, or of many stars stacked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..psf.kernels import FWHM_PER_SIGMA
from .star_fit import Fit, window

_TAIL = 3.5  # exponent of a PSF's far wings; measured SDSS and 2MASS PSFs fall with 3.5 to 4


@dataclass(frozen=True)
class Wings:
    """How a band's stars fall off: surface brightness over the peak of the fitted Gaussian.

    Attributes
    ----------
    radius : ndarray, shape (n,)
        In arcsec, growing.
    profile : ndarray, shape (n,)
        Falling, 1 in the middle.
    source : str
        Where it is from, in words.
    """

    radius: np.ndarray
    profile: np.ndarray
    source: str

    def encircling(self, leak: float) -> float:
        """Radius (arcsec) outside which a fraction `leak` of the light lies."""
        rings = np.diff(np.pi * self.radius**2) * (self.profile[1:] + self.profile[:-1]) / 2
        outside = 1 - np.concatenate([[0.0], np.cumsum(rings)]) / rings.sum()
        return float(np.interp(-leak, -outside, self.radius))

    def reaching(self, level: float) -> float:
        """Radius (arcsec) at which the profile has fallen to `level` of the peak."""
        if not level > 0:
            return float(self.radius[-1])
        return float(np.interp(-np.log(level), -np.log(self.profile), self.radius))


def moffat_wings(fwhm: float, beta: float, source: str) -> Wings:
    """The wings of a Moffat profile of a FWHM (arcsec), out to 40 of it."""
    alpha = fwhm / (2 * np.sqrt(2 ** (1 / beta) - 1))
    radius = np.concatenate([[0.0], np.geomspace(0.05, 40, 300)]) * fwhm
    return Wings(radius, (1 + (radius / alpha) ** 2) ** -beta, source)


def stacked_wings(
    data: np.ndarray,
    fits: Sequence[Fit],
    pixel_arcsec: float,
    fwhm: float,
    reach: float,
    noise: float,
) -> Wings | None:
    """The wings of a band's PSF as its own bright stars show them.

    The stars' pixels over their fitted amplitudes are averaged in rings, clipped, until the rings
    are lost in the noise; from there on a power law goes on.

    Parameters
    ----------
    data : ndarray, shape (ny, nx)
        The image.
    fits : sequence of Fit
        Bright, isolated, unsaturated stars.
    pixel_arcsec : float
        Side of a pixel.
    fwhm : float
        Of the fitted Gaussians, arcsec.
    reach : float
        How far out to look, arcsec; the background is taken from there to 1.3 times as far.
    noise : float
        Rms of a pixel of empty sky.

    Returns
    -------
    Wings or None
        None where the stars are too few or too faint to tell.
    """
    edges = np.concatenate([[0.0], np.geomspace(0.5 * fwhm, reach, 14)])
    stars: list[np.ndarray] = []
    errors: list[np.ndarray] = []
    for fit in fits:
        rings = _rings(data, fit, edges / pixel_arcsec, 1.3 * reach / pixel_arcsec, noise)
        if rings is not None:
            stars.append(rings[0])
            errors.append(rings[1])
    if len(stars) < 3:
        return None
    # Median over the brightest stars: a neighbour or an arm beside one of them does not count.
    # A ring narrower than a pixel may hold none.
    seen = np.isfinite(stars).any(0)
    value, variance = np.full((2, seen.size), np.nan)
    value[seen] = np.nanmedian(np.array(stars)[:, seen], axis=0)
    variance[seen] = np.nanmedian(np.square(errors)[:, seen], axis=0)
    error = 1.25 * np.sqrt(variance / len(stars))
    middle = np.concatenate([[0.0], np.sqrt((edges[1:-1] ** 2 + edges[2:] ** 2) / 2)])
    lost = np.flatnonzero(~(value > 4 * error))
    last = int(lost[0]) if lost.size else value.size
    inner = middle < 1.2 * fwhm
    if last < inner.sum() + 2:
        return None
    radius, profile = middle[:last], np.minimum.accumulate(value[:last])
    # the background was taken where there still is some of the star's light
    profile = profile + profile[-1] * (1.15 * reach / radius[-1]) ** -_TAIL
    profile = profile / max(profile[0], 1.0)
    beyond = np.geomspace(radius[-1] * 1.05, max(40 * fwhm, radius[-1] * 2), 100)
    tail = profile[-1] * (beyond / radius[-1]) ** -_TAIL
    fine = np.linspace(0, radius[-1], 400)
    inside = np.exp(np.interp(fine, radius, np.log(profile)))
    # the innermost ring is an average over the core: the Gaussian that was fitted tells its shape
    core = np.exp(-0.5 * (fine / (fwhm / FWHM_PER_SIGMA)) ** 2)
    inside = np.where(fine < 0.6 * fwhm, core, np.minimum(inside, 1.0))
    inside = np.minimum.accumulate(inside)
    return Wings(
        np.concatenate([fine, beyond]),
        np.concatenate([inside, tail]),
        f"from {len(stars)} of its stars",
    )


def _rings(
    data: np.ndarray, fit: Fit, edges: np.ndarray, outer: float, noise: float
) -> tuple[np.ndarray, np.ndarray] | None:
    """A star's light over its amplitude in rings (edges in pixels), background taken off, and the
    error of each.
    """
    box = window(data.shape, fit.x, fit.y, outer)
    if box is None:
        return None
    rows, columns = np.mgrid[box]
    distance = np.hypot(columns - fit.x, rows - fit.y)
    values = data[box]
    around = np.isfinite(values) & (distance > edges[-1]) & (distance < outer)
    if around.sum() < 30:
        return None
    level = np.median(values[around])
    error_of_level = (
        1.25
        * max(noise, 1.4826 * float(np.median(np.abs(values[around] - level))))
        / np.sqrt(around.sum())
    )
    profile, error = np.full(edges.size - 1, np.nan), np.full(edges.size - 1, np.nan)
    number = np.digitize(distance, edges) - 1
    for i in range(edges.size - 1):
        ring = values[(number == i) & np.isfinite(values)] - level
        if not ring.size:
            continue
        # mean of the middle half: of a steep profile no median, of one with neighbours in it no
        # mean
        ring = np.sort(ring)
        middle = ring[ring.size // 8 : max(ring.size - ring.size // 8, ring.size // 8 + 1)]
        profile[i] = (middle if i > 3 else ring).mean() / fit.amplitude
        error[i] = (
            np.hypot(max(noise, float(np.std(middle))) / np.sqrt(ring.size), error_of_level)
            / fit.amplitude
        )
    return profile, error
