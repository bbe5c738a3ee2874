"""A new user's first hour with mouse and keys: open, settle, mask, predict, compare, measure, a
second galaxy, save, close, open again, and find all as it was.
"""

import shutil

import numpy as np
import pytest
from astropy.io import fits
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QFileDialog

from napari_galaxy_maps.plugin.ground.viewers import camera_and_scale_bar
from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.plugin.workspace import workspace_of

from ..conftest import SAMPLE
from . import mouse
from .conftest import idle, wait_for
from .test_panels import click, panel, write

pytestmark = [pytest.mark.window, pytest.mark.slow]
BANDS = ("nd-int", "frame-g", "frame-r", "w1-int", "w2-int", "w3-int", "gaia", "truth", "galaxy")


@pytest.fixture
def folders(tmp_path):
    """Two galaxies in folders of their own, far apart on the sky; an image of the first has lost
    its unit.
    """
    first, second = tmp_path / "spiral", tmp_path / "other"
    for folder in (first, second):
        folder.mkdir()
        for path in SAMPLE.iterdir():
            if any(word in path.name for word in BANDS):
                shutil.copy(path, folder)
    for folder, name, change in (
        (first, "*nd-int*", lambda header: header.pop("BUNIT", None)),
        (second, "*", lambda header: header.update(CRVAL1=40.0)),
    ):
        for path in folder.glob(name):
            if ".fits" not in path.name:
                path.unlink() if folder is second else None
                continue
            with fits.open(path) as hdus:
                new = fits.HDUList([hdu.copy() for hdu in hdus])
            for hdu in new:
                if "CRVAL1" in hdu.header:
                    change(hdu.header)
            path.unlink()
            new.writeto(str(path).replace(".bz2", "").replace(".gz", ""))
    (second / "truth.fits").unlink()
    return first, second


def window():
    import napari

    viewer = napari.Viewer(show=True)
    viewer.window.resize(1500, 900)
    panels.open_all(viewer)
    return viewer, workspace_of(viewer)


def settled(qtbot, own):
    qtbot.wait(50)
    wait_for(qtbot, lambda: idle(own))
    qtbot.wait(50)


def choose_row(qtbot, rows, number, modifier=Qt.KeyboardModifier.NoModifier):
    """Click a row of a list."""
    where = rows.visualItemRect(rows.item(number)).center()
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, modifier, QPoint(where))


def seen(viewer, own):
    """What a person sees and would miss."""
    project, camera = own.project, camera_and_scale_bar(viewer)[0]
    return {
        "galaxies": [own.galaxies.title(galaxy) for galaxy in own.galaxies.all],
        "files": sorted(file.label for file in project.files.found),
        "recipe": project.recipe.model_dump(),
        "results": [(r.label, r.saved, project.differences(r)) for r in project.results],
        "looked at": (own.views.looked_at, project.result.label),
        "layers": sorted(layer.name for layer in viewer.layers if layer.visible),
        "camera": np.round([*camera.center[-2:], camera.zoom], 6).tolist(),
        "stars": [(s.id, s.ra, s.dec, dict(s.radii)) for s in own.masks.now.stars],
        "apertures": own.measurements.apertures,
        "truth": project.truth_name,
        "panel": own.sessions.panel(),
    }


def open_and_settle(viewer, own, qtbot, monkeypatch, folder):
    """Add a folder; the image without a unit is asked about and answered."""
    galaxy = panel(viewer, "Galaxy")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    click(qtbot, galaxy.add_folder_button)
    wait_for(qtbot, lambda: own.project.galaxy is not None and idle(own))
    assert "GALEX_NUV" not in own.project.bands
    label = next(row.found.label for row in own.project.file_rows() if row.questions)
    unit = galaxy.table.cellWidget(galaxy.table.row_of(label), 3)
    write(qtbot, unit.lineEdit(), "count/s")
    settled(qtbot, own)
    wait_for(qtbot, lambda: "GALEX_NUV" in own.project.bands and idle(own))
    # Taken back and done again.
    click(qtbot, galaxy.undo)
    wait_for(qtbot, lambda: "GALEX_NUV" not in own.project.bands and idle(own))
    click(qtbot, galaxy.redo)
    wait_for(qtbot, lambda: "GALEX_NUV" in own.project.bands and idle(own))


def mask(viewer, own, qtbot, monkeypatch, folder):
    """Fit the stars of a catalogue, and take one away with a key."""
    panels.raise_panel(viewer, "Stars")
    stars = panel(viewer, "Stars")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(folder / "gaia.ecsv"), ""))
    click(qtbot, stars.catalogue)
    wait_for(qtbot, lambda: own.masks.now is not None and own.masks.now.stars and idle(own))
    settled(qtbot, own)
    before = len(own.masks.now.stars)
    own.masks.select([own.masks.now.stars[0]])
    click(qtbot, stars.delete)
    assert len(own.masks.now.stars) == before - 1


def predict(viewer, own, qtbot):
    panels.raise_panel(viewer, "Predict")
    predictor, before = panel(viewer, "Predict"), len(own.project.results)
    wait_for(qtbot, lambda: predictor.model.count() == 2)
    click(qtbot, predictor.button)
    wait_for(qtbot, lambda: len(own.project.results) > before and idle(own))
    settled(qtbot, own)
    return predictor


