"""What maps cannot be: values that no galaxy has are blank, masses that no galaxy has are said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .maps import PropertyMaps
from .properties import PROPERTIES, Property

LEAST_MASS, LARGEST_MASS = 1e5, 1e13
"""Msun: between which the stellar mass of a galaxy lies."""


def impossible(prop: Property, plane: np.ndarray) -> np.ndarray:
    """Where a map has values that no galaxy has (`Property.possible`), bool.

    Logarithms of what adds up that are too low are not among them: they are of next to nothing,
    and simulations write -100 for it.
    """
    least, most = prop.possible
    with np.errstate(invalid="ignore"):
        high: np.ndarray = plane > most
        return high if prop.additive else high | (plane < least)


def odd_values(maps: PropertyMaps, source: str, names: Sequence[str]) -> list[str]:
    """Of each map that has values which no galaxy has, a sentence on how many.

    Parameters
    ----------
    maps : PropertyMaps
    source : str
        What the maps are called, e.g. "the truth".
    names : sequence of str
        The maps that are looked at.
    """
    notes = []
    for name in names:
        prop, plane = PROPERTIES[name], maps.values[name]
        odd = impossible(prop, plane)
        if odd.any():
            count, valued = int(odd.sum()), int(np.isfinite(plane).sum())
            limits = f"{prop.possible[0]:g} to {prop.possible[1]:g} {prop.unit}"
            notes.append(
                f"{source}: {name} lies outside {limits} on {count} of the {valued} pixels that "
                "have a value, which no galaxy does."
            )
    return notes


def possible_only(maps: PropertyMaps) -> tuple[PropertyMaps, list[str]]:
    """Maps without the values that cannot be (`Property.possible`), and a note for each map that
    had some.
    """
    values, notes = dict(maps.values), []
    errors, shared = dict(maps.errors), dict(maps.galaxy_errors)
    for name, plane in maps.values.items():
        prop = PROPERTIES[name]
        least, most = prop.possible
        with np.errstate(invalid="ignore"):
            wrong = (plane < least) | (plane > most)
        if not wrong.any():
            continue
        values[name] = np.where(wrong, np.float32(np.nan), plane)
        for planes in (errors, shared):
            if name in planes:
                planes[name] = np.where(wrong, np.float32(np.nan), planes[name])
        count = int(wrong.sum())
        notes.append(
            f"{name} is blank on {count} {'pixel' if count == 1 else 'pixels'} where it would be "
            f"outside {least:g} to {most:g} {prop.unit}"
        )
    if notes:
        maps = replace(maps, values=values, errors=errors, galaxy_errors=shared)
    return maps, notes


def mass_note(maps: PropertyMaps, pixel_pc: float | None) -> str:
    """What is odd about the stellar mass that maps add up to; empty where nothing is, or where it
    is not known.

    Parameters
    ----------
    maps : PropertyMaps
    pixel_pc : float or None
        Side of a pixel in parsec.
    """
    plane = maps.values.get("LOG_SIGMA_STAR")
    if plane is None or not pixel_pc or not np.isfinite(plane).any():
        return ""
    kpc2 = (pixel_pc / 1000) ** 2
    mass = float(np.nansum(10.0 ** plane[np.isfinite(plane)].astype(float))) * kpc2
    if LEAST_MASS <= mass <= LARGEST_MASS:
        return ""
    side = "less than any galaxy has" if mass < LEAST_MASS else "more than any galaxy has"
    return (
        f"the stars add up to {mass:.2g} Msun, {side} ({LEAST_MASS:.0e} to {LARGEST_MASS:.0e}): "
        "look at the distance, and at the units of the images"
    )
