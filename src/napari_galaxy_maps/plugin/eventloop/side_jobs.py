"""Work beside any job that the panels show all the same, and can stop: profiles, sums, scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import ref

from psygnal import Signal
from qtpy.compat import isalive
from qtpy.QtCore import QObject

from ...progress import Steps
from .worker import Job, fetch, notify, problem_of


class SideJobs:
    """What is computed for the widgets of a window, each for its owner, while jobs go on.

    Of an owner only what it has asked for last is computed: what it asked for before is cancelled.
    """

    changed = Signal()
    """Work began or ended; see `job`."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}

    @property
    def job(self) -> Job | None:
        """The work that began last of what is under way."""
        going = [job for job in self._jobs.values() if not job.cancelled]
        return next(reversed(going or list(self._jobs.values())), None)

    def start(
        self,
        title: str,
        steps: Callable[[], Steps[Any]],
        on_result: Callable[[Any], None],
        owner: QObject,
    ) -> Job:
        """Run a generator of `Progress` in a thread.

        Parameters
        ----------
        title : str
            What is being done, for the person.
        steps : callable
            Makes the generator; runs in the thread, as does the generator.
        on_result : callable
            Called in the main thread with what the generator returns, unless it was cancelled or
            its owner has been deleted.
        owner : QObject
            For whom it is done.
        """
        job, kept = Job(title, id(owner)), ref(owner)
        for other in self._jobs.values():
            if other.scope == job.scope:
                other.cancel()
        job.has_bar = True

        def work() -> tuple[Any, Exception | None]:
            going = steps()
            try:
                while not job.cancelled:
                    job.last = next(going)
            except StopIteration as end:
                return end.value, None
            except Exception as error:
                return None, error
            finally:
                going.close()
            return None, None

        def ended(outcome: tuple[Any, Exception | None]) -> None:
            result, error = outcome
            del self._jobs[id(job)]
            widget = kept()
            if not job.cancelled and widget is not None and isalive(widget):
                if error is None:
                    on_result(result)
                elif sentence := problem_of(error, title):
                    notify(sentence)
            self.changed.emit()

        self._jobs[id(job)] = job
        self.changed.emit()
        fetch(work, ended)
        return job
