"""Errors from weights, and whether these are what they are taken for."""

from __future__ import annotations

import numpy as np

PLAUSIBLE = 3.0
"""Factor between the errors that weights make and the image's own noise up to which they agree."""


def sigma_from_weights(
    data: np.ndarray, weight: np.ndarray, label: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    """1-sigma errors from a weight map that may be an inverse variance, an exposure or a variance.

    The noise of the image itself decides: differences of pixels a few apart, divided by the errors
    that the weights make, scatter by 1 where these are inverse variances. By more than a factor of
    3 off, weights are relative (HST's are exposure times), and are scaled to the noise; where the
    noise grows with the weight as it does with a variance, they are variances.

    Parameters
    ----------
    data : ndarray of float, shape (ny, nx)
        The image in its own unit, NaN where blank.
    weight : ndarray, shape (ny, nx)
        The weights.
    label : str
        What to call them.

    Returns
    -------
    sigma : ndarray of float32, shape (ny, nx)
        In the image's unit; NaN where the weight is not positive.
    notes : tuple of str
        What was found wrong, in words.
    """
    good = np.isfinite(weight) & (weight > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        sigma = np.where(good, 1 / np.sqrt(weight.astype(np.float64)), np.nan)
        variance = np.where(good, np.sqrt(weight.astype(np.float64)), np.nan)
    slope = _slope(data, weight)
    if slope is not None and slope > 0.5:
        ratio = _noise_over(data, variance)
        if ratio is not None and 1 / PLAUSIBLE < ratio < PLAUSIBLE:
            return variance.astype(np.float32), (
                f"the noise grows with the weights of {label}: taken as a variance",
            )
    ratio = _noise_over(data, sigma)
    if ratio is None or 1 / PLAUSIBLE <= ratio <= PLAUSIBLE:
        return sigma.astype(np.float32), ()
    return (sigma * ratio).astype(np.float32), (
        f"the weights of {label} are no inverse variance (errors from them are "
        f"{1 / ratio:.3g} times the image's noise): taken as relative, and scaled to the noise",
    )


LAGS = (8, 4)
"""Pixels between those whose second difference is taken as noise, in images of 64 pixels and more
and in smaller ones: beyond what resampling ties together.
"""
FAINT = 40
"""Percent of the image that are taken as sky, the faintest when smoothed."""
FEWEST = 100
"""Differences from which the noise is told."""


def _sky_differences(data: np.ndarray) -> list[tuple[np.ndarray, list[tuple[slice, ...]]]]:
    """Second differences along each axis, which know no gradient, NaN outside the sky; with where
    the three pixels of each are.
    """
    from scipy import ndimage

    finite = np.isfinite(data)
    if not finite.any():
        return []
    filled = np.where(finite, data, np.median(data[finite])).astype(np.float64)
    smooth = ndimage.gaussian_filter(filled, 4)
    sky = np.where(finite & (smooth <= np.percentile(smooth[finite], FAINT)), filled, np.nan)
    lag = LAGS[0] if min(data.shape) >= 64 else LAGS[1]
    found = []
    for axis in (0, 1):
        size = data.shape[axis]
        if size <= 2 * lag:
            continue
        parts = [
            tuple(slice(n, size - 2 * lag + n) if k == axis else slice(None) for k in (0, 1))
            for n in (0, lag, 2 * lag)
        ]
        before, here, after = (sky[part] for part in parts)
        found.append((before - 2 * here + after, parts))
    return found


def _noise_over(data: np.ndarray, sigma: np.ndarray) -> float | None:
    """Robust noise of the sky in units of `sigma`, or None where it cannot be told."""
    from astropy.stats import mad_std

    scaled = [np.empty(0)]
    for step, (before, here, after) in _sky_differences(data):
        step = step / np.sqrt(sigma[before] ** 2 + 4 * sigma[here] ** 2 + sigma[after] ** 2)
        scaled.append(step[np.isfinite(step)])
    values = np.concatenate(scaled)
    noise = float(mad_std(values)) if values.size >= FEWEST else 0.0
    return noise if noise > 0 else None


def _slope(data: np.ndarray, weight: np.ndarray) -> float | None:
    """How the log of the noise's square goes with the log of the weight (-1 for inverse variances,
    1 for variances), from its lowest to its highest quarter; None where weights are too much alike.
    """
    from astropy.stats import mad_std

    steps, weights = [np.empty(0)], [np.empty(0)]
    log = np.log10(np.where(weight > 0, weight, np.nan).astype(np.float64))
    for step, parts in _sky_differences(data):
        three = np.stack([log[part] for part in parts])
        alike = np.isfinite(step) & (np.ptp(three, axis=0) < 0.3)
        steps.append(step[alike])
        weights.append(three.mean(axis=0)[alike])
    found, log = np.concatenate(steps), np.concatenate(weights)
    if found.size < 4 * FEWEST:
        return None
    low, high = np.percentile(log, [25, 75])
    if high - low < 0.6:
        return None
    noise = [float(mad_std(found[part])) for part in (log <= low, log >= high)]
    if min(noise) <= 0:
        return None
    return 2 * float(
        np.log10(noise[1] / noise[0]) / (np.median(log[log >= high]) - np.median(log[log <= low]))
    )
