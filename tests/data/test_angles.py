"""Angles are read as people write them."""

import pytest

from napari_galaxy_maps.data.angles import parse_angle
from napari_galaxy_maps.exceptions import InputError


@pytest.mark.parametrize(
    ("text", "hours", "degrees"),
    [
        ("14.1775", True, 14.1775),
        ("00:56:42.6", True, 14.1775),
        ("00h56m42.6s", True, 14.1775),
        ("-9:54:50", False, -9.913889),
    ],
)
def test_positions_are_read_as_people_write_them(text, hours, degrees):
    assert parse_angle(text, hours) == pytest.approx(degrees, abs=1e-5)


def test_what_is_no_position_is_said():
    with pytest.raises(InputError, match="'abc' is no position"):
        parse_angle("abc", hours=True)
