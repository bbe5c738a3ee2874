"""Large images are drawn from coarser levels, and everything else still works on their own
pixels.
"""

from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers._multiscale_data import MultiScaleData

from napari_galaxy_maps.plugin.canvas import status_bar
from napari_galaxy_maps.plugin.canvas.side_by_side import extent_of
from napari_galaxy_maps.plugin.ground import pyramids
from napari_galaxy_maps.plugin.ground.layer_specs import image_spec, shown_in
from napari_galaxy_maps.plugin.ground.viewers import camera_and_scale_bar, text_overlay
from napari_galaxy_maps.plugin.manifest import readers
from napari_galaxy_maps.plugin.state.sparing import _nbytes
from napari_galaxy_maps.plugin.workspace import workspace_of

from ..conftest import tan_wcs, write_image
from .conftest import canvas_is_painted, idle, wait_for
from .mouse import pixel

REFERENCE = (150.0, 2.0)


@pytest.fixture
def few_are_large(monkeypatch):
    """Images of more than 40 pixels have levels, down to 10."""
    monkeypatch.setattr(pyramids, "LARGE", 40)
    monkeypatch.setattr(pyramids, "COARSEST", 10)


# The levels --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(8, 12), (7, 5), (600, 4), (1, 6)])
def test_a_level_holds_the_means_of_blocks(shape):
    data = np.random.default_rng(1).normal(size=shape).astype("f4")
    level = pyramids.halved(data)
    assert level.shape == (-(-shape[0] // 2), -(-shape[1] // 2))
    assert level.dtype == np.float32
    for row, column in np.ndindex(level.shape):
        block = data[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        assert level[row, column] == pytest.approx(block.mean(dtype=float), abs=1e-6)


def test_pixels_without_a_value_are_left_out_and_spoil_nothing():
    data = np.full((6, 6), 2.0, "f4")
    data[0, :3] = data[2:4, 2:4] = np.nan
    level = pyramids.halved(data)
    assert np.isnan(level[1, 1]), "none of its pixels has a value"
    level[1, 1] = 2
    assert np.all(level == 2)


def test_levels_go_down_to_a_thumbnail_and_the_image_stays_as_it_is(few_are_large):
    data = np.random.default_rng(1).normal(size=(50, 84)).astype("f4")
    before = data.copy()
    levels = pyramids.levels_of(data)
    assert [level.shape for level in levels] == [(25, 42), (13, 21), (7, 11), (4, 6)]
    assert np.array_equal(data, before)
    assert pyramids.levels_of(data[:40, :40]) == ()


def test_levels_are_made_once_counted_and_gone_with_the_image(few_are_large):
    data = np.ones((64, 64), "f4")
    levels = pyramids.levels_of(data)
    assert pyramids.levels_of(data) is levels
    assert _nbytes(data, set()) == data.nbytes + sum(level.nbytes for level in levels)
    known = id(data)
    del data
    assert known not in pyramids._BUILT


# Layers ------------------------------------------------------------------------------------------


def large_and_small(image):
    """The same band in two sizes, on the same pixels of the sky."""
    return image(shape=(60, 80)), image(shape=(30, 40))


def test_a_large_image_has_levels_of_which_the_first_is_its_own(few_are_large, image):
    large, small = large_and_small(image)
    data, attributes, kind = image_spec(large, REFERENCE).as_layer_data()
    assert data[0] is large.data and len(data) == 4 and kind == "image"
    assert attributes["multiscale"]
    data, attributes, _ = image_spec(small, REFERENCE).as_layer_data()
    assert data is small.data and not attributes["multiscale"]


def test_the_status_bar_tells_the_value_of_the_pixel_itself(few_are_large, image):
    workspace = workspace_of(viewer := ViewerModel())
    large, _ = large_and_small(image)
    large.data[20, 31] = 77.7
    layer = workspace.layers.show(image_spec(large, workspace.project.place(large)))
    assert layer.multiscale and layer in viewer.layers
    place = layer.data_to_world((20, 31))
    for level in (0, len(layer.data) - 1):
        layer.locked_data_level = level
        assert status_bar.layer_text(layer, place) == "WISE_3.4  77.7 MJy/sr"
        assert "77.7" in layer.get_status(place, world=True)["coordinates"]


def test_what_napari_holds_gives_the_full_values(few_are_large, image):
    large, small = large_and_small(image)
    spec = image_spec(large, REFERENCE)
    assert pyramids.full_resolution(MultiScaleData(spec.layer_data)) is large.data
    assert pyramids.full_resolution(spec.layer_data) is large.data
    assert pyramids.full_resolution(small.data) is small.data


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 0)])
def test_other_data_come_into_the_layer_whatever_their_size(few_are_large, image, order):
    workspace = workspace_of(viewer := ViewerModel())
    sizes = large_and_small(image)
    first, second = (sizes[number] for number in order)
    second = replace(second, data=second.data + 5)
    layer = workspace.layers.show(image_spec(first, REFERENCE, visible=False))
    layer.name = "my own"
    spec = image_spec(second, REFERENCE)
    now = workspace.layers.show(spec)
    assert list(viewer.layers) == [now] and workspace.layers.layer(spec.key) is now
    assert now.name == "my own" and not now.visible
    assert now.contrast_limits == pytest.approx(spec.limits), "they follow from the data"
    assert pyramids.full_resolution(now.data) is second.data
    assert shown_in(now).content is second
    if now.multiscale:
        assert now._data_view.size, "something is cut out of the coarsest level"


