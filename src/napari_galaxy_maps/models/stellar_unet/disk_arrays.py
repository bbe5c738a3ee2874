"""Arrays for results: in memory where they are small, in a temporary file where they would crowd
it.
"""

from __future__ import annotations

import mmap
import tempfile

import numpy as np

LIMIT = 256 * 2**20
"""Bytes from which an array lies in a file."""


def scratch_array(shape: tuple[int, ...], limit: int = LIMIT) -> np.ndarray:
    """An array of float32 full of NaN; a large one is mapped to a temporary file that vanishes with
    it.
    """
    if np.prod(shape, dtype=np.int64) * 4 <= limit:
        return np.full(shape, np.nan, np.float32)
    with tempfile.TemporaryFile(prefix="galaxy-maps-") as file:  # the map keeps it alive
        array = np.memmap(file, np.float32, "w+", shape=shape)
    for plane in array:
        plane[:] = np.nan
        release(array)
    return array


def release(*arrays: np.ndarray) -> None:
    """Write what large arrays hold to their files; the memory is free until it is read again."""
    for array in arrays:
        if isinstance(array, np.memmap):
            array.flush()
            mapped = array._mmap  # type: ignore[attr-defined]
            if hasattr(mmap, "MADV_DONTNEED"):  # not on Windows
                mapped.madvise(mmap.MADV_DONTNEED)
