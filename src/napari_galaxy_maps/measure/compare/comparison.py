"""Predictions beside truths, of one galaxy or many: brought to one PSF and grid, and scored with
bootstrap errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data import ranges
from ...data.galaxy import Ellipse
from ...data.maps import PropertyMaps
from ...data.properties import PROPERTIES
from ...exceptions import InputError
from ..apertures.planes import pixel_arcsec
from ..profiles.ellipses import recipe_ellipse
from .grid_and_psf import bring_to_grid, psf_fwhm, smooth
from .initial_mass_function import to_imf_of
from .pixel_metrics import METRICS, Pixels, chi2_by_galaxy, metrics, radial_metrics
from .residuals import residual_maps

if TYPE_CHECKING:
    from astropy.table import QTable


IN_LOG = frozenset({"AGE_STAR"})
"""Properties stored linear and scored in log10."""

# Side of a block of the bootstrap: neighbours share noise; at 1.5 errors come out at 0.6 of what
# they are.
_BLOCK_FWHM = 4
_BLOCK_PIXELS = 12  # where the PSF is not known


@dataclass(frozen=True, repr=False)
class Comparison:
    """One galaxy's prediction and truth at one PSF on one grid.

    Attributes
    ----------
    name : str
        Of the galaxy.
    maps, truth : PropertyMaps
        The properties that both have.
    radius : ndarray, shape (ny, nx)
        Elliptical radius in units of R25; NaN where the ellipse is not known.
    blocks : ndarray of int, shape (ny, nx)
        Which pixels go together in a bootstrap.
    notes : tuple of str
        What was done to bring the two together.
    """

    name: str
    maps: PropertyMaps
    truth: PropertyMaps
    radius: np.ndarray
    blocks: np.ndarray
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        ny, nx = self.maps.shape
        lines = [
            f"Comparison{f' of {self.name}' if self.name else ''} with its truth: "
            f"{', '.join(self.maps.values)} on {nx} x {ny} pixels",
            *self.notes,
        ]
        return "\n  ".join(lines)

    def scores(self) -> QTable:
        """How well the prediction does: `metrics_table` of this galaxy alone."""
        return metrics_table(all_metrics([self]))


def compare(
    maps: PropertyMaps, truth: PropertyMaps, ellipse: Ellipse | None = None,
    fwhm: float | None = None,
    truth_fwhm: float | None = None,
) -> Comparison:  # fmt: skip
    """Bring a prediction and a truth to the PSF and the grid of the coarser of the two, and to the
    prediction's initial mass function.

    Parameters
    ----------
    maps, truth : PropertyMaps
    ellipse : Ellipse, optional
        D25, for radii; without it the one of the recipe that the maps carry.
    fwhm, truth_fwhm : float, optional
        Of their PSFs in arcsec, in place of what they say of themselves.

    Raises
    ------
    InputError
        When they have no property in common, or do not overlap on the sky.
    RecipeError
        When a FWHM is out of range.
    """
    residual_maps(maps, truth)  # raises where the two cannot be compared
    shared = [name for name in maps.values if name in truth.values]
    for width, what in ((fwhm, "prediction"), (truth_fwhm, "truth")):
        if width is not None:
            ranges.FWHM.check(width, f"The FWHM of the {what}'s PSF")
    widths = (
        psf_fwhm(maps) if fwhm is None else fwhm,
        psf_fwhm(truth) if truth_fwhm is None else truth_fwhm,
    )
    maps, truth = _only(maps, shared), _only(truth, shared)
    truth, converted = to_imf_of(truth, maps)
    notes = [f"The truth {converted}"] if converted else []
    maps, truth, note = _to_one_psf(maps, truth, widths)
    notes += [note] if note else []
    sides = pixel_arcsec(maps.wcs), pixel_arcsec(truth.wcs)
    maps, truth, note = _to_one_grid(maps, truth, sides)
    notes += [note] if note else []
    ellipse = ellipse or recipe_ellipse(maps.provenance)
    radius = (
        np.full(maps.shape, np.nan) if ellipse is None else ellipse.radius(maps.wcs, maps.shape)
    )
    width = max(widths)
    side = max(1, round(_BLOCK_FWHM * width / max(sides))) if width else _BLOCK_PIXELS
    rows, columns = np.indices(maps.shape) // side
    blocks = rows * (columns.max() + 1) + columns
    return Comparison(
        str(maps.provenance.get("object", "")), maps, truth, radius, blocks, tuple(notes)
    )


def _to_one_psf(
    maps: PropertyMaps, truth: PropertyMaps, widths: tuple[float, float]
) -> tuple[PropertyMaps, PropertyMaps, str]:
    """Both at the wider of their PSFs (FWHM in arcsec, 0 where unknown), and what was done."""
    if not all(widths):
        which = " and ".join(
            name for name, width in zip(("prediction", "truth"), widths, strict=True) if not width
        )
        note = f"The PSF of the {which} is not known: both are taken to be at one."
        return maps, truth, note
    narrow, wide = min(widths), max(widths)
    if wide - narrow <= 0.05 * wide:
        return maps, truth, ""
    if widths[0] < wide:
        which, maps = "prediction", smooth(maps, narrow, wide)
    else:
        which, truth = "truth", smooth(truth, narrow, wide)
    note = f"The {which} was smoothed from {narrow:.3g} to {wide:.3g} arcsec, the PSF of the other."
    return maps, truth, note


def _to_one_grid(
    maps: PropertyMaps, truth: PropertyMaps, sides: tuple[float, float]
) -> tuple[PropertyMaps, PropertyMaps, str]:
    """Both on the grid of the larger pixels (sides in arcsec), and what was done."""
    if sides[0] < sides[1] / 1.01:
        note = (
            f"The prediction was put on the truth's pixels of {sides[1]:.3g} arcsec, "
            f"from {sides[0]:.3g}."
        )
        return bring_to_grid(maps, truth.wcs, truth.shape), truth, note
    moved = bring_to_grid(truth, maps.wcs, maps.shape)
    if moved is truth:
        return maps, truth, ""
    note = (
        f"The truth was put on the prediction's pixels of {sides[0]:.3g} arcsec, "
        f"from {sides[1]:.3g}."
    )
    return maps, moved, note


def compared_residual(maps: PropertyMaps, truth: PropertyMaps) -> PropertyMaps:
    """Prediction minus truth at the PSF and on the grid of the coarser of the two;
    ``provenance["note"]`` says what was done.

    Raises
    ------
    InputError
        As `compare`.
    """
    found = compare(maps, truth)
    residual = residual_maps(found.maps, found.truth)
    return replace(residual, provenance={**residual.provenance, "note": list(found.notes)})


def pixels_of(comparisons: Sequence[Comparison], name: str) -> Pixels:
    """The pixels of a property of one or many galaxies.

    Raises
    ------
    InputError
        When no galaxy has it.
    """
    parts: list[tuple[np.ndarray, ...]] = []
    first = 0
    for galaxy, comparison in enumerate(comparisons):
        if name not in comparison.maps.values:
            continue
        predicted, error = _scored(comparison.maps, name)
        true, true_error = _scored(comparison.truth, name)
        sigma = np.hypot(error, np.nan_to_num(true_error))
        good = np.isfinite(predicted) & np.isfinite(true)
        block = comparison.blocks[good]
        parts.append(
            (
                predicted[good],
                true[good],
                sigma[good],
                comparison.radius[good],
                block + first,
                np.full(block.shape, galaxy),
                np.full(block.shape, comparison.maps.tail(name)),
            )
        )
        first += int(comparison.blocks.max()) + 1
    if not parts or not sum(part[0].size for part in parts):
        raise InputError(f"No pixel has both a prediction and a truth of {name}.")
    return Pixels(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def both_of(comparison: Comparison, name: str) -> np.ndarray:
    """Which pixels have a prediction and a truth of a property: those of `pixels_of`, in its order;
    bool, shape (ny, nx).
    """
    both: np.ndarray = np.isfinite(_scored(comparison.maps, name)[0]) & np.isfinite(
        _scored(comparison.truth, name)[0]
    )
    return both


def values_beside(comparisons: Sequence[Comparison], name: str, other: str) -> np.ndarray:
    """Predicted values of another property (or ``"radius"``, in R25) at the pixels of `pixels_of`,
    shape (n,); NaN where there are none.
    """
    parts = []
    for comparison in comparisons:
        if name not in comparison.maps.values:
            continue
        both = both_of(comparison, name)
        if other == "radius":
            plane = comparison.radius
        elif other in comparison.maps.values:
            plane = _scored(comparison.maps, other)[0]
        else:
            plane = np.full(comparison.maps.shape, np.nan)
        parts.append(plane[both])
    return np.concatenate(parts) if parts else np.empty(0)


def galaxy_metrics(comparisons: Sequence[Comparison], name: str) -> dict[str, float]:
    """`metrics` of galaxies' means over the pixels that have both, each galaxy a point; errors of
    the means are not known.
    """
    pixels = pixels_of(comparisons, name)
    galaxies, which = np.unique(pixels.galaxy, return_inverse=True)
    counts = np.bincount(which)
    predicted, true = (
        np.bincount(which, values) / counts for values in (pixels.predicted, pixels.true)
    )
    nothing = np.full(len(galaxies), np.nan)
    return metrics(Pixels(predicted, true, nothing, nothing, galaxies, galaxies, nothing))


def all_metrics(comparisons: Sequence[Comparison]) -> dict[str, dict[str, Any]]:
    """Of each property, `metrics` over pixels, over galaxies, and by radius: what metrics.json
    holds.
    """
    names = dict.fromkeys(name for comparison in comparisons for name in comparison.maps.values)
    found = {}
    for name in names:
        try:
            pixels = pixels_of(comparisons, name)
        except InputError:
            continue
        unit = "dex" if name in IN_LOG else PROPERTIES[name].unit
        found[name] = {
            "unit": unit, "pixels": metrics(pixels), "galaxies": galaxy_metrics(comparisons, name),
            "radius": radial_metrics(pixels), "chi2_by_galaxy": chi2_by_galaxy(pixels),
        }  # fmt: skip
    return found


def metrics_table(found: Mapping[str, Mapping[str, Any]]) -> QTable:
    """`all_metrics` as a table: a row for each property and set of pixels (``pixels``,
    ``galaxies``, or a range of radii).
    """
    from astropy.table import QTable

    rows = []
    for name, sets in found.items():
        parts = [("pixels", sets["pixels"]), ("galaxies", sets["galaxies"])]
        parts += [(f"{part['r_in']:g}-{part['r_out']:g} R25", part) for part in sets["radius"]]
        for label, part in parts:
            row = {"property": name, "unit": sets["unit"], "over": label, "n": int(part["n"])}
            rows.append(
                row | {key: part[key] for metric in METRICS for key in (metric, f"{metric}_err")}
            )
    return QTable(rows)


def _scored(maps: PropertyMaps, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Values and errors as they are scored, float64; ages in log10."""
    value = maps.values[name].astype(float)
    error = maps.errors[name].astype(float) if name in maps.errors else np.full(value.shape, np.nan)
    if name in IN_LOG:
        with np.errstate(invalid="ignore", divide="ignore"):
            error = error / (value * np.log(10))
            value = np.log10(value)
    return value, error


def _only(maps: PropertyMaps, names: list[str]) -> PropertyMaps:
    return replace(
        maps, values={name: maps.values[name] for name in names},
        errors={name: maps.errors[name] for name in names if name in maps.errors},
    )  # fmt: skip
