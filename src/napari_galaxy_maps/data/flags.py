"""The bits of FLAGS: what each says of a pixel, in few words and at length; all else follows from
this list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag
from types import MappingProxyType

import numpy as np


class Flag(IntFlag):
    """Bits of an image FLAGS and of columns ``flags``: what is to be known of a pixel."""

    MASKED = 1
    OUTSIDE = 2
    OUT_OF_DISTRIBUTION = 4
    BAND_MISSING = 8
    FAINT = 16
    EDGE = 32
    NO_MODEL_FITS = 64
    FILLED = 128
    SUBTRACTED = 256
    STAND_IN = 512
    DUST_UNTOLD = 1024


_WORTH_SAYING, MOSTLY = 0.005, 0.5
"""Shares of a galaxy's pixels: to be told, and beyond which maps are hardly to be trusted."""


@dataclass(frozen=True)
class Meaning:
    """What a bit means.

    Attributes
    ----------
    words : str
        In a few words of ASCII, as headers, the status bar and the command line have them.
    where : str
        On which pixels it is set.
    advice : str
        What that means for who uses them.
    """

    words: str
    where: str
    advice: str


MEANINGS: dict[Flag, Meaning] = {
    Flag.MASKED: Meaning(
        "masked",
        "Under a mask of any band: a star, or what a person has drawn; of an aperture, some of its "
        "pixels have no value.",
        "Maps are blank there, or filled (128). Edit the mask where it hides the galaxy.",
    ),
    Flag.OUTSIDE: Meaning(
        "outside the ellipse",
        "Beyond the galaxy's ellipse.",
        "Blank, unless `grid.cut` is off. Enlarge the ellipse where the galaxy goes on.",
    ),
    Flag.OUT_OF_DISTRIBUTION: Meaning(
        "unlike anything the model was trained on",
        "Brightness or colours that the model's training set hardly has: of the pixel, or, of "
        "models of images, of the 16 x 16 pixels that it is one of.",
        "Do not trust the value, nor its error. Many such pixels point to a wrong unit, band, "
        "reddening or background.",
    ),
    Flag.BAND_MISSING: Meaning(
        "a band missing or imputed",
        "A band that is used was not measured there, or was filled in from a model spectrum.",
        "The value rests on the other bands; its error says so.",
    ),
    Flag.FAINT: Meaning(
        "normalising band under 3 sigma",
        "The band that all others are compared with (of models of images the deepest) is under "
        "three times its error.",
        "Average over larger areas before you read structure into such pixels.",
    ),
    Flag.EDGE: Meaning(
        "near the edge of an image",
        "Within a PSF of where a band ends or is blank; of an aperture, reaches off the image.",
        "PSFs could not be matched fully. Leave such pixels out where the last percent matters.",
    ),
    Flag.NO_MODEL_FITS: Meaning(
        "no model spectrum fits",
        "Of truth maps: the best model's reduced chi2 is over 10.",
        "The value is there, but do not trust it; the extension CHI2 says how bad the fit is.",
    ),
    Flag.FILLED: Meaning(
        "filled under a mask",
        "Masked, and what lies there was estimated from what surrounds it.",
        "Sums count it unless told otherwise; means, medians, profiles and scores do not.",
    ),
    Flag.SUBTRACTED: Meaning(
        "a star subtracted",
        "The light of a subtracted star was over the noise in any band.",
        "The error is larger for it. Mask the star instead where its remains show.",
    ),
    Flag.STAND_IN: Meaning(
        "another band stands in",
        "A band of another camera has a value there and stands in for one of the models' bands, "
        "or one of these for the normalising band, which was not given.",
        "As good as the others: the error of the colour term is in that of the band. It is much "
        "the same all over a galaxy, and does not average out.",
    ),
    Flag.DUST_UNTOLD: Meaning(
        "bands tell little of the dust",
        "Of attenuation and of images without dust: no ultraviolet band, or none of 7 micron and "
        "more, is over three times its error.",
        "Old or metal-rich stars are as red as young ones behind dust: the value leans on what is "
        "usual of the models. Its error says how much is open.",
    ),
}
"""The one list: a bit belongs here, and everything that names bits follows."""

HARMLESS = Flag.STAND_IN
"""Bits that make a pixel no worse than its neighbours: who leaves out flagged pixels keeps these.
"""

DOUBTS: dict[Flag, str] = {
    Flag.OUT_OF_DISTRIBUTION: "unlike the training",
    Flag.NO_MODEL_FITS: "unlike any model spectrum",
    Flag.FAINT: "faint",
}
"""Bits of pixels whose value is doubtful, and what a caption calls them."""

