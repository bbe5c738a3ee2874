"""A question about a file that only a person can answer."""

from __future__ import annotations

from dataclasses import dataclass

BAND, UNIT, ZERO_POINT, BEAM, PSF = "band", "unit", "zero point", "beam", "PSF"

SETTINGS = {
    BAND: "bands",
    UNIT: "units",
    ZERO_POINT: "zero_points",
    BEAM: "beams",
    PSF: "psf",
}
"""The table among the recipe's settings of the input that takes the answer."""


def kind_of(about: str) -> str:
    """What reading calls a thing that is asked about: ``"zero_point"``."""
    return about.replace(" ", "_").lower()


OPTIONS = {about: f"--{kind_of(about).replace('_', '-')}" for about in SETTINGS}
"""The option of the command line that answers a question, by what it is about."""


@dataclass(frozen=True)
class Question:
    """A question about a file.

    Attributes
    ----------
    file : str
        Label of the file.
    about : str
        `BAND`, `UNIT`, `ZERO_POINT`, `BEAM` or `PSF`.
    text : str
        The question and what the file says, without the file's name, in whole sentences.
    answers : tuple of str
        The likely answers, as the option and the recipe take them.
    survey : str
        The survey of the file's band, where it is known: one answer serves all of its files.
    """

    file: str
    about: str
    text: str
    answers: tuple[str, ...] = ()
    survey: str = ""

    def __str__(self) -> str:
        return f"{self.file}: {self.text}"

    @property
    def option(self) -> str:
        """The option that answers it."""
        return OPTIONS[self.about]


def asked_in_lines(questions: tuple[Question, ...] | list[Question]) -> list[str]:
    """Questions as lines for a terminal, each with the option that answers it; those that ask the
    same of several files of one survey in one line.
    """
    groups: dict[tuple[str, ...], list[Question]] = {}
    for question in questions:
        alone = (question.file,) if question.about == BAND or not question.survey else ()
        same = question.answers or (question.text,)
        key = (question.about, question.survey, *same, *alone)
        groups.setdefault(key, []).append(question)
    return [_line(group) for group in groups.values()]


def _line(group: list[Question]) -> str:
    first = group[0]
    if len(group) == 1:
        who, key = first.file, first.file
    else:
        others = f" and {len(group) - 2} more" if len(group) > 2 else ""
        who = f"{first.file}, {group[1].file}{others}"
        key = first.survey
    answers = first.answers or ("…",)
    given = " or ".join(f"{first.option} {_quoted(f'{key}={answer}')}" for answer in answers)
    return f"{who}: {first.text} Answer with {given}."


def _quoted(text: str) -> str:
    """An argument as a shell takes it."""
    import shlex

    return shlex.quote(text)
