"""What belongs to a setting besides its value and range: its unit, and how a form shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


@dataclass(frozen=True)
class Unit:
    """The unit of a setting.

    Attributes
    ----------
    symbol : str
        As it stands behind the number.
    words : str
        As it stands in a sentence; by default the symbol.
    """

    symbol: str
    words: str = ""


@dataclass(frozen=True)
class Shown:
    """How a form of its section shows a setting.

    What pydantic's fields hold already is used from there: ``title`` before the control,
    ``description`` in the tooltip, ``examples`` as values to choose from.

    Attributes
    ----------
    in_forms : bool
        Whether a form shows it at all; those that it does not show stand in recipes only.
    hint : str
        In or beside an empty field.
    increment : float
        By which a press on an arrow changes a number.
    is_file : bool
        Whether a text can be the path of a file.
    only_for : tuple of (str, object), optional
        Another setting of the section and the value of it with which this one matters.
    """

    in_forms: bool = True
    hint: str = ""
    increment: float = 1.0
    is_file: bool = False
    only_for: tuple[str, object] | None = None


RECIPE_ONLY = Shown(in_forms=False)


def unit_of(field: FieldInfo) -> Unit | None:
    """The unit of a section's field; None where it has none."""
    return next((mark for mark in field.metadata if isinstance(mark, Unit)), None)


def shown_of(field: FieldInfo) -> Shown:
    """How a form shows a section's field."""
    return next((mark for mark in field.metadata if isinstance(mark, Shown)), Shown())


def description_with_unit(field: FieldInfo) -> str:
    """What a field means, and in which unit: ``"Distance in Mpc"``."""
    meaning, semicolon, rest = (field.description or "").partition(";")
    unit = unit_of(field)
    if unit is not None:
        comma = "," if "," in meaning else ""
        meaning += f"{comma} in {unit.words or unit.symbol}"
    return meaning + semicolon + rest
