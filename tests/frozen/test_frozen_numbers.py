"""A rearrangement of the code changes no number: every map, cube and table is what was stored."""

import json

import pytest

from . import describe

MARKED = [
    pytest.param(case, marks=pytest.mark.realdata) if case == "ngc309" else case
    for case in describe.CASES
]


@pytest.mark.slow
@pytest.mark.parametrize("case", MARKED)
def test_maps_cubes_and_tables_are_as_stored(case, request):
    if case == "ngc309":
        request.getfixturevalue("shared_data")
    stored = json.loads(describe.STORED.read_text())
    told = describe.differences(
        describe.numbers(case), stored[case], describe.tolerance_here(stored)
    )
    assert not told, "\n".join(told)


def test_a_small_difference_is_seen():
    """What is compared is no mean over all places: one pixel of a thousand that moves by a
    hundredth is told.
    """
    import numpy as np

    plane = np.random.default_rng(1).normal(10, 1, (40, 25))
    moved = plane.copy()
    moved[3, 4] += 0.1
    swapped = plane.copy()
    swapped[0, :2] = plane[0, 1::-1]
    before = {"maps": {"LOG_SMD": describe.describe(plane)}}
    assert not describe.differences({"maps": {"LOG_SMD": describe.describe(plane.copy())}}, before)
    for other in (moved, swapped):
        assert describe.differences({"maps": {"LOG_SMD": describe.describe(other)}}, before)
    assert describe.differences({"maps": {}}, before)
    assert describe.differences({}, before)
