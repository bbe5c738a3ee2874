"""The Pixel panel in a real window: it follows the pointer, holds a pixel, shows an aperture, and
computes nothing unseen.
"""

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_galaxy_maps.bands.registry import INPUT_BANDS, get_band
from napari_galaxy_maps.data.cube import BandCube
from napari_galaxy_maps.data.galaxy import BandImage
from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.data.recipe import LibrarySettings
from napari_galaxy_maps.measure.apertures.aperture import circle
from napari_galaxy_maps.plugin.ground.layer_specs import image_spec
from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.plugin.state.pixel_spectra import TITLE
from napari_galaxy_maps.sed.library import build_library
from napari_galaxy_maps.sed.pixel import pixel_spectrum

from ..conftest import tan_wcs
from . import mouse
from .conftest import idle, line_of, take_maps, wait_for
from .test_panels import click, panel

pytestmark = pytest.mark.window
SHAPE, PIXEL, MODELS = (12, 16), 10.0, 3000
BANDS = (*(band for band in INPUT_BANDS if not band.startswith("Spitzer")), "PACS_100", "SPIRE_250")


@pytest.fixture(scope="module")
def library(cache):
    """A small library, in `cache`."""
    return build_library(LibrarySettings(n_models=MODELS), 0.002, cache=cache)


@pytest.fixture(scope="module")
def cube(library):
    """Every pixel is another model of the library, with errors of 5 %; one has a negative band, one
    too few bands.
    """
    n = SHAPE[0] * SHAPE[1]
    rows = np.arange(0, 7 * n, 7)
    light = library.light[rows][:, library.columns(BANDS)].astype(float)
    data = (light / light.max(1, keepdims=True) * 20).T.reshape(-1, *SHAPE).astype("f4")
    error = (0.05 * data).astype("f4")
    data[BANDS.index("GALEX_FUV"), 3, 4] = -0.002
    error[BANDS.index("GALEX_FUV"), 3, 4] = 0.001
    data[2:-2, 2, 2] = np.nan
    nothing = np.zeros(SHAPE, np.int16)
    return BandCube(
        data,
        error,
        BANDS,
        tan_wcs(SHAPE, PIXEL),
        30.0,
        PIXEL,
        None,
        nothing.astype(bool),
        nothing,
        "made up",
        correlation=np.ones(len(BANDS)),
        systematic=np.full(len(BANDS), 0.03),
    )


@pytest.fixture
def viewer(empty_window):
    """The window of this file's tests, with nothing in it."""
    return empty_window


@pytest.fixture
def pixels(viewer, workspace, cube, qtbot, cache, monkeypatch):
    """The Pixel panel in front of the made-up cube, its model spectra made."""
    monkeypatch.setenv("GALAXY_MAPS_CACHE", str(cache))
    panels.open_all(viewer)
    workspace.project.set_recipe("sed", n_models=MODELS)
    workspace.project.set_recipe("galaxy", redshift=0.002)
    image = BandImage(cube.data[BANDS.index("WISE_3.4")], get_band("WISE_3.4"), cube.wcs, fwhm=30)
    workspace.layers.show(image_spec(image, workspace.project.place(image), "made up"))
    workspace.project.cube = cube
    viewer.reset_view()
    panels.raise_panel(viewer, "Pixel")
    qtbot.wait(100)
    workspace.project.cube_changed.emit()
    wait_for(qtbot, lambda: idle(workspace) and workspace.spectra.ready())
    qtbot.wait(100)
    return panel(viewer, "Pixel")


def sky(row, column):
    """North and west of a pixel of the cube, arcsec."""
    return (row - (SHAPE[0] - 1) / 2) * PIXEL, (column - (SHAPE[1] - 1) / 2) * PIXEL


def point(viewer, qtbot, widget, row, column):
    """Move the pointer to a pixel; a hand that moves says so more than once, and one move in a
    canvas that is being laid out is lost.
    """
    before = widget.updates

    def followed():
        mouse.move(viewer, sky(row, column))
        return widget.updates > before

    wait_for(qtbot, followed)


