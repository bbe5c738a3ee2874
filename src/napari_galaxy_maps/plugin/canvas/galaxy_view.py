"""The first view of a galaxy: its D25 ellipse fills the canvas, where it is known."""

from __future__ import annotations

import numpy as np

from ..ground import viewers
from ..ground.layer_specs import Key
from ..ground.sky_shapes import ellipse_corners
from ..state.project import Project
from .layer_register import LayerRegister

_MARGIN = 1.4
"""Of the ellipse's size that is seen: the sky about it, and room for caption and bars."""


def show_galaxy(layers: LayerRegister, project: Project) -> None:
    """Point the camera at the galaxy, or at the whole of what is shown where its ellipse is not
    known, is larger than that, or lies elsewhere.

    Parameters
    ----------
    layers : LayerRegister
        Of the viewer.
    project : Project
        Knows the ellipse.
    """
    if layers.is_closed:
        return
    shown = layers.shown()
    images = [key for key in shown if key.kind == "image"]
    on = [key for key in shown if shown[key].visible]
    key = layers.best_image([key for key in images if key in on] or on or images)
    if key is None:
        return
    layers.fit(key)
    galaxy, reference = project.galaxy, project.reference
    if galaxy is None or galaxy.ellipse is None or reference is None:
        return
    corners = ellipse_corners(galaxy.ellipse, reference)
    centre = corners.mean(axis=0)
    half = np.hypot(corners[1] - corners[0], corners[2] - corners[1]) / 2
    if _holds(layers, key, centre):
        viewers.look_closer(layers.viewer, centre, _MARGIN * half)


def _holds(layers: LayerRegister, key: Key, point: np.ndarray) -> bool:
    """Whether the layer of `key` has pixels at a point of the plane."""
    layer = layers.layer(key)
    if layer is None:
        return False
    row, column = np.asarray(layer.world_to_data(point), float)[-2:]
    height, width = layer.data.shape[-2:]
    return bool(-0.5 <= row < height - 0.5 and -0.5 <= column < width - 0.5)
