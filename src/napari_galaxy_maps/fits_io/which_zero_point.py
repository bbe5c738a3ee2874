"""What one count, count per second or maggy of an image stands for: its zero points, the time they
are for and their system of magnitudes, agreed or asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ..bands.cameras import CAMERAS, custom_zero_point
from ..bands.registry import Band
from ..bands.units import (
    COUNTS,
    FLUX,
    MAGGIES,
    MAGNITUDES,
    RATE,
    Unit,
    ZeroPoint,
    flux_of_wavelength,
)
from ..constants import SR_PER_ARCSEC2, ZERO_AB_JY
from ..data.question import UNIT, ZERO_POINT
from ..data.zero_points import ZERO_POINTS, GivenZeroPoint
from .evidence import (
    GAIN,
    KEYWORDS,
    SCALE,
    SYSTEM,
    TIME,
    UNITS,
    ZERO,
    ZERO_KEYS_OF_AB,
    ZERO_KEYS_OF_FLUX,
    ZERO_KEYS_PER_SECOND,
    Asked,
    ImageWords,
    Statement,
    agreed,
    sentence,
)
from .header_words import Word, Words

_SAME = 0.02
"""How near two zero points in magnitudes are that are one."""
_PER_SECOND = re.compile(
    r"/\s*s(ec(ond)?)?\b|per\s+sec|(?<![\d.])1[ -]?s(ec(ond)?)?\b|\bs\^?-1|\bcps\b"
    r"|/\s*(t|texp|exptime)\b|to\s+exptime\s*=\s*1\b",
    re.IGNORECASE,
)
_PER_IMAGE = re.compile(
    r"log(10)?\s*\(\s*(data|dn|adu|counts?|flux|pix\w*|image|value|i|s)\s*\)|per (image|exposure)"
    r"|(whole|total) exposure",
    re.IGNORECASE,
)
_SYSTEMS = {
    "AB": re.compile(r"(?<![a-z])(m|mag)?_?ab(_?mags?|_?nu|95)?(?![a-z])", re.IGNORECASE),
    "Vega": re.compile(r"(?<![a-z])vega", re.IGNORECASE),
    "ST": re.compile(r"\bST(mag|MAG)?\b"),
}
_SYSTEM_ONLY = ("MAGSYS", "MAG_SYS", "ZPSYS", "ZP_SYS", "ZPSYSTEM", "MAGSYSTEM", "MAGTYPE")
"""Keywords that speak of nothing but the system: what is not understood there is asked about."""
_NOTHING = ("", "none", "n/a", "na", "nan", "null", "unknown", "undefined", "-")
_NO_TIME = "no header tells the exposure time"
_ELECTRONS = re.compile(r"\be-|\belectron|\be(?=\s*/)", re.IGNORECASE)
_ADU = re.compile(r"\b(adu|dn)\b", re.IGNORECASE)


@dataclass(frozen=True)
class _Zero:
    """One zero point of a header: Jy of one count without its system's zero flux, or wholly."""

    word: Word
    magnitude: float | None
    jy: float | None
    per: str
    note: str = ""
    gain: float = 1.0


def zero_point_of(
    image: ImageWords, unit: Unit, given: GivenZeroPoint | None
) -> tuple[ZeroPoint, tuple[str, ...]]:
    """What one count, count per second or maggy stands for, and what has to be told of it.

    Raises
    ------
    Asked
        Where its words do not settle it.
    """
    assert image.band is not None
    band = image.band
    if unit.kind in (MAGGIES, MAGNITUDES):
        system = _system(image, unit, given)
        zero_jy = _zero_jy(image, unit, system)
        return ZeroPoint(zero_jy, f"{zero_jy:.4g} Jy ({system})", 22.5), ()
    if given is not None and given.magnitude is not None:
        word = Word("told", f"{given.magnitude:g}")
        zeros = [_Zero(word, given.magnitude, None, given.per or "image")]
    else:
        zeros = _zeros(image, band)
    if not zeros and unit.kind == RATE and band.count_rate_jy:
        words = f"{band.count_rate_jy:.4g} Jy ({band.survey} zero point)"
        return ZeroPoint(band.count_rate_jy, words), ()
    if not zeros:
        offered: tuple[str, ...] = ()
        if band.count_rate_jy:
            magnitude = -2.5 * float(np.log10(band.count_rate_jy / ZERO_AB_JY))
            offered = (f"{magnitude:.4g} AB per second",)
        asked = image.asks(
            ZERO_POINT,
            f"Which magnitude has one of its {unit}? No header tells, and without it counts are no "
            "flux.",
            offered,
        )
        raise Asked(asked.question, of_exposure=bool(offered) and unit.kind == COUNTS)
    for zero in zeros:
        told = given is not None and given.magnitude is not None
        if not told and zero.magnitude is not None and not _makes_sense(zero.magnitude):
            raise image.asks(
                ZERO_POINT,
                f"Which magnitude has one of its {unit}? The header says {zero.word}, which is "
                "hardly one of a count.",
                (f"{zero.magnitude:g} per image",) if zero.magnitude == 0 else (),
            )
    system = _system(image, unit, given)
    zero_jy = _zero_jy(image, unit, system)
    per = given.per if given is not None else ""
    return _settled(image, unit, zeros, per, system, zero_jy)


