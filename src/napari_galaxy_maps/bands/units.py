"""Any unit an image may have: how it is spelled, and the factor from it to MJy/sr."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ..constants import SPEED_OF_LIGHT_MICRON_S, SR_PER_ARCSEC2, ZERO_AB_JY
from ..exceptions import UnresolvedError
from .registry import Band

if TYPE_CHECKING:
    from astropy.units import UnitBase

KNOWN_UNITS = (
    "MJy/sr",
    "Jy/sr",
    "Jy/pix",
    "mJy/pix",
    "uJy/pix",
    "nJy/pix",
    "Jy/arcsec2",
    "Jy/beam",
    "mJy/beam",
    "nanomaggy",
    "nanomaggy/arcsec2",
    "DN",
    "counts/s",
    "mag/arcsec2",
)
"""The units offered to a person; whatever `parse_unit` reads works too."""

FLUX, PER_WAVELENGTH, COUNTS, RATE, MAGGIES, MAGNITUDES = (
    "flux",
    "flux per wavelength",
    "counts",
    "counts per second",
    "maggies",
    "magnitudes",
)
NEEDS_ZERO_POINT = (COUNTS, RATE, MAGGIES, MAGNITUDES)
NO_UNIT = "which is no unit of flux"
"""Why a text is no unit, where nothing better can be said of it."""
OLD_PIXEL = "oldpix"
"""In a unit, a pixel of the survey's own images, from which this one was interpolated."""

_SCALES = (1e-45, 1e12)
"""Least and largest size of a unit that makes sense, in SI."""


