"""stellar-unet in the window: chosen in the Predict panel, its maps as layers, edits followed,
neighbours shown beside it.
"""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_galaxy_maps.models.stellar_unet.outputs import STELLAR_PROPERTIES
from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.plugin.panels.predict_panel import _Card

from .conftest import idle, map_layer, wait_for

pytestmark = pytest.mark.window


@pytest.fixture
def viewer(empty_window):
    """The window of this file's tests, with nothing in it."""
    return empty_window


@pytest.fixture
def opened(viewer, workspace, qtbot):
    """A mock spiral in ugriz, made in the Mock panel, and all panels."""
    panels.open_all(viewer)
    maker = panels.panel(viewer, "Mock")
    panels.raise_panel(viewer, "Mock")
    maker.seed.setValue(3)
    maker.kind.setCurrentText("spiral")
    maker.mass.setText("10.4")
    maker.inclination.setText("40")
    maker.bands.setEditText("u, g, r, i, z")
    maker.image_size.setValue(64)
    click(qtbot, maker.button)
    wait_for(
        qtbot,
        lambda: (
            workspace.project.truth is not None
            and workspace.project.galaxy is not None
            and idle(workspace)
        ),
    )
    return viewer


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def predict(viewer, workspace, qtbot):
    predictor = panels.panel(viewer, "Predict")
    panels.raise_panel(viewer, "Predict")
    wait_for(qtbot, lambda: predictor.model.count() == 2)
    predictor.model.setCurrentText("stellar-unet")
    predictor.model.activated.emit(predictor.model.currentIndex())
    predictor.model.textActivated.emit("stellar-unet")
    assert workspace.project.recipe.model.name == "stellar-unet"
    click(qtbot, predictor.button)
    wait_for(qtbot, lambda: workspace.project.maps is not None and idle(workspace))
    return predictor


def test_stars_and_gas_are_predicted_compared_and_their_neighbours_shown(
    opened, workspace, qtbot, tmp_path, monkeypatch
):
    predictor = predict(opened, workspace, qtbot)
    assert predictor.missing.text() == "All five bands are there."
    assert tuple(workspace.project.maps.values) == STELLAR_PROPERTIES
    wait_for(
        qtbot,
        lambda: all(map_layer(workspace, name) is not None for name in STELLAR_PROPERTIES),
    )
    wait_for(qtbot, lambda: workspace.project.residual is not None)
    workspace.views.look("LOG_SIGMA_STAR", "residual")
    residual = map_layer(workspace, "LOG_SIGMA_STAR").data
    assert np.nanmedian(np.abs(residual)) < 0.4
    neighbours = panels.panel(opened, "Neighbours")
    panels.raise_panel(opened, "Neighbours")
    wait_for(qtbot, lambda: neighbours.found is not None)
    assert len(neighbours.found.neighbours) == 4 and neighbours.canvas.isVisible()
    distances = [n.distance for n in neighbours.found.neighbours]
    assert distances == sorted(distances)
    told = neighbours.distance.text()
    assert f"lies {distances[0]:.2f} from the nearest mock; of the mocks 99%" in told
    path = tmp_path / "like.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(path), ""))
    click(qtbot, neighbours.save)
    assert path.stat().st_size > 5000 and "Saved" in neighbours.done.text()
    neighbours.property_box.setCurrentIndex(list(STELLAR_PROPERTIES).index("LOG_SIGMA_SFR"))
    assert len(neighbours.canvas.figure.axes) >= 10


def test_without_a_cube_the_neighbours_panel_says_what_to_do(viewer, workspace, qtbot):
    neighbours = panels.panel(viewer, "Neighbours")
    panels.raise_panel(viewer, "Neighbours")
    wait_for(qtbot, lambda: "Predict maps first" in neighbours.message.text())
    assert neighbours.found is None and not neighbours.save.isEnabled()


def test_the_prior_is_offered_where_the_model_has_a_choice(viewer, workspace, qtbot):
    predictor = panels.panel(viewer, "Predict")
    panels.raise_panel(viewer, "Predict")
    wait_for(qtbot, lambda: predictor.model.count() == 2)
    cards = {name: _Card("", name, *[name == "stellar-unet"] * 2) for name in predictor._cards}
    predictor._models_known((list(cards), cards))

    def choose(name):
        predictor.model.setCurrentText(name)
        predictor.model.activated.emit(predictor.model.currentIndex())
        return workspace.project.recipe.model

    choose("dust-forest")
    assert predictor.relations.isHidden() and predictor.members.isHidden()
    choose("stellar-unet")
    assert predictor.relations.isVisible() and predictor.relations.isChecked()
    click(qtbot, predictor.relations)
    assert workspace.project.recipe.model.prior == "wide"
    assert predictor.members.isVisible() and predictor.members.value() == 1
    predictor.members.setValue(4)
    assert workspace.project.recipe.model.members == 4
    other = choose("dust-forest")
    assert other.prior == "relations" and other.members == 1, "which it would refuse"
    assert predictor.relations.isHidden() and predictor.members.isHidden()
    workspace.project.set_recipe("model", prior="wide")  # as a recipe may say
    click(qtbot, predictor.relations)
    assert workspace.project.recipe.model.prior == "relations" and predictor.relations.isHidden()
