"""Bands of other cameras that may stand in for a band of the models, where a person agrees."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from .ecsv_rows import rows_of
from .registry import BANDS, Band

TABLE = Path(__file__).with_name("stand_ins.ecsv")
LARGEST_REDSHIFT = 0.1
"""Of the model galaxies in the table."""


@dataclass(frozen=True)
class StandIn:
    """A band that may stand in for another.

    Attributes
    ----------
    name : str
        E.g. ``"DECam_g"``.
    stands_for : str
        E.g. ``"SDSS_g"``.
    offset : float
        Magnitude in the other band less that in this one, of a galaxy in the middle.
    scatter : float
        How much that differs between galaxies, mag, at the redshift where it is largest: the error
        of leaving their colours aside.
    """

    name: str
    stands_for: str
    offset: float
    scatter: float

    @property
    def factor(self) -> float:
        """What the flux is multiplied by."""
        return float(10 ** (-0.4 * self.offset))

    @property
    def error(self) -> float:
        """Relative error of that factor."""
        return 0.4 * math.log(10) * self.scatter

    @property
    def band(self) -> Band:
        """The band that is stood for, as this camera sees it: its reddening and PSF, and its
        calibration with the error of the colour term.
        """
        own, other = BANDS[self.name], BANDS[self.stands_for]
        return replace(
            own, name=other.name, use=other.use, calibration=math.hypot(own.calibration, self.error)
        )

    def __str__(self) -> str:
        return (
            f"{self.name} stands in for {self.stands_for}: flux times {self.factor:.3f}, "
            f"its colour term good to {self.error:.1%}"
        )


def read_stand_ins(path: Path = TABLE) -> dict[str, StandIn]:
    """The stand-ins of a table, by name."""
    return {
        row["name"]: StandIn(
            row["name"], row["stands_for"], float(row["offset"]), float(row["scatter"])
        )
        for _, row in rows_of(path)
    }


STAND_INS: dict[str, StandIn] = read_stand_ins()


def stand_ins_among(bands: Iterable[str]) -> list[StandIn]:
    """Those of some bands that could stand in for one that is not among them; of several for one
    band the most exact.
    """
    there = list(bands)
    best: dict[str, StandIn] = {}
    for found in (STAND_INS[band] for band in there if band in STAND_INS):
        other = best.get(found.stands_for)
        if found.stands_for not in there and (other is None or found.scatter < other.scatter):
            best[found.stands_for] = found
    return list(best.values())


def offer(bands: Iterable[str], wanted: Iterable[str]) -> str:
    """A sentence on which of some bands could stand in for those that a model takes; empty where
    none could.
    """
    wanted = set(wanted)
    could = [found for found in stand_ins_among(bands) if found.stands_for in wanted]
    if not could:
        return ""
    pairs = ", ".join(f"{s.name} for {s.stands_for} (to {s.error:.1%})" for s in could)
    return f"Stand-ins could be allowed (stand_in): {pairs}."


def stands_in(band: Band) -> bool:
    """Whether a band is another camera's that stands in for the one that it is named after."""
    return band.name in BANDS and band.survey != BANDS[band.name].survey


def too_far(bands: Iterable[Band], redshift: float | None) -> str:
    """A sentence where some of an image's bands stand in for others at a redshift beyond the
    table's; empty where none does.
    """
    standing = [band.name for band in bands if stands_in(band)]
    if not standing or redshift is None or redshift <= LARGEST_REDSHIFT:
        return ""
    return (
        f"what stands in for {', '.join(standing)} is less exact than said: the colour terms "
        f"are those of redshifts to {LARGEST_REDSHIFT:g}, and the galaxy's is {redshift:g}"
    )
