"""Where a model runs: the CPU, an NVIDIA GPU (cuda) or an Apple GPU (mps); and how much memory the
machine has left for arrays.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from .exceptions import InputError, ModelError

_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where Linux tells a container how much memory it may take."""

DEVICES: tuple[str, ...] = ("auto", "cpu", "cuda", "mps")


def available_devices() -> tuple[str, ...]:
    """The devices of this machine, the CPU first."""
    import torch

    found = ["cpu"]
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    return tuple(found)


def resolve_device(name: str = "auto") -> str:
    """The device to use for a wish.

    Parameters
    ----------
    name : str
        ``"cpu"``, ``"cuda"``, ``"mps"``, or ``"auto"``: a GPU where there is one.

    Raises
    ------
    ModelError
        When there is no such device, here or at all.
    """
    if name not in DEVICES:
        raise ModelError(f"There is no device called {name!r}; choose one of {', '.join(DEVICES)}.")
    if name == "cpu":  # without importing torch
        return name
    found = available_devices()
    if name == "auto":
        return found[-1]
    if name not in found:
        kind = {
            "cuda": "NVIDIA GPU that torch can use (cuda)",
            "mps": "Apple GPU that torch can use (mps)",
        }[name]
        raise ModelError(f"This machine has no {kind}; choose auto or cpu.")
    return name


def free_memory() -> int:
    """Bytes of memory that this process may still take; limits of the process and of a container
    count.
    """
    import psutil

    free = int(psutil.virtual_memory().available)
    for limit in _LIMITS:
        with suppress(OSError, ValueError):  # no container, or one without a limit ("max")
            free = min(free, int(Path(limit).read_text()))
    try:
        import resource
    except ImportError:  # Windows
        return free
    limit_of_process = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit_of_process == resource.RLIM_INFINITY:
        return free
    return max(0, min(free, limit_of_process - int(psutil.Process().memory_info().vms)))


def check_memory(needed: float, what: str, remedy: str) -> None:
    """Refuse what would not fit into memory, before any of it is allocated.

    Parameters
    ----------
    needed : float
        Bytes at the peak.
    what : str
        What needs them, a subject for the verb "takes".
    remedy : str
        What to do instead.

    Raises
    ------
    InputError
        When fewer bytes are free.
    """
    free = free_memory()
    if needed > free:
        raise InputError(
            f"{what} takes {needed / 1e9:.3g} GB of memory, and {free / 1e9:.3g} GB are free; "
            f"{remedy}."
        )
