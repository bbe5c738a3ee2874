"""The one place for threads: runs a generator of `Progress` beside the window, with progress,
cancelling and words.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any
from weakref import ref

from napari.qt.threading import create_worker
from napari.utils import progress
from napari.utils.notifications import Notification, notification_manager, show_info, show_warning
from psygnal import Signal
from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer
from superqt.utils import FunctionWorker, GeneratorWorker

from ...exceptions import in_words
from ...progress import Progress
from ..ground.window_words import words_of
from . import garbage_collection
from .job_stages import Stage
from .process_switches import switch_as_usual, switch_often

LOGGER = logging.getLogger("napari_galaxy_maps")
_BAR_MS = 500
"""Whatever is painted in a window with a canvas, all of it is put together anew, which takes tens
of ms without a graphics card.
"""


class Failure(Exception):
    """Carries an error out of a worker.

    superqt swallows a `RuntimeError` (torch's out-of-memory is one) without ever saying that the
    worker finished.
    """


class _MayOutliveTheWindow:
    """A worker whose work ends after the program's windows have: it has nobody to tell any more,
    which Qt would answer by ending the process with an error.
    """

    signals: Any

    def run(self) -> None:
        """Do the work, and tell whoever is still there."""
        try:
            super().run()  # type: ignore[misc]
        except RuntimeError:
            if isalive(self.signals):
                raise


class _Fetcher(_MayOutliveTheWindow, FunctionWorker):
    """A function called in a thread."""


class _Worker(_MayOutliveTheWindow, GeneratorWorker):
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
    title : str
        What is being done, e.g. ``"Predicting"``.
    scope : object
        What it belongs to.
    stages : sequence of Stage
        Its parts, where it has several that are shown on one scale.
    """

    def __init__(self, title: str, scope: Any = None, stages: Sequence[Stage] = ()):
        self.title, self.scope, self.stages = title, scope, stages
        self.cancelled = False
        self.has_bar = False
        """Whether a person is shown how far it is; work of a moment needs none."""
        self.last: Progress | None = None
        """The last sign of life."""
        self.worker: GeneratorWorker | None = None
        self._bar: progress | None = None
        self._barred: Progress | None = None
        self._step = ""

    def cancel(self) -> None:
        """Stop at the next sign of life; what is shown stays."""
        self.cancelled = True
        if self.worker is not None:
            self.worker.quit()

    def begin_bar(self) -> None:
        """Show a progress bar until `end_bar`."""
        self._bar = progress(total=0, desc=self.title)
        # napari's bars process events whenever they change: done in the middle of a signal, the
        # next signals would overtake it. A timer has nothing after it that could be overtaken.
        self._timer = QTimer()
        self._timer.timeout.connect(self._move_bar)
        self._timer.start(_BAR_MS)

    def _move_bar(self) -> None:
        bar, sign = self._bar, self.last
        if bar is None or sign is None or sign is self._barred:
            return
        self._barred = sign
        if sign.total > 0 and bar.total != sign.total:
            bar.total = sign.total
        if bar.n != sign.done:
            bar.n = sign.done
            bar.update(0)
        if sign.step != self._step:
            self._step = sign.step
            bar.set_description(f"{self.title}: {sign.step}")

    def end_bar(self) -> None:
        """Take the progress bar away, if there is one."""
        if self._bar is not None:
            self._timer.stop()
            self._bar.close()
            self._bar = None


class JobRunner:
    """Runs the jobs of one viewer, one at a time.

    A job belongs to what was worked on when it began (its scope, a galaxy): what it brings while
    something else is worked on waits until that scope is entered again.
    """

    job_changed = Signal()
    """A job began or ended; see `job`."""

    def __init__(self) -> None:
        self.job: Job | None = None
        """The one under way."""
        self.tell: Callable[[str, bool], None] = notify
        """Tells the person a sentence, and whether something is wrong."""
        self._waiting: list[tuple[Any, Callable[[], None]]] = []
        self._scope: Any = None
        self._held: dict[int, list[Callable[[], None]]] = {}
        self._aside: list[threading.Event] = []

    def stand_aside(self) -> Callable[[], None]:
        """Begin work in a thread on what jobs work on, too, while none is under way.

        Returns
        -------
        callable
            To be called when the work has ended, which it does soon after a job has begun: until
            then the job waits.
        """
        ended = threading.Event()
        self._aside.append(ended)
        switch_often()
        garbage_collection.hold(ended)

        def end() -> None:
            garbage_collection.let_go_aside(ended)
            switch_as_usual()
            self._aside.remove(ended)
            ended.set()

        return end

    def enter(self, scope: Any) -> None:
        """Work on something else; what was brought for it meanwhile comes now."""
        self._scope = scope
        for task in self._held.pop(id(scope), []):
            task()
        if self.job is None:
            self._go_on()

    def leave(self, scope: Any) -> None:
        """Something is worked on no more: its job is cancelled, what waits for it dropped."""
        if self.job is not None and self.job.scope is scope:
            self.job.cancel()
        self._held.pop(id(scope), None)
        self._waiting = [(of, task) for of, task in self._waiting if of is not scope]

    def _bring(self, job: Job, task: Callable[[], None]) -> None:
        """Do what a job brings, at once or when its scope is entered again."""
        if job.scope is self._scope:
            task()
        elif not job.cancelled:
            self._held.setdefault(id(job.scope), []).append(task)

    def _tell_problem(
        self, job: Job, sentence: str, on_error: Callable[[str], None] | None
    ) -> None:
        """Say what ended a job, if that is a person's to put right."""
        if sentence and on_error is not None:
            self._bring(job, partial(on_error, sentence))
        elif sentence:
            self.tell(sentence, True)

    def busy(self) -> bool:
        """Whether a job is under way; if so, the person is shown which."""
        if self.job is None:
            return False
        self.tell(f"{self.job.title} is still under way; wait for it or cancel it.", False)
        return True

    def start(
        self,
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
        stages: Sequence[Stage] = (),
    ) -> Job | None:
        """Run a generator of `Progress` in a thread.

        Parameters
        ----------
        title : str
            What is being done, for the person.
        steps : callable
            Makes the generator; runs in the thread, as does the generator.
        on_progress, on_result, on_error, on_end : callable, optional
            Called in the main thread: at every sign of life, with what the generator returns, with
            the sentence of an error that the person can put right (by default `tell` has it), and
            when all is over, whichever way it went.
        quiet : bool
            Show no message when another job is running.
        litters : bool
            The work leaves large reference cycles behind (open FITS files do), which are to be
            collected while it lasts.
        bar : bool
            Show a progress bar; work of a moment needs none.
        stages : sequence of Stage
            Its parts, where it has several that are shown on one scale.

        Returns
        -------
        Job or None
            None when another job is running.
        """
        if self.job is not None and (quiet or self.busy()):
            return None
        job = Job(title, self._scope, stages)

        def errored(error: Exception) -> None:
            self._tell_problem(job, problem_of(_cause_of(error), title), on_error)

        def returned(result: Any) -> None:
            if on_result is not None and not job.cancelled:
                self._bring(job, partial(on_result, result))

        def advanced(sign: Progress) -> None:
            job.last = sign
            if on_progress is not None and not job.cancelled:
                self._bring(job, partial(on_progress, sign))

        def finished() -> None:
            # Not on `returned`: after an error the bar would spin for ever.
            job.end_bar()
            switch_as_usual()
            garbage_collection.let_go(job)
            _forget(job, slots)
            if on_end is not None:
                self._bring(job, on_end)
            self._ended()

        switch_often()
        garbage_collection.hold(job, litters)
        self.job = job
        slots: dict[str, Callable[..., None]] = {
            "errored": errored,
            "returned": returned,
            "yielded": advanced,
            "finished": finished,
        }
        job.worker = create_worker(
            _guarded,
            steps,
            list(self._aside),
            _start_thread=False,
            _worker_class=_Worker,
            _connect=slots,
        )
        job.has_bar = bar
        if bar:
            job.begin_bar()
        self.job_changed.emit()
        job.worker.start()
        return job

    def after_job(self, task: Callable[[], None]) -> None:
        """Call `task` once no job is running: at once, or when the one under way has ended."""
        if self.job is None:
            task()
        elif (self._scope, task) not in self._waiting:
            self._waiting.append((self._scope, task))

    def _ended(self) -> None:
        """The job under way is over; what waited for it follows."""
        self.job = None
        self.job_changed.emit()
        self._go_on()

    def _go_on(self) -> None:
        """Do what waited, as far as it belongs to what is worked on."""
        while self.job is None:
            ready = [entry for entry in self._waiting if entry[0] is self._scope]
            if not ready:
                return
            self._waiting.remove(ready[0])
            ready[0][1]()


def _forget(job: Job, slots: dict[str, Callable[..., None]]) -> None:
    """Let go of a worker that has finished: its window keeps every worker it ever had, to be asked
    to quit, and napari keeps every window.
    """
    worker, job.worker = job.worker, None
    if worker is not None:
        for name, slot in slots.items():
            getattr(worker, name).disconnect(slot)


def _guarded(
    steps: Callable[[], Generator[Progress, None, Any]], aside: list[threading.Event]
) -> Generator[Progress, None, Any]:
    """The same steps, once the work aside has ended; their errors come as a `Failure`."""
    for ended in aside:
        ended.wait()
    try:
        return (yield from steps())
    except GeneratorExit:
        raise
    except Exception as error:
        raise Failure(str(error)) from error


def _cause_of(error: BaseException) -> BaseException:
    """What went wrong inside a `Failure`."""
    if isinstance(error, Failure) and error.__cause__ is not None:
        return error.__cause__
    return error


def fetch(
    function: Callable[[], Any],
    on_result: Callable[[Any], None],
    on_error: Callable[[str], None] | None = None,
    owner: QObject | None = None,
) -> None:
    """Call a short function in a thread without progress, beside any job; its errors are reported
    like a job's, to `on_error` or in a notification. Nothing is brought to an owner that has been
    deleted meanwhile, as a panel of a window that was closed.
    """

    # Let go of once it is used, for the worker's connections outlive it.
    asked = [(on_result, on_error or notify)]
    kept = None if owner is None else ref(owner)

    def is_there() -> bool:
        widget = kept() if kept is not None else None
        return kept is None or (widget is not None and isalive(widget))

    def returned(result: Any) -> None:
        act, _ = asked.pop()
        if is_there():
            act(result)

    def errored(error: Exception) -> None:
        _, tell = asked.pop()
        sentence = problem_of(error)
        if sentence and is_there():
            tell(sentence)

    # Not napari's way of making it, by which the window keeps it for ever (see `_forget`).
    worker = _Fetcher(function)
    worker.errored.connect(errored)
    worker.returned.connect(returned)
    worker.start()


def notify(sentence: str, wrong: bool = True) -> None:
    """Tell the person a sentence where no panel can: in a notification of napari."""
    (show_warning if wrong else show_info)(sentence)


def problem_of(error: BaseException, title: str = "") -> str:
    """The sentence about what the person can put right; empty where the program is at fault, which
    a notification says, with the traceback, which is logged too.
    """
    if in_words(error) is not None:
        return words_of(error)
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
    return ""


def report(error: BaseException) -> None:
    """Tell the person of an error in a notification."""
    sentence = problem_of(error)
    if sentence:
        notify(sentence)


__all__ = ["Failure", "Job", "JobRunner", "fetch", "notify", "problem_of", "report"]
