"""Circles of stars edited as a person does it, on the canvas and in the Stars panel; the maps
follow, and are right.
"""

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_galaxy_maps.data.galaxy import Galaxy
from napari_galaxy_maps.data.properties import Flag
from napari_galaxy_maps.pipeline import PredictionMemory, predict_steps
from napari_galaxy_maps.plugin.ground import viewers
from napari_galaxy_maps.plugin.ground.layer_specs import Key
from napari_galaxy_maps.plugin.jobs import prepare_predict as work
from napari_galaxy_maps.plugin.jobs import refresh_maps as following
from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.prepare.masks.mask_files import read_masks
from napari_galaxy_maps.progress import run_to_end

from . import mouse
from .conftest import canvas_is_painted, idle, wait_for
from .test_panels import add_folder, click, panel, predict, write

pytestmark = pytest.mark.window
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def viewer(empty_window):
    return empty_window


@pytest.fixture
def opened(viewer, session, qtbot, monkeypatch, starry_folder):
    """The window with a galaxy of three bands, two bright stars and a catalogue of them, in the
    Stars panel.
    """
    panels.open_all(viewer)
    add_folder(qtbot, monkeypatch, viewer, session, starry_folder)
    session.set_recipe("galaxy", ra=150.0, dec=2.0, d25=2.5)
    panels.raise_panel(viewer, "Stars")
    qtbot.wait(50)
    return viewer


@pytest.fixture
def fitted(opened, session, qtbot, monkeypatch, starry_folder):
    """... its stars fitted, by choosing the catalogue."""
    table = str(starry_folder / "gaia.ecsv")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (table, ""))
    click(qtbot, panel(opened, "Stars").catalogue)
    wait_for(qtbot, lambda: idle(session) and session.circles.layer is not None, 60)
    return opened


@pytest.fixture
def predicted(fitted, session, qtbot):
    """... and its maps predicted, looked at from the Stars panel."""
    predict(qtbot, fitted, session)
    panels.raise_panel(fitted, "Stars")
    session.fit(Key("map", "LOG_SIGMA_MD"))
    qtbot.wait(250)
    return fitted


def shapes(session):
    """Centre and half sides of every shape on the canvas."""
    return [
        (corners.mean(axis=0), np.ptp(corners, axis=0) / 2)
        for corners in session.circles.layer.data
    ]


def star(session, name):
    return next(item for item in session.masking.items if item.id == name)


def number_of(session, name):
    """Which shape shows a star."""
    return next(i for i, item in enumerate(session.circles._drawn) if item.id == name)


def grasp(viewer, session, qtbot, name):
    """Select a star's circle by a click on it; its number."""
    layer = session.circles.layer
    viewer.layers.selection.active = layer
    i = number_of(session, name)
    mouse.click(viewer, shapes(session)[i][0])
    assert layer.selected_data == {i} and [item.id for item in session.masking.selected] == [name]
    qtbot.wait(20)
    return i


def followed(qtbot, session, edit):
    """Do an edit, and wait until the maps have followed."""
    before = session.maps
    edit()
    wait_for(qtbot, lambda: session.maps is not before and idle(session), 30)
    assert not session.following.behind


def full_run(session):
    """The maps of a run from nothing with the masks as they are now."""
    galaxy = session.galaxy
    fresh = Galaxy(
        galaxy.name, galaxy.images, galaxy.ra, galaxy.dec, galaxy.distance_mpc, galaxy.ellipse
    )
    return run_to_end(predict_steps(fresh, session.recipe, PredictionMemory(), session.masking.now))


def same(maps, others):
    for name, plane in maps.values.items():
        np.testing.assert_allclose(
            plane, others.values[name], rtol=0, atol=1e-6 * np.nanmax(np.abs(plane))
        )
        np.testing.assert_array_equal(np.isnan(plane), np.isnan(others.values[name]))
    np.testing.assert_array_equal(maps.flags, others.flags)


# The circles ----------------------------------------------------------------------------------------------------------


