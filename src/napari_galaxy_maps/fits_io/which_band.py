"""Which band an image is in: what its headers and its name say, agreed or asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..bands.cameras import (
    CAMERAS,
    cameras_called,
    cameras_in_name,
    other_camera,
    other_camera_in_name,
)
from ..bands.registry import BANDS, Band, find_band
from .evidence import CAMERA, FILTER, KEYWORDS, WAVELENGTH, Statement, agreed
from .header_words import Word, Words

_NEAR = 0.05
"""How near a wavelength is to that of the band it names."""
_FAR = 0.1
"""How far a wavelength is from that of a filter which it contradicts."""
_LETTER = re.compile(r"[a-z](s|_?prime|')?", re.IGNORECASE)
"""Names of filters that many cameras use."""
_PARTS = ("CHANNEL", "DETECTOR")
"""Keywords of a camera's parts."""
_INSTRUMENTS = ("INSTRUME", "INSTRMNT", "CAMERA", "FPA.INSTRUMENT")
_SHORT = 2
"""Letters of a filter's name that other surveys use, too."""


@dataclass(frozen=True)
class BandGuess:
    """What headers and file name say of an image's band.

    Attributes
    ----------
    band : Band or None
        None where it has to be asked for.
    reason : str
        Why, in words.
    candidates : tuple of str
        What else it may be.
    cameras : frozenset of str
        The cameras that it may be from.
    """

    band: Band | None
    reason: str
    candidates: tuple[str, ...] = ()
    cameras: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Heard:
    """What the headers say: statements of the band, words of letters that may be many surveys',
    and who says what of the camera.
    """

    bands: tuple[Statement, ...]
    letters: tuple[tuple[Word, Band], ...]
    cameras: frozenset[str]
    camera_words: str
    other: Word | None
    conflict: str


def stem(filename: str) -> str:
    """File name without its FITS and compression endings."""
    return re.sub(r"(\.(fits?|fts))?(\.(gz|bz2|fz|z))?$", "", filename, flags=re.IGNORECASE)


def parts_of(filename: str) -> list[str]:
    """The words of a file name."""
    return [t for t in re.split(r"[_\-\s+,;()\[\]]+|\.(?!\d)|(?<!\d)\.", stem(filename)) if t]


def bands_in_name(filename: str) -> list[tuple[Band, str]]:
    """The bands that a file name spells out, and the parts of the name that do; one-letter filters
    alone do not count.
    """
    parts, found, start = parts_of(filename), [], 0
    while start < len(parts):
        own = _own_filter(parts[start : start + 2])
        if own is not None:
            found.append((own, "_".join(parts[start : start + 2])))
            start += 2
            continue
        for width in (4, 3, 2, 1):
            some = parts[start : start + width]
            band = _band_of_parts(some) if len(some) == width else None
            if band is not None:
                found.append((band, "_".join(some)))
                start += width - 1
                break
        start += 1
    return found


def _own_filter(parts: list[str]) -> Band | None:
    """The filter behind its camera: DES_g, HSC-I2."""
    if len(parts) < 2 or len(parts[1]) > 3:
        return None
    for name in sorted(cameras_in_name(parts[:1])):
        band = CAMERAS[name].band("-".join(parts)) or CAMERAS[name].band(parts[1])
        if band is not None:
            return band
    return None


def _band_of_parts(parts: list[str]) -> Band | None:
    joined = "_".join(parts)
    return find_band(joined) if len(joined) > 1 else None


def _heard(words: Words) -> _Heard:
    """What the headers say."""
    said = [(word, *cameras_called(word.text)) for word in words.of(KEYWORDS[CAMERA])]
    said = [(word, cameras, own) for word, cameras, own in said if cameras]
    other = _other_camera(words, said)
    filters = _filters(words)
    conflict, cameras, why = _one_camera(said, filters)
    if not said:
        for word in filters:
            inside, _ = cameras_called(word.text)
            if inside:
                cameras, why = frozenset(inside), ""
                break
    bands, letters = [], []
    for word in filters:
        found = [
            band for name in sorted(cameras) if (band := CAMERAS[name].band(word.text)) is not None
        ]
        source = f"{word}" + (f" and {why}" if why and why != str(word) else "")
        if found and other is None:
            bands += [Statement(band, source) for band in found]
        elif found:  # another camera's filter may be called like one of these
            letters += [(word, band) for band in found]
        elif not cameras:
            text = re.sub(r"dr\d+", "", word.text, flags=re.IGNORECASE)
            band = find_band(text)
            if band is not None and not _LETTER.fullmatch(text) and not other:
                bands.append(Statement(band, str(word)))
            elif (band := band or find_band(re.split(r"[\s,;(]", text)[0])) is not None:
                letters.append((word, band))
    bands += _by_wavelength(words, cameras, why, bands)
    return _Heard(tuple(bands), tuple(letters), cameras, why, other, conflict)


