"""The window with an image in a band that no model was trained on: it is chosen among its survey's,
prepared with the others, and the maps are those without it.

Of `widgets.file_table` and `panels.pixel_panel`, too.
"""

from time import perf_counter

import numpy as np
import pytest

from napari_galaxy_maps.bands.registry import BANDS, MODEL_BANDS
from napari_galaxy_maps.bands.stand_ins import STAND_INS
from napari_galaxy_maps.pipeline import predict
from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.plugin.state.pixel_spectra import Place
from napari_galaxy_maps.plugin.widgets import file_table

from ..conftest import tan_wcs, write_image
from .conftest import idle, wait_for
from .test_panels import add_folder, choose, click, panel

pytestmark = pytest.mark.window

SEEN = {"SDSS_r": 8.0, "2MASS_J": 20.0, "WISE_3.4": 30.0, "WISE_4.6": 15.0}


@pytest.fixture
def viewer(empty_window):
    """The window of this file's tests, with nothing in it."""
    return empty_window


def test_bands_to_choose_from_are_the_models_first_and_then_by_survey(
    viewer, workspace, qtbot, monkeypatch, tmp_path
):
    data = np.random.default_rng(0).normal(1, 0.1, (40, 40)).astype("f4")
    write_image(tmp_path / "mystery.fits", data, tan_wcs(data.shape, 2.0), BUNIT="MJy/sr")
    panels.open_all(viewer)
    add_folder(qtbot, monkeypatch, viewer, workspace, tmp_path)
    box = panel(viewer, "Galaxy").table.cellWidget(0, file_table.BAND)
    names = [box.itemData(i) for i in range(box.count())]
    assert names[: len(MODEL_BANDS) + 1] == ["", *MODEL_BANDS]
    assert sorted(filter(None, names)) == sorted(BANDS)
    ps1 = names.index("PS1_g")
    assert names[ps1 - 1 : ps1 + 6] == [None, "PS1_g", "PS1_r", "PS1_i", "PS1_z", "PS1_y", None]
    choose(qtbot, box, "PS1_r")
    wait_for(qtbot, lambda: workspace.project.galaxy is not None and idle(workspace))
    assert list(workspace.project.galaxy.images) == ["PS1_r"] and box.currentText() == "PS1_r"


def test_a_drop_down_of_all_bands_is_made_in_no_time(viewer, workspace, qtbot):
    panels.open_all(viewer)
    table = panel(viewer, "Galaxy").table

    class Found:
        band_candidates = ("SDSS_r",)

    class State:
        found = Found()
        is_beside = False

    start = perf_counter()
    for _ in range(20):
        table._band_box("a file", State()).deleteLater()
    assert perf_counter() - start < 0.5, "20 files"


def test_maps_are_those_without_the_image_and_the_panels_say_so(
    viewer, workspace, qtbot, monkeypatch, galaxy_folder, cache
):
    monkeypatch.setenv("GALAXY_MAPS_CACHE", str(cache))
    panels.open_all(viewer)
    folder = galaxy_folder({**SEEN, "PS1_r": 8.0})
    add_folder(qtbot, monkeypatch, viewer, workspace, folder)
    project = workspace.project
    project.set_recipe("galaxy", ra=150.0, dec=2.0, d25=2.5, redshift=0.0)
    project.set_recipe("sed", n_models=500)
    note = "PS1_r is not used: dust-forest was trained on no such band."
    assert "PS1_r" in project.galaxy.images
    assert panel(viewer, "Predict").missing.text().endswith(note)
    panels.raise_panel(viewer, "Predict")
    qtbot.wait(100)
    click(qtbot, panel(viewer, "Predict").button)
    wait_for(qtbot, lambda: project.maps is not None and idle(workspace))
    assert note in project.maps.provenance["note"]
    galaxy = project.galaxy
    assert set(galaxy.images) == {*SEEN, "PS1_r"}
    few = {name: image for name, image in galaxy.images.items() if name != "PS1_r"}
    plain = predict(type(galaxy)(**{**vars(galaxy), "images": few}), project.recipe)
    for name, plane in plain.values.items():
        np.testing.assert_array_equal(plane, project.maps.values[name], err_msg=name)

    panels.raise_panel(viewer, "Prepare")
    qtbot.wait(100)
    workspace.preparer.prepare()
    wait_for(qtbot, lambda: project.cube is not None and idle(workspace))
    assert "PS1_r" in project.cube.bands
    # The Pixel panel shows the bands of the maps, if there are any.
    workspace.close_result(project.result)
    panels.raise_panel(viewer, "Pixel")
    wait_for(qtbot, lambda: idle(workspace) and workspace.spectra.ready())
    pixels = panel(viewer, "Pixel")
    ny, nx = project.cube.shape
    pixels.show_place(Place(ny // 2, nx // 2))
    assert "4 bands fitted" in pixels.fit_text.text()
    assert "PS1_r is not fitted: the model spectra have no such band" in pixels.fit_text.text()
    assert not dict(zip(pixels.found.bands, pixels.found.fitted, strict=True))["PS1_r"]


def test_a_tick_lets_another_camera_stand_in_and_says_so(
    viewer, workspace, qtbot, monkeypatch, galaxy_folder
):
    folder = galaxy_folder({"DECam_g": 8.0, "DECam_r": 12.0, "WISE_3.4": 30.0})
    panels.open_all(viewer)
    add_folder(qtbot, monkeypatch, viewer, workspace, folder)
    project, galaxy_panel = workspace.project, panel(viewer, "Galaxy")
    wait_for(qtbot, lambda: project.galaxy is not None and idle(workspace))
    assert list(project.galaxy.images) == ["DECam_g", "DECam_r", "WISE_3.4"]
    tick = galaxy_panel.stand_in
    assert not tick.isHidden() and not tick.isChecked()
    assert tick.text() == "Let other cameras stand in for 2 bands"
    told = STAND_INS["DECam_g"]
    words = f"DECam_g for SDSS_g: flux times {told.factor:.3f}, error {told.error:.1%}"
    assert words in tick.toolTip()
    plain = project.galaxy.images["DECam_g"].data
    click(qtbot, tick)
    wait_for(qtbot, lambda: "SDSS_g" in project.galaxy.images and idle(workspace))
    assert list(project.galaxy.images) == ["SDSS_g", "SDSS_r", "WISE_3.4"]
    data = project.galaxy.images["SDSS_g"].data
    np.testing.assert_allclose(data, plain * told.factor, rtol=1e-5)
    row = next(row for row in project.file_rows() if row.file.band.name == "DECam_g")
    assert row.read and row.remark == str(told) and not row.problem
    assert any(layer.name.endswith("SDSS_g") for layer in viewer.layers)
    assert not any("DECam_g" in layer.name for layer in viewer.layers)
    click(qtbot, tick)
    wait_for(qtbot, lambda: "DECam_g" in project.galaxy.images and idle(workspace))
    assert project.recipe.input.stand_in is False
