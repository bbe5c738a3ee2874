"""Apertures drawn and dragged as a person does it, profiles whose annuli light up, and the whole
galaxy, in a real window.
"""

from dataclasses import replace

import numpy as np
import pytest
from astropy.table import QTable
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_galaxy_maps import pipeline
from napari_galaxy_maps.data.cube import BandCube
from napari_galaxy_maps.data.galaxy import Ellipse
from napari_galaxy_maps.data.masked_light import MapFilling
from napari_galaxy_maps.measure.apertures.aperture import Aperture, circle
from napari_galaxy_maps.measure.apertures.photometry import Options, measure_apertures
from napari_galaxy_maps.measure.apertures.planes import SHARED, planes_of
from napari_galaxy_maps.pipeline import PredictionMemory
from napari_galaxy_maps.plugin.ground.layer_specs import map_specs
from napari_galaxy_maps.plugin.ground.sky_shapes import ellipse_corners
from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.plugin.state.aperture_measurements import MAPS, ApertureWork
from napari_galaxy_maps.plugin.widgets.aperture_table import FILLED, MEAN, SUM, with_error

from . import mouse
from .conftest import take_maps, wait_for
from .test_panels import click, panel

pytestmark = pytest.mark.window
DISTANCE = 10.0


@pytest.fixture
def viewer(empty_window):
    """The window of this file's tests, with nothing in it."""
    return empty_window


@pytest.fixture
def measuring(viewer, workspace, maps, qtbot):
    """The Measure panel open on maps of 30 x 40 pixels of 4 arcsec, at 10 Mpc."""
    panels.open_all(viewer)
    workspace.project.set_recipe("galaxy", distance=DISTANCE)
    for spec in map_specs(maps, workspace.project.place(maps), "NGC 309", visible="LOG_SIGMA_MD"):
        workspace.layers.show(spec)
    take_maps(workspace, maps)
    panels.raise_panel(viewer, "Measure")
    widget = panel(viewer, "Measure")
    widget.tabs.setCurrentIndex(0)
    if widget.background.isChecked():
        click(qtbot, widget.background)
    viewer.reset_view()
    workspace.project.maps_changed.emit()
    qtbot.wait(100)
    found = workspace.measurements
    wait_for(qtbot, lambda: found.planes is not None)
    return found


def settled(qtbot, measuring):
    """Wait until every aperture has its row."""
    wait_for(qtbot, lambda: len(measuring.rows) == len(measuring.apertures))


def direct(maps, aperture, name, options=None):
    """What the library says of one aperture."""
    table = measure_apertures(planes_of(maps, distance_mpc=DISTANCE), [aperture], options)
    return table[list(table["map"]).index(name)]


def cell(viewer, row, column):
    model = panel(viewer, "Measure").table.model_
    return model.data(model.index(row, column))


def test_a_circle_is_drawn_from_its_middle_and_its_row_is_what_the_library_says(
    viewer, workspace, measuring, maps, qtbot
):
    widget = panel(viewer, "Measure")
    click(qtbot, widget.tools["circle"])
    mouse.drag(viewer, (5.0, 10.0), (5.0, 34.0), steps=8)
    settled(qtbot, measuring)
    (drawn,) = measuring.apertures
    assert drawn.shape.a == drawn.shape.b == pytest.approx(24, abs=1.0)
    layer = workspace.aperture_layer.shapes.layer
    assert np.asarray(layer.data[0]).mean(axis=0) == pytest.approx([5, 10], abs=0.8)
    assert drawn.name == "1" and widget.map.currentText() == "LOG_SIGMA_MD", (
        "the map that is looked at"
    )
    row = direct(maps, drawn, "LOG_SIGMA_MD")
    assert cell(viewer, 0, SUM) == with_error(row["sum"], row["sum_err"]) and "±" in cell(
        viewer, 0, SUM
    )
    assert cell(viewer, 0, MEAN) == with_error(row["mean"], row["mean_err"])


