"""Doubtful pixels are hatched where the flags say so and nowhere else, whatever is done to the
layers.
"""

from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QPoint, Qt

from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.plugin.canvas.doubtful_pixels import strokes_of
from napari_galaxy_maps.plugin.ground import hatching
from napari_galaxy_maps.plugin.ground.hatching import FALLING, RISING, strokes_on
from napari_galaxy_maps.plugin.ground.layer_specs import shown_in
from napari_galaxy_maps.plugin.ground.viewers import (
    camera_and_scale_bar,
    caption_room,
    text_overlay,
)
from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.plugin.workspace import workspace_of

from ..conftest import tan_wcs
from . import mouse
from .conftest import idle, map_key, map_layer, take_maps, wait_for

SHAPE = (30, 40)
WORDS = r"hatched: 10% unlike the training (\\\), 10% faint (///)"


def doubted(maps, unlike=np.s_[4:10, 5:25], faint=np.s_[7:13, 15:35], **others):
    """The maps with flags of their own: by default a tenth unlike the training, a tenth faint, and
    30 pixels both.
    """
    flags = np.zeros(maps.shape, np.int16)
    flags[unlike] |= Flag.OUT_OF_DISTRIBUTION
    flags[faint] |= Flag.FAINT
    return replace(maps, flags=flags, **others)


# Which pixels ------------------------------------------------------------------------------------


def test_strokes_fall_where_unlike_the_training_and_rise_where_faint(maps):
    maps = doubted(maps)
    strokes = strokes_of(maps.flags, maps.values["T_DUST"])
    assert strokes.pixels.dtype == np.uint8, "a byte a pixel"
    assert strokes.pixels[5, 6] == FALLING and strokes.pixels[12, 30] == RISING
    assert strokes.pixels[8, 20] == FALLING | RISING and strokes.pixels[0, 0] == 0
    assert strokes_of(maps.flags, maps.values["T_DUST"]) is strokes, "all maps share them"


def test_a_pixel_without_a_value_has_nothing_to_be_doubted(maps):
    maps = doubted(maps)
    values = maps.values["T_DUST"].copy()
    values[5, 6:9] = np.nan
    strokes = strokes_of(maps.flags, values)
    assert not strokes.pixels[5, 6:9].any() and strokes.pixels[5, 9] == FALLING
    assert strokes_of(maps.flags, maps.values["T_DUST"]).pixels[5, 6] == FALLING


def test_flags_of_other_kinds_are_not_hatched_and_strokes_go_with_the_flags():
    from napari_galaxy_maps.plugin.canvas import doubtful_pixels

    harmless = int(~(Flag.OUT_OF_DISTRIBUTION | Flag.FAINT | Flag.NO_MODEL_FITS) & 0x7FFF)
    flags = np.full((3, 4), harmless, np.int16)
    assert strokes_of(flags, np.ones((3, 4))) is None
    truth = np.full((3, 4), Flag.NO_MODEL_FITS, np.int16)
    assert (strokes_of(truth, np.ones((3, 4))).pixels == FALLING).all()
    assert strokes_of(truth, np.ones((4, 4))) is None, "of other pixels"
    known = id(flags)
    assert known in doubtful_pixels._BUILT
    del flags
    assert known not in doubtful_pixels._BUILT


# On the canvas -----------------------------------------------------------------------------------


@pytest.fixture
def own(empty_window, qtbot):
    """The workspace of the module's window, without words or bars over the maps."""
    own = workspace_of(empty_window)
    own.layers.doubtful.switch(True)
    yield own
    own.layers.doubtful.switch(True)


def show(own, qtbot, maps, name="T_DUST", zoom=1.0):
    """Let the window have a result and look at one of its maps, whole; gives the layer."""
    take_maps(own, maps)
    own.project.maps_changed.emit()
    own.views.look(name)
    own.layers.fit(map_key(own, name))
    camera, _ = camera_and_scale_bar(own.layers.viewer)
    camera.zoom *= zoom
    wait_for(qtbot, lambda: idle(own))
    return map_layer(own, name)


