"""Looks for the images of a session: where they lay as seen from its folder, where they lay on the
disk, and where a person says.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from ...fits_io.open_fits import sha256
from .saved_galaxy import SavedFile

_MOST = 20_000
"""So many files of a folder that a person names are looked at."""


@dataclass
class Checksums:
    """SHA-256 of files, each read once as long as its size and time stay the same."""

    _known: dict[Path, tuple[int, int, str]] = field(default_factory=dict)

    def of(self, path: Path) -> tuple[str, int]:
        """SHA-256 and bytes of a file.

        Raises
        ------
        OSError
            When it cannot be read.
        """
        there = path.stat()
        size, time, checksum = self._known.get(path, (-1, -1, ""))
        if (size, time) != (there.st_size, there.st_mtime_ns):
            checksum = sha256(path)
            self._known[path] = there.st_size, there.st_mtime_ns, checksum
        return checksum, there.st_size

    def saved_file(self, path: Path, label: str = "") -> SavedFile:
        """A file as it is now; without a checksum where it cannot be read."""
        path = whole_path(path)
        try:
            checksum, size = self.of(path)
        except OSError:
            checksum, size = "", 0
        return SavedFile(path, checksum, size, label)


@dataclass(frozen=True)
class FoundFiles:
    """Where the files of a session are.

    Attributes
    ----------
    found : dict of SavedFile to Path
        Those that are there, changed or not.
    missing : tuple of SavedFile
        Those that are nowhere.
    changed : tuple of SavedFile
        Those that are there and have another size or checksum now.
    """

    found: dict[SavedFile, Path]
    missing: tuple[SavedFile, ...]
    changed: tuple[SavedFile, ...]


def find_images(
    files: Iterable[SavedFile],
    folder: Path,
    checksums: Checksums | None = None,
    quick: bool = False,
) -> FoundFiles:
    """Look for the files of a session.

    Parameters
    ----------
    files : iterable of SavedFile
        As the session names them.
    folder : Path
        The session's. A file that lies where it lay as seen from there comes before one where it
        lay on the disk, unless that alone is as it was.
    checksums : Checksums, optional
        Spares the reading of what was read before.
    quick : bool
        Take a file for what it was by its size alone: nothing is read, so that the session is there
        at once. Whether it has changed is to be asked again, without this.
    """
    checksums = checksums or Checksums()
    found: dict[SavedFile, Path] = {}
    missing, changed = [], []
    for file in dict.fromkeys(files):
        places = dict.fromkeys(_places(file.path, file.relative, folder))
        there = [path for path in places if path.is_file()]
        alone = quick and len(there) == 1
        same = next(
            (
                path
                for path in there
                if (alone and path.stat().st_size == file.size) or _is_same(file, path, checksums)
            ),
            None,
        )
        if same is None and not there:
            missing.append(file)
            continue
        if same is None:
            changed.append(file)
        found[file] = same or there[0]
    return FoundFiles(found, tuple(missing), tuple(changed))


def found_in(
    folder: Path, missing: Iterable[SavedFile], checksums: Checksums | None = None
) -> FoundFiles:
    """Look for missing files in a folder that a person names and those below it: for what has the
    same contents, whatever its name, or else the same name.
    """
    checksums = checksums or Checksums()
    by_size: dict[int, list[Path]] = {}
    by_name: dict[str, Path] = {}
    for path in islice(_files_below(folder), _MOST):
        with suppress(OSError):
            by_size.setdefault(path.stat().st_size, []).append(path)
            by_name.setdefault(path.name, path)
    found: dict[SavedFile, Path] = {}
    still, changed = [], []
    for file in dict.fromkeys(missing):
        alike = sorted(by_size.get(file.size, ()), key=lambda path: path.name != file.path.name)
        same = next((path for path in alike if _is_same(file, path, checksums)), None)
        if same is not None:
            found[file] = same
        elif file.path.name in by_name:
            found[file] = by_name[file.path.name]
            changed.append(file)
        else:
            still.append(file)
    return FoundFiles(found, tuple(still), tuple(changed))


def whole_path(path: Path) -> Path:
    """A path from the root on, without ``..``; links in it stay."""
    return Path(os.path.normpath(path.absolute()))


def relative_to(path: Path, folder: Path) -> str:
    """A path as seen from a folder, with slashes; empty where there is none (on another drive).

    Of the path as it is written and the one behind symbolic links it is the one that climbs less:
    what lies side by side is moved together.
    """
    real = Path(os.path.realpath(path.parent)) / path.name
    ways = (whole_path(path), whole_path(folder)), (real, os.path.realpath(folder))
    try:
        seen = [Path(os.path.relpath(*way)).as_posix() for way in ways]
    except ValueError:
        return ""
    return min(seen, key=lambda way: way.count("../"))


def place_of(path: Path, relative: str, folder: Path) -> Path:
    """Where a file lies, by its path as seen from a folder or, where nothing is there, as it is."""
    return next((place for place in _places(path, relative, folder) if place.is_file()), path)


def _places(path: Path, relative: str, folder: Path) -> Iterator[Path]:
    if relative:
        for seen_from in (whole_path(folder), os.path.realpath(folder)):
            yield whole_path(Path(seen_from, relative))
    yield path


def _is_same(file: SavedFile, path: Path, checksums: Checksums) -> bool:
    """Whether a file is as it was; where no checksum is known, by its size and name."""
    try:
        if path.stat().st_size != file.size:
            return False
        if not file.checksum:
            return path.name == file.path.name
        return checksums.of(path)[0] == file.checksum
    except OSError:
        return False


def _files_below(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(place) / name for name in sorted(names))
