"""What belongs to a setting besides its value: its unit, its range, and how a form shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..exceptions import RecipeError

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
class Slip:
    """A usual mistake: a number in another unit, or another number for the same thing.

    Attributes
    ----------
    meant : str
        What the number may be, as in ``"in kpc"`` or ``"a/b"``.
    factor : float
        By which it is then multiplied.
    inverse : bool
        Whether it is the inverse that is multiplied.
    """

    meant: str
    factor: float = 1.0
    inverse: bool = False

    def corrected(self, value: float) -> float:
        """The number as it should have been given."""
        if self.inverse:
            return self.factor / value if value else float("nan")
        return self.factor * value


@dataclass(frozen=True)
class Range:
    """Between which values a number can lie: those of any galaxy, survey or instrument.

    Attributes
    ----------
    least, most : float
        Both are allowed themselves.
    unit : Unit, optional
        Of the number.
    slips : tuple of Slip
        Mistakes to ask about where a number lies outside.
    """

    least: float
    most: float
    unit: Unit | None = None
    slips: tuple[Slip, ...] = ()

    def __str__(self) -> str:
        unit = f" {self.unit.words or self.unit.symbol}" if self.unit else ""
        return f"{self.least:g} to {self.most:g}{unit}"

    def trouble(self, value: float) -> str:
        """What is wrong with a number, in words; empty where it lies in the range.

        NaN and infinity lie in none.
        """
        if self.least <= value <= self.most:
            return ""
        if abs(value) > 1e300:  # a whole number may be too large for a float
            return f"{'inf' if value > 0 else '-inf'} is outside {self}"
        words = f"{value:.10g} is outside {self}"
        for slip in self.slips:
            right = slip.corrected(value)
            if self.least <= right <= self.most:
                return f"{words}; if it is {slip.meant}, give {right:.4g}"
        return words

    def check(self, value: float, what: str) -> float:
        """The number, where it can be one of what `what` names.

        Raises
        ------
        RecipeError
            Where it lies outside the range, or is NaN.
        """
        trouble = self.trouble(value)
        if trouble:
            raise RecipeError(f"{what}: {trouble}.")
        return value


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


def range_of(field: FieldInfo) -> Range | None:
    """The range of a section's field; None where it has none."""
    return next((mark for mark in field.metadata if isinstance(mark, Range)), None)


def unit_of(field: FieldInfo) -> Unit | None:
    """The unit of a section's field; None where it has none."""
    limits = range_of(field)
    return limits.unit if limits is not None else None


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
