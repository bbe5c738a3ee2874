"""Which pixels hold no data though they hold a number: sentinels such as -32768, and zeros."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

SENTINELS = (-99.0, -999.0, -9999.0, -99999.0, -32768.0, -32767.0, -2147483648.0)
"""What surveys and programs write for no data."""
MAGNITUDE_SENTINELS = (99.0, 99.99, 999.0)
"""The same in images of magnitudes."""
SENTINEL_KEYS = (
    "BLANK", "ZBLANK", "NODATA", "NO_DATA", "NODATAV", "BLANKVAL", "BADPIX", "BADVAL", "BADVALUE",
    "NULLVAL", "NULL_VAL", "MISSING", "UNDEF", "MASKVAL",
)  # fmt: skip
"""Keywords whose number is the value of pixels without data."""
HUGE = 1e19
"""No pixel is as bright in any unit: +-1e30 and +-3.4e38, the largest float32, are no data."""

SHARE, COUNT = 1e-3, 10
"""A sentinel is in this share of the pixels and in this many; or in one area of as many."""
FAR = 10.0
"""Robust widths from the median at which a value is far outside the others."""
TIMES = 10
"""A sentinel is so many times as frequent as any other value about it."""
UNLISTED_SHARE = 1e-2
"""Share of the pixels above which a lowest value far below the rest is no data, whatever it is."""

BLOCK = 5
"""Side in pixels of the smallest square of zeros that is not made of zeros met by chance."""
INSIDE_SHARE = 1e-2
"""Share of the image above which a connected area of zeros is blank, border or not."""
CHANCE = 0.05
"""Share of the most frequent value near 0 above which zeros are met by chance all over."""
FEW_ISLANDS = 20
"""In more pieces than this (or 0.1 % of the zeros), what is not zero lies scattered among zeros."""


def blank_sentinels(
    data: np.ndarray, header: Mapping[str, Any], magnitudes: bool = False
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The pixels with NaN for sentinels, and what was taken for one.

    A listed value (or one that the header names) is a sentinel where it is exactly repeated in at
    least 0.1 % of the pixels and in 10 (where it is far outside the others, one connected area of
    10 is enough), and 10 times as often as any other value within 10 robust widths of it: the noise
    of counts may pass through -99, but it does not stop there. A lowest value that nobody listed is
    one where 1 % of the pixels have it and nothing lies between it and the others. A repeated
    maximum, as of a saturated star, never is.

    Parameters
    ----------
    data : ndarray of float, shape (ny, nx)
        Pixel values, scaled as the header says; not changed.
    header : mapping
        FITS header as it was before the pixels were scaled.
    magnitudes : bool
        Whether values are magnitudes, where 99 is a sentinel too.

    Returns
    -------
    data : ndarray, shape (ny, nx)
        The same array where nothing is blank.
    notes : tuple of str
        A sentence for each value, with the share of the pixels.
    """
    found: list[tuple[float, np.ndarray]] = []
    with np.errstate(invalid="ignore"):
        huge = np.abs(data) >= HUGE
    if huge.any():
        found += [
            (float(value), data == value) for value in np.unique(data[huge & np.isfinite(data)])[:8]
        ]
        data = np.where(huge, data.dtype.type(np.nan), data)
    candidates = [*SENTINELS, *(MAGNITUDE_SENTINELS if magnitudes else ())]
    values = dict.fromkeys((*_named(header), *_scaled(candidates, header), *candidates))
    least, most = (np.nanmin(data), np.nanmax(data)) if np.isfinite(data).any() else (0.0, 0.0)
    for value in (value for value in values if least <= value <= most):
        here = data == data.dtype.type(value)
        if here.any() and _is_sentinel(data, here, value):
            found.append((value, here))
            data = np.where(here, data.dtype.type(np.nan), data)
    value, here = _lowest(data)
    if here is not None:
        found.append((value, here))
        data = np.where(here, data.dtype.type(np.nan), data)
    return data, tuple(
        f"{percent(float(here.mean()))} of the pixels hold {value:g}, taken as blank"
        for value, here in found
    )


def _named(header: Mapping[str, Any]) -> list[float]:
    """The values that a header calls no data."""
    values = []
    for key in SENTINEL_KEYS:
        try:
            values.append(float(header[key]))
        except (KeyError, TypeError, ValueError):
            continue
    return [value for value in (*values, *_scaled(values, header)) if np.isfinite(value)]


