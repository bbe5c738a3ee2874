"""Maps averaged over a kernel: what adds up as it adds up, ratios and temperatures formed from the
averages of what they are made of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ...data.maps import PropertyMaps
from ...data.plausible import impossible
from ...data.properties import EMPTY_LOG, PROPERTIES, Property

Average = Callable[[np.ndarray], np.ndarray]
"""Planes (n, ny, nx) averaged over a kernel that sums to 1, with nothing beyond their edges."""

COVERED = 0.9
"""Least share of the kernel, and of the weight under it, that has to be known: at a straight edge
across a disc whose scale length is two sigmas of the kernel, the average is then off by 0.04 dex.
"""
_ON_IMAGE = COVERED**2  # so that an image keeps as much of its corners as of its sides
_SHOWN = 0.5  # and of the kernel on the map itself, where its parts are known beyond its edge

STANDS_IN: Mapping[str, tuple[str, ...]] = {
    "LOG_SIGMA_STAR": ("LOG_SIGMA_LSTAR",),
    "LOG_SIGMA_LSTAR": ("LOG_SIGMA_STAR",),
    "LOG_SIGMA_MD": ("LOG_SIGMA_LD", "LOG_SIGMA_GAS"),
}
"""What weights a mean where its own weight is missing and does not follow from other maps."""


class Weight(NamedTuple):
    """By which property a mean is weighted (empty: by area), and by how much: linear, shape (ny,
    nx), NaN where it is not known.
    """

    name: str
    plane: np.ndarray


def averaged(maps: PropertyMaps, average: Average) -> tuple[PropertyMaps, int]:
    """Maps averaged over a kernel.

    A ratio is the average of what is above its line over that of what is below, a temperature or
    an age the mean weighted by its mass (`Property.above`, `Property.weight`). A pixel of which
    less than `COVERED` is known is blank: what is known of it would stand for the rest. A value
    that says that there is nothing (`EMPTY_LOG`) is known.

    Parameters
    ----------
    maps : PropertyMaps
        With all that they have: maps that are not wanted afterwards are weights.
    average : callable
        Takes float32 planes of shape (n, ny, nx) without blanks, and averages each.

    Returns
    -------
    maps : PropertyMaps
        On the grid of the averages. Errors are averaged as variances, as of one field with itself,
        weighted as the values; the part that a galaxy's pixels share as it adds up, linearly. Their
        flags are those given where the grid has stayed, else 0.
    left_out : int
        Pixels that show a map and are blank in one, because too little of them is known.
    """
    values: dict[str, np.ndarray] = {}
    errors: tuple[dict[str, np.ndarray], ...] = ({}, {})
    (frame,) = average(np.ones((1, *maps.shape), np.float32))
    beside = np.zeros(frame.shape, bool)
    for name, plane in maps.values.items():
        prop = PROPERTIES[name]
        known = (maps.errors, maps.galaxy_errors) if name in maps.errors else ()
        sigmas = [part[name] for part in known if name in part]
        value, sigmas, near = _one(
            prop, *_above_and_below(maps, prop), ~(impossible(prop, plane) | np.isnan(plane)),
            sigmas, average, frame,
        )  # fmt: skip
        values[name] = value
        beside |= near
        for part, sigma in zip(errors, sigmas, strict=False):
            part[name] = sigma
    flags = maps.flags if frame.shape == maps.shape else np.zeros(frame.shape, np.int16)
    moved = PropertyMaps(
        values, errors[0], maps.wcs, flags, maps.provenance, maps.correlation, maps.tails,
        galaxy_errors=errors[1], unknown_flags=maps.unknown_flags,
    )  # fmt: skip
    return moved, int(beside.sum())


def _one(
    prop: Property,
    above: np.ndarray,
    below: np.ndarray,
    shown: np.ndarray,
    sigmas: list[np.ndarray],
    average: Average,
    frame: np.ndarray,
) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Value and errors of one map, averaged, and where too little of it is known; `frame` is the
    share of the kernel on the image. The errors are the whole one and the part that is shared, as
    far as they are known.
    """
    there = np.isfinite(below)
    known = (there & np.isfinite(above)) | (below == 0)
    shown = shown | (below == 0)  # nothing has no ratio, and needs none
    weight = np.where(there, below, 0)
    planes = [np.where(known, above, 0), weight * known, weight, there, shown]
    planes[0] = np.where(np.isfinite(planes[0]), planes[0], 0)
    log = prop.exponent
    if sigmas:
        finite = np.logical_and.reduce([np.isfinite(sigma) for sigma in sigmas])
        share = np.where(shown & known & finite, planes[0 if log else 1], 0)
        planes.append(share)
        planes += [
            share * np.where(share > 0, sigma, 0) ** power
            for sigma, power in zip(sigmas, (2, 1), strict=False)
        ]
    over, under, whole, there, shown, *rest = average(np.asarray(planes, np.float32))
    with np.errstate(invalid="ignore", divide="ignore"):
        seen = (frame >= _SHOWN) & (shown >= _SHOWN * frame) & (whole > 0)
        enough = seen & (frame >= _ON_IMAGE)
        enough &= (there >= COVERED * frame) & (under >= COVERED * whole)
        value = np.where(enough, over / under, np.nan)
        if log:
            value = np.log10(np.where(value > 0, value, np.nan)) / log
        means = [np.where(np.isfinite(value), mean / rest[0], np.nan) for mean in rest[1:]]
        sigmas = [mean ** (1 / power) for mean, power in zip(means, (2, 1), strict=False)]
    return (
        value.astype(np.float32),
        [sigma.astype(np.float32) for sigma in sigmas],
        seen & ~enough,
    )


