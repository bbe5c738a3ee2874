"""How layers are coloured: perceptual maps, an asinh stretch made of colours alone, a diverging map
about zero.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.flags import HARMLESS, Flag

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.utils.colormaps import Colormap

DIVERGING = "residual"
_FEWEST = 25
"""Pixels without such a flag from which a galaxy's range is taken."""

# Moreland 2009, "Diverging color maps for scientific visualization", table of the cool-warm map,
# every eighth.
_COOL_WARM = (
    (59, 76, 192),
    (98, 130, 234),
    (141, 176, 254),
    (184, 208, 249),
    (221, 221, 221),
    (245, 196, 173),
    (244, 154, 123),
    (222, 96, 77),
    (180, 4, 38),
)


def asinh_controls(softening: float, n: int = 256) -> np.ndarray:
    """Where between 0 and 1 the colours of an asinh stretch stand.

    Parameters
    ----------
    softening : float
        Below this fraction of the range the stretch is linear, above it logarithmic.
    n : int
        Number of colours.

    Returns
    -------
    ndarray, shape (n,)
        Increasing from 0 to 1; equal steps in ``asinh(x / softening)``.
    """
    controls = softening * np.sinh(np.linspace(0, 1, n) * np.arcsinh(1 / softening))
    controls[0], controls[-1] = 0, 1
    return controls


def asinh_colormap(softening: float, base: str = "gray", n: int = 256) -> Colormap:
    """The colour map `base` with an asinh stretch in it: the data stay as they are (napari has no
    such norm).
    """
    from napari.utils.colormaps import Colormap, ensure_colormap

    colors = ensure_colormap(base).map(np.linspace(0, 1, n))
    # The name carries the softening: napari looks colour maps up by name and would mix two
    # stretches up.
    name = f"{base} asinh {softening:.3g}"
    return Colormap(
        colors=colors,
        controls=asinh_controls(softening, n),
        name=name,
        display_name=f"{base} asinh",
    )


def diverging_colormap() -> Colormap:
    """Blue, grey at zero, red; for differences."""
    from napari.utils.colormaps import Colormap

    return Colormap(colors=np.array(_COOL_WARM) / 255, name=DIVERGING, display_name=DIVERGING)


def stretch_limits(data: np.ndarray) -> tuple[float, float, float]:
    """Limits and softening of an asinh stretch fit for a galaxy on a noisy sky.

    Parameters
    ----------
    data : ndarray, shape (ny, nx)
        Surface brightness, NaN where unmeasured.

    Returns
    -------
    low, high, softening : float
        One and a half noise sigmas under the sky; the brightest 0.05 per cent; three sigmas as a
        fraction of the range.
    """
    step = max(1, int(np.sqrt(data.size / 200_000)))
    values = data[::step, ::step]
    values = values[np.isfinite(values)]
    if values.size == 0:
        return 0.0, 1.0, 0.1
    median, high = np.percentile(values, [50, 99.95])
    faint = values[values <= median]
    sigma = 1.4826 * float(np.median(median - faint))
    low = float(median - 1.5 * sigma)
    if not high > low:
        high = low + max(abs(low), 1.0) * 1e-3
    # napari looks colours up in 1024 equal steps of the data: a softer stretch than this would show
    # them.
    softening = float(np.clip(3 * sigma / (high - low), 0.008, 0.5))
    return low, float(high), softening


def galaxy_limits(
    values: np.ndarray, flags: np.ndarray | None, usual: tuple[float, float]
) -> tuple[float, float]:
    """The range of a galaxy's own values: the 1st to the 99th percentile of those without a
    flag that makes them worse.

    Parameters
    ----------
    values : ndarray, shape (ny, nx)
        The map.
    flags : ndarray of int or None, shape (ny, nx)
        Bits of `flags.Flag`. Where hardly a pixel is without, only masked ones are left out.
    usual : tuple of float
        The property's usual range, for a map without values. A map that is nearly flat spans a
        twentieth of it, so that its noise does not look like structure.
    """
    good = np.isfinite(values)
    if not good.any():
        return usual
    chosen = good
    if flags is not None:
        for bits in (~int(HARMLESS), int(Flag.MASKED)):
            clean = good & ((flags & bits) == 0)
            if clean.sum() >= _FEWEST:
                chosen = clean
                break
    low, high = (float(v) for v in np.percentile(values[chosen], (1, 99)))
    middle, half = (low + high) / 2, max(high - low, (usual[1] - usual[0]) / 20) / 2
    return middle - half, middle + half


def error_limits(errors: np.ndarray) -> tuple[float, float]:
    """From zero to the 99th percentile of the finite errors."""
    finite = errors[np.isfinite(errors)]
    top = float(np.percentile(finite, 99)) if finite.size else 1.0
    return 0.0, top if top > 0 else 1.0


def residual_limits(residual: np.ndarray) -> tuple[float, float]:
    """Symmetric about zero, to the 98th percentile of the residual's size."""
    size = np.abs(residual[np.isfinite(residual)])
    top = float(np.percentile(size, 98)) if size.size else 1.0
    top = top if top > 0 else 1.0
    return -top, top


def paint(layer: Layer, limits: tuple[float, float], colormap: Any) -> None:
    """Other limits and another colour map; one of which a session has only the name is taken where
    napari knows it.
    """
    spread(layer, limits)
    if not isinstance(colormap, str):
        layer.colormap = colormap
    elif colormap != layer.colormap.name:
        with suppress(KeyError):
            layer.colormap = colormap


def spread(layer: Layer, limits: tuple[float, float]) -> None:
    """Other limits of the colours, within a range that holds them."""
    low, high = layer.contrast_limits_range
    layer.contrast_limits_range = (min(low, limits[0]), max(high, limits[1]))
    layer.contrast_limits = limits