def _makes_sense(magnitude: float) -> bool:
    return ZERO_POINTS[0] < magnitude < ZERO_POINTS[1]


def check_size(image: ImageWords, unit: Unit) -> None:
    """Raise `Asked` where a zero point tells another size of a unit than its name does."""
    if unit.kind not in (MAGGIES, FLUX) or unit.per != "pix" or image.band is None:
        return
    own = -2.5 * float(np.log10(unit.scale / (ZERO_AB_JY if unit.kind == FLUX else 1)))
    for word in image.words.of(KEYWORDS[ZERO]):
        magnitude = word.number if word.key not in (*ZERO_KEYS_OF_FLUX, "FLUXMAG0") else None
        if magnitude is None or not _makes_sense(magnitude) or abs(magnitude - own) <= _SAME:
            continue
        answer = str(unit) if str(unit).endswith("/pix") else f"{unit}/pix"
        raise image.asks(
            UNIT,
            f"Is its unit {unit}, of which one has {own:.4g} mag, or counts of {word}?",
            (answer, "DN/pix"),
        )


def _zero_jy(image: ImageWords, unit: Unit, system: str) -> float:
    """Flux density in Jy of a source of zero magnitude."""
    assert image.band is not None
    if system == "AB":
        return ZERO_AB_JY
    if system == "ST" or image.band.vega_jy is None:
        raise image.asks(
            ZERO_POINT,
            f"Which AB magnitude has one of its {unit}? Its zero point is on the {system} system, "
            f"in which the flux of {image.band} at 0 mag is not known here.",
        )
    return image.band.vega_jy


def _zeros(image: ImageWords, band: Band) -> list[_Zero]:
    """The zero points that the headers give."""
    words, found = image.words, []
    for word in words.of(KEYWORDS[ZERO]):
        value = word.number
        if value is None:
            _check_readable(image, word)
            continue
        if value <= 0 and word.key in (*ZERO_KEYS_OF_FLUX, "FLUXMAG0"):
            continue
        if word.key == "PHOTFLAM":
            pivot = words.number(("PHOTPLAM",))
            per_um = value * 10  # erg/s/cm2/A is 10 W/m2/um
            scale = flux_of_wavelength(band) * ((pivot / 1e4 / band.pivot) ** 2 if pivot else 1)
            found.append(_Zero(word, None, per_um * scale, "second"))
        elif word.key == "PHOTFNU":
            found.append(_Zero(word, None, value, "second"))
        elif word.key == "PHOTMJSR":
            jy = value * 1e6 * image.pixel_arcsec**2 * SR_PER_ARCSEC2
            found.append(_Zero(word, None, jy, "second"))
        elif word.key == "FLUXMAG0":
            found.append(_Zero(word, 2.5 * float(np.log10(value)), None, "image"))
        else:
            per, note = _per(word, words, band)
            found.append(_Zero(word, value, None, per, note, _gain(image, word)))
    return found


def _check_readable(image: ImageWords, word: Word) -> None:
    """Raise `Asked` where a zero point is given, but as no number."""
    if word.text.strip().lower() in _NOTHING:
        return
    found = re.match(r"\s*(\d+)(?:[.,](\d+))?(?!\d)", word.text)
    likely = f"{found[1]}.{found[2] or 0}" if found else ""
    raise image.asks(
        ZERO_POINT,
        f"Which magnitude has one of its counts? The header says {word}, which is no number.",
        (f"{float(likely):g} per image",) if likely else (),
    )


def _gain(image: ImageWords, zero: Word) -> float:
    """By what counts have to be multiplied that are of another kind than those of a zero point.

    Raises
    ------
    Asked
        Where the gain is not told.
    """
    electrons = bool(_ELECTRONS.search(zero.comment))
    adu = bool(_ADU.search(zero.comment))
    if electrons is adu:
        return 1.0
    for word in image.words.of(KEYWORDS[UNITS]):
        own_electrons, own_adu = _ELECTRONS.search(word.raw), _ADU.search(word.raw)
        if not (own_adu if electrons else own_electrons):
            continue
        gain = image.words.number(KEYWORDS[GAIN])
        if gain is None:
            raise image.asks(
                ZERO_POINT,
                f"Which magnitude has one of its counts? {zero}, {zero.comment!r}, is of "
                f"{'electrons' if electrons else 'ADU'}, {word} is not, and no header tells the "
                "gain.",
            )
        return gain if electrons else 1 / gain
    return 1.0


