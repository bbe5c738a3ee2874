"""Which band, unit and role an image has, from its header and its file name, with the reason in
words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..bands.registry import BANDS, Band, find_band
from ..bands.units import canonical_unit, clean_value, magnitude_zero_point

_INSTRUMENT_KEYS = (
    "INSTRUME",
    "INSTRMNT",
    "TELESCOP",
    "ORIGIN",
    "SURVEY",
    "DATASET",
    "OBSERVAT",
    "MISSION",
)
_FILTER_KEYS = (
    "FILTER",
    "BAND",
    "CHANNEL",
    "CHNLNUM",
    "DETECTOR",
    "FILTERS",
    "FILTNAM",
    "FILTER1",
    "APERTURE",
)
_WAVELENGTH_KEYS = ("WAVELNTH", "WVLNGTH", "WAVELEN", "WAVELENG", "WAVE", "LAMBDA")
_UNIT_KEYS = ("BUNIT", "SIGUNIT", "ZUNITS", "DATAUNIT", "FLUXUNIT", "UNITS", "UNIT", "QTTY____")

_SURVEYS = {
    "GALEX": "GALEX", "SDSS": "SDSS", "2.5M": "SDSS", "2MASS": "2MASS", "WISE": "WISE",
    "IRAC": "IRAC", "MIPS": "MIPS",
    "PACS": "PACS", "SPIRE": "SPIRE",
}  # fmt: skip
_FAMILIES = {"SPITZER": ("IRAC", "MIPS"), "HERSCHEL": ("PACS", "SPIRE")}

# What surveys call a band by a bare number: IRAC's and WISE's channels, and GALEX, whose headers
# say BAND = 1 for NUV and 2 for FUV.
_NUMBERED = {
    "WISE": {1: "WISE_3.4", 2: "WISE_4.6", 3: "WISE_12", 4: "WISE_22"},
    "IRAC": {1: "Spitzer_3.6", 2: "Spitzer_4.5", 3: "Spitzer_5.8", 4: "Spitzer_8.0"},
    "MIPS": {1: "Spitzer_24", 2: "Spitzer_70", 24: "Spitzer_24", 70: "Spitzer_70"},
    "GALEX": {1: "GALEX_NUV", 2: "GALEX_FUV"},
    "PACS": {70: "PACS_70", 100: "PACS_100", 160: "PACS_160"},
    "SPIRE": {250: "SPIRE_250", 350: "SPIRE_350", 500: "SPIRE_500"},
}
_COLOURED = {"blue": "PACS_70", "green": "PACS_100", "red": "PACS_160"}

_ROLE_WORDS = {
    "uncertainty": {"unc", "uncert", "uncertainty", "err", "error", "errors", "sigma", "std",
        "stddev", "rms", "stdev", "noise"},
    "variance": {"var", "variance"},
    "weight": {"ivar", "invvar", "weight", "weights", "wt", "wht", "wgt", "oow"},
    "other": {"mask", "dq", "flags", "flag", "cov", "coverage", "exp", "expmap", "rrhr", "psf",
        "segm", "seg", "quality", "ood"},
}  # fmt: skip


@dataclass(frozen=True)
class BandGuess:
    """What header and file name say of an image's band: the band if they settle it, why, and what
    else it might be.
    """

    band: Band | None
    reason: str
    candidates: tuple[str, ...] = ()


def stem(filename: str) -> str:
    """File name without its FITS and compression endings."""
    return re.sub(r"(\.(fits?|fts))?(\.(gz|bz2|fz|z))?$", "", filename, flags=re.IGNORECASE)


def _tokens(filename: str) -> list[str]:
    return [t for t in re.split(r"[_\-\s+,;()\[\]]+|\.(?!\d)|(?<!\d)\.", stem(filename)) if t]


def band_from_name(filename: str) -> tuple[Band | None, str]:
    """The band that a file name spells out, and the part of the name that does; one-letter filters
    alone do not count.
    """
    tokens = _tokens(filename)
    for width in (3, 2, 1):
        for start in range(len(tokens) - width, -1, -1):
            part = tokens[start : start + width]
            joined = "_".join(part)
            if len(joined) < 2:
                continue
            band = find_band(joined)
            if band is None and width == 2 and part[0].upper() == "SDSS":
                band = find_band(f"{part[0]}_{part[1].lower()}")
            elif band is None and width == 2 and part[0].upper() == "2MASS":
                band = find_band(f"{part[0]}_{part[1].capitalize()}")
            if band is not None:
                return band, "_".join(part)
    return None, ""


def _texts(header: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for key in keys:
        if key in header:
            text = clean_value(header[key])
            if text:
                yield key, text


def _survey(header: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    """The surveys that a header may belong to, and the keyword that says so."""
    family: tuple[tuple[str, ...], str] = ((), "")
    for key, text in _texts(header, (*_INSTRUMENT_KEYS, "DETECTOR", "CHANNEL")):
        upper = text.upper()
        for word, survey in _SURVEYS.items():
            if upper == word or (
                len(word) > 3 and word != "2.5M" and re.search(rf"\b{word}\b", upper)
            ):
                return (survey,), f"{key} = {text!r}"
        for word, surveys in _FAMILIES.items():
            if word in upper:
                family = (surveys, f"{key} = {text!r}")
    return family


def _wavelength_um(text: str) -> float | None:
    match = re.match(r"\s*([0-9.eE+-]+)\s*([a-zA-Zµμ]*)", text)
    if not match:
        return None
    try:
        value = float(match.group(1))
    except ValueError:
        return None
    unit = match.group(2).lower()
    if unit in ("nm", "nanometer", "nanometers"):
        return value / 1e3
    if unit in ("a", "aa", "angstrom", "angstroms"):
        return value / 1e4
    if unit == "m":
        return value * 1e6
    return value if unit in ("", "um", "µm", "μm", "micron", "microns", "micrometer") else None


def _match_filter(text: str, surveys: tuple[str, ...]) -> Band | None:
    """The band that a filter keyword names, given the surveys it may belong to."""
    number = re.fullmatch(
        r"(?:ch|w|channel|band)?\s*0*(\d+)(?:\.0*)?", text.strip(), flags=re.IGNORECASE
    )
    for survey in surveys:
        if number and int(number.group(1)) in _NUMBERED.get(survey, {}):
            return BANDS[_NUMBERED[survey][int(number.group(1))]]
        if survey == "PACS" and text.lower() in _COLOURED:
            return BANDS[_COLOURED[text.lower()]]
        if survey == "2MASS":
            text = {"j": "J", "h": "H", "k": "Ks", "ks": "Ks", "k_s": "Ks", "k_short": "Ks"}.get(
                text.lower(), text
            )
    band = find_band(text)
    if band is None and len(text) > 2:
        band = find_band(re.split(r"[\s,;]", text)[0])
    return band if band is not None and (not surveys or band.survey in surveys) else None


def band_from_header(header: Mapping[str, Any]) -> tuple[Band | None, str, bool]:
    """The band that a header names.

    Returns
    -------
    band : Band or None
        The band.
    reason : str
        The keywords that say so.
    sure : bool
        False where only a one-letter filter is given and no keyword names its survey.
    """
    surveys, survey_reason = _survey(header)
    for key, text in _texts(header, _FILTER_KEYS):
        band = _match_filter(text, surveys)
        if band is not None:
            reason = f"{key} = {text!r}" + (f" and {survey_reason}" if survey_reason else "")
            return band, reason, bool(surveys) or len(text) > 2
    for key, text in _texts(header, _WAVELENGTH_KEYS):
        value = _wavelength_um(text)
        if value is None or not surveys:
            continue
        among = [band for band in BANDS.values() if band.survey in surveys]
        best = min(among, key=lambda band: abs(band.pivot / value - 1), default=None)
        if best is not None and abs(best.pivot / value - 1) < 0.05:
            return best, f"{key} = {text!r} and {survey_reason}", True
    return None, survey_reason, False


def guess_band(header: Mapping[str, Any], filename: str) -> BandGuess:
    """The band of an image, if header and file name settle it between them.

    Parameters
    ----------
    header : mapping
        FITS header.
    filename : str
        Name of the file, without its folder.

    Returns
    -------
    BandGuess
        With ``band`` None where the two disagree, or neither tells.
    """
    in_header, why, sure = band_from_header(header)
    in_name, part = band_from_name(filename)
    if in_header is not None and in_name is not None:
        if in_header is in_name:
            return BandGuess(in_header, f"{why} in the header, {part!r} in the file name")
        reason = f"the header says {in_header} ({why}), the file name says {in_name} ({part!r})"
        return BandGuess(None, reason, (in_name.name, in_header.name))
    if in_name is not None:
        return BandGuess(in_name, f"{part!r} in the file name")
    if in_header is not None:
        if sure:
            return BandGuess(in_header, f"{why} in the header")
        return BandGuess(None, f"the header says {why}, but not of which survey", (in_header.name,))
    beyond = f" beyond {why}" if why else ""
    return BandGuess(
        None,
        f"neither the header nor the file name tells the band{beyond}",
        _letter_candidates(filename),
    )


def _letter_candidates(filename: str) -> tuple[str, ...]:
    found = (find_band(token) for token in reversed(_tokens(filename)) if len(token) == 1)
    return tuple(band.name for band in found if band is not None)


def guess_unit(
    header: Mapping[str, Any], filename: str, band: Band | None
) -> tuple[str | None, str, str | None]:
    """The unit of an image.

    Returns
    -------
    unit : str or None
        In the spelling of `units`, or None where it has to be asked for.
    reason : str
        Why, in words.
    suggestion : str or None
        What it probably is where it has to be asked for; never used in silence.
    """
    found = list(_texts(header, _UNIT_KEYS))
    for key, text in found:
        unit = canonical_unit(text)
        if unit is not None:
            others = [
                f"{k} = {t!r}"
                for k, t in found
                if k != key and canonical_unit(t) not in (unit, None)
            ]
            return (
                unit,
                f"{key} = {text!r}" + (f" (though {', '.join(others)})" if others else ""),
                None,
            )
    zero_point = magnitude_zero_point(header)
    if zero_point is not None and not found:
        return (
            "DN",
            f"{zero_point[0]} = {zero_point[1]:g} in the header: counts of that zero point",
            None,
        )
    why = (
        f"the header says {found[0][0]} = {found[0][1]!r}, which is no unit of flux"
        if found
        else "the header tells no unit"
    )
    if band is not None:
        if band.survey == "GALEX" and "int" in _tokens(filename):
            return None, f"{why}; GALEX intensity maps are in counts/s", "counts/s"
        if stem(filename).endswith(f"_{band.name}"):
            return None, f"{why}; DustPedia's files of this name are in Jy/pix", "Jy/pix"
    return None, why, None


def guess_role(extname: str, filename: str) -> str:
    """``"image"``, ``"uncertainty"``, ``"variance"``, ``"weight"`` or ``"other"``, from the names
    of extension and file.
    """
    words = {w.lower() for w in re.split(r"[_\-\s.]+", extname)}
    for role, names in _ROLE_WORDS.items():
        if words & names:
            return role
    tokens = {t.lower() for t in _tokens(filename)}
    for role, names in _ROLE_WORDS.items():
        if tokens & names:
            return role
    return "image"
