"""Work that several processes share."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

Job = TypeVar("Job")
Found = TypeVar("Found")
_AT_ONCE = 16
"""Jobs that a process is handed."""


def in_processes(
    work: Callable[[Job], Found], jobs: Sequence[Job], processes: int
) -> Iterator[Found]:
    """What `work`, a function of a module, makes of each job, in their order; with one process in
    this one.
    """
    if processes <= 1:
        yield from map(work, jobs)
        return
    spawn = multiprocessing.get_context("spawn")
    # Ctrl-C reaches every process of a terminal: what it ends is decided by the one that people
    # talk to.
    with ProcessPoolExecutor(
        processes, spawn, signal.signal, (signal.SIGINT, signal.SIG_IGN)
    ) as pool:
        yield from pool.map(work, jobs, chunksize=_AT_ONCE)