def test_fitted_stars_come_as_circles_and_as_rows_and_nothing_else_changes(
    opened, session, qtbot, fitted
):
    layer, stars = session.circles.layer, panel(opened, "Stars")
    assert [item.id for item in session.masking.items] == ["1", "2"] and layer.nshapes == 2
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
    for item, (centre, half) in zip(session.circles._drawn, shapes(session), strict=True):
        image = session.galaxy.images["WISE_3.4"]
        x, y = image.wcs.world_to_pixel_values(item.ra, item.dec)
        row, column = session.layer(Key("image", "WISE_3.4")).world_to_data(centre)
        assert abs(row - y) < 0.05 and abs(column - x) < 0.05
        assert half == pytest.approx([max(item.radii.values())] * 2, abs=1e-3)
        assert image.data[round(float(y)), round(float(x))] > 30


def test_a_circle_is_moved_with_the_mouse_and_the_maps_follow_as_a_full_run_makes_them(
    predicted, session, qtbot
):
    first, focus = session.maps, predicted.layers.selection.active
    seen = {layer.name: layer.visible for layer in predicted.layers}
    layer_data = session.layer(Key("map", "LOG_SIGMA_MD")).data
    i = grasp(predicted, session, qtbot, "1")
    assert focus is not session.circles.layer
    before, centre = star(session, "1"), shapes(session)[i][0]
    target = centre + np.array([-18, 12])
    followed(qtbot, session, lambda: mouse.drag(predicted, centre, target))
    after = star(session, "1")
    assert after.radii == before.radii and shapes(session)[i][0] == pytest.approx(target, abs=0.5)
    assert (after.dec - before.dec) * 3600 == pytest.approx(-18, abs=0.5)
    assert (after.ra - before.ra) * 3600 * np.cos(np.radians(2)) == pytest.approx(-12, abs=0.5)
    shown = session.layer(Key("map", "LOG_SIGMA_MD")).data
    assert shown is session.maps.values["LOG_SIGMA_MD"] and not np.array_equal(
        shown, layer_data, equal_nan=True
    )
    same(session.maps, full_run(session))
    assert {layer.name: layer.visible for layer in predicted.layers} == seen, (
        "what is switched on stays so"
    )
    # Undone with the keys, the maps are what they were, bit for bit; redone, they are the others
    # again.
    edited = session.maps
    followed(qtbot, session, lambda: mouse.key(predicted, Qt.Key.Key_Z, CTRL))
    assert star(session, "1") is before
    for name, plane in first.values.items():
        np.testing.assert_array_equal(session.maps.values[name], plane)
    np.testing.assert_array_equal(session.maps.flags, first.flags)
    followed(qtbot, session, lambda: mouse.key(predicted, Qt.Key.Key_Z, CTRL | SHIFT))
    assert star(session, "1") is after
    same(session.maps, edited)
    assert canvas_is_painted(predicted)


@pytest.mark.parametrize("handle", [2, 5])  # a corner of napari's box, a side
def test_a_circle_made_larger_stays_a_circle_about_its_star_in_proportion_in_every_band(
    fitted, session, qtbot, handle
):
    i = grasp(fitted, session, qtbot, "2")
    before, (centre, _) = star(session, "2"), shapes(session)[i]
    place = session.circles.layer.interaction_box(i)[handle]
    mouse.drag(fitted, place, centre + (place - centre) * 1.5)
    after = star(session, "2")
    assert (after.ra, after.dec) == (before.ra, before.dec)
    for band, radius in before.radii.items():
        assert after.radii[band] == pytest.approx(1.5 * radius, rel=0.03)
    new_centre, half = shapes(session)[i]
    assert half[0] == pytest.approx(half[1], abs=1e-3) and new_centre == pytest.approx(
        centre, abs=1e-3
    )


