"""Sections of settings refuse what is no value of theirs, and put it into words."""

from typing import Annotated

import pytest
from pydantic import Field, ValidationError

from napari_galaxy_maps.data.section import Section, problem, what_is_wrong
from napari_galaxy_maps.data.setting import Range, Slip


class Telescope(Section):
    """Settings of every kind."""

    aperture: Annotated[float | None, Range(0.01, 100, slips=(Slip("in cm", 0.01),))] = None
    gains: Annotated[dict[str, float], Range(0.1, 10)] = Field(default_factory=dict)
    nodes: Annotated[list[float], Range(0, 1)] = Field(default_factory=list)
    cooled: bool = False
    name: str = ""


@pytest.mark.parametrize(
    ("values", "where", "words"),
    [
        ({"aperture": 240}, "aperture", "240 is outside 0.01 to 100; if it is in cm, give 2.4"),
        ({"aperture": True}, "aperture", "true is no value for it"),
        ({"aperture": "wide"}, "aperture", "'wide' is not a number"),
        ({"gains": {"r": 99.0}}, "gains", "r: 99 is outside 0.1 to 10"),
        ({"nodes": [0.5, float("nan")]}, "nodes", "nan is outside 0 to 1"),
        ({"nodes": [False]}, "nodes", "false is no value for it"),
        ({"cooled": "hot"}, "cooled", "'hot' is not true or false"),
        ({"name": 3}, "name", "3 is not text"),
        ({"mirror": 2}, "mirror", "there is no such setting"),
    ],
)
def test_what_is_no_value_is_put_into_words(values, where, words):
    with pytest.raises(ValidationError) as refused:
        Telescope(**values)
    assert what_is_wrong(refused.value) == {where: words}


def test_what_is_set_later_is_checked_too():
    telescope = Telescope(aperture=2.4)
    with pytest.raises(ValidationError):
        telescope.aperture = float("inf")
    assert telescope.aperture == 2.4


def test_braces_in_a_mistake_stay_as_they_are():
    assert problem("{no} name").message() == "{no} name"