def picture(own):
    """The canvas without caption and bars, (ny, nx, 3)."""
    viewer = own.layers.viewer
    _, scale_bar = camera_and_scale_bar(viewer)
    over = [text_overlay(viewer), scale_bar, *(layer.colorbar for layer in viewer.layers)]
    before = [overlay.visible for overlay in over]
    for overlay in over:
        overlay.visible = False
    taken = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    for overlay, visible in zip(over, before, strict=True):
        overlay.visible = visible
    return taken


def hatched(own):
    """Which pixels of the canvas the hatching changes, (ny, nx)."""
    with_it = picture(own)
    own.layers.doubtful.switch(False)
    without = picture(own)
    own.layers.doubtful.switch(True)
    return np.abs(with_it - without).max(axis=-1) > 8


def pixels_of(own, layer, canvas_shape):
    """Row and column, not rounded, of a layer at each pixel of the canvas, (2, ny, nx)."""
    camera, _ = camera_and_scale_bar(own.layers.viewer)
    ny, nx = canvas_shape
    rows, columns = np.mgrid[:ny, :nx]
    north = camera.center[-2] - (rows + 0.5 - ny / 2) / camera.zoom
    west = camera.center[-1] + (columns + 0.5 - nx / 2) / camera.zoom
    matrix = np.linalg.inv(np.asarray(layer.affine.affine_matrix)[-3:, -3:])
    return (
        np.einsum("ij,jyx->iyx", matrix[:2, :2], np.stack([north, west]))
        + matrix[:2, 2, None, None]
    )


def shares(own, layer):
    """Which share of each map pixel's place on the canvas is changed by the hatching, (ny, nx);
    NaN where it is not in sight. The outermost half pixel of the canvas is left out of each.
    """
    changed = hatched(own)
    rows, columns = pixels_of(own, layer, changed.shape)
    ny, nx = layer.data.shape
    i, j = np.round(rows).astype(int), np.round(columns).astype(int)
    camera, _ = camera_and_scale_bar(own.layers.viewer)
    edge = 0.5 - 1 / (camera.zoom * 4)  # the map's pixels are of 4 arcsec
    inner = (np.abs(rows - i) < edge) & (np.abs(columns - j) < edge)
    outside = (i < 0) | (j < 0) | (i >= ny) | (j >= nx)
    assert not (changed & outside & inner).any(), "nothing beyond the map is hatched"
    inside = inner & ~outside
    count, hits = np.zeros((ny, nx)), np.zeros((ny, nx))
    np.add.at(count, (i[inside], j[inside]), 1)
    np.add.at(hits, (i[inside], j[inside]), changed[inside])
    with np.errstate(invalid="ignore"):
        return hits / count


@pytest.mark.window
@pytest.mark.parametrize(("zoom", "colours"), [(1.0, "gray"), (1.0, "inferno"), (4.0, "viridis")])
def test_the_canvas_differs_where_flags_say_and_nowhere_else(own, qtbot, maps, zoom, colours):
    maps = doubted(maps)
    layer = show(own, qtbot, maps, zoom=zoom)
    layer.colormap = colours
    share = shares(own, layer)
    seen = np.isfinite(share)
    doubtful = (maps.flags & (Flag.OUT_OF_DISTRIBUTION | Flag.FAINT)) != 0
    assert seen.sum() > 50 and (seen & doubtful).any()
    assert (share[seen & doubtful] > 0.15).all(), "every doubtful pixel in sight is hatched"
    assert (share[seen & ~doubtful] == 0).all(), "and no other one"


@pytest.mark.window
@pytest.mark.parametrize(
    ("level", "theme"), [(0.0, "dark"), (0.5, "light"), (1.0, "dark"), (1.0, "light")]
)
def test_strokes_stand_out_on_the_darkest_and_the_brightest_colour(own, qtbot, maps, level, theme):
    viewer = own.layers.viewer
    viewer.theme = theme
    flat = {name: np.full(SHAPE, 18 + level, "f4") for name in maps.values}
    layer = show(own, qtbot, doubted(maps, values=flat))
    layer.colormap = "gray"
    layer.contrast_limits = (18, 19)
    with_it = picture(own)
    own.layers.doubtful.switch(False)
    without = picture(own)
    viewer.theme = "dark"
    rows, columns = pixels_of(own, layer, without.shape[:2])
    there = (np.abs(rows - 6) < 2) & (np.abs(columns - 9) < 4)
    difference = (with_it - without)[there].max(axis=-1), (with_it - without)[there].min(axis=-1)
    strongest = max(np.percentile(difference[0], 95), -np.percentile(difference[1], 5))
    assert strongest > 90, "of 255"
    typical = np.median(np.abs(with_it - without)[there])
    assert typical < 45, "the map's own colour is seen between the strokes"


