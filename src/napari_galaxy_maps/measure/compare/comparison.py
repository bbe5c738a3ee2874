"""Predictions beside truths, of one galaxy or many: brought to one PSF and grid, and scored with
bootstrap errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data import ranges
from ...data.galaxy import Ellipse
from ...data.maps import PropertyMaps
from ...data.plausible import odd_values, possible_only
from ...data.properties import PROPERTIES
from ...exceptions import InputError
from ..apertures.planes import pixel_arcsec
from ..profiles.ellipses import recipe_ellipse
from .averaging import COVERED, weight_notes
from .grid_and_psf import brought, psf_fwhm
from .initial_mass_function import to_imf_of
from .pixel_metrics import METRICS, Pixels, chi2_by_galaxy, metrics, radial_metrics
from .residuals import check_overlap, chosen, residual_maps, shared_properties

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
    shared = shared_properties(maps, truth)
    for width, what in ((fwhm, "prediction"), (truth_fwhm, "truth")):
        if width is not None:
            ranges.FWHM.check(width, f"The FWHM of the {what}'s PSF")
    widths = (
        psf_fwhm(maps) if fwhm is None else fwhm,
        psf_fwhm(truth) if truth_fwhm is None else truth_fwhm,
    )
    sides = pixel_arcsec(maps.wcs), pixel_arcsec(truth.wcs)
    maps, truth, notes = _brought_together(maps, truth, shared, widths, sides)
    truth, converted = to_imf_of(truth, maps)
    notes += [f"The truth {converted}"] if converted else []
    maps, truth = possible_only(maps)[0], possible_only(truth)[0]
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


def _brought_together(
    maps: PropertyMaps, truth: PropertyMaps, shared: list[str],
    widths: tuple[float, float], sides: tuple[float, float],
) -> tuple[PropertyMaps, PropertyMaps, list[str]]:  # fmt: skip
    """The properties that both have at the wider of their PSFs (FWHM in arcsec, 0 where unknown)
    and on the larger of their pixels (sides in arcsec), and what was done.
    """
    notes = [
        f"{note} They are left out."
        for which, own in (("The prediction", maps), ("The truth", truth))
        for note in odd_values(own, which, shared)
    ]
    smoothed, note = _which_is_smoothed(widths)
    notes += [note] if note else []
    moves = "prediction" if sides[0] < sides[1] / 1.01 else "truth"
    both = {"prediction": maps, "truth": truth}
    other = both["truth" if moves == "prediction" else "prediction"]
    found = {}
    for which, own in both.items():
        grid = (other.wcs, other.shape) if which == moves else None
        change = (min(widths), max(widths)) if which == smoothed else None
        moved, left_out = brought(own, grid, change)
        if moved is not own and moved.wcs is not own.wcs:
            side, former = sides if which == "truth" else sides[::-1]
            owner = "prediction" if which == "truth" else "truth"
            notes.append(
                f"The {which} was put on the {owner}'s pixels of {side:.3g} arcsec, "
                f"from {former:.3g}."
            )
        if moved is not own:
            notes += weight_notes(own, shared, which)
        if left_out:
            notes.append(
                f"{left_out} pixels of the {which} beside blanks or edges were left out: of what "
                f"they average, less than {COVERED:.0%} is known."
            )
        found[which] = chosen(moved, shared)
    check_overlap(found["truth"], truth)
    return found["prediction"], found["truth"], notes


def _which_is_smoothed(widths: tuple[float, float]) -> tuple[str, str]:
    """Which of the two has to be smoothed (empty: neither), and a note."""
    if not all(widths):
        which = " and ".join(
            name for name, width in zip(("prediction", "truth"), widths, strict=True) if not width
        )
        return "", f"The PSF of the {which} is not known: both are taken to be at one."
    narrow, wide = min(widths), max(widths)
    if wide - narrow <= 0.05 * wide:
        return "", ""
    which = "prediction" if widths[0] < wide else "truth"
    return which, (
        f"The {which} was smoothed from {narrow:.3g} to {wide:.3g} arcsec, the PSF of the other."
    )


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
    return {
        name: {
            "unit": unit_of_scores(name), "pixels": metrics(pixels),
            "galaxies": galaxy_metrics(comparisons, name),
            "radius": radial_metrics(pixels), "chi2_by_galaxy": chi2_by_galaxy(pixels),
        }
        for name, pixels in pixels_by_property(comparisons)
    }  # fmt: skip


def pixels_by_property(comparisons: Sequence[Comparison]) -> Iterator[tuple[str, Pixels]]:
    """`pixels_of` each property of which some pixel has both a prediction and a truth."""
    for name in dict.fromkeys(name for each in comparisons for name in each.maps.values):
        try:
            yield name, pixels_of(comparisons, name)
        except InputError:
            continue


def unit_of_scores(name: str) -> str:
    """The unit of a property's RMSE and bias over pixels: ``"dex"`` or ``"K"``."""
    return "dex" if name in IN_LOG else PROPERTIES[name].unit


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
