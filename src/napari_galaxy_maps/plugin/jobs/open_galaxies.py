"""The galaxies that are open in one window: one is looked at, the others are put aside with their
files, results, masks, apertures and layers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from psygnal import Signal

from ...fits_io.safe_writing import readers
from ..canvas.layer_register import LayerRegister
from ..canvas.shown_galaxy import ShownGalaxy
from ..eventloop.idle_queue import IdleQueue
from ..eventloop.worker import JobRunner
from ..ground.put_aside import Part
from ..session.open_session import UnreadGalaxy
from ..state.galaxy_work import GalaxyWork
from ..state.project import Project
from ..state.sparing import nbytes_of, spare

KEPT_BYTES = 1.5e9
"""Images and prepared bands of galaxies that are put aside are kept while they take no more."""
_NUMBERS = count(1)


@dataclass(eq=False)
class OpenGalaxy:
    """A galaxy in the list.

    Attributes
    ----------
    states : dict of str to object
        What each part has put aside; of the galaxy that is looked at, what was put aside last.
    waiting : list
        Layers that were to be shown when it was put aside.
    unread : UnreadGalaxy or None
        Where it is in a session, as long as nobody has looked at it.
    own : bool
        Whether a person has saved that session.
    number : int
        In the order in which galaxies were begun.
    """

    states: dict[str, Any] = field(default_factory=dict)
    waiting: list[Any] = field(default_factory=list)
    unread: UnreadGalaxy | None = None
    own: bool = False
    number: int = field(default_factory=lambda: next(_NUMBERS))


class OpenGalaxies:
    """Begins, switches and closes galaxies.

    Parameters
    ----------
    project : Project
        The work on the galaxy that is looked at.
    layers : LayerRegister
        Its layers.
    parts : dict of str to Part
        Whatever else has a state for each galaxy; more may be added.
    runner : JobRunner
        Keeps what a job brings for the galaxy that it was begun for.
    idle : IdleQueue
        Layers that were to be shown wait until their galaxy is looked at again.
    """

    changed = Signal()
    """The list, or what is known of a galaxy in it."""
    entered = Signal()
    """Another galaxy is looked at, all of whose parts are there."""
    wanted = Signal(object)
    """A galaxy of a session is to be looked at and has to be read first."""
    edited = Signal()
    """What is masked or measured by hand in the galaxy that is looked at."""

    def __init__(
        self,
        project: Project,
        layers: LayerRegister,
        parts: dict[str, Part],
        runner: JobRunner,
        idle: IdleQueue,
    ):
        self.project, self.layers = project, layers
        self._runner, self._idle = runner, idle
        # The project knows where the sky is, without which no part can be drawn.
        self._parts: dict[str, Part] = {"project": project, "layers": layers, **parts}
        self.current = OpenGalaxy()
        self.all: list[OpenGalaxy] = [self.current]
        self._last: list[OpenGalaxy] = []
        """Those that are put aside, the one that was looked at last first."""
        runner.enter(self.current)
        for part in parts.values():
            self._listen(part)
        readers.add(self)  # nothing that is saved replaces an image that is open
        for signal in (project.name_changed, project.files_changed, project.results_changed):
            signal.connect(self._changed)

    def _changed(self) -> None:
        self.changed.emit()

    def add_part(self, name: str, part: Part) -> None:
        """One more part that has a state for each galaxy."""
        self._parts[name] = part
        self._listen(part)

    def _listen(self, part: Part) -> None:
        changed = getattr(part, "changed", None)
        if changed is not None:
            changed.connect(self._part_changed)

    def _part_changed(self, *_: Any) -> None:
        self.edited.emit()

    # What is open --------------------------------------------------------------------------------

    def work_of(self, galaxy: OpenGalaxy) -> GalaxyWork:
        """What is known of a galaxy."""
        if galaxy is self.current:
            return self.project
        work: GalaxyWork = galaxy.states["project"]
        return work

    def title(self, galaxy: OpenGalaxy) -> str:
        """What a person calls a galaxy: its name, else the folder of its files."""
        if galaxy.unread is not None:
            return galaxy.unread.name
        work = self.work_of(galaxy)
        if work.name:
            return work.name
        folders = {file.path.resolve().parent.name for file in work.files.found}
        if len(folders) == 1:
            return folders.pop()
        return "nothing opened yet" if work.is_empty else f"galaxy {galaxy.number}"

    def holding(self, path: Path) -> OpenGalaxy | None:
        """The galaxy that has a file already."""
        return next((each for each in self.all if self.work_of(each).holds(path)), None)

    def reads(self, place: Path) -> bool:
        """Whether a file is one of the images of a galaxy, or is named in its recipe."""
        return any(self.work_of(galaxy).reads(place) for galaxy in self.all)

    def state(self, galaxy: OpenGalaxy, name: str) -> Any:
        """What a part has for a galaxy; None where it has nothing yet."""
        if galaxy is self.current and name in self._parts:
            return self._parts[name].put_aside()
        return galaxy.states.get(name)

    # Changes -------------------------------------------------------------------------------------

    def begin(self) -> OpenGalaxy:
        """Look at a galaxy of which nothing is known yet; the one that is open if it is so."""
        if self.project.is_empty:
            return self.current
        galaxy = self.add(GalaxyWork())
        self.switch(galaxy)
        return galaxy

    def is_blank(self, galaxy: OpenGalaxy) -> bool:
        """Whether nothing has been opened of a galaxy."""
        return galaxy.unread is None and self.work_of(galaxy).is_empty

    @property
    def all_blank(self) -> bool:
        """Whether nothing has been opened at all."""
        return all(map(self.is_blank, self.all))

    def add_unread(self, unread: UnreadGalaxy, own: bool) -> OpenGalaxy:
        """A galaxy of a session, which is read when somebody looks at it."""
        galaxy = self.add(GalaxyWork())
        galaxy.unread, galaxy.own = unread, own
        return galaxy

    def add(self, work: GalaxyWork, **states: Any) -> OpenGalaxy:
        """A galaxy that is put aside until somebody looks at it.

        Parameters
        ----------
        work : GalaxyWork
            What is known of it.
        **states
            What other parts have for it, by their names.
        """
        galaxy = OpenGalaxy({"project": work, **states})
        self.all.append(galaxy)
        self._last.append(galaxy)
        self.changed.emit()
        return galaxy

    def switch(self, galaxy: OpenGalaxy) -> None:
        """Look at another galaxy; the one that was looked at is put aside as it is."""
        if galaxy is self.current or galaxy not in self.all:
            return
        if galaxy.unread is not None:
            self.wanted.emit(galaxy)
            return
        before = self.current
        before.waiting = self._idle.take()
        before.states = {name: part.put_aside() for name, part in self._parts.items()}
        self._last.insert(0, before)
        self._enter(galaxy)
        self._idle.add([self._spare])

    def _enter(self, galaxy: OpenGalaxy) -> None:
        self.current = galaxy
        if galaxy in self._last:
            self._last.remove(galaxy)
        for name, part in self._parts.items():
            part.take_up(galaxy.states.get(name))
        # Parts that are made later take up what there is for them then.
        galaxy.states = {n: state for n, state in galaxy.states.items() if n not in self._parts}
        for part in self._parts.values():
            announce = getattr(part, "announce", None)
            if announce is not None:
                announce()
        waiting, galaxy.waiting = galaxy.waiting, []
        self._idle.add(waiting)
        self._runner.enter(galaxy)
        self.changed.emit()
        self.entered.emit()

    def close(self, galaxy: OpenGalaxy) -> None:
        """Forget a galaxy, and take its layers away; the files stay on disk."""
        if galaxy not in self.all:
            return
        at = self.all.index(galaxy)
        self.all.remove(galaxy)
        self._runner.leave(galaxy)
        if galaxy is not self.current:
            self._last.remove(galaxy)
            self.layers.drop(galaxy.states.get("layers") or ShownGalaxy())
            self.changed.emit()
            return
        self._idle.clear()
        self.layers.clear()
        if not self.all:
            self.all.append(OpenGalaxy({"project": GalaxyWork()}))
        self._enter(self.all[min(at, len(self.all) - 1)])

    # Memory --------------------------------------------------------------------------------------

    def _spare(self) -> None:
        """Take the layers of all galaxies away but of the one that is looked at and the one before,
        and drop the images of those that were looked at longest ago: all can be made again.
        """
        kept = 0
        for i, galaxy in enumerate(self._last):
            work, shown = self.work_of(galaxy), galaxy.states.get("layers")
            kept += nbytes_of(work)
            spared = kept > KEPT_BYTES and spare(work)
            if shown is not None and (i or spared):
                self.layers.drop(shown)
                galaxy.waiting = []
