"""Circles of stars edited as a person does it, on the canvas and in the Stars panel; the maps
follow, and are right.
"""

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.galaxy import Galaxy
from napari_galaxy_maps.pipeline import PredictionMemory, predict_steps
from napari_galaxy_maps.plugin.ground import viewers
from napari_galaxy_maps.plugin.ground.layer_specs import Key
from napari_galaxy_maps.plugin.jobs import refresh_maps
from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.prepare.masks.mask_edits import masked_whole
from napari_galaxy_maps.prepare.masks.mask_files import read_masks
from napari_galaxy_maps.prepare.masks.mask_set import Masks
from napari_galaxy_maps.prepare.stars.star_light import StarLight
from napari_galaxy_maps.prepare.stars.star_list import Star
from napari_galaxy_maps.prepare.stars.star_wings import StarPsf
from napari_galaxy_maps.progress import run_to_end
from tests.conftest import ROUNDING

from . import mouse
from .conftest import canvas_is_painted, idle, map_key, map_layer, start_over, wait_for
from .test_panels import add_folder, click, panel, predict, write

pytestmark = pytest.mark.window
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def viewer(empty_window):
    """The window of this file's tests, with nothing in it."""
    return empty_window


@pytest.fixture
def opened(viewer, workspace, qtbot, monkeypatch, starry_folder):
    """The window with a galaxy of three bands, two bright stars and a catalogue of them, in the
    Stars panel.
    """
    panels.open_all(viewer)
    add_folder(qtbot, monkeypatch, viewer, workspace, starry_folder)
    workspace.project.set_recipe("galaxy", ra=150.0, dec=2.0, d25=2.5)
    panels.raise_panel(viewer, "Stars")
    qtbot.wait(50)
    return viewer


@pytest.fixture
def fitted(opened, workspace, qtbot, monkeypatch, starry_folder):
    """... its stars fitted, by choosing the catalogue."""
    table = str(starry_folder / "gaia.ecsv")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (table, ""))
    click(qtbot, panel(opened, "Stars").catalogue)
    wait_for(qtbot, lambda: idle(workspace) and workspace.circles.layer is not None)
    return opened


@pytest.fixture
def predicted(fitted, workspace, qtbot):
    """... and its maps predicted, looked at from the Stars panel."""
    predict(qtbot, fitted, workspace)
    panels.raise_panel(fitted, "Stars")
    workspace.layers.fit(map_key(workspace, "LOG_SIGMA_MD"))
    qtbot.wait(250)
    return fitted


def shapes(workspace):
    """Centre and half sides of every shape on the canvas."""
    return [
        (corners.mean(axis=0), np.ptp(corners, axis=0) / 2)
        for corners in workspace.circles.layer.data
    ]


def star(workspace, name):
    return next(item for item in workspace.masks.items if item.id == name)


def number_of(workspace, name):
    """Which shape shows a star."""
    return next(i for i, item in enumerate(workspace.circles._drawn) if item.id == name)


def grasp(viewer, workspace, qtbot, name):
    """Select a star's circle by a click on it; its number."""
    layer = workspace.circles.layer
    viewer.layers.selection.active = layer
    i = number_of(workspace, name)
    mouse.click(viewer, shapes(workspace)[i][0])
    assert layer.selected_data == {i} and [item.id for item in workspace.masks.selected] == [name]
    qtbot.wait(20)
    return i


def followed(qtbot, workspace, edit):
    """Do an edit, and wait until the maps have followed."""
    before = workspace.project.maps
    edit()
    wait_for(qtbot, lambda: workspace.project.maps is not before and idle(workspace))
    assert not workspace.refresher.behind


def full_run(workspace):
    """The maps of a run from nothing with the masks as they are now."""
    galaxy = workspace.project.galaxy
    fresh = Galaxy(
        galaxy.name, galaxy.images, galaxy.ra, galaxy.dec, galaxy.distance_mpc, galaxy.ellipse
    )
    return run_to_end(
        predict_steps(fresh, workspace.project.recipe, PredictionMemory(), workspace.masks.now)
    )


def same(maps, others):
    for name in maps.values:
        plane, other = maps.whole(name), others.whole(name)
        np.testing.assert_allclose(plane, other, rtol=0, atol=1e-6 * np.nanmax(np.abs(plane)))
        np.testing.assert_array_equal(np.isnan(plane), np.isnan(other))
    np.testing.assert_array_equal(maps.flags, others.flags)


# The circles -------------------------------------------------------------------------------------


