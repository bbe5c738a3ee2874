"""What stands over the canvas: a colour bar for the uppermost visible layer alone, and in words what it shows."""

from __future__ import annotations

import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from . import viewers
from .layers import shown_in

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from .turns import Turns


_LETTERS = 8


class Caption:
    """Follows the uppermost visible layer of ours.

    Parameters
    ----------
    viewer : weak reference to a viewer
        Whose canvas it is.
    turns : Turns
        Bar and words take 100 ms each to paint for the first time: each has a turn of its own.
    """

    def __init__(self, viewer: weakref.ReferenceType[ViewerModel], turns: Turns):
        self._viewer = viewer
        self._turns = turns
        self._text = ""
        self._drawn: set[str] = set()
        self._top: weakref.ref[Layer] | None = None
        self._barred: weakref.WeakKeyDictionary[Layer, bool] = weakref.WeakKeyDictionary()

    def later(self, event: Any = None) -> None:
        """Look anew which layer is uppermost, in a turn to come."""
        if not self._turns.has(self._follow):
            self._turns.add([self._follow])

    def _follow(self) -> None:
        viewer = self._viewer()
        if viewer is None:
            return
        top = next((layer for layer in reversed(viewer.layers) if layer.visible and shown_in(layer)), None)
        before = self._top() if self._top is not None else None
        if top is not before:
            if before is not None and hasattr(before, "colorbar"):  # napari < 0.9 has none
                # Whether a person has switched it off is remembered.
                self._barred[before] = before.colorbar.visible
                before.colorbar.visible = False
            if top is not None and hasattr(top, "colorbar"):
                top.colorbar.visible = self._barred.get(top, True)
            self._top = weakref.ref(top) if top is not None else None
        if not self._turns.has(self._write):
            self._turns.add([self._write])

    def _write(self) -> None:
        viewer = self._viewer()
        overlay = viewers.text_overlay(viewer) if viewer is not None else None
        if overlay is None or overlay.text not in ("", self._text):
            return  # a person's own text stays
        top = self._top() if self._top is not None else None
        shown = shown_in(top) if top is not None else None
        self._put(shown.caption if shown is not None else "", _LETTERS)

    def _put(self, text: str, letters: int) -> None:
        """Put a text over the canvas, some letters a turn: each letter takes 5 ms to draw for the first time."""
        viewer = self._viewer()
        overlay = viewers.text_overlay(viewer) if viewer is not None else None
        if overlay is None or overlay.text not in ("", self._text):
            return
        self._text = text if self._drawn.issuperset(text) else text[:letters]
        self._drawn.update(self._text)
        overlay.position = "top_left"
        overlay.text = self._text
        overlay.visible = bool(self._text)
        if self._text != text:
            self._turns.add([partial(self._put, text, letters + _LETTERS)])