def _above_and_below(maps: PropertyMaps, prop: Property) -> tuple[np.ndarray, np.ndarray]:
    """What a map is averaged as, above and below the line, float64; NaN where it is not known."""
    plane = np.where(impossible(prop, maps.values[prop.name]), np.nan, maps.values[prop.name])
    amount = linear_of(plane, prop.exponent) if prop.exponent else plane.astype(float)
    below = weight_of(maps, prop).plane
    above = np.asarray(amount * below)
    if prop.above in maps.values and prop.weight in maps.values:
        above = np.where(np.isfinite(above), above, linear_of(maps.values[prop.above]))
    return above, below


def weight_of(maps: PropertyMaps, prop: Property) -> Weight:
    """What the mean of a property is weighted by, of what there is.

    A weight that is missing follows from a ratio that has it below its line (M_star from M_dust and
    M_dust / M_star) or above it; else another quantity stands in for it.
    """
    area = Weight("", np.ones(maps.shape))
    if prop.additive or prop.weight is None:
        return area
    for name in (prop.weight, *STANDS_IN.get(prop.weight, ())):
        plane = _surface_density(maps, name)
        if plane is not None:
            return Weight(name, linear_of(plane))
    return area


def _surface_density(maps: PropertyMaps, name: str) -> np.ndarray | None:
    """The map of what adds up, or what other maps make of it; None where they make nothing."""
    there = maps.values
    if name in there:
        return np.where(impossible(PROPERTIES[name], there[name]), np.nan, there[name])
    for ratio in (prop for prop in PROPERTIES.values() if prop.above and prop.name in there):
        below = ratio.weight or ""
        if below == name and ratio.above in there:
            return np.asarray(there[ratio.above] - there[ratio.name])
        if ratio.above == name and below in there:
            return np.asarray(there[below] + there[ratio.name])
    return None


def weight_notes(maps: PropertyMaps, names: Sequence[str], whose: str) -> list[str]:
    """Of which properties the parts are missing, and what weighted them in their place.

    Parameters
    ----------
    maps : PropertyMaps
    names : sequence of str
        The properties that are looked at.
    whose : str
        What the maps are called, e.g. "truth".
    """
    notes = []
    for prop in (PROPERTIES[name] for name in names if PROPERTIES[name].weight):
        by = weight_of(maps, prop).name
        if by != prop.weight:
            way = f"weighted by {by}" if by else "over area"
            notes.append(
                f"{prop.name} of the {whose} was averaged {way}: it has no {prop.weight}, by which "
                "its mean is weighted."
            )
    return notes


def linear_of(plane: np.ndarray, exponent: float = 1.0) -> np.ndarray:
    """What a map's values stand for, 10^(exponent x value), float64; 0 where they say that there is
    nothing (`EMPTY_LOG`).
    """
    return np.where(plane <= EMPTY_LOG, 0.0, 10.0 ** (exponent * plane.astype(float)))
