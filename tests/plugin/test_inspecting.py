"""Maps beside a truth in the Inspect panel: the numbers, the plots, and the brush between plot and
galaxy.
"""

from dataclasses import replace

import numpy as np
import pytest
from astropy.table import QTable
from matplotlib.backend_bases import MouseEvent
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.fits_io.map_files import write_maps
from napari_galaxy_maps.measure.compare.comparison import compare, pixels_of
from napari_galaxy_maps.measure.compare.pixel_metrics import metrics
from napari_galaxy_maps.plugin.ground.layer_specs import map_specs
from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.plugin.widgets.aperture_table import with_error
from tests.conftest import tan_wcs

from . import mouse
from .conftest import idle, take_maps, wait_for
from .test_panels import click, panel

pytestmark = pytest.mark.window


@pytest.fixture
def viewer(empty_window):
    """The window of this file's tests, with nothing in it; galaxies that were added from files stay
    in their list until they are taken out.
    """
    panel(empty_window, "Inspect").galaxies.clear()
    return empty_window


@pytest.fixture
def truth(maps):
    """The maps with noise of a known size; the rightmost columns are off by another 1."""
    rng = np.random.default_rng(5)
    values = {
        name: (plane + rng.normal(0, 0.3, plane.shape)).astype("f4")
        for name, plane in maps.values.items()
    }
    values["LOG_SIGMA_MD"][:, -5:] -= 1
    return replace(maps, values=values, errors={}, provenance={"file": "truth.fits"})


@pytest.fixture
def inspecting(viewer, workspace, maps, truth, qtbot):
    """The Inspect panel on these maps and this truth."""
    panels.open_all(viewer)
    for spec in map_specs(maps, workspace.project.place(maps), "NGC 309", visible="LOG_SIGMA_MD"):
        workspace.layers.show(spec)
    take_maps(workspace, maps)
    workspace.project.maps_changed.emit()
    workspace.project.add_truth("truth.fits", truth, choose=True)
    viewer.reset_view()
    panels.raise_panel(viewer, "Inspect")
    widget = panel(viewer, "Inspect")
    widget.plot.setCurrentIndex(
        max(0, widget.plot.findData("prediction"))
    )  # the window is that of the test before
    wait_for(
        qtbot,
        lambda: widget.canvas is not None and widget.scored is not None and idle(workspace),
    )
    widget.property_box.setCurrentIndex(widget.property_box.findData("LOG_SIGMA_MD"))
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
        ("button_press_event", corners[0], 1),
        ("motion_notify_event", corners[1], 1),
        ("button_release_event", corners[1], 1),
    ):
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
        assert table.item(row, 1).text() == ("K" if name == "T_DUST" else "dex")
        assert table.item(row, 2).text() == with_error(found["rmse"], found["rmse_err"])
        assert table.item(row, 3).text() == with_error(found["bias"], found["bias_err"])
        assert float(table.item(row, 6).text()) == pytest.approx(
            100 * found["coverage68"], rel=1e-2
        )


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


def test_what_is_painted_on_the_galaxy_lights_up_in_every_plot(
    inspecting, viewer, workspace, maps, truth, qtbot
):
    click(qtbot, inspecting.paint)
    layer = viewer.layers.selection.active
    assert layer is inspecting.brush.layer and layer.mode == "paint"
    mouse.drag(viewer, (0.0, -20.0), (0.0, 20.0))
    qtbot.wait(50)
    picked = inspecting.brush.picked
    assert picked.sum() > 10 and len(inspecting._marks.get_xdata()) == picked.sum()
    np.testing.assert_allclose(
        np.sort(inspecting._marks.get_ydata()), np.sort(maps.values["LOG_SIGMA_MD"][picked])
    )
    inspecting.plot.setCurrentIndex(inspecting.plot.findData("T_DUST"))
    inspecting._draw()
    assert len(inspecting._marks.get_xdata()) == picked.sum(), "the pick outlives the plot"
    np.testing.assert_allclose(
        np.sort(inspecting._marks.get_xdata()), np.sort(maps.values["T_DUST"][picked]), rtol=1e-6
    )


