"""The compiled descent through packed trees; numba stands at its top, so that it is imported where
it is used.
"""
# mypy: disallow-untyped-defs=False

from __future__ import annotations

import numba
import numpy as np

from ...compiled import compiled


@numba.njit(error_model="numpy", inline="always")
def _columns(x, first, count):
    """Pixels `first` to `first + count` of `x`, 64 of each feature side by side."""
    n_features = x.shape[1]
    column = np.zeros(64 * n_features, np.float32)
    for j in range(count):
        for f in range(n_features):
            column[f * 64 + j] = x[first + j, f]
    return column


@numba.njit(error_model="numpy", inline="always")
def _descend_tree(column, code, threshold, root, depth, node):
    """Take 64 pixels down a tree, to their leaves in `node`."""
    for j in range(64):
        node[j] = root
    for _ in range(depth):
        for j in range(64):
            k = node[j]
            c = code[k]
            value = column[(c & np.uint32(127)) * np.uint32(64) + np.uint32(j)]
            node[j] = (c >> np.uint32(7)) + np.uint32(value > threshold[k])


@numba.njit(error_model="numpy", inline="always")
def _add_leaves(node, leaf, values, count, total):
    """Add what the leaves say, eight outputs at a time."""
    for j in range(count):
        k = leaf[node[j]]
        for g in range(values.shape[1] // 8):
            for o in range(8):
                total[j, g * 8 + o] += values[k, g * 8 + o]


@compiled(nogil=True, parallel=True, error_model="numpy")
def descend(x, code, threshold, leaf, root, depth, values, offset, out):
    """Fill `out` with the sum of the trees' leaves: blocks of 64 pixels in parallel, trees in
    order, the pixels of a block side by side.

    While one pixel waits for memory the next goes on. Unsigned indices spare numba's test for
    negative ones.
    """
    n, n_out = out.shape
    for block in numba.prange((n + 63) // 64):
        first = block * 64
        count = min(64, n - first)
        column = _columns(x, first, count)
        node = np.empty(64, np.uint32)
        total = np.zeros((64, values.shape[1]), np.float32)
        for t in range(len(root)):
            _descend_tree(column, code, threshold, root[t], depth[t], node)
            _add_leaves(node, leaf, values, count, total)
        for j in range(count):
            for o in range(n_out):
                out[first + j, o] = total[j, o] + offset[o]
