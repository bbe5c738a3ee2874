"""How badly predicted maps say what a galaxy holds: the loss of sums inside and outside 2 R_half,
beside that of single pixels.

A pixel's best value in dex is the mean of its logarithm. Gas and young stars are clumped below a
pixel's certainty, and the sum of such pixels is less than the galaxy's: by how much differs from
galaxy to galaxy. A network that is also taught the sums learns it.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch

from ...measure.compare.stellar_scores import INSIDE
from ...models.stellar_unet.outputs import STELLAR_PROPERTIES, TARGETS

_AGE = STELLAR_PROPERTIES.index("AGE_STAR")
_MASS = STELLAR_PROPERTIES.index("LOG_SIGMA_STAR")
_HUGE, _TINY = 60.0, 1e-30
"""So that sums of a network that has learnt nothing yet stay finite."""
LEAST: dict[str, float] = {
    "LOG_SIGMA_STAR": 0.08, "LOG_SIGMA_ZSTAR": 0.21, "AGE_STAR": 0.073, "LOG_SIGMA_SFR": 0.29,
    "LOG_SIGMA_GAS": 0.28, "LOG_SIGMA_ZGAS": 0.28, "LOG_SIGMA_HI": 0.26,
}  # fmt: skip
"""Differences in dex that count alike: about what an image leaves open (`least_scatter`)."""
EDGES = (0.0, INSIDE, 5.0)
"""Of the regions that are summed, in R_half."""
CERTAINTY = (1.0, 0.5)
"""By region: faint outskirts are less certain by about a factor of two."""


def sums_loss(value: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Mean over images and maps of the difference of sums in units of `LEAST`, squared up to 1 and
    linear beyond (Huber's loss).

    Parameters
    ----------
    value : Tensor, shape (n, 7, size, size)
        Scaled values.
    truth : Tensor, shape (n, 7, size, size)
        Scaled; NaN where empty.

    Returns
    -------
    Tensor
        A number: of sums inside 2 R_half, and of sums from there to 5 R_half in units twice as
        large. Ages are means weighted by the mass of the same galaxy.
    """
    units = torch.tensor([t.unit for t in TARGETS.values()], device=value.device)[
        :, None
    ] * math.log(10)
    least = torch.tensor(
        [LEAST[name] for name in STELLAR_PROPERTIES], device=value.device
    ) * math.log(10)
    certainty = torch.tensor(CERTAINTY, device=value.device)[:, None]
    known = torch.isfinite(truth).flatten(2)
    there = torch.stack(regions(truth[:, _MASS].flatten(1) * units[_MASS]), 1).float()
    mine, true = (
        _log_sums(plane.flatten(2) * units, known, there)
        for plane in (value, truth.nan_to_num(0.0))
    )
    some = torch.einsum("nmp,nrp->nrm", known.float(), there) > 0
    miss = torch.where(some, mine - true, 0.0) / least * certainty
    return torch.nn.functional.huber_loss(miss, torch.zeros_like(miss), reduction="sum") / (
        len(value) * len(least)
    )


def _log_sums(maps: torch.Tensor, known: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
    """Natural logarithms of sums, shape (n, regions, 7), of natural logarithms of maps, shape (n,
    7, pixels).
    """
    linear = torch.exp(maps.clamp(max=_HUGE)) * known
    linear = torch.cat(
        [
            linear[:, :_AGE],
            linear[:, _AGE : _AGE + 1] * linear[:, _MASS : _MASS + 1],
            linear[:, _AGE + 1 :],
        ],
        1,
    )
    logs = torch.log(torch.einsum("nmp,nrp->nrm", linear, there).clamp(min=_TINY))
    return torch.cat(
        [
            logs[..., :_AGE],
            logs[..., _AGE : _AGE + 1] - logs[..., _MASS : _MASS + 1],
            logs[..., _AGE + 1 :],
        ],
        2,
    )


def regions(log_mass: torch.Tensor) -> list[torch.Tensor]:
    """Which pixels are in each region: in the order of their mass, those that hold half of it fill
    the ellipse of R_half.

    Parameters
    ----------
    log_mass : Tensor, shape (n, pixels)
        Natural logarithms; NaN where empty.

    Returns
    -------
    list of Tensor of bool, each of shape (n, pixels)
        Between `EDGES`; nothing of an image without any mass.
    """
    mass = log_mass.exp().nan_to_num(0.0)
    sorted_mass, order = mass.sort(dim=1, descending=True)
    half = (sorted_mass.cumsum(1) < 0.5 * mass.sum(1, keepdim=True)).sum(1, keepdim=True) + 1
    rank = torch.empty_like(order).scatter_(
        1, order, torch.arange(mass.shape[1], device=mass.device).expand_as(order)
    )
    return [
        (rank >= low**2 * half) & (rank < high**2 * half) & (mass > 0)
        for low, high in pairwise(EDGES)
    ]
