"""What the last layer of a network says of each pixel: a value with its uncertainty, as a Gaussian
or as a quantised regression.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch.nn import functional

_LOG_SIGMA = (-6.0, 1.0)
"""Natural logarithms of the least and the largest sigma, in scaled units."""
_START = -3.0
"""The logarithm of sigma that an untrained network says."""
_REACH = 1.1
"""Bins reach from minus to plus this, in scaled units."""


@dataclass(frozen=True)
class Head:
    """How outputs are read.

    Attributes
    ----------
    kind : str
        ``"gaussian"``: two outputs a map, value and logarithm of sigma. ``"quantised"`` (Gueler+
        2017): for each of `bins` over the range its probability q and the place r within it; the
        value is the sum of q (B + r dB).
    maps : int
    bins : int
    """

    kind: Literal["gaussian", "quantised"] = "gaussian"
    maps: int = 7
    bins: int = 20

    @property
    def outputs(self) -> int:
        """Channels of the network's last layer."""
        return self.maps * (2 if self.kind == "gaussian" else 2 * self.bins)

    def read(self, outputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Value and sigma in scaled units, each of shape (n, maps, ny, nx), of outputs of shape (n,
        `outputs`, ny, nx).
        """
        if self.kind == "gaussian":
            value, raw = outputs.unflatten(1, (2, self.maps)).unbind(1)
            return value, torch.exp((raw + _START).clamp(*_LOG_SIGMA))
        logits, place = outputs.unflatten(1, (2, self.maps, self.bins)).unbind(1)
        share, at = logits.softmax(2), self._places(place)
        value = (share * at).sum(2)
        variance = (share * (at - value[:, :, None]) ** 2).sum(2) + self._step**2 / 12 * 0.1
        return value, variance.sqrt()

    @property
    def _step(self) -> float:
        return 2 * _REACH / self.bins

    def _places(self, place: torch.Tensor) -> torch.Tensor:
        """Where in scaled units each bin's r lies."""
        edges = torch.linspace(-_REACH, _REACH - self._step, self.bins, device=place.device)
        return edges[:, None, None] + place.sigmoid() * self._step

    def loss(self, outputs: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """How badly outputs say the truth: a number for each pixel of each map, 0 where the truth
        is NaN.

        For a Gaussian, the negative log likelihood with gradients weighted by sigma (beta = 0.5 of
        Seitzer+ 2022), so that faint pixels teach the value, too; for a quantised regression, the
        cross entropy of the bins and the squared error of the place in the bin that is right.
        """
        known = torch.isfinite(truth)
        aim = truth.nan_to_num(0.0)
        if self.kind == "gaussian":
            value, raw = outputs.unflatten(1, (2, self.maps)).unbind(1)
            log_sigma = (raw + _START).clamp(*_LOG_SIGMA)
            nll = 0.5 * ((aim - value) * torch.exp(-log_sigma)) ** 2 + log_sigma
            return torch.where(known, nll * log_sigma.detach().exp(), 0.0 * nll)
        logits, place = outputs.unflatten(1, (2, self.maps, self.bins)).unbind(1)
        right = ((aim + _REACH) / self._step).long().clamp(0, self.bins - 1)
        entropy = functional.cross_entropy(logits.movedim(2, 1), right, reduction="none")
        there = self._places(place).gather(2, right[:, :, None])[:, :, 0]
        return torch.where(
            known,
            entropy * self._step + 4 * ((there - aim) / self._step) ** 2 * self._step,
            0.0 * entropy,
        )