def test_it_shows_the_spectrum_under_the_pointer_and_what_the_library_says_of_it(
    viewer, pixels, cube, library, qtbot
):
    point(viewer, qtbot, pixels, 5, 7)
    assert (pixels.place.row, pixels.place.column) == (5, 7)
    direct = pixel_spectrum(cube.data[:, 5, 7], cube.uncertainty[:, 5, 7], BANDS, library)
    shown = pixels.view._artists["model"].get_ydata()
    assert np.allclose(shown, direct.spectrum[1], rtol=1e-6)
    assert np.array_equal(pixels.view._artists["data"].get_xdata(), direct.wavelength[:-2])
    assert np.allclose(pixels.view._artists["left"].get_ydata(), cube.data[-2:, 5, 7]), (
        "the far infrared is not fitted"
    )
    assert pixels.cells[2][1].text() == f"{direct.properties['T_DUST'][1]:.1f}"
    assert "14 bands fitted" in pixels.fit_text.text() and "pixel 7, 5" in pixels.fit_text.text()
    point(viewer, qtbot, pixels, 6, 7)
    assert not np.allclose(pixels.view._artists["model"].get_ydata(), direct.spectrum[1], rtol=1e-3)


def test_the_plot_is_on_the_screen_and_only_what_changes_is_painted(viewer, pixels, qtbot):
    point(viewer, qtbot, pixels, 5, 7)
    qtbot.wait(50)
    before = pixels.view.repaints
    pictures = set()
    for column in range(4, 12):
        point(viewer, qtbot, pixels, 7, column)
        qtbot.wait(20)
        pictures.add(bytes(np.asarray(pixels.view.canvas.buffer_rgba())))
    assert len(pictures) == 8
    assert pixels.view.repaints - before <= 3, (
        "a change of decades paints all of it, another pixel does not"
    )


def test_a_negative_band_is_an_upper_limit_and_still_fitted(viewer, pixels, cube, qtbot):
    point(viewer, qtbot, pixels, 3, 4)
    x, y = pixels.view._artists["limits"].get_data()
    assert list(x) == [get_band("GALEX_FUV").pivot] and y[0] == pytest.approx(0.003, rel=1e-3)
    assert (
        "14 bands fitted" in pixels.fit_text.text() and "1 not positive" in pixels.fit_text.text()
    )


def test_too_few_bands_are_told_and_the_next_pixel_is_shown_again(viewer, pixels, qtbot):
    point(viewer, qtbot, pixels, 5, 7)
    point(viewer, qtbot, pixels, 2, 2)
    assert "at least three" in pixels.fit_text.text() and pixels.cells[0][1].text() == "–"
    assert len(pixels.view._artists["model"].get_ydata()) == 0
    point(viewer, qtbot, pixels, 5, 5)
    assert pixels.found is not None and len(pixels.view._artists["model"].get_ydata()) > 100


def test_a_click_holds_the_pixel_and_another_lets_it_go(viewer, workspace, pixels, qtbot):
    point(viewer, qtbot, pixels, 5, 7)
    mouse.click(viewer, sky(6, 9))
    assert (
        pixels.frozen
        and (pixels.place.row, pixels.place.column) == (6, 9)
        and "held" in pixels.fit_text.text()
    )
    layer = workspace.layers.overlays()["pixel"]
    assert layer.visible and np.asarray(layer.data[0]).mean(axis=0) == pytest.approx(
        sky(6, 9), abs=0.5
    )
    mouse.move(viewer, sky(2, 8))
    qtbot.wait(100)
    assert (pixels.place.row, pixels.place.column) == (6, 9)
    mouse.click(viewer, sky(2, 8))
    assert not pixels.frozen and not layer.visible
    point(viewer, qtbot, pixels, 8, 8)
    assert (pixels.place.row, pixels.place.column) == (8, 8)


def test_the_key_holds_the_pixel_too(viewer, pixels, qtbot):
    point(viewer, qtbot, pixels, 5, 7)
    mouse.key(viewer, Qt.Key.Key_F)
    assert pixels.frozen
    mouse.key(viewer, Qt.Key.Key_F)
    assert not pixels.frozen


def test_dragging_the_picture_holds_nothing(viewer, pixels, qtbot):
    point(viewer, qtbot, pixels, 5, 7)
    mouse.drag(viewer, sky(5, 7), sky(8, 12))
    assert not pixels.frozen


