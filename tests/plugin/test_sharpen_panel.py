"""The Sharpen panel, in a real window: a prediction of a mock is brought to its true dust, seen
coarsely; the prediction stays beside it, and what is saved says what was done.
"""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from qtpy.QtGui import QShortcut

from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.data.sharpen_settings import SharpenSettings
from napari_galaxy_maps.fits_io.ds9_regions import Polygon
from napari_galaxy_maps.fits_io.map_files import read_maps, write_maps
from napari_galaxy_maps.fits_io.recipe_files import read_recipe
from napari_galaxy_maps.plugin.ground.layer_specs import Key
from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.plugin.state.results import Result
from tests.sharpen.scene import MD, coarse_map, predicted

from .conftest import idle, wait_for
from .test_panels import click, panel
from .test_truth_and_filling import mock, opened  # noqa: F401

pytestmark = pytest.mark.window


@pytest.fixture
def viewer(empty_window):
    """The window of this file's tests, with nothing in it."""
    return empty_window


@pytest.fixture
def result(viewer, workspace, qtbot):
    """A prediction that is looked at."""
    maps = predicted(object="Mock", model="dust-forest", model_hash="0" * 64)
    found = workspace.project.add_result(Result("dust-forest", maps, Recipe()))
    workspace.views.show_fresh(found, None)
    workspace.project.maps_changed.emit()
    wait_for(qtbot, lambda: idle(workspace))
    return found


@pytest.fixture
def low(tmp_path):
    path = tmp_path / "low.fits"
    write_maps(path, coarse_map(0.02))
    return path


def test_the_maps_are_sharpened_and_the_prediction_stays(
    viewer, workspace, qtbot, result, low, tmp_path
):
    project = workspace.project
    sharpen = panel(viewer, "Sharpen")
    panels.raise_panel(viewer, "Sharpen")
    qtbot.wait(50)
    click(qtbot, sharpen.button)
    assert "Choose the coarse map" in sharpen.message.text()
    project.set_recipe("sharpen", coarse=str(low))
    click(qtbot, sharpen.button)
    wait_for(qtbot, lambda: idle(workspace) and len(project.results) == 2)
    made = project.result
    assert made is not result and "sharpened" in made.label
    assert result.maps.provenance.get("sharpened") is None
    assert "brought to the coarse map at 36 arcsec" in sharpen.told.text()
    change = made.maps.values[MD] - result.maps.values[MD]
    assert np.nanmax(np.abs(change)) > 0.1
    layers = [workspace.layers.layer(Key("map", MD, each.key)) for each in (result, made)]
    assert None not in layers
    np.testing.assert_allclose(layers[1].data - layers[0].data, change, atol=1e-5)
    # Done again it takes its own place.
    workspace.choose_result(result)
    click(qtbot, sharpen.button)
    wait_for(qtbot, lambda: idle(workspace))
    assert len(project.results) == 2
    path = tmp_path / "fine.fits"
    workspace.saver.save(str(path))
    wait_for(qtbot, lambda: idle(workspace) and path.exists())
    assert read_recipe(path).sharpen.coarse == str(low)
    with fits.open(path) as hdus:
        np.testing.assert_allclose(hdus[f"{MD}_CORRECTION"].data, change, atol=1e-5)


def test_what_is_sharpened_already_is_not_sharpened_again(viewer, workspace, qtbot, result, low):
    said = {**result.maps.provenance, "sharpened": "version 1"}
    result.maps = replace(result.maps, provenance=said)
    sharpen = panel(viewer, "Sharpen")
    workspace.project.set_recipe("sharpen", coarse=str(low))
    click(qtbot, sharpen.button)
    wait_for(qtbot, lambda: idle(workspace))
    assert "sharpened already" in sharpen.message.text()
    assert len(workspace.project.results) == 1


def test_undo_brings_the_prediction_back(viewer, workspace, qtbot, result, low):
    project = workspace.project
    sharpen = panel(viewer, "Sharpen")
    assert not sharpen.undo.isEnabled()
    project.set_recipe("sharpen", coarse=str(low))
    click(qtbot, sharpen.button)
    wait_for(qtbot, lambda: idle(workspace) and len(project.results) == 2)
    click(qtbot, sharpen.undo)
    wait_for(qtbot, lambda: idle(workspace))
    assert project.results == [result]
    assert project.result is result
    assert not sharpen.undo.isEnabled()


def test_the_truth_in_use_is_taken(viewer, workspace, qtbot, result, low):
    project = workspace.project
    sharpen = panel(viewer, "Sharpen")
    assert not sharpen.take_truth.isEnabled()
    project.add_truth("low.fits", read_maps(low), choose=True)
    click(qtbot, sharpen.take_truth)
    assert project.recipe.sharpen.coarse == str(low)


def test_ctrl_z_takes_back_what_was_set(viewer, workspace, qtbot, result, low):
    project, sharpen = workspace.project, panel(viewer, "Sharpen")
    panels.raise_panel(viewer, "Sharpen")
    qtbot.wait(50)
    project.set_recipe("sharpen", coarse=str(low))
    project.set_recipe("sharpen", signal_to_noise=5.0)
    keys = {s.key().toString(): s for s in sharpen.findChildren(QShortcut)}
    keys["Ctrl+Z"].activated.emit()  # a bare display gives no window the focus that keys need
    assert project.recipe.sharpen == SharpenSettings(coarse=str(low))
    keys["Ctrl+Z"].activated.emit()
    assert project.recipe.sharpen == SharpenSettings()
    keys["Ctrl+Shift+Z"].activated.emit()
    assert project.recipe.sharpen.coarse == str(low)


@pytest.mark.slow
def test_predictions_stay_plain_and_sharpened_maps_follow_edits_sharpened(
    viewer,
    workspace,
    qtbot,
    opened,  # noqa: F811
    mock,  # noqa: F811
):
    opened("SDSS_g", "SDSS_i", "WISE_3.4", "WISE_12")
    project = workspace.project
    project.set_recipe("sharpen", coarse=str(mock / "SPIRE_500.fits"), image="SPIRE_500")
    workspace.predictor.predict()
    wait_for(qtbot, lambda: idle(workspace) and project.maps is not None)
    plain = project.result
    assert not plain.maps.provenance.get("sharpened") and not project.differences(plain)
    workspace.sharpener.sharpen()
    wait_for(qtbot, lambda: idle(workspace) and len(project.results) == 2)
    sharp = project.result
    assert not project.differences(sharp) and not project.differences(plain)
    # An edit of the masks: the maps that are looked at are made anew, sharpened as before.
    before = sharp.maps
    ra, dec = project.reference
    corners = ((ra, dec), (ra + 0.01, dec), (ra, dec + 0.01))
    workspace.masks.edit("a polygon", added=[Polygon(corners, "", "drawn")])
    wait_for(qtbot, lambda: idle(workspace) and sharp.maps is not before)
    assert sharp.maps.provenance.get("sharpened")
    assert (sharp.maps.flags != before.flags).any()
    assert not plain.maps.provenance.get("sharpened")
