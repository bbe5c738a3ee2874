"""One star in one band: a circular Gaussian over a local background, tied to what is known, and how
far a PSF's wings reach.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...constants import FWHM_PER_SIGMA

WINDOW = 3.5
"""Radius of the fitted pixels in FWHM."""

_FEWEST_PIXELS = 12
_NEVER_SATURATED, _WIDELY_SATURATED = 17.0, 13.0  # G
_MISMATCH = 0.05  # no star is a Gaussian: its pixels are known to this fraction of the peak at best


@dataclass(frozen=True)
class Expected:
    """What is expected of a star before its fit: means, and standard deviations of natural
    logarithms and of pixels.

    Attributes
    ----------
    x, y : float
        Position in pixels.
    fwhm : float
        In pixels.
    amplitude : float
        Peak above the background, in the data's unit; NaN where nothing is known.
    position_error, width_error, amplitude_error : float
        How softly the fit is tied to each: pixels, ln(FWHM), ln(amplitude).
    magnitude : float
        G, NaN where unknown: whether it may be saturated.
    """

    x: float
    y: float
    fwhm: float
    amplitude: float = np.nan
    position_error: float = 1.0
    width_error: float = 0.3
    amplitude_error: float = 1.5
    magnitude: float = np.nan


@dataclass(frozen=True)
class Fit:
    """A fitted star.

    Attributes
    ----------
    amplitude, error : float
        Peak above the background and its 1-sigma error, at the expected place and width where not
        `seen`.
    x, y, fwhm : float
        In pixels.
    noise : float
        Rms of a pixel around the star, structure of the galaxy included.
    seen : bool
        Whether the amplitude is significant.
    saturated : bool
        Whether its top is flat or blank.
    """

    amplitude: float
    error: float
    x: float
    y: float
    fwhm: float
    noise: float
    seen: bool
    saturated: bool = False


def window(shape: tuple[int, int], x: float, y: float, radius: float) -> tuple[slice, slice] | None:
    """Rows and columns within `radius` pixels of a position, cut at the image's border; None
    outside of it.
    """
    ny, nx = shape
    y0, y1 = max(0, int(np.ceil(y - radius))), min(ny, int(np.floor(y + radius)) + 1)
    x0, x1 = max(0, int(np.ceil(x - radius))), min(nx, int(np.floor(x + radius)) + 1)
    return (slice(y0, y1), slice(x0, x1)) if y1 > y0 and x1 > x0 else None


def is_saturated(
    data: np.ndarray, x: float, y: float, fwhm: float, noise: float, magnitude: float = np.nan
) -> bool:
    """Whether a star's top is flat (several pixels at one height) or blank; never of one that is
    known to be faint.
    """
    if magnitude > _NEVER_SATURATED:
        return False
    box = window(data.shape, x, y, max(1.0, 0.6 * fwhm))
    if box is None:
        return False
    blank = ~np.isfinite(data[box])
    if blank.any():
        # a hole in the middle of something bright
        around = data[window(data.shape, x, y, max(6.0, 3 * fwhm))]
        return bool(
            blank.mean() > 0.1 and np.isfinite(around).sum() > 20 and np.nanmax(around) > 50 * noise
        )
    top = data[window(data.shape, x, y, max(2.0, 1.5 * fwhm))]
    top = top[np.isfinite(top)]
    height = top.max() - np.percentile(top, 5)
    if magnitude < _WIDELY_SATURATED and top.size > 8:
        # a plateau wider than the PSF: only the farther surroundings are lower (faint stars on a
        # bulge look like that)
        far = data[window(data.shape, x, y, max(10.0, 6 * fwhm))]
        rise = top.max() - np.nanpercentile(far, 5)
        if rise > 100 * noise and np.percentile(top, 50) > top.max() - 0.1 * rise:
            return True
    if height < 100 * noise:
        return False
    # A Gaussian has pi s^2 / 40 pixels within 2.5 % of its peak: under one, unless it is very well
    # sampled.
    flat = (top > top.max() - 0.025 * height).sum()
    return bool(flat >= max(5, 0.25 * fwhm**2))


def fit_star(
    data: np.ndarray,
    expected: Expected,
    noise: float,
    *,
    seen: float = 3.0,
    curved: bool = False,
    correlation: float = 1.0,
) -> Fit | None:
    """Fit a circular Gaussian and a local background, softly tied to what is expected (Dobbels &
    Baes 2021, Sect. 2.1).

    Parameters
    ----------
    data : ndarray, shape (ny, nx)
        NaN where nothing was measured.
    expected : Expected
        Where the star should be, how wide and how bright.
    noise : float
        Rms of a pixel of empty sky.
    seen : float
        Amplitude over its error from which the star counts as seen.
    curved : bool
        Whether the background is a paraboloid (within a galaxy) and not a plane.
    correlation : float
        Of `noise_correlation`: how much less the noise averages out over a star than that of
        independent pixels.

    Returns
    -------
    Fit or None
        None where too few pixels were measured.
    """
    pixels = _pixels_about(data, expected, curved)
    if pixels is None:
        return None
    sigma = expected.fwhm / FWHM_PER_SIGMA
    amplitude, error, level, spread = _linear(
        pixels.values,
        pixels.ground,
        np.exp(-0.5 * (pixels.u**2 + pixels.v**2) / sigma**2),
        noise,
    )
    structure = _structure(spread, noise, amplitude, expected)
    effective = float(np.hypot(noise * correlation, structure))
    floor = error * noise * correlation / max(spread, 1e-30)
    error *= effective / max(spread, 1e-30)
    saturated = is_saturated(data, expected.x, expected.y, expected.fwhm, noise, expected.magnitude)
    if not amplitude > seen * error:
        # Hidden by neighbours, but over the noise and expected to be: it is there, if too crowded
        # for a fit. (In a galaxy the structure may be all there is.)
        hidden = not curved and amplitude > seen * floor and expected.amplitude > 2 * seen * floor
        return Fit(
            amplitude, error, expected.x, expected.y, expected.fwhm, spread, bool(hidden), saturated
        )
    log_amplitude, du, dv, log_sigma = _tied_gaussian(
        pixels, expected, amplitude, level, noise, noise * correlation
    )
    return Fit(
        float(np.exp(log_amplitude)),
        error,
        expected.x + float(du),
        expected.y + float(dv),
        float(np.exp(log_sigma)) * FWHM_PER_SIGMA,
        spread,
        True,
        saturated,
    )


@dataclass(frozen=True)
class _Pixels:
    """The pixels that a star is fitted to.

    Attributes
    ----------
    u, v : ndarray, shape (n,)
        From where the star is expected.
    values : ndarray, shape (n,)
    ground : ndarray, shape (n, n_terms)
        The terms of the background.
    radius : float
        Of the circle that they lie in.
    """

    u: np.ndarray
    v: np.ndarray
    values: np.ndarray
    ground: np.ndarray
    radius: float

    def only(self, which: np.ndarray) -> _Pixels:
        """Some of them."""
        return _Pixels(
            self.u[which], self.v[which], self.values[which], self.ground[which], self.radius
        )


def _pixels_about(data: np.ndarray, expected: Expected, curved: bool) -> _Pixels | None:
    """The pixels around where a star is expected; None where too few were measured."""
    radius = max(WINDOW * expected.fwhm, 4.0)
    box = window(data.shape, expected.x, expected.y, radius)
    if box is None:
        return None
    rows, columns = np.mgrid[box]
    values = np.asarray(data[box], float)
    u, v = columns - expected.x, rows - expected.y
    good = np.isfinite(values) & (u**2 + v**2 <= radius**2)
    if good.sum() < _FEWEST_PIXELS:
        return None
    u, v, values = u[good], v[good], values[good]
    terms = [np.ones_like(u), u / radius, v / radius]
    if curved:
        terms += [(u / radius) ** 2, (v / radius) ** 2, u * v / radius**2]
    return _Pixels(u, v, values, np.column_stack(terms), radius)


def _structure(spread: float, noise: float, amplitude: float, expected: Expected) -> float:
    """What the pixels around a star scatter by beyond the sky's noise and the star's own wings,
    which no Gaussian has.

    It is structure, as smooth as a star itself: it does not average out over one.
    """
    beam = max(1.0, 1.13 * expected.fwhm**2)
    excess = max(spread**2 - noise**2 - (_MISMATCH * amplitude) ** 2, 0.0)
    return float(np.sqrt(excess * beam))


def _tied_gaussian(
    pixels: _Pixels,
    expected: Expected,
    amplitude: float,
    level: np.ndarray,
    noise: float,
    correlated: float,
) -> np.ndarray:
    """The Gaussian that fits best: logarithm of its amplitude, its offset along both axes, and
    logarithm of its sigma.

    Parameters
    ----------
    pixels : _Pixels
    expected : Expected
        What it is softly tied to.
    amplitude, level : float, ndarray
        Of the star and of the background's terms, to begin with.
    noise, correlated : float
        Rms of a pixel, and as it counts for a star where neighbouring pixels share their noise.
    """
    from .tied_gaussian import fit_tied_gaussian

    # Well-sampled stars: a third of the FWHM is sampling enough, and the few pixels stand for all.
    stride = max(1, int(expected.fwhm // 3))
    if stride > 1:
        columns = np.rint(pixels.u + expected.x).astype(int)
        rows = np.rint(pixels.v + expected.y).astype(int)
        pixels = pixels.only((columns % stride == 0) & (rows % stride == 0))
    log_sigma = np.log(expected.fwhm / FWHM_PER_SIGMA)
    known = expected.amplitude if np.isfinite(expected.amplitude) else amplitude
    means = np.array([np.log(known), 0.0, 0.0, log_sigma])
    softness = np.array(
        [
            expected.amplitude_error,
            expected.position_error,
            expected.position_error,
            expected.width_error,
        ]
    )
    ties = np.where(np.isfinite(means) & np.isfinite(softness), 1 / softness, 0.0)
    # First as if the star were alone, so that one that is no point source shows its width; where
    # that leaves structure around it (an arm, neighbours), again with as much less weight against
    # what is expected.
    uncertain = correlated / stride
    for _ in range(2):
        found = fit_tied_gaussian(
            (pixels.u, pixels.v, pixels.values, pixels.ground),
            np.array([np.log(amplitude), 0.0, 0.0, log_sigma, *level]),
            _bounds(amplitude, log_sigma, pixels),
            means,
            ties,
            1 / float(np.hypot(uncertain, _MISMATCH * amplitude)),
        )
        apart = (pixels.u - found[1]) ** 2 + (pixels.v - found[2]) ** 2
        light = np.exp(found[0] - 0.5 * apart / np.exp(2 * found[3]))
        rest = pixels.values - light - pixels.ground @ found[4:]
        remains = 1.4826 * float(np.median(np.abs(rest)))
        structure = _structure(remains, noise, amplitude, expected)
        if structure < 2 * uncertain:
            break
        uncertain = float(np.hypot(correlated, structure)) / stride
    return found[:4]


def _bounds(amplitude: float, log_sigma: float, pixels: _Pixels) -> tuple[np.ndarray, np.ndarray]:
    """They keep exp() finite and the star inside its window; a width at its bound is a fit that ran
    away.
    """
    radius, terms = pixels.radius, pixels.ground.shape[1]
    low = [np.log(amplitude) - 12, -radius, -radius, log_sigma - 1.5, *[-np.inf] * terms]
    high = [np.log(amplitude) + 6, radius, radius, log_sigma + 3.0, *[np.inf] * terms]
    return np.array(low), np.array(high)


def _linear(
    values: np.ndarray, ground: np.ndarray, shape: np.ndarray, noise: float
) -> tuple[float, float, np.ndarray, float]:
    """Amplitude of a known shape over a background, its error, the background's terms, and the
    pixels' rms.
    """
    terms = np.column_stack([shape, ground])
    keep = np.ones(values.size, bool)
    inside = shape > 0.1  # the star's own pixels are never clipped: that is where it is
    for _ in range(3):
        kept = terms[keep]
        covariance = np.linalg.pinv(kept.T @ kept)
        solution = covariance @ (kept.T @ values[keep])
        residual = values - terms @ solution
        outside = residual[~inside & keep]
        spread = (
            max(noise, 1.4826 * float(np.median(np.abs(outside)))) if outside.size > 5 else noise
        )
        again = inside | (np.abs(residual) < 4 * spread)
        if (again == keep).all() or again.sum() < terms.shape[1] + 4:
            break
        keep = again
    return float(solution[0]), float(spread * np.sqrt(covariance[0, 0])), solution[1:], spread


def noise_correlation(data: np.ndarray, fwhm: float, noise: float) -> float:
    """How much larger the noise of a star's amplitude is than with independent pixels, from the
    image smoothed by the PSF.

    Resampled and coadded images have correlated noise, and faint unresolved sources are one too; 1
    or more.
    """
    from astropy.stats import sigma_clipped_stats
    from scipy.ndimage import gaussian_filter

    ny, nx = data.shape
    part = data[max(0, ny // 2 - 512) : ny // 2 + 512, max(0, nx // 2 - 512) : nx // 2 + 512]
    finite = np.isfinite(part)
    if finite.sum() < 1000:
        return 1.0
    sigma = fwhm / FWHM_PER_SIGMA
    filled = np.where(finite, part, np.median(part[finite]))
    # less what is wider than a star: the background of a fit takes that off
    smooth = gaussian_filter(filled, sigma) - gaussian_filter(filled, 4 * sigma)
    spread = float(
        sigma_clipped_stats(smooth[finite], sigma=3, cenfunc="median", stdfunc="mad_std")[2]
    )
    independent = noise * np.sqrt(1 / (4 * np.pi * sigma**2)) if sigma > 0.5 else noise * 0.56
    return max(1.0, spread / independent)