def test_nothing_is_computed_while_nobody_looks(viewer, pixels, qtbot):
    point(viewer, qtbot, pixels, 5, 7)
    panels.raise_panel(viewer, "Galaxy")
    qtbot.wait(100)
    before = pixels.updates
    for column in range(3, 12):
        mouse.move(viewer, sky(5, column))
    qtbot.wait(200)
    assert pixels.updates == before
    panels.raise_panel(viewer, "Pixel")
    qtbot.wait(100)
    point(viewer, qtbot, pixels, 9, 9)


def test_an_aperture_is_the_mean_of_its_pixels_and_follows_it(
    viewer, workspace, pixels, cube, qtbot
):
    measuring = workspace.measurements
    ra, dec = workspace.project.reference
    measuring.add([circle(ra, dec, 25.0, "core")], "one")
    pixels.where.setCurrentIndex(pixels.where.findData("core"))
    pixels.where.activated.emit(pixels.where.currentIndex())
    assert pixels.found is not None and "aperture core" in pixels.fit_text.text()
    w1 = pixels.found.bands.index("WISE_3.4")
    near = cube.data[BANDS.index("WISE_3.4"), 3:9, 5:11]
    assert near.min() < pixels.found.flux[w1] < near.max()
    first = pixels.found.flux.copy()
    measuring.exchange(0, circle(ra, dec + 20 / 3600, 25.0, "core"), "moved")
    assert not np.allclose(pixels.found.flux, first)
    measuring.delete([0])
    assert pixels.where.currentData() is None


def test_fitting_the_far_infrared_narrows_the_dust(viewer, pixels, qtbot):
    point(viewer, qtbot, pixels, 5, 7)
    low, _, high = pixels.found.properties["LOG_SIGMA_MD"]
    click(qtbot, pixels.far)
    assert "16 bands fitted" in pixels.fit_text.text()
    narrow = pixels.found.properties["LOG_SIGMA_MD"]
    assert narrow[2] - narrow[0] < high - low
    click(qtbot, pixels.far)


def test_the_maps_and_the_truth_stand_beside_it(viewer, workspace, pixels, cube, qtbot):
    plane = np.arange(SHAPE[0] * SHAPE[1], dtype="f4").reshape(SHAPE)
    flags = np.zeros(SHAPE, np.int16)
    own = PropertyMaps(
        {"T_DUST": 10 + plane / 100}, {"T_DUST": np.full(SHAPE, 1.5, "f4")}, cube.wcs, flags
    )
    take_maps(workspace, own)
    workspace.project.add_truth(
        "truth", PropertyMaps({"T_DUST": 20 + plane / 100}, {}, cube.wcs, flags), choose=True
    )
    wait_for(qtbot, lambda: idle(workspace))
    point(viewer, qtbot, pixels, 5, 7)
    assert pixels.cells[2][3].text() == f"{10 + plane[5, 7] / 100:.1f} ± 1.5"
    assert pixels.cells[2][4].text() == f"{20 + plane[5, 7] / 100:.1f}"


def test_an_absurd_redshift_is_told(viewer, workspace, pixels, qtbot):
    workspace.project.set_recipe("galaxy", redshift=0.55)
    assert "redshift of 0.55" in pixels.message.text()
    workspace.project.set_recipe("galaxy", redshift=0.002)
    wait_for(qtbot, lambda: idle(workspace) and workspace.spectra.ready())
    assert pixels.message.text() == ""


def test_cancelled_model_spectra_are_made_when_asked_for(viewer, workspace, pixels, qtbot):
    line = line_of(pixels)
    workspace.project.set_recipe("sed", n_models=400_000)
    wait_for(
        qtbot, lambda: workspace.runner.job is not None and workspace.runner.job.title == TITLE
    )
    wait_for(qtbot, lambda: workspace.runner.job.last is not None)
    wait_for(qtbot, line.cancel.isVisible)
    click(qtbot, line.cancel)
    wait_for(qtbot, lambda: idle(workspace))
    qtbot.wait(100)
    assert (
        workspace.runner.job is None
        and not workspace.spectra.ready()
        and pixels.make_button.isVisible()
    )
    workspace.project.set_recipe("sed", n_models=MODELS)
    wait_for(qtbot, lambda: idle(workspace) and workspace.spectra.ready())


def test_without_bands_it_says_so(viewer, workspace, qtbot):
    panels.open_all(viewer)
    panels.raise_panel(viewer, "Pixel")
    qtbot.wait(50)
    assert "Prepare or Predict" in panel(viewer, "Pixel").message.text()
