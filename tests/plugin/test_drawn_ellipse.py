"""D25 is drawn on the canvas, typed or taken from a table, and the three agree; PSF and kernel
files are chosen by band.
"""

import numpy as np
import pytest
from astropy.io import fits
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QFileDialog, QLineEdit, QPushButton, QToolButton

from napari_galaxy_maps.data.galaxy import Ellipse
from napari_galaxy_maps.plugin.ground.sky_shapes import ellipse_corners, ellipse_of
from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.plugin.widgets.file_table import PSF
from napari_galaxy_maps.prepare.psf.kernels import gaussian_stamp

from . import mouse
from .conftest import canvas_is_painted, idle, start_over, wait_for
from .test_panels import BANDS, add_folder, choose, click, panel, write

pytestmark = pytest.mark.window


@pytest.fixture
def viewer(empty_window):
    """The window of this file's tests, with nothing in it."""
    return empty_window


@pytest.fixture
def opened(viewer, workspace, qtbot, monkeypatch, galaxy_folder):
    """The window with a galaxy of three bands, in the Galaxy panel."""
    panels.open_all(viewer)
    add_folder(qtbot, monkeypatch, viewer, workspace, galaxy_folder(BANDS))
    panels.raise_panel(viewer, "Galaxy")
    qtbot.wait(50)
    return viewer


@pytest.fixture
def drawn(opened, workspace, qtbot):
    """... with its ellipse on the canvas: 100 by 60 arcsec, its long axis to the north."""
    workspace.project.set_recipe(
        "galaxy", ra=150.0, dec=2.0, d25=200 / 60, axis_ratio=0.6, position_angle=0.0
    )
    click(qtbot, panel(opened, "Galaxy").findChild(QPushButton, "draw_d25"))
    qtbot.wait(200)
    return opened


def middle(workspace):
    """North and west offset of the ellipse's centre."""
    return workspace.d25_layer.layer.data[0].mean(axis=0)


@pytest.mark.parametrize(
    "ellipse",
    [
        Ellipse(150.02, 2.01, 90, 40, 35),
        Ellipse(149.9, 1.9, 300, 299, 170),
        Ellipse(10.3, 88.0, 60, 20, 95),
    ],
)
def test_an_ellipse_comes_back_from_its_corners(ellipse):
    reference = (ellipse.ra + 0.05, ellipse.dec - 0.03)
    back = ellipse_of(ellipse_corners(ellipse, reference), reference)
    for key in ("ra", "dec", "a", "b", "pa"):
        assert getattr(back, key) == pytest.approx(
            getattr(ellipse, key), abs=1e-5 if key in ("ra", "dec") else 2e-2
        )
    corners = ellipse_corners(ellipse, reference)
    turned = ellipse_of(np.roll(corners, 1, axis=0), reference)  # whichever corner is the first
    assert turned.pa == pytest.approx(back.pa) and turned.a == pytest.approx(back.a)


def test_the_ellipse_is_shown_and_can_be_moved_resized_and_turned(drawn, workspace, qtbot):
    layer = workspace.d25_layer.layer
    assert canvas_is_painted(drawn) and layer.name.endswith("D25") and layer in drawn.layers
    north, west = middle(workspace)
    mouse.drag(drawn, (north + 9, west + 7), (north + 39, west - 13))
    galaxy = workspace.project.recipe.galaxy
    assert (galaxy.ra - 150) * 3600 == pytest.approx(20, abs=1.5) and (
        galaxy.dec - 2
    ) * 3600 == pytest.approx(30, abs=1.5)
    assert galaxy.d25 == pytest.approx(200 / 60, rel=0.01) and galaxy.axis_ratio == pytest.approx(
        0.6, abs=0.01
    )
    north, west = middle(workspace)
    mouse.drag(
        drawn, (north, west - 60), (north, west - 85)
    )  # the handle on the eastern side; the western side stays
    galaxy = workspace.project.recipe.galaxy
    assert galaxy.axis_ratio == pytest.approx(0.725, abs=0.02) and galaxy.d25 == pytest.approx(
        200 / 60, rel=0.01
    )
    handle = layer._selected_box[9]
    centre = middle(workspace)
    away = handle - centre
    turned = centre + np.array(
        [
            away[0] * np.cos(0.5) - away[1] * np.sin(0.5),
            away[0] * np.sin(0.5) + away[1] * np.cos(0.5),
        ]
    )
    mouse.drag(drawn, tuple(handle), tuple(turned), steps=10)
    assert workspace.project.recipe.galaxy.position_angle == pytest.approx(
        180 - np.degrees(0.5), abs=3
    )  # from north to west
    form = panel(drawn, "Galaxy")
    assert float(form.d25.text()) == pytest.approx(workspace.project.recipe.galaxy.d25, rel=1e-3)
    assert float(form.position_angle.text()) == pytest.approx(
        workspace.project.recipe.galaxy.position_angle, abs=0.1
    )
    assert workspace.project.galaxy.ellipse is not None and len(layer.data) == 1