def test_an_ellipse_that_comes_from_elsewhere_becomes_the_circle_of_its_mean_radius(
    fitted, session
):
    """What a script, or a napari of another version, leaves behind after a drag."""
    layer, i = session.circles.layer, number_of(session, "1")
    centre, half = shapes(session)[i]
    layer._data_view.edit(i, (layer.data[i] - centre) * [1.0, 2.0] + centre)
    layer.events.data(value=layer.data, action="changed", data_indices=(i,), vertex_indices=((),))
    assert shapes(session)[i][1] == pytest.approx([1.5 * half[0]] * 2, rel=1e-5)
    assert max(star(session, "1").radii.values()) == pytest.approx(1.5 * half[0], rel=1e-5)


def test_in_one_band_only_that_radius_changes_and_delete_takes_only_that_circle(
    fitted, session, qtbot
):
    stars = panel(fitted, "Stars")
    stars.band.setCurrentIndex(stars.band.findData("SDSS_i"))
    stars.band.activated.emit(stars.band.currentIndex())
    before = star(session, "1")
    i = grasp(fitted, session, qtbot, "1")
    centre, half = shapes(session)[i]
    assert half[0] == pytest.approx(before.radii["SDSS_i"], abs=1e-3)
    corner = session.circles.layer.data[i][2]
    mouse.drag(fitted, corner, centre + (corner - centre) * 2)
    after = star(session, "1")
    assert after.radii["SDSS_i"] == pytest.approx(2 * before.radii["SDSS_i"], rel=0.1)
    assert {b: r for b, r in after.radii.items() if b != "SDSS_i"} == {
        b: r for b, r in before.radii.items() if b != "SDSS_i"
    }
    mouse.key(fitted, Qt.Key.Key_Delete)
    assert star(session, "1").radii["SDSS_i"] == 0 and star(session, "1").radii["WISE_3.4"] > 0
    assert session.circles.layer.nshapes == 1
    stars.band.setCurrentIndex(0)
    stars.band.activated.emit(0)
    assert session.circles.layer.nshapes == 2, "in the other bands it is still there"


def test_a_circle_is_drawn_clicked_and_deleted(fitted, session, qtbot):
    stars, layer = panel(fitted, "Stars"), session.circles.layer
    click(qtbot, stars.add)
    assert (
        fitted.layers.selection.active is layer
        and layer.mode == "add_ellipse"
        and stars.add.isChecked()
    )
    mouse.drag(fitted, (20, -30), (20, -18))
    drawn = star(session, "hand 1")
    assert drawn.origin == "hand" and set(drawn.radii) == set(session.bands)
    assert list(drawn.radii.values()) == pytest.approx([12] * 3, abs=1)
    centre, half = shapes(session)[number_of(session, "hand 1")]
    assert centre == pytest.approx([20, -30], abs=1) and half[0] == pytest.approx(half[1], abs=1e-3)
    mouse.click(fitted, (-40, 40))
    assert star(session, "hand 2").radii["SDSS_i"] == session.circles.usual_radius()
    click(qtbot, stars.add)
    assert layer.mode == "select"
    grasp(fitted, session, qtbot, "hand 1")
    mouse.key(fitted, Qt.Key.Key_Delete)
    assert [item.id for item in session.masking.items] == [
        "1",
        "2",
        "hand 2",
    ] and layer.nshapes == 3
    for _ in range(3):
        click(qtbot, stars.undo)
    assert [item.id for item in session.masking.items] == ["1", "2"] and layer.nshapes == 2
    assert not stars.undo.isEnabled()
    click(qtbot, stars.redo)
    assert star(session, "hand 1") is drawn and layer.nshapes == 3


def test_a_polygon_drawn_in_the_layer_masks_and_a_line_is_told_off(fitted, session, qtbot):
    layer = session.circles.layer
    layer.add([[0, 0], [0, 20], [15, 0]], shape_type="polygon")
    assert len(session.masking.now.polygons) == 1 and layer.nshapes == 3
    vertices = session.masking.now.polygons[0].vertices
    assert (vertices[:, 1].max() - 2.0) * 3600 == pytest.approx(15, abs=0.5)
    layer.add([[0, 0], [0, 20]], shape_type="line")
    assert layer.nshapes == 3 and "line" in panel(fitted, "Stars").message.text()


