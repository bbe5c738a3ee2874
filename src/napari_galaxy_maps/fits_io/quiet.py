"""Reading without a word from the libraries: what a person has to know is said in our own words."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_THREAD = threading.local()


def is_quiet() -> bool:
    """Whether this thread is inside `quiet`."""
    return getattr(_THREAD, "depth", 0) > 0


class _InThisThread:
    """Stands for the pattern of a warning's text: it matches any in a thread that is quiet."""

    pattern = "(?!)"
    """Matches nothing: for those who copy the process's filters into their own threads as text, as
    scikit-learn does for every parallel fit."""

    def match(self, text: str) -> bool:
        return is_quiet()


class _DropInThisThread(logging.Filter):
    """Drops the records of a thread that is quiet."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not is_quiet()


_IGNORE = ("ignore", _InThisThread(), Warning, None, 0)
_DROP = _DropInThisThread()


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing that this thread does inside is warned of or logged by astropy; other threads' words
    are left alone.

    `warnings.catch_warnings` exchanges the filters of the whole process, and one thread that leaves
    it takes another's away. Here one filter is added once; it looks at the thread that warns.
    """
    _install()
    _THREAD.depth = getattr(_THREAD, "depth", 0) + 1
    try:
        yield
    finally:
        _THREAD.depth -= 1


def _install() -> None:
    """Puts the filters in their places, if they are not there: who restores the filters of a
    process to what they were takes ours away.
    """
    filters: list[object] = warnings.filters  # type: ignore[assignment]
    if not filters or filters[0] is not _IGNORE:
        filters.insert(0, _IGNORE)
        for place in range(len(filters) - 1, 0, -1):
            if filters[place] is _IGNORE:
                del filters[place]
    from astropy import log  # makes its logger, which `getLogger` must not do in its place

    log.addFilter(_DROP)  # once: a filter that is there is not added again
