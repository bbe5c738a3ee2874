"""What a person says of files: where it stands in the recipe, how it gets there and out again, and
which questions one answer serves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data.question import BAND, BEAM, PSF, SETTINGS, Question, kind_of
from ...exceptions import GalaxyMapsError, InputError

if TYPE_CHECKING:
    from ...data.recipe import InputSettings
    from ...fits_io.image_file import ImageFile
    from ...fits_io.image_names import Place

_WIDEST = 1e4
"""FWHM in arcsec that no PSF has."""


@dataclass(frozen=True)
class Answer:
    """What a person has said of a file.

    Attributes
    ----------
    about : str
        `UNIT`, `ZERO_POINT` or another of the things that questions are about.
    key : str
        Its entry in the recipe: the file's label, or a band or survey for all of its files.
    value : str
        As it stands there.
    """

    about: str
    key: str
    value: str


@dataclass(frozen=True)
class SharedQuestion:
    """A question that several files ask.

    Attributes
    ----------
    question : Question
        As the first of them asks it.
    labels : tuple of str
        The files.
    survey : str
        The survey whose images they are; empty where they are of several.
    every : bool
        Whether no other image of the survey is in use.
    """

    question: Question
    labels: tuple[str, ...]
    survey: str
    every: bool

    @property
    def who(self) -> str:
        """The files in words."""
        every = "All " if self.every else ""
        return " ".join(filter(None, (f"{every}{len(self.labels)}", self.survey, "images")))


def answers_of(file: ImageFile, settings: InputSettings) -> tuple[Answer, ...]:
    """What a person has said of a file."""
    from ...fits_io.galaxies import key_of, told_of

    told = told_of(settings)
    found = []
    for about in SETTINGS:
        kind = kind_of(about)
        key = key_of(file, kind, told)
        if key is not None:
            found.append(Answer(about, key, str(told[kind][key])))
    return tuple(found)


def shared_questions(
    questions: Iterable[Question], images: Sequence[ImageFile]
) -> list[SharedQuestion]:
    """The questions that several of the images in use ask alike, but for their bands.

    One survey's images are likely of one make, so that alternatives are offered by survey; a sole
    likely answer is offered to all who have it.
    """
    groups: dict[tuple[object, ...], list[Question]] = {}
    for question in questions:
        if question.about != BAND and question.survey:
            survey = question.survey if len(question.answers) != 1 else ""
            groups.setdefault((question.about, question.answers, survey), []).append(question)
    shared = []
    for group in groups.values():
        surveys = {question.survey for question in group}
        of_them = [i for i in images if i.band is not None and i.band.survey in surveys]
        survey = surveys.pop() if len(surveys) == 1 else ""
        labels = tuple(question.file for question in group)
        if len(labels) > 1:
            shared.append(SharedQuestion(group[0], labels, survey, len(of_them) == len(labels)))
    return shared


def with_answer(
    settings: InputSettings,
    files: Sequence[tuple[ImageFile, ImageFile]],
    about: str,
    text: str,
    survey: str = "",
) -> dict[str, Any]:
    """The table of the recipe, by its name, with an answer.

    Parameters
    ----------
    settings : InputSettings
        What has been said so far.
    files : sequence of (ImageFile, ImageFile)
        Those that the answer is for, as found and as settled.
    about, text : str
        What it is about, and the answer as it is written; an empty one takes back what was said.
    survey : str, optional
        The survey whose files these all are: the answer goes under its name.

    Raises
    ------
    GalaxyMapsError
        When the answer makes no sense for one of them.
    """
    from ...fits_io.galaxies import key_of

    name, kind = SETTINGS[about], kind_of(about)
    table: dict[str, Any] = dict(getattr(settings, name))
    for _, file in files:
        if text:
            value = _value(about, text, file)
            # A PSF is its band's.
            of_band = file.band.name if about == PSF and file.band is not None else file.label
            with_it = {**table, (survey or of_band): value}
            heard = key_of(file, kind, {kind: with_it}) == (survey or of_band)
            # Where an entry that is nearer speaks for the file, so does the answer.
            table = with_it if heard else {**table, file.label: value}
        elif (key := key_of(file, kind, {kind: table})) is not None:
            del table[key]
    new = settings.model_copy(update={name: table})
    for found, _ in files:
        _check(found, settings, new)
    return {name: table}


def with_role(
    settings: InputSettings, place: Place, role: str
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The recipe's table of roles, by its name, with what a person says an image is for; and the
    entries for more than the image that were taken back.

    Parameters
    ----------
    settings : InputSettings
        What has been said so far.
    place : Place
        Where the image is.
    role : str
        What it is for; empty to take back what was said.
    """
    from ...fits_io.image_names import keys_of

    if role:
        own = {key: told for key, told in settings.roles.items() if key != place.key}
        return {"roles": {**own, place.key: role}}, ()
    spoke = keys_of(settings.roles, place)[:1]
    table = {key: told for key, told in settings.roles.items() if key not in spoke}
    return {"roles": table}, tuple(key for key in spoke if key != place.key)


def with_use(
    settings: InputSettings, place: Place, used: bool
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The recipe's list of what is left out, by its name, with or without an image; and the entries
    for more than the image that were taken back.
    """
    from ...fits_io.image_names import keys_of

    if not used:
        return {"leave_out": [*settings.leave_out, place.key]}, ()
    spoke = keys_of(settings.leave_out, place)
    rest = [key for key in settings.leave_out if key not in spoke]
    return {"leave_out": rest}, tuple(key for key in spoke if key != place.key)


def _check(found: ImageFile, old: InputSettings, new: InputSettings) -> None:
    """Raise `GalaxyMapsError` where a file is not understood with what is said of it now, and was
    before.
    """
    from ...fits_io.galaxies import settle_one, told_of

    try:
        settle_one(found, told_of(old))
    except GalaxyMapsError:
        return  # the row says what is wrong
    settle_one(found, told_of(new))


def _value(about: str, text: str, file: ImageFile) -> float | str:
    """An answer as the recipe takes it."""
    number = None
    with suppress(ValueError):
        number = float(text.replace(",", "."))
    if about == BEAM:
        if number is None:
            raise InputError(
                f"{file.label}: the solid angle of its beam is a number of arcsec², such as 469."
            )
        return number
    if about == PSF:
        right = 0 < number < _WIDEST if number is not None else Path(text).expanduser().is_file()
        if not right:
            of = file.band.name if file.band is not None else file.label
            raise InputError(
                f"The PSF of {of} is its full width in arcsec, a positive number, or a FITS file "
                "that is there."
            )
        return text if number is None else number
    return text