def test_hundreds_of_circles_are_edited_without_drawing_them_all_again(
    fitted, session, qtbot, monkeypatch
):
    from napari.layers import Shapes

    one = star(session, "1")
    many = [
        replace(one, id=f"s{k}", ra=one.ra + 1e-3 * (k % 20), dec=one.dec + 1e-3 * (k // 20))
        for k in range(300)
    ]
    session.masking.edit("many", added=many)
    assert session.circles.layer.nshapes == 302
    drawn = []
    monkeypatch.setattr(Shapes, "add", lambda *_, **__: drawn.append("all"))
    monkeypatch.setattr(Shapes, "data", Shapes.data.setter(lambda *_: drawn.append("all")))
    edits = []
    edit = type(session.circles.layer._data_view).edit
    monkeypatch.setattr(
        type(session.circles.layer._data_view),
        "edit",
        lambda *a, **k: (edits.append(a[1]), edit(*a, **k)),
    )
    session.masking.switch([star(session, "s7")], False)
    assert edits == [number_of(session, "s7")] and not drawn


# The panel ------------------------------------------------------------------------------------------------------------


def make_doubtful(session, name):
    session.masking.edit(
        "a doubt",
        [(star(session, name), replace(star(session, name), flag="fit ran away in SDSS_i"))],
    )


def click_row(qtbot, table, row):
    place = table.visualRect(table.stars.index(row, 0)).center() + QPoint(40, 0)
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_the_doubtful_come_first_stand_out_and_are_accepted(fitted, session, qtbot):
    stars, layer = panel(fitted, "Stars"), session.circles.layer
    make_doubtful(session, "2")
    table = stars.table.stars
    assert [item.id for item in table.rows] == ["2", "1"]
    assert (
        table.data(table.index(0, 4)) == "fit ran away in SDSS_i"
        and "1 of them doubtful" in stars.counts.text()
    )
    colours, widths = layer.edge_color, layer.edge_width
    doubtful, other = number_of(session, "2"), number_of(session, "1")
    assert (
        not np.allclose(colours[doubtful], colours[other])
        and widths[doubtful] > 1.5 * widths[other]
    )
    click_row(qtbot, stars.table, 0)
    assert stars.why.text() == "Fit ran away in SDSS_i" and stars.accept.isEnabled()
    click(qtbot, stars.accept)
    assert star(session, "2").flag == "" and not stars.accept.isEnabled()
    assert np.allclose(layer.edge_color[doubtful], layer.edge_color[other])


def test_a_row_brings_the_camera_to_the_star_and_a_circle_its_row(fitted, session, qtbot):
    from napari_galaxy_maps.plugin.ground.viewers import camera_and_scale_bar

    stars, layer = panel(fitted, "Stars"), session.circles.layer
    row = [item.id for item in stars.table.stars.rows].index("2")
    click_row(qtbot, stars.table, row)
    camera, _ = camera_and_scale_bar(fitted)
    i = number_of(session, "2")
    assert camera.center[-2:] == pytest.approx(shapes(session)[i][0], abs=1e-3)
    assert (
        layer.selected_data == {i}
        and fitted.layers.selection.active is layer
        and layer.mode == "select"
    )
    mouse.click(fitted, shapes(session)[number_of(session, "1")][0])
    assert [index.row() for index in stars.table.selectionModel().selectedRows()] == [1 - row]
    mouse.click(fitted, (-60, 60))
    assert not stars.table.selectionModel().selectedRows() and not stars.delete.isEnabled()


def test_a_tick_switches_a_circle_off_and_the_maps_follow(predicted, session, qtbot):
    stars = panel(predicted, "Stars")
    masked = (session.maps.flags & Flag.MASKED).astype(bool).sum()
    table = stars.table.stars
    followed(
        qtbot, session,
        lambda: table.setData(table.index(0, 0), Qt.CheckState.Unchecked.value, Qt.ItemDataRole.CheckStateRole),
    )  # fmt: skip
    assert not table.rows[0].enabled and "1 switched off" in stars.counts.text()
    assert (session.maps.flags & Flag.MASKED).astype(bool).sum() < masked
    same(session.maps, full_run(session))


def test_undo_and_delete_by_keys_in_the_panel(fitted, session, qtbot):
    stars = panel(fitted, "Stars")
    click_row(qtbot, stars.table, 0)
    stars.table.setFocus()
    qtbot.keyClick(stars.table, Qt.Key.Key_Delete)
    assert len(session.masking.items) == 1 and session.circles.layer.nshapes == 1
    qtbot.keyClick(stars.table, Qt.Key.Key_Z, CTRL)
    assert len(session.masking.items) == 2 and session.circles.layer.nshapes == 2


# Following ------------------------------------------------------------------------------------------------------------


def test_with_the_switch_off_the_maps_wait_and_say_so(predicted, session, qtbot):
    stars, before = panel(predicted, "Stars"), session.maps
    click(qtbot, stars.follow)
    assert not panel(predicted, "Predict").follow.isChecked()
    session.masking.delete([star(session, "1")])
    qtbot.wait(following.PAUSE_MS + 300)
    assert session.maps is before and "of before" in stars.state.text()
    followed(qtbot, session, lambda: click(qtbot, stars.follow))
    assert (
        panel(predicted, "Predict").follow.isChecked() and "made with these" in stars.state.text()
    )


def test_an_edit_during_a_job_is_picked_up_after_it(predicted, session, qtbot, told):
    session.set_recipe("grid", pixel=6.0)
    panels.raise_panel(predicted, "Predict")
    click(qtbot, panel(predicted, "Predict").button)
    wait_for(qtbot, lambda: session.job is not None and session.job.last is not None)
    session.masking.delete([star(session, "1")])
    wait_for(qtbot, lambda: idle(session) and not session.following.behind, 60)
    qtbot.wait(following.PAUSE_MS + 100)
    wait_for(qtbot, lambda: idle(session))
    same(session.maps, full_run(session))
    assert len(list(told)) == 0, "not a word but in the panels"


def test_a_burst_of_edits_is_followed_once(predicted, session, qtbot, monkeypatch):
    runs = []
    monkeypatch.setattr(following, "PAUSE_MS", 1500)  # a busy machine is no slow person
    refresh = following.refresh
    monkeypatch.setattr(following, "refresh", lambda s: (runs.append(1), refresh(s))[1])

    def burst():
        for _ in range(6):
            session.masking.edit(
                "a nudge",
                [
                    (
                        star(session, "1"),
                        replace(star(session, "1"), ra=star(session, "1").ra + 1e-4),
                    )
                ],
            )
            qtbot.wait(30)

    followed(qtbot, session, burst)
    assert len(runs) == 1
    same(session.maps, full_run(session))


def test_residuals_follow_and_deleted_layers_stay_away(predicted, session, qtbot, maps):
    truth = replace(session.maps, provenance={})
    session.add_truth("truth", truth, choose=True)
    wait_for(qtbot, lambda: session.layer(Key("residual", "LOG_SMD")) is not None and idle(session))
    predicted.layers.remove(session.layer(Key("map", "T_DUST")))
    before = session.layer(Key("residual", "LOG_SMD")).data.copy()
    followed(qtbot, session, lambda: session.masking.delete([star(session, "1")]))
    assert not np.array_equal(
        session.layer(Key("residual", "LOG_SMD")).data, before, equal_nan=True
    )
    assert session.layer(Key("map", "T_DUST")) is None


# Painting -------------------------------------------------------------------------------------------------------------


def test_a_mask_is_painted_erased_and_undone(predicted, session, qtbot):
    stars, first = panel(predicted, "Stars"), session.maps
    click(qtbot, stars.paint)
    layer = session.painting.layer(())
    assert predicted.layers.selection.active is layer and layer.mode == "paint"
    assert layer.units == session.layer(Key("image", "WISE_3.4")).units
    followed(qtbot, session, lambda: mouse.drag(predicted, (-20, -20), (-20, 20)))
    (patch,) = session.masking.now.patches
    assert patch.bands == () and patch.data.sum() > 100
    x, y = patch.wcs.world_to_pixel_values(150.0, 2 - 20 / 3600)
    assert patch.data[round(float(y)), round(float(x))], "painted where the brush went"
    same(session.maps, full_run(session))
    layer.mode = "erase"
    followed(qtbot, session, lambda: mouse.drag(predicted, (-20, 5), (-20, 25)))
    assert 0 < session.masking.now.patches[0].data.sum() < patch.data.sum()
    followed(qtbot, session, lambda: mouse.key(predicted, Qt.Key.Key_Z, CTRL))
    assert session.masking.now.patches == (patch,)
    np.testing.assert_array_equal(np.asarray(layer.data) != 0, patch.data)
    followed(qtbot, session, lambda: mouse.key(predicted, Qt.Key.Key_Z, CTRL))
    assert not session.masking.now.patches and not np.asarray(layer.data).any()
    for name, plane in first.values.items():
        np.testing.assert_array_equal(session.maps.values[name], plane)


def test_each_band_has_a_painted_mask_of_its_own(fitted, session, qtbot):
    stars = panel(fitted, "Stars")
    stars.band.setCurrentIndex(stars.band.findData("2MASS_J"))
    stars.band.activated.emit(stars.band.currentIndex())
    click(qtbot, stars.paint)
    mouse.drag(fitted, (0, 30), (10, 30))
    (patch,) = session.masking.now.patches
    assert (
        patch.bands == ("2MASS_J",) and patch.data.shape == session.galaxy.images["2MASS_J"].shape
    )
    bare = replace(session.masking.now, stars=())
    assert (
        bare.on(session.galaxy.images["2MASS_J"]).any()
        and bare.on(session.galaxy.images["WISE_3.4"]) is None
    )


# Files ----------------------------------------------------------------------------------------------------------------


def test_regions_are_saved_and_loaded(fitted, session, qtbot, monkeypatch, tmp_path):
    stars, path = panel(fitted, "Stars"), tmp_path / "mine.reg"
    make_doubtful(session, "2")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(path), ""))
    click(qtbot, stars.save)
    wait_for(qtbot, lambda: idle(session) and path.exists())
    assert str(path) in stars.told.text()
    saved = session.masking.now
    session.masking.delete([star(session, "1")])
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(path), ""))
    click(qtbot, stars.load)
    wait_for(qtbot, lambda: idle(session) and len(session.masking.items) == 2)
    for name in ("1", "2"):
        back, original = star(session, name), next(item for item in saved.stars if item.id == name)
        assert back.flag == original.flag and back.radii == pytest.approx(original.radii, abs=1e-4)
    click(qtbot, stars.undo)
    assert [item.id for item in session.masking.items] == ["2"]


