"""Two maps side by side on one canvas, in the same colours, so that they are moved and enlarged
together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from ...data.flags import doubt_in_words
from ..ground import viewers
from ..ground.layer_specs import Key, LayerSpec
from .layer_register import LayerRegister

if TYPE_CHECKING:
    from napari.layers import Layer

_GAP = 0.04
"""Of the width, between the two."""


@dataclass(frozen=True)
class Side:
    """What is shown on one side.

    Attributes
    ----------
    name : str
        What a person calls it.
    specs : sequence of LayerSpec
        Its layers from the bottom up; the last is the one that is compared.
    """

    name: str
    specs: Sequence[LayerSpec]


class SideBySide:
    """Shows two sides, and brings back what was shown before.

    Parameters
    ----------
    layers : LayerRegister
        Where they show.
    """

    changed = Signal()
    """Two are compared, or no more."""

    def __init__(self, layers: LayerRegister):
        self.layers = layers
        self._keys: list[Key] = []
        self._before: list[Layer] = []
        self._view: tuple[Any, float] | None = None
        layers.focused.connect(self._leave)

    @property
    def on(self) -> bool:
        """Whether two are compared just now."""
        return bool(self._keys)

    def show(self, left: Side, right: Side) -> None:
        """Show two sides in the place of all that is visible."""
        self.end()
        viewer = self.layers.viewer
        camera, _ = viewers.camera_and_scale_bar(viewer)
        self._view = (tuple(camera.center), float(camera.zoom))
        self._before = [layer for layer in viewer.layers if layer.visible]
        for layer in self._before:
            layer.visible = False
        shown = []
        for spec in placed(left, right):
            shown.append(self.layers.show(spec))
            self._keys.append(spec.key)
        self.layers.fit(*self._keys)
        self.layers.activate(shown[-1])
        self.changed.emit()

    def end(self) -> None:
        """Take both away, and show again what was visible before."""
        if not self.on:
            return
        self._take_away()
        for layer in self._before:
            if self.layers.holds(layer):
                layer.visible = True
        if self._view is not None:
            camera, _ = viewers.camera_and_scale_bar(self.layers.viewer)
            camera.center, camera.zoom = self._view
        self._before = []
        self.changed.emit()

    def _leave(self) -> None:
        """Something else is looked at."""
        if self.on:
            self._take_away()
            self._before = []
            self.changed.emit()

    def _take_away(self) -> None:
        keys, self._keys = self._keys, []
        for key in keys:
            layer = self.layers.layer(key)
            if layer is not None:
                self.layers.remove(layer)


def placed(left: Side, right: Side) -> list[LayerSpec]:
    """The layers of both sides: the right one beside the left one, and where both show the same
    property in the same view, in the same colours.
    """
    one, other = left.specs[-1], right.specs[-1]
    limits = None
    if (one.key.name, one.shown.view) == (other.key.name, other.shown.view):
        limits = (min(one.limits[0], other.limits[0]), max(one.limits[1], other.limits[1]))
    (top, beside), (bottom, end) = extent_of(one)
    (top2, beside2), (bottom2, end2) = extent_of(other)
    gap = _GAP * (end - beside + end2 - beside2)
    shift = np.array([(top + bottom - top2 - bottom2) / 2, end + gap - beside2])
    words = f"left: {_title(left)}, right: {_title(right)}"
    found = []
    for side, (name, specs) in enumerate(((left.name, left.specs), (right.name, right.specs))):
        for spec in specs:
            affine = np.array(spec.affine, float)
            if side:
                affine[:2, 2] += shift
            key = Key("compare", spec.key.name, ("left", "right")[side], spec.shown.view)
            compared = spec is specs[-1]
            shown = replace(
                spec.shown,
                key=key,
                made_by=words if compared else spec.shown.made_by,
                beside=(other if spec is one else one).shown if compared else None,
            )
            found.append(
                replace(
                    spec,
                    key=key,
                    name=f"{spec.shown.label} {key.source}: {name}",
                    affine=affine,
                    shown=shown,
                    visible=True,
                    limits=limits if compared and limits is not None else spec.limits,
                )
            )
    return found


def _title(side: Side) -> str:
    """What a side is called, and how much of the galaxy is doubtful there."""
    flags = side.specs[-1].shown.flags
    doubt = doubt_in_words(flags) if flags is not None else ""
    return f"{side.name} ({doubt})" if doubt else side.name


def extent_of(spec: LayerSpec) -> np.ndarray:
    """The corners of the box in which a layer lies, shape (2, 2): the least and the greatest
    (north, west) offset in arcsec.
    """
    ny, nx = np.shape(spec.data)[:2]
    corners = np.array([(y, x, 1) for y in (-0.5, ny - 0.5) for x in (-0.5, nx - 0.5)])
    places = (corners @ np.asarray(spec.affine).T)[:, :2]
    return np.array([places.min(axis=0), places.max(axis=0)])
