"""The window when the panels first open: large, most of it the galaxy's, and nothing on the canvas
over anything else.
"""

import numpy as np
import pytest
from qtpy.QtCore import QSize
from qtpy.QtWidgets import QScrollArea

from napari_galaxy_maps.plugin.canvas.galaxy_view import show_galaxy
from napari_galaxy_maps.plugin.ground import viewers
from napari_galaxy_maps.plugin.ground.layer_specs import Key, map_specs
from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.plugin.manifest import window_layout

from .conftest import idle, wait_for

pytestmark = pytest.mark.window


def window_of(viewer):
    return viewer.window._qt_window


def settle_at(qtbot, viewer, size):
    window_of(viewer).resize(size)
    qtbot.wait(50)


def test_a_window_of_naparis_own_size_is_made_large_once(viewer, qtbot):
    window = window_of(viewer)
    settle_at(qtbot, viewer, window.sizeHint())
    panels.panel(viewer, "Galaxy")  # one alone leaves it as it is
    assert window.size() == window_layout._OPENED[viewer]
    panels.open_all(viewer)
    qtbot.wait(50)
    room = window.screen().availableGeometry()
    assert 0.85 <= window.width() / room.width() <= 0.95
    assert 0.85 <= window.height() / room.height() <= 0.95
    assert room.contains(window.frameGeometry())
    dock = panels.dock_of(panels.panel(viewer, "Galaxy"))
    assert dock.width() <= 0.3 * window.width()
    assert viewer.window._qt_viewer.canvas.native.width() > 0.45 * window.width()
    settle_at(qtbot, viewer, QSize(1200, 700))
    panels.open_all(viewer)
    assert window.size() == QSize(1200, 700), "once"


def test_a_window_that_somebody_has_sized_stays_and_panels_take_their_share(viewer, qtbot):
    window = window_of(viewer)
    settle_at(qtbot, viewer, QSize(1152, 720))
    panels.open_all(viewer)
    qtbot.wait(50)
    assert window.size() == QSize(1152, 720)
    assert panels.dock_of(panels.panel(viewer, "Galaxy")).width() <= 0.3 * 1152
    for name in panels.PANELS:
        panels.raise_panel(viewer, name)
        qtbot.wait(20)
        area = panels.panel(viewer, name).findChild(QScrollArea)
        bar = area.horizontalScrollBar()
        qtbot.waitUntil(lambda bar=bar: bar.maximum() <= 12, timeout=3000)  # once laid out


def test_a_maximised_window_stays(viewer, qtbot):
    window = window_of(viewer)
    window.showMaximized()
    qtbot.wait(50)
    size = window.size()
    panels.open_all(viewer)
    assert window.isMaximized() and window.size() == size


def boxes_on_the_canvas(viewer, layer):
    """Left, top, right and bottom of caption, colour bar and scale bar, in pixels."""
    canvas = viewer.window._qt_viewer.canvas
    canvas._update_overlay_canvas_positions()
    overlays = viewer.canvas.overlays
    visuals = {
        "caption": canvas._viewer_overlay_to_visual[overlays.text][0],
        "scale bar": canvas._viewer_overlay_to_visual[overlays.scale_bar][0],
        "colour bar": viewers.colour_bar(viewer, layer),
    }
    boxes = {}
    for name, visual in visuals.items():
        x, y = visual.node.transform.translate[:2]
        boxes[name] = (x, y, x + visual.x_size, y + visual.y_size)
    return boxes


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@pytest.mark.parametrize("size", [(1600, 950), (1280, 800), (1000, 700)])
def test_caption_and_bars_never_lie_over_each_other(viewer, workspace, qtbot, maps, size):
    settle_at(qtbot, viewer, QSize(*size))
    panels.open_all(viewer)
    for spec in map_specs(maps, workspace.project.place(maps), view="residual"):
        workspace.layers.show(spec)
    key = Key("map", "LOG_SIGMA_MD")
    workspace.layers.focus(key)
    layer = workspace.layers.layer(key)
    words = "dust mass, prediction minus truth"
    wait_for(qtbot, lambda: idle(workspace) and viewer.canvas.overlays.text.visible)
    layer.contrast_limits = (-0.12345, 0.12345)  # long labels, a wide bar
    workspace.layers._legend.later()
    wait_for(qtbot, lambda: idle(workspace))
    boxes = boxes_on_the_canvas(viewer, layer)
    names = list(boxes)
    for i, one in enumerate(names):
        assert boxes[one][0] >= 0 and boxes[one][2] <= viewer.canvas.size[1], one
        for other in names[i + 1 :]:
            assert not overlap(boxes[one], boxes[other]), (one, other, boxes)
    assert viewer.canvas.overlays.text.text.replace("\n", " ").startswith(words)


@pytest.mark.parametrize(
    ("galaxy", "seen"),
    [
        ({"ra": 150.0, "dec": 2.0, "d25": 0.5}, 0.5 * 60 * 1.4),
        ({}, None),
        ({"ra": 150.0, "dec": 2.0, "d25": 300.0}, None),
        ({"ra": 151.0, "dec": 2.0, "d25": 0.5}, None),
    ],
    ids=["known", "unknown", "larger than the image", "elsewhere"],
)
def test_the_camera_is_on_the_galaxy_once_its_images_come(
    viewer, workspace, qtbot, galaxy_folder, galaxy, seen
):
    panels.open_all(viewer)
    if galaxy:
        workspace.project.set_recipe("galaxy", **galaxy)
    workspace.opener.add_paths([galaxy_folder({"WISE_3.4": 30.0})])
    qtbot.wait(50)
    wait_for(qtbot, lambda: idle(workspace))
    camera, _ = viewers.camera_and_scale_bar(viewer)
    height = min(viewer.canvas.size) / camera.zoom
    if seen is not None:
        assert height == pytest.approx(seen, rel=0.05)
        return
    zoom = camera.zoom
    workspace.layers.fit(Key("image", "WISE_3.4"))
    assert camera.zoom == pytest.approx(zoom)


def test_without_layers_or_a_window_there_is_nothing_to_show(viewer, workspace):
    camera, _ = viewers.camera_and_scale_bar(viewer)
    before = camera.zoom
    show_galaxy(workspace.layers, workspace.project)
    assert camera.zoom == before
    viewers.look_closer(viewer, np.zeros(2), np.zeros(2))
    assert camera.zoom == before
