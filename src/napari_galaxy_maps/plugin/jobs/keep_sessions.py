"""Sessions: what a person did in the window is saved into a folder and comes back, and is saved by
itself besides.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from psygnal import Signal

from ...exceptions import GalaxyMapsError
from ...progress import Progress, Steps, run_to_end
from ..canvas.map_views import MapViews
from ..eventloop import worker
from ..eventloop.worker import Job, JobRunner
from ..ground import viewers
from ..ground.window_words import words_of
from ..session.found_images import Checksums, find_images, found_in
from ..session.kept_states import KeptState, LastState, begin_state, last_states
from ..session.open_session import OpenedSession, Session, UnreadGalaxy
from ..session.write_session import SessionWriter
from .open_files import FileOpener
from .open_galaxies import OpenGalaxies, OpenGalaxy
from .refresh_maps import MapRefresher
from .saved_states import (
    Draft,
    Restored,
    draft_of,
    restore_steps,
    saved_galaxy,
    words_of_changed,
)

_PAUSE_MS = 3000
"""So long after the last change the state is saved by itself."""


class Sessions:
    """Saves and opens sessions.

    Parameters
    ----------
    galaxies : OpenGalaxies
        What is saved.
    opener : FileOpener
        Reads the images of a galaxy that comes back.
    views : MapViews
        How maps are coloured is part of the window.
    refresher : MapRefresher
        Whether maps follow edits is, too.
    runner : JobRunner
        Runs the jobs.
    """

    changed = Signal()
    """What could be offered, or where the session lies."""

    def __init__(
        self,
        galaxies: OpenGalaxies,
        opener: FileOpener,
        views: MapViews,
        refresher: MapRefresher,
        runner: JobRunner,
    ):
        self.galaxies, self.opener, self.views = galaxies, opener, views
        self.project, self.refresher, self._runner = galaxies.project, refresher, runner
        self.folder: Path | None = None
        """Where the session was saved or opened last."""
        self.offered: list[LastState] = []
        """What windows before this one have left, the newest first."""
        self.panel: Callable[[], str] | None = None
        """The panel in front; set by who shows panels."""
        self.raise_panel: Callable[[str], None] | None = None
        """Brings a panel to the front."""
        self._writer, self._checksums = SessionWriter(), Checksums()
        self._state: KeptState | None = None
        self._timer: Any = None
        self._writing = self._again = False
        self._opened: OpenedSession | None = None
        galaxies.wanted.connect(self._read_galaxy)

    # Saving --------------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> Job | None:
        """Save the session into a folder; what is in it is saved then."""
        folder = Path(folder)
        if self._opened is not None and self._opened.problems and folder == self._opened.folder:
            sentence = (
                f"{folder.name} is damaged: {self._opened.problems[0]} Save under another name, so "
                "that nothing more of it is lost."
            )
            self.project.show_problem(sentence)
            return None
        session_now = self._session_now()
        unsaved = [r for galaxy in self.galaxies.all for r in self.galaxies.work_of(galaxy).unsaved]

        def steps() -> Steps[OpenedSession]:
            yield from self._writer.write(folder, session_now())
            return self._writer.open(folder)

        def saved(opened: OpenedSession) -> None:
            self.folder, self._opened = folder, opened
            for result in unsaved:
                result.saved = True
            # What nobody has looked at yet is from now on read from the new folder.
            for galaxy, there in zip(self.galaxies.all, opened.galaxies, strict=False):
                if galaxy.unread is not None:
                    galaxy.unread = there
            self.project.results_changed.emit()
            self.project.show_message(f"The session is saved in {folder}.")
            self.changed.emit()

        return self._runner.start("Saving the session", steps, on_result=saved)

    def _drafts(self) -> list[Draft | UnreadGalaxy]:
        galaxies, drafts = self.galaxies, list[Draft | UnreadGalaxy]()
        for galaxy in galaxies.all:
            if galaxy.unread is not None:
                drafts.append(galaxy.unread)
                continue
            names = ("masks", "apertures", "d25")
            states = {name: galaxies.state(galaxy, name) for name in names}
            shown = galaxy.states.get("layers")
            if galaxy is galaxies.current:
                shown = galaxies.layers.state_now()
            work = galaxies.work_of(galaxy)
            drafts.append(draft_of(galaxies.title(galaxy), work, states | {"layers": shown}))
        return drafts

    def _session_now(self) -> Callable[[], Session]:
        """What is open just now; called in another thread it hashes what has to be, and gives the
        session.
        """
        drafts, window = self._drafts(), self._window()
        number = self.galaxies.all.index(self.galaxies.current)

        def make() -> Session:
            saved = (
                saved_galaxy(draft, self._checksums) if isinstance(draft, Draft) else draft
                for draft in drafts
            )
            return Session(tuple(saved), number, window)

        return make

    def _window(self) -> dict[str, Any]:
        return {
            "panel": self.panel() if self.panel is not None else "",
            "usual": self.views.usual,
            "hatched": self.views.layers.doubtful.on,
            "follow": self.refresher.on,
        }

    # Opening -------------------------------------------------------------------------------------

    def open(self, folder: str | Path, own: bool = True) -> Job | None:
        """Open a session beside the galaxies that are open; the one that was looked at is read
        first, each other one when somebody looks at it.

        Parameters
        ----------
        folder : path
            The session's.
        own : bool
            Whether a person has saved it, rather than a window by itself.
        """
        folder = Path(folder)

        def steps() -> Steps[tuple[OpenedSession, dict[str, Any], Restored | None]]:
            yield Progress("open", 0, 1, folder.name)
            opened = self._writer.open(folder)
            window = dict(opened.window())
            if not opened.galaxies:
                return opened, window, None
            restored = yield from self._restored(opened.galaxies[opened.current], own)
            return opened, window, restored

        def take(found: tuple[OpenedSession, dict[str, Any], Restored | None]) -> None:
            opened, window, restored = found
            self._opened = opened
            if own:
                self.folder = folder
            self._take_window(window)
            before = self.galaxies.current if self.project.is_empty else None
            added = [self.galaxies.add_unread(there, own) for there in opened.galaxies]
            if restored is not None:
                self._take(added[opened.current], restored)
            if before is not None and added:
                self.galaxies.close(before)
            for sentence in opened.problems:
                self.project.show_problem(sentence)
            self.changed.emit()

        return self._runner.start("Opening the session", steps, on_result=take)

    def _restored(self, unread: UnreadGalaxy, own: bool) -> Steps[Restored]:
        saved = unread.read()
        restored = yield from restore_steps(saved, unread.folder, self._checksums)
        if own:
            for result in restored.states["project"].results:
                result.saved = True
        return restored

    def _read_galaxy(self, galaxy: OpenGalaxy) -> None:
        """Somebody looks at a galaxy of a session that has not been read yet."""
        unread = galaxy.unread
        if unread is None:
            return
        own = galaxy.own

        def steps() -> Steps[Restored]:
            return (yield from self._restored(unread, own))

        self._runner.after_job(lambda: self._start_reading(galaxy, steps))

    def _start_reading(self, galaxy: OpenGalaxy, steps: Callable[[], Steps[Restored]]) -> None:
        if galaxy.unread is None:
            return  # it was asked for twice
        self._runner.start(
            f"Opening {self.galaxies.title(galaxy)}",
            steps,
            on_result=lambda restored: self._take(galaxy, restored),
        )

    def _take(self, galaxy: OpenGalaxy, restored: Restored) -> None:
        if galaxy not in self.galaxies.all:
            return  # it was closed meanwhile
        galaxy.unread, galaxy.states = None, restored.states
        self.galaxies.switch(galaxy)
        notes = list(restored.notes)
        if self.project.missing:
            notes.append(words_of_missing(len(self.project.missing)))
        if notes:
            self.project.show_message(" ".join(notes))
        # Beside the window: all files are read for it.
        saved, folder = restored.saved, restored.folder
        worker.fetch(
            lambda: words_of_changed(find_images(saved.files, folder, self._checksums).changed),
            lambda words: self._tell_changed(galaxy, words),
        )

    def _tell_changed(self, galaxy: OpenGalaxy, words: str) -> None:
        if words and galaxy is self.galaxies.current:
            self.project.show_problem(words)

    def _take_window(self, window: dict[str, Any]) -> None:
        self.views.usual = bool(window.get("usual", self.views.usual))
        doubtful = self.views.layers.doubtful
        doubtful.switch(bool(window.get("hatched", doubtful.on)))
        self.refresher.switch(bool(window.get("follow", self.refresher.on)))
        if window.get("panel") and self.raise_panel is not None:
            self.raise_panel(str(window["panel"]))

    def find_missing(self, folder: str | Path) -> Job | None:
        """Look for the files that were not found in a folder and those below it."""
        project = self.project
        missing = project.missing

        def steps() -> Steps[Any]:
            yield Progress("open", 0, 1, Path(folder).name)
            return found_in(Path(folder), missing, self._checksums)

        def found(result: Any) -> None:
            project.missing = result.missing
            if result.found:
                self.opener.add_paths(result.found.values(), join=True)
            words = f"{len(result.found)} of {len(missing)} files are found."
            project.show_message(f"{words} {words_of_changed(result.changed)}".strip())
            project.files_changed.emit()

        return self._runner.start("Looking for files", steps, on_result=found)

    # By itself -----------------------------------------------------------------------------------

    def keep(self) -> None:
        """From now on what a person does is saved by itself, and what windows before have left is
        offered.
        """
        if self._state is not None:
            return
        self._state = begin_state(self._writer)
        for signal in (
            self.project.results_changed,
            self.project.recipe_changed,
            self.project.files_changed,
            self.project.truths_changed,
            self.galaxies.changed,
            self.galaxies.edited,
            self.views.changed,
        ):
            signal.connect(self._soon)
        worker.fetch(last_states, self._offer)

    def _offer(self, states: list[LastState]) -> None:
        self.offered = [state for state in states if state.galaxies]
        if self.offered:
            self.changed.emit()

    def decline(self) -> None:
        """Offer what was left no more; it stays on the disk until ten newer ones are there."""
        self.offered = []
        self.changed.emit()

    def _soon(self, *_: Any) -> None:
        from qtpy.QtCore import QTimer
        from qtpy.QtWidgets import QApplication

        if QApplication.instance() is None:
            return
        if self._timer is None:
            self._timer = QTimer()
            self._timer.setSingleShot(True)
            self._timer.timeout.connect(self.keep_now)
        self._timer.start(_PAUSE_MS)

    def keep_now(self) -> None:
        """Save the state by itself, in a thread."""
        state = self._state
        if state is None or self.galaxies.layers.is_closed:
            return
        if self.galaxies.all_blank:
            return
        if self._writing:
            self._again = True
            return
        self._writing = True
        session_now = self._session_now()

        def write() -> str:
            try:
                return run_to_end(state.write(session_now()))
            except GalaxyMapsError as error:
                return words_of(error)

        worker.fetch(write, self._kept)

    def _kept(self, problem: str) -> None:
        self._writing = False
        if problem:
            self.project.show_message(problem)
        if self._again:
            self._again = False
            self._soon()

    def end(self) -> None:
        """The window is closed as it should be."""
        self._timer = None
        if self._state is not None:
            self._state.end(clean=True)

    def watch_closing(self, viewer: Any, ask: Callable[[str], str]) -> None:
        """Ask before the window is closed with results that are nowhere saved.

        Parameters
        ----------
        viewer : napari.viewer.Viewer
            Whose window it is.
        ask : callable
            Given the question, asks a person: ``"close"``, or empty to stay.
        """
        viewers.ask_before_closing(viewer, lambda: self._may_close(ask), self.keep_at_once)

    def _may_close(self, ask: Callable[[str], str]) -> bool | None:
        question = self.words_of_unsaved()
        if not question:
            return None
        return ask(question) == "close"

    def keep_at_once(self) -> None:
        """Save the state here and now: the window is about to go."""
        if self._state is not None and not self.galaxies.all_blank:
            run_to_end(self._state.write(self._session_now()()))

    def words_of_unsaved(self) -> str:
        """The results that are in no file and no session, as a question; empty where there are
        none.
        """
        lines = []
        for galaxy in self.galaxies.all:
            unsaved = self.galaxies.work_of(galaxy).unsaved
            if unsaved:
                labels = ", ".join(result.label for result in unsaved)
                lines.append(f"{self.galaxies.title(galaxy)}: {labels}")
        if not lines:
            return ""
        return "These results are not saved:\n\n" + "\n".join(lines)


def words_of_missing(count: int) -> str:
    """That files of a session were not found, in words."""
    files = "1 file" if count == 1 else f"{count} files"
    verb = "was" if count == 1 else "were"
    return f"{files} of the session {verb} not found where it lay; the rest is open."
