"""Runs independent fits side by side, each on one core."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def in_processes(
    work: Callable[..., T], calls: Iterable[tuple[Any, ...]], processes: int
) -> Iterator[T]:
    """Results of `work` called with each of `calls`, in their order; with one in this one."""
    if processes == 1:
        yield from (work(*call) for call in calls)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _one_thread) as pool:
        jobs = [pool.submit(work, *call) for call in calls]
        for job in jobs:
            yield job.result()


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)