def test_fitted_stars_come_as_circles_and_as_rows_and_nothing_else_changes(
    opened, workspace, qtbot, fitted
):
    layer, stars = workspace.circles.layer, panel(opened, "Stars")
    assert [item.id for item in workspace.masks.items] == ["1", "2"] and layer.nshapes == 2
    assert (
        opened.layers[-1] is layer and layer.visible and opened.layers.selection.active is not layer
    )
    assert layer.units == opened.layers[0].units, "no unit is dropped"
    # Put on the canvas and painted in parts: in the end all are there, on top, and a click selects.
    assert len(viewers.painted_parts(opened, layer)) >= 4 and layer.mode == "select"
    others = [
        opened.window._qt_viewer.canvas.layer_to_visual[other] for other in opened.layers[:-1]
    ]
    assert opened.window._qt_viewer.canvas.layer_to_visual[layer].order > max(
        other.order for other in others
    )
    assert stars.table.stars.rowCount() == 2 and "2 circles" in stars.counts.text()
    # The circle lies on the star: the brightest pixel near its middle is under the middle.
    for item, (centre, half) in zip(workspace.circles._drawn, shapes(workspace), strict=True):
        image = workspace.project.galaxy.images["WISE_3.4"]
        x, y = image.wcs.world_to_pixel_values(item.ra, item.dec)
        row, column = workspace.layers.layer(Key("image", "WISE_3.4")).world_to_data(centre)
        assert abs(row - y) < 0.05 and abs(column - x) < 0.05
        assert half == pytest.approx([max(item.radii.values())] * 2, abs=1e-3)
        assert image.data[round(float(y)), round(float(x))] > 30


def test_a_circle_is_moved_with_the_mouse_and_the_maps_follow_as_a_full_run_makes_them(
    predicted, workspace, qtbot
):
    first, focus = workspace.project.maps, predicted.layers.selection.active
    seen = {layer.name: layer.visible for layer in predicted.layers}
    layer_data = map_layer(workspace, "LOG_SIGMA_MD").data
    i = grasp(predicted, workspace, qtbot, "1")
    assert focus is not workspace.circles.layer
    before, centre = star(workspace, "1"), shapes(workspace)[i][0]
    target = centre + np.array([-18, 12])
    followed(qtbot, workspace, lambda: mouse.drag(predicted, centre, target))
    after = star(workspace, "1")
    # Its light was fitted where it was: from now on it is masked.
    assert after.radii == masked_whole(before).radii and not after.lights
    assert shapes(workspace)[i][0] == pytest.approx(target, abs=0.5)
    assert (after.dec - before.dec) * 3600 == pytest.approx(-18, abs=0.5)
    assert (after.ra - before.ra) * 3600 * np.cos(np.radians(2)) == pytest.approx(-12, abs=0.5)
    shown = map_layer(workspace, "LOG_SIGMA_MD").data
    assert shown is workspace.project.maps.whole("LOG_SIGMA_MD") and not np.array_equal(
        shown, layer_data, equal_nan=True
    )
    same(workspace.project.maps, full_run(workspace))
    assert {layer.name: layer.visible for layer in predicted.layers} == seen, (
        "what is switched on stays so"
    )
    # Undone with the keys, the maps are what they were, bit for bit; redone, they are the others
    # again.
    edited = workspace.project.maps
    followed(qtbot, workspace, lambda: mouse.key(predicted, Qt.Key.Key_Z, CTRL))
    assert star(workspace, "1") is before
    for name in first.values:
        found, whole = workspace.project.maps.whole(name), first.whole(name)
        np.testing.assert_allclose(found, whole, **ROUNDING)
    np.testing.assert_array_equal(workspace.project.maps.flags, first.flags)
    followed(qtbot, workspace, lambda: mouse.key(predicted, Qt.Key.Key_Z, CTRL | SHIFT))
    assert star(workspace, "1") is after
    same(workspace.project.maps, edited)
    assert canvas_is_painted(predicted)


@pytest.mark.parametrize("handle", [2, 5])  # a corner of napari's box, a side
def test_a_circle_made_larger_stays_a_circle_about_its_star_in_proportion_in_every_band(
    fitted, workspace, qtbot, handle
):
    i = grasp(fitted, workspace, qtbot, "2")
    before, (centre, _) = star(workspace, "2"), shapes(workspace)[i]
    place = workspace.circles.layer.interaction_box(i)[handle]
    mouse.drag(fitted, place, centre + (place - centre) * 1.5)
    after = star(workspace, "2")
    assert (after.ra, after.dec) == (before.ra, before.dec)
    for band, radius in before.radii.items():
        assert after.radii[band] == pytest.approx(1.5 * radius, rel=0.03)
    new_centre, half = shapes(workspace)[i]
    assert half[0] == pytest.approx(half[1], abs=1e-3) and new_centre == pytest.approx(
        centre, abs=1e-3
    )


