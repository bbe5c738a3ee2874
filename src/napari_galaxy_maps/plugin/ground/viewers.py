"""What is asked of a viewer beyond its layers: its camera, overlays and painting, in every version
of napari.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


_DRAWN = 1.04
"""How wide a text is drawn at most, over what napari measures: 1.02 was seen."""


def camera_and_scale_bar(viewer: ViewerModel) -> tuple[Any, Any]:
    """The viewer's camera and scale bar, where its version of napari keeps them."""
    if hasattr(viewer, "scene"):
        return viewer.scene.camera, viewer.canvas.overlays.scale_bar
    return viewer.camera, viewer.scale_bar  # napari < 0.9


def text_overlay(viewer: ViewerModel) -> Any:
    """The text over the viewer's canvas, where its version of napari keeps it."""
    if hasattr(viewer, "scene"):
        return viewer.canvas.overlays.text
    return getattr(viewer, "text_overlay", None)  # napari < 0.9


def look_closer(viewer: ViewerModel, centre: np.ndarray, half: np.ndarray) -> None:
    """Point the camera at a box, if that is closer than it is; does nothing where the canvas's size
    is not known (napari < 0.9).

    Parameters
    ----------
    viewer : ViewerModel
        Whose camera it is.
    centre, half : ndarray, shape (2,)
        The box's middle and half its sides, in the units of the world.
    """
    size = getattr(getattr(viewer, "canvas", None), "size", None)
    camera, _ = camera_and_scale_bar(viewer)
    if size is None or not (half > 0).all():
        return
    zoom = float((np.array(size) / (2 * half)).min())
    if zoom > camera.zoom:
        camera.center = tuple(centre)
        camera.zoom = zoom


def canvas_font(viewer: ViewerModel) -> Any:
    """The font of the texts over the canvas, which draws a letter when it is first asked for; None
    where there is none.
    """
    canvas = _canvas(viewer)
    if not hasattr(canvas, "font_info"):  # napari < 0.9
        return None
    font = canvas.font_info()
    return font.font_manager.get_font(font.face)


def qt_window(viewer: ViewerModel) -> Any:
    """The window as Qt knows it, or None where there is none any more."""
    from qtpy.compat import isalive

    window = getattr(getattr(viewer, "window", None), "_qt_window", None)
    return window if window is not None and isalive(window) else None


def still_spinner(viewer: ViewerModel) -> None:
    """Let napari's sign of work in progress stand still: each of its pictures has the whole window
    put together anew, canvas included, which without a graphics card takes more of a processor
    than the work itself. The bars move.
    """
    window = qt_window(viewer)
    if window is None:
        return
    from qtpy.QtWidgets import QLabel

    for label in window.statusBar().findChildren(QLabel):
        if label.movie() is not None:
            label.movie().setSpeed(0)


def is_closed(viewer: ViewerModel) -> bool:
    """Whether the viewer had a window and has lost it."""
    return hasattr(viewer, "window") and qt_window(viewer) is None


def ask_before_closing(
    viewer: ViewerModel, ask: Callable[[], bool | None], closing: Callable[[], None]
) -> None:
    """Ask before a person closes the window, in the place of napari's own question; a script that
    closes it is not asked.

    Parameters
    ----------
    viewer : ViewerModel
        Whose window it is.
    ask : callable
        Whether the window may be closed; None to leave the question to napari.
    closing : callable
        Called when it is about to be closed, by whom ever.
    """
    window = qt_window(viewer)
    if window is None:
        return
    from qtpy.QtCore import QEvent, QObject

    original = window.close

    def close(quit_app: bool = False, confirm_need: bool = False) -> Any:
        """napari's menu entries come here, and so does what is closed by a script."""
        answer = ask() if confirm_need else None
        if answer is False:
            return None
        return original(quit_app=quit_app, confirm_need=confirm_need and answer is None)

    class Closing(QObject):
        """Hears of the button in the window's frame, and of every other way to close it."""

        def eventFilter(self, watched: Any, event: Any) -> bool:
            if event.type() != QEvent.Type.Close:
                return False
            answer = ask() if event.spontaneous() else None
            if answer is None:
                closing()
                return False
            event.ignore()
            if answer:
                QTimer.singleShot(0, window.close)
            return True

    from qtpy.QtCore import QTimer

    window.close = close
    window.installEventFilter(Closing(window))