@pytest.mark.window
def test_strokes_are_as_wide_on_the_screen_however_near_the_camera_is(own, qtbot, maps):
    whole = doubted(maps, unlike=np.s_[:, :], faint=np.s_[:0])
    layer = show(own, qtbot, whole)
    layer.contrast_limits = (30, 90)  # dark
    counts = []
    for zoom in (1.0, 2.0, 3.0):
        camera, _ = camera_and_scale_bar(own.layers.viewer)
        camera.zoom *= zoom
        taken = picture(own)
        rows, columns = pixels_of(own, layer, taken.shape[:2])
        middle = len(taken) // 2
        inside = (np.abs(rows[middle] - 15) < 14) & (np.abs(columns[middle] - 20) < 19)
        bright = taken[middle][inside].min(axis=-1) > 180
        starts = np.count_nonzero(bright[1:] & ~bright[:-1])
        counts.append(inside.sum() / starts)
    assert np.allclose(counts, 10 * np.sqrt(2), rtol=0.15), "pixels from stroke to stroke"


@pytest.mark.window
def test_no_layer_is_added_and_what_is_selected_stays_so(own, qtbot, maps):
    layer = show(own, qtbot, doubted(maps))
    viewer = own.layers.viewer
    assert strokes_on(layer) is not None
    assert all(shown_in(each) for each in viewer.layers)
    before = list(viewer.layers)
    own.layers.doubtful.switch(False)
    assert strokes_on(layer) is None
    own.layers.doubtful.switch(True)
    assert list(viewer.layers) == before and viewer.layers.selection.active is layer


@pytest.mark.window
def test_hatching_follows_new_maps_and_the_other_views(own, qtbot, maps):
    maps = doubted(maps)
    layer = show(own, qtbot, maps)
    result = own.project.result
    other = doubted(maps, unlike=np.s_[20:26, 5:25], faint=np.s_[:0])
    before = own.views.looked_at
    result.replace(other, None, None)
    own.views.show_fresh(result, before)
    wait_for(qtbot, lambda: idle(own))
    assert map_layer(own, "T_DUST") is layer
    assert np.array_equal(strokes_on(layer).pixels > 0, other.flags > 0)
    own.views.look("T_DUST", "error")
    wait_for(qtbot, lambda: idle(own))
    assert shown_in(layer).view == "error" and strokes_on(layer) is not None
    flags = np.zeros(SHAPE, np.int16)
    flags[0] = Flag.NO_MODEL_FITS
    truth = PropertyMaps(maps.values, {}, maps.wcs, flags)
    own.project.add_truth("truth", truth, choose=True)
    own.views.look("T_DUST", "truth")
    wait_for(qtbot, lambda: idle(own))
    assert np.array_equal(strokes_on(layer).pixels > 0, flags > 0), "a truth has doubts of its own"
    own.views.look("T_DUST", "map")
    wait_for(qtbot, lambda: idle(own))
    assert np.array_equal(strokes_on(layer).pixels > 0, other.flags > 0)
    result.replace(replace(other, flags=np.zeros(SHAPE, np.int16)), None, None)
    own.views.show_fresh(result, before)
    wait_for(qtbot, lambda: idle(own))
    assert strokes_on(layer) is None


