"""`ngm.view` opens a window on what a script has made."""

import numpy as np
import pytest

import napari_galaxy_maps as ngm
from napari_galaxy_maps.plugin.manifest.show import show_in_window
from napari_galaxy_maps.plugin.workspace import workspace_of

from .conftest import map_layer

pytestmark = pytest.mark.window


def test_maps_are_layers_and_the_first_is_seen(viewer, maps):
    assert show_in_window(maps, viewer) is viewer
    workspace = workspace_of(viewer)
    seen = [key.name for key, layer in workspace.layers.shown().items() if layer.visible]
    assert seen == ["LOG_SMD"]
    np.testing.assert_array_equal(map_layer(workspace, "T_DUST").data, maps.values["T_DUST"])
    workspace.views.look("T_DUST", "error")
    np.testing.assert_array_equal(map_layer(workspace, "T_DUST").data, maps.errors["T_DUST"])


def test_a_galaxy_is_opened_from_its_files_so_that_the_panels_go_on(viewer, galaxy_folder):
    folder = galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 9.0})
    show_in_window(ngm.read(folder, name="NGC 0", distance=10), viewer)
    workspace = workspace_of(viewer)
    assert workspace.project.galaxy.name == "NGC 0" and workspace.project.galaxy.distance_mpc == 10
    assert {key.name for key in workspace.layers.shown()} == {"WISE_3.4", "2MASS_J"}


def test_the_bands_of_a_cube_lie_over_each_other(viewer, galaxy_folder):
    folder = galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 9.0})
    galaxy = ngm.read(folder, ra=150, dec=2, d25=2)
    show_in_window(ngm.prepare(galaxy), viewer)
    layers = list(workspace_of(viewer).layers.shown().values())
    assert len(layers) == 2 and sum(layer.visible for layer in layers) == 1
    np.testing.assert_array_equal(layers[0].affine.affine_matrix, layers[1].affine.affine_matrix)


def test_what_cannot_be_shown_is_a_sentence():
    with pytest.raises(ngm.GalaxyMapsError, match="not str"):
        ngm.view("maps.fits")
