"""Predictions beside truths, of one galaxy or many: brought to one PSF and grid, and scored with
bootstrap errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.galaxy import Ellipse
from ...data.maps import PropertyMaps
from ...data.properties import PROPERTIES
from ...exceptions import InputError
from ...prepare.psf.kernels import FWHM_PER_SIGMA
from ..apertures.planes import linear, quantity_of
from ..profiles.ellipses import recipe_ellipse
from .mass_function import to_imf_of
from .residuals import bring_to_grid, residual_maps

if TYPE_CHECKING:
    from astropy.table import QTable
    from astropy.wcs import WCS

IN_LOG = frozenset({"AGE_STAR"})
"""Properties stored linear and scored in log10."""

METRICS = ("rmse", "bias", "r2", "chi2", "coverage68", "coverage95")
N_BOOTSTRAP = 500
_BLOCK_FWHM = 4  # side of a block of the bootstrap: neighbours share noise; at 1.5 errors come out at 0.6 of what they are
_BLOCK_PIXELS = 12  # where the PSF is not known
_MOST_UNITS = 400  # drawn from; more cost time and make the errors' own error no smaller than 4 %


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


@dataclass(frozen=True)
class Pixels:
    """The pixels of one property that have a prediction and a truth, of all galaxies, each array of
    shape (n,).

    Attributes
    ----------
    predicted, true : ndarray
        In the property's unit (ages in log10).
    sigma : ndarray
        Of the difference: both errors in quadrature; NaN where there is none.
    radius : ndarray
        In R25.
    block, galaxy : ndarray of int
        Number of the bootstrap's block, and of the galaxy.
    tail : ndarray
        Sigmas within which 95 % of the errors are (`PropertyMaps.tail`).
    """

    predicted: np.ndarray
    true: np.ndarray
    sigma: np.ndarray
    radius: np.ndarray
    block: np.ndarray
    galaxy: np.ndarray
    tail: np.ndarray

    @property
    def residual(self) -> np.ndarray:
        """Prediction minus truth."""
        return self.predicted - self.true

    def where(self, chosen: np.ndarray) -> Pixels:
        """Those that are chosen."""
        return Pixels(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def compare(
    maps: PropertyMaps, truth: PropertyMaps, ellipse: Ellipse | None = None, fwhm: float | None = None,
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
    """
    residual_maps(maps, truth)  # tells what is wrong
    shared = [name for name in maps.values if name in truth.values]
    widths = [given or _told(source) for given, source in ((fwhm, maps), (truth_fwhm, truth))]
    notes = []
    maps, truth = _only(maps, shared), _only(truth, shared)
    truth, converted = to_imf_of(truth, maps)
    if converted:
        notes.append(f"The truth {converted}")
    if all(widths) and abs(widths[0] - widths[1]) > 0.05 * max(widths):
        coarse = max(widths)
        if widths[0] < coarse:
            maps = smooth(maps, widths[0], coarse)
        else:
            truth = smooth(truth, widths[1], coarse)
        which = "prediction" if widths[0] < coarse else "truth"
        notes.append(
            f"The {which} was smoothed from {min(widths):.3g} to {coarse:.3g} arcsec, the PSF of the other."
        )
    elif not all(widths):
        which = " and ".join(
            name for name, width in zip(("prediction", "truth"), widths, strict=True) if not width
        )
        notes.append(f"The PSF of the {which} is not known: both are taken to be at one.")
    sides = [_pixel(source.wcs) for source in (maps, truth)]
    if sides[0] < sides[1] / 1.01:
        maps = bring_to_grid(maps, truth.wcs, truth.shape)
        notes.append(
            f"The prediction was put on the truth's pixels of {sides[1]:.3g} arcsec, from {sides[0]:.3g}."
        )
    else:
        moved = bring_to_grid(truth, maps.wcs, maps.shape)
        if moved is not truth:
            notes.append(
                f"The truth was put on the prediction's pixels of {sides[0]:.3g} arcsec, from {sides[1]:.3g}."
            )
        truth = moved
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


def smooth(maps: PropertyMaps, fwhm: float, target: float) -> PropertyMaps:
    """Maps at a wider Gaussian PSF: what adds up as it adds up, the rest weighted by its
    denominator where that is there.

    Errors are averaged as variances, as of one field with itself.
    """
    from scipy.ndimage import gaussian_filter

    sigma = np.sqrt(target**2 - fwhm**2) / FWHM_PER_SIGMA / _pixel(maps.wcs)

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
        nothing = np.full(comparison.maps.shape, np.nan)
        known = other in comparison.maps.values
        plane = (
            comparison.radius
            if other == "radius"
            else _scored(comparison.maps, other)[0]
            if known
            else nothing
        )
        parts.append(plane[both])
    return np.concatenate(parts) if parts else np.empty(0)