NONE_TOLD: Mapping[int, str] = MappingProxyType({})


def as_flags(numbers: np.ndarray) -> np.ndarray:
    """A copy as int16, which all bits of `Flag` fit; as int32 where there are higher ones."""
    return np.array(numbers, np.int16 if numbers.max(initial=0) < 2**15 else np.int32)


def bits_of(number: int) -> list[int]:
    """The single bits of a number, the lowest first."""
    return [1 << place for place in range(int(number).bit_length()) if number >> place & 1]


def bits_set(flags: np.ndarray) -> list[int]:
    """The bits that are set on any pixel, the lowest first."""
    return bits_of(int(np.bitwise_or.reduce(flags, axis=None)))


def words_of(bit: int, told: Mapping[int, str] = NONE_TOLD) -> str:
    """What a bit means, in a few words.

    Parameters
    ----------
    bit : int
    told : mapping of int to str, optional
        What a file says of bits that are not of `Flag`.
    """
    if bit in MEANINGS:
        return MEANINGS[Flag(bit)].words
    return f"unknown flag {bit}{f': {told[bit]}' if told.get(bit) else ''}"


def shares_of_doubt(flags: np.ndarray) -> dict[Flag, float]:
    """Which share of a galaxy's pixels is doubtful, by the bits of `DOUBTS` that are on any.

    Parameters
    ----------
    flags : ndarray of int, shape (ny, nx)
        Pixels under masks and outside the ellipse do not count; a bit that is on under masks alone,
        where filled pixels may show it, has a share of 0.
    """
    inside, masked = (flags & Flag.OUTSIDE) == 0, (flags & Flag.MASKED) != 0
    galaxy = inside & ~masked
    count = max(int(np.count_nonzero(galaxy)), 1)
    doubtful = {bit: ((flags & bit) != 0) & inside for bit in DOUBTS}
    return {
        bit: np.count_nonzero(pixels & galaxy) / count
        for bit, pixels in doubtful.items()
        if pixels.any()
    }


def doubt_in_words(flags: np.ndarray) -> str:
    """Which share of a galaxy's pixels is doubtful, in words; empty where each is under a half per
    cent.

    Parameters
    ----------
    flags : ndarray of int, shape (ny, nx)
        Pixels under masks and outside the ellipse do not count.
    """
    return shares_in_words(shares_of_doubt(flags))


def shares_in_words(
    shares: Mapping[Flag, float], strokes: Mapping[Flag, str] = MappingProxyType({})
) -> str:
    """What `doubt_in_words` says, of shares that are known.

    Parameters
    ----------
    shares : mapping of Flag to float
        What `shares_of_doubt` gives. Those under a half per cent are not worth a word.
    strokes : mapping of Flag to str, optional
        How the pixels are hatched. What is seen is told, however few they are.
    """
    found = []
    for bit, share in shares.items():
        if share >= _WORTH_SAYING or bit in strokes:
            number = f"{share:.0%}" if share >= _WORTH_SAYING else "<1%"
            found.append(" ".join(filter(None, (number, DOUBTS[bit], strokes.get(bit)))))
    return ", ".join(found)


def mostly_unlike(flags: np.ndarray, model: str) -> str:
    """A sentence on a galaxy of which most pixels are unlike anything that a model was trained on;
    empty where they are not.

    Parameters
    ----------
    flags : ndarray of int, shape (ny, nx)
        Pixels under masks and outside the ellipse do not count.
    model : str
        Its name.
    """
    return mostly_unlike_in_words(shares_of_doubt(flags).get(Flag.OUT_OF_DISTRIBUTION, 0.0), model)


def mostly_unlike_in_words(share: float, model: str) -> str:
    """`mostly_unlike` of the share of the galaxy's pixels."""
    if not share > MOSTLY:
        return ""
    return (
        f"{share:.0%} of the galaxy's pixels are unlike anything that {model} was trained on "
        "(flag 4): look at the units, bands, reddening and sky of the images before you trust maps"
    )


def column_description(flags: np.ndarray, told: Mapping[int, str] = NONE_TOLD) -> str:
    """What stands beside a table's column of flags: every bit of `Flag`, and what else is set."""
    bits = sorted({*map(int, MEANINGS), *bits_set(flags)})
    return "bits: " + "; ".join(f"{bit} {words_of(bit, told)}" for bit in bits)