def test_masks_and_extents_are_on_the_pixels_of_the_image(few_are_large, image):
    workspace = workspace_of(viewer := ViewerModel())
    large, _ = large_and_small(image)
    spec = image_spec(large, workspace.project.place(large))
    assert workspace.layers.show(spec) in viewer.layers
    assert workspace.painted.begin()
    assert workspace.painted.layer(()).data.shape == large.shape
    assert np.allclose(extent_of(spec), extent_of(replace(spec, levels=())))


def test_a_script_gets_levels_from_the_reader(few_are_large, tmp_path):
    data = np.random.default_rng(1).normal(1, 0.1, (64, 64)).astype("f4")
    path = write_image(tmp_path / "w1.fits", data, tan_wcs((64, 64), 2.0), **HEADER)
    ((levels, attributes, _),) = readers.read_now([path], None)
    assert attributes["multiscale"] and levels[0].shape == (64, 64)
    assert np.array_equal(levels[0], data)


HEADER = {"BUNIT": "MJy/sr", "TELESCOP": "WISE", "FILTER": "W1", "BMAJ": 6.1 / 3600}


# The window --------------------------------------------------------------------------------------


def centre_of_light(viewer, near):
    """Row and column on the canvas of the middle of what is bright, within 200 pixels of a
    place.
    """
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(float).mean(axis=2)
    top, left = max(near.y() - 200, 0), max(near.x() - 200, 0)
    rows, columns = np.nonzero(picture[top : near.y() + 201, left : near.x() + 201] > 200)
    return np.array([top + rows.mean(), left + columns.mean()])


@pytest.mark.slow
@pytest.mark.window
def test_an_image_of_8192_pixels_is_drawn_in_its_place_at_every_zoom(
    viewer, workspace, qtbot, tmp_path
):
    side, at = 8192, (5000, 3000)
    data = np.tile(np.random.default_rng(1).normal(1, 0.05, (512, 512)).astype("f4"), (16, 16))
    data[at[0] - 90 : at[0] + 91, at[1] - 90 : at[1] + 91] = 500
    data[at] = 777
    wcs = tan_wcs((side, side), 1.0)
    path = write_image(tmp_path / "w1.fits", data, wcs, **HEADER)
    del data
    workspace.opener.add_paths([path])
    wait_for(qtbot, lambda: idle(workspace) and len(workspace.layers.shown()) == 1)
    (layer,) = workspace.layers.shown().values()
    image = workspace.project.galaxy.images["WISE_3.4"]
    assert layer.multiscale and layer.data[0] is image.data
    assert canvas_is_painted(viewer)
    text_overlay(viewer).visible = False
    camera, _ = camera_and_scale_bar(viewer)
    place = layer.data_to_world(at)
    seen = []
    for zoom, middle in ((None, None), (0.3, place), (0.9, place), (1.5, place)):
        if zoom is not None:
            camera.zoom, camera.center = zoom, (0, *middle)
        qtbot.wait(300)
        seen.append(layer.data_level)
        where = pixel(viewer, *place)
        assert centre_of_light(viewer, where) == pytest.approx((where.y(), where.x()), abs=1.5)
        assert "777" in status_bar.layer_text(layer, place)
    assert seen[0] > seen[-1] == 0