def test_regions_that_cannot_be_read_are_told_and_nothing_is_lost(
    fitted, session, qtbot, monkeypatch, tmp_path, told
):
    bad = tmp_path / "bad.reg"
    bad.write_text("circle(")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(bad), ""))
    before = session.masking.now
    click(qtbot, panel(fitted, "Stars").load)
    wait_for(qtbot, lambda: idle(session) and told.any("bad.reg"))
    assert session.masking.now is before and "bad.reg" in panel(fitted, "Stars").message.text()


def test_edited_masks_are_saved_with_the_maps_and_found_again(
    predicted, session, qtbot, monkeypatch, starry_folder
):  # fmt: skip
    stars, out = panel(predicted, "Stars"), starry_folder / "maps.fits"
    session.masking.delete([star(session, "1")])
    click(qtbot, stars.add)
    mouse.drag(predicted, (-30, -30), (-30, -20))
    click(qtbot, stars.add)
    click(qtbot, stars.paint)
    followed(qtbot, session, lambda: mouse.drag(predicted, (40, 0), (40, 10)))
    edited, maps = session.masking.now, session.maps
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(out), ""))
    click(qtbot, panel(predicted, "Predict").save_button)
    wait_for(qtbot, lambda: idle(session) and out.exists())
    assert len(read_masks(out).patches) == 1

    session.start_over()
    assert session.masking.now is None and not predicted.layers
    add_folder(qtbot, monkeypatch, predicted, session, starry_folder)
    wait_for(
        qtbot,
        lambda: (
            session.masking.now is not None and session.circles.layer is not None and idle(session)
        ),
    )
    assert "maps.fits" in stars.told.text()
    assert [(s.id, s.ra, s.dec, s.radii, s.origin) for s in session.masking.now.stars] == [
        (s.id, s.ra, s.dec, s.radii, s.origin) for s in edited.stars
    ]
    assert session.circles.layer.nshapes == 2 and session.painting.layer(()).data.any()
    session.set_recipe("galaxy", ra=150.0, dec=2.0, d25=2.5)
    predict(qtbot, predicted, session)
    same(session.maps, maps)