def test_what_is_typed_is_drawn(drawn, workspace, qtbot):
    form, layer = panel(drawn, "Galaxy"), workspace.d25_layer.layer
    write(qtbot, form.d25, "4")
    write(qtbot, form.position_angle, "90")
    ellipse = ellipse_of(layer.data[0], workspace.project.reference)
    assert (
        ellipse.a == pytest.approx(120, abs=0.1)
        and ellipse.pa == pytest.approx(90, abs=0.1)
        and len(layer.data) == 1
    )
    form.d25.setFocus()
    form.d25.selectAll()
    qtbot.keyClick(form.d25, Qt.Key.Key_Delete)
    qtbot.keyClick(form.d25, Qt.Key.Key_Return)
    assert workspace.project.recipe.galaxy.d25 is None and layer not in drawn.layers


def test_a_new_shape_takes_the_place_of_the_old_and_a_deleted_one_leaves_the_numbers(
    drawn, workspace, qtbot
):
    layer = workspace.d25_layer.layer
    layer.mode = "add_ellipse"
    mouse.drag(drawn, (20.0, -40.0), (80.0, 60.0))
    galaxy = workspace.project.recipe.galaxy
    assert len(layer.data) == 1 and galaxy.d25 == pytest.approx(100 / 60, rel=0.05)
    assert galaxy.axis_ratio == pytest.approx(
        0.6, abs=0.03
    ) and galaxy.position_angle == pytest.approx(90, abs=1)
    layer.mode = "select"
    layer.selected_data = {0}
    mouse.key(drawn, Qt.Key.Key_Backspace)
    qtbot.wait(100)
    assert layer not in drawn.layers and workspace.project.recipe.galaxy.d25 == galaxy.d25
    click(qtbot, panel(drawn, "Galaxy").draw)
    assert workspace.d25_layer.layer is not None


def test_without_a_size_a_circle_is_begun_with_and_without_an_image_words_say_what_to_do(
    viewer, workspace, qtbot, monkeypatch, galaxy_folder
):
    panels.open_all(viewer)
    panels.raise_panel(viewer, "Galaxy")
    form = panel(viewer, "Galaxy")
    click(qtbot, form.draw)
    assert "Open an image first" in form.message.text()
    add_folder(qtbot, monkeypatch, viewer, workspace, galaxy_folder(BANDS))
    click(qtbot, form.draw)
    galaxy = workspace.project.recipe.galaxy
    assert galaxy.d25 > 0 and galaxy.axis_ratio == 1 and abs(galaxy.ra - 150) < 0.1
    start_over(workspace)
    assert workspace.d25_layer.layer is None


def test_a_table_tells_what_is_known(opened, workspace, qtbot, monkeypatch, tmp_path):
    table = tmp_path / "galaxies.csv"
    table.write_text(
        "objname,al2000,de2000,t,logd25,logr25,pa,v\n"
        "NGC0309,10.0,2.0,0,1.5,0.1,40,3000\n"
        "NGC1,0.1,2,3,1,0,0,1\n"
    )
    form = panel(opened, "Galaxy")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(table), ""))
    click(qtbot, form.from_table)
    wait_for(qtbot, lambda: idle(workspace))
    assert "Which galaxy of galaxies.csv?" in form.message.text()
    write(qtbot, form.name, "NGC 309")
    click(qtbot, form.from_table)
    wait_for(qtbot, lambda: idle(workspace))
    galaxy = workspace.project.recipe.galaxy
    assert (
        galaxy.d25 == pytest.approx(3.162, rel=1e-3)
        and galaxy.position_angle == 40
        and galaxy.ra == 150
        and galaxy.hubble_stage == 0
    )
    assert form.hubble_stage.text() == "0" and workspace.project.galaxy.hubble_stage == 0
    assert "From galaxies.csv, NGC0309" in form.message.text()
    assert "by redshift" in form.distance.placeholderText() and form.redshift.text().startswith(
        "0.0100"
    )
    write(qtbot, form.hubble_stage, "11")
    assert "11 is outside -5 to 10" in form.message.text() and galaxy.hubble_stage == 0
    write(qtbot, form.hubble_stage, "-4.5")
    assert workspace.project.galaxy.hubble_stage == -4.5
    form.hubble_stage.selectAll()
    qtbot.keyClick(form.hubble_stage, Qt.Key.Key_Delete)
    qtbot.keyClick(form.hubble_stage, Qt.Key.Key_Return)
    assert workspace.project.galaxy.hubble_stage is None


