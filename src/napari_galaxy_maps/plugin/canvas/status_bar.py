"""What the status bar says under the pointer: the position on the sky and every visible layer's
value with its unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

import numpy as np

from ...data.flags import NONE_TOLD, bits_of, shares_in_words, words_of
from ...data.galaxy import BandImage
from ..ground.layer_specs import Shown, shown_in
from ..ground.pyramids import full_resolution
from ..ground.sky_plane import position_text

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

SEPARATOR = "  |  "


def number(value: float, digits: int = 3) -> str:
    """`value` with `digits` significant digits, in plain notation where that is short."""
    text = f"{value:.{digits}g}"
    if "e" in text and 1e-3 <= abs(value) < 1e6:
        text = f"{value:.0f}"
    return text


def value_text(shown: Shown, values: np.ndarray, row: int, column: int) -> str:
    """Value, error, unit and flags of one pixel, e.g. ``LOG_SMD -2.91 ± 0.31 dex``.

    Parameters
    ----------
    shown : Shown
        What the layer shows.
    values : ndarray, shape (ny, nx)
        The layer's values.
    row, column : int
        The pixel; outside the image there is no text.
    """
    ny, nx = values.shape
    if not (0 <= row < ny and 0 <= column < nx):
        return ""
    value = float(values[row, column])
    if isinstance(shown.content, BandImage):
        if not np.isfinite(value):
            return f"{shown.label}  not measured"
        mask = shown.content.mask
        note = " (masked)" if mask is not None and mask[row, column] else ""
        return f"{shown.label}  {number(value)} {shown.unit}{note}"
    words = flag_words(shown.flags, row, column, shown.unknown_flags)
    if not np.isfinite(value):
        return f"{shown.label}  no value{words}"
    digits = 2 if shown.unit == "dex" else 1
    text = f"{shown.label} {value:.{digits}f}"
    if shown.error is not None and np.isfinite(shown.error[row, column]):
        text += f" ± {shown.error[row, column]:.{digits}f}"
    wide = f", 95 % within {shown.tail * value:.{digits}f}" if shown.tail is not None else ""
    return f"{text} {shown.unit}{wide}{words}"


def flag_words(
    flags: np.ndarray | None, row: int, column: int, told: Mapping[int, str] = NONE_TOLD
) -> str:
    """The flags set in a pixel, in words and in brackets; empty where none is."""
    if flags is None:
        return ""
    words = [words_of(bit, told) for bit in bits_of(flags[row, column])]
    return f" ({'; '.join(words)})" if words else ""


def pixel_under(layer: Layer, position: Any, world: bool = True) -> tuple[float, float]:
    """Row and column, not rounded, of a layer under a position of the viewer."""
    point = np.asarray(position, dtype=float)[-2:]
    if world:
        point = np.asarray(layer.world_to_data(point), dtype=float)
    return float(point[0]), float(point[1])


def layer_text(layer: Layer, position: Any, world: bool = True) -> str:
    """One layer's value under the pointer, or nothing."""
    shown = shown_in(layer)
    if shown is None:
        return ""
    row, column = pixel_under(layer, position, world)
    if not np.isfinite([row, column]).all():
        return ""
    values = full_resolution(layer.data)
    return value_text(shown, values, int(np.round(row)), int(np.round(column)))


def galaxy_text(layer: Layer) -> str:
    """How much of the galaxy is doubtful in a map, e.g. ``of the galaxy 4% faint``."""
    shown = shown_in(layer)
    words = shares_in_words(shown.doubt) if shown is not None else ""
    return f"of the galaxy {words}" if words else ""


def status(
    layer: Layer, others: Iterable[Layer], position: Any, world: bool = True
) -> tuple[str, str]:
    """Position, and the values of `layer` and of the other visible layers; safe in any thread.

    Parameters
    ----------
    layer : napari.layers.Layer
        The active layer; the position comes from its own WCS, distortions included.
    others : iterable of napari.layers.Layer
        Layers from the bottom up; those that are switched off are passed over.
    position : array-like
        Position in the viewer (`world`) or in the layer's pixels.
    world : bool
        Which of the two.

    Returns
    -------
    where, what : str
        ``RA …  Dec …`` and the values, the images' first; last how much of the galaxy is doubtful
        in the uppermost layer there, if that is a map.
    """
    shown = shown_in(layer)
    if shown is None:
        return "", ""
    row, column = pixel_under(layer, position, world)
    sky = shown.sky.position(column, row)
    where = position_text(*sky) if sky else "off the sky"
    position = position if world else layer.data_to_world((row, column))
    seen = [other for other in others if other.visible or other is layer]
    texts = {other: text for other in seen if (text := layer_text(other, position))}
    doubt = galaxy_text(next(reversed(texts))) if texts else ""
    return where, SEPARATOR.join(filter(None, (*texts.values(), doubt)))


def install(layer: Layer, viewer_ref: ReferenceType[ViewerModel]) -> None:
    """Let the status bar show sky position, value and unit; runs in the main and in the status
    thread.
    """
    original = layer.get_status
    layer_ref = ref(layer)

    def get_status(position: Any = None, *, world: bool = False, **keywords: Any) -> dict[str, str]:
        result = dict(original(position, world=world, **keywords))
        own, viewer = layer_ref(), viewer_ref()
        if position is None or own is None or viewer is None:
            return result
        layers = list(viewer.layers)
        if shown_in(own) is None:  # circles and the like tell of what lies under them
            position = position if world else own.data_to_world(position)
            own, world = (
                next(
                    (layer for layer in reversed(layers) if layer.visible and shown_in(layer)), own
                ),
                True,
            )
        where, what = status(own, layers, position, world)
        if where:
            result["coordinates"] = f"{where}{SEPARATOR}{what}" if what else where
            result["coords"], result["value"] = where, layer_text(own, position, world)
            # The bar is short: the position and the values need the room of the plugin's name.
            result["source_type"] = result["plugin"] = ""
        return result

    layer.get_status = get_status
