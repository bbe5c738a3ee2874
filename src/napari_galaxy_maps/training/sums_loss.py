"""How badly predicted maps say what a galaxy holds: the loss of sums inside 2 R_half, beside that of single pixels.

A pixel's best value in dex is the mean of its logarithm. Gas and young stars are clumped below a pixel's certainty, and the sum of such
pixels is less than the galaxy's: by how much differs from galaxy to galaxy. A network that is also taught the sums learns it.
"""

from __future__ import annotations

import math

import torch

from ..measure.stellar_scores import INSIDE
from ..models.stellar_maps import STELLAR_PROPERTIES, TARGETS

_AGE = STELLAR_PROPERTIES.index("AGE_STAR")
_MASS = STELLAR_PROPERTIES.index("LOG_SIGMA_STAR")
LEAST: dict[str, float] = {
    "LOG_SIGMA_STAR": 0.09, "LOG_SIGMA_ZSTAR": 0.25, "AGE_STAR": 0.075, "LOG_SIGMA_SFR": 0.30, "LOG_SIGMA_GAS": 0.28,
    "LOG_SIGMA_ZGAS": 0.28, "LOG_SIGMA_HI": 0.25,
}  # fmt: skip
"""Differences in dex that count alike: about what is left to chance (`stellar_floor`)."""


def sums_loss(value: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Mean over images and maps of the difference of sums in units of `LEAST`, squared up to 1 and linear beyond (Huber's loss).

    Parameters
    ----------
    value : Tensor, shape (n, 7, size, size)
        Scaled values.
    truth : Tensor, shape (n, 7, size, size)
        Scaled; NaN where empty.

    Returns
    -------
    Tensor
        A number. Sums are of what is inside 2 R_half, ages are means weighted by the mass of the same galaxy.
    """
    units = torch.tensor([t.unit for t in TARGETS.values()], device=value.device)[:, None] * math.log(10)
    least = torch.tensor([LEAST[name] for name in STELLAR_PROPERTIES], device=value.device) * math.log(10)
    true = truth.flatten(2) * units
    here = inside(true[:, _MASS])[:, None] & torch.isfinite(true)
    mine = (value.flatten(2) * units).masked_fill(~here, -math.inf)
    true = true.masked_fill(~here, -math.inf)
    mass, true_mass = mine[:, _MASS].clone(), true[:, _MASS].clone()
    mine, true = (
        torch.cat([t[:, :_AGE], (t[:, _AGE] + m)[:, None], t[:, _AGE + 1 :]], 1)
        for t, m in ((mine, mass), (true, true_mass))
    )
    some = here.any(2)
    sums, true_sums = (torch.logsumexp(t.masked_fill(~some[:, :, None], 0.0), 2) for t in (mine, true))
    miss = sums - true_sums
    miss = torch.cat([miss[:, :_AGE], (miss[:, _AGE] - miss[:, _MASS])[:, None], miss[:, _AGE + 1 :]], 1)
    zero = torch.zeros_like(miss)
    loss = torch.nn.functional.huber_loss(miss / least, zero, reduction="none")
    return torch.where(some, loss, zero).mean()


def inside(log_mass: torch.Tensor) -> torch.Tensor:
    """Which pixels are inside 2 R_half: the brightest in mass, as many as four times those that hold half of it.

    Parameters
    ----------
    log_mass : Tensor, shape (n, pixels)
        Natural logarithms; NaN where empty.

    Returns
    -------
    Tensor of bool, shape (n, pixels)
        None of an image without any mass.
    """
    mass = log_mass.exp().nan_to_num(0.0)
    sorted_mass, order = mass.sort(dim=1, descending=True)
    half = (sorted_mass.cumsum(1) < 0.5 * mass.sum(1, keepdim=True)).sum(1, keepdim=True) + 1
    rank = torch.empty_like(order).scatter_(1, order, torch.arange(mass.shape[1], device=mass.device).expand_as(order))
    return (rank < INSIDE**2 * half) & (mass > 0)