def test_a_click_alone_draws_a_circle_and_undo_takes_it_back(viewer, workspace, measuring, qtbot):
    widget = panel(viewer, "Measure")
    click(qtbot, widget.tools["circle"])
    mouse.click(viewer, (0.0, 0.0))
    settled(qtbot, measuring)
    assert len(measuring.apertures) == 1 and measuring.apertures[0].shape.a > 5
    mouse.key(viewer, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert measuring.apertures == () and workspace.aperture_layer.shapes.layer.nshapes == 0
    click(qtbot, widget.redo)
    settled(qtbot, measuring)
    assert len(measuring.apertures) == 1 and widget.table.model_.rowCount() == 1


def test_while_an_ellipse_is_dragged_its_row_changes_and_only_the_end_is_history(
    viewer, workspace, measuring, maps, qtbot
):
    reference = workspace.project.reference
    ellipse = Ellipse(*reference, 30.0, 16.0, 30.0)
    measuring.add([Aperture(ellipse, "arm"), circle(*reference, 8.0, "core")], "both")
    settled(qtbot, measuring)
    widget = panel(viewer, "Measure")
    click(qtbot, widget.tools["select"])
    measuring.select([])
    edits = len(measuring.history._past)
    seen = []
    measuring.moved.connect(lambda number: seen.append((number, cell(viewer, number, MEAN))))
    mouse.drag(viewer, (20.0, -10.0), (12.0, 22.0), steps=10)
    settled(qtbot, measuring)
    assert {number for number, _ in seen} == {0} and len({text for _, text in seen}) > 3, (
        "the row changed as it moved"
    )
    assert len(measuring.history._past) == edits + 1
    arm, core = measuring.apertures
    assert core.shape == circle(*reference, 8.0).shape and arm.name == "arm"
    assert (arm.shape.a, arm.shape.b, arm.shape.pa) == pytest.approx((30, 16, 30), abs=0.05)
    moved = ellipse_corners(arm.shape, reference).mean(axis=0)
    assert moved == pytest.approx([-8, 32], abs=1.5)
    row = direct(maps, arm, "LOG_SIGMA_MD")
    assert cell(viewer, 0, MEAN) == with_error(row["mean"], row["mean_err"])


def test_a_hole_and_a_local_background_count_and_show_as_rings(
    viewer, workspace, measuring, maps, qtbot
):
    measuring.add([circle(*workspace.project.reference, 20.0)], "one")
    settled(qtbot, measuring)
    widget = panel(viewer, "Measure")
    widget.hole.setValue(0.5)
    click(qtbot, widget.background)
    settled(qtbot, measuring)
    (ring,) = measuring.apertures
    assert ring.inner == 0.5 and measuring.options.background == (1.5, 2.0)
    row = direct(maps, ring, "LOG_SIGMA_MD", measuring.options)
    qtbot.wait(50)
    assert cell(viewer, 0, SUM) == with_error(row["sum"], row["sum_err"])
    rings = workspace.aperture_layer.rings.layer
    sizes = sorted(float(np.ptp(np.asarray(box), axis=0).max()) for box in rings.data)
    assert sizes == pytest.approx([20, 60, 80], rel=1e-3)


def test_filled_pixels_count_while_the_tick_says_so_and_the_table_shows_their_share(
    viewer, workspace, measuring, maps, qtbot
):
    """Ticks are of the galaxy whose apertures they are."""
    rows, columns = np.indices((4, 5)).reshape(2, -1).astype("i4") + 13
    planes = {name: plane[rows, columns] for name, plane in maps.values.items()}
    errors = {name: np.full(rows.size, 0.1, "f4") for name in planes}
    filling = MapFilling(rows, columns, np.ones(rows.size, "i4"), planes, errors)
    hidden = {name: plane.copy() for name, plane in maps.values.items()}
    for plane in hidden.values():
        plane[rows, columns] = np.nan
    before, widget = measuring.planes, panel(viewer, "Measure")
    holed = replace(maps, values=hidden, filling=filling)
    take_maps(workspace, holed)
    workspace.project.maps_changed.emit()
    wait_for(qtbot, lambda: measuring.planes is not before)
    measuring.add([circle(*workspace.project.reference, 30.0)], "one")
    settled(qtbot, measuring)
    table, number = widget.table, list(maps.values).index("LOG_SIGMA_MD")
    table.model_.number = number
    table.renew()
    row = direct(holed, measuring.apertures[0], "LOG_SIGMA_MD")
    assert widget.fill.isChecked() and not table.isColumnHidden(FILLED)
    assert cell(viewer, 0, FILLED) == f"{row['filled_share']:.1%}" != "0.0%"
    assert cell(viewer, 0, SUM) == with_error(row["sum"], row["sum_err"])
    widget.fill.click()
    settled(qtbot, measuring)
    assert not measuring.options.fill and table.isColumnHidden(FILLED)
    assert measuring.rows[0]["sum"][number] == pytest.approx(row["sum_measured"])
    measuring.take_up(ApertureWork(options=Options(correct_masked=True)))
    measuring.announce()
    assert widget.fill.isChecked() and widget.correct.isChecked()


def test_an_aperture_off_the_maps_says_so_and_the_others_stay(viewer, workspace, measuring, qtbot):
    ra, dec = workspace.project.reference
    measuring.add([circle(ra, dec, 20.0, "in"), circle(ra, dec + 1, 20.0, "far")], "both")
    settled(qtbot, measuring)
    widget = panel(viewer, "Measure")
    assert isinstance(measuring.rows[0], dict) and "off the image" in measuring.rows[1]
    assert (
        widget.message.text() == measuring.rows[1]
        and cell(viewer, 0, MEAN)
        and not cell(viewer, 1, MEAN)
    )
    assert set(measuring.table()["name"]) == {"in"}


def test_regions_and_tables_go_out_and_come_back(
    viewer, workspace, measuring, maps, qtbot, monkeypatch, tmp_path
):
    widget, reference = panel(viewer, "Measure"), workspace.project.reference
    drawn = [
        Aperture(Ellipse(*reference, 30.0, 16.0, 30.0), "arm", 0.4),
        circle(*reference, 8.0, "core"),
    ]
    measuring.add(drawn, "both")
    settled(qtbot, measuring)
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *_, **__: (str(tmp_path / "a.reg"), "")
    )
    click(qtbot, widget.save)
    click(qtbot, widget.delete)
    assert measuring.apertures == (), "both were selected"
    monkeypatch.setattr(
        QFileDialog, "getOpenFileName", lambda *_, **__: (str(tmp_path / "a.reg"), "")
    )
    click(qtbot, widget.load)
    settled(qtbot, measuring)
    for now, before in zip(measuring.apertures, drawn, strict=True):
        assert now.name == before.name and now.inner == pytest.approx(before.inner, abs=1e-6)
        assert (now.shape.a, now.shape.b) == pytest.approx(
            (before.shape.a, before.shape.b), rel=1e-6
        )
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *_, **__: (str(tmp_path / "a.ecsv"), "")
    )
    click(qtbot, widget.export)
    table = QTable.read(tmp_path / "a.ecsv")
    assert len(table) == 2 * len(maps.values) and str(table["area"].unit) == "arcsec2"
    click(qtbot, widget.copy)
    lines = QApplication.clipboard().text().splitlines()
    assert len(lines) == 1 + len(table) and lines[0].split("\t")[:3] == ["name", "shape", "ra"]
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *_, **__: (str(tmp_path / "a.xlsx"), "")
    )
    click(qtbot, widget.export)
    assert ".ecsv or .csv" in widget.message.text() and not (tmp_path / "a.xlsx").exists()


