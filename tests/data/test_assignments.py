"""Settings given as texts, and those that answer one question."""

import pytest

from napari_galaxy_maps.data.assignments import assign, given_up, settle_alternatives
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import RecipeError


def test_values_are_read_as_toml_where_they_are_and_as_text_elsewhere():
    tree = Recipe().model_dump()
    assign(tree, ["sky.enabled=false", "sky.clip=2.5", "sed.umin=[1, 2]", "galaxy.name=NGC 309"])
    assert tree["sky"]["enabled"] is False and tree["sky"]["clip"] == 2.5
    assert tree["sed"]["umin"] == [1, 2] and tree["galaxy"]["name"] == "NGC 309"
    assign(tree, ["errors.gain.SDSS_r=4.2", "galaxy.ra=12:34:56"])
    assert tree["errors"]["gain"] == {"SDSS_r": 4.2} and tree["galaxy"]["ra"] == "12:34:56"


def test_two_values_of_one_setting_are_refused():
    with pytest.raises(RecipeError, match="contradict each other"):
        assign(Recipe().model_dump(), ["sky.model=plane", "sky.model=constant"])
    assign(Recipe().model_dump(), ["sky.model=plane", "sky.model=plane"])


def test_the_last_answer_takes_the_place_of_the_one_before():
    given = Recipe().with_values(["reddening.ebv=0.04"])
    mapped = given.with_values(["reddening.map=SFD"])
    assert (mapped.reddening.ebv, mapped.reddening.map) == (None, "SFD")
    again = mapped.with_values(["reddening.ebv=0"])
    assert (again.reddening.ebv, again.reddening.map) == (0.0, "")
    assert given_up(["reddening.map=SFD", "sky.clip=3"]) == {"reddening.ebv": None}
    assert given_up(["sky.clip"]) == {}
    tree = {"reddening": {"ebv": 0.1, "map": ""}}
    settle_alternatives(tree, ["reddening.map"])
    assert tree["reddening"]["ebv"] is None


def test_two_answers_on_one_level_are_refused():
    with pytest.raises(RecipeError, match="two answers to one question"):
        Recipe().with_values(["reddening.ebv=0.04", "reddening.map=SFD"])
    with pytest.raises(RecipeError, match="two answers to one question"):
        Recipe.from_toml("[reddening]\nebv = 0.04\nmap = 'SFD'\n")
