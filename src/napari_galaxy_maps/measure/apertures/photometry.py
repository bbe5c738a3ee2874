"""What is inside apertures: sums, means, medians and their errors, of every map in one pass."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ...data.cube import BandCube
from ...data.flags import Flag, column_description
from ...data.galaxy import BandImage, Ellipse
from ...data.maps import PropertyMaps
from ...exceptions import InputError
from .aperture import Aperture
from .overlap import Overlap, ellipse_overlap, overlaps
from .planes import Planes, have_ranges, planes_of
from .quantities import Quantity
from .sums import Background, filled_sums, measured_sums, totals_of

if TYPE_CHECKING:
    from astropy.table import QTable

_REMEMBERED = 10_000
"""Apertures of which the values are kept."""
_THREADS_FROM = 1_000_000
"""New apertures of fewer pixels are measured sooner by one thread: of small ones most of the time
is Python's, for which threads wait for each other."""


@dataclass(frozen=True)
class Options:
    """How apertures are measured.

    Attributes
    ----------
    background : tuple of float, or None
        Inner and outer edge, in units of the aperture, of the ring that gives the local background,
        which is taken from what adds up (band images and surface densities).
    background_value : "median" or "mean"
        Of the ring's pixels, clipped at 3 sigma.
    correct_masked : bool
        Whether sums are scaled to the whole aperture where pixels of it are blank or off the image.
    fill : bool
        Whether sums count what is thought to lie under masks, where that is known.
    """

    background: tuple[float, float] | None = None
    background_value: Literal["median", "mean"] = "median"
    correct_masked: bool = False
    fill: bool = True


@dataclass(frozen=True, eq=False)
class Values:
    """What one aperture holds, of n quantities.

    Attributes
    ----------
    mean, mean_err, mean_err_max : ndarray, shape (n,)
        Linear: of a logarithm's argument. The second error is that of pixels which all err
        together; the same as the first where it is known how much of their errors they share.
    mean_err_galaxy : ndarray, shape (n,)
        The part of `mean_err` that all pixels of the galaxy share; NaN where it is not known.
    background : ndarray, shape (n,)
        What was taken away from each pixel; NaN where nothing was.
    percentiles : ndarray, shape (n, number of levels)
        Of the pixels at least half inside, as they stand in the map.
    n_pixels : ndarray, shape (n,)
        Pixels with a value, those on the edge in part.
    n_pixels_all : float
        Pixels in the whole aperture, off the image too.
    pixel_arcsec2 : float
    flags : int
        Bits of `flags.Flag` that are set on any of its pixels.
    sums : ndarray, shape (3, n)
        Of the pixels that sums count, linear and per pixel: the sum, its error, and that of pixels
        which all err together.
    filled : ndarray, shape (n,)
        The part of the sum that is thought to lie under masks.
    n_filled : ndarray, shape (n,)
        Pixels under masks that the sum counts, beside `n_pixels`.
    """

    mean: np.ndarray
    mean_err: np.ndarray
    mean_err_max: np.ndarray
    mean_err_galaxy: np.ndarray
    background: np.ndarray
    percentiles: np.ndarray
    n_pixels: np.ndarray
    n_pixels_all: float
    pixel_arcsec2: float
    flags: int
    sums: np.ndarray
    filled: np.ndarray
    n_filled: np.ndarray


def measure_apertures(
    source: Planes | PropertyMaps | BandCube | BandImage,
    apertures: Sequence[Aperture],
    options: Options | None = None,
) -> QTable:
    """Measure apertures on every map of a source.

    Parameters
    ----------
    source : Planes, PropertyMaps, BandCube or BandImage
        `Planes` made once (by `planes_of`) remember what has been measured, so that only an
        aperture that moved costs time.
    apertures : sequence of Aperture
    options : Options, optional

    Returns
    -------
    astropy.table.QTable
        A row for each aperture and map: ``name shape ra dec a b pa inner map sum sum_err
        sum_err_max sum_measured filled_share sum_unit mean mean_err mean_err_max median mean_unit
        weight background area n_pixels n_masked flags``. Sums count what is thought to lie under
        masks, where that is known and wanted; ``sum_measured`` is the sum without it, and
        ``filled_share`` the share of ``sum`` that it is: 0 where there is none, NaN where there is
        no sum. All else is of measured pixels alone. Sums are linear; means and medians are in the
        map's unit, those
        of logarithms log10 of the linear mean, with first-order errors. ``sum_err`` takes errors as
        shared by the pixels that share noise and independent beyond; ``sum_err_max`` as the same
        for all pixels, which is what a model that errs about a whole galaxy does. Where it is known
        what part of the errors all pixels share (`PropertyMaps.galaxy_errors`), it is in
        ``sum_err`` and ``mean_err``, which are then the whole error: ``sum_err_max`` and
        ``mean_err_max`` are the same, and not there where this is so of all maps. ``meta["notes"]``
        says what else was assumed.

    Raises
    ------
    InputError
        When there is no aperture, or every one lies off the image or on blank pixels only; of some,
        rows are NaN and ``meta["empty"]`` says why, by their number.
    """
    from astropy import units as u
    from astropy.table import QTable

    planes = source if isinstance(source, Planes) else planes_of(source)
    columns, empty = measured_columns(planes, apertures, options or Options())
    units = {
        "ra": u.deg,
        "dec": u.deg,
        "a": u.arcsec,
        "b": u.arcsec,
        "pa": u.deg,
        "area": u.arcsec**2,
    }
    table = QTable(
        columns | {name: columns[name] * unit for name, unit in units.items()}, copy=False
    )
    table["flags"].info.description = column_description(columns["flags"])
    table.meta["notes"] = [
        *empty.values(),
        *_taken_out(apertures),
        *filled_note(columns["filled_share"]),
        *planes.notes,
    ]
    if planes.made_from:
        table.meta["made_from"] = dict(planes.made_from)
    if empty:
        table.meta["empty"] = empty
    return table