@pytest.mark.window
def test_layers_that_are_renamed_deleted_doubled_or_made_again_are_hatched(own, qtbot, maps):
    layer = show(own, qtbot, doubted(maps))
    viewer = own.layers.viewer
    layer.name = "mine"
    own.views.look("LOG_SMD")
    wait_for(qtbot, lambda: idle(own))
    own.views.look("T_DUST")
    wait_for(qtbot, lambda: idle(own))
    assert map_layer(own, "T_DUST") is layer and strokes_on(layer) is not None
    viewer.layers.remove(layer)
    own.views.look("T_DUST")
    wait_for(qtbot, lambda: idle(own))
    again = map_layer(own, "T_DUST")
    assert again is not layer and strokes_on(again) is not None
    viewer.layers.selection = {again}
    viewer.layers[:] = [*viewer.layers, type(again).create(*again.as_layer_data_tuple())]
    wait_for(qtbot, lambda: idle(own))
    assert strokes_on(viewer.layers[-1]) is not None
    own.close_result(own.project.result)
    assert not own.project.results


@pytest.mark.window
def test_both_sides_are_hatched_and_the_caption_tells_of_both(own, qtbot, maps):
    first = take_maps(own, doubted(maps, faint=np.s_[:0]), "first")
    second = take_maps(own, doubted(maps, unlike=np.s_[:0]), "second")
    own.project.maps_changed.emit()
    own.compare_results(first, second)
    wait_for(qtbot, lambda: idle(own))
    on = [layer for layer in own.layers.viewer.layers if layer.visible]
    assert [strokes_on(layer).pixels.max() for layer in on] == [FALLING, RISING]
    caption = shown_in(on[-1]).caption_with(own.layers.doubtful.strokes)
    assert "left: first (10% unlike the training), right: second (10% faint)" in caption
    assert caption.endswith(r"hatched: unlike the training (\\\), faint (///)") or caption.endswith(
        r"hatched: faint (///), unlike the training (\\\)"
    )
    for layer, share in zip(on, ("10% unlike the training", "10% faint"), strict=True):
        place = layer.data_to_world((1, 1))
        assert on[-1].get_status(place, world=True)["coordinates"].endswith(f"galaxy {share}")
    own.side_by_side.end()


@pytest.mark.window
def test_three_dimensions_and_turned_axes_do_no_harm(own, qtbot, maps):
    maps = doubted(maps)
    layer = show(own, qtbot, maps)
    viewer = own.layers.viewer
    viewer.dims.ndisplay = 3
    qtbot.wait(50)
    own.layers.doubtful.switch(False)
    own.layers.doubtful.switch(True)
    qtbot.wait(50)
    viewer.dims.ndisplay = 2
    own.layers.fit(map_key(own, "T_DUST"))
    assert shares(own, layer)[8, 20] > 0.15
    viewer.dims.transpose()
    qtbot.wait(50)
    own.layers.fit(map_key(own, "T_DUST"))
    drawn = viewer.window._qt_viewer.canvas._layer_overlay_to_visual[layer]
    node = next(each.node for each in drawn.values() if hasattr(each.node, "set_pixels"))
    assert node._pixels.shape == SHAPE[::-1] and node.visible
    viewer.dims.transpose()
    assert node._pixels.shape == SHAPE


@pytest.mark.window
def test_an_image_larger_than_a_texture_is_hatched_in_the_same_places(
    own, qtbot, maps, monkeypatch
):
    monkeypatch.setattr(hatching, "_LARGEST", 16)  # every third pixel is taken
    layer = show(own, qtbot, doubted(maps))
    share = shares(own, layer)
    assert (share[6:8, 8:14] > 0.15).all()
    assert (share[15:] == 0).all() and (share[:, :3] == 0).all()


@pytest.mark.window
def test_a_map_of_four_million_pixels_costs_a_byte_a_pixel_once(own, qtbot):
    shape = (2000, 2000)
    plane = np.linspace(15, 25, 2000, dtype="f4") * np.ones((2000, 1), "f4")
    flags = np.where(plane > 20, np.int16(Flag.FAINT), np.int16(0))
    values = {"T_DUST": plane, "LOG_SMD": plane - 20}
    large = PropertyMaps(values, {}, tan_wcs(shape, 0.1), flags, {"model": "dust-forest"})
    first = show(own, qtbot, large)
    strokes = strokes_on(first)
    assert strokes.pixels.nbytes == 4_000_000
    own.views.look("LOG_SMD")
    wait_for(qtbot, lambda: idle(own))
    assert strokes_on(map_layer(own, "LOG_SMD")) is strokes


