"""What the stellar U-Net is given of a cube: ugriz on a scale that noise does not upset, the noise, and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

UGRIZ: tuple[str, ...] = ("SDSS_u", "SDSS_g", "SDSS_r", "SDSS_i", "SDSS_z")
"""The bands that the network takes, in the order of its channels."""
_REFERENCE = 0.1
"""MJy/sr; a faint disc in r."""
_WIDTH = 3.0
"""e-folds of surface brightness that one unit of an input spans."""
_REDSHIFT = 0.1
N_CHANNELS = 3 * len(UGRIZ) + 2


def encode(data: torch.Tensor, sigma: torch.Tensor, redshift: torch.Tensor) -> torch.Tensor:
    """The channels of the network.

    A band's channel is asinh(f / 2 sigma) + ln(2 sigma): the logarithm where the galaxy stands out, linear in the noise
    and, without a galaxy, the logarithm of the noise (Lupton+ 1999, with the noise of each pixel as softening).

    Parameters
    ----------
    data, sigma : Tensor, shape (n, 5, ny, nx)
        Surface brightness in ugriz and its 1-sigma error, MJy/sr; a pixel of a band in which either is not finite or the
        error not positive is missing.
    redshift : Tensor, shape (n,)
        NaN where it is not known.

    Returns
    -------
    Tensor, shape (n, `N_CHANNELS`, ny, nx)
        Bands, logarithms of their noise, whether they are there, the redshift and whether it is known; 0 where missing.
    """
    import torch

    there = torch.isfinite(data) & torch.isfinite(sigma) & (sigma > 0)
    one = torch.ones((), dtype=sigma.dtype, device=sigma.device)
    noise = torch.where(there, sigma, one)
    level = torch.log(2 * noise / _REFERENCE)
    value = (torch.asinh(torch.where(there, data, 0 * one) / (2 * noise)) + level) / _WIDTH
    keep = there.to(data.dtype)
    known = torch.isfinite(redshift)
    n, _, ny, nx = data.shape
    about = torch.stack([torch.where(known, redshift / _REDSHIFT, 0 * redshift.nan_to_num()), known.to(data.dtype)], 1)
    return torch.cat(
        [value * keep, level / _WIDTH * keep, keep, about.to(data.dtype)[:, :, None, None].expand(n, 2, ny, nx)], 1
    )
