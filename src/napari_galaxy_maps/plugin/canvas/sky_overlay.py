"""A Shapes layer on the sky that stands over all others, its lines as wide on the screen however
near the camera is.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ground import sky_shapes, viewers
from ..ground.sky_shapes import Outline
from .layer_register import LayerRegister

if TYPE_CHECKING:
    from napari.layers import Shapes

_ZOOM_MS = 120


class SkyOverlay:
    """The layer, which may not be there: a person deletes layers.

    Parameters
    ----------
    layers : LayerRegister
        Of the viewer that it is in.
    label : str
        What the layer is called beside the galaxy's name.
    colour : tuple of float
        Of what a person draws.
    """

    def __init__(self, layers: LayerRegister, label: str, colour: tuple[float, float, float]):
        self.layers = layers
        self.label, self.colour = label, colour
        self._layer: weakref.ref[Shapes] | None = None
        self.widths: list[float] = []
        self.quiet = False
        self._zooming: Any = None

    @property
    def layer(self) -> Shapes | None:
        """The layer, or None where there is none (any more)."""
        layer = self._layer() if self._layer is not None else None
        return layer if layer is not None and self.layers.holds(layer) else None

    def owns(self, layer: Any) -> bool:
        """Whether this is the layer, removed or not."""
        return self._layer is not None and self._layer() is layer

    @property
    def scale(self) -> float:
        """Arcsec of a pixel on the screen."""
        camera, _ = viewers.camera_and_scale_bar(self.layers.viewer)
        return 1 / max(float(camera.zoom), 1e-9)

    def make(self, outlines: Sequence[Outline], visible: bool = True) -> Shapes:
        """A new layer of these outlines; one that is switched off is not yet in its place on the
        canvas.
        """
        self.widths = [outline.pixels for outline in outlines]
        layer = sky_shapes.make_layer(outlines, self.scale, self.label, np.array(self.colour))
        layer.visible = visible
        self._layer = weakref.ref(layer)
        self.layers.add_overlay(layer, self.label)
        camera, _ = viewers.camera_and_scale_bar(self.layers.viewer)
        camera.events.zoom.connect(self._on_zoom)
        return layer

    def draw(self, outlines: Sequence[Outline], only: Sequence[int] | None = None) -> None:
        """Show these outlines, of which only some have changed where there are as many as
        before.
        """
        layer = self.layer
        if layer is None:
            return
        with self.quietly():
            if layer.nshapes == len(outlines):
                numbers = range(len(outlines)) if only is None else only
                sky_shapes.redraw(layer, {i: outlines[i] for i in numbers}, self.scale)
            else:
                mode = layer.mode
                layer.selected_data = set()
                layer.remove(list(range(layer.nshapes)))
                sky_shapes.add_outlines(layer, outlines, self.scale)
                layer.mode = mode
        self.widths = [outline.pixels for outline in outlines]

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """While our own changes are made, what the layer signals is not heard."""
        before, self.quiet = self.quiet, True
        try:
            yield
        finally:
            self.quiet = before

    def _on_zoom(self, *_: Any) -> None:
        """Once the camera has come to rest, the lines are made as wide as they were."""
        from qtpy.QtCore import QTimer
        from qtpy.QtWidgets import QApplication

        if QApplication.instance() is None or self.layers.is_closed:
            return
        if self._zooming is None:
            self._zooming = QTimer()
            self._zooming.setSingleShot(True)
            self._zooming.setInterval(_ZOOM_MS)
            self._zooming.timeout.connect(self._widen)
        self._zooming.start()

    def _widen(self) -> None:
        if self.layers.is_closed:
            return
        layer = self.layer
        if layer is not None and layer.nshapes == len(self.widths) and not layer._is_creating:
            with self.quietly():
                sky_shapes.set_line_widths(layer, self.widths, self.scale)


def bind_undo(layer: Any, edited: Any) -> None:
    """Ctrl+Z and Ctrl+Shift+Z on a layer take edits back and do them again; `edited` has `undo` and
    `redo`.
    """
    layer.bind_key("Control-Z", lambda _: edited.undo(), overwrite=True)
    layer.bind_key("Control-Shift-Z", lambda _: edited.redo(), overwrite=True)