def test_masks_of_other_images_are_left_alone(
    predicted, session, qtbot, monkeypatch, starry_folder
):
    out = starry_folder / "maps.fits"
    work.save(session, str(out))
    wait_for(qtbot, lambda: idle(session) and out.exists())
    session.start_over()
    from astropy.io import fits

    for path in starry_folder.glob("galaxy_*.fits"):
        with fits.open(path, mode="update") as hdus:
            hdus[0].data += 0.1
    add_folder(qtbot, monkeypatch, predicted, session, starry_folder)
    qtbot.wait(700)
    assert session.masking.now is None


def test_another_catalogue_keeps_what_was_drawn_by_hand_and_says_so(
    predicted, session, qtbot, starry_folder, tmp_path
):
    from astropy.table import Table

    stars = panel(predicted, "Stars")
    click(qtbot, stars.add)
    mouse.drag(predicted, (-30, -30), (-30, -20))
    click(qtbot, stars.add)
    session.masking.switch([star(session, "2")], False)
    edited = session.masking.now
    table = Table.read(starry_folder / "gaia.ecsv")[:1]
    table["source_id"] = [11]
    table.write(tmp_path / "other.ecsv")
    session.set_recipe("stars", catalogue=str(tmp_path / "other.ecsv"))
    predict(qtbot, predicted, session)
    assert [item.id for item in session.masking.items] == ["11", "hand 1"]
    panels.raise_panel(predicted, "Stars")
    assert (
        "fitted again" in stars.told.text()
        and "1 circle" in stars.told.text()
        and "Undo" in stars.told.text()
    )
    followed(qtbot, session, lambda: click(qtbot, stars.undo))
    assert session.masking.now is edited
    predict(qtbot, predicted, session)
    assert session.masking.now is edited, "what was taken back on purpose is not done again"