def _scaled(values: Iterable[float], header: Mapping[str, Any]) -> list[float]:
    """What `values` stored as integers become by ``BSCALE`` and ``BZERO``."""
    try:
        scale, zero = float(header.get("BSCALE", 1)), float(header.get("BZERO", 0))
        if int(header.get("BITPIX", -32)) < 0 or (scale, zero) == (1, 0):
            return []
    except (TypeError, ValueError):
        return []
    return [zero + scale * value for value in values]


def _spread(values: np.ndarray) -> tuple[float, float]:
    """Median and robust width of some values; the width is that of the middle 90 % where more than
    half of them are equal.
    """
    from astropy.stats import mad_std

    if not values.size:
        return 0.0, 0.0
    step = max(1, values.size // 1_000_000)
    some = values[::step].astype(np.float64)
    width = float(mad_std(some))
    if width == 0:
        low, high = np.percentile(some, [5, 95])
        width = float(high - low) / 3.3
    return float(np.median(some)), width


def _is_sentinel(data: np.ndarray, here: np.ndarray, value: float) -> bool:
    """Whether the pixels `here`, which all hold `value`, hold no data."""
    from scipy import ndimage

    count = int(here.sum())
    if count < COUNT or here.all():
        return False
    others = data[np.isfinite(data) & ~here]
    if not others.size:
        return False
    middle, width = _spread(others)
    if count < SHARE * data.size:
        if abs(value - middle) <= FAR * width:
            return False
        pieces, _ = ndimage.label(here)
        if np.bincount(pieces.ravel())[1:].max() < COUNT:
            return False
    near = others[np.abs(others - value) <= FAR * width]
    return not near.size or count >= TIMES * int(np.unique(near, return_counts=True)[1].max())


def _lowest(data: np.ndarray) -> tuple[float, np.ndarray | None]:
    """A lowest value below 0 that is repeated far below all others, and where it is."""
    finite = np.isfinite(data)
    if not finite.any():
        return 0.0, None
    value = float(data[finite].min())
    here = data == value
    if value >= 0 or here.sum() < max(COUNT, UNLISTED_SHARE * data.size):
        return value, None
    others = data[finite & ~here]
    if others.size < 0.05 * data.size:
        return value, None
    middle, width = _spread(others)
    alone = float(others.min()) > value + 0.5 * (middle - value)
    return value, here if width and alone and middle - value > 2 * FAR * width else None


def percent(share: float) -> str:
    """A share of pixels in words: never "0 %" of something, never "100 %" of less."""
    percent = 100 * share
    if percent < 0.01:
        return "less than 0.01 %"
    if 99.95 <= percent < 100:
        return "more than 99.9 %"
    return f"{percent:.2g} %" if percent < 10 else f"{percent:.3g} %"


def blank_zeros(
    data: np.ndarray, coverage: np.ndarray | None = None, name: str = "its exposure map"
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The image with NaN for zeros that are no measurement, and what is said of its zeros.

    Parameters
    ----------
    data : ndarray of float, shape (ny, nx)
        Pixel values; not changed.
    coverage : ndarray, shape (ny, nx), optional
        Exposure, coverage or weight of each pixel: where it is 0, nothing was measured; all other
        zeros are measurements then.
    name : str
        What to call it in the notes.

    Returns
    -------
    data : ndarray, shape (ny, nx)
        The same array where nothing is blank.
    notes : tuple of str
        What was made blank, and which zeros stay.
    """
    zero = data == 0
    if coverage is not None:
        unseen = coverage == 0
        new = unseen & np.isfinite(data)
        if (np.isfinite(data) & ~unseen).any():
            if not new.any():
                return data, ()
            return np.where(new, data.dtype.type(np.nan), data), (
                f"{percent(float(new.mean()))} of the pixels, where {name} is zero, are blank",
            )
    share = float(zero.mean())
    if zero.sum() < COUNT or zero.all():
        return data, ()
    if zeros_are_counts(data):
        stays = f"{percent(share)} of the pixels are zero: counts of few photons, which stay"
        return data, (stays,) if share >= SHARE else ()
    if _in_islands(data):  # steps so coarse that zero is the most frequent value
        return data, ()
    empty = _empty_areas(data, zero)
    if not empty.any() or (empty | ~np.isfinite(data)).all():
        return data, ()
    return np.where(empty, data.dtype.type(np.nan), data), (
        f"{percent(float(empty.mean()))} of the pixels, in areas of zeros, taken as blank",
    )


def zeros_are_counts(data: np.ndarray) -> bool:
    """Whether the zeros of an image are photons that did not come, judged by the pixels alone.

    No pixel of such an image is negative, and one of these holds: its values are multiples of one
    step and few steps high; or what is not zero lies scattered among the zeros, in islands; or
    zeros do not come in areas. Padding about an image is one area, and what it frames another. The
    step is lost where counts were divided by an exposure that varies over the field, the islands
    are not.

    Parameters
    ----------
    data : ndarray of float, shape (ny, nx)
        Pixel values, NaN where blank.
    """
    finite = np.isfinite(data)
    light = finite & (data > 0)
    if not light.any() or (data < 0).any():
        return False
    values = data[light].astype(np.float64)
    low, middle, high = np.percentile(values, [16, 50, 84])
    step = float(values.min())
    steps = values / step
    if middle <= 5.5 * step and np.mean(np.abs(steps - np.rint(steps)) < 1e-3 * steps) > 0.99:
        return True
    if _in_islands(data):
        return True
    if middle > 5 * (high - low):  # the sky's level, far from 0: no pixel reached it by chance
        return False
    return _clustering(data == 0, finite, max(2, min(16, min(data.shape) // 8))) < 0.5


def _in_islands(data: np.ndarray) -> bool:
    """Whether what is not zero lies scattered among zeros, so that these fill no area of their
    own: its greatest connected piece is less than half of it, or there are many pieces.
    """
    from scipy import ndimage

    pieces, _ = ndimage.label(np.isfinite(data) & (data != 0), structure=np.ones((3, 3)))
    sizes = np.bincount(pieces.ravel())[1:]
    many = max(FEW_ISLANDS, SHARE * float((data == 0).sum()))
    return bool(sizes.size and (sizes.max() < 0.5 * sizes.sum() or len(sizes) > many))


def _clustering(zero: np.ndarray, finite: np.ndarray, lag: int) -> float:
    """Correlation of being zero at pixels `lag` apart: 0 by chance, 1 for one great area."""
    share = float(zero[finite].mean())
    if not 0 < share < 1:
        return 0.0
    found = []
    for axis in (0, 1):
        if zero.shape[axis] <= lag:
            continue
        a, b = (np.take(zero, range(n, zero.shape[axis] - lag + n), axis) for n in (0, lag))
        f, g = (np.take(finite, range(n, zero.shape[axis] - lag + n), axis) for n in (0, lag))
        both = f & g
        if both.any():
            found.append((float((a & b)[both].mean()) - share**2) / (share - share**2))
    return float(np.mean(found)) if found else 0.0


def _empty_areas(data: np.ndarray, zero: np.ndarray) -> np.ndarray:
    """True in areas of zeros that touch the border or a blank pixel, and in those over 1 % of the
    image.

    An area has to hold a square of 5 x 5 zeros (beyond the border all is zero), or a whole row or
    column at the border, so that the zeros of coarse steps are no area.
    """
    from scipy import ndimage

    others = data[np.isfinite(data) & ~zero]
    near = others[np.abs(others) <= 3 * _spread(others)[1]]
    chance = float(np.unique(near, return_counts=True)[1].max(initial=0)) / max(others.size, 1)
    square = np.ones((BLOCK, BLOCK), bool)
    core = ndimage.binary_erosion(zero, square, border_value=1)
    solid = ndimage.binary_dilation(core, square) & zero | _whole_lines(zero)
    if not solid.any():
        return solid
    chance = max(chance, float((zero & ~solid).sum()) / max(int((~solid).sum()), 1))
    if chance < CHANCE:  # what hangs together with it, to the ragged edge
        solid = ndimage.binary_propagation(solid, mask=zero)
    pieces, _ = ndimage.label(solid)
    chosen = np.bincount(pieces.ravel()) > INSIDE_SHARE * data.size
    blank = np.pad(~np.isfinite(data), 1, constant_values=True)
    reach = np.asarray(ndimage.binary_dilation(blank), bool)
    chosen[np.unique(pieces[reach[1:-1, 1:-1]])] = True
    chosen[0] = False
    return chosen[pieces]


def _whole_lines(zero: np.ndarray) -> np.ndarray:
    """True in rows and columns at the border that are empty from end to end."""
    found = np.zeros(zero.shape, bool)
    for axis in (0, 1):
        empty = np.asarray(zero.all(axis=1 - axis))
        lines = np.logical_and.accumulate(empty) | np.logical_and.accumulate(empty[::-1])[::-1]
        found |= np.expand_dims(lines, 1 - axis)
    return found
