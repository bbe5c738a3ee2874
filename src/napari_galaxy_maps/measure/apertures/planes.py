"""What apertures are laid on: maps, cubes or images as planes of a quantity, its weight and its
error, ready to be summed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...constants import PC_PER_MPC_ARCSEC, SR_PER_ARCSEC2
from ...data import ranges
from ...data.cube import BandCube, random_part
from ...data.galaxy import BandImage
from ...data.maps import PropertyMaps
from ...data.plausible import odd_values
from ...data.properties import PROPERTIES
from ...data.recipe import Recipe
from ...exceptions import GalaxyMapsError, InputError
from .filled_pixels import FilledPixels, filled_bands, filled_maps
from .quantities import Quantity, brightness, quantity_of
from .terms import MapTerms, Terms, terms_of

if TYPE_CHECKING:
    from astropy.wcs import WCS


PSF_CORRELATION = float(np.pi / (2 * np.log(2)))
"""Pixels over which noise is shared that a Gaussian PSF has smoothed, per FWHM squared in pixels:
its correlation exp(-d^2 / 4 s^2) sums to 4 pi s^2, twice the area of the PSF."""

PREDICTED = (
    "Errors of predicted maps are a range: the smaller (err) holds if pixels err independently "
    "beyond the noise that they share, the "
    "larger (err_max) if the model errs about all of them alike; the truth lies between, mostly "
    "nearer to the larger."
)
"""Note on sums and means of maps that a model has made, where it does not say how much of their
errors the galaxy's pixels share."""
SHARED = "The part that all pixels of the galaxy share, which no sum averages down"

ErrorKind = Literal["unknown", "whole", "two parts"]
"""What is known of a quantity's errors: nothing, each pixel's error, or this and how much of it all
pixels of the galaxy share."""


