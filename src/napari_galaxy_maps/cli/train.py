"""The command `galaxy-maps train`: what it does, and how it is interrupted and resumed."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path
from typing import Any, TypeVar

from ..progress import Progress, Steps
from .console import run_steps
from .error_boundary import Interrupted
from .train_options import add_options, settle_options
from .train_stellar import stellar_steps

__all__ = ["HELP", "add_options", "run"]

T = TypeVar("T")

HELP = "train a model: the shipped ones again, or on your own galaxies"


def run(arguments: argparse.Namespace) -> None:
    """Train the model that the options name, and print where it is."""
    summary = run_steps(_steps(arguments), arguments.quiet)
    if not arguments.quiet:
        print(summary)


def _steps(arguments: argparse.Namespace) -> Steps[str]:
    """Train the model that the options name; returns where it is, in words.

    Raises
    ------
    GalaxyMapsError
        When options do not fit together, or data cannot be used.
    KeyboardInterrupt
        When a person interrupts it, with a sentence that says how to go on.
    """
    out = Path(arguments.out)
    if arguments.model == "dust-forest":
        from ..training.dust_forest import fit_forest as dust_forest

        yield Progress("train", 0, 1, "dust-forest")
        dust_forest.train(
            Path(arguments.data),
            Path(arguments.hatlas),
            out,
            arguments.seed,
            None if arguments.quiet else print,
        )
        return f"dust-forest written to {out}"
    options = settle_options(arguments, out)
    return (yield from _interruptible(stellar_steps(options, arguments, out), out))


def _interruptible(steps: Steps[T], out: Path) -> Steps[T]:
    """Steps that Ctrl-C, or the end of a job, ends between two of them, so that a fit can leave a
    checkpoint; asked a second time, they end at once.
    """
    asked: list[int] = []

    def ask(number: int, _: Any) -> None:
        if asked:
            raise Interrupted(number, _how_to_go_on(out, "at once"))
        asked.append(number)

    main = threading.current_thread() is threading.main_thread()
    numbers = (signal.SIGINT, signal.SIGTERM) if main else ()
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        while True:
            try:
                progress = next(steps)
            except StopIteration as stop:
                result: T = stop.value
                return result
            if asked:
                steps.close()
                where = f"{progress.step}, {progress.done:,} of {progress.total:,}"
                raise Interrupted(asked[0], _how_to_go_on(out, where))
            yield progress
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _how_to_go_on(out: Path, where: str) -> str:
    return f"interrupted ({where}); go on with: galaxy-maps train stellar-unet --out {out} --resume"
