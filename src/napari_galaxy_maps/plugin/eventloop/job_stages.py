"""How far a job is, in words and as a part of its whole: stages on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...progress import Progress

_FINE = 100
"""Marks of the scale in a share of one."""


@dataclass(frozen=True)
class Stage:
    """A part of a job that has several.

    Attributes
    ----------
    step : str
        The `Progress.step` of its signs of life.
    doing : str
        What it is called while it is under way.
    share : int
        How much of the scale it takes, beside the shares of the others.
    """

    step: str
    doing: str
    share: int = 1


@dataclass(frozen=True)
class Standing:
    """How far a job is.

    Attributes
    ----------
    words : str
        A line for a person.
    done, total : int
        The same on a scale; `total` is 0 where nothing is known of it.
    """

    words: str
    done: int = 0
    total: int = 0


def standing_of(
    title: str, sign: Progress | None, stages: Sequence[Stage] = (), cancelled: bool = False
) -> Standing:
    """How far a job is by its last sign of life.

    Parameters
    ----------
    title : str
        Of the job.
    sign : Progress or None
        None before the first.
    stages : sequence of Stage
        In their order, where the job has any: they share one scale, and are counted. A sign of
        another step has words, but no place on the scale.
    cancelled : bool
        It stops as soon as it can.
    """
    if cancelled:
        return Standing(f"Cancelling: {title} …")
    if sign is None:
        return Standing(f"{title} …")
    detail = sign.detail or (f"{sign.done} of {sign.total}" if sign.total > 1 else "")
    number = next((i for i, stage in enumerate(stages) if stage.step == sign.step), None)
    if number is not None:
        title = f"{title}, step {number + 1} of {len(stages)}, {stages[number].doing}"
    words = f"{title}: {detail}" if detail else f"{title} …"
    if number is not None:
        before = sum(stage.share for stage in stages[:number])
        part = stages[number].share * min(sign.done / max(sign.total, 1), 1.0)
        return Standing(
            words, int(_FINE * (before + part)), _FINE * sum(stage.share for stage in stages)
        )
    if stages or sign.total <= 1:
        return Standing(words)
    return Standing(words, sign.done, sign.total)
