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
    log : float
        Sums and means are of 10^(log x value): 1 of logarithms, -0.4 of magnitudes
        (`Property.exponent`); 0 where they are of the values.
    weight : str
        What its mean is weighted by: ``"area"``, or a property's name.
    unit : str
        Of values and means, as astropy reads it: ``"dex(solMass / kpc2)"``, ``"dex"``, ``"K"``,
        ``"MJy / sr"``.
    sum_unit : str
        Of its sum: ``"Jy"``, ``"solMass"``; empty for what does not add up.
    """

    name: str
    log: float
    weight: str
    unit: str
    sum_unit: str


def quantity_of(prop: Property, weight: str | None = None) -> Quantity:
    """How a property is summed and averaged; `weight` says by which map, "area" where that is
    missing.
    """
    unit = f"dex({prop.log_unit})" if prop.log_unit else prop.unit
    if not prop.additive:
        return Quantity(prop.name, prop.exponent, weight or prop.weight or "area", unit, "")
    # A map that adds up is the logarithm of something per kpc2.
    total = prop.log_unit.replace("(yr kpc2)", "yr").removesuffix(" / kpc2")
    return Quantity(prop.name, prop.exponent, "area", unit, total)


def brightness(band: str) -> Quantity:
    """How a band's surface brightness is summed and averaged."""
    return Quantity(band, 0.0, "area", "MJy / sr", "Jy")


def linear(plane: np.ndarray, log: float) -> np.ndarray:
    """Values as what adds up, 10^(log x value) (`Quantity.log`), float64 on the way so that no
    digit of them is lost.
    """
    if not log:
        return plane
    return np.exp(plane.astype(np.float64) * (log * np.log(10))).astype(np.float32)