def _filters(words: Words) -> list[Word]:
    """The words that name a filter; one in JWST's pupil wheel narrows that of the filter wheel."""
    pupils = [word for word in words.of(("PUPIL",)) if re.fullmatch(r"F\d+[WMN]2?", word.text)]
    return pupils or words.of(KEYWORDS[FILTER])


def _other_camera(words: Words, said: list[tuple[Word, set[str], bool]]) -> Word | None:
    """The word that names a camera which is none of these, or None."""
    instruments = words.of(_INSTRUMENTS)
    own = [word for word, _, own in said if own and word.key not in _PARTS]
    if not own:
        # An instrument that nobody knows has filters that nobody knows; a telescope, too, where
        # nothing tells its instrument.
        unknown = [word for word in instruments if not cameras_called(word.text)[1]]
        if not instruments and not said:
            unknown = words.of(("TELESCOP",))
        if unknown:
            return unknown[0]
    names = (*instruments, *words.of(("TELESCOP", "SURVEY")))
    return next((word for word in names if other_camera(word.text)), None)


def _one_camera(
    said: list[tuple[Word, set[str], bool]], filters: list[Word]
) -> tuple[str, frozenset[str], str]:
    """What speaks against one camera, the cameras that all words allow, and the words."""
    if not said:
        return "", frozenset(), ""
    common = set.intersection(*(cameras for _, cameras, _ in said))
    if not common:
        # A telescope has more cameras than this table knows; a camera's own name is one.
        named = [entry for entry in said if entry[2]]
        common = set.intersection(*(cameras for _, cameras, _ in named)) if named else set()
        if common:
            said = named
    if not common:
        # A survey's catalogue holds another telescope's images, too: the filter tells whose it is.
        knows = {
            name
            for _, cameras, own in said
            for name in cameras
            if own and any(CAMERAS[name].band(word.text) for word in filters)
        }
        if len(knows) == 1:
            common = knows
            said = [entry for entry in said if entry[1] & knows]
    if not common:
        quoted = "; ".join(f"{word} says {' or '.join(sorted(c))}" for word, c, _ in said)
        return quoted, frozenset(), ""
    best = min(said, key=lambda entry: len(entry[1]))
    return "", frozenset(common), str(best[0])


def _by_wavelength(
    words: Words, cameras: frozenset[str], why: str, bands: list[Statement]
) -> list[Statement]:
    """What a wavelength says, where the camera is known: a band of it, unless it agrees with a
    filter that is named.
    """
    found = []
    for word in words.of(KEYWORDS[WAVELENGTH]) if cameras else ():
        value = _wavelength_um(word)
        among = [band for band in BANDS.values() if band.survey in cameras]
        if value is None or not among:
            continue
        named = [s.value for s in bands if isinstance(s.value, Band)]
        if any(abs(band.pivot / value - 1) < _FAR for band in named):
            continue
        best = min(among, key=lambda band: abs(band.pivot / value - 1))
        if abs(best.pivot / value - 1) < _NEAR:
            found.append(Statement(best, f"{word} and {why}" if why else str(word)))
    return found


def _wavelength_um(word: Word) -> float | None:
    match = re.match(r"\s*([0-9.eE+-]+)\s*([a-zA-Zµμ]*)", word.text)
    if not match:
        return None
    try:
        value = float(match[1])
    except ValueError:
        return None
    unit = match[2].lower() or ("angstrom" if word.key == "PHOTPLAM" else "")
    if unit in ("nm", "nanometer", "nanometers"):
        return value / 1e3
    if unit in ("a", "aa", "angstrom", "angstroms"):
        return value / 1e4
    if unit == "m":
        return value * 1e6
    known = ("", "um", "µm", "μm", "micron", "microns", "micrometer")
    return value if unit in known and value > 0 else None


