"""Light along the lines of sight through a disc of finite thickness: stars dimmed by the dust in
front of them.

`march` prepares the numbers; what follows it is compiled by numba, in single precision throughout.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from ..compiled import compiled
from .layers import N_OF_STARS, N_STAR_LAYERS, Disc


def march(
    disc: Disc,
    patterns: np.ndarray,
    pattern_kpc: float,
    x: np.ndarray,
    y: np.ndarray,
    inclination: float,
    n_bands: int,
) -> np.ndarray:
    """Integrate the layers of a disc along lines of sight.

    Parameters
    ----------
    disc : Disc
    patterns : ndarray of float32, shape (n, n, n_layers)
        Seen from above, centred: what each layer is multiplied by.
    pattern_kpc : float
        Half the side of the patterns.
    x, y : ndarray, shape (n_rays,)
        Where the lines of sight pierce the plane of the sky, kpc along the major and the minor
        axis.
    inclination : float
        Degrees; the part at positive y is the far one.
    n_bands : int
        The first columns of the disc's table are dimmed, the others are not.

    Returns
    -------
    ndarray of float32, shape (n_rays, n_columns)
        The table's columns per kpc2 of sky; the last is the optical depth at V.
    """
    angle = np.radians(min(max(inclination, 0.01), 89.95))
    steps = 14 + int(30 * np.sin(angle) ** 4)
    out = np.zeros((len(x), disc.table.shape[2]), np.float32)
    # Where the disc is thin along the ray its steps crowd about the midplane; where its edge bounds
    # the ray they are even.
    heights = disc.heights.astype(np.float32)
    thin = min(1.0, disc.r_max * np.cos(angle) / (4 * heights.max() * np.sin(angle)))
    sharp = 0.3 + 2.9 * thin
    nodes = (np.sinh(sharp * np.linspace(-1, 1, steps + 1)) / np.sinh(sharp)).astype(np.float32)
    same = np.array([np.flatnonzero(heights == h)[0] for h in heights])
    march_rays = _compiled_march()
    march_rays(
        np.ascontiguousarray(x, np.float32),
        np.ascontiguousarray(y, np.float32),
        disc.table,
        np.float32(disc.r_max),
        np.ascontiguousarray(patterns, np.float32),
        np.float32(pattern_kpc),
        heights,
        same,
        disc.extinction.astype(np.float32),
        np.float32(np.sin(angle)),
        np.float32(np.cos(angle)),
        np.float32(thin),
        nodes,
        _TANH,
        n_bands,
        n_bands + N_OF_STARS,
        N_STAR_LAYERS,
        out,
    )
    return out


_TANH = np.tanh(np.linspace(-6, 6, 4097)).astype(np.float32)
_HALF, _ONE = np.float32(0.5), np.float32(1)


@cache
def _compiled_march() -> Any:
    """`_march_rays`, compiled once and kept on disk.

    Its parts are registered rather than compiled by themselves: a compiled function inside another
    one's closure would be taken for a new one in every process, and compiled again.
    """
    from numba.extending import register_jitable

    options = {"nogil": True, "error_model": "numpy", "fastmath": True}
    for part in (_chord, _integrate_profiles, _pattern_pixel, _sum_layers, _add_light):
        register_jitable(**options)(part)
    return compiled(**options)(_march_rays)


def _chord(x: Any, y: Any, r_max: Any, top: Any, sin: Any, cos: Any) -> tuple[Any, Any]:
    """Depths at which a ray enters and leaves the disc; the second is the smaller where it misses.

    Depth s grows away from the observer; height z = y sin + s cos, distance along the minor axis
    v = y cos - s sin.
    """
    reach = np.sqrt(r_max * r_max - x * x)
    low = max((-top - y * sin) / cos, (y * cos - reach) / sin)
    high = min((top - y * sin) / cos, (y * cos + reach) / sin)
    return low, high


def _integrate_profiles(z: Any, heights: Any, same: Any, tanh: Any, found: Any) -> None:
    """tanh(z / height) of each layer, by a table; layers of the same height share it."""
    end = np.float32(5.99)
    per_tanh = np.float32((len(tanh) - 1) / 12.0)
    for layer in range(len(heights)):
        if same[layer] < layer:
            found[layer] = found[same[layer]]
        else:
            inverse = _ONE / heights[layer]
            place = (min(max(z * inverse, -end), end) + np.float32(6)) * per_tanh
            i = int(place)
            found[layer] = tanh[i] + (place - np.float32(i)) * (tanh[i + 1] - tanh[i])


def _pattern_pixel(offset: Any, half: Any, size: Any) -> tuple[Any, Any]:
    """The pixel of the patterns before a place in kpc from their centre, and the part of a pixel
    from there to the place.
    """
    edge = np.float32(size - 1.001)
    place = min(max((offset / half + 1) * _HALF * size - _HALF, np.float32(0)), edge)
    pixel = int(place)
    return pixel, place - np.float32(pixel)


def _sum_layers(
    table: Any, patterns: Any, at: Any, pixel: Any, before: Any, after: Any, heights: Any,
    ds: Any, dz: Any, cos: Any, split: Any, n_stars: Any, row: Any,
) -> None:  # fmt: skip
    """The table's columns in one step of a ray, all layers together.

    The vertical profile is integrated over the step exactly, so that mass is kept however few the
    steps.
    """
    ix, fx, iy, fy = pixel
    k = int(at)
    part = at - np.float32(k)
    n_columns = table.shape[2]
    for c in range(n_columns):
        row[c] = 0
    for layer in range(len(heights)):
        if dz > np.float32(0.02) * heights[layer]:
            fall = _HALF * (after[layer] - before[layer]) * ds / dz
        else:
            th = _HALF * (after[layer] + before[layer])
            fall = _HALF * (1 - th * th) / heights[layer] * ds
        if fall * cos < np.float32(1e-5):
            continue
        upper = patterns[iy, ix, layer] * (1 - fx) + patterns[iy, ix + 1, layer] * fx
        lower = patterns[iy + 1, ix, layer] * (1 - fx) + patterns[iy + 1, ix + 1, layer] * fx
        weight = fall * (upper * (1 - fy) + lower * fy)
        a, b = weight * (1 - part), weight * part
        first, end = (0, split) if layer < n_stars else (split, n_columns)
        for c in range(first, end):
            row[c] += a * table[k, layer, c] + b * table[k + 1, layer, c]


def _add_light(row: Any, extinction: Any, passing: Any, total: Any) -> None:
    """Add a step to a ray: of a step's light exp(-tau) (1 - exp(-dtau)) / dtau passes on the
    average.
    """
    n_bands, last = len(passing), len(row) - 1
    for c in range(n_bands):
        depth = row[last] * extinction[c]
        if depth < np.float32(0.03):  # to 5e-6
            lost = depth * (1 - _HALF * depth)
            mean = 1 - _HALF * depth
        else:
            lost = 1 - np.exp(-depth)
            mean = lost / depth
        total[c] += row[c] * passing[c] * mean
        passing[c] *= 1 - lost
    for c in range(n_bands, len(row)):
        total[c] += row[c]


def _march_rays(
    xs: Any, ys: Any, table: Any, r_max: Any, patterns: Any, half: Any, heights: Any, same: Any,
    extinction: Any, sin: Any, cos: Any, thin: Any, nodes: Any, tanh: Any, n_bands: Any, split: Any,
    n_stars: Any, out: Any,
) -> None:  # fmt: skip
    """March all rays through the disc, from the nearest step to the farthest."""
    n_layers, n_columns = table.shape[1], table.shape[2]
    n_radii, size = table.shape[0], patterns.shape[0]
    top = np.float32(4) * heights.max()
    before, after = np.empty(n_layers, np.float32), np.empty(n_layers, np.float32)
    row, passing = np.empty(n_columns, np.float32), np.empty(n_bands, np.float32)
    for ray in range(len(xs)):
        x, y = xs[ray], ys[ray]
        if abs(x) >= r_max:
            continue
        low, high = _chord(x, y, r_max, top, sin, cos)
        if low >= high:
            continue
        midplane = min(max(-y * sin / cos, low), high)
        middle = midplane * thin + _HALF * (low + high) * (1 - thin)
        passing[:] = 1
        s0 = low
        z0 = y * sin + s0 * cos
        for layer in range(n_layers):
            before[layer] = np.tanh(z0 / heights[layer])
        for node in nodes[1:]:
            s1 = middle + (high - middle if node > 0 else middle - low) * node
            ds = s1 - s0
            z1 = y * sin + s1 * cos
            v = y * cos - _HALF * (s0 + s1) * sin
            at = np.sqrt(np.sqrt(x * x + v * v) / r_max) * np.float32(n_radii - 1)
            _integrate_profiles(z1, heights, same, tanh, after)
            if at < n_radii - 1 and ds > 0:
                ix, fx = _pattern_pixel(x, half, size)
                iy, fy = _pattern_pixel(v, half, size)
                _sum_layers(
                    table, patterns, at, (ix, fx, iy, fy), before, after, heights, ds, z1 - z0, cos,
                    split, n_stars, row,
                )  # fmt: skip
                _add_light(row, extinction, passing, out[ray])
            s0, z0 = s1, z1
            before[:] = after