def test_psf_and_kernel_files_are_chosen_by_band_and_told(
    opened, workspace, qtbot, monkeypatch, tmp_path, notifications
):
    workspace.project.set_recipe("galaxy", ra=150.0, dec=2.0, d25=2.5)
    for name, fwhm in (("psf.fits", 4.0), ("Kernel_WISE_3.4_to_9.fits", 6.6)):
        stamp = gaussian_stamp(fwhm, 0.5)
        fits.PrimaryHDU(stamp.data, fits.Header({"PIXSCALE": 0.5})).writeto(tmp_path / name)
    panels.raise_panel(opened, "Prepare")
    prepare = panel(opened, "Prepare")
    box = prepare.boxes["psf"]
    chosen = {}
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(chosen["file"]), ""))
    choose(qtbot, box.findChild(QComboBox, "psf_band"), "2MASS_J")
    chosen["file"] = tmp_path / "psf.fits"
    click(qtbot, box.findChild(QToolButton, "choose_psf"))
    wait_for(qtbot, lambda: idle(workspace))
    assert workspace.project.galaxy.images["2MASS_J"].psf.name == "psf.fits"
    choose(qtbot, box.findChild(QComboBox, "kernels_band"), "WISE_3.4")
    chosen["file"] = tmp_path / "Kernel_WISE_3.4_to_9.fits"
    click(qtbot, box.findChild(QToolButton, "choose_kernels"))
    assert workspace.project.recipe.psf.kernels == {"WISE_3.4": str(chosen["file"])}
    workspace.project.set_recipe("psf", target=9.0)
    click(qtbot, prepare.button)
    wait_for(qtbot, lambda: workspace.project.cube is not None and idle(workspace))
    box.more.click()
    words = box.told.text()
    assert "kernel Kernel_WISE_3.4_to_9.fits (sha256" in words and "made from psf.fits" in words
    # what cannot be used is told, and what was there stays
    cube = workspace.project.cube
    write(qtbot, box.findChild(QLineEdit, "kernels"), str(tmp_path / "missing.fits"))
    click(qtbot, prepare.button)
    wait_for(qtbot, lambda: idle(workspace))
    assert (
        "missing.fits does not exist" in prepare.message.text() and workspace.project.cube is cube
    )
    grid = prepare.boxes["grid"].findChild(QComboBox, "pixel")
    write(qtbot, grid.lineEdit(), "wide")
    assert "500 pc" in prepare.message.text() and workspace.project.recipe.grid.pixel == "auto"
    write(qtbot, grid.lineEdit(), "500 pc")
    assert workspace.project.recipe.grid.pixel == "500 pc"
    write(qtbot, box.findChild(QLineEdit, "kernels"), " ")
    click(qtbot, prepare.button)
    wait_for(qtbot, lambda: idle(workspace))
    assert "needs the galaxy's distance" in prepare.message.text()


def test_a_psf_file_that_is_none_is_told_in_the_table(opened, workspace, qtbot, tmp_path):
    fits.PrimaryHDU(np.ones((3, 9, 9)), fits.Header({"PIXSCALE": 1.0})).writeto(
        tmp_path / "cube.fits"
    )
    form = panel(opened, "Galaxy")
    label = next(row.label for row in workspace.project.files.found if row.band.name == "2MASS_J")
    form.table.item(form.table.row_of(label), PSF).setText(str(tmp_path / "missing.fits"))
    assert (
        "a FITS file that is there" in form.message.text()
        and not workspace.project.recipe.input.psf
    )
    form.table.item(form.table.row_of(label), PSF).setText(str(tmp_path / "cube.fits"))
    wait_for(qtbot, lambda: idle(workspace))
    assert "holds a cube" in form.message.text() and not workspace.project.recipe.input.psf
