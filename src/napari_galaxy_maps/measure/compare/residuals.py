"""Predicted maps beside the truth: their difference, and how far the predicted errors explain it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...data.maps import PropertyMaps
from ...data.properties import PROPERTIES
from ...exceptions import InputError
from .mass_function import to_imf_of

if TYPE_CHECKING:
    from astropy.table import QTable
    from astropy.wcs import WCS

_SAME_PIXEL = 0.01


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
            (plane, maps.wcs), wcs, shape_out=shape, return_footprint=False, bad_value_mode="ignore",
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


def residual_maps(maps: PropertyMaps, truth: PropertyMaps) -> PropertyMaps:
    """Prediction minus truth, on the prediction's grid.

    Parameters
    ----------
    maps, truth : PropertyMaps
        On any grids, taken to be at one PSF. Masses of the truth that are for another initial mass
        function are converted.

    Returns
    -------
    PropertyMaps
        Of the properties that both have, in dex or K; the errors are both errors in quadrature,
        their tails the prediction's.

    Raises
    ------
    InputError
        When they have no property in common, or do not overlap on the sky.
    """
    shared = [name for name in maps.values if name in truth.values]
    source = truth.provenance.get("file", "the truth")
    if not shared:
        raise InputError(
            f"{source} has none of the predicted properties ({', '.join(maps.values)}); choose another truth."
        )
    wanted = PropertyMaps(
        {name: truth.values[name] for name in shared},
        {name: truth.errors[name] for name in shared if name in truth.errors},
        truth.wcs, truth.flags, truth.provenance,
    )  # fmt: skip
    wanted, _ = to_imf_of(wanted, maps)
    moved = bring_to_grid(wanted, maps.wcs, maps.shape)
    if not any(np.isfinite(plane).any() for plane in moved.values.values()):
        raise InputError(
            f"{source} does not overlap the prediction on the sky; choose the truth of this galaxy."
        )
    values = {name: maps.values[name] - moved.values[name] for name in shared}
    errors = {}
    for name in shared:
        if name in maps.errors:
            own = np.nan_to_num(moved.errors[name]) if name in moved.errors else 0.0
            errors[name] = np.hypot(maps.errors[name], own).astype(np.float32)
    return PropertyMaps(
        values, errors, maps.wcs, maps.flags, {"truth": str(source)}, tails=maps.tails
    )


def score(maps: PropertyMaps, truth: PropertyMaps) -> QTable:
    """How well a prediction does, over its pixels.

    Returns
    -------
    astropy.table.QTable
        A row a property: ``property, n, rmse, bias`` (prediction - truth), ``r2``, ``chi2`` (mean
        of z squared, with z = residual over both errors in quadrature), ``coverage68, coverage95``
        (fractions of \\|z\\| under 1 and `PropertyMaps.tail`, 1.96 for a Gaussian).

    Raises
    ------
    InputError
        As `residual_maps`.
    """
    from astropy.table import QTable

    residual = residual_maps(maps, truth)
    rows = []
    for name, plane in residual.values.items():
        good = np.isfinite(plane)
        if not good.any():
            continue
        off = plane[good].astype(float)
        true = (maps.values[name] - plane)[good].astype(float)
        chi2 = low = high = np.nan
        if name in residual.errors:
            with np.errstate(divide="ignore", invalid="ignore"):
                z = off / residual.errors[name][good]
            z = z[np.isfinite(z)]
            if z.size:
                chi2, low, high = (
                    np.mean(z**2),
                    np.mean(np.abs(z) < 1),
                    np.mean(np.abs(z) < residual.tail(name)),
                )
        spread = np.var(true)
        rows.append(
            (name, int(off.size), float(np.sqrt(np.mean(off**2))), float(np.mean(off)),
             float(1 - np.mean(off**2) / spread) if spread > 0 else np.nan, float(chi2), float(low), float(high))
        )  # fmt: skip
    table = QTable(
        rows=rows, names=("property", "n", "rmse", "bias", "r2", "chi2", "coverage68", "coverage95")
    )
    for name in table.colnames[2:]:
        table[name].info.format = ".3f"
    return table
