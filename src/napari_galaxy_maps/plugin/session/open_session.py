"""Opens a session: at first its list of galaxies alone, then each galaxy when somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from ...data.recipe import Recipe
from ...exceptions import GalaxyMapsError, InputError
from ...measure.apertures.aperture import Aperture
from ...measure.apertures.photometry import Options
from ...prepare.masks.mask_set import Masks
from .kept_apertures import apertures_of
from .kept_maps import kept_maps, kept_masks
from .saved_galaxy import SavedFile, SavedGalaxy, SavedResult, SavedTruth
from .session_format import (
    FileEntry,
    FrontEntry,
    GalaxyEntry,
    GalaxySummary,
    MasksEntry,
    OptionsEntry,
    Part,
    ResultEntry,
    TruthEntry,
    front_of,
    galaxy_of,
    values_of,
)
from .session_parts import PartMemory, path_of, text_of

E = TypeVar("E")
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class UnreadGalaxy:
    """A galaxy in the folder of a session. It need not be read to be kept in the next one.

    Attributes
    ----------
    folder : Path
        The session's.
    summary : GalaxySummary
        What session.toml says of it: ``name``, ``files`` and ``results``, how many there are.
    memory : PartMemory
        Learns what lies where.
    problems : list of str
        What could not be read is told there.
    """

    folder: Path
    summary: GalaxySummary
    memory: PartMemory
    problems: list[str]

    @property
    def name(self) -> str:
        """As the window calls it."""
        return self.summary.name

    def entry(self) -> GalaxyEntry:
        """What its own file says.

        Raises
        ------
        InputError
            When that is missing, damaged or changed.
        """
        return _parsed(self.folder, self.summary.part, galaxy_of)

    def read(self) -> SavedGalaxy:
        """All of it; what cannot be read is left out, and told in the session's `problems`.

        Raises
        ------
        InputError
            When nothing can be read of it.
        """
        entry = self.entry()
        results = [
            self._unless_damaged(f"result {each.label!r}", self._result, each)
            for each in entry.results
        ]
        there = [result for result in results if result is not None]
        looked_at = results[entry.result] if 0 <= entry.result < len(results) else None
        truths = [
            self._unless_damaged(f"truth {each.name!r}", self._truth, each) for each in entry.truths
        ]
        return SavedGalaxy(
            name=entry.name,
            recipe=self._unless_damaged("settings", self._recipe, entry.recipe) or Recipe(),
            files=tuple(_file(each) for each in entry.files),
            masks=self._unless_damaged("masks", self._masks, entry.masks),
            masks_note=entry.masks_note,
            apertures=self._unless_damaged("apertures", self._apertures, entry.apertures) or (),
            options=_options(entry.options),
            results=tuple(there),
            result=_place(looked_at, there) if entry.result >= 0 else -1,
            truths=tuple(truth for truth in truths if truth is not None),
            view=entry.view,
        )

    def _unless_damaged(self, what: str, read: Callable[[E], T], entry: E | None) -> T | None:
        """What an entry stands for, or None where there is none or it cannot be read, which is
        told.
        """
        if entry is None:
            return None
        try:
            return read(entry)
        except GalaxyMapsError as error:
            problem = f"{self.name}: {what} left out. {error}"
            if problem not in self.problems:
                self.problems.append(problem)
            return None

    def _masks(self, entry: MasksEntry) -> Masks:
        return kept_masks(self.folder, entry, self.memory)

    def _apertures(self, part: Part) -> tuple[Aperture, ...]:
        return _parsed(self.folder, part, apertures_of)

    def _recipe(self, part: Part) -> Recipe:
        return Recipe.from_toml(text_of(self.folder, part), str(path_of(self.folder, part)))

    def _result(self, entry: ResultEntry) -> SavedResult:
        maps, masks = kept_maps(self.folder, entry.maps, self.memory)
        return SavedResult(
            entry.label,
            entry.made,
            maps,
            masks,
            self._recipe(entry.recipe),
            entry.saved,
            entry.inputs_changed,
        )

    def _truth(self, entry: TruthEntry) -> SavedTruth:
        if entry.maps is not None:
            maps, _ = kept_maps(self.folder, entry.maps, self.memory)
            return SavedTruth(entry.name, maps, entry.chosen)
        if entry.file is None:
            raise InputError("The session names no file for it; open it again.")
        return SavedTruth(entry.name, _file(entry.file), entry.chosen)


@dataclass(frozen=True, eq=False)
class Session:
    """What a person did in a window.

    Attributes
    ----------
    galaxies : tuple of SavedGalaxy or UnreadGalaxy
        In the order of the list; those of an opened session that nobody has looked at yet can stay
        unread.
    current : int
        Which of them is looked at.
    window : mapping
        The panels and the like, in plain values as `SavedGalaxy.view`.
    """

    galaxies: tuple[SavedGalaxy | UnreadGalaxy, ...]
    current: int = 0
    window: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class OpenedSession:
    """A session of which the list of galaxies has been read.

    Attributes
    ----------
    folder : Path
        Where it lies.
    program : str
        The version of the program that saved it.
    saved : datetime
        When.
    galaxies : tuple of UnreadGalaxy
        In the order of the list.
    current : int
        Which of them was looked at.
    """

    folder: Path
    program: str
    saved: datetime
    galaxies: tuple[UnreadGalaxy, ...]
    current: int
    _window: Part
    _problems: list[str] = field(default_factory=list)

    @property
    def problems(self) -> tuple[str, ...]:
        """What could not be read so far, a sentence each."""
        return tuple(self._problems)

    def galaxy(self, number: int) -> SavedGalaxy:
        """One of the galaxies; raises as `UnreadGalaxy.read`."""
        return self.galaxies[number].read()

    def window(self) -> Mapping[str, Any]:
        """How the window looked; empty where that cannot be read, which is told."""
        try:
            return _parsed(self.folder, self._window, values_of)
        except InputError as error:
            problem = f"How the window looked is not known any more. {error}"
            if problem not in self._problems:
                self._problems.append(problem)
            return {}


def open_session(folder: str | Path, memory: PartMemory | None = None) -> OpenedSession:
    """Open a session; only session.toml is read.

    Parameters
    ----------
    folder : path
        NAME.galaxymaps, or the session.toml in it.
    memory : PartMemory, optional
        Learns what lies where, so that it is not written again (`SessionWriter.open`).

    Raises
    ------
    InputError
        When it is no session, is damaged, or was saved by a newer version of the program.
    """
    folder = Path(folder).expanduser().absolute()
    if folder.is_file():
        folder = folder.parent
    front = front_of(folder)
    memory, problems = memory or PartMemory(), list[str]()
    galaxies = tuple(UnreadGalaxy(folder, each, memory, problems) for each in front.galaxies)
    current = min(max(front.current, 0), max(len(galaxies) - 1, 0))
    return OpenedSession(
        folder, front.program, saved_at(front), galaxies, current, front.window, problems
    )


def saved_at(front: FrontEntry) -> datetime:
    """When a session was saved; long ago where its file does not tell."""
    try:
        return datetime.fromisoformat(front.saved).astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.min.replace(tzinfo=UTC)


def _parsed(folder: Path, part: Part, parse: Callable[[str], T]) -> T:
    """What a text of the folder says; what is wrong with it names its file."""
    text = text_of(folder, part)
    try:
        return parse(text)
    except InputError as error:
        raise InputError(f"{path_of(folder, part)} is damaged ({error}).") from None


def _file(entry: FileEntry) -> SavedFile:
    return SavedFile(Path(entry.path), entry.sha256, entry.size, entry.label, entry.relative)


def _options(entry: OptionsEntry) -> Options:
    ring = (entry.background[0], entry.background[1]) if entry.background else None
    return Options(ring, entry.background_value, entry.correct_masked, entry.fill)


def _place(looked_at: SavedResult | None, there: list[SavedResult]) -> int:
    """Where the result is that was looked at; the last one is where that is damaged."""
    return there.index(looked_at) if looked_at is not None else len(there) - 1
