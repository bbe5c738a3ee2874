"""Fixtures of the window: a real viewer under a display, made-up images and maps, patience with the
event loop.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from napari_galaxy_maps.bands.registry import get_band
from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.galaxy import BandImage
from napari_galaxy_maps.data.maps import PropertyMaps

from ..conftest import tan_wcs

# What windows save by themselves goes into a folder of the tests' own.
os.environ["GALAXY_MAPS_STATE"] = tempfile.mkdtemp(prefix="galaxy-maps-state-")
PATIENCE = 240
"""Seconds; the limit of a test is longer."""
HAS_DISPLAY = bool(
    os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
) or sys.platform in (
    "win32",
    "darwin",
)


@pytest.fixture(autouse=True)
def _needs_a_display(request: pytest.FixtureRequest) -> None:
    """Skip what opens a window where there is no display; CI has Xvfb."""
    if request.node.get_closest_marker("window") and not HAS_DISPLAY:
        pytest.skip("needs a display (run under xvfb-run)")


@pytest.fixture
def image() -> Callable[..., BandImage]:
    """Makes a small image of a round source on a noisy sky."""

    def make(
        band: str = "WISE_3.4", pixel: float = 1.375, shape: tuple[int, int] = (60, 80), **keywords
    ) -> BandImage:
        wcs_keywords = {k: keywords.pop(k) for k in ("ra", "dec", "rotation") if k in keywords}
        y, x = np.mgrid[: shape[0], : shape[1]]
        data = 10 * np.exp(-np.hypot(x - (shape[1] - 1) / 2, y - (shape[0] - 1) / 2) / 8)
        data += np.random.default_rng(3).normal(1, 0.05, shape)
        wcs = tan_wcs(shape, pixel, **wcs_keywords)
        return BandImage(data.astype("f4"), get_band(band), wcs, fwhm=6.1, **keywords)

    return make


@pytest.fixture
def maps() -> PropertyMaps:
    """Maps of three properties with errors, two flagged pixels and one without a value."""
    shape = (30, 40)
    _, x = np.mgrid[: shape[0], : shape[1]]
    slope = (x / shape[1]).astype("f4")
    values = {"LOG_SMD": slope - 3.5, "T_DUST": 20 + 5 * slope, "LOG_SIGMA_MD": 4 + slope}
    errors = {name: np.full(shape, 0.31, "f4") for name in values}
    flags = np.zeros(shape, np.int16)
    flags[2, 3] = Flag.OUT_OF_DISTRIBUTION | Flag.EDGE
    values["LOG_SMD"][5, 5] = np.nan
    flags[5, 5] = Flag.MASKED
    provenance = {
        "object": "NGC 309",
        "recipe": '[model]\nname = "dust-forest"\n',
        "model": "dust-forest",
    }
    return PropertyMaps(values, errors, tan_wcs(shape, 4.0), flags, provenance)


@pytest.fixture
def viewer(qtbot) -> Iterator:
    """A napari window, shown."""
    import napari

    viewer = napari.Viewer(show=True)
    viewer.window.resize(1500, 900)
    yield viewer
    from napari_galaxy_maps.plugin.workspace import workspace_of

    job = workspace_of(viewer).runner.job
    if job is not None:
        job.cancel()
        wait_for(qtbot, lambda: workspace_of(viewer).runner.job is None)
    viewer.close()


@pytest.fixture(scope="module")
def one_window() -> Iterator:
    """A window for all tests of a module, which share nothing else; opening one takes two
    seconds.
    """
    if not HAS_DISPLAY:
        pytest.skip("needs a display (run under xvfb-run)")
    import napari

    viewer = napari.Viewer(show=True)
    viewer.window.resize(1500, 900)
    yield viewer
    viewer.close()


@pytest.fixture
def empty_window(one_window, qtbot) -> Iterator:
    """The module's window without files, settings or layers; its panels stay open."""
    from napari_galaxy_maps.plugin.workspace import workspace_of

    own = workspace_of(one_window)
    yield one_window
    start_over(own)
    wait_for(qtbot, lambda: idle(own))
    one_window.layers.clear()
    start_over(own)


@pytest.fixture
def workspace(viewer):
    """The workspace of the window."""
    from napari_galaxy_maps.plugin.workspace import workspace_of

    return workspace_of(viewer)


@pytest.fixture
def notifications() -> Iterator[list]:
    """The notifications that a person got during the test."""
    from napari.utils.notifications import notification_manager

    before = len(notification_manager.records)

    class Notifications(list):
        def __iter__(self):
            return iter(notification_manager.records[before:])

        def __len__(self) -> int:
            return len(notification_manager.records[before:])

        def __repr__(self) -> str:
            return repr([n.message for n in self])

        def any(self, *words: str) -> bool:
            """Whether one notification holds all the words."""
            return any(all(word in str(n.message) for word in words) for n in self)

    yield Notifications()


@pytest.fixture
def opening(viewer, workspace, qtbot, monkeypatch, galaxy_folder):
    """Opens bands with all panels, Predict in front; gives back the panel."""
    from napari_galaxy_maps.data.recipe import Recipe
    from napari_galaxy_maps.plugin.manifest import docks as panels
    from napari_galaxy_maps.plugin.widgets.forms import is_seen

    from .test_panels import add_folder, panel

    def open_bands(bands, change=lambda folder: None, **recipe):
        panels.open_all(viewer)
        workspace.project.set_whole_recipe(Recipe(**recipe))
        folder = galaxy_folder(bands)
        change(folder)
        add_folder(qtbot, monkeypatch, viewer, workspace, folder)
        panels.raise_panel(viewer, "Predict")
        predict = panel(viewer, "Predict")
        predict.card_button.setChecked(False)
        predict.show_card(False)
        wait_for(qtbot, lambda: is_seen(predict.model) and predict.model.count() > 0)
        return predict

    return open_bands


def wait_for(qtbot, condition: Callable[[], bool]) -> None:
    """Let the event loop run until something is so; the first time that stars are fitted on a new
    machine, compiling takes a minute and more.
    """
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came to pass"
        qtbot.wait(20)


def line_of(panel):
    """The line of a panel that says what is under way, and says it at once: the work of a test is
    often over before the line's patience is.
    """
    panel.job_line._soon.setInterval(0)
    return panel.job_line


def take_maps(workspace, maps, label="dust-forest"):
    """Let a workspace have a result, as after a prediction; gives it back."""
    from napari_galaxy_maps.plugin.state.results import Result

    project = workspace.project
    recipe = project.recipe.model_copy(deep=True)
    return project.add_result(Result(label, maps, recipe, project.checksums))


def map_key(workspace, name):
    """The key of the layer that shows a property of the result that is looked at."""
    from napari_galaxy_maps.plugin.canvas.map_views import key_of

    return key_of(workspace.project.result, name)


def map_layer(workspace, name):
    """That layer, or None."""
    return workspace.layers.layer(map_key(workspace, name))


def start_over(workspace) -> None:
    """Close all galaxies."""
    for galaxy in list(workspace.galaxies.all):
        workspace.galaxies.close(galaxy)


def idle(workspace) -> bool:
    """Whether nothing is under way in a workspace."""
    return not workspace.busy


def canvas_is_painted(viewer) -> bool:
    """Whether the canvas shows anything at all."""
    picture = viewer.screenshot(canvas_only=True, flash=False)
    return float(picture[..., :3].std()) > 2