def look(viewer, own, qtbot, results):
    """The key of the residual, over the canvas; then the button of the uncertainty."""
    assert own.views.looked_at[1] == "map" and own.project.residual is not None
    mouse.key(viewer, Qt.Key.Key_3, Qt.KeyboardModifier.AltModifier)
    assert own.views.looked_at[1] == "residual" and results.kinds["residual"].isChecked()
    name = own.views.looked_at[0]
    click(qtbot, results.kinds["error"])
    assert own.views.looked_at == (name, "error")


def compare_two(viewer, own, qtbot, results):
    """With another distance the first result says so, and the second stands beside it."""
    panels.raise_panel(viewer, "Galaxy")
    write(qtbot, panel(viewer, "Galaxy").distance, "30")
    assert own.project.differences(own.project.results[0]) == ["distance"]
    predict(viewer, own, qtbot)
    assert [r.label for r in own.project.results] == ["dust-forest", "dust-forest 2"]
    assert "made with other settings: distance" in results.list.item(0).text()
    choose_row(qtbot, results.list, 0)
    assert own.project.result is own.project.results[0]
    choose_row(qtbot, results.list, 1, Qt.KeyboardModifier.ControlModifier)
    click(qtbot, results.compare)
    shown = [layer for layer in viewer.layers if layer.visible]
    assert len(shown) == 2 and shown[0].contrast_limits == shown[1].contrast_limits
    click(qtbot, results.compare)
    assert not own.side_by_side.on
    choose_row(qtbot, results.list, 1)
    settled(qtbot, own)


def measure(viewer, own, qtbot):
    """A circle drawn with the mouse."""
    panels.raise_panel(viewer, "Measure")
    click(qtbot, panel(viewer, "Measure").tools["circle"])
    mouse.drag(viewer, (5.0, 10.0), (5.0, 34.0), steps=8)
    wait_for(qtbot, lambda: len(own.measurements.apertures) == 1 and idle(own))
    settled(qtbot, own)


def add_second(viewer, own, qtbot, folder):
    """A second galaxy begins one of its own, and the first is as it was."""
    before = seen(viewer, own)
    own.opener.add_paths([folder])
    wait_for(qtbot, lambda: len(own.galaxies.all) == 2 and idle(own))
    assert own.project.galaxy is not None and not own.measurements.apertures
    assert own.project.recipe.galaxy.distance is None and own.masks.now is None
    panels.raise_panel(viewer, "Galaxy")
    choose_row(qtbot, panel(viewer, "Galaxy").galaxies.list, 0)
    settled(qtbot, own)
    panels.raise_panel(viewer, "Measure")
    settled(qtbot, own)
    before["galaxies"] *= 2  # by the name in the headers
    assert seen(viewer, own) == before


def save(viewer, own, qtbot, monkeypatch, path):
    """Save the session; nothing is asked about when the window is closed then."""
    panels.raise_panel(viewer, "Galaxy")
    assert "dust-forest 2" in own.sessions.words_of_unsaved()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(path), ""))
    click(qtbot, panel(viewer, "Galaxy").session.save_button)
    wait_for(qtbot, lambda: own.sessions.folder == path and idle(own))
    assert own.sessions.words_of_unsaved() == ""


def test_a_first_hour(qtbot, monkeypatch, tmp_path, folders):
    viewer, own = window()
    first, second = folders
    path = tmp_path / "evening.galaxymaps"
    open_and_settle(viewer, own, qtbot, monkeypatch, first)
    mask(viewer, own, qtbot, monkeypatch, first)
    results = predict(viewer, own, qtbot).results
    look(viewer, own, qtbot, results)
    compare_two(viewer, own, qtbot, results)
    measure(viewer, own, qtbot)
    add_second(viewer, own, qtbot, second)
    save(viewer, own, qtbot, monkeypatch, path)
    before, arrays = seen(viewer, own), [r.maps for r in own.project.results]
    viewer.close()

    viewer, own = window()
    try:
        settled(qtbot, own)
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(path))
        click(qtbot, panel(viewer, "Galaxy").session.open_button)
        wait_for(qtbot, lambda: len(own.galaxies.all) == 2 and idle(own))
        settled(qtbot, own)
        assert seen(viewer, own) == before
        for result, maps in zip(own.project.results, arrays, strict=True):
            for name, values in maps.values.items():
                np.testing.assert_array_equal(result.maps.values[name], values)
        # The maps still follow an edit, and the second galaxy is read when it is looked at.
        own.masks.delete([own.masks.now.stars[0]])
        wait_for(qtbot, lambda: not own.refresher.behind and idle(own))
        choose_row(qtbot, panel(viewer, "Galaxy").galaxies.list, 1)
        wait_for(qtbot, lambda: own.galaxies.current is own.galaxies.all[1] and idle(own))
        wait_for(qtbot, lambda: own.project.galaxy is not None and idle(own))
        assert len(own.project.files.found) == len(list(second.glob("*.fits")))
    finally:
        viewer.close()
