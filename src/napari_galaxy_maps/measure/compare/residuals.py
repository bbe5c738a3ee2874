"""The difference of predicted and true maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...data.maps import PropertyMaps
from ...exceptions import InputError
from .grid_and_psf import bring_to_grid
from .initial_mass_function import to_imf_of


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
        Of the properties that both have, in dex or K; the errors, and the part of them that a
        galaxy's pixels share, are those of both in quadrature, their tails the prediction's.

    Raises
    ------
    InputError
        When they have no property in common, or do not overlap on the sky.
    """
    shared = shared_properties(maps, truth)
    moved = chosen(bring_to_grid(truth, maps.wcs, maps.shape), shared)
    check_overlap(moved, truth)
    moved, _ = to_imf_of(moved, maps)
    values = {name: maps.values[name] - moved.values[name] for name in shared}
    errors, of_galaxy = (
        {
            name: np.hypot(plane, np.nan_to_num(theirs.get(name, np.float32(0)))).astype(np.float32)
            for name, plane in mine.items()
            if name in shared
        }
        for mine, theirs in (
            (maps.errors, moved.errors),
            (maps.galaxy_errors, moved.galaxy_errors),
        )
    )
    return PropertyMaps(
        values, errors, maps.wcs, maps.flags, {"truth": _source(truth)}, tails=maps.tails,
        galaxy_errors=of_galaxy, unknown_flags=maps.unknown_flags,
    )  # fmt: skip


def shared_properties(maps: PropertyMaps, truth: PropertyMaps) -> list[str]:
    """The properties that a prediction and a truth both have.

    Raises
    ------
    InputError
        When there is none.
    """
    shared = [name for name in maps.values if name in truth.values]
    if not shared:
        raise InputError(
            f"{_source(truth)} has none of the predicted properties ({', '.join(maps.values)}); "
            "choose another truth."
        )
    return shared


def check_overlap(moved: PropertyMaps, truth: PropertyMaps) -> None:
    """Raise InputError where a truth has no value left on the grid of a prediction."""
    if not any(np.isfinite(plane).any() for plane in moved.values.values()):
        raise InputError(
            f"{_source(truth)} does not overlap the prediction on the sky; choose the truth of "
            "this galaxy."
        )


def chosen(maps: PropertyMaps, names: Sequence[str]) -> PropertyMaps:
    """Some of the maps, with their errors; what lies under masks is not scored and stays behind."""
    values, errors, shared = (
        {name: planes[name] for name in names if name in planes}
        for planes in (maps.values, maps.errors, maps.galaxy_errors)
    )
    return replace(maps, values=values, errors=errors, galaxy_errors=shared, filling=None)


def _source(truth: PropertyMaps) -> str:
    return str(truth.provenance.get("file", "the truth"))