@dataclass(frozen=True, eq=False)
class Planes:
    """Maps on one grid, ready to be summed.

    Attributes
    ----------
    quantities : tuple of Quantity
        What they show, n of them.
    values : tuple of ndarray of float32, each of shape (ny, nx)
        The maps, NaN where there is nothing.
    terms : Terms
        What is summed.
    flags : ndarray of int16, shape (ny, nx)
        Bits of `flags.Flag`.
    wcs : astropy.wcs.WCS
    correlation : ndarray, shape (n,)
        Pixels over which the random error is shared (`prepare.errors.error_budget.correlation`); 0
        where they are independent.
    systematic : ndarray, shape (n,)
        Relative error that is common to all pixels, such as the calibration.
    error_kinds : tuple of ErrorKind
        What is known of the errors of each quantity.
    filled : FilledPixels or None
        What is thought to lie under masks, where `values` are NaN.
    distance_mpc : float or None
    notes : tuple of str
        Notes on the numbers, for people.
    made_from : mapping
        What the source says of how it was made (`handed_on`); tables carry it on.
    memo : dict
        What has been measured already.
    """

    quantities: tuple[Quantity, ...]
    values: tuple[np.ndarray, ...]
    terms: Terms
    flags: np.ndarray
    wcs: WCS
    correlation: np.ndarray
    systematic: np.ndarray
    error_kinds: tuple[ErrorKind, ...]
    filled: FilledPixels | None = None
    distance_mpc: float | None = None
    notes: tuple[str, ...] = ()
    made_from: Mapping[str, Any] = field(default_factory=dict)
    memo: dict[Any, Any] = field(default_factory=dict)

    @property
    def in_two_parts(self) -> np.ndarray:
        """Whether the errors of each quantity are known in two parts, shape (n,)."""
        return np.array([kind == "two parts" for kind in self.error_kinds], bool)

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx)."""
        ny, nx = self.flags.shape
        return ny, nx

    def per_pixel(self, quantity: Quantity, pixel_arcsec2: float) -> float:
        """What a mean is multiplied by for each pixel in a sum: kpc2, or sr and the million of MJy;
        NaN where unknown.
        """
        if not quantity.sum_unit:
            return float("nan")
        if quantity.sum_unit == "Jy":
            return 1e6 * SR_PER_ARCSEC2 * pixel_arcsec2
        if self.distance_mpc is None:
            return float("nan")
        return pixel_arcsec2 * (self.distance_mpc * PC_PER_MPC_ARCSEC / 1000) ** 2


def have_ranges(sources: Iterable[Planes]) -> bool:
    """Whether errors of sums and means are to be given as a range, from pixels that err
    independently to all erring together: unless all that is known of errors is in two parts.
    """
    kinds = {kind for planes in sources for kind in planes.error_kinds}
    return "whole" in kinds or "two parts" not in kinds


_ROUNDED = 1.01
"""Times an error, the most that a part of it can be after all rounding."""
_HANDED_ON = ("object", "model", "model_hash", "recipe", "steps", "versions", "inputs")


def handed_on(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """What a table keeps of how its source was made: names, model, recipe, versions, inputs.

    The recipe as a list of lines: headers of ECSV files do not keep the ends of lines.
    """
    found = {key: provenance[key] for key in _HANDED_ON if provenance.get(key)}
    if "recipe" in found:
        found["recipe"] = str(found["recipe"]).splitlines()
    return found


def planes_of(
    source: PropertyMaps | BandCube | BandImage,
    names: Sequence[str] | None = None,
    distance_mpc: float | None = None,
    correlation: float | None = None,
) -> Planes:
    """Maps, a cube or an image, ready to be summed.

    Parameters
    ----------
    source : PropertyMaps, BandCube or BandImage
    names : sequence of str, optional
        Only these properties or bands.
    distance_mpc : float, optional
        In place of the one that the source knows.
    correlation : float, optional
        Pixels over which the random error is shared, in place of what the source says of itself; an
        image by itself says nothing, and is taken to have noise that its PSF has smoothed
        (`PSF_CORRELATION`).

    Raises
    ------
    InputError
        When a name is not there.
    RecipeError
        When a number is out of range.
    """
    if distance_mpc is not None:
        ranges.DISTANCE.check(distance_mpc, "The distance")
    if correlation is not None:
        ranges.IN_PIXELS.check(correlation, "The pixels over which noise is shared (correlation)")
    if isinstance(source, PropertyMaps):
        return _of_maps(source, names, distance_mpc, correlation)
    if isinstance(source, BandCube):
        return _of_cube(source, names, distance_mpc, correlation)
    return _of_image(source, distance_mpc, correlation)


def maps_distance(maps: PropertyMaps) -> float | None:
    """The distance in Mpc that maps were made with; None where their provenance has none."""
    try:
        given = maps.provenance.get("distance_mpc")
        if given:
            return float(given)
        return Recipe.from_toml(str(maps.provenance.get("recipe", ""))).galaxy.distance
    except (ValueError, GalaxyMapsError):
        return None


def _of_maps(
    maps: PropertyMaps,
    names: Sequence[str] | None,
    distance_mpc: float | None,
    correlation: float | None,
) -> Planes:
    source = maps.provenance.get("file", "the maps")
    names = _chosen(names, list(maps.values), source)
    notes, quantities = odd_values(maps, str(source), names), []
    for name in names:
        prop = PROPERTIES[name]
        by = prop.weight if not prop.additive and prop.weight in maps.values else "area"
        if not prop.additive and by == "area" and prop.weight:
            notes.append(
                f"{name} is averaged over area: its weight {prop.weight} is not among the maps."
            )
        quantities.append(quantity_of(prop, by))
    kinds = tuple(_error_kind(maps, name, notes) for name in names)
    terms = terms_of(
        [
            _source(
                maps.values[quantity.name],
                maps.errors.get(quantity.name),
                quantity.log,
                None if quantity.weight == "area" else maps.values[quantity.weight],
                maps.galaxy_errors[quantity.name] if kind == "two parts" else None,
            )
            for quantity, kind in zip(quantities, kinds, strict=True)
        ],
        "two parts" in kinds,
    )
    distance = distance_mpc or maps_distance(maps)
    if distance is None and any(q.sum_unit for q in quantities):
        notes.append("Sums need the galaxy's distance; without it only means are given.")
    shared = maps.correlation if correlation is None else correlation
    if shared is None and maps.errors:
        notes.append(
            "How pixels share their errors is not known: those of sums are as of independent "
            "pixels."
        )
    notes += _error_notes(names, kinds, bool(maps.provenance.get("model_hash")))
    notes += _lognormal(maps, quantities)
    n = len(names)
    return Planes(
        tuple(quantities), tuple(maps.values[name] for name in names), terms, maps.flags, maps.wcs,
        np.full(n, shared or 0.0), np.zeros(n), kinds,
        filled_maps(maps, quantities, [kind == "two parts" for kind in kinds]), distance,
        tuple(notes), handed_on(maps.provenance),
    )  # fmt: skip


def _error_kind(maps: PropertyMaps, name: str, notes: list[str]) -> ErrorKind:
    """What is known of the errors of a map; a note is added where a shared part is none."""
    if name not in maps.errors:
        return "unknown"
    if name not in maps.galaxy_errors:
        return "whole"
    error, shared = maps.errors[name], maps.galaxy_errors[name]
    known = np.isfinite(error) & np.isfinite(maps.values[name])
    wrong = int(np.count_nonzero(known & ~((shared >= 0) & (shared <= _ROUNDED * error))))
    if not wrong:
        return "two parts"
    notes.append(
        f"The part of the errors of {name} that the galaxy's pixels share is missing, negative or "
        f"larger than the error on {wrong:,} pixels, and is not used."
    )
    return "whole"


def _error_notes(names: Sequence[str], kinds: Sequence[ErrorKind], predicted: bool) -> list[str]:
    """What the errors of sums and means of maps are."""
    parts, whole = (
        ", ".join(name for name, kind in zip(names, kinds, strict=True) if kind == wanted)
        for wanted in ("two parts", "whole")
    )
    notes = []
    if parts:
        which = f"errors of {parts}" if whole else "errors"
        notes.append(f"{SHARED}, is in the {which}.")
    if whole and predicted:
        notes.append(PREDICTED.replace("predicted maps", whole) if parts else PREDICTED)
    return notes


def _lognormal(maps: PropertyMaps, quantities: Sequence[Quantity]) -> list[str]:
    """A caution about sums of logarithms with large errors."""
    factors = []
    for quantity in quantities:
        if not (quantity.sum_unit and quantity.log and quantity.name in maps.errors):
            continue
        sigma = maps.errors[quantity.name].ravel()
        sigma = sigma[:: 1 + sigma.size // 100_000]  # a sample is enough for a word of caution
        sigma = sigma[np.isfinite(sigma)]
        grows = float(np.exp((np.log(10) * np.median(sigma)) ** 2 / 2)) if sigma.size else 1.0
        if grows > 1.05:
            factors.append(f"{quantity.name} {grows:.2f}")
    if not factors:
        return []
    return [
        "Sums and means add up 10^value, the median of each pixel. Were the errors Gaussian in "
        "dex, the expected sum would be "
        f"larger by these factors: {', '.join(factors)}."
    ]


def _of_cube(
    cube: BandCube,
    names: Sequence[str] | None,
    distance_mpc: float | None,
    correlation: float | None,
) -> Planes:
    names = _chosen(names, list(cube.bands), "the cube")
    rows = [cube.bands.index(name) for name in names]
    masks = [cube.mask if cube.own_masks is None else cube.own_masks[row] for row in rows]
    values = tuple(
        np.where(mask, np.float32(np.nan), cube.data[row])
        for mask, row in zip(masks, rows, strict=True)
    )
    nothing = np.zeros(len(cube.bands))
    systematic = (nothing if cube.systematic is None else np.asarray(cube.systematic, float))[rows]
    if correlation is not None or cube.correlation is None:
        shared = nothing[rows] + (
            _psf_correlation(cube.fwhm, cube.wcs) if correlation is None else correlation
        )
    else:
        shared = np.asarray(cube.correlation, float)[rows]
    terms = terms_of([
        _source(plane, random_part(plane, cube.uncertainty[row], common))
        for plane, row, common in zip(values, rows, systematic, strict=True)
    ])  # fmt: skip
    if distance_mpc is None and cube.pixel_pc:
        distance_mpc = cube.pixel_pc / (cube.pixel_arcsec * PC_PER_MPC_ARCSEC)
    quantities = tuple(brightness(name) for name in names)
    whole: ErrorKind = "whole"
    return Planes(
        quantities, values, terms, cube.flags, cube.wcs, shared, systematic,
        (whole,) * len(names), filled_bands(cube.masked_light, rows, values, systematic),
        distance_mpc, made_from=handed_on(cube.provenance),
    )  # fmt: skip


def _of_image(image: BandImage, distance_mpc: float | None, correlation: float | None) -> Planes:
    values = (
        image.data if image.mask is None else np.where(image.mask, np.float32(np.nan), image.data)
    )
    error = (
        np.full(image.shape, np.nan, np.float32) if image.uncertainty is None else image.uncertainty
    )
    shared = _psf_correlation(image.fwhm, image.wcs) if correlation is None else correlation
    notes = [
        "Of the image alone: its sky and the Milky Way's reddening are as they are in the file."
    ]
    if image.uncertainty is None:
        notes.append(f"{image.band} has no uncertainty image: its errors are not known.")
    elif correlation is None:
        notes.append(
            f"{image.band}: noise is taken as smoothed by the PSF, shared by {shared:.1f} pixels."
        )
    # Its uncertainty is the noise's; the calibration is added to that of sums.
    return Planes(
        (brightness(image.band.name),), (values,),
        terms_of([_source(values, random_part(values, error, 0.0))]),
        np.zeros(image.shape, np.int16), image.wcs,
        np.array([shared]), np.array([image.band.calibration]),
        ("unknown" if image.uncertainty is None else "whole",), None, distance_mpc, tuple(notes),
        {"inputs": {image.band.name: f"{image.meta['label']} sha256 {image.meta['checksum']}"}}
        if "checksum" in image.meta
        else {},
    )  # fmt: skip


def _source(
    values: np.ndarray,
    errors: np.ndarray | None,
    log: float = 0.0,
    weights: np.ndarray | None = None,
    shared: np.ndarray | None = None,
) -> MapTerms:
    """What the terms of one map are made of, as its loop takes it."""
    nothing = np.empty((0, 0), np.float32)
    planes = [
        nothing if plane is None else np.ascontiguousarray(plane, np.float32)
        for plane in (values, weights, errors, shared)
    ]
    return MapTerms(float(log), *planes)


def pixel_arcsec(wcs: WCS) -> float:
    """Side in arcsec of a square pixel of the same area."""
    from astropy.wcs.utils import proj_plane_pixel_area

    return float(np.sqrt(proj_plane_pixel_area(wcs)) * 3600)


def _psf_correlation(fwhm: float, wcs: WCS) -> float:
    return PSF_CORRELATION * fwhm**2 / pixel_arcsec(wcs) ** 2


def _chosen(names: Sequence[str] | None, there: list[str], source: Any) -> list[str]:
    if names is None:
        return there
    missing = [name for name in names if name not in there]
    if missing:
        raise InputError(f"{source} has no {', '.join(missing)}; it has {', '.join(there)}.")
    return list(names)
