"""The files of a galaxy's images: the rows of their table, what is wrong with each, and which are
ready to be read or read already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...data.galaxy import BandImage
from ...data.question import BAND, PSF, UNIT, Question
from ...exceptions import GalaxyMapsError
from ..ground.window_words import words_of
from .answers import Answer, answers_of

if TYPE_CHECKING:
    from ...data.recipe import InputSettings
    from ...fits_io.image_file import ImageFile
    from ...fits_io.image_names import Place
    from ...fits_io.images_of_file import PassedOver

Signature = tuple[Any, ...]
"""All that an image read from a file depends on."""
_BESIDE = ("mask", "exposure")


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
    questions : tuple of Question
        What a person has to settle, where that is what is wrong.
    answers : tuple of Answer
        What a person has said of it.
    remark : str
        What is to be said of it where nothing is wrong; empty for nothing.
    stand_in : ImageFile or None
        The file as it is read where it stands in for another band.
    """

    found: ImageFile
    file: ImageFile
    problem: str = ""
    used: bool = True
    read: bool = False
    questions: tuple[Question, ...] = ()
    answers: tuple[Answer, ...] = ()
    remark: str = ""
    stand_in: ImageFile | None = None

    @property
    def as_read(self) -> ImageFile:
        """The file as it is read."""
        return self.stand_in or self.file

    @property
    def is_beside(self) -> bool:
        """Whether it is a mask or an exposure map."""
        return self.file.role in _BESIDE

    @property
    def is_error(self) -> bool:
        """Whether it tells the errors of an image."""
        return self.file.role not in ("image", *_BESIDE)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Where its band, its unit, its zero point, its beam and its PSF are from, in words, and
        what has to be told of how it was understood.
        """
        file = self.file
        parts = []
        if file.band is not None:
            parts.append(f"{file.band.name}: {file.band_reason}{self._told_for(BAND)}")
        if file.unit is not None:
            parts.append(f"{file.unit}: {file.unit_reason}{self._told_for(UNIT)}")
        if file.zero_point is not None:
            parts.append(f"zero point {file.zero_point.words}")
        if file.beam is not None:
            area, source = file.beam
            parts.append(f"beam of {area:.4g} arcsec²: {source}")
        if file.psf is not None:
            parts.append(f"PSF {file.psf}")
        elif isinstance(file.told.psf, float):
            parts.append(f"PSF of {file.fwhm:.4g} arcsec: told{self._told_for(PSF)}")
        return (*parts, *file.notes)

    def _told_for(self, about: str) -> str:
        """For which others a person has said it, too."""
        own = (self.found.label, self.found.path.name)
        keys = [a.key for a in self.answers if a.about == about and a.key not in own]
        return f" for {keys[0]}" if keys else ""

    @property
    def why(self) -> str:
        """The reasons in one line."""
        return "; ".join(self.reasons)


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
        self.passed: list[PassedOver] = []
        """The images that are not read."""
        self._read: dict[str, ReadImage] = {}
        self._failed: dict[str, ReadImage] = {}
        self._settled: dict[str, FileState] = {}
        """The files with what the recipe gives for them, by label."""
        self._told: dict[str, dict[str, object]] = {}
        """What the recipe gave then."""

    # The list ------------------------------------------------------------------------------------

    def add(self, file: ImageFile) -> None:
        """One more image, under a label that no other has; one that is there already is looked at
        afresh.
        """
        same = _image_of(file)
        self.passed = [other for other in self.passed if _place_of(other.place) != same]
        for i, other in enumerate(self.found):
            if _image_of(other) == same:
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

    def pass_over(self, other: PassedOver) -> None:
        """One more image that is not read; it is none of the others any more."""
        same = _place_of(other.place)
        self.remove({file.label for file in self.found if _image_of(file) == same})
        self.passed = [known for known in self.passed if _place_of(known.place) != same]
        self.passed.append(other)

    def places(self) -> dict[str, Place]:
        """Where all images are, by what the table calls them."""
        found = {other.place.label: other.place for other in self.passed}
        return found | {file.label: file.place for file in self.found}

    def skip(self, sentences: Iterable[str]) -> None:
        """Keep sentences about what was passed over, each once."""
        self.skipped += [text for text in sentences if text not in self.skipped]

    def remove(self, labels: set[str]) -> None:
        """Take files out of the list; what was read of them is forgotten by `drop_stale`."""
        self.found = [file for file in self.found if file.label not in labels]
        self.passed = [other for other in self.passed if other.place.label not in labels]
        for label in labels:
            self._failed.pop(label, None)
            self._settled.pop(label, None)

    # What is known of each -----------------------------------------------------------------------

    def rows(self, settings: InputSettings) -> list[FileState]:
        """The rows of the table of files, with what is wrong with each."""
        checked = _with_stand_ins(_checked(self._settled_rows(settings)), settings)
        return [self._with_reading(row, checked) for row in checked]

    def _settled_rows(self, settings: InputSettings) -> list[FileState]:
        """The files with what the recipe gives for them; asked for many times between two
        changes.
        """
        if not self.found:
            return []
        from ...fits_io.galaxies import told_of
        from ...fits_io.image_names import keys_of

        told = {kind: dict(table) for kind, table in told_of(settings).items()}
        changed, self._told = told != self._told, told
        rows = []
        for found in self.found:
            row = self._settled.get(found.label)
            if row is None or row.found is not found or _may_differ(row, settings, changed):
                row = self._settled[found.label] = _settled(settings, found)
            used = not keys_of(settings.leave_out, found.place)
            rows.append(row if used else replace(row, used=False))
        return rows

    def _with_reading(self, row: FileState, rows: Sequence[FileState]) -> FileState:
        """The row with what its reading came to; of a mask, why it was not used in that of its
        image.
        """
        if row.is_beside and row.used and not row.remark:
            images = [read.image for read in self._read.values() if read.image is not None]
            said = [note for image in images for note in image.notes]
            why = next((note for note in said if note.startswith(f"{row.file.label} ")), "")
            return replace(row, remark=why.removeprefix(row.file.label).strip())
        if not row.used or row.problem or row.file.role != "image":
            return row
        signature = _signature(row.as_read, _uncertainty_of(row, rows))
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
                file, error = row.as_read, _uncertainty_of(row, rows)
                assert file.band is not None
                signature = _signature(file, error)
                found.append(ReadyFile(file, error, row.found.label, signature, file.band.name))
        return found

    # Images --------------------------------------------------------------------------------------

    def unread(self, ready: Iterable[ReadyFile]) -> list[ReadyFile]:
        """Those of the ready files that have not been read as they are now."""
        return [file for file in ready if not self.is_read(file)]

    def is_read(self, file: ReadyFile) -> bool:
        """Whether the image of a file has been read as the file is now."""
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
        """The images of some files that are read as the files are now, by band."""
        found = {}
        for file in ready:
            read = self._read.get(file.label)
            if read is not None and read.image is not None and read.signature == file.signature:
                found[file.band] = read.image
        return found

    def held(self) -> list[BandImage]:
        """The images that are in memory."""
        return [read.image for read in self._read.values() if read.image is not None]

    def forget_images(self) -> None:
        """Let go of the images; their files stay in the list, to be read again."""
        self._read.clear()

    @property
    def any_read(self) -> bool:
        """Whether the pixels of any image are in memory."""
        return bool(self._read)

    def drop_stale(self, ready: Iterable[ReadyFile]) -> list[BandImage]:
        """Forget images that are of none of some files, or whose file has become another band;
        gives them back.
        """
        bands = {file.label: file.band for file in ready}
        dropped = []
        for label, read in list(self._read.items()):
            if read.image is not None and bands.get(label) != read.image.band.name:
                del self._read[label]
                dropped.append(read.image)
        return dropped


def _settled(settings: InputSettings, found: ImageFile) -> FileState:
    """A file with what the recipe gives for it."""
    from ...fits_io.galaxies import questions_of, settle_one, told_of

    file, problem = found, ""
    try:
        file = settle_one(found, told_of(settings))
    except GalaxyMapsError as error:
        problem = words_of(error).removeprefix(f"{found.label}: ")
    questions = () if problem else tuple(questions_of([file]))
    problem = problem or " ".join(question.text for question in questions)
    return FileState(found, file, problem, questions=questions, answers=answers_of(file, settings))


def _may_differ(row: FileState, settings: InputSettings, changed: bool) -> bool:
    """Whether a settled file may come out otherwise now."""
    refused = bool(row.problem) and not row.questions
    # A picture of a PSF may have changed on disk.
    if refused or row.file.psf is not None:
        return True
    return changed and answers_of(row.file, settings) != row.answers


def _checked(rows: Sequence[FileState]) -> list[FileState]:
    """The rows with what is wrong with them beside each other: bands that are there twice, errors
    without an image.
    """
    rows = _with_beside(rows)
    ready = [row for row in rows if row.used and not row.problem and row.file.band is not None]
    ready = [row for row in ready if not row.is_beside]
    images = Counter(_band_name(row) for row in ready if row.file.role == "image")
    errors = Counter(_band_name(row) for row in ready if row.is_error)
    numbers = {id(row) for row in ready}
    checked = []
    for row in rows:
        if id(row) not in numbers:
            checked.append(row)
            continue
        name, role, problem = _band_name(row), row.file.role, ""
        if role == "image" and images[name] > 1:
            problem = (
                f"{name} is there {_times(images[name])}: say which band it really is, "
                "or leave one out."
            )
        elif row.is_error and errors[name] > 1:
            problem = f"The {role} of {name} is there {_times(errors[name])}: leave one out."
        elif role != "image" and not images[name]:
            problem = f"This is the {role} of {name}, whose image is missing or not ready."
        checked.append(replace(row, problem=problem))
    return checked


def _with_beside(rows: Sequence[FileState]) -> list[FileState]:
    """The rows with the masks and exposure maps that belong to each image, among those in use."""
    from ...fits_io.beside_files import with_beside, with_rates, without_image

    files = [row.file for row in rows if row.used]
    theirs = with_rates(with_beside(files))
    idle = without_image(theirs)
    by_place = {file.place: file for file in theirs}
    found = []
    for row in rows:
        remark = next((text for text in idle if text.startswith(f"{row.file.label} ")), "")
        remark = remark.removeprefix(row.file.label).strip() if row.used else ""
        refused = bool(row.problem) and not row.questions
        file = row.file if refused else by_place.get(row.file.place, row.file)
        row = replace(row, file=file, remark=remark)
        if file.divide_by is not None:  # which answers what it asked
            row = replace(row, problem="", questions=())
        found.append(row)
    return found


def _with_stand_ins(rows: Sequence[FileState], settings: InputSettings) -> list[FileState]:
    """The rows, with what stands in for a band that no image shows; the table tells which camera's
    it is.
    """
    from ...fits_io.stand_in_images import with_stand_ins

    ready = [row for row in rows if row.used and not row.problem]
    standing = {
        file.place: file
        for file in with_stand_ins([row.file for row in ready], settings)
        if file.stand_in is not None and file.role == "image"
    }
    return [
        row
        if row.problem or not row.used or (file := standing.get(row.file.place)) is None
        else replace(row, stand_in=file, remark=str(file.stand_in))
        for row in rows
    ]


def _band_name(row: FileState) -> str:
    return row.file.band.name if row.file.band is not None else ""


def _times(n: int) -> str:
    return "twice" if n == 2 else f"{n} times"


def _uncertainty_of(row: FileState, rows: Sequence[FileState]) -> ImageFile | None:
    for other in rows:
        if other.used and not other.problem and other.is_error and other.file.band == row.file.band:
            return other.file
    return None


def _signature(file: ImageFile, uncertainty: ImageFile | None) -> Signature:
    beside = tuple((*_image_of(other), other.role) for other in file.beside)
    divided = _image_of(file.divide_by) if file.divide_by is not None else ()
    own = (
        *_image_of(file), file.band and file.band.name, file.fwhm, file.psf, beside, divided,
        *_conversion(file),
    )  # fmt: skip
    if uncertainty is None:
        return own
    return (*own, *_image_of(uncertainty), uncertainty.role, *_conversion(uncertainty))


def _image_of(file: ImageFile) -> Signature:
    """Which image of which file it is."""
    return file.path, file.hdu, file.plane


def _place_of(place: Place) -> Signature:
    """The same of a place."""
    return place.path, place.number, place.index


def _conversion(file: ImageFile) -> Signature:
    """All that the factor from its pixel values to surface brightness depends on."""
    return (file.unit, file.zero_point, file.beam, file.old_pixel)