def test_an_ellipse_that_comes_from_elsewhere_becomes_the_circle_of_its_mean_radius(
    fitted, workspace
):
    """What a script, or a napari of another version, leaves behind after a drag."""
    layer, i = workspace.circles.layer, number_of(workspace, "1")
    centre, half = shapes(workspace)[i]
    layer._data_view.edit(i, (layer.data[i] - centre) * [1.0, 2.0] + centre)
    layer.events.data(value=layer.data, action="changed", data_indices=(i,), vertex_indices=((),))
    assert shapes(workspace)[i][1] == pytest.approx([1.5 * half[0]] * 2, rel=1e-5)
    assert max(star(workspace, "1").radii.values()) == pytest.approx(1.5 * half[0], rel=1e-5)


def test_in_one_band_only_that_radius_changes_and_delete_takes_only_that_circle(
    fitted, workspace, qtbot
):
    stars = panel(fitted, "Stars")
    stars.band.setCurrentIndex(stars.band.findData("SDSS_i"))
    stars.band.activated.emit(stars.band.currentIndex())
    before = star(workspace, "1")
    i = grasp(fitted, workspace, qtbot, "1")
    centre, half = shapes(workspace)[i]
    assert half[0] == pytest.approx(before.radii["SDSS_i"], abs=1e-3)
    corner = workspace.circles.layer.data[i][2]
    mouse.drag(fitted, corner, centre + (corner - centre) * 2)
    after = star(workspace, "1")
    assert after.radii["SDSS_i"] == pytest.approx(2 * before.radii["SDSS_i"], rel=0.1)
    assert {b: r for b, r in after.radii.items() if b != "SDSS_i"} == {
        b: r for b, r in before.radii.items() if b != "SDSS_i"
    }
    mouse.key(fitted, Qt.Key.Key_Delete)
    assert star(workspace, "1").radii["SDSS_i"] == 0 and star(workspace, "1").radii["WISE_3.4"] > 0
    assert workspace.circles.layer.nshapes == 1
    stars.band.setCurrentIndex(0)
    stars.band.activated.emit(0)
    assert workspace.circles.layer.nshapes == 2, "in the other bands it is still there"


def test_a_circle_is_drawn_clicked_and_deleted(fitted, workspace, qtbot):
    stars, layer = panel(fitted, "Stars"), workspace.circles.layer
    click(qtbot, stars.tools["add"])
    assert (
        fitted.layers.selection.active is layer
        and layer.mode == "add_ellipse"
        and stars.tools["add"].isChecked()
    )
    mouse.drag(fitted, (20, -30), (20, -18))
    drawn = star(workspace, "hand 1")
    assert drawn.origin == "hand" and set(drawn.radii) == set(workspace.project.bands)
    assert list(drawn.radii.values()) == pytest.approx([12] * 3, abs=1)
    centre, half = shapes(workspace)[number_of(workspace, "hand 1")]
    assert centre == pytest.approx([20, -30], abs=1) and half[0] == pytest.approx(half[1], abs=1e-3)
    mouse.click(fitted, (-40, 40))
    assert star(workspace, "hand 2").radii["SDSS_i"] == workspace.circles.usual_radius()
    click(qtbot, stars.tools["add"])
    assert layer.mode == "select"
    grasp(fitted, workspace, qtbot, "hand 1")
    mouse.key(fitted, Qt.Key.Key_Delete)
    assert [item.id for item in workspace.masks.items] == [
        "1",
        "2",
        "hand 2",
    ] and layer.nshapes == 3
    for _ in range(3):
        click(qtbot, stars.undo)
    assert [item.id for item in workspace.masks.items] == ["1", "2"] and layer.nshapes == 2
    assert not stars.undo.isEnabled()
    click(qtbot, stars.redo)
    assert star(workspace, "hand 1") is drawn and layer.nshapes == 3


def test_a_polygon_drawn_in_the_layer_masks_and_a_line_is_told_off(fitted, workspace, qtbot):
    layer = workspace.circles.layer
    layer.add([[0, 0], [0, 20], [15, 0]], shape_type="polygon")
    assert len(workspace.masks.now.polygons) == 1 and layer.nshapes == 3
    vertices = workspace.masks.now.polygons[0].vertices
    assert (vertices[:, 1].max() - 2.0) * 3600 == pytest.approx(15, abs=0.5)
    layer.add([[0, 0], [0, 20]], shape_type="line")
    assert layer.nshapes == 3 and "line" in panel(fitted, "Stars").message.text()


