"""How long work reports on itself: generators that yield `Progress` and return their result."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """One sign of life of a long computation.

    Attributes
    ----------
    step : str
        Name of the step under way, e.g. ``"psf"``.
    done, total : int
        How many of its pieces (bands, tiles) are finished.
    detail : str
        A short line for a person, e.g. the band's name or what the step did.
    result : object
        What the piece produced, where somebody may want to look at it (a `BandImage`), else None.
    lasting : bool
        Whether the detail is worth saying after the work, too, and stands in no image's notes.
    """

    step: str
    done: int
    total: int
    detail: str = ""
    result: Any = None
    lasting: bool = False

    @property
    def is_note(self) -> bool:
        """Whether its detail says what was done, and not only what is being done (the star that is
        fitted).
        """
        over = self.lasting or self.result is not None or self.done >= self.total
        return bool(self.detail) and over


Steps = Generator[Progress, None, T]


def run_to_end(steps: Steps[T], callback: Callable[[Progress], None] | None = None) -> T:
    """Run a generator of `Progress` to its end, hand each to `callback`, and return the generator's
    result.
    """
    while True:
        try:
            progress = next(steps)
        except StopIteration as stop:
            result: T = stop.value
            return result
        if callback is not None:
            callback(progress)