def test_deleting_the_layer_of_circles_deletes_no_circle(predicted, session, qtbot):
    predicted.layers.remove(session.circles.layer)
    assert len(session.masking.items) == 2 and session.circles.layer is None
    followed(qtbot, session, lambda: session.masking.switch([star(session, "1")], False))
    assert session.circles.layer is None, "it stays away"
    click_row(qtbot, panel(predicted, "Stars").table, 0)
    assert session.circles.layer is not None and session.circles.layer.nshapes == 2


def test_circles_are_drawn_before_there_is_any_catalogue_and_its_stars_come_to_them(
    opened, session, qtbot, monkeypatch, starry_folder
):
    stars = panel(opened, "Stars")
    click(qtbot, stars.add)
    mouse.drag(opened, (-30, -30), (-30, -20))
    click(qtbot, stars.add)
    assert [item.id for item in session.masking.items] == ["hand 1"]
    predict(qtbot, opened, session)
    assert [s.id for s in session.memory.cube.masks.stars] == ["hand 1"]
    panels.raise_panel(opened, "Prepare")
    from qtpy.QtWidgets import QLineEdit

    field = panel(opened, "Prepare").boxes["stars"].findChild(QLineEdit, "catalogue")
    write(qtbot, field, str(starry_folder / "gaia.ecsv"))
    predict(qtbot, opened, session)
    assert sorted(item.id for item in session.masking.items) == ["1", "2", "hand 1"]
    QApplication.processEvents()
