"""Where the files lie that come with the program beside its code."""

from __future__ import annotations

from pathlib import Path

from ...exceptions import InputError


def folder_with(folder: str, member: str, what: str) -> Path:
    """A folder that comes with the program: in the installed package, or in the repository.

    Parameters
    ----------
    folder : str
        Its name.
    member : str
        What has to lie in it.
    what : str
        What it is, for the sentence that it is not there: ``"The documentation is"``.

    Raises
    ------
    InputError
        When it is in neither.
    """
    package = Path(__file__).parents[2]
    for parent in (package, package.parents[1]):
        if (parent / folder / member).exists():
            return parent / folder
    raise InputError(f"{what} not in this installation; install the package again.")
