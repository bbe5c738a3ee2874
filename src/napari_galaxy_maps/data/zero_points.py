"""Zero points as a person gives them: a magnitude, its system, and what it is for."""

from __future__ import annotations

import re
from dataclasses import dataclass

ZERO_POINTS = (5.0, 45.0)
"""Least and largest magnitude of one count that makes sense; 0 is that of a maggy."""
FORM = "'22.5 AB', 'Vega' or '25 AB per second'"


@dataclass(frozen=True)
class GivenZeroPoint:
    """What a person says of a zero point; what is left out is for the header to say.

    Attributes
    ----------
    magnitude : float or None
        Of one count, count per second or maggy.
    system : str
        ``"AB"`` or ``"Vega"``, or empty.
    per : str
        ``"image"`` (of one count in the image as it is) or ``"second"``, or empty.
    """

    magnitude: float | None = None
    system: str = ""
    per: str = ""


def parse_zero_point(text: str) -> GivenZeroPoint | None:
    """A zero point as a person writes it: ``"22.5 AB"``, ``"Vega"``, ``"25 AB per second"``,
    ``"per image"``; None where it is not understood.
    """
    rest = str(text).strip()
    found = re.match(r"[+-]?\d+(\.\d*)?", rest)
    magnitude = float(found[0]) if found else None
    rest = rest[found.end() :] if found else rest
    system, per = "", ""
    for word in re.sub(r"per\s+|/\s*", " per_", rest.lower()).replace(",", " ").split():
        if word in ("ab", "vega"):
            system = {"ab": "AB", "vega": "Vega"}[word]
        elif word in ("per_second", "per_s", "per_image", "per_exposure"):
            per = "second" if word.startswith("per_s") else "image"
        elif word not in ("mag", "magnitudes"):
            return None
    if magnitude and not ZERO_POINTS[0] <= magnitude <= ZERO_POINTS[1]:
        return None
    return GivenZeroPoint(magnitude, system, per) if (found or system or per) else None
