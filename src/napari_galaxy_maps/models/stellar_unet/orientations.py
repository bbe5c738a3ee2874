"""A galaxy looked at in several orientations, as the sky has none: members of an ensemble, of which
each gives the same network the image turned or mirrored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


_TURNS = (0, 2, 1, 3)
"""Quarter turns of four members, opposite ones beside each other: what a network has of a direction
of its own, such as maps that are a fraction of a pixel off, cancels of two already.
"""


def turned(planes: torch.Tensor, member: int) -> torch.Tensor:
    """Planes of shape (..., ny, nx) as a member sees them: the first as they are, the next three
    turned, from the fifth (4) on mirrored first.
    """
    return (planes.flip(-1) if member >= 4 else planes).rot90(_TURNS[member % 4], (-2, -1))


def turned_back(planes: torch.Tensor, member: int) -> torch.Tensor:
    """The reverse of `turned`."""
    planes = planes.rot90(-_TURNS[member % 4], (-2, -1))
    return planes.flip(-1) if member >= 4 else planes


def looks(
    network: Callable[[Sequence[torch.Tensor]], torch.Tensor],
    levels: Sequence[torch.Tensor],
    members: int,
) -> Iterator[torch.Tensor]:
    """What a network says of an image to each member, in the image's own orientation.

    Parameters
    ----------
    network : callable
        Takes the image in the pixels of each level.
    levels : sequence of Tensor, shape (n, channels, ny, nx)
        Sides of the finest are multiples of the coarsest's blocks, so that these stay the same.
    members : int
        1 to 8, the orientations of a square: its turns, then those of its mirror image.
    """
    for member in range(members):
        yield turned_back(network([turned(level, member) for level in levels]), member)


def ensemble(
    answers: Iterable[tuple[np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean of the values of some members, mean of their sigmas, and the standard deviation of their
    values about their mean, which is 0 of one member.

    One answer is held at a time (Welford 1962): maps of eight would not fit where those of one do.
    """
    others = iter(answers)
    value, sigma = next(others)
    squares, n = np.zeros_like(value), 1
    for another, its_sigma in others:
        n += 1
        off = another - value
        value = value + off / n
        sigma = sigma + (its_sigma - sigma) / n
        squares += off * (another - value)
    return value, sigma, np.sqrt(squares / n)
