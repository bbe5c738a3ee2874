"""What a band's stars look like: the wings of a Moffat profile, or of many stars stacked, and how
well these are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ...constants import FWHM_PER_SIGMA
from .star_fit import Fit, window

_UNKNOWN = 0.5
"""Share of a star's light by which a profile may be off that no star has shown."""
_MOST = 0.99
_DIGITS = 8
"""Of a profile's numbers, which are written with every result."""
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
    """

    radius: np.ndarray
    profile: np.ndarray

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


@dataclass(frozen=True)
class StarPsf:
    """A band's stars in the few numbers that their wings are made of.

    Attributes
    ----------
    fwhm : float
        Of the fitted Gaussians, arcsec.
    beta : float
        Exponent of the Moffat profile that is taken where no stars were stacked; else 0.
    radius : tuple of float
        Of rings of stars, arcsec.
    profile : tuple of float
        Of stacked stars, surface brightness there over the peak of the fitted Gaussian.
    doubt : tuple of float
        By which share of its light there a star differs from the profile; 1 where none is seen.
    """

    fwhm: float
    beta: float = 0.0
    radius: tuple[float, ...] = ()
    profile: tuple[float, ...] = ()
    doubt: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        lengths = {len(self.radius)} | {len(x) for x in (self.profile, self.doubt) if x}
        falls = np.diff(self.profile) <= 0 if self.profile else self.beta > 1
        if (
            not (np.isfinite([self.fwhm, self.beta]).all() and self.fwhm > 0)
            or len(lengths) > 1
            or not (np.all(falls) and np.all(np.diff(self.radius) > 0))
            or not (np.array(self.profile) > 0).all()
        ):
            raise ValueError("a PSF that no image has")

    @property
    def wings(self) -> Wings:
        """The profile at all radii."""
        return _wings_of(self)

    @property
    def reach(self) -> float:
        """Radius (arcsec) out to which stars show more than half of the profile's light."""
        none = np.flatnonzero(np.array(self.doubt) >= 1)
        return self.radius[max(int(none[0]) - 1, 0)] if none.size else float(self.wings.radius[-1])

    def doubt_at(self, radius: np.ndarray) -> np.ndarray:
        """By which share of its light a star may differ from the profile, at radii in arcsec."""
        if not self.doubt:
            return np.full(np.shape(radius), _UNKNOWN)
        return np.asarray(np.interp(radius, self.radius, self.doubt, right=_UNKNOWN))


@lru_cache(maxsize=256)
def _wings_of(psf: StarPsf) -> Wings:
    """Of stacked stars a Gaussian in the middle, their rings, and a power law beyond these."""
    if psf.beta:
        return moffat_wings(psf.fwhm, psf.beta)
    radius, profile, fwhm = np.array(psf.radius), np.array(psf.profile), psf.fwhm
    beyond = np.geomspace(radius[-1] * 1.05, max(40 * fwhm, radius[-1] * 2), 100)
    tail = profile[-1] * (beyond / radius[-1]) ** -_TAIL
    fine = np.linspace(0, radius[-1], 400)
    inside = np.exp(np.interp(fine, radius, np.log(profile)))
    # the innermost ring is an average over the core: the Gaussian that was fitted tells its shape
    core = np.exp(-0.5 * (fine / (fwhm / FWHM_PER_SIGMA)) ** 2)
    inside = np.where(fine < 0.6 * fwhm, core, np.minimum(inside, 1.0))
    inside = np.minimum.accumulate(inside)
    return Wings(np.concatenate([fine, beyond]), np.concatenate([inside, tail]))


def moffat_wings(fwhm: float, beta: float) -> Wings:
    """The wings of a Moffat profile of a FWHM (arcsec), out to 40 of it."""
    alpha = fwhm / (2 * np.sqrt(2 ** (1 / beta) - 1))
    radius = np.concatenate([[0.0], np.geomspace(0.05, 40, 300)]) * fwhm
    return Wings(radius, (1 + (radius / alpha) ** 2) ** -beta)


def stacked_psf(
    data: np.ndarray,
    fits: Sequence[Fit],
    pixel_arcsec: float,
    fwhm: float,
    reach: float,
    noise: float,
    correlation: float = 1.0,
) -> tuple[StarPsf, int] | None:
    """A band's PSF as its own bright stars show it, and by how much they differ from each other.

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
    correlation : float
        How much less it averages out over a star than that of independent pixels.

    Returns
    -------
    StarPsf, int
        And of how many stars it is made.
    None
        Where they are too few or too faint to tell.
    """
    edges = ring_edges(fwhm, reach)
    inner, outer = edges / pixel_arcsec, 1.3 * reach / pixel_arcsec
    rings = [_rings(data, fit, inner, outer, noise * correlation) for fit in fits]
    seen = [(fit, *ring) for fit, ring in zip(fits, rings, strict=True) if ring is not None]
    if len(seen) < 3:
        return None
    shown = [fit for fit, *_ in seen]
    stars, errors = np.array([(values, error) for _, values, error in seen]).swapaxes(0, 1)
    found = _profile_of(stars, errors, edges, fwhm, reach)
    if found is None:
        return None
    radius, profile, error = found
    psf = StarPsf(fwhm, 0.0, _rounded(radius), _rounded(profile))
    differ = []
    for i, fit in enumerate(shown):
        others = np.arange(len(shown)) != i
        known = _profile_of(stars[others], errors[others], edges, fwhm, reach)
        if known is not None:
            wings = StarPsf(fwhm, 0.0, tuple(known[0]), tuple(known[1])).wings
            off = off_by(data, fit, wings, edges[: radius.size + 1], pixel_arcsec, noise)
            off[0] = np.hypot(off[0], error / profile)
            differ.append(off)
    return (with_doubt(psf, edges[: radius.size + 1], differ) if differ else psf), len(seen)


