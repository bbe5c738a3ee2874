"""The jobs of the Mock panel: a mock galaxy made, opened as if its files had come from an archive,
and saved.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...progress import Progress
from ..eventloop import worker
from ..manifest import samples as sample_data
from . import open_files as loading

if TYPE_CHECKING:
    from ...mocks.mock import Mock
    from ..state.session import Session

TITLE = "Making a mock galaxy"
_FOLDERS: weakref.WeakKeyDictionary[Session, tempfile.TemporaryDirectory[str]] = (
    weakref.WeakKeyDictionary()
)
"""Where each session's mock lies; gone with the session, or when the next is there."""


@dataclass(frozen=True)
class Wishes:
    """What a person wants of a mock galaxy; None is drawn.

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


def make(
    session: Session,
    wishes: Wishes,
    on_progress: Callable[[Progress], None],
    on_made: Callable[[Mock], None],
    on_error: Callable[[str], None],
) -> worker.Job | None:
    """Make a mock galaxy in a thread and open it in place of what the session works on, which stays
    until then.

    Parameters
    ----------
    session : Session
    wishes : Wishes
    on_progress, on_made, on_error : callable
        Called in the main thread, with each sign of life, the mock, and the sentence of an error.
    """
    folder = tempfile.TemporaryDirectory(prefix="galaxy-maps-mock-", ignore_cleanup_errors=True)

    def steps() -> Generator[Progress, None, Mock]:
        from ...mocks.writing import mock_steps, view_for

        view = view_for(
            wishes.bands,
            wishes.size,
            wishes.pixel_arcsec,
            distance_mpc=wishes.distance_mpc,
            **wishes.options,
        )
        chosen = (wishes.kind, wishes.log_mass, wishes.inclination)
        mock, _ = yield from mock_steps(wishes.seed, view, Path(folder.name), *chosen)
        return mock

    def made(mock: Mock) -> None:
        on_made(mock)
        session.after_job(lambda: _open(session, folder))

    return worker.start(
        session, TITLE, steps, on_progress=on_progress, on_result=made, on_error=on_error
    )


def _open(session: Session, folder: tempfile.TemporaryDirectory[str]) -> None:
    session.start_over()
    _FOLDERS[session] = folder  # the one before is deleted
    sample_data.use_recipe(session, Path(folder.name))
    loading.add_paths(session, [folder.name])


def save(
    session: Session, mock: Mock, folder: str, done: Callable[[str], None]
) -> worker.Job | None:
    """Write a mock galaxy's files to a folder in a thread, as `galaxy-maps mock` does; files of the
    same name are replaced.
    """

    def steps() -> Generator[Progress, None, Any]:
        from ...mocks.writing import write_mock_steps

        return (yield from write_mock_steps(mock, Path(folder), overwrite=True))

    def saved(paths: list[Path]) -> None:
        done(f"{len(paths)} files are in {folder}.")

    return worker.start(
        session, "Saving the mock galaxy", steps, on_result=saved, on_error=session.note
    )