def metrics(pixels: Pixels, seed: int = 0) -> dict[str, float]:
    """RMSE, bias, R2, chi2 and coverage, with errors from bootstraps.

    Every galaxy has one vote, however many pixels it has (DB21 Sect. 3). Drawn again are galaxies
    where there are several, else blocks of pixels that are large beside the PSF.

    Returns
    -------
    dict of str to float
        ``n``, and each of `METRICS` with its ``_err``: bias is prediction minus truth, chi2 the
        mean of z squared with z = residual / sigma, coverages the fractions of \\|z\\| under 1 and
        `Pixels.tail`. NaN where there is no sigma.
    """
    galaxies, which, counts = np.unique(pixels.galaxy, return_inverse=True, return_counts=True)
    rng = np.random.default_rng(seed)
    unit = which if len(galaxies) > 1 else np.unique(pixels.block, return_inverse=True)[1]
    if unit.max(initial=0) >= _MOST_UNITS:  # thrown together at random, whole blocks still
        unit = rng.permutation(int(unit.max()) + 1)[unit] % _MOST_UNITS
    weight = 1 / counts[which]
    with np.errstate(invalid="ignore", divide="ignore"):
        z = pixels.residual / pixels.sigma
    known = np.isfinite(z)
    z = np.where(known, z, 0.0)
    each = (
        weight, weight * pixels.residual, weight * pixels.residual**2, weight * pixels.true, weight * pixels.true**2,
        weight * known, weight * z**2, weight * known * (np.abs(z) < 1), weight * known * (np.abs(z) < pixels.tail),
    )  # fmt: skip
    n = int(unit.max()) + 1
    sums = np.array([np.bincount(unit, values, n) for values in each])
    draws = rng.multinomial(n, np.full(n, 1 / n), N_BOOTSTRAP)
    found, spread = _from_sums(sums.sum(1)[:, None])[:, 0], _from_sums(sums @ draws.T)
    with np.errstate(invalid="ignore"):
        errors = np.std(spread, axis=1) if n > 1 else np.full(len(METRICS), np.nan)
    result = {"n": float(pixels.true.size)}
    for name, value, error in zip(METRICS, found, errors, strict=True):
        result |= {name: float(value), f"{name}_err": float(error)}
    return result


def _from_sums(sums: np.ndarray) -> np.ndarray:
    """`METRICS` of summed weights, residuals, their squares, truths, their squares, and so on;
    shape (6, n).
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        weight, off, off2, true, true2, known, z2, low, high = sums
        square = off2 / weight
        spread = true2 / weight - (true / weight) ** 2
        r2 = np.where(spread > 1e-12, 1 - square / spread, np.nan)
        return np.array([np.sqrt(square), off / weight, r2, z2 / known, low / known, high / known])


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


def chi2_by_galaxy(pixels: Pixels) -> dict[str, float]:
    """Percentiles over galaxies of their mean z squared (DB21 Sect. 3): ``n p16 p50 p84``; NaN
    where there is no sigma.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        z = pixels.residual / pixels.sigma
    known = np.isfinite(z)
    galaxies, which = np.unique(pixels.galaxy[known], return_inverse=True)
    if not len(galaxies):
        return {"n": 0.0} | dict.fromkeys(("p16", "p50", "p84"), float("nan"))
    each = np.bincount(which, z[known] ** 2) / np.bincount(which)
    low, middle, high = np.percentile(each, (16, 50, 84))
    return {"n": float(len(galaxies)), "p16": float(low), "p50": float(middle), "p84": float(high)}


def radial_metrics(
    pixels: Pixels, edges: Sequence[float] = (0, 0.25, 0.5, 0.75, 1.0, 1.5)
) -> list[dict[str, float]]:
    """`metrics` in bins of radius, in R25; bins with fewer than ten pixels are left out."""
    found = []
    for inner, outer in pairwise(edges):
        inside = (pixels.radius >= inner) & (pixels.radius < outer)
        if inside.sum() >= 10:
            found.append(
                {"r_in": float(inner), "r_out": float(outer), **metrics(pixels.where(inside))}
            )
    return found


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


def _told(maps: PropertyMaps) -> float:
    """FWHM in arcsec of the PSF of maps, 0 where their provenance does not tell."""
    try:
        return float(maps.provenance.get("fwhm", 0) or 0)
    except (TypeError, ValueError):
        return 0.0


def _pixel(wcs: WCS) -> float:
    from astropy.wcs.utils import proj_plane_pixel_area

    return float(np.sqrt(proj_plane_pixel_area(wcs)) * 3600)
