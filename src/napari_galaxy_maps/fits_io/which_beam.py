"""How wide an image's PSF is and which solid angle its beam has: what its headers say, its band's
custom and a person's word, agreed or asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ..bands.cameras import CAMERAS
from ..bands.units import parse_unit
from ..data.question import BEAM, PSF, Question
from .evidence import Asked, ImageWords
from .header_words import Word

_WIDEST = 900.0
"""FWHM in arcsec over which a beam is none of a galaxy's image."""
_SMOOTHED, _BROAD = 20, 100
"""How many times wider than its band's PSF, and how wide in arcsec, a smoothed map's beam is
believed to be without a question."""
_NARROWEST = 0.1
"""FWHM in pixels under which a PSF is none."""
_SAME_WIDTH, _SAME_AREA = 0.15, 0.1
_GAUSSIAN = np.pi / (4 * np.log(2))
"""Solid angle of a Gaussian beam over its FWHM squared."""


@dataclass(frozen=True)
class BeamGuess:
    """What is known of an image's PSF.

    Attributes
    ----------
    fwhm : float
        In arcsec; 0 where it is not known.
    beam : (float, str) or None
        Solid angle in arcsec2 by which a unit per beam is divided, and where it is from.
    questions : tuple of Question
        What has to be asked.
    notes : tuple of str
        What has to be told.
    """

    fwhm: float
    beam: tuple[float, str] | None = None
    questions: tuple[Question, ...] = ()
    notes: tuple[str, ...] = ()


def guess_beam(
    image: ImageWords, unit: str | None, told_fwhm: float | None, told_area: float | None
) -> BeamGuess:
    """The PSF and the beam of an image.

    Parameters
    ----------
    image : ImageWords
        Its words, band and pixel.
    unit : str or None
        Its unit, where that is known: a solid angle is asked for only where the unit is per beam.
    told_fwhm, told_area : float, optional
        What a person says: FWHM in arcsec, solid angle in arcsec2.
    """
    notes: list[str] = []
    questions: list[Question] = []
    axes: list[tuple[Word, float]] = []
    try:
        axes = [] if told_fwhm is not None else _axes(image, notes)
        _check(image, axes)
    except Asked as asked:
        return BeamGuess(_custom_width(image), None, (asked.question,), tuple(notes))
    own = float(np.sqrt(axes[0][1] * axes[-1][1])) if axes else None
    fwhm = told_fwhm if told_fwhm is not None else own if own is not None else _custom_width(image)
    if told_fwhm is not None and told_fwhm < _NARROWEST * image.pixel_arcsec:
        questions.append(
            image.asks(
                PSF,
                f"How wide is its PSF? {told_fwhm:g} arcsec is less than a tenth of its pixel, "
                f"{image.pixel_arcsec:.3g} arcsec.",
            ).question
        )
    parsed = parse_unit(unit) if unit is not None else None
    beam = None
    if parsed is not None and parsed.per == "beam":
        try:
            beam = _area(image, own, fwhm, told_area)
        except Asked as asked:
            questions.append(asked.question)
    return BeamGuess(fwhm, beam, tuple(questions), tuple(notes))


def _custom_width(image: ImageWords) -> float:
    """The band's FWHM in arcsec, or 0."""
    band = image.band
    if band is None:
        return 0.0
    wider = CAMERAS[band.survey].wider_psf
    times = max((by for key, by in wider.items() if key in image.words), default=1.0)
    return round(band.fwhm * times, 2)


def _axes(image: ImageWords, notes: list[str]) -> list[tuple[Word, float]]:
    """BMAJ, and BMIN where it is given, in arcsec; what is no number is told."""
    found = []
    for key in ("BMAJ", "BMIN"):
        words = image.words.of((key,))
        numbers = [word.number for word in words if word.number]
        if numbers and max(numbers) > 1.01 * min(numbers):
            told = "; ".join(map(str, words))
            answers = tuple(f"{3600 * number:.5g}" for number in numbers)
            raise image.asks(
                PSF, f"How wide is its PSF in arcsec? The headers differ: {told}.", answers
            )
        for word in words[:1]:
            number = word.number
            if number is None or number <= 0:
                notes.append(f"{word} is no width of a beam, and is not used")
            else:
                # Degrees, unless the card says otherwise.
                arcsec = bool(re.search(r"arc ?sec|\"", word.comment, re.IGNORECASE))
                found.append((word, number * (1 if arcsec else 3600)))
    return found if found and found[0][0].key == "BMAJ" else []


def _check(image: ImageWords, axes: list[tuple[Word, float]]) -> None:
    """Raise `Asked` where a beam cannot be."""
    for word, arcsec in axes:
        number = word.number or 0.0
        usual = image.band.fwhm if image.band is not None else arcsec
        odd = arcsec > max(_SMOOTHED * usual, _BROAD)
        if _NARROWEST * image.pixel_arcsec <= arcsec <= _WIDEST and not odd:
            continue
        sensible = _NARROWEST * image.pixel_arcsec <= number <= _WIDEST
        likely = (f"{number:g}",) if sensible else ()
        raise image.asks(
            PSF,
            f"How wide is its PSF in arcsec? The header says {word}, in degrees {arcsec:.4g} "
            "arcsec, which is no beam of this image"
            + (f"; is it {number:g} arcsec?" if likely else "."),
            likely,
        )


def _area(
    image: ImageWords, own: float | None, fwhm: float, told: float | None
) -> tuple[float, str]:
    """The beam's solid angle in arcsec2, and where it is from."""
    if told is not None:
        return told, "told"
    custom = image.band.beam_arcsec2 if image.band is not None else None
    if own is None:
        if custom is not None and image.band is not None:
            return custom, f"{image.band.name}'s beam"
        return _GAUSSIAN * fwhm**2, f"a Gaussian of FWHM {fwhm:g} arcsec"
    area = _GAUSSIAN * own**2
    # A wider beam is that of a map that was smoothed, and the header's own; one as wide as the
    # band's is the same beam, whose wings the header's Gaussian leaves out.
    if custom is not None and image.band is not None:
        same_width = abs(own / image.band.fwhm - 1) < _SAME_WIDTH
        if same_width and abs(area / custom - 1) > _SAME_AREA:
            raise image.asks(
                BEAM,
                "Which solid angle has its beam in arcsec2? The header's BMAJ, a Gaussian of "
                f"{own:.4g} arcsec, says {area:.4g}; {image.band.name}'s beam with its wings has "
                f"{custom:g}.",
                (f"{custom:g}", f"{area:.4g}"),
            )
    return area, "BMAJ, BMIN"