def test_hundreds_of_circles_are_edited_without_drawing_them_all_again(
    fitted, workspace, qtbot, monkeypatch
):
    from napari.layers import Shapes

    one = star(workspace, "1")
    many = [
        replace(one, id=f"s{k}", ra=one.ra + 1e-3 * (k % 20), dec=one.dec + 1e-3 * (k // 20))
        for k in range(300)
    ]
    workspace.masks.edit("many", added=many)
    assert workspace.circles.layer.nshapes == 302
    drawn = []
    monkeypatch.setattr(Shapes, "add", lambda *_, **__: drawn.append("all"))
    monkeypatch.setattr(Shapes, "data", Shapes.data.setter(lambda *_: drawn.append("all")))
    edits = []
    edit = type(workspace.circles.layer._data_view).edit
    monkeypatch.setattr(
        type(workspace.circles.layer._data_view),
        "edit",
        lambda *a, **k: (edits.append(a[1]), edit(*a, **k)),
    )
    workspace.masks.switch([star(workspace, "s7")], False)
    assert edits == [number_of(workspace, "s7")] and not drawn


# The panel ---------------------------------------------------------------------------------------


def make_doubtful(workspace, name):
    workspace.masks.edit(
        "a doubt",
        [(star(workspace, name), replace(star(workspace, name), flag="fit ran away in SDSS_i"))],
    )


def click_row(qtbot, table, row):
    place = table.visualRect(table.stars.index(row, 0)).center() + QPoint(40, 0)
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_the_doubtful_come_first_stand_out_and_are_accepted(fitted, workspace, qtbot):
    stars, layer = panel(fitted, "Stars"), workspace.circles.layer
    make_doubtful(workspace, "2")
    table = stars.table.stars
    assert [item.id for item in table.rows] == ["2", "1"]
    assert (
        table.data(table.index(0, 4)) == "fit ran away in SDSS_i"
        and "1 of them doubtful" in stars.counts.text()
    )
    colours, widths = layer.edge_color, layer.edge_width
    doubtful, other = number_of(workspace, "2"), number_of(workspace, "1")
    assert (
        not np.allclose(colours[doubtful], colours[other])
        and widths[doubtful] > 1.5 * widths[other]
    )
    click_row(qtbot, stars.table, 0)
    assert stars.why.text() == "Fit ran away in SDSS_i" and stars.accept.isEnabled()
    click(qtbot, stars.accept)
    assert star(workspace, "2").flag == "" and not stars.accept.isEnabled()
    assert np.allclose(layer.edge_color[doubtful], layer.edge_color[other])


def test_a_row_brings_the_camera_to_the_star_and_a_circle_its_row(fitted, workspace, qtbot):
    from napari_galaxy_maps.plugin.ground.viewers import camera_and_scale_bar

    stars, layer = panel(fitted, "Stars"), workspace.circles.layer
    row = [item.id for item in stars.table.stars.rows].index("2")
    click_row(qtbot, stars.table, row)
    camera, _ = camera_and_scale_bar(fitted)
    i = number_of(workspace, "2")
    assert camera.center[-2:] == pytest.approx(shapes(workspace)[i][0], abs=1e-3)
    assert (
        layer.selected_data == {i}
        and fitted.layers.selection.active is layer
        and layer.mode == "select"
    )
    mouse.click(fitted, shapes(workspace)[number_of(workspace, "1")][0])
    assert [index.row() for index in stars.table.selectionModel().selectedRows()] == [1 - row]
    mouse.click(fitted, (-60, 60))
    assert not stars.table.selectionModel().selectedRows() and not stars.delete.isEnabled()


def test_a_tick_switches_a_circle_off_and_the_maps_follow(predicted, workspace, qtbot):
    stars = panel(predicted, "Stars")
    masked = (workspace.project.maps.flags & Flag.MASKED).astype(bool).sum()
    table = stars.table.stars
    followed(
        qtbot,
        workspace,
        lambda: table.setData(
            table.index(0, 0), Qt.CheckState.Unchecked.value, Qt.ItemDataRole.CheckStateRole
        ),
    )
    assert not table.rows[0].enabled and "1 switched off" in stars.counts.text()
    assert (workspace.project.maps.flags & Flag.MASKED).astype(bool).sum() < masked
    same(workspace.project.maps, full_run(workspace))


def test_undo_and_delete_by_keys_in_the_panel(fitted, workspace, qtbot):
    stars = panel(fitted, "Stars")
    click_row(qtbot, stars.table, 0)
    stars.table.setFocus()
    qtbot.keyClick(stars.table, Qt.Key.Key_Delete)
    assert len(workspace.masks.items) == 1 and workspace.circles.layer.nshapes == 1
    qtbot.keyClick(stars.table, Qt.Key.Key_Z, CTRL)
    assert len(workspace.masks.items) == 2 and workspace.circles.layer.nshapes == 2


# Following ---------------------------------------------------------------------------------------


def test_with_the_switch_off_the_maps_wait_and_say_so(predicted, workspace, qtbot):
    stars, before = panel(predicted, "Stars"), workspace.project.maps
    click(qtbot, stars.follow)
    assert not panel(predicted, "Predict").follow.isChecked()
    workspace.masks.delete([star(workspace, "1")])
    qtbot.wait(refresh_maps.PAUSE_MS + 300)
    assert workspace.project.maps is before and "of before" in stars.state.text()
    followed(qtbot, workspace, lambda: click(qtbot, stars.follow))
    assert (
        panel(predicted, "Predict").follow.isChecked() and "made with these" in stars.state.text()
    )


def test_an_edit_during_a_job_is_picked_up_after_it(predicted, workspace, qtbot, notifications):
    workspace.project.set_recipe("grid", pixel=6.0)
    panels.raise_panel(predicted, "Predict")
    click(qtbot, panel(predicted, "Predict").button)
    wait_for(
        qtbot, lambda: workspace.runner.job is not None and workspace.runner.job.last is not None
    )
    workspace.masks.delete([star(workspace, "1")])
    wait_for(qtbot, lambda: idle(workspace) and not workspace.refresher.behind)
    qtbot.wait(refresh_maps.PAUSE_MS + 100)
    wait_for(qtbot, lambda: idle(workspace))
    same(workspace.project.maps, full_run(workspace))
    assert len(list(notifications)) == 0, "not a word but in the panels"


def test_a_burst_of_edits_is_followed_once(predicted, workspace, qtbot, monkeypatch):
    runs = []
    monkeypatch.setattr(refresh_maps, "PAUSE_MS", 1500)  # a busy machine is no slow person
    refresher = workspace.refresher
    refresh = refresher.refresh
    monkeypatch.setattr(refresher, "refresh", lambda: (runs.append(1), refresh())[1])

    def burst():
        for _ in range(6):
            workspace.masks.edit(
                "a nudge",
                [
                    (
                        star(workspace, "1"),
                        replace(star(workspace, "1"), ra=star(workspace, "1").ra + 1e-4),
                    )
                ],
            )
            qtbot.wait(30)

    followed(qtbot, workspace, burst)
    assert len(runs) == 1
    same(workspace.project.maps, full_run(workspace))


def test_residuals_follow_and_deleted_layers_stay_away(predicted, workspace, qtbot, maps):
    truth = replace(workspace.project.maps, provenance={})
    workspace.project.add_truth("truth", truth, choose=True)
    wait_for(qtbot, lambda: workspace.project.residual is not None and idle(workspace))
    workspace.views.look("LOG_SMD", "residual")
    predicted.layers.remove(map_layer(workspace, "T_DUST"))
    before = map_layer(workspace, "LOG_SMD").data.copy()
    followed(qtbot, workspace, lambda: workspace.masks.delete([star(workspace, "1")]))
    assert not np.array_equal(map_layer(workspace, "LOG_SMD").data, before, equal_nan=True)
    assert map_layer(workspace, "T_DUST") is None


# Painting ----------------------------------------------------------------------------------------


def test_a_mask_is_painted_erased_and_undone(predicted, workspace, qtbot):
    stars, first = panel(predicted, "Stars"), workspace.project.maps
    click(qtbot, stars.tools["paint"])
    layer = workspace.painted.layer(())
    assert predicted.layers.selection.active is layer and layer.mode == "paint"
    assert layer.units == workspace.layers.layer(Key("image", "WISE_3.4")).units
    followed(qtbot, workspace, lambda: mouse.drag(predicted, (-20, -20), (-20, 20)))
    (patch,) = workspace.masks.now.patches
    assert patch.bands == () and patch.data.sum() > 100
    x, y = patch.wcs.world_to_pixel_values(150.0, 2 - 20 / 3600)
    assert patch.data[round(float(y)), round(float(x))], "painted where the brush went"
    same(workspace.project.maps, full_run(workspace))
    layer.mode = "erase"
    followed(qtbot, workspace, lambda: mouse.drag(predicted, (-20, 5), (-20, 25)))
    assert 0 < workspace.masks.now.patches[0].data.sum() < patch.data.sum()
    followed(qtbot, workspace, lambda: mouse.key(predicted, Qt.Key.Key_Z, CTRL))
    assert workspace.masks.now.patches == (patch,)
    np.testing.assert_array_equal(np.asarray(layer.data) != 0, patch.data)
    followed(qtbot, workspace, lambda: mouse.key(predicted, Qt.Key.Key_Z, CTRL))
    assert not workspace.masks.now.patches and not np.asarray(layer.data).any()
    for name, plane in first.values.items():
        np.testing.assert_allclose(workspace.project.maps.values[name], plane, **ROUNDING)


def test_each_band_has_a_painted_mask_of_its_own(fitted, workspace, qtbot):
    stars = panel(fitted, "Stars")
    stars.band.setCurrentIndex(stars.band.findData("2MASS_J"))
    stars.band.activated.emit(stars.band.currentIndex())
    click(qtbot, stars.tools["paint"])
    mouse.drag(fitted, (0, 30), (10, 30))
    (patch,) = workspace.masks.now.patches
    assert (
        patch.bands == ("2MASS_J",)
        and patch.data.shape == workspace.project.galaxy.images["2MASS_J"].shape
    )
    bare = replace(workspace.masks.now, stars=())
    assert (
        bare.on(workspace.project.galaxy.images["2MASS_J"]).any()
        and bare.on(workspace.project.galaxy.images["WISE_3.4"]) is None
    )


# Files -------------------------------------------------------------------------------------------


def test_regions_are_saved_and_loaded(fitted, workspace, qtbot, monkeypatch, tmp_path):
    stars, path = panel(fitted, "Stars"), tmp_path / "mine.reg"
    make_doubtful(workspace, "2")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(path), ""))
    click(qtbot, stars.save)
    wait_for(qtbot, lambda: idle(workspace) and path.exists())
    assert str(path) in stars.note.text()
    saved = workspace.masks.now
    workspace.masks.delete([star(workspace, "1")])
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(path), ""))
    click(qtbot, stars.load)
    wait_for(qtbot, lambda: idle(workspace) and len(workspace.masks.items) == 2)
    for name in ("1", "2"):
        back, original = (
            star(workspace, name),
            next(item for item in saved.stars if item.id == name),
        )
        assert back.flag == original.flag and back.radii == pytest.approx(original.radii, abs=1e-4)
    click(qtbot, stars.undo)
    assert [item.id for item in workspace.masks.items] == ["2"]


