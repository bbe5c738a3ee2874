"""A cube as the network is shown it: not cut off around the galaxy, in smaller pixels, with its
redshift.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...constants import PC_PER_MPC_ARCSEC
from ...cosmology import redshift_at_distance
from ...data.flags import Flag

if TYPE_CHECKING:
    from ...data.cube import BandCube


def uncut(cube: BandCube) -> BandCube:
    """A cube that is not masked where it only lies outside of the galaxy's ellipse: there no map is
    wanted, but there is an image, filled in under masks where it could be.

    A network that was shown galaxies with their surroundings takes the edge of a cut image for the
    galaxy's.
    """
    covered = ((cube.flags & Flag.MASKED) != 0) & ((cube.flags & Flag.FILLED) == 0)
    beyond = ((cube.flags & Flag.OUTSIDE) != 0) & ~covered
    return replace(cube, mask=cube.mask & ~beyond, own_masks=None)


def binned(cube: BandCube, factor: int) -> BandCube:
    """A cube of blocks of `factor` x `factor` pixels averaged, those that are masked or missing
    left out; an edge may be lost.
    """
    if factor <= 1:
        return cube
    ny, nx = (n // factor * factor for n in cube.shape)
    hidden = np.where(cube.mask, np.nan, cube.data)[:, :ny, :nx]
    data, sigma = block_means(hidden, cube.uncertainty[:, :ny, :nx], factor)
    mask = ~np.isfinite(data).any(axis=0)
    return replace(
        cube,
        data=data.astype(np.float32),
        uncertainty=sigma.astype(np.float32),
        mask=mask,
        own_masks=None,
        flags=np.zeros(mask.shape, np.int16),
        pixel_arcsec=cube.pixel_arcsec * factor,
        pixel_pc=None if cube.pixel_pc is None else cube.pixel_pc * factor,
    )


def block_means(data: np.ndarray, sigma: np.ndarray, factor: int) -> tuple[np.ndarray, np.ndarray]:
    """Planes of means over blocks of `factor` x `factor` pixels, those that are missing left out,
    and their errors.

    Parameters
    ----------
    data, sigma : ndarray, shape (n, ny, nx)
        Surface brightness and its error, NaN where missing; sides are multiples of `factor`.
    factor : int
    """
    if factor == 1:
        return data, sigma
    there = np.isfinite(data) & np.isfinite(sigma)
    share, light, variance = (
        averaged(planes, factor)
        for planes in (
            there.astype(np.float32),
            np.where(there, data, 0),
            np.where(there, sigma, 0) ** 2,
        )
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, error = light / share, np.sqrt(variance) / (share * factor)
    return np.where(share > 0, mean, np.nan), np.where(share > 0, error, np.nan)


def enlarged(data: np.ndarray, sigma: np.ndarray, factor: int) -> tuple[np.ndarray, np.ndarray]:
    """Planes with `factor` x `factor` pixels for each, linear between their middles, constant next
    to missing ones and the edge: sums over the image stay.

    Parameters
    ----------
    data, sigma : ndarray, shape (n, ny, nx)
        Surface brightness and its error; NaN where missing.
    factor : int
    """
    if factor == 1:
        return data, sigma
    return finer(data, factor), finer(sigma, factor)


def finer(planes: np.ndarray, factor: int) -> np.ndarray:
    """Planes of shape (n, ny, nx) as `enlarged` has them."""
    from scipy.ndimage import zoom

    blocks = np.kron(planes, np.ones((1, factor, factor), np.float32))
    fine = np.stack([zoom(p, factor, order=1, grid_mode=True, mode="nearest") for p in planes])
    # Interpolation must not cost pixels that were measured.
    return np.asarray(np.where(np.isfinite(fine), fine, blocks), np.float32)


def averaged(planes: np.ndarray, factor: int) -> np.ndarray:
    """Means of blocks of `factor` x `factor` pixels, shape (..., ny / factor, nx / factor)."""
    ny, nx = (n // factor for n in planes.shape[-2:])
    rows = planes.reshape(*planes.shape[:-2], ny, factor, factor * nx).mean(axis=-2)
    # Plane by plane: several times as fast as along an axis so short.
    sums = sum(rows[..., k::factor] for k in range(factor))
    return np.asarray(sums / factor, np.float32)


def redshift_of(cube: BandCube) -> float:
    """Redshift of a cube: as it was told, else by its distance (Planck 2018); NaN where neither is
    known.

    One that is told tells colours, which is what it is for here; one by a distance that is not of
    the Hubble flow may be off by a third nearby. Galaxies that come towards us (M31) are at 0.
    """
    if cube.redshift is not None:
        return max(cube.redshift, 0.0)
    if cube.pixel_pc is None:
        return float("nan")
    return redshift_at_distance(cube.pixel_pc / (cube.pixel_arcsec * PC_PER_MPC_ARCSEC))


def share_inside(marked: np.ndarray, seen: np.ndarray, mask: np.ndarray) -> float:
    """The share of a galaxy's pixels that are marked, of those that are seen and not masked; planes
    may go on beyond the mask's, shape (ny, nx). 0 where there is no such pixel.
    """
    ny, nx = mask.shape
    there = seen[:ny, :nx] & ~mask
    return float(marked[:ny, :nx][there].mean()) if there.any() else 0.0
