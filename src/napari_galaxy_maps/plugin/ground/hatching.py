"""Strokes over pixels of an image layer, as wide and as far apart on the screen however near the
camera is: an overlay of napari's, one byte a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from napari._vispy.overlays.base import LayerOverlayMixin, VispySceneOverlay
from napari._vispy.utils.visual import overlay_to_visual
from napari.components.overlays import SceneOverlay
from napari.layers import Image
from vispy.gloo import Texture2D, VertexBuffer
from vispy.scene.visuals import create_visual_node
from vispy.visuals import Visual

FALLING, RISING = 1, 2
"""Bits of a pixel's strokes; one that has both is cross-hatched."""
_NAME = "galaxy_maps_hatching"
_LARGEST = 8192
"""Pixels along a side of the texture: of a larger image every second pixel is taken, or fewer."""
_CORNERS = np.array([(0, 0), (1, 0), (1, 1), (0, 0), (1, 1), (0, 1)], np.float32)

_VERTEX = """
attribute vec2 a_corner;
uniform vec2 u_size;
uniform vec2 u_half_canvas;
varying vec2 v_place;
varying vec2 v_screen;

void main() {
    vec4 origin = $transform(vec4(-0.5, -0.5, 0.0, 1.0));
    gl_Position = $transform(vec4(a_corner * u_size - 0.5, 0.0, 1.0));
    v_place = a_corner;
    // Strokes move with the image, so they are counted from its corner.
    v_screen = (gl_Position.xy / gl_Position.w - origin.xy / origin.w) * u_half_canvas;
}
"""

# A bright core between dark rims is seen on any colour. The strokes are 10 pixels of the screen
# apart; the grey between them is for pixels that are too small on the screen to hold a stroke.
_FRAGMENT = """
uniform sampler2D u_strokes;
varying vec2 v_place;
varying vec2 v_screen;

float from_stroke(float across) {
    float place = mod(across * 0.70710678, 10.0);
    return min(place, 10.0 - place);
}

void main() {
    float kind = floor(texture2D(u_strokes, v_place).r * 255.0 + 0.5);
    if (kind < 0.5) {
        discard;
    }
    float away = 10.0;
    if (mod(kind, 2.0) > 0.5) {
        away = min(away, from_stroke(v_screen.x + v_screen.y));
    }
    if (kind > 1.5) {
        away = min(away, from_stroke(v_screen.x - v_screen.y));
    }
    float core = 1.0 - smoothstep(0.3, 1.0, away);
    float rim = 1.0 - smoothstep(1.1, 1.9, away);
    gl_FragColor = vec4(vec3(mix(0.5 * (1.0 - rim), 1.0, core)), mix(0.15, 0.75, rim));
}
"""


@dataclass(frozen=True, eq=False)
class Strokes:
    """How pixels are hatched; may not be changed.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (ny, nx)
        Sums of `FALLING` and `RISING`; 0 where there is no stroke.
    """

    pixels: np.ndarray


class HatchOverlay(SceneOverlay):
    """What napari knows of the hatching of a layer."""

    strokes: Any = None


class _HatchVisual(Visual):
    """What draws the strokes."""

    def __init__(self) -> None:
        Visual.__init__(self, vcode=_VERTEX, fcode=_FRAGMENT)
        self._pixels: np.ndarray | None = None
        self._is_sent = True
        self._texture = Texture2D(
            np.zeros((1, 1), np.uint8), interpolation="nearest", internalformat="r8"
        )
        self.shared_program["a_corner"] = VertexBuffer(_CORNERS)
        self.shared_program["u_strokes"] = self._texture
        self.shared_program["u_size"] = (1.0, 1.0)
        self.shared_program["u_half_canvas"] = (1.0, 1.0)
        self._draw_mode = "triangles"
        self.set_gl_state("translucent", depth_test=False, cull_face=False)
        self.freeze()

    def set_pixels(self, pixels: np.ndarray | None) -> None:
        """Other strokes, uint8, shape (ny, nx), the first row and column at (0, 0)."""
        self._pixels, self._is_sent = pixels, False
        self.update()

    def _prepare_transforms(self, view: Any) -> None:
        view.view_program.vert["transform"] = view.transforms.get_transform()

    def _prepare_draw(self, view: Any) -> bool:
        if self._pixels is None:
            return False
        if not self._is_sent:
            step = -(-max(self._pixels.shape) // _LARGEST)
            self._texture.set_data(np.ascontiguousarray(self._pixels[::step, ::step]))
            self._is_sent = True
            ny, nx = self._pixels.shape
            self.shared_program["u_size"] = (float(nx), float(ny))
        width, height = view.transforms.canvas.size
        self.shared_program["u_half_canvas"] = (width / 2, height / 2)
        return True

    def _compute_bounds(self, axis: int, view: Any) -> None:
        return None


_HatchNode = create_visual_node(_HatchVisual)


class _VispyHatchOverlay(LayerOverlayMixin, VispySceneOverlay):
    """Keeps what is drawn the same as what napari knows."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(node=_HatchNode(), **keywords)
        matrix = np.eye(4)
        matrix[-1, :2] = 0.5  # as napari has it once the layer is moved: from corners to centres
        self.node.transform.matrix = matrix
        self._drawn: tuple[Any, list[int]] = (None, [])
        self.overlay.events.strokes.connect(self._on_strokes_change)
        self.layer.events.set_data.connect(self._on_slice_change)
        self.reset()

    def _should_be_visible(self) -> bool:
        layer = self.layer
        return bool(self.overlay.visible and layer.visible and len(self._axes()) == 2)

    def _axes(self) -> list[int]:
        """The layer's axes that are on the canvas, down and across; none in three dimensions."""
        seen = self.layer._slice_input
        return list(seen.displayed) if seen.ndisplay == 2 else []

    def _on_visible_change(self, event: Any = None) -> None:
        self.node.visible = self._should_be_visible()

    def _on_slice_change(self, event: Any = None) -> None:
        self._on_strokes_change()
        self._on_visible_change()

    def _on_strokes_change(self, event: Any = None) -> None:
        strokes, axes = self.overlay.strokes, self._axes()
        if self._drawn[0] is strokes and self._drawn[1] == axes:
            return
        self._drawn = (strokes, axes)
        if strokes is None or len(axes) != 2:
            self.node.set_pixels(None)
        else:
            self.node.set_pixels(strokes.pixels.T if axes == [1, 0] else strokes.pixels)

    def reset(self) -> None:
        super().reset()
        self._on_strokes_change()

    def close(self) -> None:
        self.overlay.events.strokes.disconnect(self._on_strokes_change)
        super().close()


overlay_to_visual[HatchOverlay] = _VispyHatchOverlay


def hatch(layer: Image, strokes: Strokes | None) -> None:
    """Hatch pixels of a layer in the place of those that are; None for none.

    Parameters
    ----------
    layer : napari.layers.Image
        Without coarser levels.
    strokes : Strokes or None
        Of the layer's pixels.
    """
    known = layer._overlays.get(_NAME)
    if known is not None:
        if known.strokes is not strokes:
            known.strokes = strokes
        known.visible = strokes is not None
    elif strokes is not None:
        layer._overlays[_NAME] = HatchOverlay(strokes=strokes, visible=True)


def strokes_on(layer: Image) -> Strokes | None:
    """How a layer is hatched just now."""
    known = layer._overlays.get(_NAME)
    return known.strokes if known is not None and known.visible else None
