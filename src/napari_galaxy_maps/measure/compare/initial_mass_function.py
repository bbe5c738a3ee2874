"""Masses of stars under one initial mass function as they are under another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ...data.maps import PropertyMaps
from ...data.properties import PROPERTIES

LOG_MASS_OVER_CHABRIER: dict[str, float] = {"chabrier": 0.0, "kroupa": 0.03, "salpeter": 0.24}
"""log10 of the mass that the same light means, over Chabrier's (2003): Salpeter's as by Bruzual &
Charlot (2003), Kroupa's (2001) by the ratio of Madau & Dickinson (2014, Sect. 3.1)."""


def imf_of(maps: PropertyMaps) -> str:
    """The initial mass function that maps are for, as `LOG_MASS_OVER_CHABRIER` spells it; empty
    where they name none that is known.
    """
    named = str(maps.provenance.get("imf", "") or "").lower()
    return next((name for name in LOG_MASS_OVER_CHABRIER if named.startswith(name)), "")


def to_imf_of(maps: PropertyMaps, other: PropertyMaps) -> tuple[PropertyMaps, str]:
    """Maps under the initial mass function of others.

    Returns
    -------
    maps : PropertyMaps
        The same where both have one function, or either names none.
    note : str
        What was done, in words; empty where nothing was.
    """
    mine, wanted = imf_of(maps), imf_of(other)
    if not mine or not wanted or mine == wanted:
        return maps, ""
    shift = LOG_MASS_OVER_CHABRIER[wanted] - LOG_MASS_OVER_CHABRIER[mine]
    changed = {name: PROPERTIES[name].imf * shift for name in maps.values if PROPERTIES[name].imf}
    if not changed:
        return maps, ""

    def shifted(planes: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: plane + np.float32(changed.get(name, 0)) for name, plane in planes.items()}

    filling = maps.filling and replace(maps.filling, values=shifted(maps.filling.values))
    words = ", ".join(f"{name} by {by:+.2f}" for name, by in changed.items())
    note = (
        f"was taken from {mine.capitalize()}'s initial mass function to "
        f"{wanted.capitalize()}'s: {words} dex."
    )
    provenance = {**maps.provenance, "imf": wanted.capitalize()}
    return replace(maps, values=shifted(maps.values), provenance=provenance, filling=filling), note
