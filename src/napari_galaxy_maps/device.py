"""Where a model runs: the CPU, an NVIDIA GPU (cuda) or an Apple GPU (mps)."""

from __future__ import annotations

from .exceptions import ModelError

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