def test_regions_that_cannot_be_read_are_told_and_nothing_is_lost(
    fitted, workspace, qtbot, monkeypatch, tmp_path, notifications
):
    bad = tmp_path / "bad.reg"
    bad.write_text("circle(")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(bad), ""))
    before = workspace.masks.now
    click(qtbot, panel(fitted, "Stars").load)
    message = panel(fitted, "Stars").message
    wait_for(qtbot, lambda: idle(workspace) and "bad.reg" in message.text())
    assert workspace.masks.now is before and not list(notifications)


def test_edited_masks_are_saved_with_the_maps_and_found_again(
    predicted, workspace, qtbot, monkeypatch, starry_folder
):  # fmt: skip
    stars, out = panel(predicted, "Stars"), starry_folder / "maps.fits"
    workspace.masks.delete([star(workspace, "1")])
    click(qtbot, stars.tools["add"])
    mouse.drag(predicted, (-30, -30), (-30, -20))
    click(qtbot, stars.tools["add"])
    click(qtbot, stars.tools["paint"])
    mouse.drag(predicted, (40, 0), (40, 10))
    # The maps may follow the circle first, and then the stroke.
    wait_for(qtbot, lambda: bool(workspace.masks.now.patches) and idle(workspace))
    wait_for(qtbot, lambda: not workspace.refresher.behind and idle(workspace))
    edited, maps = workspace.masks.now, workspace.project.maps
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(out), ""))
    click(qtbot, panel(predicted, "Predict").results.save_button)
    wait_for(qtbot, lambda: idle(workspace) and out.exists())
    assert len(read_masks(out).patches) == 1

    start_over(workspace)
    assert workspace.masks.now is None and not workspace.layers.shown()
    add_folder(qtbot, monkeypatch, predicted, workspace, starry_folder)
    wait_for(
        qtbot,
        lambda: (
            workspace.masks.now is not None
            and workspace.circles.layer is not None
            and idle(workspace)
        ),
    )
    assert "maps.fits" in stars.note.text()
    assert [(s.id, s.ra, s.dec, s.radii, s.origin) for s in workspace.masks.now.stars] == [
        (s.id, s.ra, s.dec, s.radii, s.origin) for s in edited.stars
    ]
    assert workspace.circles.layer.nshapes == 2 and workspace.painted.layer(()).data.any()
    workspace.project.set_recipe("galaxy", ra=150.0, dec=2.0, d25=2.5)
    predict(qtbot, predicted, workspace)
    same(workspace.project.maps, maps)