def measured_columns(
    planes: Planes, apertures: Sequence[Aperture], options: Options
) -> tuple[dict[str, np.ndarray], dict[int, str]]:
    """The columns of `measure_apertures` as plain arrays, which take a third of a table's time, and
    what is wrong with apertures that hold no value, by their number; raises as it does.
    """
    if not apertures:
        raise InputError("There is no aperture to measure; draw one, or load regions.", "apertures")
    measured = values_in(planes, apertures, options)
    reasons = (
        _why_empty(aperture, found) for aperture, found in zip(apertures, measured, strict=True)
    )
    empty = {number: why for number, why in enumerate(reasons) if why}
    if len(empty) == len(apertures):
        raise InputError(empty[0])
    parts = []
    for aperture, found in zip(apertures, measured, strict=True):
        key = (aperture, options)
        if key not in planes.memo:
            planes.memo[key] = _columns(planes, aperture, found, options)
        parts.append(planes.memo[key])
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if not have_ranges([planes]):
        del columns["sum_err_max"], columns["mean_err_max"]
    return columns, empty


def _columns(
    planes: Planes, aperture: Aperture, found: Values, options: Options
) -> dict[str, np.ndarray]:
    """The rows of one aperture, a column an array of shape (n,)."""
    shape = aperture.shape
    if isinstance(shape, Ellipse):
        kind, geometry = "circle" if shape.a == shape.b else "ellipse", (shape.a, shape.b, shape.pa)
    else:
        kind, geometry = "polygon", (np.nan, np.nan, np.nan)
    quantities, n = planes.quantities, len(planes.quantities)
    each = np.array([planes.per_pixel(quantity, found.pixel_arcsec2) for quantity in quantities])
    sums = _sum_columns(found, each, options.correct_masked)
    linear = np.column_stack([found.mean, found.mean_err, found.mean_err_max])
    means = np.array(
        [in_unit(quantity, *row) for quantity, row in zip(quantities, linear.tolist(), strict=True)]
    )
    same = {"name": aperture.name, "shape": kind} | dict(
        zip(
            ("ra", "dec", "a", "b", "pa", "inner"),
            (*aperture.centre, *geometry, aperture.inner),
            strict=True,
        )
    )
    return {name: np.full(n, value) for name, value in same.items()} | {
        "map": np.array([quantity.name for quantity in quantities]),
        **sums,
        "sum_unit": np.array([quantity.sum_unit for quantity in quantities]),
        "mean": means[:, 0],
        "mean_err": means[:, 1],
        "mean_err_max": means[:, 2],
        "median": found.percentiles[:, 0],
        "mean_unit": np.array([quantity.unit for quantity in quantities]),
        "weight": np.array([quantity.weight for quantity in quantities]),
        "background": found.background,
        "area": found.n_pixels * found.pixel_arcsec2,
        "n_pixels": found.n_pixels,
        "n_masked": without_value(found),
        "flags": np.full(n, found.flags),
    }


def _sum_columns(found: Values, each: np.ndarray, correct_masked: bool) -> dict[str, np.ndarray]:
    """Sums, where a mean is worth `each` a pixel; what was filled counts where there is any."""
    counted = found.n_pixels + found.n_filled
    pixels = found.n_pixels_all if correct_masked else found.n_pixels
    measured = np.stack([found.mean, found.mean_err, found.mean_err_max]) * each * pixels
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = each * (found.n_pixels_all / counted if correct_masked else 1.0)
        some = found.n_filled > 0
        value, err, err_max = np.where(some, found.sums * scale, measured)
        share = np.where(some, found.filled / found.sums[0], 0.0)
    return {
        "sum": value,
        "sum_err": err,
        "sum_err_max": err_max,
        "sum_measured": measured[0],
        "filled_share": np.where(np.isfinite(value) & np.isfinite(share), share, np.nan),
    }