def test_every_plot_of_every_property_can_be_drawn_and_says_why_not(inspecting, qtbot):
    drawn = set()
    for name in range(inspecting.property_box.count()):
        for plot in range(inspecting.plot.count()):
            inspecting.property_box.setCurrentIndex(name)
            inspecting.plot.setCurrentIndex(plot)
            inspecting._draw()
            if inspecting.canvas is None:
                wait_for(qtbot, lambda: not inspecting.message.text().startswith("Fitting"))
                assert (
                    "radius" in inspecting.message.text()
                    or "no map of stars" in inspecting.message.text()
                )
            else:
                drawn.add((name, plot))
    plots = [inspecting.plot.itemData(i) for i in range(inspecting.plot.count())]
    assert plots == [
        "prediction",
        "sigma",
        "radius",
        *maps_of_panel(inspecting),
        "maps",
        "galaxies",
        "sums",
        "annuli",
    ]
    assert (
        len(drawn) == 3 * 7
    )  # all but those over the radius, and those of R_half: there is no map of stars


def test_a_figure_is_saved_with_the_numbers_behind_it_and_the_report_whole(
    inspecting, workspace, qtbot, monkeypatch, tmp_path
):
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *_, **__: (str(tmp_path / "a.pdf"), "")
    )
    click(qtbot, inspecting.picture)
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert set(QTable.read(tmp_path / "a.ecsv").colnames) == {
        "low",
        "high",
        "n",
        "p16",
        "p50",
        "p84",
    }
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *_, **__: (str(tmp_path / "a.doc"), "")
    )
    click(qtbot, inspecting.picture)
    assert ".png, .pdf or .svg" in inspecting.message.text() and not (tmp_path / "a.doc").exists()
    folder = tmp_path / "report"
    folder.mkdir()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, **__: str(folder))
    click(qtbot, inspecting.report)
    wait_for(qtbot, lambda: idle(workspace) and bool(inspecting.done.text()))
    page = (folder / "report.html").read_text()
    assert (
        "LOG_SIGMA_MD" in page
        and "data:image/png;base64" in page
        and (folder / "metrics.json").exists()
    )


def maps_of_panel(widget):
    return [widget.property_box.itemData(i) for i in range(widget.property_box.count())]


