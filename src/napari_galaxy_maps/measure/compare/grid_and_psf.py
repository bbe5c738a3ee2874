"""Maps on another grid, and at a wider PSF."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...data.maps import PropertyMaps
from ...data.properties import PROPERTIES
from ...prepare.psf.kernels import FWHM_PER_SIGMA
from ..apertures.planes import linear, pixel_arcsec, quantity_of

if TYPE_CHECKING:
    from astropy.wcs import WCS

_SAME_PIXEL = 0.01


def psf_fwhm(maps: PropertyMaps) -> float:
    """FWHM in arcsec of the PSF of maps, 0 where their provenance does not have it."""
    try:
        return float(maps.provenance.get("fwhm", 0) or 0)
    except (TypeError, ValueError):
        return 0.0


def same_grid(wcs: WCS, shape: tuple[int, int], other: WCS, other_shape: tuple[int, int]) -> bool:
    """Whether two grids agree to a hundredth of a pixel at their corners."""
    if shape != other_shape:
        return False
    y, x = (
        np.array([0, 0, shape[0] - 1, shape[0] - 1]),
        np.array([0, shape[1] - 1, 0, shape[1] - 1]),
    )
    back = other.world_to_pixel(wcs.pixel_to_world(x, y))
    return bool(np.allclose(back, (x, y), atol=_SAME_PIXEL))


def bring_to_grid(maps: PropertyMaps, wcs: WCS, shape: tuple[int, int]) -> PropertyMaps:
    """Maps on another grid, averaged where its pixels are larger.

    Logarithms of surface densities are averaged as surface densities; the others as they are.
    Errors are averaged as variances, as of one field with itself. Flags are not carried.
    """
    if same_grid(maps.wcs, maps.shape, wcs, shape):
        return maps
    from reproject import reproject_adaptive

    def resample(plane: np.ndarray) -> np.ndarray:
        moved = reproject_adaptive(
            (plane, maps.wcs), wcs, shape_out=shape, return_footprint=False,
            bad_value_mode="ignore",
            boundary_mode="ignore_threshold", boundary_ignore_threshold=0.5,
        )  # fmt: skip
        return np.asarray(moved, np.float32)

    values, errors = {}, {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for name, plane in maps.values.items():
            if PROPERTIES[name].additive:
                values[name] = np.log10(resample(10.0**plane))
            else:
                values[name] = resample(plane)
            if name in maps.errors:
                errors[name] = np.sqrt(resample(maps.errors[name] ** 2))
    flags = np.zeros(shape, np.int16)
    return PropertyMaps(values, errors, wcs, flags, maps.provenance, tails=maps.tails)


def smooth(maps: PropertyMaps, fwhm: float, target: float) -> PropertyMaps:
    """Maps at a wider Gaussian PSF: what adds up as it adds up, the rest weighted by its
    denominator where that is there.

    Errors are averaged as variances, as of one field with itself.
    """
    from scipy.ndimage import gaussian_filter

    sigma = np.sqrt(target**2 - fwhm**2) / FWHM_PER_SIGMA / pixel_arcsec(maps.wcs)

    def mean(plane: np.ndarray, weight: np.ndarray) -> np.ndarray:
        valid = np.isfinite(plane) & np.isfinite(weight)
        light = np.where(valid, plane, 0).astype(float) * np.where(valid, weight, 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            smoothed = gaussian_filter(light, sigma) / gaussian_filter(
                np.where(valid, weight, 0).astype(float), sigma
            )
        return np.where(valid, smoothed, np.nan)

    values, errors = {}, {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for name, plane in maps.values.items():
            prop = PROPERTIES[name]
            log = quantity_of(prop).log
            ones = np.ones(plane.shape)
            by = prop.weight or ""
            weight = linear(maps.values[by], True) if by in maps.values else ones
            averaged = mean(linear(plane, log), weight)
            values[name] = (np.log10(averaged) if log else averaged).astype(np.float32)
            if name in maps.errors:
                errors[name] = np.sqrt(mean(maps.errors[name] ** 2, ones)).astype(np.float32)
    return replace(maps, values=values, errors=errors)
