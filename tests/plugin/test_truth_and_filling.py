"""A truth fitted from the Predict panel and gaps filled from the Prepare panel, in a real
window.
"""

import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog

from napari_galaxy_maps.fits_io.map_files import read_maps
from napari_galaxy_maps.fits_io.recipe_files import read_recipe
from napari_galaxy_maps.mocks.writing import mock_steps, view_for
from napari_galaxy_maps.plugin.ground.layer_specs import Key
from napari_galaxy_maps.plugin.jobs import fit_truth
from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.plugin.state.pixel_spectra import FAR
from napari_galaxy_maps.progress import run_to_end
from napari_galaxy_maps.sed.truth import ORDER

from .conftest import idle, line_of, wait_for
from .test_panels import click, panel

pytestmark = pytest.mark.window


@pytest.fixture(scope="module")
def mock(tmp_path_factory):
    """The folder of a small mock spiral in all bands."""
    folder = tmp_path_factory.mktemp("mock")
    run_to_end(mock_steps(3, view_for("all", 64, 6.0), folder, "spiral", inclination=40.0))
    return folder


@pytest.fixture
def viewer(empty_window):
    """The window of this file's tests, with nothing in it."""
    return empty_window


@pytest.fixture
def opened(viewer, workspace, qtbot, mock, cache, monkeypatch):
    """All panels and the mock's images of some bands."""
    monkeypatch.setenv("GALAXY_MAPS_CACHE", str(cache))

    def open_bands(*bands):
        panels.open_all(viewer)
        workspace.opener.add_paths([mock / f"{band}.fits" for band in bands])
        qtbot.wait(50)
        wait_for(qtbot, lambda: idle(workspace) and workspace.project.galaxy is not None)
        known = read_recipe(mock / "recipe.toml").galaxy
        workspace.project.set_recipe("galaxy", **known.model_dump(exclude_none=True))
        workspace.project.set_recipe("sed", n_models=3000)
        workspace.project.set_recipe("model", device="cpu")
        workspace.project.make_galaxy()
        return panel(viewer, "Predict")

    return open_bands


BANDS = ("SDSS_g", "SDSS_i", "2MASS_J", "WISE_3.4", "WISE_12", "PACS_70", "PACS_160", "SPIRE_250")


def test_a_truth_is_fitted_becomes_the_truth_and_is_saved(
    viewer, workspace, qtbot, opened, tmp_path, monkeypatch
):
    predict = opened(*BANDS)
    panels.raise_panel(viewer, "Predict")
    qtbot.wait(50)
    assert predict.save_truth.isHidden()
    line = line_of(predict)
    click(qtbot, predict.fit_truth)
    assert workspace.runner.job is not None and workspace.runner.job.title == fit_truth.TITLE
    wait_for(qtbot, line.cancel.isVisible)
    assert fit_truth.TITLE in line.words.text() and line.cancel.isEnabled()
    wait_for(qtbot, lambda: idle(workspace))
    maps = workspace.project.truth
    assert (
        workspace.project.truth_name == fit_truth.NAME
        and tuple(maps.values) == ORDER
        and workspace.project.fitted.cube.fwhm == 18.0
    )
    assert predict.truth.currentText() == fit_truth.NAME
    assert workspace.layers.layer(Key("truth", "T_DUST", fit_truth.NAME)) is not None
    assert workspace.project.cube is None and workspace.project.maps is None, (
        "nothing else was changed"
    )
    click(qtbot, predict.button)
    wait_for(qtbot, lambda: idle(workspace) and workspace.project.maps is not None)
    assert workspace.project.residual is not None and "T_DUST" in workspace.project.residual.values
    assert set(workspace.spectra.sources) >= {FAR}
    out = tmp_path / "truth.fits"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(out), ""))
    click(qtbot, predict.save_truth)
    wait_for(qtbot, lambda: idle(workspace) and out.exists())
    saved = read_maps(out)
    assert np.array_equal(saved.values["LOG_SMD"], maps.values["LOG_SMD"], equal_nan=True)


def test_too_few_far_infrared_bands_are_one_sentence_and_nothing_changes(
    viewer, workspace, qtbot, opened, notifications
):
    predict = opened("SDSS_g", "WISE_3.4", "PACS_70", "SPIRE_250")
    panels.raise_panel(viewer, "Predict")
    click(qtbot, predict.fit_truth)
    wait_for(qtbot, lambda: idle(workspace))
    said = predict.message.text()
    assert "at least 3 far-infrared bands" in said and "PACS_70 and SPIRE_250" in said
    assert workspace.project.fitted is None and not list(notifications)


def test_an_absurd_redshift_is_one_sentence(viewer, workspace, qtbot, opened, notifications):
    predict = opened(*BANDS)
    workspace.project.set_recipe("galaxy", redshift=0.55)
    panels.raise_panel(viewer, "Predict")
    click(qtbot, predict.fit_truth)
    wait_for(qtbot, lambda: idle(workspace))
    said = predict.message.text()
    assert "redshift of 0.55 cannot be used" in said and "(Galaxy panel: redshift)." in said
    assert workspace.project.fitted is None and not list(notifications)


def test_the_fit_is_cancelled_and_leaves_nothing(viewer, workspace, qtbot, opened):
    predict = opened(*BANDS)
    panels.raise_panel(viewer, "Predict")
    workspace.project.set_recipe("sed", n_models=1_500_000)
    line = line_of(predict)
    click(qtbot, predict.fit_truth)
    wait_for(
        qtbot,
        lambda: (
            workspace.runner.job is not None
            and workspace.runner.job.last is not None
            and workspace.runner.job.last.step == "sed"
        ),
    )
    wait_for(qtbot, line.cancel.isVisible)
    click(qtbot, line.cancel)
    wait_for(qtbot, lambda: idle(workspace))
    assert workspace.project.fitted is None and workspace.project.truth is None


def test_gaps_are_filled_unless_the_step_is_switched_off_and_its_eye_shows_them(
    viewer, workspace, qtbot, opened
):
    opened("GALEX_FUV", *BANDS[:5])
    panels.raise_panel(viewer, "Prepare")
    box = panel(viewer, "Prepare").boxes["impute"]
    assert box.switch.isChecked(), "on by default, as measured"
    click(qtbot, box.switch)
    assert not workspace.project.recipe.impute.enabled
    click(qtbot, box.switch)
    assert workspace.project.recipe.impute.enabled
    box.findChild(type(box.switch.parent()), "bands")
    workspace.project.set_recipe("impute", bands="all", n_models=2000)
    click(qtbot, panel(viewer, "Prepare").button)
    wait_for(qtbot, lambda: idle(workspace) and workspace.project.cube is not None)
    assert "WISE_22" in workspace.project.cube.bands and "filled by" in "\n".join(
        workspace.project.step_notes["impute"]
    )
    click(qtbot, box.eye)
    wait_for(
        qtbot,
        lambda: (
            idle(workspace) and workspace.layers.layer(Key("step", "WISE_22", "impute")) is not None
        ),
    )
    layer = workspace.layers.layer(Key("step", "WISE_22", "impute"))
    assert np.isfinite(layer.data[~workspace.project.cube.mask]).all()
