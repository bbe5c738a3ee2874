"""The cameras and surveys whose images are known: what headers call them and their filters, and
their customs, which hold where a file says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from .registry import BANDS, Band
from .units import COUNTS, MAGGIES, RATE


@dataclass(frozen=True)
class Camera:
    """A camera or survey.

    Attributes
    ----------
    name : str
        As `Band.survey`.
    words : tuple of str
        Regular expressions of what headers call it, without case, as whole words.
    telescopes : tuple of str
        The same for its telescope, which has other cameras, too.
    in_names : tuple of str
        What file names call it; matched as a whole part of the name.
    filters : mapping
        Band by what the camera's headers call a filter beyond the band's own name, in small
        letters.
    pixels : tuple of float
        Sides in arcsec of the pixels of its own images.
    counts : tuple of str
        Kinds of unit that its own images have per pixel, as `units.COUNTS`.
    zero_point_per : mapping
        ``"image"`` or ``"second"`` by keyword: what the survey's zero points are for.
    """

    name: str
    words: tuple[str, ...]
    telescopes: tuple[str, ...] = ()
    in_names: tuple[str, ...] = ()
    filters: Mapping[str, str] = field(default_factory=dict)
    pixels: tuple[float, ...] = ()
    counts: tuple[str, ...] = (COUNTS,)
    zero_point_per: Mapping[str, str] = field(default_factory=dict)

    def band(self, text: str) -> Band | None:
        """The band of one of its filters as a header spells it, or None."""
        for spelled in _spellings(text):
            found = self.filters.get(spelled) or _own_filters(self.name).get(spelled)
            if found in BANDS:
                return BANDS[found]
        return None


@cache
def _own_filters(survey: str) -> dict[str, str]:
    """Bands of a survey by their name's last part and by their aliases, in small letters."""
    found: dict[str, str] = {}
    for band in BANDS.values():
        if band.survey == survey:
            for name in (band.name.partition("_")[2], band.name, *band.aliases):
                found.setdefault(name.lower(), band.name)
                found.setdefault(re.sub(r"[^a-z0-9.]", "", name.lower()), band.name)
    return found


def _spellings(text: str) -> list[str]:
    """What a filter keyword's value may name, the whole first, in small letters."""
    text = text.strip().lower()
    number = re.fullmatch(r"(?:channel|band|ch)?\s*0*(\d+)(?:\.0*)?", text)
    found = [number[1]] if number else []
    found += [text, re.sub(r"[^a-z0-9.]", "", text)]
    parts = [part for part in re.split(r"[\s,;()\[\]/_:-]+|\.(?=[a-z0-9]{3,})", text) if part]
    found += parts[:1] + [part for part in parts[1:] if len(part) > 1]
    if parts and len(parts) > 1 and len(parts[-1]) == 1 and len(parts[0]) > 1:
        found.append(parts[-1])  # HSC-G, NIR_Y
    if re.fullmatch(r"[a-z]2", text[-2:]) and text[:-2].endswith("-"):
        found.append(text[-2])  # HSC-I2
    return found


def _numbered(*names: str) -> dict[str, str]:
    return {str(number): name for number, name in enumerate(names, 1)}


_LEGACY = "(The )?(DESI )?Legacy ?Surveys?( DR\\d+)?"

