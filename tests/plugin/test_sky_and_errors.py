"""Sky and errors are set in the Prepare panel; the sky that was subtracted is shown beside what is
left.
"""

import numpy as np
import pytest
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QLineEdit

from napari_galaxy_maps.plugin.ground.layer_specs import Key
from napari_galaxy_maps.plugin.manifest import docks as panels

from .conftest import idle, wait_for
from .test_panels import BANDS, add_folder, choose, click, panel, write

pytestmark = pytest.mark.window


@pytest.fixture
def opened(viewer, workspace, qtbot, monkeypatch, galaxy_folder):
    """All panels, the Prepare panel in front, and the images of a galaxy."""
    panels.open_all(viewer)
    add_folder(qtbot, monkeypatch, viewer, workspace, galaxy_folder(BANDS))
    panels.raise_panel(viewer, "Prepare")
    return viewer


def test_a_polynomial_sky_is_told_and_shown(opened, workspace, qtbot):
    box = panel(opened, "Prepare").boxes["sky"]
    order = box.findChild(QDoubleSpinBox, "order")
    assert not order.isEnabled()
    choose(qtbot, box.findChild(QComboBox, "model"), "polynomial")
    assert workspace.project.recipe.sky.model == "polynomial" and order.isEnabled()
    order.setValue(3)
    assert workspace.project.recipe.sky.order == 3
    click(qtbot, panel(opened, "Prepare").button)
    wait_for(qtbot, lambda: workspace.project.cube is not None and idle(workspace))
    assert "left-out sky" in box.told.text()
    click(qtbot, box.eye)
    band = next(iter(workspace.project.galaxy.images))
    wait_for(
        qtbot,
        lambda: Key("step", band, "subtracted sky") in workspace.layers.shown() and idle(workspace),
    )
    for name, image in workspace.project.galaxy.images.items():
        left = workspace.layers.shown()[Key("step", name, "sky")].data
        taken = workspace.layers.shown()[Key("step", name, "subtracted sky")].data
        np.testing.assert_allclose(left + taken, image.data, atol=1e-5)
    assert opened.screenshot(canvas_only=True, flash=False)[..., :3].std() > 5
    click(qtbot, box.eye)
    assert not any(key.kind == "step" for key in workspace.layers.shown())


def test_a_gain_is_written_by_band_and_nonsense_is_told(opened, workspace, qtbot):
    prepare = panel(opened, "Prepare")
    box = prepare.boxes["errors"]
    field = box.findChild(QLineEdit, "gain")
    choose(qtbot, box.findChild(QComboBox, "gain_band"), "WISE_3.4")
    write(qtbot, field, "3.5")
    assert workspace.project.recipe.errors.gain == {"WISE_3.4": 3.5}
    for nonsense in ("many", "-1"):
        write(qtbot, field, nonsense)
        assert "electrons" in prepare.message.text() and workspace.project.recipe.errors.gain == {
            "WISE_3.4": 3.5
        }
    assert field.text() == "3.5"
    click(qtbot, prepare.button)
    wait_for(qtbot, lambda: workspace.project.cube is not None and idle(workspace))
    assert "3.5 electrons per MJy/sr (given)" in "\n".join(workspace.project.step_notes["errors"])
