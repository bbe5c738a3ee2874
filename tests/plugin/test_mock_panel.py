"""The Mock panel as a person uses it: wishes in, a galaxy with its truth out, predicted, compared,
saved, cancelled.
"""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QMessageBox, QPushButton

from napari_galaxy_maps.fits_io.map_files import read_maps
from napari_galaxy_maps.mocks.population import KINDS
from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.plugin.panels import mock_panel

from .conftest import idle, line_of, take_maps, wait_for

pytestmark = pytest.mark.window


@pytest.fixture
def viewer(empty_window):
    """The window of this file's tests, with nothing in it."""
    return empty_window


@pytest.fixture
def panel(viewer, qtbot):
    """The Mock panel with its fields empty."""
    panel = panels.panel(viewer, "Mock")
    panels.raise_panel(viewer, "Mock")
    for field in (
        *panel.fields.values(),
        panel.mass,
        panel.inclination,
        panel.distance,
        panel.pixel,
    ):
        field.clear()
    panel.seed.setValue(1)
    panel.kind.setCurrentIndex(0)
    panel.bands.setEditText(panel.bands.itemText(0))
    panel.image_size.setValue(64)
    return panel


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def make(qtbot, panel, workspace):
    panel.mock = None
    click(qtbot, panel.button)
    wait_for(
        qtbot,
        lambda: (
            panel.mock is not None
            and workspace.project.truth is not None
            and workspace.project.galaxy is not None
            and idle(workspace)
        ),
    )


def test_the_panels_kinds_are_those_of_the_mocks():
    assert mock_panel._KINDS == KINDS


def test_a_mock_is_opened_as_if_read_from_files_predicted_and_compared(
    panel, viewer, workspace, qtbot
):
    panel.kind.setCurrentText("spiral")
    panel.mass.setText("10.4")
    panel.inclination.setText("35")
    panel.fields["ebv"].setText("0.05")
    panel.fields["stars"].setText("4")
    make(qtbot, panel, workspace)
    galaxy = panel.mock.galaxy
    assert (galaxy.kind, galaxy.log_mass, galaxy.inclination) == ("spiral", 10.4, pytest.approx(35))
    assert (
        len(workspace.project.galaxy.images) == 26 and workspace.project.galaxy.ellipse is not None
    )
    assert (
        workspace.project.recipe.reddening.ebv == 0.05
        and workspace.project.recipe.stars.catalogue.endswith("stars.ecsv")
    )
    assert workspace.project.truth_name == "truth.fits" and "Mock 1" in workspace.project.name
    assert "10^10.40 Msun" in panel.made.text()
    assert {key.kind for key in workspace.layers.shown()} == {"image"}
    assert workspace.project.truth is not None
    workspace.project.set_recipe("grid", pixel=8.0)
    workspace.predictor.predict()
    wait_for(
        qtbot,
        lambda: (
            workspace.project.maps is not None
            and workspace.project.residual is not None
            and idle(workspace)
        ),
    )
    off = workspace.project.residual.values["LOG_SIGMA_LSTAR"]
    assert abs(np.nanmedian(off)) < 0.3
    assert any("Salpeter" in note for note in workspace.project.residual.provenance["note"])


def test_the_same_seed_makes_the_same_galaxy_and_another_another(panel, workspace, qtbot):
    panel.bands.setEditText("SDSS_g, WISE_3.4")
    first = []
    for _ in range(2):
        make(qtbot, panel, workspace)
        first.append(workspace.project.galaxy.images["SDSS_g"].data.copy())
    np.testing.assert_array_equal(*first)
    assert list(workspace.project.galaxy.images) == [
        "SDSS_g",
        "WISE_3.4",
    ]  # the one before made way
    click(qtbot, panel.findChild(QPushButton, "another"))
    make(qtbot, panel, workspace)
    assert panel.mock.galaxy.seed == 2 and workspace.project.name == "Mock 2"


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("mass", "15", "15 is outside 8.3 to 11.7"),
        ("inclination", "120", "120"),
        ("distance", "9000", "9000"),
        ("noise", "-1", "noise"),
        ("pixel", "-2", "pixel"),
        ("bands", "SDSS_g, Johnson_V", "Johnson_V"),
    ],
)
def test_what_makes_no_sense_is_said_in_words_and_nothing_changes(
    panel, workspace, qtbot, field, text, words
):
    if field == "bands":
        panel.bands.setEditText(text)
    else:
        panel.fields.get(field, getattr(panel, field, None)).setText(text)
    click(qtbot, panel.button)
    wait_for(qtbot, lambda: workspace.runner.job is None and panel.message.text())
    assert words in panel.message.text() and "Traceback" not in panel.message.text()
    assert not workspace.project.files.found and panel.button.isEnabled()


def test_a_large_mock_can_be_cancelled_and_what_was_there_stays(panel, workspace, qtbot):
    panel.bands.setEditText("SDSS_g, WISE_3.4")
    make(qtbot, panel, workspace)
    before, mock = list(workspace.project.files.found), panel.mock
    panel.image_size.setValue(700)
    line = line_of(panel)
    click(qtbot, panel.button)
    wait_for(
        qtbot,
        lambda: workspace.runner.job is not None and workspace.runner.job.last is not None,
    )
    wait_for(qtbot, line.cancel.isVisible)
    assert line.cancel.isEnabled() and not panel.button.isEnabled()
    click(qtbot, line.cancel)
    wait_for(qtbot, lambda: workspace.runner.job is None)
    assert (
        workspace.project.files.found == before and panel.mock is mock and panel.button.isEnabled()
    )


def test_a_mock_is_saved_as_the_command_writes_it(panel, workspace, qtbot, tmp_path, monkeypatch):
    panel.bands.setEditText("ugriz")
    make(qtbot, panel, workspace)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    click(qtbot, panel.save_button)
    wait_for(qtbot, lambda: panel.saved.text() != "" and workspace.runner.job is None)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {*(f"SDSS_{band}.fits" for band in "ugriz"), "truth.fits", "recipe.toml"}
    np.testing.assert_array_equal(
        read_maps(tmp_path / "truth.fits").values["LOG_SMD"], panel.mock.truth["LOG_SMD"]
    )
    # Asked before anything is replaced.
    asked = []
    monkeypatch.setattr(
        QMessageBox,
        "question",
        lambda *words: asked.append(words[2]) or QMessageBox.StandardButton.No,
    )
    stamp = (tmp_path / "truth.fits").stat().st_mtime_ns
    click(qtbot, panel.save_button)
    assert "SDSS_u.fits" in asked[0] and (tmp_path / "truth.fits").stat().st_mtime_ns == stamp


def test_a_mock_is_another_galaxy_beside_the_one_that_is_open(panel, workspace, qtbot, maps):
    take_maps(workspace, maps)
    click(qtbot, panel.button)
    wait_for(qtbot, lambda: len(workspace.galaxies.all) == 2 and idle(workspace))
    first, second = workspace.galaxies.all
    assert workspace.galaxies.current is second and workspace.project.truth is not None
    assert [result.maps for result in workspace.galaxies.work_of(first).results] == [maps]
