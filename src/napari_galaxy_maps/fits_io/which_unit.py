"""In which unit an image is, and what one unit of it stands for: what its headers say and its
survey's customs, agreed or asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..bands.cameras import CAMERAS
from ..bands.units import (
    FLUX,
    NEEDS_ZERO_POINT,
    NO_UNIT,
    OLD_PIXEL,
    Unit,
    ZeroPoint,
    parse_unit,
    why_not,
)
from ..data.question import UNIT, Question
from ..data.zero_points import FORM, GivenZeroPoint, parse_zero_point
from ..exceptions import InputError
from .evidence import (
    ALLOWED,
    BINNING,
    KEYWORDS,
    UNITS,
    ZERO,
    ZERO_KEYS_OF_FLUX,
    Asked,
    ImageWords,
    Statement,
    agreed,
    sentence,
)
from .header_words import Word
from .which_band import parts_of, stem
from .which_zero_point import check_size, zero_point_of

_FAR_INFRARED = 23
"""Pivot wavelength in micron beyond which maps are per beam as often as per pixel."""


@dataclass(frozen=True)
class UnitGuess:
    """What is known of an image's unit.

    Attributes
    ----------
    unit : str or None
        None where it has to be asked for.
    reason : str
        Why, in words.
    suggestion : str or None
        The likely one where it has to be asked for, and no header speaks of a unit.
    questions : tuple of Question
        What has to be asked.
    zero_point : ZeroPoint or None
        What one count, count per second or maggy stands for, where the unit needs it.
    old_pixel : float or None
        Side in arcsec of the pixels that a unit per old pixel is of.
    notes : tuple of str
        What has to be told.
    needs_exposure : bool
        Whether a map of its exposure in seconds would answer what has to be asked.
    """

    unit: str | None
    reason: str
    suggestion: str | None = None
    questions: tuple[Question, ...] = ()
    zero_point: ZeroPoint | None = None
    old_pixel: float | None = None
    notes: tuple[str, ...] = ()
    needs_exposure: bool = False


def guess_unit(
    image: ImageWords, told_unit: str | None = None, told_zero_point: str | None = None
) -> UnitGuess:
    """The unit of an image, and what one of it stands for.

    Parameters
    ----------
    image : ImageWords
        Its band, pixel and words.
    told_unit, told_zero_point : str, optional
        What a person says, which settles it.

    Raises
    ------
    InputError
        When what a person says is not understood.
    """
    band, label = image.band, image.label
    if told_unit is not None:
        unit = parse_unit(told_unit)
        if unit is None:
            raise InputError(
                f"{label}: the unit {told_unit!r} is not understood, "
                f"{why_not(told_unit, band)[0]}; give one such as MJy/sr, Jy/pix, nanomaggy or DN."
            )
        guess = UnitGuess(str(unit), "told")
    else:
        try:
            guess, unit = _unit_of_words(image)
            if told_zero_point is None:
                check_size(image, unit)
        except Asked as asked:
            likely = asked.question.answers[0] if len(asked.question.answers) == 1 else None
            return UnitGuess(None, asked.question.text, likely, (asked.question,))
    if band is None:
        return guess
    given = None if told_zero_point is None else parse_zero_point(told_zero_point)
    if told_zero_point is not None and given is None:
        raise InputError(
            f"{label}: the zero point {told_zero_point!r} is not understood; give a magnitude, its "
            f"system and what it is for, such as {FORM}."
        )
    return _with_meaning(image, guess, unit, given, told_unit is not None)


# --- the unit itself ------------------------------------------------------------------------------


def _unit_of_words(image: ImageWords) -> tuple[UnitGuess, Unit]:
    """The unit that the headers' words agree on.

    Raises
    ------
    Asked
        Where they do not, or none is understood.
    """
    said = image.words.of(KEYWORDS[UNITS])
    found = [(word, parse_unit(word.raw)) for word in said]
    known = [(word, unit) for word, unit in found if unit is not None]
    known = [(word, unit) for word, unit in known if not _yields(word, known)]
    if not known:
        return _silent(image, said)
    value, reason = agreed([Statement(_bare(unit), str(word)) for word, unit in known])
    word, unit = known[0]
    if value is None:
        answers = tuple(dict.fromkeys(str(unit) for _, unit in known))
        text = f"In which unit is it, {' or '.join(answers)}? {sentence(reason)}"
        raise image.asks(UNIT, text, answers)
    for other, meant in found:
        why, _ = why_not(other.raw, image.band) if meant is None else ("", ())
        if why and why != NO_UNIT:
            raise image.asks(
                UNIT, f"In which unit is it? {word} says {unit}, but {other}, {why}.", (str(unit),)
            )
    left = [str(other) for other in said if other not in [w for w, _ in known]]
    reason += f" (though {', '.join(left)})" if left else ""
    if unit.kind == FLUX and not unit.said:
        far_infrared = image.band is not None and image.band.pivot > _FAR_INFRARED
        if "BMAJ" in image.words or far_infrared:
            name = str(unit).removesuffix("/pix")
            text = f"Is it per pixel or per beam? The header says {word}."
            raise image.asks(UNIT, text, (f"{name}/pix", f"{name}/beam"))
        reason += ", taken as per pixel"
    return UnitGuess(str(unit), reason), unit


def _bare(unit: Unit) -> str:
    """A unit's name; counts per pixel and counts are one."""
    counts = unit.kind in NEEDS_ZERO_POINT and unit.per == "pix"
    return str(unit).removesuffix("/pix") if counts else str(unit)