def guess_band(header: Mapping[str, Any] | Words, filename: str) -> BandGuess:
    """The band of an image, if header and file name settle it between them.

    Parameters
    ----------
    header : mapping or Words
        FITS header.
    filename : str
        Name of the file, without its folder.

    Returns
    -------
    BandGuess
        With ``band`` None where two of them disagree, or none tells.
    """
    words = header if isinstance(header, Words) else Words(header)
    heard = _heard(words)
    in_name = bands_in_name(filename)
    names = [Statement(band, f"{part!r} in the file name") for band, part in in_name]
    if heard.conflict:
        likely = tuple(dict.fromkeys(s.value.name for s in names if isinstance(s.value, Band)))
        return BandGuess(None, f"the header names two cameras ({heard.conflict})", likely)
    strange = _strange_name(heard, in_name, filename)
    if strange is not None:
        return strange
    statements = [Statement(s.value, f"{s.source} in the header") for s in heard.bands] + names
    for word, band in heard.letters:
        # A letter alone may be anybody's; it agrees with a name that has the same letter.
        if any(_same_letter(word.text, s.value) for s in names):
            continue
        statements.append(Statement(band, f"{word} in the header"))
    value, reason = agreed(statements) if statements else (None, "")
    candidates = _candidates(statements, heard, filename)
    if isinstance(value, Band) and (heard.bands or names):
        return BandGuess(value, _reason(heard, names), (), heard.cameras)
    return BandGuess(None, _why_asked(heard, statements, reason), candidates, heard.cameras)


def _reason(heard: _Heard, names: list[Statement]) -> str:
    parts = []
    if heard.bands:
        parts.append(f"{heard.bands[0].source} in the header")
    if names:
        parts.append(names[0].source)
    return ", ".join(parts)


def _strange_name(
    heard: _Heard, in_name: list[tuple[Band, str]], filename: str
) -> BandGuess | None:
    """What is to be asked where the name's band is of another camera than the header or the name
    itself tells.
    """
    if not in_name or heard.bands:
        return None
    if heard.cameras and not any(band.survey in heard.cameras for band, _ in in_name):
        cameras, whose = heard.cameras, f"{heard.camera_words} in the header"
    else:
        spelled = cameras_in_name(parts_of(filename)) - {band.survey for band, _ in in_name}
        if not spelled or any(len(part) > _SHORT for _, part in in_name):
            known = heard.other is not None and (
                other_camera(heard.other.text) or heard.other.key in _INSTRUMENTS
            )
            if known:
                return _foreign(in_name, f"the header names another camera, {heard.other}")
            stranger = other_camera_in_name(parts_of(filename))
            if stranger and not heard.cameras:
                return _foreign(in_name, f"{stranger!r} in it is another camera")
            return None
        cameras, whose = frozenset(spelled), "the file name itself"
    band, part = in_name[0]
    reason = (
        f"{part!r} in the file name says {band}, but {whose} says {' or '.join(sorted(cameras))}"
    )
    return BandGuess(None, reason, (band.name, *_letters(filename, cameras)), cameras)


def _foreign(in_name: list[tuple[Band, str]], why: str) -> BandGuess:
    band, part = in_name[0]
    return BandGuess(None, f"{part!r} in the file name says {band}, but {why}", (band.name,))


def _same_letter(text: str, band: object) -> bool:
    return isinstance(band, Band) and CAMERAS[band.survey].band(text) is band


def _why_asked(heard: _Heard, statements: list[Statement], quoted: str) -> str:
    if len({s.value for s in statements}) > 1:
        return quoted
    camera = str(heard.other or heard.camera_words)
    if heard.letters:
        word = heard.letters[0][0]
        if heard.other:
            return f"the header says {word}, of another camera ({heard.other})"
        return f"the header says {word}, but not of which survey"
    beyond = f" beyond {camera}" if camera else ""
    return f"neither the header nor the file name tells the band{beyond}"


def _candidates(statements: list[Statement], heard: _Heard, filename: str) -> tuple[str, ...]:
    """What an image may be, the likeliest first."""
    found = [s.value.name for s in statements if isinstance(s.value, Band)]
    found += _letters(filename, heard.cameras)
    for word, _ in heard.letters:
        found += [band.name for c in CAMERAS.values() if (band := c.band(word.text)) is not None]
    return tuple(dict.fromkeys(found))[:6]


def _letters(filename: str, cameras: frozenset[str]) -> list[str]:
    """Bands of the one-letter parts of a name, of some cameras or of any."""
    found = []
    for part in reversed(parts_of(filename)):
        if len(part) == 1:
            for name in sorted(cameras) or list(CAMERAS):
                band = CAMERAS[name].band(part) if cameras else find_band(part)
                if band is not None:
                    found.append(band.name)
    return list(dict.fromkeys(found))
