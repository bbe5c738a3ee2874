"""What is said of an image, by its headers, its name and its survey's custom, and whether it
agrees: settled with its reason, or asked with every statement quoted.

The keywords that say something stand in one table, `KEYWORDS`, by what they speak of; their order
decides nothing. Pairs of words of one file that may differ stand in `ALLOWED`, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..bands.registry import Band
from ..data.question import Question
from .header_words import Words

CAMERA, FILTER, WAVELENGTH, UNITS, SYSTEM, ZERO, TIME, GAIN, BINNING, SCALE, BEAM = (
    "camera",
    "filter",
    "wavelength",
    "unit",
    "system of magnitudes",
    "zero point",
    "exposure time",
    "gain",
    "binning",
    "scale of fluxes",
    "beam",
)

KEYWORDS: dict[str, tuple[str, ...]] = {
    CAMERA: (
        "INSTRUME", "INSTRMNT", "TELESCOP", "ORIGIN", "SURVEY", "DATASET", "OBSERVAT", "MISSION",
        "FPA.INSTRUMENT", "FPA.TELESCOPE", "PROJECT", "CAMERA", "DETECTOR", "CHANNEL",
    ),
    FILTER: (
        "FILTER", "BAND", "CHANNEL", "CHNLNUM", "DETECTOR", "FILTERS", "FILTNAM", "FILTNAM1",
        "FILTER1", "FILTER2", "FILTER3", "APERTURE", "FPA.FILTER", "FPA.FILTERID", "PHOTBAND",
        "PUPIL", "SURVEY", "ESO INS FILT1 NAME", "INSFLNAM", "BANDPASS",
    ),
    WAVELENGTH: ("WAVELNTH", "WVLNGTH", "WAVELEN", "WAVELENG", "WAVE", "LAMBDA", "PHOTPLAM"),
    UNITS: ("BUNIT", "SIGUNIT", "ZUNITS", "DATAUNIT", "FLUXUNIT", "UNITS", "UNIT", "QTTY____"),
    SYSTEM: (
        "MAGSYS", "PHOTSYS", "ZPSYS", "MAGTYPE", "MAG_SYS", "PHOTSYST", "PHOT_SYS", "ZP_SYS",
        "ZPSYSTEM", "MAGSYSTEM", "ZPTYPE", "PHOTREF",
    ),
    ZERO: (
        "MAGZP", "MAGZPT", "MAGZERO", "MAGZPOINT", "MAGZEROP", "MAGZPNT", "MAGZERPT", "MAGZ",
        "MAG_ZERO", "MAG_ZP", "MAG_ZPT", "MAG0", "ZEROPNT", "ZEROPOINT", "ZEROPT", "ZEROP",
        "ZPOINT", "PHOTZP", "PHOT_ZP", "ZP", "ZP0", "ZPT", "ZPMAG", "ZPTMAG", "ZP_MAG", "ZMAG",
        "FPA.ZP", "ABMAGZP", "ABMAGZPT", "ABZP", "AB_ZP", "ZP_AB", "ZPAB", "MAGZPAB", "IMAGEZPT",
        "PHOT_C", "FLUXMAG0", "PHOTFLAM", "PHOTFNU", "PHOTMJSR",
    ),
    TIME: (
        "EXPTIME", "EXPOSURE", "TEXPTIME", "EXP_TIME", "TOTEXPT", "XPOSURE", "ITIME", "INTTIME",
        "TOTTIME", "TEXP",
    ),
    GAIN: ("GAIN", "EGAIN", "CCDGAIN", "CELL.GAIN"),
    BINNING: ("COLBIN", "CCDBIN1", "XBINNING", "CCDXBIN", "BINX"),
    SCALE: ("FLXSCALE",),
    BEAM: ("BMAJ", "BMIN"),
}  # fmt: skip
"""The keywords that speak of something, by what they speak of."""

ZERO_KEYS_OF_AB = (
    "ABMAGZP", "ABMAGZPT", "ABZP", "AB_ZP", "ZP_AB", "ZPAB", "MAGZPAB", "FLUXMAG0",
)  # fmt: skip
"""Zero points whose keyword says that they are AB."""
ZERO_KEYS_PER_SECOND = ("PHOTFLAM", "PHOTFNU", "FPA.ZP")
"""Zero points that their definition gives for one count per second (HST's Data Handbooks; the
Pan-STARRS Image Processing Pipeline: flux / EXPTIME at 25 mag)."""
ZERO_KEYS_OF_FLUX = ("PHOTFLAM", "PHOTFNU", "PHOTMJSR")
"""Zero points that are flux densities."""

ALLOWED: dict[tuple[str, str], str] = {
    ("BUNIT", "QTTY____"): (
        "QTTY____ is what HIPE wrote into the first product; who converts it sets FITS's own BUNIT"
    ),
    ("BUNIT", "MAGSYS"): (
        "nanomaggy gives the size of the unit, MAGSYS or the zero point's comment the system"
    ),
}
"""Pairs of words that may differ in one file: the first tells the unit's size, or wins."""


@dataclass(frozen=True)
class Statement:
    """Something said of an image: its value, and who says it in words."""

    value: object
    source: str


def agreed(statements: Sequence[Statement]) -> tuple[object | None, str]:
    """The value on which all statements agree and who says so; None and all of them quoted, where
    they do not.
    """
    values = {statement.value for statement in statements}
    sources = list(dict.fromkeys(statement.source for statement in statements))
    if len(values) == 1:
        return values.pop(), " and ".join(sources)
    return None, "; ".join(
        dict.fromkeys(f"{statement.source} says {statement.value}" for statement in statements)
    )


@dataclass(frozen=True)
class ImageWords:
    """An image, for those who ask about it.

    Attributes
    ----------
    words : Words
        Of its headers.
    filename, label : str
        Name of the file, and what to call the image.
    band : Band or None
        Its band, where that is known.
    pixel_arcsec : float
        Side of its pixels.
    """

    words: Words
    filename: str
    label: str
    band: Band | None
    pixel_arcsec: float

    def asks(self, about: str, text: str, answers: tuple[str, ...] = ()) -> Asked:
        """A question about it, to be raised."""
        survey = self.band.survey if self.band is not None else ""
        return Asked(Question(self.label, about, text, answers, survey))


class Asked(Exception):
    """A question that stops the reading of one quantity; it never leaves this room.

    ``of_exposure`` is whether the image's exposure in seconds would answer it.
    """

    def __init__(self, question: Question, of_exposure: bool = False):
        super().__init__(str(question))
        self.question = question
        self.of_exposure = of_exposure


def sentence(text: str) -> str:
    """Words as a sentence."""
    return text[:1].upper() + text[1:] + "."