def test_masks_of_other_images_are_left_alone(
    predicted, workspace, qtbot, monkeypatch, starry_folder
):
    out = starry_folder / "maps.fits"
    workspace.saver.save(str(out))
    wait_for(qtbot, lambda: idle(workspace) and out.exists())
    start_over(workspace)
    from astropy.io import fits

    for path in starry_folder.glob("galaxy_*.fits"):
        with fits.open(path, mode="update") as hdus:
            hdus[0].data += 0.1
    add_folder(qtbot, monkeypatch, predicted, workspace, starry_folder)
    qtbot.wait(700)
    assert workspace.masks.now is None


def test_another_catalogue_keeps_what_was_drawn_by_hand_and_says_so(
    predicted, workspace, qtbot, starry_folder, tmp_path
):
    from astropy.table import Table

    stars = panel(predicted, "Stars")
    click(qtbot, stars.tools["add"])
    mouse.drag(predicted, (-30, -30), (-30, -20))
    click(qtbot, stars.tools["add"])
    workspace.masks.switch([star(workspace, "2")], False)
    edited = workspace.masks.now
    table = Table.read(starry_folder / "gaia.ecsv")[:1]
    table["source_id"] = [11]
    table.write(tmp_path / "other.ecsv")
    workspace.project.set_recipe("stars", catalogue=str(tmp_path / "other.ecsv"))
    predict(qtbot, predicted, workspace)
    assert [item.id for item in workspace.masks.items] == ["11", "hand 1"]
    panels.raise_panel(predicted, "Stars")
    assert (
        "fitted again" in stars.note.text()
        and "1 circle" in stars.note.text()
        and "Undo" in stars.note.text()
    )
    followed(qtbot, workspace, lambda: click(qtbot, stars.undo))
    assert workspace.masks.now is edited
    predict(qtbot, predicted, workspace)
    assert workspace.masks.now is edited, "what was taken back on purpose is not done again"


