"""Runs independent work side by side, in processes of its own."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


def one_thread() -> None:
    """Keep torch to one core, as there are as many processes."""
    import torch

    torch.set_num_threads(1)


def unstopped() -> None:
    """Leave Ctrl-C, which reaches every process of a terminal, to the one that people talk to."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def in_processes(
    work: Callable[..., T],
    calls: Iterable[tuple[Any, ...]],
    processes: int,
    begin: Callable[[], None] | None = one_thread,
    at_once: int = 1,
) -> Iterator[T]:
    """Results of `work` called with each of `calls`, in their order; with one in this one.

    Parameters
    ----------
    work : callable
        A function of a module.
    calls : iterable of tuple
    processes : int
    begin : callable, optional
        What each process does first.
    at_once : int
        Calls that a process is handed.
    """
    if processes <= 1:
        yield from (work(*call) for call in calls)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, begin) as pool:
        yield from pool.map(partial(_called, work), calls, chunksize=at_once)


def _called(work: Callable[..., T], call: tuple[Any, ...]) -> T:
    return work(*call)