def _per(word: Word, words: Words, band: Band) -> tuple[str, str]:
    """Whether a zero point is for the image as it is or per second, as far as it is told."""
    custom = custom_zero_point(word.key, words)
    if custom:
        though = f", though the comment says {word.comment!r}" if word.comment else ""
        return custom, f"{word.key} is per {custom} in files of this make{though}"
    if word.key in ZERO_KEYS_PER_SECOND or _PER_SECOND.search(word.comment):
        return "second", ""
    if _PER_IMAGE.search(word.comment):
        return "image", ""
    camera = CAMERAS.get(band.survey)
    return (camera.zero_point_per.get(word.key, "") if camera else ""), ""


def _system(image: ImageWords, unit: Unit, given: GivenZeroPoint | None) -> str:
    """``"AB"`` or ``"Vega"``: as a person, the unit, the headers or the survey's custom says."""
    assert image.band is not None
    if given is not None and given.system:
        return given.system
    if unit.system:
        return unit.system
    said = _said_of_system(image)
    if said:
        value, reason = agreed(said)
        if value is None:
            question = f"Are its magnitudes AB or Vega? {sentence(reason)}"
            raise image.asks(ZERO_POINT, question, ("AB", "Vega"))
        return str(value)
    custom = image.band.system
    if custom == "Vega" and unit.kind == MAGGIES:
        raise image.asks(
            ZERO_POINT,
            f"Are its maggies AB, as the word means, or Vega, as {image.band.survey} counts? No "
            "header tells.",
            ("AB", "Vega"),
        )
    return custom


def _said_of_system(image: ImageWords) -> list[Statement]:
    """What the headers say of the system of magnitudes.

    Raises
    ------
    Asked
        Where a keyword speaks of it in words that are not understood.
    """
    words, said = image.words, []
    for word in words.of(KEYWORDS[SYSTEM]):
        found = _systems_in(word.text)
        said += [Statement(system, str(word)) for system in found]
        if not found and word.key in _SYSTEM_ONLY and word.text.lower() not in _NOTHING:
            question = f"Are its magnitudes AB or Vega? The header says {word}."
            raise image.asks(ZERO_POINT, question, ("AB", "Vega"))
    for word in words.of(KEYWORDS[ZERO]):
        if word.key in ZERO_KEYS_OF_AB:
            said.append(Statement("AB", str(word)))
        said += [
            Statement(s, f"the comment of {word.key}, {word.comment!r},")
            for s in _systems_in(word.comment)
        ]
    for line in words.remarks:
        if re.search(r"mag|zero|phot|system", line, re.IGNORECASE):
            said += [Statement(s, f"the line {line.strip()!r}") for s in _systems_in(line)]
    if not said:
        # The comment of BUNIT explains what a nanomaggy is: it speaks where no other word does.
        for word in words.of(KEYWORDS[UNITS]):
            said += [
                Statement(s, f"the comment of {word.key}, {word.comment!r},")
                for s in _systems_in(word.comment)
            ]
    return said


def _systems_in(text: str) -> list[str]:
    """The system that a text names, where it names one alone."""
    found = [name for name, pattern in _SYSTEMS.items() if pattern.search(text)]
    return found if len(found) == 1 else []


def _settled(
    image: ImageWords, unit: Unit, zeros: list[_Zero], told: str, system: str, zero_jy: float
) -> tuple[ZeroPoint, tuple[str, ...]]:
    """The zero point on which all that are given agree."""
    seconds, why = _seconds(image)
    timed = why != _NO_TIME
    found: list[ZeroPoint] = []
    for zero, per in _pers(zeros, unit, seconds, told):
        jy = zero.jy if zero.jy is not None else zero_jy * 10 ** (-0.4 * float(zero.magnitude or 0))
        jy *= zero.gain
        by_time = f" x {zero.gain:.4g} (gain)" if zero.gain != 1 else ""
        if unit.kind == COUNTS and per == "second":
            if seconds is None:
                asked = image.asks(
                    ZERO_POINT,
                    f"Which magnitude has one of its {unit}? {zero.word} is for one count per "
                    f"second, and {why}.",
                    _in_each_time(image, zero, system),
                )
                raise Asked(asked.question, of_exposure=len(zeros) == 1 and not timed)
            jy, by_time = jy / seconds, f"{by_time} / {seconds:g} s"
        elif unit.kind == COUNTS and not per and timed and (not seconds or abs(seconds - 1) > 0.01):
            value = f"{zero.magnitude:g}"
            of = f"of its {seconds:g} s? No header tells" if seconds else f"? There {why}"
            raise image.asks(
                ZERO_POINT,
                f"Is {zero.word} the magnitude of one {unit} of the image as it is, or of one per "
                f"second {of}.",
                (f"{value} per image", f"{value} per second")
                if seconds
                else (f"{value} per image", *_in_each_time(image, zero, system)),
            )
        words = (
            f"{zero.jy:.4g} Jy{by_time} ({zero.word.key})"
            if zero.magnitude is None
            else f"{zero_jy:.4g} Jy x 10^(-0.4 x {zero.magnitude:g}){by_time} "
            f"({zero.word.key}, {system})"
        )
        found.append(ZeroPoint(jy, words, zero.magnitude))
    magnitudes = [-2.5 * float(np.log10(zero.jy / zero_jy)) for zero in found]
    _check_scale(image, unit, zeros, magnitudes[0], system)
    if max(magnitudes) - min(magnitudes) > _SAME:
        quoted = "; ".join(
            f"{zero.word} says {magnitude:.4g}"
            for zero, magnitude in zip(zeros, magnitudes, strict=True)
        )
        raise image.asks(
            ZERO_POINT,
            f"Which magnitude has one of its {unit}? The headers differ: {quoted}.",
            tuple(f"{magnitude:.5g} {system} per image" for magnitude in magnitudes),
        )
    return found[0], tuple(zero.note for zero in zeros if zero.note)


