"""Pixels picked in a plot or painted on the galaxy: one selection, shown in both places."""

from __future__ import annotations

import copy
import weakref
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal

from ..ground.layer_specs import AXIS_LABELS, UNITS
from ..ground.sky_plane import sky_affine
from ..state.project import Project
from .layer_register import LayerRegister

if TYPE_CHECKING:
    from astropy.wcs import WCS
    from napari.layers import Labels

_COLOUR = (1.0, 0.92, 0.1, 1.0)
_LABEL = "picked pixels"


class PickedPixels:
    """The selection, and the layer that shows it.

    Parameters
    ----------
    project : Project
        Whose maps are compared.
    layers : LayerRegister
        Of the viewer in which it shows.
    """

    changed = Signal()

    def __init__(self, project: Project, layers: LayerRegister):
        self._project, self._layers = project, layers
        self.picked = np.zeros((0, 0), bool)
        """True where a pixel is picked, on the grid of the comparison."""
        self._wcs: WCS | None = None
        self._layer: weakref.ref[Labels] | None = None

    @property
    def layer(self) -> Labels | None:
        """The layer, or None where there is none (any more)."""
        layer = self._layer() if self._layer is not None else None
        return layer if layer is not None and self._layers.holds(layer) else None

    def on_grid(self, wcs: WCS, shape: tuple[int, int]) -> None:
        """Pick on this grid; what was picked on another is forgotten."""
        if wcs is self._wcs:
            return
        layer = self.layer
        if layer is not None:
            self._layers.remove(layer)
        self._wcs, self.picked, self._layer = wcs, np.zeros(shape, bool), None
        self.changed.emit()

    def pick(self, mask: np.ndarray) -> None:
        """Other pixels, shape (ny, nx); they light up on the galaxy."""
        self.picked = mask
        layer = self.layer
        if layer is None and mask.any():
            layer = self._make()
        if layer is not None:
            layer.data[...] = mask
            layer.refresh()
        self.changed.emit()

    def paint(self) -> bool:
        """Give the person a brush on the galaxy; False while there is nothing to compare."""
        if self._wcs is None or not self.picked.size:
            return False
        layer = self.layer or self._make()
        layer.visible = True
        self._layers.activate(layer)
        layer.selected_label = 1
        layer.mode = "paint"
        return True

    def _make(self) -> Labels:
        from napari.layers import Labels
        from napari.utils.colormaps import DirectLabelColormap

        wcs = copy.deepcopy(self._wcs)  # astropy's WCS is not thread-safe
        reference = self._project.reference
        assert wcs is not None and reference is not None
        colours = {None: (0, 0, 0, 0), 0: (0, 0, 0, 0), 1: _COLOUR}
        layer = Labels(
            self.picked.astype(np.uint8),
            affine=sky_affine(wcs, self.picked.shape, reference),
            units=UNITS,
            axis_labels=AXIS_LABELS,
            colormap=DirectLabelColormap(color_dict=colours),
            opacity=0.6,
        )
        layer.brush_size = max(3, round(max(self.picked.shape) / 25))
        self._layer = weakref.ref(layer)
        self._layers.add_overlay(layer, _LABEL)
        layer.events.paint.connect(self._painted)
        return layer

    def _painted(self, *_: object) -> None:
        layer = self.layer
        if layer is not None:
            self.picked = np.asarray(layer.data) != 0
            self.changed.emit()
