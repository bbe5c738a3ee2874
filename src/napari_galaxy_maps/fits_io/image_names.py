"""What a person may call an image: its file, ``FILE[EXTENSION]``, ``FILE[EXTENSION][PLANE]``, a
pattern of files' names, a folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

_PLACE = re.compile(r"(?<=.)((?:\[[^\[\]]*\]){1,2})$")


@dataclass(frozen=True)
class Place:
    """Where an image is, and what a table calls it.

    Attributes
    ----------
    path : Path
        Its file.
    number : int
        Of its extension.
    index : int or None
        Of its plane, where the extension is a cube whose planes are images.
    label : str
        What tables and questions call it.
    name : str
        Of its extension.
    version : int
        Of its extension (EXTVER).
    """

    path: Path
    number: int
    index: int | None
    label: str
    name: str
    version: int = 1

    @property
    def key(self) -> str:
        """What a recipe calls it: its label where that is told by the file alone, else with the
        path of the file.
        """
        if split_name(self.label)[0] == self.path.name:
            return self.label
        plain = re.search(re.escape(self.path.name) + r"(\[[^\[\]]*\])?", self.label)
        return f"{self.path}{plain[1] or ''}" if plain else str(self.path)


def split_name(text: str) -> tuple[str, list[str]]:
    """The file's part of what a person calls an image, and what stands in brackets behind it:
    ``"a.fits[1][2]"``, ``"a.fits[1,2]"`` and ``"a.fits[SCI]"``.
    """
    found = _PLACE.search(text)
    if found is None:
        return text, []
    inside = found[1][1:-1].replace("][", ",")
    return text[: found.start()], [part.strip() for part in inside.split(",")]


def names_file(text: str, path: Path) -> bool:
    """Whether a person means a file, or an image in it, by its name, its path or a pattern."""
    base, _ = split_name(text)
    return any(name in (path.name, str(path)) or fnmatch(path.name, name) for name in (text, base))


def keys_of(table: Iterable[str], image: Place, folders: bool = False) -> list[str]:
    """The entries of a table that speak of an image, the nearest first: those of the image alone,
    of its plane, of its extension, of its file, of a pattern of names, of its folder.

    Parameters
    ----------
    table : iterable of str
        What a person has called images.
    image : Place
        The image.
    folders : bool
        Whether folders count.
    """
    ranked = []
    for key in table:
        rank = _rank(key, image, folders)
        if rank is not None:
            ranked.append((rank, key))
    return [key for _, key in sorted(ranked, key=lambda entry: entry[0])]


def _rank(key: str, image: Place, folders: bool) -> int | None:
    """How near an entry is to an image, 0 for its own; None where it speaks of others."""
    path = image.path
    if key == image.label:
        return 0
    if key in (path.name, str(path)):
        return 3
    base, inside = split_name(key)
    pattern = any(letter in base for letter in "*?[")
    if inside and (base in (path.name, str(path)) or (pattern and fnmatch(path.name, base))):
        fits = _is_inside(inside, image)
        if fits:
            return (1 if len(inside) > 1 else 2) + (4 if pattern else 0)
    if fnmatch(path.name, key):
        return 7
    return 8 if folders and key and key in (path.parent.name, str(path.parent)) else None


def _is_inside(inside: list[str], image: Place) -> bool:
    """Whether an image is what brackets name: an extension by number or name, and its plane or,
    where it has none, its version.
    """
    extension, *rest = inside
    own = {str(image.number), image.name.upper()} - {""}
    if extension.upper() not in own or len(rest) > 1:
        return False
    return not rest or rest[0] == str(image.version if image.index is None else image.index)


def version_of(header: Mapping[str, Any]) -> int:
    """The EXTVER of an extension; 1 where it has none that can be read."""
    try:
        return int(header.get("EXTVER", 1))
    except (TypeError, ValueError):
        return 1
