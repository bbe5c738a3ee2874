"""Parts of Qt's widgets that are always there, though Qt's types allow that they are not."""

from __future__ import annotations

from typing import TypeVar

Part = TypeVar("Part")


def present(part: Part | None) -> Part:
    """The part itself, e.g. a table's header.

    Raises
    ------
    LookupError
        When it is not there after all.
    """
    if part is None:
        raise LookupError("This widget has no such part.")
    return part
