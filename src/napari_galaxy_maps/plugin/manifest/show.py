"""Opens a window on what a script or a notebook has made: a galaxy, a cube or maps."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import napari

from ...bands.registry import get_band
from ...data.cube import BandCube
from ...data.galaxy import BandImage, Galaxy
from ...data.maps import PropertyMaps
from ...exceptions import InputError
from ..canvas.galaxy_view import show_galaxy
from ..eventloop.idle_queue import next_turn
from ..ground.layer_specs import LayerSpec, image_spec
from ..state.results import result_of_file
from ..widgets.qt_parts import present
from ..workspace import Workspace, workspace_of
from . import docks, readers

if TYPE_CHECKING:
    from napari.viewer import Viewer


def show_in_window(content: Galaxy | BandCube | PropertyMaps, viewer: Viewer | None = None) -> Any:
    """Show a galaxy's files, the bands of a cube or maps beside all panels.

    Parameters
    ----------
    content : Galaxy, BandCube or PropertyMaps
        A galaxy that was read from files is opened from them, so that the panels can go on with
        it; the others are shown as they are.
    viewer : napari.Viewer, optional
        A new one by default.

    Returns
    -------
    napari.Viewer

    Raises
    ------
    InputError
        When it is none of these.
    """
    if not isinstance(content, Galaxy | BandCube | PropertyMaps):
        raise InputError(f"A galaxy, a cube or maps can be shown, not {type(content).__name__}.")
    viewer = viewer or napari.Viewer(title="Galaxy Maps")
    docks.open_all(viewer)
    workspace = workspace_of(viewer)
    project = workspace.project
    if isinstance(content, Galaxy) and content.paths:
        if content.recipe is not None:
            project.set_whole_recipe(content.recipe.model_copy(deep=True))
        for data, attributes, _ in readers.read_now(content.paths, workspace):
            if data is not None:
                viewer.add_image(data, **attributes)
    elif isinstance(content, PropertyMaps):
        project.add_result(result_of_file("maps", content))
        first = next(iter(content.values), "")
        for spec in workspace.views.specs(present(project.result)):
            workspace.layers.show(replace(spec, visible=spec.key.name == first))
        project.maps_changed.emit()
    else:
        for spec in _specs(content, workspace):
            workspace.layers.show(spec)
    next_turn(partial(show_galaxy, workspace.layers, project))
    return viewer


def _specs(content: Galaxy | BandCube, workspace: Workspace) -> list[LayerSpec]:
    """Layers of what is shown as it is, one of them switched on."""
    images = _images(content)
    if not images:
        return []
    specs = [
        image_spec(image, workspace.project.place(images[0]), content.name, visible=False)
        for image in images
    ]
    best = workspace.layers.best_image([spec.key for spec in specs])
    return [replace(spec, visible=spec.key == best) for spec in specs]


def _images(content: Galaxy | BandCube) -> list[BandImage]:
    if isinstance(content, Galaxy):
        return list(content.images.values())
    return [
        BandImage(content.data[i], get_band(name), content.wcs, content.uncertainty[i],
                  fwhm=content.fwhm)
        for i, name in enumerate(content.bands)
    ]  # fmt: skip
