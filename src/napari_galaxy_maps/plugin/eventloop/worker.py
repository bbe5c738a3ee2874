"""The one place for threads: runs a generator of `Progress` beside the window, with progress,
cancelling and words.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from napari.qt.threading import create_worker
from napari.utils import progress
from napari.utils.notifications import Notification, notification_manager, show_info, show_warning
from qtpy.QtCore import QTimer
from superqt.utils import FunctionWorker, GeneratorWorker

from ...exceptions import GalaxyMapsError
from ...progress import Progress
from . import garbage_collection as collector

if TYPE_CHECKING:
    from ..state.session import Session

LOGGER = logging.getLogger("napari_galaxy_maps")
_BAR_MS = 100
_SWITCH_S = 5e-4
_USUAL_SWITCH_S = sys.getswitchinterval()


class Failure(Exception):
    """Carries an error out of a worker.

    superqt swallows a `RuntimeError` (torch's out-of-memory is one) without ever saying that the
    worker finished.
    """


class _Worker(GeneratorWorker):
    """A generator worker that leaves all words to `Job` and closes its generator when it is
    cancelled.
    """

    def work(self) -> Any:
        try:
            return super().work()
        finally:
            self._gen.close()


class Job:
    """A piece of work under way in a thread.

    Parameters
    ----------
    session : Session
        Whose work it is.
    title : str
        What is being done, e.g. ``"Predicting"``.
    worker : GeneratorWorker
        The thread.
    """

    def __init__(self, session: Session, title: str):
        self.session = session
        self.title = title
        self.cancelled = False
        self.last: Progress | None = None
        """The last sign of life."""
        self.worker: GeneratorWorker | None = None
        self.on_sign: Callable[[], None] | None = None
        self._bar: progress | None = None
        self._barred: Progress | None = None

    def cancel(self) -> None:
        """Stop at the next sign of life; what is shown stays."""
        self.cancelled = True
        if self.worker is not None:
            self.worker.quit()

    def _begin(self) -> None:
        self._bar = progress(total=0, desc=self.title)
        # napari's bars process events whenever they change: done in the middle of a signal, the
        # next signals would overtake it. A timer has nothing after it that could be overtaken.
        self._timer = QTimer()
        self._timer.timeout.connect(self._move_bar)
        self._timer.start(_BAR_MS)

    def _advance(self, sign: Progress) -> None:
        self.last = sign

    def _move_bar(self) -> None:
        bar, sign = self._bar, self.last
        if bar is None or sign is None or sign is self._barred:
            return
        self._barred = sign
        if self.on_sign is not None:
            self.on_sign()
        if sign.total > 0 and bar.total != sign.total:
            bar.total = sign.total
        bar.n = sign.done
        bar.update(0)
        bar.set_description(f"{self.title}: {sign.step}")

    def _end(self) -> None:
        if self._bar is not None:
            self._timer.stop()
            self._bar.close()
            self._bar = None


def start(
    session: Session,
    title: str,
    steps: Callable[[], Generator[Progress, None, Any]],
    *,
    on_progress: Callable[[Progress], None] | None = None,
    on_result: Callable[[Any], None] | None = None,
    on_error: Callable[[str], None] | None = None,
    on_end: Callable[[], None] | None = None,
    quiet: bool = False,
    litters: bool = False,
    bar: bool = True,
) -> Job | None:
    """Run a generator of `Progress` in a thread, one at a time per viewer.

    Parameters
    ----------
    session : Session
        Its `job` is set while the work lasts.
    title : str
        What is being done, for the person.
    steps : callable
        Makes the generator; runs in the thread, as does the generator.
    on_progress, on_result, on_error, on_end : callable, optional
        Called in the main thread: at every sign of life, with what the generator returns, with the
        sentence of an error, and when all is over, whichever way it went.
    quiet : bool
        Say nothing when another job is running.
    litters : bool
        The work leaves large reference cycles behind (open FITS files do), which are to be
        collected while it lasts.

    bar : bool
        Show a progress bar; work of a moment needs none.

    Returns
    -------
    Job or None
        None when another job is running.
    """
    if session.job is not None:
        if not quiet:
            show_info(f"{session.job.title} is still under way; wait for it or cancel it.")
        return None
    job = Job(session, title)

    def guarded() -> Generator[Progress, None, Any]:
        try:
            return (yield from steps())
        except GeneratorExit:
            raise
        except Exception as error:
            raise Failure(str(error)) from error

    def errored(error: Exception) -> None:
        cause = (
            error.__cause__ if isinstance(error, Failure) and error.__cause__ is not None else error
        )
        sentence = report(cause, title)
        if on_error is not None:
            on_error(sentence)

    def returned(result: Any) -> None:
        if on_result is not None and not job.cancelled:
            on_result(result)

    def advanced(sign: Progress) -> None:
        job._advance(sign)
        if on_progress is not None and not job.cancelled:
            on_progress(sign)

    def finished() -> None:
        # Not on `returned`: after an error the bar would spin for ever.
        job._end()
        sys.setswitchinterval(_USUAL_SWITCH_S)
        collector.let_go("job")
        if on_end is not None:
            on_end()
        session.job_ended()

    # Every call into Qt or OpenGL gives the interpreter away, to get it back from a busy thread
    # only after the switch interval: 5 ms a call add up to a frozen window.
    sys.setswitchinterval(_SWITCH_S)
    if not litters:
        collector.hold("job")
    session.job = job
    worker = create_worker(
        guarded,
        _start_thread=False,
        _worker_class=_Worker,
        _connect={
            "errored": errored,
            "returned": returned,
            "yielded": advanced,
            "finished": finished,
        },
    )
    job.worker = worker
    if bar:
        job._begin()
    session.job_changed.emit()
    worker.start()
    return job


def fetch(function: Callable[[], Any], on_result: Callable[[Any], None]) -> None:
    """Call a short function in a thread without progress, beside any job; its errors are told like
    a job's.
    """
    create_worker(
        function, _worker_class=FunctionWorker, _connect={"errored": report, "returned": on_result}
    )


def report(error: BaseException, title: str = "") -> str:
    """Tell the person of an error, and return the sentence.

    What the person can put right is a warning in one sentence. Anything else is a fault in the
    program: the notification says so and offers the traceback, which is logged too.
    """
    if isinstance(error, GalaxyMapsError):
        sentence = str(error)
        show_warning(sentence)
        return sentence
    while_doing = f" while {title[:1].lower()}{title[1:]}" if title else ""
    sentence = (
        f"Something unexpected happened{while_doing} ({type(error).__name__}: {error}). "
        "The layers are as they were; please report it with the traceback."
    )
    LOGGER.error("%s\n%s", sentence, "".join(traceback.format_exception(error)))
    # An ErrorNotification carries the traceback and the button that shows it.
    notification = Notification.from_exception(error)
    notification.message = sentence
    notification_manager.dispatch(notification)
    return sentence


__all__ = ["Failure", "Job", "fetch", "report", "start"]