def test_deleting_the_layer_of_circles_deletes_no_circle(predicted, workspace, qtbot):
    predicted.layers.remove(workspace.circles.layer)
    assert len(workspace.masks.items) == 2 and workspace.circles.layer is None
    followed(qtbot, workspace, lambda: workspace.masks.switch([star(workspace, "1")], False))
    assert workspace.circles.layer is None, "it stays away"
    click_row(qtbot, panel(predicted, "Stars").table, 0)
    assert workspace.circles.layer is not None and workspace.circles.layer.nshapes == 2


def test_circles_are_drawn_before_there_is_any_catalogue_and_its_stars_come_to_them(
    opened, workspace, qtbot, monkeypatch, starry_folder
):
    stars = panel(opened, "Stars")
    click(qtbot, stars.tools["add"])
    mouse.drag(opened, (-30, -30), (-30, -20))
    click(qtbot, stars.tools["add"])
    assert [item.id for item in workspace.masks.items] == ["hand 1"]
    predict(qtbot, opened, workspace)
    assert [s.id for s in workspace.project.memory.cube.masks.stars] == ["hand 1"]
    panels.raise_panel(opened, "Prepare")
    from qtpy.QtWidgets import QLineEdit

    field = panel(opened, "Prepare").boxes["stars"].findChild(QLineEdit, "catalogue")
    write(qtbot, field, str(starry_folder / "gaia.ecsv"))
    predict(qtbot, opened, workspace)
    assert sorted(item.id for item in workspace.masks.items) == ["1", "2", "hand 1"]
    QApplication.processEvents()


# Tools -------------------------------------------------------------------------------------------


def in_hand(stars):
    """The tools whose buttons are pressed."""
    return [name for name, button in stars.tools.items() if button.isChecked()]


def choose_band(qtbot, stars, workspace, band):
    index = stars.band.findData(band)
    stars.band.setCurrentIndex(index)
    stars.band.activated.emit(index)
    wait_for(qtbot, lambda: idle(workspace))


def stroke(viewer, workspace, qtbot):
    """A stroke with whatever brush is in hand."""
    mouse.drag(viewer, (-20, 10), (-20, 30))
    qtbot.wait(20)


