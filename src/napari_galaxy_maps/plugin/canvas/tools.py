"""The tools of the canvas, and which of them a person has in hand: a mode of the active layer."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from .layer_register import LayerRegister

if TYPE_CHECKING:
    from napari.layers import Layer

    from .aperture_layer import ApertureLayer
    from .paint_layer import PaintedMasks
    from .star_circles import StarCircles

SELECT = "select"
"""The tool that is in hand once another is put away."""


class Tools:
    """Tools by name. What is in hand is read from napari, which has buttons and keys of its own for
    them, so that it is never another than the one that works.

    Parameters
    ----------
    layers : LayerRegister
        Of the viewer.
    tool_of : callable
        Gives the name of the tool that a layer's mode is: "" for a mode that is none, None for a
        layer that has none of these tools.
    begin : callable
        Takes a tool into hand by its name; False where there is nothing to use it on.
    """

    changed = Signal()
    """Another tool is in hand."""

    def __init__(
        self,
        layers: LayerRegister,
        tool_of: Callable[[Layer], str | None],
        begin: Callable[[str], bool],
    ):
        self._layers, self._tool_of, self._begin = layers, tool_of, begin
        self._followed: weakref.ref[Layer] | None = None
        self._said = ""
        layers.viewer.layers.selection.events.active.connect(self._on_active)
        self._on_active()

    @property
    def now(self) -> str:
        """The tool in hand, or ""."""
        layer = self._layers.viewer.layers.selection.active
        return "" if layer is None or not layer.visible else self._tool_of(layer) or ""

    def use(self, name: str) -> bool:
        """Take a tool into hand; False where there is nothing to use it on."""
        done = self._begin(name)
        self._on_active()
        return done

    def toggle(self, name: str) -> bool:
        """Take a tool into hand, or put it away if it is there; False as for `use`."""
        return self.use(SELECT if self.now == name else name)

    def put_away(self) -> None:
        """Go back to selecting, if another tool is in hand."""
        if self.now not in ("", SELECT):
            self.use(SELECT)

    def _on_active(self, *_: Any) -> None:
        """Another layer is the active one: its mode is followed."""
        layer = self._layers.viewer.layers.selection.active
        before = self._followed() if self._followed is not None else None
        if layer is not before:
            if before is not None:
                before.events.mode.disconnect(self._on_mode)
            ours = layer is not None and self._tool_of(layer) is not None
            self._followed = weakref.ref(layer) if layer is not None and ours else None
            if layer is not None and ours:
                layer.events.mode.connect(self._on_mode)
                self._bind_escape(layer)
        self._on_mode()

    def _on_mode(self, *_: Any) -> None:
        if self.now != self._said:
            self._said = self.now
            self.changed.emit()

    def _bind_escape(self, layer: Layer) -> None:
        """Escape does what napari has it do on such a layer; where nothing is being drawn, it puts
        the tool away.
        """
        from app_model.types import KeyBinding

        theirs = type(layer).class_keymap.get(KeyBinding.from_str("Escape"))
        tools = weakref.ref(self)

        def escape(layer: Layer) -> None:
            drawing = getattr(layer, "_is_creating", False)
            if callable(theirs):
                theirs(layer)
            alive = tools()
            if alive is not None and not drawing:
                alive.put_away()

        layer.bind_key("Escape", escape, overwrite=True)


def mask_tools(layers: LayerRegister, circles: StarCircles, painted: PaintedMasks) -> Tools:
    """The tools that change what is masked: ``select``, ``add``, ``paint`` and ``erase``."""

    def tool_of(layer: Layer) -> str | None:
        mode = str(getattr(layer, "mode", ""))
        if layer is circles.layer:
            return {"select": SELECT, "direct": SELECT, "add_ellipse": "add"}.get(mode, "")
        if painted.owns(layer):
            return mode if mode in ("paint", "erase") else ""
        return None

    def begin(name: str) -> bool:
        if name in ("paint", "erase"):
            return painted.begin(name)
        return circles.begin("add_ellipse" if name == "add" else "select")

    return Tools(layers, tool_of, begin)


def aperture_tools(layers: LayerRegister, apertures: ApertureLayer) -> Tools:
    """The tools that draw apertures: ``select``, ``circle``, ``ellipse`` and ``polygon``."""
    modes = {"circle": "add_ellipse", "ellipse": "add_ellipse", "polygon": "add_polygon"}

    def tool_of(layer: Layer) -> str | None:
        if layer is not apertures.shapes.layer:
            return None
        mode = str(getattr(layer, "mode", ""))
        if mode == "add_ellipse":
            return "circle" if apertures.circles else "ellipse"
        return {"select": SELECT, "direct": SELECT, "add_polygon": "polygon"}.get(mode, "")

    def begin(name: str) -> bool:
        return apertures.draw(modes.get(name, "select"), circles=name == "circle")

    return Tools(layers, tool_of, begin)
