"""The difference of predicted and true maps, and how far the predicted errors explain it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...data.maps import PropertyMaps
from ...exceptions import InputError
from .grid_and_psf import bring_to_grid
from .initial_mass_function import to_imf_of
from .pixel_metrics import METRICS, metric_terms, metrics_of_sums, normalised_residual

if TYPE_CHECKING:
    from astropy.table import QTable


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
            f"{source} has none of the predicted properties ({', '.join(maps.values)}); choose "
            "another truth."
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
        sigma = (
            residual.errors[name][good] if name in residual.errors else np.full_like(off, np.nan)
        )
        terms = metric_terms(true, off, normalised_residual(off, sigma), residual.tail(name))
        rows.append((name, int(off.size), *metrics_of_sums(terms.sum(axis=1)).tolist()))
    table = QTable(rows=rows, names=("property", "n", *METRICS))
    for name in table.colnames[2:]:
        table[name].info.format = ".3f"
    return table
