"""Writes a session into its folder: its parts first, under names of their own, and at the last step
the file that names them; until then the session that was there is whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from ... import __version__
from ...exceptions import InputError, about_file
from ...fits_io.safe_writing import check_output_folder, folder_written_whole, readers, write_text
from ...measure.apertures.photometry import Options
from ...progress import Progress, Steps
from .found_images import place_of, relative_to, whole_path
from .kept_apertures import apertures_text
from .kept_maps import keep_maps, keep_masks
from .open_session import OpenedSession, Session, UnreadGalaxy, open_session
from .saved_galaxy import SUFFIX, SavedFile, SavedGalaxy, SavedResult, SavedTruth
from .session_format import (
    FRONT,
    FileEntry,
    FrontEntry,
    GalaxyEntry,
    GalaxySummary,
    OptionsEntry,
    ResultEntry,
    TruthEntry,
    as_json,
    front_of,
    galaxy_of,
)
from .session_parts import PartMemory, PartWriter, is_part, left_parts, text_of

_LOCK = ".lock"
_OWN = re.compile(r"\.lock|galaxy-\d+|\.*(window|session)-.*")
"""What a session that was never finished has left."""
_WAIT = 10.0
"""Seconds that one who writes waits for another."""


class SessionWriter:
    """Writes sessions, and remembers what lies where: what has not changed is not written again."""

    def __init__(self) -> None:
        self.memory = PartMemory()

    def open(self, folder: str | Path) -> OpenedSession:
        """As `open_session`; what is read is not written again."""
        return open_session(folder, self.memory)

    def write(self, folder: str | Path, session: Session) -> Steps[Path]:
        """Write a session.

        Parameters
        ----------
        folder : path
            By custom NAME.galaxymaps. A session that is there is replaced as a whole.
        session : Session
            What is to be kept. Galaxies that nobody has read stay in the session that they are of;
            after saving under another name, open that for them.

        Yields
        ------
        Progress
            Before each galaxy.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        InputError
            When there is a folder with other files, a session of a newer version or one that is
            being written, a file of it is open as an image, or it cannot be written.
        """
        folder = Path(folder).expanduser().absolute()
        place = check_output_folder(folder)
        if not place.exists():
            with folder_written_whole(folder) as stage:
                writer = PartWriter(stage, place, self.memory)
                yield from _write(writer, folder, session)
            writer.remember()
            return folder
        with _as_input_error(folder), _alone(place):
            before = _parts_of(folder)
            writer = PartWriter(place, place, self.memory)
            try:
                yield from _write(writer, folder, session)
            except BaseException:
                writer.undo()
                raise
            writer.remember()
            _sweep(place, before - writer.named)
        return folder


def write_session(folder: str | Path, session: Session) -> Steps[Path]:
    """Write a session once; see `SessionWriter.write`."""
    return SessionWriter().write(folder, session)


def _write(writer: PartWriter, folder: Path, session: Session) -> Steps[None]:
    summaries = []
    total = len(session.galaxies)
    names = _folders(writer, session.galaxies)
    for number, (name, galaxy) in enumerate(zip(names, session.galaxies, strict=True)):
        yield Progress("save", number, total, galaxy.name)
        summaries.append(_summary(writer, name, folder, galaxy))
    front = FrontEntry(
        program=__version__,
        saved=datetime.now(UTC).isoformat(timespec="milliseconds"),
        current=session.current,
        window=writer.text("window", "json", as_json(session.window)),
        galaxies=summaries,
    )
    import tomli_w

    write_text(writer.root / FRONT, tomli_w.dumps(front.model_dump()), overwrite=True)


def _folders(writer: PartWriter, galaxies: Sequence[SavedGalaxy | UnreadGalaxy]) -> list[str]:
    """The folder of each galaxy. What is unread stays where it is, so that it can be read later."""
    own = [
        Path(galaxy.summary.part.path).parent.name
        if isinstance(galaxy, UnreadGalaxy) and writer.is_place(galaxy.folder)
        else ""
        for galaxy in galaxies
    ]
    free = (name for number in count(1) if (name := f"galaxy-{number}") not in own)
    return [name or next(free) for name in own]


def _summary(
    writer: PartWriter, name: str, folder: Path, galaxy: SavedGalaxy | UnreadGalaxy
) -> GalaxySummary:
    """Write a galaxy, and what session.toml says of it."""
    if isinstance(galaxy, SavedGalaxy):
        entry = _galaxy(writer, name, folder, galaxy)
    else:
        try:
            entry = _unread(writer, name, folder, galaxy)
        except InputError:  # it is damaged, and stays so: it is told whenever somebody looks
            kept = writer.keep(galaxy.summary.part, galaxy.folder, name)
            return galaxy.summary.model_copy(update={"part": kept})
    return GalaxySummary(
        name=galaxy.name.encode("utf-8", "replace").decode(),
        files=len(entry.files),
        results=len(entry.results),
        part=writer.text(f"{name}/galaxy", "json", as_json(entry.model_dump())),
    )


def _galaxy(writer: PartWriter, name: str, folder: Path, galaxy: SavedGalaxy) -> GalaxyEntry:
    return GalaxyEntry(
        name=galaxy.name,
        recipe=writer.text(f"{name}/recipe", "toml", galaxy.recipe.to_toml()),
        files=[_file(file, folder) for file in galaxy.files],
        masks=keep_masks(writer, f"{name}/masks", galaxy.masks),
        masks_note=galaxy.masks_note,
        apertures=writer.text(f"{name}/apertures", "ecsv", apertures_text(galaxy.apertures))
        if galaxy.apertures
        else None,
        options=_options(galaxy.options),
        results=[_result(writer, name, result) for result in galaxy.results],
        result=galaxy.result,
        truths=[_truth(writer, name, folder, truth) for truth in galaxy.truths],
        view=dict(galaxy.view),
    )


def _result(writer: PartWriter, name: str, result: SavedResult) -> ResultEntry:
    return ResultEntry(
        label=result.label,
        made=result.made,
        maps=keep_maps(writer, f"{name}/maps", result.maps, result.masks),
        recipe=writer.text(f"{name}/recipe", "toml", result.recipe.to_toml()),
        saved=result.saved,
        inputs_changed=result.inputs_changed,
    )


def _truth(writer: PartWriter, name: str, folder: Path, truth: SavedTruth) -> TruthEntry:
    source = truth.source
    entry = TruthEntry(name=truth.name, maps=None, file=None, chosen=truth.chosen)
    if isinstance(source, SavedFile):
        entry.file = _file(source, folder)
    else:
        entry.maps = keep_maps(writer, f"{name}/truth", source, None)
    return entry


def _file(file: SavedFile, folder: Path) -> FileEntry:
    return FileEntry(
        path=str(whole_path(file.path)),
        relative=relative_to(file.path, folder),
        sha256=file.checksum,
        size=file.size,
        label=file.label,
    )


def _options(options: Options) -> OptionsEntry:
    return OptionsEntry(
        background=[float(edge) for edge in options.background] if options.background else None,
        background_value=options.background_value,
        correct_masked=options.correct_masked,
        fill=options.fill,
    )


def _unread(writer: PartWriter, name: str, folder: Path, galaxy: UnreadGalaxy) -> GalaxyEntry:
    """The entry of a galaxy whose parts are kept as they are."""
    entry = galaxy.entry()
    for part in entry.parts():
        part.path = writer.keep(part, galaxy.folder, name).path
    for file in (*entry.files, *(truth.file for truth in entry.truths if truth.file)):
        if not writer.is_place(galaxy.folder):
            path = place_of(Path(file.path), file.relative, galaxy.folder)
            file.path, file.relative = str(path), relative_to(path, folder)
    return entry


def _parts_of(folder: Path) -> set[str]:
    """Paths of the parts of the session that is there, and of what an earlier one that was killed
    has left.

    Raises
    ------
    InputError
        When there are other files, or a session that is damaged or of a newer version.
    """
    if not (folder / FRONT).exists():
        if any(not _OWN.fullmatch(path.name) for path in folder.iterdir()):
            raise InputError(
                f"{folder} is a folder with other files, which are never replaced; choose another "
                f"name, as in NAME{SUFFIX}."
            )
        return left_parts(folder)
    front = front_of(folder)
    parts = [front.window, *(galaxy.part for galaxy in front.galaxies)]
    left = left_parts(folder)
    for galaxy in front.galaxies:
        try:
            parts += galaxy_of(text_of(folder, galaxy.part)).parts()
        except InputError:  # what it named stays, for a person to save what can be saved
            left = set()
    return left | {part.path for part in parts if is_part(folder, part)}


def _sweep(place: Path, names: set[str]) -> None:
    """Take away parts that no session names any more, unless somebody has opened one."""
    for name in names:
        path = place / name
        if not any(reader.reads(path) for reader in tuple(readers)):
            with suppress(OSError):
                path.unlink()
    for folder in {(place / name).parent for name in names} - {place}:
        with suppress(OSError):
            folder.rmdir()


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """While this lasts no other window writes to the folder."""
    from filelock import FileLock, Timeout

    lock = FileLock(place / _LOCK, thread_local=False)
    try:
        lock.acquire(timeout=_WAIT)
    except Timeout:
        raise InputError(
            f"{place} is being saved by another window; try again in a moment, or choose another "
            "name."
        ) from None
    except (OSError, NotImplementedError):  # no locks there; what is wrong else shows in writing
        pass
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _as_input_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(about_file(error.filename or folder, error)) from None
