"""Sessions that windows save by themselves, so that a crash or a closed window loses nothing."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ...exceptions import InputError
from ...progress import Steps
from .open_session import Session, open_session
from .saved_galaxy import SUFFIX
from .session_format import FRONT
from .write_session import SessionWriter

if TYPE_CHECKING:
    from filelock import BaseFileLock

_AT_MOST = 10
_LOCK, _SESSION, _CLOSED = "lock", f"session{SUFFIX}", "closed"


def state_folder() -> Path:
    """Where windows save by themselves: as the system has it, or as GALAXY_MAPS_STATE names it."""
    import platformdirs

    named = os.environ.get("GALAXY_MAPS_STATE")
    return Path(named or platformdirs.user_state_path("napari-galaxy-maps")).expanduser()


@dataclass(frozen=True)
class LastState:
    """A session that a window has saved by itself, which no window has open.

    Attributes
    ----------
    folder : Path
        Of the session, to open.
    saved : datetime
        When it was saved last.
    galaxies : tuple of str
        Their names.
    crashed : bool
        Whether the window ended without being closed.
    """

    folder: Path
    saved: datetime
    galaxies: tuple[str, ...]
    crashed: bool


@dataclass
class KeptState:
    """What one window saves by itself. Nothing is there before the first `write`.

    Attributes
    ----------
    folder : Path
        Of the session.
    writer : SessionWriter
        Remembers what has not changed.
    """

    folder: Path
    writer: SessionWriter
    _lock: BaseFileLock | None = None
    _told: bool = field(default=False)

    def write(self, session: Session) -> Steps[str]:
        """Save the session.

        Returns
        -------
        str
            Why it could not be saved, in a sentence, the first time; else empty. No error of the
            disk is raised.
        """
        try:
            self._begin()
            yield from self.writer.write(self.folder, session)
        except (InputError, OSError) as error:
            if self._told:
                return ""
            self._told = True
            return (
                f"What you do is not kept by itself, so save it now and then: {error} Name another "
                "folder with the environment variable GALAXY_MAPS_STATE."
            )
        return ""

    def end(self, clean: bool) -> None:
        """The window is closed; `clean` tells that nothing went wrong."""
        if self._lock is None:
            return
        if clean:
            with suppress(OSError):
                (self.folder.parent / _CLOSED).touch()
        self._lock.release()
        self._lock = None

    def _begin(self) -> None:
        if self._lock is not None:
            return
        home = self.folder.parent
        home.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(home)
        _keep_the_newest(home)


def begin_state(writer: SessionWriter | None = None) -> KeptState:
    """A state for a window that opens.

    Parameters
    ----------
    writer : SessionWriter, optional
        The window's, which knows what its other sessions hold.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    home = state_folder() / f"{stamp}-{secrets.token_hex(2)}"
    return KeptState(home / _SESSION, writer or SessionWriter())


def last_states() -> list[LastState]:
    """The sessions that can be offered, the newest first: not those of windows that still run."""
    found = []
    for home in filter(_is_left, _homes()):
        with suppress(InputError, OSError):
            session = open_session(home / _SESSION)
            names = tuple(galaxy.name for galaxy in session.galaxies)
            closed = (home / _CLOSED).exists()
            found.append(LastState(session.folder, session.saved, names, not closed))
    return sorted(found, key=lambda state: state.saved, reverse=True)


def _keep_the_newest(own: Path) -> None:
    """Take away the oldest states of windows that are closed, so that there are not too many."""
    others = sorted((home for home in _homes() if home != own), key=_last_change)
    surplus = len(others) + 1 - _AT_MOST
    for home in others:
        if surplus > 0 and _take_away(home):
            surplus -= 1


def _take_away(home: Path) -> bool:
    """Remove a state, unless its window runs; whether it is gone."""
    if _is_left(home):
        shutil.rmtree(home, ignore_errors=True)
    return not home.exists()


def _homes() -> list[Path]:
    """The folders of all states."""
    try:
        return [path for path in state_folder().iterdir() if path.is_dir()]
    except OSError:
        return []


def _last_change(home: Path) -> float:
    """When a state was saved last, or begun."""
    for path in (home / _SESSION / FRONT, home):
        with suppress(OSError):
            return path.stat().st_mtime
    return 0.0


def _is_left(home: Path) -> bool:
    """Whether no window has a state any more."""
    try:
        lock = _locked(home)
    except OSError:  # not ours
        return False
    if lock is not None:
        lock.release()
    return lock is not None


def _locked(home: Path) -> BaseFileLock | None:
    """The lock of a state, or None where a window that runs has it."""
    from filelock import FileLock, SoftFileLock, Timeout

    for kind in (FileLock, SoftFileLock):
        lock = kind(home / _LOCK, thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return None
        except NotImplementedError:  # this disk has no locks
            continue
        return lock
    return None
