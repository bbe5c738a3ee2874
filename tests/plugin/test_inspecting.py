"""Maps beside a truth in the Inspect panel: the numbers, the plots, and the brush between plot and galaxy."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.table import QTable
from matplotlib.backend_bases import MouseEvent
from qtpy.QtWidgets import QFileDialog

from napari_galaxy_maps.measure.comparison import compare, metrics, pixels_of
from napari_galaxy_maps.plugin import panels
from napari_galaxy_maps.plugin.aperture_table import with_error
from napari_galaxy_maps.plugin.layers import map_specs

from . import mouse
from .conftest import idle, wait_for
from .test_panels import click, panel

pytestmark = pytest.mark.window


@pytest.fixture
def viewer(empty_window):
    return empty_window


@pytest.fixture
def truth(maps):
    """The maps with noise of a known size; the rightmost columns are off by another 1."""
    rng = np.random.default_rng(5)
    values = {name: (plane + rng.normal(0, 0.3, plane.shape)).astype("f4") for name, plane in maps.values.items()}
    values["LOG_SIGMA_MD"][:, -5:] -= 1
    return replace(maps, values=values, errors={}, provenance={"file": "truth.fits"})


@pytest.fixture
def inspecting(viewer, session, maps, truth, qtbot):
    """The Inspect panel on these maps and this truth."""
    panels.open_all(viewer)
    for spec in map_specs(maps, session.place(maps), "NGC 309", visible="LOG_SIGMA_MD"):
        session.show(spec)
    session.maps = maps
    session.maps_changed.emit()
    session.add_truth("truth.fits", truth, choose=True)
    viewer.reset_view()
    panels.raise_panel(viewer, "Inspect")
    widget = panel(viewer, "Inspect")
    wait_for(qtbot, lambda: widget.canvas is not None and widget.inspected is not None and idle(session), 30)
    widget.property.setCurrentIndex(widget.property.findData("LOG_SIGMA_MD"))
    widget.plot.setCurrentIndex(widget.plot.findData("prediction"))
    widget._draw()
    qtbot.wait(300)
    return widget


def box(widget, x, y):
    """Drag a box in the plot: from (x[0], y[0]) to (x[1], y[1])."""
    widget.canvas.draw()
    axes = widget.canvas.figure.axes[0]
    corners = [axes.transData.transform(corner) for corner in zip(x, y, strict=True)]
    for kind, at, button in (
        ("button_press_event", corners[0], 1), ("motion_notify_event", corners[1], 1), ("button_release_event", corners[1], 1)
    ):  # fmt: skip
        held = {"buttons": {1}} if kind == "motion_notify_event" else {}
        event = MouseEvent(kind, widget.canvas, *at, button, **held)
        widget.canvas.callbacks.process(kind, event)


def test_the_numbers_are_those_of_the_library(inspecting, maps, truth):
    comparison = compare(maps, truth)
    table = inspecting.table
    names = [table.item(row, 0).text() for row in range(table.rowCount())]
    assert names == list(maps.values)
    for row, name in enumerate(names):
        found = metrics(pixels_of([comparison], name))
        assert table.item(row, 1).text() == with_error(found["rmse"], found["rmse_err"])
        assert table.item(row, 2).text() == with_error(found["bias"], found["bias_err"])
        assert float(table.item(row, 5).text()) == pytest.approx(100 * found["coverage68"], rel=1e-2)


def test_a_box_in_the_plot_lights_up_its_pixels_on_the_galaxy(inspecting, maps, truth, qtbot):
    true, predicted = truth.values["LOG_SIGMA_MD"], maps.values["LOG_SIGMA_MD"]
    box(inspecting, (3.4, 4.45), (4.87, 5.2))
    qtbot.wait(50)
    picked = inspecting.brush.picked
    inside = (true > 3.4) & (true < 4.45) & (predicted > 4.87) & (predicted < 5.2)
    assert inside.sum() > 20 and (picked != inside).mean() < 0.005
    layer = inspecting.brush.layer
    np.testing.assert_array_equal(np.asarray(layer.data) != 0, picked)
    assert len(inspecting._marks.get_xdata()) == picked.sum()
    found = metrics(inspecting._pixels.where(picked[inspecting._where()]))
    assert (
        f"{picked.sum():,} pixels picked" in inspecting.selected.text()
        and f"{found['bias']:.3g}" in inspecting.selected.text()
    )
    click(qtbot, inspecting.clear)
    assert not inspecting.brush.picked.any() and not np.asarray(layer.data).any()


def test_what_is_painted_on_the_galaxy_lights_up_in_every_plot(inspecting, viewer, session, maps, truth, qtbot):
    click(qtbot, inspecting.paint)
    layer = viewer.layers.selection.active
    assert layer is inspecting.brush.layer and layer.mode == "paint"
    mouse.drag(viewer, (0.0, -20.0), (0.0, 20.0))
    qtbot.wait(50)
    picked = inspecting.brush.picked
    assert picked.sum() > 10 and len(inspecting._marks.get_xdata()) == picked.sum()
    np.testing.assert_allclose(np.sort(inspecting._marks.get_ydata()), np.sort(maps.values["LOG_SIGMA_MD"][picked]))
    inspecting.plot.setCurrentIndex(inspecting.plot.findData("T_DUST"))
    inspecting._draw()
    assert len(inspecting._marks.get_xdata()) == picked.sum(), "the pick outlives the plot"
    np.testing.assert_allclose(
        np.sort(inspecting._marks.get_xdata()), np.sort(maps.values["T_DUST"][picked]), rtol=1e-6
    )


def test_every_plot_of_every_property_can_be_drawn_and_says_why_not(inspecting, qtbot):
    drawn = set()
    for name in range(inspecting.property.count()):
        for plot in range(inspecting.plot.count()):
            inspecting.property.setCurrentIndex(name)
            inspecting.plot.setCurrentIndex(plot)
            inspecting._draw()
            if inspecting.canvas is None:
                assert "radius" in inspecting.message.text(), "the ellipse is not known"
            else:
                drawn.add((name, plot))
    assert len(drawn) == 3 * 5


def test_a_figure_is_saved_with_the_numbers_behind_it_and_the_report_whole(
    inspecting, session, qtbot, monkeypatch, tmp_path
):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(tmp_path / "a.pdf"), ""))
    click(qtbot, inspecting.picture)
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert set(QTable.read(tmp_path / "a.ecsv").colnames) == {"low", "high", "n", "p16", "p50", "p84"}
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(tmp_path / "a.doc"), ""))
    click(qtbot, inspecting.picture)
    assert ".png, .pdf or .svg" in inspecting.message.text() and not (tmp_path / "a.doc").exists()
    folder = tmp_path / "report"
    folder.mkdir()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, **__: str(folder))
    click(qtbot, inspecting.report)
    wait_for(qtbot, lambda: idle(session) and bool(inspecting.done.text()), 60)
    page = (folder / "report.html").read_text()
    assert "LOG_SIGMA_MD" in page and "data:image/png;base64" in page and (folder / "metrics.json").exists()


def test_a_truth_somewhere_else_is_told(inspecting, session, truth, qtbot):
    wcs = truth.wcs.deepcopy()
    wcs.wcs.crval = [10.0, -40.0]
    session.add_truth("elsewhere.fits", replace(truth, wcs=wcs, provenance={"file": "elsewhere.fits"}), choose=True)
    wait_for(qtbot, lambda: inspecting.canvas is None, 20)
    assert "elsewhere.fits does not overlap" in inspecting.message.text() and inspecting.table.rowCount() == 0
