"""Makes a mock galaxy, opens it as if its files had come from an archive, and saves it."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...progress import Steps
from ..eventloop.worker import Job, JobRunner
from ..state.project import Project
from .open_files import FileOpener

if TYPE_CHECKING:
    from ...mocks.mock import Mock


TITLE = "Making a mock galaxy"


@dataclass(frozen=True)
class MockSettings:
    """What a person asks of a mock galaxy; None is drawn.

    `options` are those of `mocks.View` beside its size, pixel, bands and distance.
    """

    seed: int
    kind: str | None
    log_mass: float | None
    inclination: float | None
    distance_mpc: float | None
    bands: str
    size: int
    pixel_arcsec: float | None
    options: dict[str, float]


class _Folder:
    """A folder for a mock, deleted when nobody holds it any more.

    (`tempfile.TemporaryDirectory` would warn that nobody had deleted it.)
    """

    def __init__(self) -> None:
        self.name = tempfile.mkdtemp(prefix="galaxy-maps-mock-")
        weakref.finalize(self, shutil.rmtree, self.name, ignore_errors=True)


class MockMaker:
    """The jobs about mock galaxies.

    Parameters
    ----------
    project : Project
        Takes the mock's recipe.
    runner : JobRunner
        Runs the jobs.
    opener : FileOpener
        Opens the mock's files.
    begin : callable
        Begins another galaxy beside those that are open.
    """

    def __init__(
        self,
        project: Project,
        runner: JobRunner,
        opener: FileOpener,
        begin: Callable[[], object],
    ):
        self.project, self.runner = project, runner
        self._opener, self._begin = opener, begin
        self._folders: list[_Folder] = []
        """Where the mocks lie; gone with the workspace."""

    def make(
        self,
        settings: MockSettings,
        on_made: Callable[[Mock], None],
        on_error: Callable[[str], None],
    ) -> Job | None:
        """Make a mock galaxy in a thread and open it beside what is open.

        Parameters
        ----------
        settings : MockSettings
            What is asked of it.
        on_made, on_error : callable
            Called in the main thread, with the mock and with the sentence of an error.
        """
        folder = _Folder()

        def steps() -> Steps[Mock]:
            from ...mocks.writing import mock_steps, view_for

            view = view_for(
                settings.bands,
                settings.size,
                settings.pixel_arcsec,
                distance_mpc=settings.distance_mpc,
                **settings.options,
            )
            chosen = (settings.kind, settings.log_mass, settings.inclination)
            mock, _ = yield from mock_steps(settings.seed, view, Path(folder.name), *chosen)
            return mock

        def made(mock: Mock) -> None:
            on_made(mock)
            self.runner.after_job(lambda: self._open(folder))

        return self.runner.start(TITLE, steps, on_result=made, on_error=on_error)

    def _open(self, folder: _Folder) -> None:
        self._begin()
        self._folders.append(folder)
        self.project.take_recipe_in(Path(folder.name))
        self._opener.add_paths([folder.name])

    def save(self, mock: Mock, folder: str, done: Callable[[str], None]) -> Job | None:
        """Write a mock galaxy's files to a folder in a thread, as `galaxy-maps mock` does; files of
        the same name are replaced.
        """

        def steps() -> Steps[list[Path]]:
            from ...mocks.writing import write_mock_steps

            return (yield from write_mock_steps(mock, Path(folder), overwrite=True))

        def saved(paths: list[Path]) -> None:
            done(f"{len(paths)} files are in {folder}.")

        return self.runner.start(
            "Saving the mock galaxy",
            steps,
            on_result=saved,
        )