# What words of a unit mean, whatever their case; the others are left to astropy.
_WORDS = {
    **dict.fromkeys(("jy", "jansky", "janskys", "janskies"), "Jy"),
    **dict.fromkeys(("ujy", "ujansky", "microjy", "microjansky", "µjy", "μjy"), "uJy"),
    **dict.fromkeys(("njy", "nanojy", "nanojansky", "njansky"), "nJy"),
    **dict.fromkeys(("millijy", "millijansky"), "mJy"),
    **dict.fromkeys(("megajy", "megajansky"), "MJy"),
    "kjy": "kJy",
    **dict.fromkeys(("sr", "str", "ster", "sterad", "steradian", "steradians"), "sr"),
    **dict.fromkeys(("pix", "pixel", "pixels", "px", "pxl"), "pix"),
    **dict.fromkeys(("beam", "beams", "bm"), "beam"),
    **dict.fromkeys(("arcsec", "arcsecs", "arcsecond", "arcseconds", "asec"), "arcsec"),
    **dict.fromkeys(("dn", "dns"), "DN"),
    **dict.fromkeys(("adu", "adus"), "adu"),
    **dict.fromkeys(("count", "counts", "ct", "cts", "cnt", "cnts"), "ct"),
    "cps": "ct s-1",
    **dict.fromkeys(("e", "electron", "electrons"), "electron"),
    **dict.fromkeys(("photon", "photons", "ph", "photoelectrons"), "ph"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("erg", "ergs"), "erg"),
    **dict.fromkeys(("hz", "hertz"), "Hz"),
    **dict.fromkeys(("cm",), "cm"),
    **dict.fromkeys(("um", "micron", "microns", "micrometer"), "um"),
    **dict.fromkeys(("a", "aa", "ang", "angstrom", "angstroms"), "Angstrom"),
    **dict.fromkeys(("nanomaggy", "nanomaggies", "nanomaggie"), "nmgy"),
    **dict.fromkeys(("nmgy", "nmaggy", "nmaggies"), "nmgy"),
    **dict.fromkeys(("maggy", "maggies", "mgy"), "mgy"),
    "per": "/",
}  # fmt: skip
_UNIT_WORDS = {"km", "m", "mm", "ghz", "mhz", "khz", "k", "sq", "square", "exp", "exposure", "w"}
"""Words of units beside those of `_WORDS`, which no comment is cut at."""
_PREFIXES = {"micro": "u", "nano": "n", "milli": "m", "mega": "M", "kilo": "k", "mu": "u"}
_MAGNITUDES = re.compile(
    r"(ab|vega)?\s*mags?(?:nitudes?)?\s*(?:\(\s*(ab|vega)?\s*\))?\s*"
    r"(?:(?:/|per)\s*|(?=arcsec\S*-2))arcsec(?:ond)?s?\s*\(?(?:\^|\*\*)?\(?-?2\)?"
    r"|mag\(\s*(ab|vega)?\s*/\s*arcsec2\s*\)",
    re.IGNORECASE,
)
_VELOCITY = re.compile(r"\bkm\b", re.IGNORECASE)
_OLD_PIXEL = re.compile(r"\s*/\s*old[ _-]?pix(?:el)?s?\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Unit:
    """A unit of pixel values.

    Attributes
    ----------
    kind : str
        `FLUX`, `PER_WAVELENGTH`, `COUNTS`, `RATE`, `MAGGIES` or `MAGNITUDES`.
    scale : float
        Its size in Jy, W/m2/um, counts, counts per second or maggies.
    per : str
        ``"pix"``, ``"oldpix"``, ``"beam"``, ``"arcsec2"`` or ``"sr"``.
    said : bool
        Whether `per` was written; otherwise it is the pixel.
    system : str
        ``"AB"`` or ``"Vega"`` where the unit says it, else empty.
    """

    kind: str
    scale: float
    per: str
    said: bool = True
    system: str = ""

    def __str__(self) -> str:
        if self.kind == MAGNITUDES:
            return "mag/arcsec2"
        name, scale = self._name()
        per = self.per if self.kind in (FLUX, PER_WAVELENGTH) or self.said else ""
        text = f"{name}/{per}" if per else name
        return text if np.isclose(scale, 1, rtol=1e-9, atol=0) else f"{scale:.10g} {text}"

    def _name(self) -> tuple[str, float]:
        """What it is called, and how many of that it is."""
        if self.kind == FLUX:
            for prefix, size in (("", 1.0), ("m", 1e-3), ("u", 1e-6), ("n", 1e-9), ("M", 1e6)):
                if np.isclose(self.scale, size, rtol=1e-9, atol=0):
                    return f"{prefix}Jy", 1.0
            size, prefix = next(
                (
                    pair
                    for pair in ((1e6, "M"), (1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"))
                    if pair[0] <= self.scale < 1e3 * pair[0]
                ),
                (1.0, ""),
            )
            return f"{prefix}Jy", self.scale / size
        if self.kind == PER_WAVELENGTH:
            return "erg/s/cm2/A", self.scale / 10  # 1 erg/s/cm2/A = 10 W/m2/um
        if self.kind == MAGGIES:
            return ("maggy", 1.0) if self.scale == 1 else ("nanomaggy", self.scale / 1e-9)
        return ("DN" if self.kind == COUNTS else "counts/s"), self.scale


@dataclass(frozen=True)
class ZeroPoint:
    """What one unit of an image stands for.

    Attributes
    ----------
    jy : float
        Flux density of one count, count per second or maggy, in Jy.
    words : str
        How it is known, e.g. ``"666.7 Jy x 10^(-0.4 x 19.98) (MAGZP, Vega)"``.
    magnitude : float or None
        Of one count, where it was given so; 22.5 of a nanomaggy.
    """

    jy: float
    words: str
    magnitude: float | None = None


def clean_value(value: object) -> str:
    """A header value as text, without the comment that some archives write inside the value: words
    behind a slash, which a unit's denominator is not.
    """
    text = str(value).strip()
    found = re.fullmatch(r"(.*?)(?:\s{2,}/\s*|\s/\s+(?=\S+\s))(\S.*)", text, re.DOTALL)
    number = re.match(r"([+-]?[\d.]+(?:[eEdD][+-]?\d+)?)\s+/\s*\S", text)
    return found[1].strip() if found else number[1] if number else text


def parse_unit(text: str) -> Unit | None:
    """What a unit means, or None where it is not understood; `why_not` says why.

    Understood are flux densities per frequency or wavelength, counts, count rates and maggies, per
    pixel, beam or solid angle, and magnitudes per square arcsec; in any case, with or without
    blanks, and with words behind them that are no unit.
    """
    text = str(text).strip(" ='\"`")
    if re.fullmatch(r"\[[^\[\]]*\]|\([^()]*\)", text):
        text = text[1:-1].strip()
    found = _parsed(text)
    words = text.split()
    for n in range(len(words) - 1, 0, -1):
        denominator = words[n - 1].endswith("/") and n == len(words) - 1
        if found is not None or denominator or _is_of_a_unit(words[n]):
            break
        found = _parsed(" ".join(words[:n]).rstrip(" /,;.(["))
    return found


def _is_of_a_unit(word: str) -> bool:
    """Whether a word behind a text may be a part of its unit, and not of a comment."""
    if re.search(r"\d", word) and not word.startswith("("):
        return True
    if word == "/":
        return False
    if word[:1] in "/*^.":
        return True
    core = word.strip("()[],;:.").lower()
    if core in _WORDS or core in _UNIT_WORDS:
        return True
    parts = [part for part in re.split(r"[^a-zµμ]+", core) if part]
    return any(part in _WORDS or part in _UNIT_WORDS for part in parts) and "/" in word


def canonical_unit(text: str) -> str | None:
    """The unit `text` in the spelling used here (``"Jy/pix"``), or None where it is not
    understood.
    """
    unit = parse_unit(text)
    return None if unit is None else str(unit)


@lru_cache(maxsize=500)
def _parsed(text: str) -> Unit | None:
    if not text or len(text) > 200:
        return None
    magnitudes = _MAGNITUDES.fullmatch(_squares(text))
    if magnitudes:
        system = next(filter(None, magnitudes.groups()), "")
        return Unit(
            MAGNITUDES, 1.0, "arcsec2", system={"ab": "AB", "vega": "Vega"}.get(system.lower(), "")
        )
    old = _OLD_PIXEL.search(text)
    if old:
        unit = _parsed(text[: old.start()])
        return replace(unit, per=OLD_PIXEL, said=True) if unit and not unit.said else None
    if _megas(text) or _VELOCITY.search(text):
        return None
    import astropy.units as u

    tidy = _tidy(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", u.UnitsWarning)
            unit = u.Unit(tidy)
            size = float(np.real(unit.decompose().scale))
    except (ValueError, TypeError, AttributeError, OverflowError, ZeroDivisionError):
        return None
    return _classified(unit, "arcsec" in tidy) if _SCALES[0] < size < _SCALES[1] else None


def _squares(text: str) -> str:
    return re.sub(r"sq(?:uare)?[. ]*arc(?:sec(?:ond)?)?s?", "arcsec2", text, flags=re.IGNORECASE)


def _tidy(text: str) -> str:
    """A unit as astropy spells it."""
    text = re.sub(r"\be-(?![0-9])", "electron", _squares(text), flags=re.IGNORECASE)
    text = re.sub(r"[\\\\{}$]", "", text).rstrip(" .")
    text = re.sub(
        r"\b(micro|nano|milli|mega|kilo|mu)[ -]?(?=jy|jansky)",
        lambda prefix: _PREFIXES[prefix[1].lower()],
        text,
        flags=re.IGNORECASE,
    )
    text = re.sub(r"\s*/\s*exp(osure)?\b", "", text, flags=re.IGNORECASE)  # counts in an exposure
    text = re.sub(r"\b10\s*(?:\^|\*\*)\s*\(?([+-]?\d+)\)?", r"1e\1", text)
    text = re.sub(
        r"(?<![0-9.A-Za-zµμ])[A-Za-zµμ]+",
        lambda word: _WORDS.get(word[0].lower(), _jansky(word[0])),
        text,
    )
    return re.sub(r"(?<=[a-zA-Z0-9)])\s*/\s*/\s*", "/", text)


def _jansky(word: str) -> str:
    """MJy and mJy, which differ by their case alone."""
    if word.lower() in ("mjy", "mjansky", "mjanskys"):
        return "MJy" if word[0] == "M" else "mJy"
    return "W" if word == "w" else word


def _megas(text: str) -> tuple[str, ...]:
    """The units that a text may mean where the case of its M is not to be trusted."""
    if text.strip() == "MJy":  # a pixel of a million jansky
        return ("MJy/sr", "mJy/pix")
    word = re.search(r"\bmjy\b", text, re.IGNORECASE)
    if word is None or word[0] in ("MJy", "mJy"):
        return ()
    solid = bool(re.search(r"\bst?e?r", text[word.end() :], re.IGNORECASE))
    if (word[0] in ("MJY", "Mjy") and solid) or (word[0] == "mjy" and not solid):
        return ()
    return tuple(
        str(unit)
        for unit in (
            _parsed(re.sub(r"\bmjy\b", m, text, flags=re.IGNORECASE)) for m in ("MJy", "mJy")
        )
        if unit is not None
    )


def _classified(unit: UnitBase, arcsec: bool) -> Unit | None:
    import astropy.units as u

    kinds = (
        (FLUX, u.Jy),
        (PER_WAVELENGTH, u.W / u.m**2 / u.um),
        *((COUNTS, count) for count in (u.ct, u.DN, u.adu, u.electron, u.ph)),
        *((RATE, count / u.s) for count in (u.ct, u.DN, u.adu, u.electron, u.ph)),
        (MAGGIES, u.mgy),
    )
    area = ("arcsec2", u.arcsec**2) if arcsec else ("sr", u.sr)
    for per, size in (("", u.dimensionless_unscaled), ("pix", u.pix), ("beam", u.beam), area):
        for kind, one in kinds:
            if (unit * size).is_equivalent(one):
                scale = float((unit * size).to(one))
                return Unit(kind, scale, per or "pix", said=bool(per))
    return None


def is_per_pixel(unit: str) -> bool:
    """Whether a unit is of the light in a pixel of the image."""
    parsed = parse_unit(unit)
    return parsed is not None and parsed.per == "pix"


def why_not(text: str, band: Band | None = None) -> tuple[str, tuple[str, ...]]:
    """Why a text is not taken as a unit, in words, and what it may stand for."""
    either = _megas(text)
    if either:
        return f"which may mean {' or '.join(either)}", either
    if _VELOCITY.search(text):
        return "light of a line, summed over velocity", ()
    import astropy.units as u

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            unit = u.Unit(_tidy(text))
            if unit.is_equivalent(u.K):
                return (
                    "a temperature, which becomes a flux only with the frequency and the beam: "
                    "convert the image first",
                    (),
                )
            if unit.is_equivalent(u.W / u.m**2):
                return "light of the whole band, not per frequency", ()
            if unit.is_equivalent(u.W / u.m**2 / u.sr):
                likely: tuple[str, ...] = ()
                if band is not None:
                    # nu I_nu at the band's pivot wavelength
                    size = float(unit.to(u.W / u.m**2 / u.sr))
                    likely = (f"{size * 1e20 * band.pivot / SPEED_OF_LIGHT_MICRON_S:.4g} MJy/sr",)
                words = f"; as nu x I_nu, 1 of it is {likely[0]}" if likely else ""
                return f"light of the whole band, not per frequency{words}", likely
    except (ValueError, TypeError, AttributeError):
        pass
    if re.search(r"lupt|asinh", text, re.IGNORECASE):
        return "a scale of asinh magnitudes: convert the image to a linear one first", ()
    if re.search(r"mag", text, re.IGNORECASE):
        return "magnitudes, but not per square arcsec: convert the image first", ()
    return NO_UNIT, ()


def flux_of_wavelength(band: Band) -> float:
    """Jy of 1 W/m2/um at the pivot wavelength of a band."""
    return 1e26 * band.pivot**2 / SPEED_OF_LIGHT_MICRON_S


def surface_brightness_factor(
    unit: str,
    band: Band,
    pixel_sr: float,
    zero_point: ZeroPoint | None = None,
    beam: tuple[float, str] | None = None,
    old_pixel_arcsec: float | None = None,
    label: str = "the image",
) -> tuple[float, str]:
    """The factor from `unit` to MJy/sr, and where it is from in words.

    Parameters
    ----------
    unit : str
        Unit of the pixel values; values in magnitudes become maggies per square arcsec first.
    band : Band
        Band of the image.
    pixel_sr : float
        Solid angle of a pixel in sr.
    zero_point : ZeroPoint, optional
        Needed for counts and count rates; maggies are AB without it.
    beam : (float, str), optional
        Solid angle of the beam in arcsec2 and where it is from, needed for units per beam.
    old_pixel_arcsec : float, optional
        Side of a pixel of the survey's own images in arcsec, needed for units per old pixel.
    label : str
        What to call the image in errors.

    Returns
    -------
    factor : float
        MJy/sr per unit.
    note : str
        E.g. ``"DN x 666.7 Jy x 10^(-0.4 x 19.98) (MAGZP, Vega)"``.

    Raises
    ------
    UnresolvedError
        When the unit is not understood, or the zero point or the beam that it needs is not known.
    """
    parsed = parse_unit(unit)
    if parsed is None:
        raise UnresolvedError(
            f"{label}: the unit {unit!r} is not a surface brightness, a flux per pixel or counts; "
            f"give another one ({', '.join(KNOWN_UNITS)})."
        )
    name = str(parsed)
    if parsed.kind in NEEDS_ZERO_POINT:
        if zero_point is None and parsed.kind in (COUNTS, RATE):
            raise UnresolvedError(
                f"{label}: its {name} cannot become a flux without a zero point; give the "
                "magnitude of one count."
            )
        zero = zero_point or ZeroPoint(ZERO_AB_JY, f"{ZERO_AB_JY:.4g} Jy (AB)")
        jy, note = parsed.scale * zero.jy, f"{name} x {zero.words}"
    elif parsed.kind == PER_WAVELENGTH:
        jy = parsed.scale * flux_of_wavelength(band)
        note = f"{name} at {band.pivot:g} micron"
    else:
        jy, note = parsed.scale, name
    area, of_what = _area(parsed, pixel_sr, beam, old_pixel_arcsec, label)
    return jy * 1e-6 / area, note + of_what


def _area(
    unit: Unit,
    pixel_sr: float,
    beam: tuple[float, str] | None,
    old_pixel_arcsec: float | None,
    label: str,
) -> tuple[float, str]:
    """The solid angle in sr over which the light of a unit is spread, and what it is of."""
    if unit.per == "sr":
        return 1.0, ""
    if unit.per == "arcsec2":
        return SR_PER_ARCSEC2, ""
    if unit.per == "beam":
        if beam is None:
            raise UnresolvedError(
                f"{label}: {unit} needs the beam's size (BMAJ and BMIN in degrees) in the header."
            )
        return beam[0] * SR_PER_ARCSEC2, f" over a beam of {beam[0]:.1f} arcsec2 ({beam[1]})"
    if unit.per == OLD_PIXEL:
        if old_pixel_arcsec is None:
            raise UnresolvedError(
                f"{label}: the pixels of its survey's own images are not known; give the unit per "
                "solid angle."
            )
        return (
            old_pixel_arcsec**2 * SR_PER_ARCSEC2,
            f" over an old pixel of {old_pixel_arcsec:g} arcsec",
        )
    return pixel_sr, " over the pixel's solid angle" if unit.kind in (FLUX, PER_WAVELENGTH) else ""
