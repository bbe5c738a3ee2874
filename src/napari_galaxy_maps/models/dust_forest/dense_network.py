"""A small network of dense layers: its arrays and its forward pass, for CPUs by numpy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

WIDEST = 4.0
"""Inputs count no further than so many standard deviations from the mean of the training set, for
the network knows nothing beyond.
"""
_ROWS = 256
"""Taken at one time, never fewer: the last bit of a matrix product depends on its shape, and a
pixel is to be the same whatever is predicted beside it."""
_WORKERS = min(8, os.cpu_count() or 1)
_LEAST_BLOCKS = 4
"""A thread with fewer is not worth its start."""


@cache
def _blas() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_blas_thread() -> AbstractContextManager[Any]:
    """Within it, matrix products run on one thread each: threads that wait for each other inside
    such small ones are slower than one, and take the processor from everything else.
    """
    limited: AbstractContextManager[Any] = _blas().limit(limits=1, user_api="blas")
    return limited


@dataclass(frozen=True)
class DenseNetwork:
    """Standardised inputs, hidden layers of rectified units, and outputs in their own units.

    From the second hidden layer on, a layer's output is added to its input.

    Attributes
    ----------
    middle, scale : ndarray of float32, shape (n_inputs,)
        Of the inputs.
    weights, biases : tuple of ndarray of float32
        Of each layer, shapes (n_in, n_out) and (n_out,); the last gives the outputs.
    """

    middle: np.ndarray
    scale: np.ndarray
    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Outputs, float32, shape (n, n_outputs), of inputs of shape (n, n_inputs)."""
        n = len(x)
        out = np.empty((n, self.weights[-1].shape[1]), np.float32)
        blocks = -(-n // _ROWS)
        shares = np.array_split(np.arange(blocks), min(_WORKERS, max(1, blocks // _LEAST_BLOCKS)))
        with one_blas_thread():  # each of ours has blocks of its own instead
            if len(shares) == 1:
                self._fill(out, x, shares[0])
            else:
                with ThreadPoolExecutor(len(shares)) as threads:
                    list(threads.map(lambda share: self._fill(out, x, share), shares))
        return out

    def _fill(self, out: np.ndarray, x: np.ndarray, blocks: np.ndarray) -> None:
        block = np.zeros((_ROWS, len(self.middle)), np.float32)
        for k in blocks:
            rows = x[k * _ROWS : (k + 1) * _ROWS]
            block[: len(rows)] = rows
            out[k * _ROWS : k * _ROWS + len(rows)] = self._forward(block)[: len(rows)]

    def _forward(self, x: np.ndarray) -> np.ndarray:
        hidden = np.clip((x - self.middle) / self.scale, -WIDEST, WIDEST)
        last = len(self.weights) - 1
        for k, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            out = hidden @ weight
            out += bias
            if k < last:
                np.maximum(out, 0, out=out)
                if k > 0:
                    out += hidden
            hidden = out
        return hidden

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """The arrays by name, to be written to a file."""
        layers = {
            f"{prefix}{kind}.{k}": array
            for kind in ("weights", "biases")
            for k, array in enumerate(getattr(self, kind))
        }
        return {f"{prefix}middle": self.middle, f"{prefix}scale": self.scale, **layers}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str) -> DenseNetwork:
        """The reverse of `arrays`."""
        n = sum(name.startswith(f"{prefix}weights.") for name in arrays)
        weights, biases = (
            tuple(arrays[f"{prefix}{kind}.{k}"] for k in range(n)) for kind in ("weights", "biases")
        )
        return cls(arrays[f"{prefix}middle"], arrays[f"{prefix}scale"], weights, biases)
