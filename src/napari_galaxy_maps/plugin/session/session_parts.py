"""The files in a session's folder, named by what they hold: a file that is there is never changed,
so that what has been written once is kept, linked or copied in place of written again.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from weakref import ref

from ...exceptions import InputError, about_file
from ...fits_io.open_fits import open_bytes, sha256
from ...fits_io.safe_writing import linked_copy
from .session_format import Part

_NAME = re.compile(r"(galaxy-[0-9]+/)?[a-z]+-[0-9a-f]{16}\.(fits|toml|ecsv|json)", re.ASCII)
"""Of a part: nothing that could lead out of the folder."""
_HALF = re.compile(r"(galaxy-[0-9]+/)?\.+[a-z]+(-[0-9a-f]{8,16})+\.(fits|toml|ecsv|json)", re.ASCII)
"""Of a part that was never finished."""


@dataclass(frozen=True)
class _Written:
    """Where some objects have been written."""

    objects: tuple[Callable[[], object], ...]
    path: Path
    part: Part
    stamp: tuple[int, int]


@dataclass
class PartMemory:
    """Which objects lie in which file: weakly, and by identity."""

    _known: dict[tuple[int, ...], _Written] = field(default_factory=dict)

    def remember(self, objects: tuple[object, ...], path: Path, part: Part) -> None:
        """These objects lie in this file."""
        alive = self._known.copy()
        for key, known in alive.items():
            if any(object_of() is None for object_of in known.objects):
                self._known.pop(key, None)
        there = path.stat()
        self._known[_ids(objects)] = _Written(
            tuple(ref(each) for each in objects if each is not None),
            path,
            part,
            (there.st_size, there.st_mtime_ns),
        )

    def find(self, objects: tuple[object, ...]) -> tuple[Path, Part] | None:
        """The file that holds these objects, as long as it is as it was written."""
        known = self._known.get(_ids(objects))
        if known is None:
            return None
        same = [object_of() for object_of in known.objects]
        if any(a is not b for a, b in zip(same, filter(_is_there, objects), strict=True)):
            return None
        try:
            there = known.path.stat()
        except OSError:
            return None
        if (there.st_size, there.st_mtime_ns) != known.stamp:
            return None
        return known.path, known.part


def _ids(objects: tuple[object, ...]) -> tuple[int, ...]:
    return tuple(0 if each is None else id(each) for each in objects)


def _is_there(each: object) -> bool:
    return each is not None


@dataclass
class PartWriter:
    """Writes the parts of a session.

    Attributes
    ----------
    root : Path
        The folder that is written to.
    place : Path
        Where it will lie in the end.
    memory : PartMemory
        What has been written before.
    named : set of str
        Paths of all parts that the session has.
    made : list of Path
        Files that this writer has put into the folder.
    """

    root: Path
    place: Path
    memory: PartMemory
    named: set[str] = field(default_factory=set)
    made: list[Path] = field(default_factory=list)
    _fresh: list[tuple[tuple[object, ...], Part]] = field(default_factory=list)

    def text(self, name: str, ending: str, text: str) -> Part:
        """A part that holds a text; `name` is its path without what tells its contents."""
        data = text.encode()
        checksum = hashlib.sha256(data).hexdigest()
        part = _part(name, ending, checksum, len(data))
        self._placed(part, lambda beside: beside.write_bytes(data))
        return part

    def objects(
        self, name: str, objects: tuple[object, ...], write: Callable[[Path], object]
    ) -> Part:
        """A FITS file that holds objects, which `write` puts there unless a file has them."""
        known = self.memory.find(objects)
        if known is not None:
            path, part = known
            kept = _part(name, "fits", part.sha256, part.size)
            if path == self.root / kept.path:
                self.named.add(kept.path)
                return kept
            self._placed(kept, lambda beside: linked_copy(path, beside))
        else:
            beside = self._beside(f"{name}.fits")
            try:
                write(beside)
                kept = _part(name, "fits", sha256(beside), beside.stat().st_size)
                self._placed(kept, beside.replace)
            finally:
                beside.unlink(missing_ok=True)
        self._fresh.append((objects, kept))
        return kept

    def keep(self, part: Part, folder: Path, name: str) -> Part:
        """A part of another session's folder, or of this one's before, as it is; what is not there
        is told when it is read.
        """
        if self.is_place(folder):
            self.named.add(part.path)
            return part
        kind = Path(part.path).name.partition("-")[0]
        new = _part(f"{name}/{kind}", Path(part.path).suffix[1:], part.sha256, part.size)
        path = folder / part.path
        if is_part(folder, part) and path.is_file():
            self._placed(new, lambda beside: linked_copy(path, beside))
        return new

    def is_place(self, folder: Path) -> bool:
        """Whether this folder is the one that is written to."""
        return folder.resolve() == self.place

    def remember(self) -> None:
        """The session is in its place now."""
        for objects, part in self._fresh:
            self.memory.remember(objects, self.place / part.path, part)

    def undo(self) -> None:
        """Take away what was made for a session that is not to be."""
        for path in self.made:
            path.unlink(missing_ok=True)

    def _beside(self, name: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")

    def _placed(self, part: Part, write: Callable[[Path], object]) -> None:
        """Put a part into its place, where it is not there already."""
        path = self.root / part.path
        if part.path not in self.named and not (path.is_file() and sha256(path) == part.sha256):
            beside = self._beside(part.path)
            try:
                write(beside)
                beside.replace(path)
                self.made.append(path)
            finally:
                beside.unlink(missing_ok=True)
        self.named.add(part.path)


def _part(name: str, ending: str, checksum: str, size: int) -> Part:
    return Part(path=f"{name}-{checksum[:16]}.{ending}", sha256=checksum, size=size)


def left_parts(folder: Path) -> set[str]:
    """Paths of all files in a session's folder that are parts by their names, finished or not."""
    names = (
        path.relative_to(folder).as_posix()
        for place in (folder, *folder.glob("galaxy-*"))
        for path in place.glob("*")
    )
    return {name for name in names if _NAME.fullmatch(name) or _HALF.fullmatch(name)}


def is_part(folder: Path, part: Part) -> bool:
    """Whether the path of a part stays within the session's folder."""
    path = folder / part.path
    named_so = _NAME.fullmatch(part.path) is not None
    return named_so and path.resolve().is_relative_to(folder.resolve())


def path_of(folder: Path, part: Part) -> Path:
    """Where a part lies.

    Raises
    ------
    InputError
        When it would lie outside of the session's folder.
    """
    if not is_part(folder, part):
        raise InputError(
            f"{folder}: {part.path!r} is no file of this session's folder, and is not read."
        )
    return folder / part.path


def data_of(folder: Path, part: Part) -> bytes:
    """The bytes of a part.

    Raises
    ------
    InputError
        When it is missing or is not as it was written.
    """
    path = path_of(folder, part)
    with open_bytes(path) as stream:
        try:
            data = stream.read()
        except OSError as error:
            raise InputError(about_file(path, error)) from None
    if len(data) != part.size or hashlib.sha256(data).hexdigest() != part.sha256:
        raise InputError(
            f"{path} is damaged, or was changed since the session was saved; fetch the session "
            "from a copy."
        )
    return data


def text_of(folder: Path, part: Part) -> str:
    """The text of a part; raises as `data_of`."""
    return data_of(folder, part).decode("utf-8", "replace")


def checked(folder: Path, part: Part) -> Path:
    """Where a part lies that is as it was written; raises as `data_of`."""
    data_of(folder, part)
    return path_of(folder, part)