def test_a_profile_is_plotted_and_the_annulus_under_the_pointer_lights_up(
    viewer, workspace, measuring, maps, qtbot, tmp_path
):
    ra, dec = workspace.project.reference
    workspace.project.set_recipe(
        "galaxy", ra=ra, dec=dec, d25=2.0, axis_ratio=0.5, position_angle=90.0
    )
    measuring.add([Aperture(Ellipse(ra, dec, 60.0, 30.0, 90.0), "D25")], "one")
    settled(qtbot, measuring)
    widget = panel(viewer, "Measure")
    widget.tabs.setCurrentIndex(1)
    view = widget.profile
    view.ellipse.setCurrentIndex(view.ellipse.findData("aperture"))
    view.soon()
    wait_for(
        qtbot,
        lambda: (
            view.profiled is not None
            and view.profiled.ellipse.a == 60.0
            and view.canvas is not None
        ),
    )
    qtbot.wait(300)
    found = view.profiled
    assert (
        found.edges[0] == 0
        and found.edges[-1] == pytest.approx(60)
        and set(found.table["map"]) == {"LOG_SIGMA_MD"}
    )
    assert "Gradient" in view.gradient.text()
    layer = view.annuli.layer
    assert layer.visible and layer.nshapes == len(found.edges) - 1
    before = np.asarray(layer.edge_color).copy()
    x, _ = view.canvas.figure.axes[0].transData.transform((float(view._points[2]), 5.0))
    from matplotlib.backend_bases import MouseEvent

    middle = view.canvas.figure.axes[0].bbox
    event = MouseEvent("motion_notify_event", view.canvas, x, (middle.y0 + middle.y1) / 2)
    view.canvas.callbacks.process("motion_notify_event", event)
    lit = [
        i
        for i, colour in enumerate(np.asarray(layer.edge_color))
        if not np.allclose(colour, before[i])
    ]
    assert lit == [1, 2], "both edges of the third annulus"
    widget.tabs.setCurrentIndex(0)
    assert not layer.visible, "the annuli go with the tab"


