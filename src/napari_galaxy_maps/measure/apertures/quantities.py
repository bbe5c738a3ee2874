"""How properties and bands are summed and averaged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...data.properties import Property


@dataclass(frozen=True)
class Quantity:
    """How one map is to be summed and averaged.

    Attributes
    ----------
    name : str
        Of the property or band.
    log : bool
        Whether its values are logarithms: sums and means are of what they are the logarithms of.
    weight : str
        What its mean is weighted by: ``"area"``, or a property's name.
    unit : str
        Of values and means, as astropy reads it: ``"dex(solMass / kpc2)"``, ``"dex"``, ``"K"``,
        ``"MJy / sr"``.
    sum_unit : str
        Of its sum: ``"Jy"``, ``"solMass"``; empty for what does not add up.
    """

    name: str
    log: bool
    weight: str
    unit: str
    sum_unit: str


def quantity_of(prop: Property, weight: str | None = None) -> Quantity:
    """How a property is summed and averaged; `weight` says by which map, "area" where that is
    missing.
    """
    unit = f"dex({prop.log_unit})" if prop.log_unit else prop.unit
    if not prop.additive:
        return Quantity(prop.name, prop.unit == "dex", weight or prop.weight or "area", unit, "")
    # A map that adds up is the logarithm of something per kpc2.
    total = prop.log_unit.replace("(yr kpc2)", "yr").removesuffix(" / kpc2")
    return Quantity(prop.name, True, "area", unit, total)


def brightness(band: str) -> Quantity:
    """How a band's surface brightness is summed and averaged."""
    return Quantity(band, False, "area", "MJy / sr", "Jy")


def linear(plane: np.ndarray, log: bool) -> np.ndarray:
    """Values as what they are the logarithms of, float64 on the way so that no digit of them is
    lost.
    """
    if not log:
        return plane
    return np.exp(plane.astype(np.float64) * np.log(10)).astype(np.float32)
