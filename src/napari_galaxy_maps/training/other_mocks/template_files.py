"""The tables of model spectra in the folder of templates."""

from __future__ import annotations

from pathlib import Path

from ...exceptions import InputError


def table_in(templates: Path, name: str) -> Path:
    """The path of a table.

    Raises
    ------
    InputError
        When it is not there.
    """
    path = templates / name
    if not path.is_file():
        raise InputError(f"{path} is missing; give the folder of data that has templates/{name}.")
    return path
