"""The maps of stars and gas that the stellar U-Net predicts, and how their values are scaled for a
network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Target:
    """How the values of a map are scaled: to about -1 to 1 over the range where galaxies shine.

    Attributes
    ----------
    low, high : float
        Ends of the range of values (of log10 of the age for `AGE_STAR`); what lies below is taken
        to be there.
    logarithm : bool
        Whether the network is taught the logarithm of the map.
    """

    low: float
    high: float
    logarithm: bool = False

    @property
    def unit(self) -> float:
        """Size of a scaled unit in dex."""
        return (self.high - self.low) / 2

    def from_map(self, plane: np.ndarray) -> np.ndarray:
        """What the network is taught of a map's values (dex)."""
        return np.log10(plane) if self.logarithm else plane

    def in_dex(self, value: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A map's values and errors in dex."""
        if not self.logarithm:
            return value, sigma
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.log10(value), sigma / value / np.log(10)

    def scaled(self, value: np.ndarray) -> np.ndarray:
        """Values in dex to scaled ones, those outside the range taken to its ends."""
        result: np.ndarray = (np.clip(value, self.low, self.high) - self.low) / self.unit - 1
        return result

    def value(self, scaled: np.ndarray) -> np.ndarray:
        """Scaled values to dex."""
        result: np.ndarray = (scaled + 1) * self.unit + self.low
        return result


TARGETS: dict[str, Target] = {
    "LOG_SIGMA_STAR": Target(4.0, 10.8),
    "LOG_SIGMA_ZSTAR": Target(1.5, 9.2),
    "AGE_STAR": Target(-0.8, 1.14, logarithm=True),
    "LOG_SIGMA_SFR": Target(-7.5, 1.5),
    "LOG_SIGMA_GAS": Target(2.5, 9.5),
    "LOG_SIGMA_ZGAS": Target(0.0, 8.0),
    "LOG_SIGMA_HI": Target(2.5, 8.5),
}
"""By property, in the order of the network's outputs."""
STELLAR_PROPERTIES: tuple[str, ...] = tuple(TARGETS)
