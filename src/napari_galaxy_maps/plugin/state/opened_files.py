"""The files of a galaxy's images: the rows of their table, what is wrong with each, and which are
ready to be read or read already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...data.galaxy import BandImage
from ...exceptions import GalaxyMapsError

if TYPE_CHECKING:
    from ...data.recipe import InputSettings
    from ...fits_io.image_files import ImageFile

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
        With what the recipe gives for it.
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


@dataclass(frozen=True)
class ReadyFile:
    """An image that can be read.

    Attributes
    ----------
    file : ImageFile
        The image.
    uncertainty : ImageFile or None
        The file of its errors, where there is one.
    label : str
        What the table calls it.
    signature : tuple
        All that the image depends on: another signature needs it to be read again.
    band : str
        The name of its band.
    """

    file: ImageFile
    uncertainty: ImageFile | None
    label: str
    signature: Signature
    band: str


@dataclass(frozen=True)
class ReadImage:
    """What reading one image came to: the image, or why there is none.

    Attributes
    ----------
    label : str
        What the table calls its file.
    signature : tuple
        See `ReadyFile`.
    image : BandImage or None
        The image.
    problem : str
        Why there is none.
    """

    label: str
    signature: Signature
    image: BandImage | None = None
    problem: str = ""


class ImageFiles:
    """The files that a person has added, and the images that are read from them."""

    def __init__(self) -> None:
        self.found: list[ImageFile] = []
        self.skipped: list[str] = []
        """A sentence for each thing that was passed over."""
        self.excluded: set[str] = set()
        """Labels of files that the person does not want."""
        self._read: dict[str, ReadImage] = {}
        self._failed: dict[str, ReadImage] = {}

    # The list ------------------------------------------------------------------------------------

    def add(self, file: ImageFile) -> None:
        """One more file, under a label that no other has; one that is there already is looked at
        afresh.
        """
        for i, other in enumerate(self.found):
            if (other.path, other.hdu) == (file.path, file.hdu):
                self.found[i] = replace(file, label=other.label)
                self._failed.pop(other.label, None)
                return
        labels = {other.label for other in self.found}
        label = file.label
        if label in labels:
            label = f"{file.path.parent.name}/{file.label}"
        number = 2
        while label in labels:
            label, number = f"{file.label} ({number})", number + 1
        self.found.append(replace(file, label=label))

    def skip(self, sentences: Iterable[str]) -> None:
        """Keep sentences about what was passed over, each once."""
        self.skipped += [text for text in sentences if text not in self.skipped]

    def remove(self, labels: set[str]) -> None:
        """Take files out of the list; what was read of them is forgotten by `drop_stale`."""
        self.found = [file for file in self.found if file.label not in labels]
        self.excluded -= labels
        for label in labels:
            self._failed.pop(label, None)

    def use(self, label: str, used: bool) -> None:
        """Whether the person wants a file."""
        (self.excluded.discard if used else self.excluded.add)(label)

    # What is known of each -----------------------------------------------------------------------

    def rows(self, settings: InputSettings) -> list[FileState]:
        """The rows of the table of files, with what is wrong with each."""
        rows = [_settled(settings, found, found.label not in self.excluded) for found in self.found]
        checked = _checked(rows)
        return [self._with_reading(row, checked) for row in checked]

    def _with_reading(self, row: FileState, rows: Sequence[FileState]) -> FileState:
        """The row with what its reading came to."""
        if not row.used or row.problem or row.file.role != "image":
            return row
        signature = _signature(row.file, _uncertainty_of(row, rows))
        failed = self._failed.get(row.found.label)
        if failed is not None and failed.signature == signature:
            return replace(row, problem=failed.problem)
        read = self._read.get(row.found.label)
        return replace(row, read=read is not None and read.signature == signature)

    def ready(self, settings: InputSettings) -> list[ReadyFile]:
        """All files that can be read."""
        rows = self.rows(settings)
        found = []
        for row in rows:
            if row.used and not row.problem and row.file.role == "image":
                assert row.file.band is not None
                error = _uncertainty_of(row, rows)
                signature = _signature(row.file, error)
                found.append(
                    ReadyFile(row.file, error, row.found.label, signature, row.file.band.name)
                )
        return found

    # Images --------------------------------------------------------------------------------------

    def unread(self, ready: Iterable[ReadyFile]) -> list[ReadyFile]:
        """Those of the ready files that have not been read as they are now."""
        return [file for file in ready if not self._is_read(file)]

    def _is_read(self, file: ReadyFile) -> bool:
        read = self._read.get(file.label)
        return read is not None and read.signature == file.signature

    def keep(self, result: ReadImage) -> None:
        """Remember an image, or why there is none."""
        if result.image is not None:
            self._read[result.label] = result
            self._failed.pop(result.label, None)
        else:
            self._failed[result.label] = result

    def images(self, ready: Iterable[ReadyFile]) -> dict[str, BandImage]:
        """The images that are read of some files, by band."""
        found = {}
        for file in ready:
            read = self._read.get(file.label)
            if read is not None and read.image is not None:
                found[file.band] = read.image
        return found

    @property
    def any_read(self) -> bool:
        """Whether the pixels of any image are in memory."""
        return bool(self._read)

    def drop_stale(self, ready: Iterable[ReadyFile]) -> list[BandImage]:
        """Forget images whose file is gone or has become another band; gives them back."""
        bands = {file.label: file.band for file in ready}
        dropped = []
        for label, read in list(self._read.items()):
            if read.image is not None and bands.get(label) != read.image.band.name:
                del self._read[label]
                dropped.append(read.image)
        return dropped


def _settled(settings: InputSettings, found: ImageFile, used: bool) -> FileState:
    """A file with what the recipe gives for it."""
    from ...fits_io.galaxies import questions_of, settle_one, told_of

    file, problem = found, ""
    try:
        file = settle_one(found, told_of(settings))
    except GalaxyMapsError as error:
        problem = str(error).removeprefix(f"{found.label}: ")
    if not problem:
        problem = " ".join(question.text for question in questions_of([file]))
    return FileState(found, file, problem, used)


def _checked(rows: Sequence[FileState]) -> list[FileState]:
    """The rows with what is wrong with them beside each other: bands that are there twice, errors
    without an image.
    """
    ready = [row for row in rows if row.used and not row.problem and row.file.band is not None]
    images = Counter(_band_name(row) for row in ready if row.file.role == "image")
    errors = Counter(_band_name(row) for row in ready if row.file.role != "image")
    checked = []
    for row in rows:
        if row not in ready:
            checked.append(row)
            continue
        name, role, problem = _band_name(row), row.file.role, ""
        if role == "image" and images[name] > 1:
            problem = (
                f"{name} is there {_times(images[name])}: say which band it really is, "
                "or leave one out."
            )
        elif role != "image" and errors[name] > 1:
            problem = f"The {role} of {name} is there {_times(errors[name])}: leave one out."
        elif role != "image" and not images[name]:
            problem = f"This is the {role} of {name}, whose image is missing or not ready."
        checked.append(replace(row, problem=problem))
    return checked


def _band_name(row: FileState) -> str:
    return row.file.band.name if row.file.band is not None else ""


def _times(n: int) -> str:
    return "twice" if n == 2 else f"{n} times"


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
    own = (file.path, file.hdu, file.band and file.band.name, file.unit, file.fwhm, file.psf)
    if uncertainty is None:
        return own
    return (*own, uncertainty.path, uncertainty.hdu, uncertainty.unit)
