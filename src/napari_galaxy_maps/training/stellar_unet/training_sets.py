"""The sets that stellar-unet is trained on: mock galaxies, and painted ones of every size and
history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ...progress import Progress, Steps
from ..datasets.image_truth_pairs import Pairs
from ..datasets.mock_set import FIRST_SEED, make_set_steps
from ..painted import painted_set
from ..painted.structures import make_structures

SHAPES = 6000
"""Shapes that galaxies are painted on."""
SHAPES_FOLDER = "shapes"
SIZES = (64, 128)
"""Pixels along each side of the images of small and large sets; validation is on small ones."""
_LARGE_MOCKS, _LARGE_PAINTED = 50_000, 1_000_000
_LEAST_VALIDATION = 32


@dataclass(frozen=True)
class Made:
    """A set to be made.

    Attributes
    ----------
    name : str
        Of its folder.
    painted : bool
    seeds : range
    size : int
        Pixels along each side.
    view : str
        Of mocks, one of `mock_set.VIEWS`.
    """

    name: str
    painted: bool
    seeds: range
    size: int
    view: str = "training"


def plan(mocks: Sequence[int], painted: Sequence[int]) -> list[Made]:
    """The training sets, painted ones first, and the validation set last.

    Parameters
    ----------
    mocks : sequence of int
        Rising numbers of mocks on small images: those with which a training began, and with which
        it went on. Half as many are on large ones.
    painted : sequence of int
        The same of painted images, of which a third as many are large; empty or 0: none.
    """
    found = []
    painted_seed = painted_set.FIRST_SEED
    for before, n in pairwise([0, *painted]):
        more = f"-{n}" if before else ""
        starts = (painted_seed["train"], painted_seed["train"] + _LARGE_PAINTED)
        found += [
            Made(f"painted{size}{more}", True, range(at + before // part, at + n // part), size)
            for size, at, part in zip(SIZES, starts, (1, 3), strict=True)
            if n // part > before // part
        ]
    small, large = FIRST_SEED["train"], FIRST_SEED["train"] + max(_LARGE_MOCKS, mocks[0])
    for before, n in pairwise([0, *mocks]):
        more = f"-{n}" if before else ""
        found += [
            Made(f"train64{more}", False, range(small + before, small + n), SIZES[0]),
            Made(
                f"train128{more}", False,
                range(large + before // 2, large + max(before // 2 + 1, n // 2)), SIZES[1],
            ),
        ]  # fmt: skip
    if any(painted):
        first, count = painted_seed["validation"], max(_LEAST_VALIDATION, painted[0] // 15)
    else:
        first = FIRST_SEED["validation"]
        count = max(_LEAST_VALIDATION, round(0.075 * mocks[0]))
    found.append(Made("validation64", any(painted), range(first, first + count), SIZES[0]))
    return found


def make_planned_steps(planned: Sequence[Made], folder: Path, processes: int) -> Steps[list[Pairs]]:
    """Make the sets of a plan in a folder; those that are there are not made again."""
    shapes = folder / SHAPES_FOLDER
    if any(made.painted for made in planned) and not (shapes / "radii.npy").exists():
        yield Progress("shapes", 0, 1, f"{SHAPES:,} shapes of galaxies to paint on")
        make_structures(shapes, SHAPES, processes)
    found = []
    for made in planned:
        place = folder / made.name
        if (place / "set.json").exists():
            found.append(Pairs.open(place))
        elif made.painted:
            found.append(
                (
                    yield from painted_set.make_painted_steps(
                        place, made.seeds, made.size, shapes, processes
                    )
                )
            )
        else:
            found.append(
                (yield from make_set_steps(place, made.seeds, made.size, made.view, processes))
            )
    return found