@pytest.mark.slow
def test_a_tool_stays_in_hand_and_shown_whatever_is_done_beside_it(fitted, workspace, qtbot):
    """Each of the panel's actions, with each of the tools: none takes it away."""
    stars, active = panel(fitted, "Stars"), fitted.layers.selection
    make_doubtful(workspace, "2")
    actions = {
        "a row": lambda: click_row(qtbot, stars.table, 0),
        "accept": lambda: click(qtbot, stars.accept),
        "undo": lambda: click(qtbot, stars.undo),
        "redo": lambda: click(qtbot, stars.redo),
        "a tick": lambda: workspace.masks.switch([star(workspace, "1")], False),
        "another row": lambda: click_row(qtbot, stars.table, 1),
        "delete": lambda: click(qtbot, stars.delete),
        "undo again": lambda: click(qtbot, stars.undo),
        "a drag": lambda: stroke(fitted, workspace, qtbot),
        "undo the drag": lambda: click(qtbot, stars.undo),
        "one band": lambda: choose_band(qtbot, stars, workspace, "2MASS_J"),
        "a drag in it": lambda: stroke(fitted, workspace, qtbot),
        "all bands": lambda: choose_band(qtbot, stars, workspace, ""),
    }
    modes = {"add": "add_ellipse", "paint": "paint", "erase": "erase", "select": "select"}
    for tool, mode in modes.items():
        if in_hand(stars) != [tool]:
            click(qtbot, stars.tools[tool])
        for name, act in actions.items():
            act()
            assert in_hand(stars) == [tool], (tool, name)
            assert active.active is not None and active.active.mode == mode, (tool, name)


@pytest.mark.parametrize(
    ("tool", "way"),
    [
        ("add", "Escape on the canvas"),
        ("paint", "Escape on the canvas"),
        ("paint", "its button"),
        ("erase", "Escape in the panel"),
    ],
)
def test_a_tool_that_is_put_away_leaves_the_circles_to_be_selected(
    opened, workspace, qtbot, tool, way
):
    stars = panel(opened, "Stars")
    click(qtbot, stars.tools[tool])
    assert in_hand(stars) == [tool]
    if way == "its button":
        click(qtbot, stars.tools[tool])
    elif way == "Escape on the canvas":
        mouse.key(opened, Qt.Key.Key_Escape)
    else:
        stars.table.setFocus()
        qtbot.keyClick(stars.table, Qt.Key.Key_Escape)
    assert in_hand(stars) == ["select"]
    assert opened.layers.selection.active is workspace.circles.layer
    assert workspace.circles.layer.mode == "select"


def test_the_buttons_follow_what_is_chosen_in_napari(opened, workspace, qtbot):
    stars = panel(opened, "Stars")
    click(qtbot, stars.tools["paint"])
    layer = opened.layers.selection.active
    layer.mode = "erase"
    assert in_hand(stars) == ["erase"]
    layer.mode = "pan_zoom"
    assert in_hand(stars) == []
    layer.mode = "paint"
    opened.layers.selection.active = opened.layers[0]
    assert in_hand(stars) == []


def test_the_band_that_is_edited_is_seen(predicted, workspace, qtbot):
    """Its image alone, and no map over it; all bands together have no image to be shown."""
    stars = panel(predicted, "Stars")
    choose_band(qtbot, stars, workspace, "2MASS_J")
    on = [key for key, layer in workspace.layers.shown().items() if layer.visible]
    assert on == [Key("image", "2MASS_J")]
    choose_band(qtbot, stars, workspace, "")
    assert [key for key, layer in workspace.layers.shown().items() if layer.visible] == on


def test_without_an_image_a_tool_is_refused_in_words_and_not_shown(viewer, qtbot):
    panels.open_all(viewer)
    panels.raise_panel(viewer, "Stars")
    stars = panel(viewer, "Stars")
    for tool in stars.tools:
        click(qtbot, stars.tools[tool])
        assert in_hand(stars) == [] and "Open an image first" in stars.message.text(), tool


def test_a_subtracted_star_is_masked_on_a_buttons_press_and_undo_takes_that_back(
    opened, workspace, qtbot
):
    psf = StarPsf(3.0, 2.5)
    light = StarLight(150.01, 2.01, 5.0, 1.0, 0.01, 12.0, 6.0, 8.5, psf)
    bands = workspace.project.bands
    known = Star(
        "7", 150.01, 2.01, 14.0, "gaia", dict.fromkeys(bands, 0.0), lights={bands[0]: light}
    )
    workspace.masks.change(Masks((known,)), "a star", (known,))
    stars = panel(opened, "Stars")
    model = stars.table.stars
    assert model.data(model.index(0, 2)) == "subtracted"
    assert f"Subtracted in {bands[0]}" in model.data(model.index(0, 2), Qt.ItemDataRole.ToolTipRole)
    assert "1 subtracted" in stars.counts.text()
    click(qtbot, stars.whole)
    (whole,) = workspace.masks.items
    assert not whole.lights and whole.radii[bands[0]] == 8.5 and not stars.whole.isEnabled()
    assert model.data(model.index(0, 2)) == "8.5"
    click(qtbot, stars.undo)
    assert workspace.masks.items == (known,) and stars.whole.isEnabled()