def filled_note(shares: np.ndarray) -> list[str]:
    """A note on sums that count what is thought to lie under masks, by its share of each."""
    most = float(np.nan_to_num(np.abs(shares)).max(initial=0.0))
    if not most:
        return []
    return [
        f"Sums count what is thought to lie under masks, up to {most:.1%} of one (filled_share), "
        "which can be left out. Means and medians never count it."
    ]


def _taken_out(apertures: Sequence[Aperture]) -> list[str]:
    """A note on what excluded shapes are taken out of."""
    cut = [a for a in apertures if any(hole.may_touch(a) for hole in a.without)]
    if not cut:
        return []
    names = ", ".join(aperture.name for aperture in cut[:5]) + (", …" if len(cut) > 5 else "")
    return [
        f"Excluded regions are taken out of {names}: areas, sums and means are of what is left."
    ]


def without_value(found: Values) -> np.ndarray:
    """Pixels of an aperture that have no value, shape (n,)."""
    missing = found.n_pixels_all - found.n_pixels
    return np.where(missing > 1e-9 * found.n_pixels_all, missing, 0.0)  # not what rounding leaves


def in_unit(quantity: Quantity, mean: float, *errors: float) -> tuple[float, ...]:
    """A linear mean and its errors in the map's unit: of logarithms log10 and first-order errors in
    dex, of magnitudes -2.5 log10.
    """
    if not quantity.log:
        return (mean, *errors)
    if not mean > 0:
        return (float("nan"),) * (1 + len(errors))
    value = float(np.log10(mean)) / quantity.log
    slope = 1 / (mean * np.log(10) * abs(quantity.log))
    return (value, *(error * slope for error in errors))


def _why_empty(aperture: Aperture, found: Values) -> str:
    """What is wrong with an aperture that holds no value; nothing with others."""
    if np.any(found.n_pixels + found.n_filled > 0):
        return ""
    ra, dec = aperture.centre
    called = f"The aperture {aperture.name!r}" if aperture.name else "The aperture"
    where = f"{called} at RA {ra:.5f}, Dec {dec:.5f}"
    if found.flags & Flag.EDGE and not found.flags & Flag.MASKED:
        return f"{where} lies off the image; move it, or measure another file."
    return f"{where} holds blank or masked pixels only; move or enlarge it, or edit the mask."


def values_in(
    planes: Planes,
    apertures: Sequence[Aperture],
    options: Options,
    levels: tuple[float, ...] = (50.0,),
) -> list[Values]:
    """What apertures hold, with percentiles of their pixels; what was measured before is kept."""
    keys = [
        (aperture.shape, aperture.inner, aperture.without, options, levels)
        for aperture in apertures
    ]
    new = {
        key: aperture
        for key, aperture in zip(keys, apertures, strict=True)
        if key not in planes.memo
    }
    if len(planes.memo) > _REMEMBERED:
        planes.memo.clear()
        new = dict(zip(keys, apertures, strict=True))
    shapes = list(new.values())
    found = overlaps(shapes, planes.wcs, planes.shape)
    rings: list[Overlap | None] = [None] * len(shapes)
    if options.background is not None:
        rings = [
            *overlaps(
                [shape.scaled(*options.background) for shape in shapes], planes.wcs, planes.shape
            )
        ]
    planes.terms.prepare([(o.rows, o.columns) for o in (*found, *rings) if o is not None])

    def measured(number: int) -> Values:
        return _values(planes, shapes[number], found[number], rings[number], options, levels)

    if sum(overlap.weights.size for overlap in found) < _THREADS_FROM:
        planes.memo.update(zip(new, map(measured, range(len(shapes))), strict=True))
    else:  # compiled loops and medians release the lock
        with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:
            planes.memo.update(zip(new, pool.map(measured, range(len(shapes))), strict=True))
    return [planes.memo[key] for key in keys]


def rehearse(planes: Planes) -> None:
    """Do in a thread what is slow the first time: the compiled loops are loaded by it, and not
    while somebody draws an aperture.
    """
    weights, rows, columns = ellipse_overlap(np.zeros(2), 1.0, 1.0, 0.0, planes.shape)
    overlap = Overlap(rows, columns, weights, float(np.pi), 1.0)
    measured_sums(planes, Aperture(Ellipse(0.0, 0.0, 1.0, 1.0)), overlap)
    _of_pixels(planes, overlap, (50.0,))


