"""What stands over the canvas: a colour bar for the uppermost visible layer alone, and in words
what it shows.
"""

from __future__ import annotations

import string
import textwrap
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from ..ground import colour_bar, viewers
from ..ground.layer_specs import shown_in

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from ..eventloop.idle_queue import IdleQueue
    from .doubtful_pixels import DoubtfulPixels


LETTERS = "ÅÉÑŐ " + string.digits + ".:-−+()/\\<_,²%" + string.ascii_letters
"""What captions and colour bars are written with; the accents are those by which vispy measures any
line's height.
"""
_LETTER_MS = 25
_LEAST = 12
"""Letters of a caption in a line, however narrow the canvas is."""


class CanvasLegend:
    """Follows the uppermost visible layer of ours.

    Parameters
    ----------
    viewer : weak reference to a viewer
        Whose canvas it is.
    idle : IdleQueue
        Bar and words take tens of ms each to paint for the first time: each has a turn of its own.
    doubtful : DoubtfulPixels
        Whether doubtful pixels are hatched, which the words explain.
    """

    def __init__(
        self,
        viewer: weakref.ReferenceType[ViewerModel],
        idle: IdleQueue,
        doubtful: DoubtfulPixels,
    ):
        self._viewer = viewer
        self._doubtful = doubtful
        doubtful.changed.connect(self.later)
        self._idle = idle
        self._text = ""
        self._top: weakref.ref[Layer] | None = None
        self._barred: weakref.WeakKeyDictionary[Layer, bool] = weakref.WeakKeyDictionary()
        sized = getattr(getattr(viewer(), "canvas", None), "events", None)
        if sized is not None:  # napari >= 0.9: the caption has its lines broken anew
            sized.size.connect(self.later)

    def later(self, event: Any = None) -> None:
        """Look anew which layer is uppermost, in a turn to come."""
        if not self._idle.has(self._follow):
            self._idle.add([self._follow])

    def _follow(self) -> None:
        viewer = self._viewer()
        if viewer is None:
            return
        top = next(
            (layer for layer in reversed(viewer.layers) if layer.visible and shown_in(layer)), None
        )
        before = self._top() if self._top is not None else None
        if top is not before:
            if before is not None and hasattr(before, "colorbar"):  # napari < 0.9 has none
                # Whether a person has switched it off is remembered.
                self._barred[before] = before.colorbar.visible
                before.colorbar.visible = False
            if top is not None and hasattr(top, "colorbar"):
                top.colorbar.visible = self._barred.get(top, True)
            self._top = weakref.ref(top) if top is not None else None
        shown = shown_in(top) if top is not None else None
        if shown is not None:  # the view of one layer changes, too
            bar = viewers.colour_bar(viewer, top) if top is not None else None
            colour_bar.set_ticks(bar, ends=shown.view == "residual")
        if not self._idle.has(self._write):
            self._idle.add([self._write])

    def _write(self) -> None:
        viewer = self._viewer()
        overlay = viewers.text_overlay(viewer) if viewer is not None else None
        if overlay is None or overlay.text not in ("", self._text):
            return  # a person's own text stays
        top = self._top() if self._top is not None else None
        shown = shown_in(top) if top is not None else None
        self._text = shown.caption_with(self._doubtful.strokes) if shown is not None else ""
        overlay.position = "top_left"
        overlay.text = self._text
        overlay.visible = bool(self._text)
        self._break_lines(viewer, overlay, top)

    def _break_lines(self, viewer: ViewerModel, overlay: Any, top: Layer | None) -> None:
        """Break the caption into lines, so that it ends before the colour bar begins."""
        caption, letters = self._text, len(self._text)
        while letters > _LEAST:
            room = viewers.caption_room(viewer, top)
            if room is None or room[0] <= room[1]:
                return
            letters = max(_LEAST, min(letters - 1, int(letters * room[1] / room[0])))
            self._text = overlay.text = "\n".join(textwrap.wrap(caption, letters))


def learn_letters(viewer: weakref.ReferenceType[ViewerModel], letters: str = LETTERS) -> None:
    """Have the canvas's font draw its letters, one at a time at long intervals.

    Each takes 8 ms: the first colour bar and the first caption would have to draw thirty at once.
    """
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication

    alive = viewer()
    if QApplication.instance() is None or alive is None or viewers.qt_window(alive) is None:
        return
    font = viewers.canvas_font(alive)
    if font is not None and letters:
        font[letters[0]]
        QTimer.singleShot(_LETTER_MS, partial(learn_letters, viewer, letters[1:]))
