"""Mock galaxies as the program would have prepared them: cubes with noise, and their true maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...constants import PC_PER_MPC_ARCSEC
from ...data.cube import BandCube
from ...measure.compare.stellar_scores import radius_in_r_half
from ...mocks import surveys
from ...models.stellar_unet.inputs import UGRIZ
from ...models.stellar_unet.outputs import STELLAR_PROPERTIES, TARGETS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .image_truth_pairs import Pairs


CALIBRATION = 0.02
"""Relative error of SDSS's calibration that each band is given."""


def noisy_cube(
    mocks: Pairs, row: int, bands: Sequence[str] = UGRIZ, noise: float = 1.0
) -> BandCube:
    """One of the mocks with a survey's noise and calibration, the same at every call; images with
    their own noise stay as they are.

    Parameters
    ----------
    mocks : Pairs
    row : int
    bands : sequence of str
        Out of ugriz.
    noise : float
        By which SDSS's noise is multiplied.
    """
    from astropy.wcs import WCS

    table = {key: float(column[row]) for key, column in mocks.table.items()}
    rng = np.random.default_rng([int(table["seed"]), 0x5EE])
    images = np.asarray(mocks.images[row], np.float32)
    if mocks.sigma is not None:
        data, sigma = images, np.asarray(mocks.sigma[row], np.float32)
    else:
        sigma = np.stack(
            [surveys.sigma(b, images[k], table["pixel_arcsec"], noise) for k, b in enumerate(UGRIZ)]
        )
        data = images + sigma * rng.standard_normal(images.shape, np.float32)
        data *= 1 + CALIBRATION * rng.standard_normal((len(UGRIZ), 1, 1), np.float32)
        sigma = np.hypot(sigma, CALIBRATION * images)
    chosen = [UGRIZ.index(band) for band in bands]
    pixel = table["pixel_arcsec"]
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [180.0, 0.0], [(mocks.size + 1) / 2] * 2
    wcs.wcs.cdelt = [-pixel / 3600, pixel / 3600]
    nowhere = np.zeros(images.shape[1:], bool)
    return BandCube(
        data[chosen],
        sigma[chosen].astype(np.float32),
        tuple(bands),
        wcs,
        table["fwhm_pixels"] * pixel,
        pixel,
        _known(pixel * table["distance_mpc"] * PC_PER_MPC_ARCSEC),
        nowhere,
        nowhere.astype(np.int16),
        f"mock {int(table['seed'])}",
        redshift=_known(table["redshift"]),
    )


def _known(value: float) -> float | None:
    """A number of a set's table, where NaN is what is not known."""
    return value if np.isfinite(value) else None


def true_maps(mocks: Pairs, row: int) -> dict[str, np.ndarray]:
    """Its true maps in their units; NaN where empty."""
    found = {}
    for k, name in enumerate(STELLAR_PROPERTIES):
        plane = TARGETS[name].value(np.asarray(mocks.truth[row, k], np.float64))
        found[name] = 10**plane if TARGETS[name].logarithm else plane
    return found


def is_painted(mocks: Pairs) -> bool:
    """Whether they are painted images, with galaxies of any size and place, and companions."""
    return "usual" in mocks.table


def radius_of(mocks: Pairs, truth: dict[str, np.ndarray]) -> tuple[np.ndarray, dict[str, Any]]:
    """Radius of each pixel in R_half, and its outline, as `radius_in_r_half` gives them.

    Of painted images, on which several galaxies may be, pixels are taken in the order of their
    mass: those that hold half of it are as many as an ellipse of R_half has.
    """
    if not is_painted(mocks):
        return radius_in_r_half(truth)
    mass = np.nan_to_num(10 ** truth["LOG_SIGMA_STAR"].astype(float))
    order = np.argsort(-mass, axis=None)
    summed = np.cumsum(mass.ravel()[order])
    half = int(np.searchsorted(summed, 0.5 * summed[-1])) + 1
    rank = np.empty(mass.size)
    rank[order] = np.arange(mass.size)
    away = np.where(mass > 0, np.sqrt(rank.reshape(mass.shape) / half), np.inf)
    outline = {
        "r_half": float(np.sqrt(half / np.pi)), "axis_ratio": 1.0, "shape_from": "rank",
        "stars": "LOG_SIGMA_STAR", "notes": (),
    }  # fmt: skip
    return away, outline


def binned_pairs(mocks: Pairs, times: int) -> Pairs:
    """Mocks with their pixels averaged 2 x 2, so many times."""
    import torch
    from torch.nn import functional

    from ..stellar_unet.observing_conditions import bin_truth
    from .image_truth_pairs import Pairs

    images = torch.from_numpy(np.array(mocks.images, np.float32))
    truth = torch.from_numpy(np.array(mocks.truth, np.float32))
    for _ in range(times):
        images, truth = functional.avg_pool2d(images, 2), bin_truth(truth)
    table = dict(mocks.table)
    for key in ("pixel_arcsec", "pixel_kpc"):
        table[key] = table[key] * 2**times
    for key in ("fwhm_pixels", "r_half_pixels"):
        if key in table:
            table[key] = table[key] / 2**times
    return Pairs(images.numpy(), truth.numpy().astype(np.float16), table)