def _yields(word: Word, known: list[tuple[Word, Unit]]) -> bool:
    """Whether a word gives way to another of the file by a pair of `ALLOWED`."""
    return any((other.key, word.key) in ALLOWED for other, _ in known)


def _silent(image: ImageWords, unclear: list[Word]) -> tuple[UnitGuess, Unit]:
    """Counts, where no word is a unit but a zero point speaks of them."""
    if unclear:
        why, likely = why_not(unclear[0].raw, image.band)
        said = sentence(f"the header says {unclear[0]}, {why}")
        raise image.asks(UNIT, f"In which unit is it? {said}", likely)
    zero = next((w for w in image.words.of(KEYWORDS[ZERO]) if w.number is not None), None)
    if zero is not None and zero.key not in ZERO_KEYS_OF_FLUX:
        unit = parse_unit("DN")
        assert unit is not None
        return UnitGuess("DN", f"{zero} in the header: counts of that zero point"), unit
    reason, suggestion = "the header tells no unit", ""
    if image.band is not None:
        likely_units = CAMERAS[image.band.survey].units
        told = [likely_units[p] for p in parts_of(image.filename) if p in likely_units]
        if told:
            suggestion = told[0]
            reason += f"; {image.band.survey}'s files of this name are in {suggestion}"
        elif stem(image.filename).endswith(f"_{image.band.name}"):
            reason += "; DustPedia's files of this name are in Jy/pix"
            suggestion = "Jy/pix"
    offered = f" ({suggestion}?)" if suggestion else ""
    raise image.asks(
        UNIT,
        f"In which unit is it{offered}? {sentence(reason)}",
        (suggestion,) if suggestion else (),
    )


# --- what one of it stands for --------------------------------------------------------------------


def _with_meaning(
    image: ImageWords, guess: UnitGuess, unit: Unit, given: GivenZeroPoint | None, told: bool
) -> UnitGuess:
    """The guess with the zero point and the pixel that the unit needs, or with questions."""
    questions: list[Question] = []
    zero: ZeroPoint | None = None
    notes: tuple[str, ...] = ()
    try:
        if unit.kind in NEEDS_ZERO_POINT:
            zero, notes = zero_point_of(image, unit, given)
    except Asked as asked:
        questions.append(asked.question)
        guess = replace(guess, needs_exposure=asked.of_exposure)
    try:
        old = _old_pixel(image, unit, zero, told)
    except Asked as asked:
        return replace(guess, unit=None, questions=(*questions, asked.question))
    return replace(guess, questions=tuple(questions), zero_point=zero, old_pixel=old, notes=notes)


def _old_pixel(image: ImageWords, unit: Unit, zero: ZeroPoint | None, told: bool) -> float | None:
    """The side in arcsec of the pixels of the survey's own images, where they are known.

    Raises
    ------
    Asked
        Where the image's pixels are others, and its values may be of either.
    """
    assert image.band is not None
    camera = CAMERAS.get(image.band.survey)
    sides = camera.pixels if camera is not None else ()
    if not sides:
        if unit.per == OLD_PIXEL:
            raise InputError(
                f"{image.label}: the pixels of {image.band.survey}'s own images are not known; "
                "give the unit per solid angle."
            )
        return None
    if zero is not None and zero.magnitude is not None and camera is not None:
        own = camera.pixels_at.get(zero.magnitude)
        sides = (own,) if own is not None else sides
    if unit.per == OLD_PIXEL:
        return sides[0]
    binned = image.words.number(KEYWORDS[BINNING]) or 1.0
    sides = (*sides, *(side * binned for side in sides))
    old = min(sides, key=lambda side: abs(np.log(image.pixel_arcsec / side)))
    per_pixel = camera is not None and unit.kind in camera.counts and unit.per == "pix"
    if per_pixel and abs(image.pixel_arcsec / old - 1) > 0.05 and not (told and unit.said):
        name = _bare(unit)
        old = sides[0]
        factor = (image.pixel_arcsec / old) ** 2
        raise image.asks(
            UNIT,
            f"Are its values, in {name}, per pixel of {image.band.survey}'s own images ({old:g} "
            f"arcsec) or per pixel of this image ({image.pixel_arcsec:.4g} arcsec)? Interpolation "
            "keeps the values of the old pixels, and no header tells; the fluxes differ by a "
            f"factor of {max(factor, 1 / factor):.3g}.",
            (f"{name}/{OLD_PIXEL}", f"{name}/pix"),
        )
    return old
