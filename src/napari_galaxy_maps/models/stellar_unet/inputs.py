"""What the stellar U-Net is given of a cube at each of its levels: ugriz on a scale that noise does
not upset, colours, noise, and what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from ...exceptions import ModelError
from ..base import RELATIONS

if TYPE_CHECKING:
    import torch

    from ..card import ModelCard

UGRIZ: tuple[str, ...] = ("SDSS_u", "SDSS_g", "SDSS_r", "SDSS_i", "SDSS_z")
"""The bands that training gives a network, in the order of its channels; a model's own are those
of its card.
"""
REFERENCE = 0.1
"""MJy/sr; a faint disc in r."""
_WIDTH = 3.0
"""e-folds of surface brightness that one unit of an input spans."""
_REDSHIFT = 0.1
_FIRST_UM = 0.2
"""Wavelength in micron below all filters, so that a filter that is there never looks missing."""
MEAN = (0.232, 1.401, 1.921, 2.137, 2.345)
COVARIANCE = (
    (1.3674, 1.3395, 1.3263, 1.3208, 1.3176), (1.3395, 1.4036, 1.4438, 1.4643, 1.4837),
    (1.3263, 1.4438, 1.5181, 1.5539, 1.5873), (1.3208, 1.4643, 1.5539, 1.5983, 1.6381),
    (1.3176, 1.4837, 1.5873, 1.6381, 1.6848),
)  # fmt: skip
"""Mean and covariance of ln(2 brightness / `REFERENCE`) in ugriz, of bright pixels of the training
mocks (`training.stellar_unet.input_scale`).
"""
_CALIBRATION = 0.02
"""Relative error of a band's calibration, below which colours tell nothing."""
_N = len(UGRIZ)
_PAIRS = tuple(combinations(range(_N), 2))
FILTERS: tuple[tuple[float, float], ...] = (
    (0.3557, 0.0559), (0.4702, 0.1160), (0.6175, 0.1112), (0.7491, 0.1070), (0.8946, 0.1126),
)  # fmt: skip
"""Pivot wavelength and width in micron of the filters of `UGRIZ`, of the curves that the table of
bands names; the width is that of a rectangle as high as a curve's peak, and of its area.
"""
N_CHANNELS = 4 * _N + len(_PAIRS) + (_N - 1) + 3
N_LEVELS = 5


def channel_names(bands: Sequence[str]) -> tuple[str, ...]:
    """What the channels are, in their order, of a network that takes these bands."""
    colours = tuple(f"{bands[first]} - {bands[second]}" for first, second in _PAIRS)
    return (
        *(f"brightness {band}" for band in bands),
        *(f"noise {band}" for band in bands),
        *(f"pivot {band}" for band in bands),
        *(f"width {band}" for band in bands),
        *colours,
        *(f"{band} beyond redder bands" for band in bands[:-1]),
        "redshift",
        "redshift is known",
        RELATIONS,
    )


def band_set(seen: Sequence[str], bands: Sequence[str]) -> int:
    """Number of the set of those of `bands` that are `seen`: a bit each."""
    return sum(1 << k for k, band in enumerate(bands) if band in seen)


def check_card(card: ModelCard) -> None:
    """Raise `ModelError` where a card names other inputs than `channels` makes of its bands."""
    if len(card.bands) != _N or (card.features and card.features != channel_names(card.bands)):
        raise ModelError(
            f"The card of {card.name} names inputs that this version does not make; "
            "train the model anew, or install its version."
        )


def encode(
    data: torch.Tensor,
    sigma: torch.Tensor,
    redshift: torch.Tensor,
    relations: torch.Tensor | None = None,
) -> list[torch.Tensor]:
    """The channels of the network, for each of its levels: of the image, and of it averaged over
    blocks of 2, 4, 8 and 16 pixels.

    Colours of faint parts are only seen when the light of many pixels is added up before a
    logarithm is taken.

    Parameters
    ----------
    data, sigma : Tensor, shape (n, 5, ny, nx)
        Surface brightness in ugriz and its 1-sigma error, MJy/sr; a pixel of a band in which either
        is not finite or the error not positive is missing, and blocks are averaged over those that
        are there.
    redshift : Tensor, shape (n,)
        NaN where it is not known.
    relations : Tensor, shape (n,), optional
        1 where galaxies' scaling relations count as a weight, 0 where they do not; by default 1.

    Returns
    -------
    list of Tensor, shapes (n, `N_CHANNELS`, ny / 2^k, nx / 2^k)
        As `channels` returns them, in channels-last order.
    """
    import torch
    from torch.nn import functional

    if relations is None:
        relations = torch.ones_like(redshift)
    there = torch.isfinite(data) & torch.isfinite(sigma) & (sigma > 0)
    flux, variance = torch.where(there, data, 0.0), torch.where(there, sigma, 0.0) ** 2
    count = there.to(data.dtype)
    found = [channels(flux, variance.sqrt(), there, redshift, relations)]
    for _ in range(N_LEVELS - 1):
        flux, variance, count = (
            functional.avg_pool2d(sums, 2, divisor_override=1) for sums in (flux, variance, count)
        )
        n = count.clamp(min=1)
        found.append(channels(flux / n, variance.sqrt() / n, count > 0, redshift, relations))
    return [level.contiguous(memory_format=torch.channels_last) for level in found]