def _values(
    planes: Planes,
    aperture: Aperture,
    overlap: Overlap,
    ring: Overlap | None,
    options: Options,
    levels: tuple[float, ...],
) -> Values:
    measured = measured_sums(planes, aperture, overlap)
    background = _background(planes, ring if overlap.weights.size else None, options)
    total = totals_of(measured, background, planes)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, mean_err, mean_err_max, of_galaxy = (
            part / measured.weight
            for part in (total.value, total.err, total.err_max, total.of_galaxy)
        )
    filled = None
    if options.fill and planes.filled is not None:
        filled = filled_sums(planes.filled, overlap)
    hidden, n_filled = np.zeros((2, mean.size))
    if filled is not None:
        total = totals_of(measured.with_filled(filled), background, planes)
        hidden, n_filled = totals_of(filled, background, planes).value, filled.n_pixels
    percentiles, flags = _of_pixels(planes, overlap, levels)
    taken = np.nan_to_num(background.value)
    percentiles -= np.where([quantity.log for quantity in planes.quantities], 0.0, taken)[:, None]
    if overlap.weights.sum() < overlap.area * (1 - 1e-9) or not overlap.weights.size:
        flags |= Flag.EDGE
    if np.any(measured.n_pixels < overlap.weights.sum() * (1 - 1e-9)):
        flags |= Flag.MASKED
    if n_filled.any():
        flags |= Flag.FILLED
    return Values(
        mean,
        mean_err,
        mean_err_max,
        np.where(planes.in_two_parts, of_galaxy, np.nan),
        background.value,
        percentiles,
        measured.n_pixels,
        overlap.area,
        overlap.pixel_arcsec2,
        int(flags),
        np.stack([total.value, total.err, total.err_max]),
        hidden,
        n_filled,
    )


def _of_pixels(
    planes: Planes, overlap: Overlap, levels: tuple[float, ...]
) -> tuple[np.ndarray, int]:
    """Percentiles of the pixels of each map, shape (n, len(levels)), and the flags of pixels with a
    value.
    """
    from .square_loops import flagged, gathered

    inside = overlap.weights >= min(0.5, overlap.weights.max(initial=0.5))
    percentiles = np.full((len(planes.quantities), len(levels)), np.nan)
    at = overlap.rows.start, overlap.columns.start
    planes.terms.prepare([(overlap.rows, overlap.columns)])
    squares = planes.terms.squares
    # One more than there are pixels: what does not count is written over.
    room = np.empty(inside.size + 1, np.float32)
    for i in range(len(planes.quantities)):
        pixels = room[: gathered(squares, i, inside, *at, room)]
        if pixels.size:
            percentiles[i] = _median(pixels) if levels == (50.0,) else np.percentile(pixels, levels)
    return percentiles, int(flagged(planes.flags, squares, inside, *at))


def _median(values: np.ndarray) -> float:
    """As numpy's, in half of its time: numpy partitions about the last value too, to see whether it
    is NaN.
    """
    middle = (values.size - 1) // 2
    parts = np.partition(values, middle)
    if values.size % 2:
        return float(parts[middle])
    return (float(parts[middle]) + float(parts[middle + 1 :].min())) / 2


def _background(planes: Planes, ring: Overlap | None, options: Options) -> Background:
    """Background of each quantity that adds up, from the measured pixels of a ring."""
    n = len(planes.quantities)
    value, error, shared = np.full(n, np.nan), np.zeros(n), np.zeros(n)
    if ring is None:
        return Background(value, error, shared)
    from astropy.stats import sigma_clip

    inside, terms = ring.weights >= 0.5, planes.terms.over(ring.rows, ring.columns)
    for i, quantity in enumerate(planes.quantities):
        if not quantity.sum_unit:
            continue
        amount, valid, _, *common, _ = terms[i]
        pixels = amount[inside & (valid > 0)]
        if not pixels.size:
            raise InputError(
                f"The ring for the background has no pixel with a value on {quantity.name}; choose "
                "another ring."
            )
        clipped = np.ma.getmaskarray(sigma_clip(pixels, sigma=3))
        kept = pixels[~clipped].astype(float)
        median = options.background_value == "median"
        middle = np.median if median else np.mean
        value[i] = middle(kept)
        if common:
            shared[i] = middle(common[0][inside & (valid > 0)][~clipped])
        # The median of Gaussian noise scatters sqrt(pi/2) times as much as the mean.
        scatter = kept.std() * (np.sqrt(np.pi / 2) if median else 1.0)
        error[i] = scatter / np.sqrt(max(kept.size / max(planes.correlation[i], 1.0), 1.0))
    return Background(value, error, shared)