def _rounded(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(f"{value:.{_DIGITS}g}") for value in values)


def _profile_of(
    stars: np.ndarray, errors: np.ndarray, edges: np.ndarray, fwhm: float, reach: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Radii, profile and its error of stars' rings; None where too few stand out of the noise."""
    # Median over the brightest stars: a neighbour or an arm beside one of them does not count.
    # A ring narrower than a pixel may hold none.
    seen = np.isfinite(stars).any(0)
    value, variance = np.full((2, seen.size), np.nan)
    value[seen] = np.nanmedian(stars[:, seen], axis=0)
    variance[seen] = np.nanmedian(np.square(errors)[:, seen], axis=0)
    error = 1.25 * np.sqrt(variance / len(stars))
    middle = ring_middles(edges)
    lost = np.flatnonzero(~(value > 4 * error))
    last = int(lost[0]) if lost.size else value.size
    inner = middle < 1.2 * fwhm
    if last < inner.sum() + 2:
        return None
    radius, profile = middle[:last], np.minimum.accumulate(value[:last])
    # the background was taken where there still is some of the star's light
    profile = profile + profile[-1] * (1.15 * reach / radius[-1]) ** -_TAIL
    scale = max(profile[0], 1.0)
    return radius, profile / scale, error[:last] / scale


def off_by(
    data: np.ndarray, fit: Fit, wings: Wings, edges: np.ndarray, pixel_arcsec: float, noise: float
) -> np.ndarray:
    """By which share of its light a star's pixels differ from a profile.

    Parameters
    ----------
    data : ndarray, shape (ny, nx)
    fit : Fit
        The star's.
    wings : Wings
    edges : ndarray, shape (n + 1,)
        Of rings about it, arcsec.
    pixel_arcsec : float
        Side of a pixel.
    noise : float
        Rms of a pixel of empty sky.

    Returns
    -------
    ndarray, shape (2, n)
        The rms about the profile, less the noise, and the mean; NaN where a ring has no pixel.
    """
    share = np.full((2, edges.size - 1), np.nan)
    box = window(data.shape, fit.x, fit.y, 1.3 * edges[-1] / pixel_arcsec)
    if box is None:
        return share
    rows, columns = np.mgrid[box]
    distance = np.hypot(columns - fit.x, rows - fit.y) * pixel_arcsec
    light = light_of(fit, wings, distance)
    rest = np.asarray(data[box], float) - light
    around = np.isfinite(rest) & (distance > edges[-1]) & (distance < 1.3 * edges[-1])
    if not around.any():
        return share
    rest = rest - np.median(rest[around])
    for i in range(edges.size - 1):
        ring = (distance >= edges[i]) & (distance < edges[i + 1]) & np.isfinite(rest)
        if ring.any():
            excess = np.mean(rest[ring] ** 2) - noise**2
            values = np.sqrt(max(excess, 0.0)), np.mean(rest[ring])
            share[:, i] = np.array(values) / np.mean(light[ring])
    return share


def light_of(fit: Fit, wings: Wings, distance: np.ndarray) -> np.ndarray:
    """A star's light at distances in arcsec, if it is as wide as the band's others."""
    return np.asarray(fit.amplitude * np.interp(distance, wings.radius, wings.profile))


def with_doubt(psf: StarPsf, edges: np.ndarray, differ: Sequence[np.ndarray]) -> StarPsf:
    """The PSF with its doubt in rings (edges in arcsec): the median over stars of what `off_by`
    finds. Of a profile that was not measured it is 1 from where on the stars have less than half
    its light.
    """
    off = np.array(differ)
    share, mean = np.full(edges.size - 1, _UNKNOWN), np.zeros(edges.size - 1)
    seen = np.isfinite(off).any(axis=(0, 1))
    share[seen] = np.nanmedian(off[:, 0, seen], axis=0).clip(0, _MOST)
    mean[seen] = np.nanmedian(off[:, 1, seen], axis=0)
    if not psf.profile and (mean < -0.5).any():
        share[int(np.flatnonzero(mean < -0.5)[0]) :] = 1.0
    radius = psf.radius or _rounded(ring_middles(edges))
    return replace(psf, radius=radius, doubt=_rounded(share))


def ring_edges(fwhm: float, reach: float) -> np.ndarray:
    """Edges (arcsec) of the rings that stars are looked at in."""
    return np.concatenate([[0.0], np.geomspace(0.5 * fwhm, reach, 14)])


def ring_middles(edges: np.ndarray) -> np.ndarray:
    """Radii that rings stand for; the first is the star's middle."""
    return np.concatenate([[0.0], np.sqrt((edges[1:-1] ** 2 + edges[2:] ** 2) / 2)])


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
