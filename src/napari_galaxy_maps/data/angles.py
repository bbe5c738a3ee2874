"""Angles as people write them."""

from __future__ import annotations

from ..exceptions import InputError


def parse_angle(text: str, hours: bool = False) -> float:
    """Degrees from ``00:56:42.6``, ``00h56m42.6s`` or decimal degrees.

    Parameters
    ----------
    text : str
        What a person wrote.
    hours : bool
        Whether sexagesimal numbers are hours (right ascension).

    Raises
    ------
    InputError
        When it is no angle.
    """
    text = text.strip()
    try:
        return float(text)
    except ValueError:
        pass
    from astropy.coordinates import Angle

    try:
        return float(Angle(text, unit="hourangle" if hours else "deg").deg)
    except ValueError:
        example = "00:56:42.6 or 14.1775" if hours else "-09:54:50 or -9.9139"
        raise InputError(f"{text!r} is no position; write it like {example}.") from None
