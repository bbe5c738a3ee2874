"""The steps stand in one list: the chain, the recipe and the documentation follow it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.prepare import steps
from napari_galaxy_maps.prepare.step import Step
from napari_galaxy_maps.progress import run_to_end

PREPARING = Path(__file__).parents[2] / "docs" / "preparing.md"


class DoublingSettings(BaseModel):
    enabled: bool = True
    factor: float = Field(2.0, gt=0)


class WiderRecipe(Recipe):
    doubling: DoublingSettings = Field(default_factory=DoublingSettings)


def doubling_step(work):
    factor = work.recipe.doubling.factor
    yield from work.each_band(
        "doubling", lambda _, image: image.evolve("brighter", data=image.data * factor)
    )


DOUBLING = Step("doubling", "Brighter", "Make every band brighter", doubling_step)


def test_every_step_has_its_section_of_the_recipe_in_the_same_order():
    names = [step.name for step in steps.STEPS]
    assert [name for name in Recipe.model_fields if name in names] == names


def test_every_setting_that_a_step_reads_besides_is_one():
    for step in steps.STEPS:
        for section, key in step.also:
            assert key in Recipe.model_fields[section].annotation.model_fields


def test_the_documentation_has_a_chapter_for_every_step_in_the_same_order():
    chapters = re.findall(r"^## `(\w+)`$", PREPARING.read_text(encoding="utf-8"), re.MULTILINE)
    assert chapters == [step.name for step in steps.STEPS]


def test_no_two_steps_have_the_same_name_and_each_is_found_by_it():
    assert [steps.step_named(step.name) for step in steps.STEPS] == list(steps.STEPS)
    assert steps.step_named("layers") is None


def test_what_a_step_is_called_under_way_follows_its_title():
    assert steps.step_named("psf").doing == "one PSF"
    assert steps.step_named("impute").doing == "filling gaps"


@pytest.mark.parametrize("enabled", [True, False])
def test_a_step_in_the_list_is_done_unless_it_is_switched_off(monkeypatch, galaxy_folder, enabled):
    before = next(i for i, step in enumerate(steps.STEPS) if step.name == "reddening")
    recipe = WiderRecipe.from_tree(
        {
            "galaxy": {"ra": 150.0, "dec": 2.0, "d25": 2.5},
            "impute": {"enabled": False},
            "doubling": {"enabled": enabled, "factor": 3.0},
        }
    )
    galaxy = read_galaxy([galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0})], recipe)
    plain = steps.prepare(galaxy, recipe)
    monkeypatch.setattr(steps, "STEPS", (*steps.STEPS[:before], DOUBLING, *steps.STEPS[before:]))
    progress = []
    cube = run_to_end(steps.prepare_steps(galaxy, recipe), progress.append)
    details = [p.detail for p in progress if p.step == "doubling"]
    assert len(details) == (2 if enabled else 0)
    centre = tuple(side // 2 for side in cube.shape)
    expected = (3.0 if enabled else 1.0) * plain.data[(0, *centre)]
    assert cube.data[(0, *centre)] == pytest.approx(expected, rel=1e-5)


def test_a_step_without_a_section_cannot_be_switched_off():
    step = replace(DOUBLING, name="no section")
    assert step.is_on(Recipe()) and not step.has_switch(Recipe())
    assert not steps.step_named("grid").has_switch(Recipe())
    assert steps.step_named("sky").has_switch(Recipe())