def test_without_a_window_nothing_is_drawn(maps):
    viewer = ViewerModel()
    own = workspace_of(viewer)
    take_maps(own, doubted(maps))
    own.views.look("T_DUST")
    own.layers.doubtful.switch(False)
    layer = map_layer(own, "T_DUST")
    assert layer is not None and strokes_on(layer) is None


# In words ----------------------------------------------------------------------------------------


@pytest.mark.window
def test_the_caption_tells_what_strokes_mean_and_the_status_bar_the_shares(own, qtbot, maps):
    layer = show(own, qtbot, doubted(maps))
    text = text_overlay(own.layers.viewer)
    assert WORDS in text.text.replace("\n", " ")
    status = layer.get_status(layer.data_to_world((5, 6)), world=True)["coordinates"]
    assert "unlike anything the model was trained on" in status, "of the pixel"
    assert status.endswith("of the galaxy 10% unlike the training, 10% faint")
    assert "faint" in layer.get_status(layer.data_to_world((0, 0)), world=True)["coordinates"]
    own.layers.doubtful.switch(False)
    wait_for(qtbot, lambda: idle(own))
    assert "10% unlike the training, 10% faint" in text.text.replace("\n", " ")
    assert "hatched" not in text.text


@pytest.mark.window
def test_a_caption_is_drawn_no_wider_than_it_is_taken_for(own, qtbot, maps):
    viewer = own.layers.viewer
    layer = show(own, qtbot, doubted(maps), zoom=0.2)
    width, room = caption_room(viewer, layer)
    layer.colorbar.visible = False
    top = viewer.screenshot(canvas_only=True, flash=False)[:30, :, :3].max(axis=(0, 2))
    layer.colorbar.visible = True
    drawn = np.flatnonzero(top > 100)
    assert 0.9 * width < drawn.max() - drawn.min() < width <= room, "so that it ends before the bar"


def test_what_is_hatched_is_told_however_little_it_is(maps):
    from napari_galaxy_maps.plugin.canvas.doubtful_pixels import STROKES
    from napari_galaxy_maps.plugin.ground.layer_specs import map_specs

    def caption(view, strokes):
        (spec,) = map_specs(maps, (150.0, 2.0), view=view, names=["T_DUST"])
        return spec.shown.caption_with(strokes)

    few = r"hatched: <1% unlike the training (\\\)"
    assert caption("map", STROKES).endswith(few) and "unlike" not in caption("map", {})
    assert caption("residual", STROKES).endswith(few) and "unlike" not in caption("residual", {})


# The switch --------------------------------------------------------------------------------------


@pytest.mark.window
def test_a_box_and_a_key_switch_it_and_both_show_how_it_is(own, qtbot, maps):
    viewer = own.layers.viewer
    panels.open_all(viewer)
    panels.raise_panel(viewer, "Inspect")
    layer = show(own, qtbot, doubted(maps))
    box = panels.panel(viewer, "Inspect").hatch
    assert box.isChecked() and "Alt+5" in box.toolTip()
    on_its_words = QPoint(20, box.height() // 2)
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=on_its_words)
    assert not own.layers.doubtful.on and strokes_on(layer) is None
    mouse.canvas(viewer).setFocus()
    mouse.key(viewer, Qt.Key.Key_5, Qt.KeyboardModifier.AltModifier)
    assert own.layers.doubtful.on and strokes_on(layer) is not None and box.isChecked()


@pytest.mark.window
def test_a_session_keeps_the_switch(own, qtbot, galaxy_folder, maps, tmp_path):
    own.opener.add_paths([galaxy_folder({"WISE_3.4": 30.0})])
    wait_for(qtbot, lambda: own.project.galaxy is not None and idle(own))
    own.layers.doubtful.switch(False)
    path = tmp_path / "one.galaxymaps"
    own.sessions.save(path)
    wait_for(qtbot, lambda: own.sessions.folder == path and idle(own))
    own.layers.doubtful.switch(True)
    own.sessions.open(path)
    wait_for(qtbot, lambda: not own.layers.doubtful.on and idle(own))