def _pers(
    zeros: list[_Zero], unit: Unit, seconds: float | None, given: str
) -> list[tuple[_Zero, str]]:
    """What each zero point is for: what is told of it, what a person says, and what two of them
    tell together: one per image is brighter by the exposure time than one per second.
    """
    if unit.kind == RATE:
        return [(zero, "second") for zero in zeros]
    pers = [zero.per or given for zero in zeros]
    magnitudes = [zero.magnitude for zero in zeros]
    if seconds is not None and seconds > 1.05:
        longer = 2.5 * float(np.log10(seconds))
        for i, one in enumerate(magnitudes):
            for k, other in enumerate(magnitudes):
                if one is None or other is None:
                    continue
                if pers[i] == "second" or pers[k] == "image":
                    continue
                if abs(one - other - longer) < _SAME:
                    pers[i], pers[k] = "image", "second"
    return list(zip(zeros, pers, strict=True))


def _times(image: ImageWords) -> tuple[dict[float, Word], list[Word]]:
    """The exposure times in seconds that the headers tell, and the words that tell none."""
    found: dict[float, Word] = {}
    unread = []
    for word in image.words.of(KEYWORDS[TIME]):
        text = word.text.strip().lower()
        match = re.fullmatch(r"([\d.]+(?:e[+-]?\d+)?)\s*(s|secs?|seconds?|min|minutes?)?\.?", text)
        value = word.number if match is None else float(match[1]) if match[1] != "." else None
        if value is None:
            unread += [] if text in _NOTHING else [word]
            continue
        minutes = (match is not None and (match[2] or "").startswith("min")) or bool(
            re.search(r"\bmin(ute)?s?\b", word.comment, re.IGNORECASE)
        )
        if value > 0:
            found.setdefault(round(value * (60 if minutes else 1), 3), word)
    return found, unread


def _seconds(image: ImageWords) -> tuple[float | None, str]:
    """The exposure time, and why it is not known where it is not."""
    found, unread = _times(image)
    if unread:
        return None, f"the exposure time cannot be read ({unread[0]})"
    if not found:
        return None, _NO_TIME
    if max(found) / min(found) > 1.01:
        told = ", ".join(map(str, found.values()))
        return None, f"the headers tell several exposure times ({told})"
    return next(iter(found)), ""


def _in_each_time(image: ImageWords, zero: _Zero, system: str) -> tuple[str, ...]:
    """The zero point of the image as it is, for each of the times that are told."""
    if zero.magnitude is None:
        return ()
    return tuple(
        f"{zero.magnitude + 2.5 * float(np.log10(seconds)):.6g} {system} per image"
        for seconds in _times(image)[0]
    )


def _check_scale(
    image: ImageWords, unit: Unit, zeros: list[_Zero], magnitude: float, system: str
) -> None:
    """Raise `Asked` where values may have to be multiplied by SWarp's FLXSCALE first."""
    if all(zero.word.key == "told" for zero in zeros):
        return
    for word in image.words.of(KEYWORDS[SCALE]):
        scale = word.number
        if scale is not None and scale > 0 and abs(scale - 1) > 1e-3:
            scaled = magnitude - 2.5 * float(np.log10(scale))
            raise image.asks(
                ZERO_POINT,
                f"Which magnitude has one of its {unit}? {zeros[0].word} may be of the values "
                f"times {word}, as SCAMP and SWarp mean it, or of the values as they are.",
                (f"{scaled:.6g} {system} per image", f"{magnitude:.6g} {system} per image"),
            )