CAMERAS: dict[str, Camera] = {
    camera.name: camera
    for camera in (
        Camera("GALEX", ("GALEX",), in_names=("galex",), pixels=(1.5,), counts=(COUNTS, RATE),
               filters=_numbered("GALEX_NUV", "GALEX_FUV") | {
                   "far uv": "GALEX_FUV", "near uv": "GALEX_NUV", "galex far uv": "GALEX_FUV",
                   "galex near uv": "GALEX_NUV"}),
        Camera("UVOT", ("UVOT[AB]?",), ("SWIFT",), ("uvot", "swift"), pixels=(0.502, 1.004),
               counts=(COUNTS, RATE),
               filters={"uvw1": "UVOT_W1", "uvw2": "UVOT_W2", "uvm2": "UVOT_M2"}),
        Camera("Johnson", ("Johnson", "Bessell?", "Cousins"), in_names=("johnson", "bessell")),
        Camera("SDSS", (r"SDSS(DR\d+)?", r"^2\.5m$"), in_names=("sdss",), pixels=(0.396,),
               counts=(COUNTS, MAGGIES)),
        Camera("PS1", ("PS1", "GPC[12]", "Pan-?STARRS1?"), in_names=("ps1", "panstarrs", "stk"),
               pixels=(0.25,), zero_point_per={"FPA.ZP": "second"}),
        Camera("DECam", ("DECam", "(?-i:DES)", "DECaLS", "DELVE"),
               (r"CTIO 4\.0-m telescope", _LEGACY), ("decam", "des", "decals", "delve"),
               pixels=(0.262, 0.263, 0.27), counts=(COUNTS, MAGGIES)),
        Camera("BASS", ("90prime", "(?-i:BASS)"), (_LEGACY,), in_names=("bass",),
               pixels=(0.262, 0.454), counts=(COUNTS, MAGGIES)),
        Camera("MzLS", ("mosaic-?3", "MzLS"), (_LEGACY,), in_names=("mzls",), pixels=(0.262,),
               counts=(COUNTS, MAGGIES)),
        Camera("MegaCam", ("Mega(Cam|Prime)", "CFHTLS"), (r"CFHT( 3\.6m)?",),
               ("megacam", "cfhtls", "cfht", "megaprime"), pixels=(0.185, 0.187)),
        Camera("HSC", ("HSC", "Hyper Suprime-?Cam"), ("Subaru",), ("hsc",), pixels=(0.168,)),
        Camera("Rubin", ("LSSTCam", "LSSTComCam(Sim)?", "LATISS", "Rubin"),
               in_names=("rubin", "lsst"), pixels=(0.2,)),
        Camera("Euclid", ("(?-i:VIS)", "NISP", "Euclid"), in_names=("euclid",), pixels=(0.1, 0.3),
               filters={"nir_y": "Euclid_Y", "nir_j": "Euclid_J", "nir_h": "Euclid_H"}),
        Camera("WFC3", ("WFC3",), ("HST",), ("wfc3",)),
        Camera("ACS", ("(?-i:ACS)",), ("HST",), ("acs",)),
        Camera("2MASS", ("2MASS",), in_names=("2mass",), pixels=(1.0,),
               filters={"k": "2MASS_Ks", "k_s": "2MASS_Ks", "k_short": "2MASS_Ks"},
               zero_point_per={"MAGZP": "image"}),
        Camera("UKIRT", ("WFCAM", "UKIDSS"), ("UKIRT",), ("wfcam", "ukidss"), pixels=(0.2, 0.4),
               zero_point_per={"MAGZPT": "second"}),
        Camera("VISTA", ("VIRCAM", "VIKING", "VHS"), ("VISTA",), ("vircam", "vista", "viking"),
               pixels=(0.2, 0.34), zero_point_per={"MAGZPT": "second"}),
        Camera("Roman", ("Roman",), in_names=("roman",)),
        Camera("WISE", ("(un|neo)?WISE", "NEOWISE(-R)?"), in_names=("wise", "unwise"),
               pixels=(1.375, 2.75), counts=(COUNTS, MAGGIES),
               filters=_numbered("WISE_3.4", "WISE_4.6", "WISE_12", "WISE_22"),
               zero_point_per={"MAGZP": "image", "MAGZERO": "image"}),
        Camera("IRAC", ("IRAC",), ("Spitzer",), ("irac", "spitzer"),
               filters=_numbered("Spitzer_3.6", "Spitzer_4.5", "Spitzer_5.8", "Spitzer_8.0")),
        Camera("NIRCam", ("NIRCAM",), ("JWST",), ("nircam",)),
        Camera("MIRI", ("MIRI",), ("JWST",), ("miri",)),
        Camera("MIPS", ("MIPS",), ("Spitzer",), ("mips",),
               filters=_numbered("Spitzer_24", "Spitzer_70")),
        Camera("PACS", ("PACS",), ("Herschel( Space Observatory)?",), ("pacs", "herschel"),
               filters={"blue": "PACS_70", "green": "PACS_100", "red": "PACS_160"}),
        Camera("SPIRE", ("SPIRE",), ("Herschel( Space Observatory)?",), ("spire", "herschel")),
    )
}  # fmt: skip
"""All cameras, by the survey that their bands name."""

OTHERS = (
    "AKARI", "ALFOSC", "ALMA", "BOK", "DENIS", "DSS[12]?", "EFOSC2?", "FLAMINGOS", "FOC",
    "FORS[12]?",
    "GAIA", "GMOS(-[NS])?", "HAWK-?I", "IMACS", "IRAS", "ISAAC", "ISOCAM", "J-?PAS", "J-?PLUS",
    "KIDS", "LABOCA", "LBC[BR]?", "LRIS", "MOSAIC", "MSX", "MUSE", "NEWFIRM", "NICMOS", "NIKA2?",
    "NIRI", "OM", "OMEGACAM", "OSIRIS", "PLANCK", "PTF", "S-?PLUS", "SCUBA-?2?", "SKYMAPPER",
    "SOFI", "STIS", "SUPRIME-?CAM", "T80CAM", "UIT", "UVIT", "VLA", "VST", "WFI", "WFPC2", "WHIRC",
    "WIRCAM", "WIYN", "ZTF",
)  # fmt: skip
"""Cameras and surveys that are none of these: their filters are nobody else's."""


def _whole(pattern: str, text: str) -> bool:
    return re.search(rf"(?<![A-Za-z0-9.]){pattern}(?![A-Za-z0-9])", text, re.IGNORECASE) is not None


def cameras_called(text: str) -> tuple[set[str], bool]:
    """The cameras that a header's value may mean, and whether it names one by itself rather than by
    its telescope.
    """
    # DECam's filters are called "g DECam SDSS c0001 ...".
    text = re.sub(r"DECam SDSS", "DECam", text, flags=re.IGNORECASE)
    own = {c.name for c in CAMERAS.values() if any(_whole(w, text) for w in c.words)}
    if own:
        return own, True
    return {c.name for c in CAMERAS.values() if any(_whole(w, text) for w in c.telescopes)}, False


def other_camera(text: str) -> bool:
    """Whether a header's value names a camera that is none of `CAMERAS`."""
    return any(re.fullmatch(rf"{name}([\s/_-].*)?", text.strip(), re.IGNORECASE) for name in OTHERS)


_ALSO_WORDS = ("MOSAIC", "GAIA", "BOK")
"""Cameras whose names stand in file names of other images, too."""


def other_camera_in_name(parts: Iterable[str]) -> str:
    """The part of a file name that names a camera which is none of `CAMERAS`, or nothing."""
    return next((p for p in parts if other_camera(p) and p.upper() not in _ALSO_WORDS), "")


def cameras_in_name(parts: Iterable[str]) -> set[str]:
    """The cameras that the parts of a file name spell."""
    small = {part.lower() for part in parts}
    return {camera.name for camera in CAMERAS.values() if small & set(camera.in_names)}
