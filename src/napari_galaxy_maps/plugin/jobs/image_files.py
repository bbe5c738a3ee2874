"""What is known of the session's files: the rows of their table, what is wrong with each, and which
are ready to be read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...exceptions import GalaxyMapsError

if TYPE_CHECKING:
    from ...fits_io.image_files import ImageFile
    from ..state.session import Session

Signature = tuple[Any, ...]
"""All that an image read from a file depends on."""


@dataclass(frozen=True)
class FileState:
    """One row of the table of files.

    Attributes
    ----------
    found : ImageFile
        As found.
    file : ImageFile
        With what the recipe says of it.
    problem : str
        What is wrong with it, in words; empty when it is ready.
    used : bool
        Whether the person wants it.
    read : bool
        Whether its pixels are in memory.
    """

    found: ImageFile
    file: ImageFile
    problem: str = ""
    used: bool = True
    read: bool = False

    @property
    def why(self) -> str:
        """Where its band, its unit and its PSF are from, in words."""
        file = self.file
        parts = []
        if file.band is not None:
            parts.append(f"{file.band.name}: {file.band_reason}")
        if file.unit is not None:
            parts.append(f"{file.unit}: {file.unit_reason}")
        if file.psf is not None:
            parts.append(f"PSF {file.psf}")
        return "; ".join(parts)


def states(session: Session) -> list[FileState]:
    """The rows of the table of files, with what is wrong with each."""
    rows = [_settled(session, found) for found in session.files]
    ready = [row for row in rows if row.used and not row.problem and row.file.band is not None]
    images = Counter(row.file.band.name for row in ready if row.file.role == "image")
    errors = Counter(row.file.band.name for row in ready if row.file.role != "image")
    checked = []
    for row in rows:
        if row not in ready:
            checked.append(row)
            continue
        name, problem = row.file.band.name, ""
        if row.file.role == "image" and images[name] > 1:
            problem = f"{name} is there {_times(images[name])}: say which band it really is, or leave one out."
        elif row.file.role != "image" and errors[name] > 1:
            problem = (
                f"The {row.file.role} of {name} is there {_times(errors[name])}: leave one out."
            )
        elif row.file.role != "image" and not images[name]:
            problem = f"This is the {row.file.role} of {name}, whose image is missing or not ready."
        checked.append(replace(row, problem=problem))
    return [_with_reading(session, row, checked) for row in checked]


def _times(n: int) -> str:
    return "twice" if n == 2 else f"{n} times"


def _settled(session: Session, found: ImageFile) -> FileState:
    from ...fits_io.image_files import settle

    settings, used = session.recipe.input, found.label not in session.excluded
    file, problem = found, ""
    try:
        band = settings.bands.get(found.label)
        if band is not None:
            file = settle(file, band=band)
        unit = settings.units.get(found.label)
        if unit is None and file.band is not None:
            unit = settings.units.get(file.band.name)
        if unit is not None:
            file = settle(file, unit=unit)
        psf = settings.psf.get(file.band.name) if file.band is not None else None
        if psf is not None:
            file = settle(file, psf=psf)
    except GalaxyMapsError as error:
        problem = str(error)
    # The unit of an uncertainty is its image's unless its own header says otherwise.
    if not problem and (file.role == "image" or file.band is None):
        sentences = (text.removeprefix(f"{file.label}: ") for text in file.problems)
        problem = " ".join(text[:1].upper() + text[1:] for text in sentences)
    return FileState(found, file, problem, used)


def _with_reading(session: Session, row: FileState, rows: Sequence[FileState]) -> FileState:
    """The row with what its reading came to."""
    if not row.used or row.problem or row.file.role != "image":
        return row
    signature = _signature(row.file, _uncertainty_of(row, rows))
    failed = session.failed.get(row.found.label)
    if failed is not None and failed[0] == signature:
        return replace(row, problem=failed[1])
    read = session.images.get(row.found.label)
    return replace(row, read=read is not None and read[0] == signature)


def _uncertainty_of(row: FileState, rows: Sequence[FileState]) -> ImageFile | None:
    for other in rows:
        if (
            other.used
            and not other.problem
            and other.file.role != "image"
            and other.file.band == row.file.band
        ):
            return other.file
    return None


def _signature(file: ImageFile, uncertainty: ImageFile | None) -> Signature:
    told = (file.path, file.hdu, file.band and file.band.name, file.unit, file.fwhm, file.psf)
    return (
        told
        if uncertainty is None
        else (*told, uncertainty.path, uncertainty.hdu, uncertainty.unit)
    )


def ready(rows: Sequence[FileState]) -> list[tuple[ImageFile, ImageFile | None, str, Signature]]:
    """Image, uncertainty, label and signature of all rows that can be read."""
    return [
        (
            row.file,
            error := _uncertainty_of(row, rows),
            row.found.label,
            _signature(row.file, error),
        )
        for row in rows
        if row.used and not row.problem and row.file.role == "image"
    ]