def hold_painting(viewer: ViewerModel) -> Callable[[], None]:
    """Stop the painting of the window; what is given back has painted what has changed meanwhile.

    Only Qt's request to paint is held back, so that it is that alone: a window that is told not to
    update paints all of itself afterwards, which takes three times as long.
    """
    window = qt_window(viewer)
    if window is None:
        return lambda: None
    from qtpy.QtCore import QCoreApplication, QEvent, QObject

    class Held(QObject):
        """Keeps requests to paint from the window."""

        asked = False

        def eventFilter(self, watched: Any, event: Any) -> bool:
            if event.type() != QEvent.Type.UpdateRequest:
                return False
            self.asked = True
            return True

    held = Held(window)
    window.installEventFilter(held)

    def paint() -> None:
        from qtpy.compat import isalive

        if not isalive(window) or not isalive(held):
            return
        window.removeEventFilter(held)
        if held.asked:
            QCoreApplication.postEvent(window, QEvent(QEvent.Type.UpdateRequest))
        held.deleteLater()

    return paint


def _canvas(viewer: ViewerModel) -> Any:
    return getattr(getattr(getattr(viewer, "window", None), "_qt_viewer", None), "canvas", None)


def painted_parts(viewer: ViewerModel, layer: Layer) -> list[Any]:
    """What the canvas paints a layer with and is switched on: each compiles a program when it is
    painted for the first time.

    Of shapes there are five (faces, edges, corners, outlines of what is selected), at 20 ms each on
    a processor without a graphics card.
    """
    visual = getattr(_canvas(viewer), "layer_to_visual", {}).get(layer)
    return [
        part for part in getattr(getattr(visual, "node", None), "_subvisuals", ()) if part.visible
    ]


def colour_bar(viewer: ViewerModel, layer: Layer) -> Any:
    """What the canvas paints a layer's colour bar with; None where there is none (yet)."""
    bars = getattr(_canvas(viewer), "_layer_overlay_to_visual", {}).get(layer, {})
    return bars.get(getattr(layer, "colorbar", None))


def caption_room(viewer: ViewerModel, layer: Layer | None) -> tuple[float, float] | None:
    """How wide the text at the canvas's top left is and may be beside a layer's colour bar, in
    pixels; None where this version of napari does not tell.
    """
    canvas, overlay = _canvas(viewer), text_overlay(viewer)
    texts = getattr(canvas, "_viewer_overlay_to_visual", {}).get(overlay)
    if not texts or not hasattr(viewer, "canvas"):
        return None
    padding, _ = viewer.canvas.overlay_tiling.padding
    bar = colour_bar(viewer, layer) if layer is not None and layer.colorbar.visible else None
    taken = bar.x_size + padding if bar is not None else 0.0
    return _DRAWN * texts[0].x_size, viewer.canvas.size[1] - taken - 2 * padding


@contextmanager
def unplaced(viewer: ViewerModel, on: bool = True) -> Iterator[None]:
    """Insert a layer that is switched off, and leave it to `place_layers` to put all layers on the
    canvas in order; or switch layers on and off, for which they need not be put in order at all.

    Doing so takes a third of an insertion's time, and 2 ms for each layer in the viewer; napari
    offers no public switch for it.
    """
    canvas = _canvas(viewer)
    known = (
        on
        and getattr(canvas, "_pause_scene_graph", None) is False
        and hasattr(canvas, "_update_scenegraph")
    )
    if known:
        canvas._pause_scene_graph = True
    try:
        yield
    finally:
        if known:
            canvas._pause_scene_graph = False


def place_layers(viewer: ViewerModel) -> None:
    """Put all layers on the canvas in order, after `unplaced`."""
    canvas = _canvas(viewer)
    if hasattr(canvas, "_update_scenegraph"):
        canvas._update_scenegraph()


@contextmanager
def unselected(layers: Any, on: bool) -> Iterator[None]:
    """Insert layers without selecting each, which takes a third of the time; napari offers no
    public switch for it.
    """
    known = on and getattr(layers, "_activate_on_insert", None) is True
    if known:
        layers._activate_on_insert = False
    try:
        yield
    finally:
        if known:
            layers._activate_on_insert = True


def select_one(viewer: ViewerModel) -> None:
    """Select the uppermost layer where none is selected."""
    layers = viewer.layers
    if layers and layers.selection.active is None:
        layers.selection.active = layers[-1]
