"""The cameras and surveys whose images are known: what headers call them and their filters, and
their customs, which hold where a file says nothing; they stand in the table ``surveys.ecsv``.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from .ecsv_rows import rows_of
from .registry import BANDS, Band
from .units import COUNTS, MAGGIES, RATE

TABLE = Path(__file__).with_name("surveys.ecsv")


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
    custom_zero_points : mapping
        The same where it is not what their comment says, by the keyword and others that such files
        have, with ``+`` between them.
    pixels_at : mapping
        Sides of its pixels in arcsec by the zero point in magnitudes that tells the kind of image.
    roles, own_roles : mapping
        What words in names are for, by word: of words that the survey alone uses, and of those that
        count only where it is called.
    bad_bits : mapping
        Bits of its masks that are faults, by word in the mask's name (``"*"``: any), or
        ``word@band`` for one band: numbers, or names that the mask's header explains.
    exposures : mapping
        Words that its exposure maps have in their names, by the word of its images in their place.
    units : mapping
        The likely unit where no header tells one, by word in the name of the file.
    wider_psf : mapping
        By what its PSF is wider in files that have a keyword.
    plane_zero_points : mapping
        Filters of the planes of its cubes by the keyword of their zero point.
    object_is_field : bool
        Whether OBJECT in its headers names a field and not a galaxy.
    """

    name: str
    words: tuple[str, ...]
    telescopes: tuple[str, ...] = ()
    in_names: tuple[str, ...] = ()
    filters: Mapping[str, str] = field(default_factory=dict)
    pixels: tuple[float, ...] = ()
    counts: tuple[str, ...] = (COUNTS,)
    zero_point_per: Mapping[str, str] = field(default_factory=dict)
    custom_zero_points: Mapping[str, str] = field(default_factory=dict)
    pixels_at: Mapping[float, float] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    own_roles: Mapping[str, str] = field(default_factory=dict)
    bad_bits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exposures: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    wider_psf: Mapping[str, float] = field(default_factory=dict)
    plane_zero_points: Mapping[str, str] = field(default_factory=dict)
    object_is_field: bool = False

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


_BY_KEY = (
    "filters", "zero_point_per", "custom_zero_points", "pixels_at", "roles", "own_roles",
    "bad_bits", "exposures", "units", "wider_psf", "plane_zero_points",
)  # fmt: skip
"""Columns whose parts are by key."""


def read_cameras(path: Path = TABLE) -> tuple[dict[str, Camera], tuple[str, ...]]:
    """The cameras of a table by name, and what headers call those whose bands are not known.

    Raises
    ------
    ValueError
        When a row has a value that cannot be; the line is named.
    """
    cameras: dict[str, Camera] = {}
    others = []
    for number, row in rows_of(path):
        try:
            if row["words"]:
                cameras[row["name"]] = _camera(row)
            else:
                re.compile(row["name"])
                others.append(row["name"])
        except (ValueError, TypeError, KeyError, re.error) as error:
            raise ValueError(f"{path.name}, line {number}: {error}") from None
    return cameras, tuple(others)


def _camera(row: dict[str, str]) -> Camera:
    """The camera of a row."""
    parts = {key: tuple(filter(None, value.split(";"))) for key, value in row.items()}
    for pattern in (*parts["words"], *parts["telescopes"]):
        re.compile(pattern)
    by_key = {name: dict(part.split("=", 1) for part in parts.get(name, ())) for name in _BY_KEY}
    unknown = set(parts["counts"]) - {COUNTS, RATE, MAGGIES}
    pers = {*by_key["zero_point_per"].values(), *by_key["custom_zero_points"].values()}
    if unknown or pers - {"image", "second"}:
        raise ValueError(f"{sorted(unknown or pers)} cannot be")
    return Camera(
        row["name"],
        parts["words"],
        parts["telescopes"],
        parts["in_names"],
        by_key["filters"],
        tuple(float(part) for part in parts["pixels"]),
        parts["counts"],
        by_key["zero_point_per"],
        by_key["custom_zero_points"],
        {float(key): float(side) for key, side in by_key["pixels_at"].items()},
        by_key["roles"],
        by_key["own_roles"],
        {key: tuple(bits.split()) for key, bits in by_key["bad_bits"].items()},
        {key: tuple(words.split()) for key, words in by_key["exposures"].items()},
        by_key["units"],
        {key: float(times) for key, times in by_key["wider_psf"].items()},
        by_key["plane_zero_points"],
        bool(parts.get("object_is_field")),
    )


CAMERAS, OTHERS = read_cameras()


def role_words(called: Iterable[str] = ()) -> dict[str, str]:
    """What words in names are for by the surveys' customs: those that a survey alone uses, and
    those of the surveys that are called.
    """
    found = {word: role for camera in CAMERAS.values() for word, role in camera.roles.items()}
    for name in called:
        found |= CAMERAS[name].own_roles
    return found


def custom_zero_point(key: str, there: Container[str]) -> str:
    """``"image"`` or ``"second"`` where some survey's zero point of a keyword is not what its
    comment says, by the other keywords of the file; else empty.
    """
    for camera in CAMERAS.values():
        for words, per in camera.custom_zero_points.items():
            first, *others = words.split("+")
            if first == key and all(word in there for word in others):
                return per
    return ""


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
