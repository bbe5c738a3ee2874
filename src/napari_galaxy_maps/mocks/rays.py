"""Light along the lines of sight through a disc of finite thickness: stars dimmed by the dust in
front of them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

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
    _kernel()(
        np.ascontiguousarray(x, np.float32), np.ascontiguousarray(y, np.float32), disc.table, np.float32(disc.r_max),
        np.ascontiguousarray(patterns, np.float32), np.float32(pattern_kpc), heights, same,
        disc.extinction.astype(np.float32), np.float32(np.sin(angle)), np.float32(np.cos(angle)), np.float32(thin), nodes, _TANH, n_bands,
        n_bands + N_OF_STARS, N_STAR_LAYERS, out,
    )  # fmt: skip
    return out


_TANH = np.tanh(np.linspace(-6, 6, 4097)).astype(np.float32)


@cache
def _kernel() -> Any:
    """The compiled march.

    The vertical profile is integrated over each step exactly, so that mass is kept however few the
    steps.
    """
    import numba

    @numba.njit(nogil=True, cache=True, error_model="numpy", fastmath=True)
    def run(  # type: ignore[no-untyped-def]
        xs,
        ys,
        table,
        r_max,
        patterns,
        half,
        heights,
        same,
        extinction,
        sin,
        cos,
        thin,
        nodes,
        tanh,
        n_bands,
        split,
        n_stars,
        out,
    ):
        n_layers, n_columns = table.shape[1], table.shape[2]
        n_radii, size = table.shape[0], patterns.shape[0]
        last = n_columns - 1
        edge = np.float32(size - 1.001)
        end_tanh = np.float32(5.99)
        per_tanh = np.float32((len(tanh) - 1) / 12.0)
        inverse = np.float32(1) / heights
        top = np.float32(4) * heights.max()
        before, after = np.empty(n_layers, np.float32), np.empty(n_layers, np.float32)
        row, passing = np.empty(n_columns, np.float32), np.empty(n_bands, np.float32)
        for ray in range(len(xs)):
            x, y = xs[ray], ys[ray]
            if abs(x) >= r_max:
                continue
            reach = np.sqrt(r_max * r_max - x * x)
            # Depth s (away from the observer): height z = y sin + s cos, distance along the minor
            # axis v = y cos - s sin.
            low = max((-top - y * sin) / cos, (y * cos - reach) / sin)
            high = min((top - y * sin) / cos, (y * cos + reach) / sin)
            if low >= high:
                continue
            middle = min(max(-y * sin / cos, low), high) * thin + np.float32(0.5) * (low + high) * (
                1 - thin
            )
            for c in range(n_bands):
                passing[c] = 1
            s0 = low
            z0 = y * sin + s0 * cos
            for layer in range(n_layers):
                before[layer] = np.tanh(z0 / heights[layer])
            for step in range(len(nodes) - 1):
                node = nodes[step + 1]
                s1 = middle + (high - middle if node > 0 else middle - low) * node
                ds = s1 - s0
                z1 = y * sin + s1 * cos
                dz = z1 - z0
                v = y * cos - np.float32(0.5) * (s0 + s1) * sin
                at = np.sqrt(np.sqrt(x * x + v * v) / r_max) * np.float32(n_radii - 1)
                k = int(at)
                for layer in range(n_layers):
                    if same[layer] < layer:
                        after[layer] = after[same[layer]]
                    else:
                        place = (
                            min(max(z1 * inverse[layer], -end_tanh), end_tanh) + np.float32(6)
                        ) * per_tanh
                        i = int(place)
                        after[layer] = tanh[i] + (place - np.float32(i)) * (tanh[i + 1] - tanh[i])
                if k < n_radii - 1 and ds > 0:
                    part = at - np.float32(k)
                    px = min(
                        max(
                            (x / half + 1) * np.float32(0.5) * size - np.float32(0.5), np.float32(0)
                        ),
                        edge,
                    )
                    py = min(
                        max(
                            (v / half + 1) * np.float32(0.5) * size - np.float32(0.5), np.float32(0)
                        ),
                        edge,
                    )
                    ix, iy = int(px), int(py)
                    fx, fy = px - np.float32(ix), py - np.float32(iy)
                    for c in range(n_columns):
                        row[c] = 0
                    for layer in range(n_layers):
                        if dz > np.float32(0.02) * heights[layer]:
                            fall = np.float32(0.5) * (after[layer] - before[layer]) * ds / dz
                        else:
                            th = np.float32(0.5) * (after[layer] + before[layer])
                            fall = np.float32(0.5) * (1 - th * th) / heights[layer] * ds
                        if fall * cos < np.float32(1e-5):
                            continue
                        upper = (
                            patterns[iy, ix, layer] * (1 - fx) + patterns[iy, ix + 1, layer] * fx
                        )
                        lower = (
                            patterns[iy + 1, ix, layer] * (1 - fx)
                            + patterns[iy + 1, ix + 1, layer] * fx
                        )
                        weight = fall * (upper * (1 - fy) + lower * fy)
                        a, b = weight * (1 - part), weight * part
                        first, end = (0, split) if layer < n_stars else (split, n_columns)
                        for c in range(first, end):
                            row[c] += a * table[k, layer, c] + b * table[k + 1, layer, c]
                    # Of a step's light exp(-tau) (1 - exp(-dtau)) / dtau passes on the average.
                    for c in range(n_bands):
                        depth = row[last] * extinction[c]
                        if depth < np.float32(0.03):  # to 5e-6
                            lost = depth * (1 - np.float32(0.5) * depth)
                            mean = 1 - np.float32(0.5) * depth
                        else:
                            lost = 1 - np.exp(-depth)
                            mean = lost / depth
                        out[ray, c] += row[c] * passing[c] * mean
                        passing[c] *= 1 - lost
                    for c in range(n_bands, n_columns):
                        out[ray, c] += row[c]
                s0, z0 = s1, z1
                for layer in range(n_layers):
                    before[layer] = after[layer]

    return run
