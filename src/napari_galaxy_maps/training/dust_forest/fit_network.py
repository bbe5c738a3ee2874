"""Fits a `DenseNetwork`: by torch, on any loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ...models.dust_forest.dense_network import WIDEST, DenseNetwork

if TYPE_CHECKING:
    import torch

_BATCH = 256


def fit_network(
    draw: Callable[[np.random.Generator], tuple[np.ndarray, ...]],
    loss: Callable[..., torch.Tensor],
    widths: tuple[int, ...],
    n_outputs: int,
    to_output: tuple[np.ndarray, np.ndarray],
    seed: int,
    epochs: int,
    rate: float = 2e-3,
    dropout: float = 0.0,
    decay: float = 1e-3,
    jitter: float = 0.0,
    batch: int = _BATCH,
) -> DenseNetwork:
    """Fit a network with AdamW and one cycle of the learning rate.

    Parameters
    ----------
    draw : callable
        Of a random generator: inputs (n, n_inputs) and what `loss` takes besides, each of n rows;
        asked anew for every epoch.
    loss : callable
        Of the network's outputs and the rest that `draw` gave, as tensors of a batch.
    widths : tuple of int
        Units of the hidden layers; all alike.
    n_outputs : int
        That the loss sees.
    to_output : tuple of ndarray
        Middle and scale of the outputs that are kept, the first ones: the network that is returned
        gives them in their own units.
    """
    import torch

    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    x = draw(rng)[0]
    middle, scale = (
        np.asarray(f(x, axis=0), np.float32) for f in (np.mean, lambda a, axis: a.std(axis) + 1e-3)
    )
    sizes = [x.shape[1], *widths, n_outputs]
    layers = [torch.nn.Linear(a, b) for a, b in pairwise(sizes)]
    parameters = [p for layer in layers for p in layer.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=rate, weight_decay=decay)
    steps = epochs * -(-len(x) // batch)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)

    def forward(hidden: torch.Tensor) -> torch.Tensor:
        for k, layer in enumerate(layers[:-1]):
            out = torch.nn.functional.dropout(torch.relu(layer(hidden)), dropout)
            hidden = out + hidden if k else out
        return layers[-1](hidden)

    for _ in range(epochs):
        given = [torch.from_numpy(np.asarray(a, np.float32)) for a in draw(rng)]
        given[0] = ((given[0] - torch.from_numpy(middle)) / torch.from_numpy(scale)).clip(
            -WIDEST, WIDEST
        )
        for rows in _batches(len(given[0]), batch, rng):
            x_of, *rest = (a[rows] for a in given)
            value = loss(forward(x_of + jitter * torch.randn(x_of.shape)), *rest)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            cycle.step()
    weights = [layer.weight.detach().numpy().T.copy() for layer in layers]
    biases = [layer.bias.detach().numpy().copy() for layer in layers]
    offset, factor = (np.asarray(a, np.float32) for a in to_output)
    kept = len(offset)
    weights[-1] = weights[-1][:, :kept] * factor
    biases[-1] = biases[-1][:kept] * factor + offset
    return DenseNetwork(middle, scale, tuple(weights), tuple(biases))


def _batches(n: int, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    order = rng.permutation(n)
    for start in range(0, n, size):
        yield order[start : start + size]
