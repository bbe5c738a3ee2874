"""Dust is taken away from the Predict panel: maps, images as layers, saved images, in a real
window.
"""

import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog

from napari_galaxy_maps.data.properties import ATTENUATION
from napari_galaxy_maps.fits_io.cube_files import read_cube
from napari_galaxy_maps.plugin.ground.layer_specs import Key
from napari_galaxy_maps.plugin.jobs import take_dust
from napari_galaxy_maps.plugin.manifest import docks as panels

from .conftest import idle, line_of, wait_for
from .test_panels import click
from .test_truth_and_filling import mock, opened, viewer  # noqa: F401

pytestmark = pytest.mark.window

BANDS = ("GALEX_FUV", "GALEX_NUV", "SDSS_g", "SDSS_r", "WISE_3.4", "WISE_12")


def test_dust_is_taken_away_again_and_again_and_saved(
    viewer,  # noqa: F811
    workspace,
    qtbot,
    opened,  # noqa: F811
    tmp_path,
    monkeypatch,
):
    predict = opened(*BANDS)
    workspace.project.set_recipe("grid", pixel=24.0)  # few pixels, for a busy machine
    panels.raise_panel(viewer, "Predict")
    qtbot.wait(50)
    assert predict.save_dustless.isHidden()
    assert "mag" in predict.take_dust.toolTip() and "MJy/sr" in predict.take_dust.toolTip()
    line = line_of(predict)
    click(qtbot, predict.take_dust)
    assert workspace.runner.job is not None and workspace.runner.job.title == take_dust.TITLE
    wait_for(qtbot, line.isVisible)
    assert take_dust.TITLE in line.words.text() and line.cancel.isEnabled()
    wait_for(qtbot, lambda: idle(workspace) and workspace.project.maps is not None)
    (result,) = workspace.project.results
    assert tuple(result.maps.values) == ATTENUATION and result.label == take_dust.LABEL
    assert not result.saved
    for band in BANDS[:4]:
        layer = workspace.layers.layer(Key("step", band, take_dust.STEP))
        assert layer is not None and "without dust" in layer.name
    with_dust = workspace.layers.layer(Key("image", "SDSS_g"))
    assert with_dust is not None
    out = tmp_path / "images.fits"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(out), ""))
    click(qtbot, predict.save_dustless)
    wait_for(qtbot, lambda: idle(workspace) and out.exists())
    saved = read_cube(out)
    assert saved.bands == BANDS[:4] and not saved.dimmed
    assert np.array_equal(saved.data, workspace.dust_taker.images.data, equal_nan=True)
    # A second time in the same place, a prediction beside it.
    click(qtbot, predict.take_dust)
    wait_for(qtbot, lambda: idle(workspace))
    assert len(workspace.project.results) == 1
    click(qtbot, predict.button)
    wait_for(qtbot, lambda: idle(workspace) and len(workspace.project.results) == 2)
    assert "LOG_SMD" in workspace.project.maps.values
    assert tuple(workspace.project.results[0].maps.values) == ATTENUATION


def test_images_that_tell_nothing_are_a_sentence(
    viewer,  # noqa: F811
    workspace,
    qtbot,
    opened,  # noqa: F811
    notifications,
):
    predict = opened("WISE_3.4", "WISE_12", "WISE_22")
    click(qtbot, predict.take_dust)
    wait_for(qtbot, lambda: idle(workspace))
    assert workspace.project.results == [] and predict.save_dustless.isHidden()
    assert "ultraviolet or optical" in predict.message.text() and not list(notifications)
