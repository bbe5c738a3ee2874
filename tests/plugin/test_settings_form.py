"""Forms are made of the recipe's fields, and a step that joins the list has one."""

from typing import Annotated, Literal

import pytest
from pydantic import Field
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
)

from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.data.section import Section
from napari_galaxy_maps.data.setting import RECIPE_ONLY, Range, Shown, Unit
from napari_galaxy_maps.exceptions import RecipeError
from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.plugin.widgets.settings_form import SettingsForm
from napari_galaxy_maps.prepare import steps
from napari_galaxy_maps.prepare.step import Step

from . import mouse
from .test_panels import choose, click, panel, write

pytestmark = pytest.mark.window


class CosmicRaySettings(Section):
    """Settings of a step that a test adds."""

    enabled: bool = Field(True, description="Remove cosmic rays")
    height: Annotated[float, Range(1, 20, Unit("σ", "sigma")), Shown(increment=0.5)] = Field(
        5.0, title="Higher than", description="Least height"
    )
    rounds: Annotated[int, Range(1, 9)] = Field(3, description="How often they are looked for")
    method: Literal["median", "laplacian"] = Field("median", title="Method")
    grow: bool = Field(False, title="neighbours, too")
    gain: Annotated[
        float | None, Range(0.001, 1000, Unit("e/ADU", "electrons")), Shown(hint="unknown")
    ] = Field(None, title="Gain")
    patience: Annotated[float, RECIPE_ONLY] = Field(1.0)
    nodes: list[float] = Field(default_factory=list, description="Nodes of something")


class WiderRecipe(Recipe):
    cosmic: CosmicRaySettings = Field(default_factory=CosmicRaySettings)


def cosmic_ray_step(work):
    yield from work.each_band("cosmic", lambda _, image: image.evolve("no rays"))


COSMIC = Step("cosmic", "Cosmic rays", "Remove cosmic rays from every band", cosmic_ray_step)


@pytest.fixture
def form(qtbot):
    """A form whose section, changes and complaints are its attributes."""
    section, changes, complaints = CosmicRaySettings(), [], []

    def change(key, value):
        changes.append((key, value))
        setattr(section, key, value)

    form = SettingsForm(lambda: section, change, complaints.append)
    form.section, form.changes, form.complaints = section, changes, complaints
    qtbot.addWidget(form)
    form.refresh()
    form.show()
    return form


def test_controls_have_the_ranges_units_and_words_of_the_fields(form):
    height = form.findChild(QDoubleSpinBox, "height")
    assert (height.minimum(), height.maximum(), height.singleStep()) == (1, 20, 0.5)
    assert height.text() == "5.00 σ" and height.toolTip() == "Least height in sigma"
    rounds = form.findChild(QDoubleSpinBox, "rounds")
    assert rounds.text() == "3" and (rounds.minimum(), rounds.maximum()) == (1, 9)
    method = form.findChild(QComboBox, "method")
    assert [method.itemText(i) for i in range(method.count())] == ["median", "laplacian"]
    texts = [label.text() for label in form.findChildren(QLabel)]
    assert "Higher than" in texts and "Rounds" in texts, "the field's title, or else its name"
    assert form.findChild(QLineEdit, "gain").placeholderText() == "unknown"
    assert form.findChild(QDoubleSpinBox, "patience") is None, "for recipes only"
    assert form.findChild(QCheckBox, "enabled") is None, "the panel's switch"
    assert "Nodes of something: set it in a recipe" in texts, "what has no control is not missed"


def test_what_is_entered_reaches_the_section_once(form, qtbot):
    form.findChild(QDoubleSpinBox, "height").setValue(7.5)
    form.findChild(QDoubleSpinBox, "rounds").setValue(4)
    choose(qtbot, form.findChild(QComboBox, "method"), "laplacian")
    click(qtbot, form.findChild(QCheckBox, "grow"))
    write(qtbot, form.findChild(QLineEdit, "gain"), "2,5")
    assert list(dict.fromkeys(form.changes)) == [
        ("height", 7.5), ("rounds", 4), ("method", "laplacian"), ("grow", True), ("gain", 2.5),
    ]  # fmt: skip
    assert isinstance(form.section.rounds, int)


def test_showing_the_section_changes_nothing(form):
    form.section.height, form.section.method, form.section.gain = 9.0, "laplacian", 1.5
    form.refresh()
    assert form.findChild(QDoubleSpinBox, "height").value() == 9
    assert form.findChild(QComboBox, "method").currentText() == "laplacian"
    assert form.findChild(QLineEdit, "gain").text() == "1.5"
    assert not form.changes


def test_no_number_is_refused_in_words(form, qtbot):
    gain = form.findChild(QLineEdit, "gain")
    write(qtbot, gain, "much")
    assert form.complaints[-1] == "Gain is a number of electrons, not 'much'."
    assert gain.text() == "" and not form.changes


def test_the_wheel_over_a_box_changes_no_value_and_is_left_to_the_panel(form):
    for kind, key in ((QDoubleSpinBox, "height"), (QComboBox, "method")):
        box = form.findChild(kind, key)
        box.setFocus()
        assert not mouse.wheel_over(box).isAccepted(), "so that what is behind it scrolls"
    assert not form.changes and form.section == CosmicRaySettings()


def test_a_step_that_joins_the_list_is_in_the_panel_and_its_settings_in_a_form(
    viewer, workspace, qtbot, monkeypatch
):
    monkeypatch.setattr(steps, "STEPS", (*steps.STEPS[:1], COSMIC, *steps.STEPS[1:]))
    workspace.project.recipe = WiderRecipe()
    panels.open_all(viewer)
    panels.raise_panel(viewer, "Prepare")
    prepare = panel(viewer, "Prepare")
    assert list(prepare.boxes)[:3] == ["sky", "cosmic", "reddening"]
    box = prepare.boxes["cosmic"]
    assert box.switch.text() == "Cosmic rays"
    assert box.switch.toolTip() == "Remove cosmic rays from every band"
    click(qtbot, box.switch)
    assert not workspace.project.recipe.cosmic.enabled
    height = box.findChild(QDoubleSpinBox, "height")
    height.setValue(8)
    assert workspace.project.recipe.cosmic.height == 8
    height.setValue(0.2)
    assert height.value() == workspace.project.recipe.cosmic.height == 1
    with pytest.raises(RecipeError, match=r"Least height in sigma: 0\.2 is outside"):
        workspace.project.set_recipe("cosmic", height=0.2)
    assert workspace.project.recipe.cosmic.height == 1
