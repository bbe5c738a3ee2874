"""Reddening and stars are set in the Prepare panel, are told there, and what was masked is saved
with the maps.
"""

import numpy as np
import pytest
from astropy.table import Table
from qtpy.QtWidgets import QFileDialog, QLineEdit, QToolButton

from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.prepare.masks.mask_files import read_masks

from .conftest import idle, wait_for
from .test_panels import BANDS, add_folder, click, panel, write

pytestmark = pytest.mark.window


@pytest.fixture
def opened(viewer, workspace, qtbot, monkeypatch, galaxy_folder):
    """All panels, and the images of a galaxy."""
    panels.open_all(viewer)
    add_folder(qtbot, monkeypatch, viewer, workspace, galaxy_folder(BANDS))
    return viewer


def test_reddening_is_removed_as_written_and_nonsense_is_told(opened, workspace, qtbot):
    panels.raise_panel(opened, "Prepare")
    prepare = panel(opened, "Prepare")
    box = prepare.boxes["reddening"]
    field = box.findChild(QLineEdit, "ebv")
    write(qtbot, field, "0.25")
    assert workspace.project.recipe.reddening.ebv == 0.25
    write(qtbot, field, "much")
    assert (
        workspace.project.recipe.reddening.ebv == 0.25
        and "much" in prepare.message.text()
        and field.text() == "0.25"
    )
    click(qtbot, prepare.button)
    wait_for(qtbot, lambda: workspace.project.cube is not None and idle(workspace))
    assert "absorption" in box.told.text() and "E(B-V) = 0.2500" in box.told.text()
    field.clear()
    write(qtbot, field, " ")
    assert workspace.project.recipe.reddening.ebv is None


def test_stars_of_a_chosen_table_are_masked_and_saved(
    opened, workspace, qtbot, monkeypatch, tmp_path
):
    table = tmp_path / "gaia.ecsv"
    image = workspace.project.galaxy.images["WISE_3.4"]
    x, y = image.wcs.world_to_pixel_values(150.008, 2.006)
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    sigma = image.fwhm / 2.3548 / image.pixel_arcsec
    star = 60 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 2 / sigma**2)
    image.data[:] += star.astype("f4")
    workspace.project.memory = None  # the images as they were have been looked at ahead
    Table(
        {
            "source_id": [7],
            "ra": [150.008],
            "dec": [2.006],
            "parallax": [4.0],
            "parallax_error": [0.05],
            "pmra": [0.0],
            "pmdec": [0.0],
            "phot_g_mean_mag": [13.0],
            "ref_epoch": [2010.0],
        }
    ).write(table)
    panels.raise_panel(opened, "Prepare")
    box = panel(opened, "Prepare").boxes["stars"]
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(table), ""))
    click(qtbot, box.findChild(QToolButton, "choose_catalogue"))
    assert workspace.project.recipe.stars.catalogue == str(table) and box.findChild(
        QLineEdit, "catalogue"
    ).text() == str(table)
    panels.raise_panel(opened, "Predict")
    predict = panel(opened, "Predict")
    click(qtbot, predict.button)
    wait_for(qtbot, lambda: idle(workspace) and workspace.project.maps is not None)
    assert "1 star of gaia.ecsv subtracted or masked" in box.told.text()
    assert (workspace.project.maps.flags & Flag.MASKED).any()
    out = tmp_path / "maps.fits"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(out), ""))
    click(qtbot, predict.results.save_button)
    wait_for(qtbot, lambda: idle(workspace) and out.exists())
    assert [star.id for star in read_masks(out).stars] == ["7"]


def test_a_star_table_that_cannot_be_read_is_told_and_nothing_is_lost(
    opened, workspace, qtbot, tmp_path, notifications
):
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1,2\n")
    before = set(workspace.layers.shown())
    panels.raise_panel(opened, "Prepare")
    prepare = panel(opened, "Prepare")
    write(qtbot, prepare.boxes["stars"].findChild(QLineEdit, "catalogue"), str(bad))
    click(qtbot, prepare.button)
    wait_for(qtbot, lambda: idle(workspace) and "bad.csv" in prepare.message.text())
    assert not list(notifications)
    assert set(workspace.layers.shown()) == before and workspace.project.cube is None
