"""Hatches the doubtful pixels of every map that is on, by the flags of the maps that it shows."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from ...data.flags import Flag
from ...data.maps import PropertyMaps
from ..ground import viewers
from ..ground.layer_specs import NO_STROKES, shown_in
from ..ground.pyramids import full_resolution

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from ..eventloop.idle_queue import IdleQueue
    from ..ground.hatching import Strokes

_FALLING = Flag.OUT_OF_DISTRIBUTION | Flag.NO_MODEL_FITS
STROKES: dict[Flag, str] = {
    Flag.OUT_OF_DISTRIBUTION: r"(\\\)",
    Flag.NO_MODEL_FITS: r"(\\\)",
    Flag.FAINT: "(///)",
}
"""How the strokes of each doubt run, as a caption shows it."""


class DoubtfulPixels:
    """The hatching of one viewer's maps, and its switch.

    Parameters
    ----------
    viewer : weak reference to a viewer
        Whose maps are hatched; one without a window has no hatching.
    idle : IdleQueue
        The first strokes of a map take tens of ms, and have a turn of their own.
    """

    changed = Signal()
    """Doubtful pixels are hatched from now on, or no more."""

    def __init__(self, viewer: weakref.ReferenceType[ViewerModel], idle: IdleQueue):
        self._viewer = viewer
        self._idle = idle
        self._followed: weakref.WeakSet[Layer] = weakref.WeakSet()
        self._due: weakref.WeakSet[Layer] = weakref.WeakSet()
        self.on = True
        """Whether doubtful pixels are hatched."""

    @property
    def strokes(self) -> Mapping[Flag, str]:
        """How the strokes of each doubt run; empty where nothing is hatched."""
        return STROKES if self.on else NO_STROKES

    def switch(self, on: bool) -> None:
        """Hatch doubtful pixels, or do not."""
        if on == self.on:
            return
        self.on = on
        for layer in list(self._followed):
            self._hatch(layer)
        self.changed.emit()

    def follow(self, layer: Layer) -> None:
        """Hatch a layer, whatever view of which map it shows from now on."""
        shown = shown_in(layer)
        if shown is None or not isinstance(shown.content, PropertyMaps) or layer.multiscale:
            return
        self._followed.add(layer)
        known = weakref.ref(layer)
        layer.events.visible.connect(partial(_call, weakref.WeakMethod(self._later), known))
        # New maps take the strokes of their own at once: no canvas shows them with the old ones.
        layer.events.data.connect(partial(_call, weakref.WeakMethod(self._hatch), known))
        self._later(layer)

    def _later(self, layer: Layer) -> None:
        """Hatch a layer in a turn to come."""
        if layer.visible and self.on:
            self._due.add(layer)
            if not self._idle.has(self._catch_up):
                self._idle.add([self._catch_up])

    def _catch_up(self) -> None:
        due, self._due = list(self._due), weakref.WeakSet()
        for layer in due:
            self._hatch(layer)

    def _hatch(self, layer: Layer) -> None:
        """Strokes of a layer that is off are made once it is on."""
        viewer = self._viewer()
        if viewer is None or viewers.qt_window(viewer) is None or not hasattr(layer, "_overlays"):
            return
        shown = shown_in(layer)
        from ..ground.hatching import hatch

        strokes = None
        if self.on and layer.visible and shown is not None and shown.flags is not None:
            strokes = strokes_of(shown.flags, full_resolution(layer.data))
        hatch(layer, strokes)


def _call(method: weakref.WeakMethod[Any], layer: weakref.ref[Layer], event: Any = None) -> None:
    """What a layer signals; it keeps neither the viewer's parts nor itself alive."""
    act, known = method(), layer()
    if act is not None and known is not None:
        act(known)


_BUILT: dict[int, Strokes | None] = {}
"""The strokes of flags that are still there, by their identity: all maps of a result share them."""


def strokes_of(flags: np.ndarray, values: np.ndarray) -> Strokes | None:
    """How pixels of a map are hatched: `FALLING` where they are unlike anything the model was
    trained on, `RISING` where they are faint; None where none is doubtful.

    Parameters
    ----------
    flags : ndarray of int, shape (ny, nx)
        Bits of `Flag`; may not be changed later.
    values : ndarray of float, shape (ny, nx)
        Of the map: a pixel without a value has nothing to be doubted.
    """
    from ..ground.hatching import Strokes

    if values.shape != flags.shape:
        return None
    known = id(flags)
    if known not in _BUILT:
        _BUILT[known] = _of_flags(flags)
        weakref.finalize(flags, _BUILT.pop, known, None)
    strokes = _BUILT[known]
    if strokes is None:
        return None
    blank = ~np.isfinite(values)
    blank &= strokes.pixels > 0
    return Strokes(np.where(blank, np.uint8(0), strokes.pixels)) if blank.any() else strokes


def _of_flags(flags: np.ndarray) -> Strokes | None:
    from ..ground.hatching import FALLING, RISING, Strokes

    pixels = np.multiply((flags & _FALLING) != 0, FALLING, dtype=np.uint8)
    pixels += np.multiply((flags & Flag.FAINT) != 0, RISING, dtype=np.uint8)
    return Strokes(pixels) if pixels.any() else None