def test_several_maps_and_the_truth_share_the_radius_of_a_profile(
    viewer, workspace, measuring, maps, qtbot, tmp_path, monkeypatch
):
    ra, dec = workspace.project.reference
    workspace.project.set_recipe(
        "galaxy", ra=ra, dec=dec, d25=2.0, axis_ratio=0.5, position_angle=90.0
    )
    values = {name: plane + np.float32(0.25) for name, plane in maps.values.items()}
    workspace.project.add_truth("truth.fits", replace(maps, values=values, errors={}), choose=True)
    measuring.add([Aperture(Ellipse(ra, dec, 60.0, 30.0, 90.0), "D25")], "one")
    settled(qtbot, measuring)
    widget = panel(viewer, "Measure")
    widget.tabs.setCurrentIndex(1)
    view = widget.profile
    view.ellipse.setCurrentIndex(view.ellipse.findData("aperture"))
    view.shown.setCurrentIndex(view.shown.findData("mean"))
    view.soon()
    wait_for(
        qtbot,
        lambda: view.profiled is not None and len(set(view.profiled.table["source"])) == 2,
    )
    first = view.profiled.table["map"][0]
    offered = [
        view.maps.list.item(i)
        for i in range(view.maps.list.count())
        if not view.maps.list.item(i).isHidden()
    ]
    assert [item.text() for item in offered] == [name for name in maps.values if name != first]
    for item in offered:
        view.maps.list.itemClicked.emit(item)  # what a click in the open menu does
    wait_for(qtbot, lambda: len(set(view.profiled.table["map"])) == 3)
    qtbot.wait(200)
    axes = view.canvas.figure.axes
    assert len(axes) == 3 and len({part.get_xlim() for part in axes}) == 1
    table = view.profiled.table
    for name in maps.values:
        mine = [
            table[(table["map"] == name) & (table["source"] == source)]["mean"]
            for source in ("prediction", "truth")
        ]
        np.testing.assert_allclose(mine[1] - mine[0], 0.25, atol=1e-3)
    assert (
        all(name in view.gradient.text() for name in maps.values)
        and "2 more maps" in view.maps.text()
    )
    from matplotlib.backend_bases import MouseEvent

    below = axes[2].bbox
    x, _ = axes[2].transData.transform((float(view._points[2]), 0.0))
    view.canvas.callbacks.process(
        "motion_notify_event",
        MouseEvent("motion_notify_event", view.canvas, x, (below.y0 + below.y1) / 2),
    )
    assert all(
        mark.get_visible() and mark.get_xdata()[0] == view._points[2] for mark in view._marks
    )
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *_, **__: (str(tmp_path / "p.pdf"), "")
    )
    click(qtbot, view.picture)
    assert (tmp_path / "p.pdf").read_bytes().startswith(b"%PDF") and len(
        QTable.read(tmp_path / "p.ecsv")
    ) == len(table)
    view.shown.setCurrentIndex(view.shown.findData("growth"))
    view._plot()
    assert len(view.canvas.figure.axes) == 1, "only the dust mass adds up"


def test_the_whole_galaxy_is_the_sum_over_its_ellipse(
    viewer, workspace, measuring, maps, qtbot, monkeypatch
):
    widget = panel(viewer, "Measure")
    widget.tabs.setCurrentIndex(2)
    view = widget.totals
    wait_for(qtbot, lambda: view.totals is not None)
    row = view.totals[list(view.totals["map"]).index("LOG_SIGMA_MD")]
    pixel_kpc2 = (4.0 * DISTANCE * 1e3 * np.pi / 180 / 3600) ** 2
    expected = np.nansum(10.0 ** maps.values["LOG_SIGMA_MD"].astype(float)) * pixel_kpc2
    assert row["value"] == pytest.approx(expected, rel=2e-3)
    shown = [view.table.item(i, 0).text() for i in range(view.table.rowCount())]
    assert "dust mass" in shown

    asked, planes = [], np.ones((1, *maps.shape), "f4")
    cube = BandCube(
        planes, planes, ("WISE_3.4",), maps.wcs, 12.0, 4.0, None, maps.flags, maps.flags,
        hubble_stage=7.0,
    )  # fmt: skip
    workspace.project.memory = PredictionMemory(cube=cube)
    workspace.project.set_recipe("galaxy", hubble_stage=7.0)
    monkeypatch.setattr(
        pipeline,
        "predict_global",
        lambda cube, recipe, *_: asked.append((cube.hubble_stage, recipe.galaxy.hubble_stage)),
    )
    view.refresh()
    wait_for(qtbot, lambda: asked)
    assert asked == [(None, None)], "as when the maps were made, and not as it is set now"


