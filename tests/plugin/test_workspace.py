"""A workspace finds its layers by what they show, through renames, deletions, duplicates and second
predictions.
"""

import gc
import weakref

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.exceptions import RecipeError
from napari_galaxy_maps.plugin.ground.layer_specs import Key, image_spec, map_specs
from napari_galaxy_maps.plugin.ground.viewers import camera_and_scale_bar
from napari_galaxy_maps.plugin.workspace import workspace_of


@pytest.fixture
def model():
    """A viewer's layers without a window."""
    return ViewerModel()


def show(workspace, specs):
    return [workspace.layers.show(spec) for spec in specs]


def test_a_viewer_has_one_session_and_takes_it_along(model):
    workspace = workspace_of(model)
    assert workspace_of(model) is workspace
    gone = weakref.ref(workspace)
    del workspace
    model.layers.clear()
    fixture_free = ViewerModel()
    other = weakref.ref(workspace_of(fixture_free))
    del fixture_free
    gc.collect()
    assert other() is None
    assert gone() is not None


def test_north_is_up_and_the_scale_bar_is_on(model, image):
    workspace = workspace_of(model)
    picture = image()
    show(workspace, [image_spec(picture, workspace.project.place(picture))])
    camera, scale_bar = camera_and_scale_bar(model)
    assert tuple(str(o) for o in camera.orientation2d) == ("up", "right")
    assert scale_bar.visible


def test_a_second_result_goes_into_the_same_layers_whatever_they_are_called(model, maps):
    workspace = workspace_of(model)
    first = show(workspace, map_specs(maps, workspace.project.place(maps), "NGC 309"))
    first[0].name = "my favourite"
    first[0].visible = False
    new = PropertyMaps(
        {k: v + 1 for k, v in maps.values.items()}, maps.errors, maps.wcs, maps.flags
    )
    second = show(workspace, map_specs(new, workspace.project.place(new), "NGC 309"))
    assert second == first
    assert len(model.layers) == 3
    assert first[0].name == "my favourite" and not first[0].visible
    assert np.array_equal(first[0].data, new.values["LOG_SMD"], equal_nan=True)
    assert (
        "-2.00 ± 0.31 dex"
        in first[0].get_status(first[0].data_to_world((1, 20)), world=True)["coordinates"]
    )


def test_a_deleted_layer_is_made_anew(model, maps):
    workspace = workspace_of(model)
    show(workspace, map_specs(maps, workspace.project.place(maps)))
    model.layers.remove(workspace.layers.layer(Key("map", "LOG_SMD")))
    assert workspace.layers.layer(Key("map", "LOG_SMD")) is None
    show(workspace, map_specs(maps, workspace.project.place(maps)))
    assert workspace.layers.layer(Key("map", "LOG_SMD")) in model.layers


def test_images_come_under_the_maps(model, maps, image):
    workspace = workspace_of(model)
    show(workspace, map_specs(maps, workspace.project.place(maps)))
    show(workspace, [image_spec(image(), workspace.project.reference)])
    assert model.layers[0].name == "WISE_3.4"
    assert model.layers[-1].name == "LOG_SIGMA_MD"


def test_only_the_newest_map_is_on_over_one_image(model, maps, image):
    workspace = workspace_of(model)
    show(
        workspace,
        [image_spec(image(band), (150.0, 2.0)) for band in ("2MASS_J", "WISE_3.4", "WISE_12")],
    )
    show(workspace, map_specs(maps, (150.0, 2.0)))
    for layer in model.layers:
        layer.visible = layer.name != "WISE_12"
    workspace.layers.focus(Key("map", "LOG_SMD"))
    assert {layer.name for layer in model.layers if layer.visible} == {"WISE_3.4", "LOG_SMD"}
    workspace.layers.focus(Key("map", "T_DUST"))
    assert {layer.name for layer in model.layers if layer.visible} == {"WISE_3.4", "T_DUST"}


def test_names_follow_the_galaxy_but_not_over_a_persons_own(model, image):
    workspace = workspace_of(model)
    first, second = show(
        workspace, [image_spec(image(band), (150.0, 2.0)) for band in ("2MASS_J", "WISE_3.4")]
    )
    second.name = "mine"
    workspace.project.set_recipe("galaxy", name="NGC 309")
    assert (first.name, second.name) == ("2MASS_J NGC 309", "mine")


def test_the_status_shows_every_visible_layer_at_one_place(model, maps, image):
    workspace = workspace_of(model)
    picture = image(ra=150.0, dec=2.0)
    show(
        workspace,
        [
            image_spec(picture, workspace.project.place(picture)),
            *map_specs(maps, workspace.project.place(maps)),
        ],
    )
    workspace.layers.focus(Key("map", "LOG_SMD"))
    layer = workspace.layers.layer(Key("map", "LOG_SMD"))
    text = layer.get_status((0.0, 0.0), world=True)["coordinates"]
    where, *values = text.split("  |  ")
    assert where == "RA 10:00:00.0  Dec +02:00:00"
    assert values[0].startswith("WISE_3.4  ") and values[0].endswith("MJy/sr")
    assert values[1].startswith("LOG_SMD -3.0") and values[1].endswith("dex")


def test_a_duplicate_reads_out_too(model, image):
    workspace = workspace_of(model)
    picture = image()
    (layer,) = show(workspace, [image_spec(picture, workspace.project.place(picture))])
    data, attributes, kind = layer.as_layer_data_tuple()
    twin = model._add_layer_from_data(data, {**attributes, "name": "twin"}, kind)[0]
    assert "WISE_3.4" in twin.get_status((0.0, 0.0), world=True)["coordinates"]
    assert workspace.layers.layer(Key("image", "WISE_3.4")) is layer


def test_after_the_last_layer_another_part_of_the_sky_can_be_opened(model, image):
    workspace = workspace_of(model)
    picture = image(ra=150, dec=2)
    show(workspace, [image_spec(picture, workspace.project.place(picture))])
    model.layers.clear()
    other = image(ra=330, dec=-40)
    assert workspace.project.place(other) == pytest.approx((330, -40), abs=1e-6)


def test_a_setting_that_makes_no_sense_changes_nothing(model):
    workspace = workspace_of(model)
    heard = []
    workspace.project.recipe_changed.connect(lambda: heard.append(1))
    with pytest.raises(RecipeError, match="Declination"):
        workspace.project.set_recipe("galaxy", dec=200.0)
    assert workspace.project.recipe.galaxy.dec is None and not heard
    workspace.project.set_recipe("galaxy", dec=20.0)
    workspace.project.set_recipe("galaxy", dec=20.0)
    assert len(heard) == 1