# --- many galaxies -------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    """Predictions and truths of three exponential discs at three places; the prediction is off by
    0.1, 0.2 and 0.3 dex.
    """
    rng, paths = np.random.default_rng(8), []
    y, x = np.mgrid[:48, :48] - 23.5
    for i in (1, 2, 3):
        wcs = tan_wcs((48, 48), 5.0)
        wcs.wcs.crval = [20.0 * i, 5.0]
        disc = 8 + 0.2 * i - np.hypot(x, 1.5 * y) / 6
        true = {"LOG_SIGMA_STAR": disc, "LOG_SIGMA_MD": disc - 3}
        predicted = {
            name: plane + 0.1 * i + rng.normal(0, 0.05, plane.shape) for name, plane in true.items()
        }
        for kind, values in (("maps", predicted), ("truth", true)):
            values = {name: plane.astype("f4") for name, plane in values.items()}
            errors = (
                {name: np.full((48, 48), 0.1, "f4") for name in values} if kind == "maps" else {}
            )
            made_by = {"object": f"Galaxy {i}", "fwhm": "10"} | (
                {"model_hash": "x"} if kind == "maps" else {}
            )
            path = tmp_path / f"{kind}{i}.fits"
            write_maps(
                path, PropertyMaps(values, errors, wcs, np.zeros((48, 48), np.int16), made_by)
            )
            paths.append(str(path))
    return paths


def add(widget, workspace, qtbot, monkeypatch, paths):
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_, **__: (paths, ""))
    before = widget.scored
    click(qtbot, widget.galaxies.add)
    wait_for(
        qtbot,
        lambda: (
            idle(workspace)
            and (widget.scored is not before or bool(widget.galaxies_message.text()))
        ),
    )


def test_many_galaxies_are_scored_and_plotted_together(
    viewer, workspace, files, qtbot, monkeypatch, tmp_path
):
    panels.open_all(viewer)
    panels.raise_panel(viewer, "Inspect")
    widget = panel(viewer, "Inspect")
    qtbot.wait(200)
    assert "add galaxies from files" in widget.notes.text()
    add(widget, workspace, qtbot, monkeypatch, files[::-1])  # in any order
    assert (
        widget.galaxies.list.count() == 4
        and "Galaxy 3: maps3.fits / truth3.fits" in widget.galaxies.list.item(1).text()
    )
    scores = widget.scored.scores["LOG_SIGMA_MD"]
    assert scores["bias"] == pytest.approx(0.2, abs=0.005) and scores["n"] == 3 * 48 * 48
    widget.property_box.setCurrentIndex(widget.property_box.findData("LOG_SIGMA_MD"))
    tables = {}
    for plot in ("prediction", "maps", "galaxies", "sums", "annuli"):
        widget.plot.setCurrentIndex(widget.plot.findData(plot))
        widget._draw()
        wait_for(qtbot, lambda: widget.canvas is not None)
        tables[plot] = widget.drawn[1]
    np.testing.assert_allclose(sorted(tables["galaxies"]["bias"]), [0.1, 0.2, 0.3], atol=0.01)
    assert set(tables["maps"]["galaxy"]) == {"Galaxy 1", "Galaxy 2", "Galaxy 3"}
    np.testing.assert_allclose(tables["annuli"]["bias"], -0.2, atol=0.03)  # true minus predicted
    np.testing.assert_allclose(tables["annuli"]["scatter"], 0.1, atol=0.04)
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *_, **__: (str(tmp_path / "annuli.svg"), "")
    )
    click(qtbot, widget.picture)
    assert (
        b"<svg" in (tmp_path / "annuli.svg").read_bytes()
        and len(QTable.read(tmp_path / "annuli.ecsv")) == 20
    )
    widget.galaxies.list.item(1).setCheckState(Qt.CheckState.Unchecked)
    wait_for(qtbot, lambda: widget.scored.scores["LOG_SIGMA_MD"]["n"] == 2 * 48 * 48)
    assert widget.scored.scores["LOG_SIGMA_MD"]["bias"] == pytest.approx(0.15, abs=0.005)
    widget.galaxies.list.item(1).setSelected(True)
    click(qtbot, widget.galaxies.remove)
    assert widget.galaxies.list.count() == 3
    folder = tmp_path / "report"
    folder.mkdir()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, **__: str(folder))
    click(qtbot, widget.report)
    wait_for(
        qtbot,
        lambda: idle(workspace) and bool(widget.done.text()) and (folder / "report.html").exists(),
    )
    page = (folder / "report.html").read_text()
    assert "Galaxy 1" in page and "Sums inside 2 R_half" in page and "Galaxy 3" not in page


def test_the_galaxy_in_the_window_and_others_share_the_plots_but_not_the_brush(
    inspecting, workspace, files, maps, truth, qtbot, monkeypatch
):
    add(inspecting, workspace, qtbot, monkeypatch, files[:2])
    name = "LOG_SIGMA_MD"
    inspecting.property_box.setCurrentIndex(inspecting.property_box.findData(name))
    inspecting._draw()
    here = (np.isfinite(maps.values[name]) & np.isfinite(truth.values[name])).sum()
    assert inspecting._pixels.true.size == here + 48 * 48
    box(inspecting, (3.4, 4.45), (4.87, 5.2))
    qtbot.wait(50)
    true, predicted = truth.values[name], maps.values[name]
    inside = (true > 3.4) & (true < 4.45) & (predicted > 4.87) & (predicted < 5.2)
    assert (inspecting.brush.picked != inside).mean() < 0.005 and inside.sum() > 20
    box(inspecting, (2.0, 5.6), (2.0, 5.7))
    qtbot.wait(50)
    assert "of other galaxies" in inspecting.selected.text()
    click(qtbot, inspecting.clear)
    assert len(inspecting._marks.get_xdata()) == 0


def test_files_that_make_no_pair_are_told(viewer, workspace, files, qtbot, monkeypatch, tmp_path):
    panels.open_all(viewer)
    panels.raise_panel(viewer, "Inspect")
    widget = panel(viewer, "Inspect")
    qtbot.wait(200)
    (tmp_path / "no.fits").write_text("no FITS file")
    add(widget, workspace, qtbot, monkeypatch, [*files[:3], files[5], str(tmp_path / "no.fits")])
    message = widget.galaxies_message.text()
    assert (
        "No truth covers maps2.fits" in message
        and "truth3.fits belongs to none" in message
        and "no.fits" in message
    )
    assert widget.galaxies.list.count() == 2
    add(widget, workspace, qtbot, monkeypatch, [files[2]])
    assert "has no partner" in widget.galaxies_message.text()


def test_a_truth_somewhere_else_is_told(inspecting, workspace, truth, qtbot):
    wcs = truth.wcs.deepcopy()
    wcs.wcs.crval = [10.0, -40.0]
    workspace.project.add_truth(
        "elsewhere.fits",
        replace(truth, wcs=wcs, provenance={"file": "elsewhere.fits"}),
        choose=True,
    )
    wait_for(qtbot, lambda: inspecting.canvas is None)
    assert (
        "elsewhere.fits does not overlap" in inspecting.message.text()
        and inspecting.table.rowCount() == 0
    )