def channels(
    data: torch.Tensor,
    sigma: torch.Tensor,
    there: torch.Tensor,
    redshift: torch.Tensor,
    relations: torch.Tensor,
) -> torch.Tensor:
    """The channels of one level.

    A band's channel is asinh(f / 2 sigma) + ln(2 sigma): the logarithm of 2 f where the galaxy
    stands out, linear in the noise and, without a galaxy, the logarithm of the noise (Lupton+ 1999,
    with the noise of each pixel as softening).

    Parameters
    ----------
    data, sigma : Tensor, shape (n, 5, ny, nx)
        Data are 0 where a band is missing, sigma is whatever it is.
    there : Tensor of bool, shape (n, 5, ny, nx)
    redshift, relations : Tensor, shape (n,)

    Returns
    -------
    Tensor, shape (n, `N_CHANNELS`, ny, nx)
        Bands, logarithms of their noise, pivots and widths of their filters, colours (`_colours`),
        the redshift, whether it is known, and whether relations count; 0 where missing.
    """
    import torch

    noise = torch.where(there, sigma, 1.0)
    signal = data / (2 * noise)
    level = torch.log(2 * noise / REFERENCE)
    brightness = torch.asinh(signal) + level
    keep = there.to(data.dtype)
    known = torch.isfinite(redshift)
    about = torch.stack(
        [torch.where(known, redshift / _REDSHIFT, 0.0), known.to(redshift.dtype), relations], 1
    ).to(data.dtype)
    n, _, ny, nx = data.shape
    colours = _colours(brightness, 0.25 / (1 + signal**2), there)
    pivot, width = torch.tensor(FILTERS, dtype=data.dtype, device=data.device).T[..., None, None]
    parts = [
        brightness / _WIDTH * keep,
        level / _WIDTH * keep,
        torch.log(pivot / _FIRST_UM) * keep,
        width / pivot * 5 * keep,
        colours,
        about[:, :, None, None].expand(n, 3, ny, nx),
    ]
    return torch.cat(parts, 1)


def _colours(brightness: torch.Tensor, variance: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
    """Colours, each in units of its own scatter and the closer to 0 the less it stands out of the
    noise (Wiener's filter).

    What tells metals and dust from age is a few hundredths of a magnitude in a colour given the
    others, beside brightnesses that differ by factors of thousands: a network learns from either
    only when it is given both on one scale.

    Parameters
    ----------
    brightness, variance : Tensor, shape (n, 5, ny, nx)
        Natural logarithms and the square of their error.
    there : Tensor of bool, shape (n, 5, ny, nx)

    Returns
    -------
    Tensor, shape (n, 14, ny, nx)
        The ten colours of two bands, and of each of ugri what it is beyond what is expected by the
        redder bands that are there.
    """
    import torch

    bits = sum(there[:, k].to(torch.int64) << k for k in range(_N))
    n, _, ny, nx = brightness.shape
    found = brightness.new_zeros(n, len(_PAIRS) + _N - 1, ny, nx)
    for code in torch.bincount(bits.flatten()).nonzero()[:, 0].tolist():
        bands = [k for k in range(_N) if code >> k & 1]
        wanted = [(k, tuple(other for other in bands if other > k)) for k in range(_N - 1)]
        wanted = [*((first, (second,)) for first, second in _PAIRS), *wanted]
        rows = [
            row
            for row, (band, others) in enumerate(wanted)
            if others and {band, *others} <= set(bands)
        ]
        if not rows:
            continue
        here = bits == code
        images = here.flatten(1).any(1).nonzero()[:, 0]
        bright, error = brightness[images], variance[images]
        colours = found[images]
        for row in rows:
            band, others = wanted[row]
            slopes, constant, scatter = _expected(band, others, row < len(_PAIRS))
            beyond, noise = bright[:, band] - constant, error[:, band] + scatter**2
            for slope, other in zip(slopes, others, strict=True):
                beyond = beyond - slope * bright[:, other]
                noise = noise + slope**2 * error[:, other]
            new = beyond * scatter / noise
            colours[:, row] = torch.where(here[images], new, colours[:, row])
        found[images] = colours
    return found


@lru_cache(maxsize=256)
def _expected(
    band: int, others: tuple[int, ...], one_to_one: bool
) -> tuple[tuple[float, ...], float, float]:
    """Slopes and constant by which other bands' brightness predicts a band's, and what is left, in
    e-folds; a colour has a slope of 1.
    """
    covariance = np.array(COVARIANCE) + _CALIBRATION**2 * np.eye(_N)
    rows = list(others)
    block, across = covariance[np.ix_(rows, rows)], covariance[rows, band]
    slopes = np.ones(len(rows)) if one_to_one else np.linalg.solve(block, across)
    constant = MEAN[band] - slopes @ np.array(MEAN)[rows]
    scatter = np.sqrt(covariance[band, band] - 2 * slopes @ across + slopes @ block @ slopes)
    return tuple(slopes.tolist()), float(constant), float(scatter)
