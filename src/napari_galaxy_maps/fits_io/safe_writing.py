"""Files and folders that are written whole or not at all: beside their place first, and moved into
it at the last step.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol
from weakref import WeakSet

from ..exceptions import InputError, about_file


class Reader(Protocol):
    """Who reads files that are not to be replaced meanwhile."""

    def reads(self, place: Path) -> bool:
        """Whether a file is one of its inputs."""


readers: WeakSet[Reader] = WeakSet()
"""Whose inputs no file that is written may replace: the command's that runs, each window's."""
finished: list[Path] = []
"""What has been put into its place in this process, as it was named."""


def check_output(path: str | Path, overwrite: bool = False) -> Path:
    """Refuse a file that could not be written in the end, before the work is done.

    Returns
    -------
    Path
        Where it will lie: a symbolic link is followed, and stays.

    Raises
    ------
    InputError
        When the file is there already and may not be replaced, when it is a folder or a device, or
        when it or its folder cannot be written to.
    """
    place, there = _followed(path)
    if there is None:
        _check_folder_of(place, path)
    elif stat.S_ISDIR(there.st_mode):
        raise InputError(f"{path} is a folder; give the name of a file.")
    elif not stat.S_ISREG(there.st_mode):
        raise InputError(f"{path} is a device, not a file; give the name of a file.")
    elif any(reader.reads(place) for reader in tuple(readers)):
        raise InputError(
            f"{path} is one of the inputs, which are never replaced; choose another name."
        )
    elif not overwrite:
        raise InputError(
            f"{path} is there already; choose another name, or allow it to be replaced.",
            "overwrite",
        )
    elif not os.access(place, os.W_OK):
        raise InputError(f"{path} is protected from writing; choose another name.")
    else:
        _check_folder_of(place, path)
    return place


def check_output_folder(path: str | Path) -> Path:
    """Refuse a folder that could not be written to in the end, before the work is done.

    Returns
    -------
    Path
        Where it will lie: a symbolic link is followed, and stays.

    Raises
    ------
    InputError
        When a file has its name, or it cannot be made or written to.
    """
    place, there = _followed(path)
    if there is not None and not stat.S_ISDIR(there.st_mode):
        raise InputError(f"{path} is a file; give the name of a folder.")
    _check_folder_of(place / "file", path)
    return place


@contextmanager
def written_whole(path: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """A path to write to, which takes the place of `path` only once the block has ended well.

    Whatever ends the block (an error, a full disk, an interruption), an earlier file stays as it
    was and nothing else is left. A file that is replaced keeps its mode and owner. Without
    `overwrite` a file that another process makes meanwhile is never replaced.

    Raises
    ------
    InputError
        When the file is there already and may not be replaced, or cannot be written.
    """
    path = Path(path)
    place = check_output(path, overwrite)
    with _as_input_error(path), _made_folders(place.parent):
        beside = _new_name(place)
        try:
            beside.touch(exist_ok=False)
            yield beside
            _put(beside, place, overwrite)
            finished.append(path)
        finally:
            beside.unlink(missing_ok=True)


def write_text(path: str | Path, text: str, overwrite: bool = False) -> None:
    """Write a text in UTF-8; raises as `written_whole`."""
    with written_whole(path, overwrite) as beside:
        beside.write_text(text, encoding="utf-8")


def linked_copy(place: Path, copy: Path) -> None:
    """A second name for a file that nobody changes in place, or a copy where links cannot be."""
    try:
        os.link(place, copy)
    except (OSError, AttributeError):  # some systems have no links at all
        shutil.copy2(place, copy)


@contextmanager
def folder_written_whole(folder: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """A hidden folder to write to, whose files go to `folder` only once the block has ended well.

    Into a folder that is there they are moved one by one; should one of them fail, those before it
    are taken back and what they replaced is there again.

    Raises
    ------
    InputError
        When a file is there already and may not be replaced, or the folder cannot be written to.
    """
    folder = Path(folder)
    place = check_output_folder(folder)
    with _as_input_error(folder), _made_folders(place.parent):
        # Inside a folder that is there, which may be a disk of its own.
        stage = _new_name(place / place.name if place.is_dir() else place)
        try:
            stage.mkdir()
            yield stage
            if place.is_dir():
                _put_all(stage, place, overwrite)
            else:
                stage.rename(place)
            finished.append(folder)
        finally:
            shutil.rmtree(stage, ignore_errors=True)


def _followed(path: str | Path) -> tuple[Path, os.stat_result | None]:
    """Where a path leads, and what is there."""
    place = Path(os.path.realpath(path))
    try:
        there = place.stat()
    except FileNotFoundError:
        there = None
    except OSError as error:  # names that are too long, files taken for folders, links in a circle
        raise InputError(about_file(path, error)) from None
    if there is None and Path(path).is_symlink() and not place.parent.is_dir():
        raise InputError(
            f"{path} is a link to {place}, whose folder is not there; mend the link or choose "
            "another name."
        )
    return place, there


def _check_folder_of(place: Path, path: str | Path) -> None:
    """Whether the folder of a file may be written to, or made."""
    folder = next(parent for parent in place.parents if parent.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(
            f"{path} cannot be written: the folder {folder} may not be written to; choose another."
        )


@contextmanager
def _as_input_error(path: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise InputError(
            f"{path} was made by another run meanwhile, and stays; what this one would have "
            "written is not kept. Choose another name, or allow it to be replaced.",
            "overwrite",
        ) from None
    except OSError as error:
        if error.errno == errno.ENOTEMPTY:  # a folder of that name
            raise InputError(
                f"{path} was made by another run meanwhile, and stays; choose another folder."
            ) from None
        raise InputError(about_file(path, error)) from None


@contextmanager
def _made_folders(folder: Path) -> Iterator[None]:
    """The folder and those above it, which go again where the block fails and nothing is in
    them.
    """
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for parent in missing:
            with suppress(OSError):
                parent.rmdir()
        raise


def _new_name(place: Path) -> Path:
    """A hidden name beside a place that nothing has."""
    return place.with_name(f".{place.stem[:40]}-{secrets.token_hex(4)}{place.suffix}")


def _put(beside: Path, place: Path, overwrite: bool) -> None:
    """Move a file into its place."""
    if not overwrite:
        _create(beside, place)
        return
    with suppress(FileNotFoundError):
        _take_after(beside, place.stat())
    beside.replace(place)


def _take_after(beside: Path, old: os.stat_result) -> None:
    """The mode and, where that is allowed, the owner of the file that is replaced."""
    if hasattr(os, "chown") and (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
        with suppress(PermissionError):
            os.chown(beside, old.st_uid, old.st_gid)
    beside.chmod(stat.S_IMODE(old.st_mode))


def _create(beside: Path, place: Path) -> None:
    """Give a file its name, never replacing what may have got the name meanwhile."""
    try:
        os.link(beside, place)
        return
    except FileExistsError:
        raise
    except (OSError, AttributeError):  # hard links are not possible here
        os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    try:
        beside.replace(place)
    except BaseException:
        place.unlink(missing_ok=True)
        raise


def _put_all(stage: Path, folder: Path, overwrite: bool) -> None:
    """Move all files of a folder into another one, or none."""
    names = sorted(path.relative_to(stage) for path in stage.rglob("*") if path.is_file())
    places = [Path(os.path.realpath(folder / name)) for name in names]
    old = stage / ".before"
    old.mkdir()
    done: list[tuple[Path, Path]] = []
    made: list[Path] = []
    try:
        for number, (name, place) in enumerate(zip(names, places, strict=True)):
            made += [p for p in (place.parent, *place.parent.parents) if not p.exists()]
            place.parent.mkdir(parents=True, exist_ok=True)
            if overwrite and place.exists():
                check_output(place, overwrite)
                linked_copy(place, old / str(number))
            _put(stage / name, place, overwrite)
            done.append((place, old / str(number)))
    except BaseException:
        _take_back(done, made)
        raise


def _take_back(done: Sequence[tuple[Path, Path]], made: Sequence[Path]) -> None:
    """Undo what `_put_all` did."""
    for place, before in done:
        if before.exists():
            before.replace(place)
        else:
            place.unlink(missing_ok=True)
    for folder in made:
        with suppress(OSError):
            folder.rmdir()