def test_errors_in_two_parts_show_as_one_and_older_ones_as_a_range(
    viewer, workspace, measuring, maps, qtbot
):
    widget = panel(viewer, "Measure")
    view, model = widget.totals, widget.table.model_
    model.number = list(maps.values).index("LOG_SIGMA_MD")

    def shown():
        """The error of the aperture's sum in its tip, the galaxy's in its cell, and notes."""
        widget.tabs.setCurrentIndex(0)
        settled(qtbot, measuring)
        tip = model.data(model.index(0, SUM), Qt.ItemDataRole.ToolTipRole)
        view.totals = None
        widget.tabs.setCurrentIndex(1)
        widget.tabs.setCurrentIndex(2)
        wait_for(qtbot, lambda: view.totals is not None)
        row = list(view.totals["map"]).index("LOG_SIGMA_MD")
        return tip, view.table.item(row, 1).text(), view.table.horizontalHeaderItem(1).toolTip()

    measuring.add([circle(*workspace.project.reference, 20.0)], "one")
    tip, cell_text, heading = shown()
    assert "if all err together" in tip and "–" in cell_text and "range" in heading
    planes = measuring.planes
    shared = {name: 0.5 * error for name, error in maps.errors.items()}
    take_maps(workspace, replace(maps, galaxy_errors=shared))
    workspace.project.maps_changed.emit()
    wait_for(qtbot, lambda: measuring.planes is not planes)
    tip, cell_text, heading = shown()
    assert tip == heading == f"{SHARED}, is in the error" and "–" not in cell_text
    assert SHARED in view.notes.text() and "range" not in view.notes.text()
    assert "err_max" not in view.totals.colnames


def test_other_maps_are_measured_as_soon_as_they_are_there(
    viewer, workspace, measuring, maps, qtbot
):
    measuring.add([circle(*workspace.project.reference, 20.0)], "one")
    settled(qtbot, measuring)
    before = float(measuring.rows[0]["mean"][2])
    values = {name: plane + np.float32(0.5) for name, plane in maps.values.items()}
    take_maps(workspace, replace(maps, values=values))
    workspace.project.maps_changed.emit()
    wait_for(
        qtbot,
        lambda: (
            isinstance(measuring.rows[0], dict) and float(measuring.rows[0]["mean"][2]) != before
        ),
    )
    assert float(measuring.rows[0]["mean"][2]) == pytest.approx(before + 0.5, abs=1e-4)
    assert measuring.chosen == MAPS


def test_what_the_fluxes_give_is_asked_as_when_the_maps_were_made(
    viewer, workspace, measuring, maps, qtbot, monkeypatch
):
    asked, planes = [], np.ones((1, *maps.shape), "f4")
    cube = BandCube(
        planes, planes, ("WISE_3.4",), maps.wcs, 12.0, 4.0, None, maps.flags, maps.flags,
        hubble_stage=7.0,
    )  # fmt: skip
    workspace.project.memory = pipeline.PredictionMemory(cube=cube)
    workspace.project.set_recipe("galaxy", hubble_stage=7.0)
    monkeypatch.setattr(
        pipeline,
        "predict_global",
        lambda cube, recipe, *_: asked.append((cube.hubble_stage, recipe.galaxy.hubble_stage)),
    )
    widget = panel(viewer, "Measure")
    widget.tabs.setCurrentIndex(2)
    widget.totals.refresh()
    wait_for(qtbot, lambda: asked)
    assert set(asked) == {(None, None)}


def test_the_tool_in_hand_is_shown_and_stays_until_it_is_put_away(
    viewer, workspace, measuring, qtbot
):
    widget = panel(viewer, "Measure")

    def in_hand():
        return [name for name, button in widget.tools.items() if button.isChecked()]

    measuring.add([circle(*workspace.project.reference, 8.0, "core")], "one")
    settled(qtbot, measuring)
    for tool in ("circle", "ellipse"):
        click(qtbot, widget.tools[tool])
        mouse.drag(viewer, (5.0, 10.0), (5.0, 24.0), steps=3)
        for act in (
            lambda: widget.table.shown.emit(0),
            lambda: click(qtbot, widget.delete),
            lambda: click(qtbot, widget.undo),
        ):
            act()
            settled(qtbot, measuring)
            assert in_hand() == [tool]
    assert len(measuring.apertures) == 3
    mouse.key(viewer, Qt.Key.Key_Escape)
    assert in_hand() == ["select"]
    click(qtbot, widget.tools["polygon"])
    assert in_hand() == ["polygon"]
    click(qtbot, widget.tools["polygon"])
    assert in_hand() == ["select"]
    viewer.layers.selection.active = viewer.layers[0]
    assert in_hand() == []
