"""Apertures as a napari layer that a person draws and drags, and their rings as outlines that
follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.galaxy import Ellipse
from ...exceptions import InputError
from ...measure.apertures.aperture import Aperture, Vertices
from ..ground import sky_shapes, viewers
from ..ground.sky_plane import Reference
from ..ground.sky_shapes import Outline, ellipse_corners, ellipse_of
from ..ground.window_words import words_of
from ..state.aperture_measurements import ApertureMeasurements
from ..state.project import Project
from .layer_register import LayerRegister
from .sky_overlay import SkyOverlay, bind_undo

if TYPE_CHECKING:
    from napari.layers import Shapes

MAGENTA = (1.0, 0.35, 0.85)
_INK = (1.0, 0.75, 0.95, 1.0)
_PIXELS = 2.0
_MOVED = 2e-3
"""Arcsec; napari keeps corners in single precision."""
_CLICK = 3.0
"""Pixels on the screen under which what was drawn was only a click."""
_CLICKED = 40.0
"""Radius in pixels on the screen of what a click makes."""


def outline_of(
    aperture: Aperture, reference: Reference, alpha: float = 1.0, pixels: float = _PIXELS
) -> Outline:
    """How an aperture is drawn on the plane tangent at `reference`."""
    if isinstance(aperture.shape, Ellipse):
        return Outline(
            "ellipse", ellipse_corners(aperture.shape, reference), (*MAGENTA, alpha), pixels
        )
    return Outline(
        "polygon",
        sky_shapes.polygon_corners(np.array(aperture.shape), reference),
        (*MAGENTA, alpha),
        pixels,
    )


def _reshaped(before: Aperture | None, shape: Ellipse | Vertices) -> Aperture:
    """An aperture of another shape, or a new one."""
    return Aperture(shape) if before is None else replace(before, shape=shape)


class ApertureLayer:
    """Keeps the layer and the apertures the same.

    Parameters
    ----------
    project : Project
        Whose galaxy is measured.
    measurements : ApertureMeasurements
        The apertures.
    layers : LayerRegister
        Of the viewer in which they are drawn.
    """

    def __init__(self, project: Project, measurements: ApertureMeasurements, layers: LayerRegister):
        self.project, self.measurements, self.layers = project, measurements, layers
        self.shapes = SkyOverlay(layers, "apertures", MAGENTA)
        self.rings = SkyOverlay(layers, "rings", MAGENTA)
        self.circles = False
        """Whether what is drawn next is a circle."""
        self._drawn: tuple[Aperture, ...] = ()
        self.measurements.changed.connect(self.sync)
        self.measurements.measured.connect(self._show_rings)
        self.measurements.selection_changed.connect(self._show_selection)

    # The layer -----------------------------------------------------------------------------------

    def make(self) -> Shapes | None:
        """The layer, made if need be; None while nothing on the sky is known."""
        reference = self.project.reference
        if self.shapes.layer is not None or reference is None:
            return self.shapes.layer
        self._drawn = self.measurements.apertures
        layer = self.shapes.make([outline_of(aperture, reference) for aperture in self._drawn])
        layer.mode = "select"
        layer.events.data.connect(self._on_data)
        # In front of napari's own listener, which draws: a circle is round before it is seen.
        layer.events.set_data.connect(self._on_drag, position="first")
        layer.selected_data.events.items_changed.connect(self._on_selected)
        bind_undo(layer, self.measurements)
        self._show_names()
        self._show_rings()
        return layer

    def _show_names(self) -> None:
        """Each aperture is called on the canvas what it is called in the table."""
        layer = self.shapes.layer
        if layer is not None:
            names = [aperture.name for aperture in self._drawn]
            layer.text = (
                {"string": names, "color": _INK, "size": 9, "anchor": "center"} if names else None
            )

    def draw(self, mode: str, circles: bool = False) -> bool:
        """Give the person a tool: a mode of napari's Shapes layers; False while there is no image
        to draw on.
        """
        layer = self.make()
        if layer is None:
            return False
        self.circles = circles
        layer.visible = True
        self.layers.activate(layer)
        layer.mode = mode
        return True

    def show(self, number: int) -> None:
        """Point the camera at an aperture."""
        layer = self.make()
        if layer is None or number >= layer.nshapes:
            return
        corners = np.asarray(layer.data[number])
        camera, _ = viewers.camera_and_scale_bar(self.layers.viewer)
        camera.center = tuple(corners.mean(axis=0))
        size = float(np.ptp(corners, axis=0).max())
        if size > 0 and size * camera.zoom < 12:
            camera.zoom = 60 / size

    def sync(self) -> None:
        """Draw the apertures as they are now."""
        apertures, reference = self.measurements.apertures, self.project.reference
        if reference is None:
            self._drawn = ()
            for overlay in (self.shapes, self.rings):
                overlay.draw([])
            return
        if self.shapes.layer is None:
            if apertures:
                self.make()
            return
        before, self._drawn = self._drawn, apertures
        same = len(before) == len(apertures)
        only = (
            [i for i, (a, b) in enumerate(zip(before, apertures, strict=True)) if a is not b]
            if same
            else None
        )
        self.shapes.draw([outline_of(aperture, reference) for aperture in apertures], only)
        if [aperture.name for aperture in before] != [aperture.name for aperture in apertures]:
            self._show_names()
        self._show_rings()

    def _show_selection(self) -> None:
        layer = self.shapes.layer
        if layer is not None:
            with self.shapes.quietly():
                sky_shapes.reselect(
                    layer, {i for i in self.measurements.selected if i < layer.nshapes}
                )

    def _show_rings(self, moved: tuple[int, Aperture] | None = None) -> None:
        """Draw holes and the rings that the local background is from."""
        reference = self.project.reference
        if reference is None:
            return
        background = self.measurements.options.background
        outlines: list[Outline] = []
        for i, aperture in enumerate(self._drawn):
            if moved is not None and i == moved[0]:
                aperture = moved[1]
            edges = [(aperture.inner, 1.0)] if aperture.inner else []
            edges += [(edge, 0.5) for edge in background] if background else []
            whole = replace(aperture, inner=0.0)
            outlines += [
                outline_of(whole.scaled(0.0, edge), reference, alpha, 1.2) for edge, alpha in edges
            ]
        holes = dict.fromkeys(hole for aperture in self._drawn for hole in aperture.without)
        outlines += [outline_of(hole, reference, 0.7, 1.2) for hole in holes]
        if self.rings.layer is not None:
            self.rings.draw(outlines)
        elif outlines:
            layer = self.rings.make(outlines)
            layer.editable = False
            layer.mouse_pan = True

    # From the layer to the apertures -------------------------------------------------------------

    def _aperture(self, layer: Shapes, number: int) -> Aperture:
        """The aperture as its shape stands on the canvas.

        Raises
        ------
        InputError
            When it is none, such as a line.
        """
        reference = self.project.reference
        assert reference is not None
        before = self._drawn[number] if number < len(self._drawn) else None
        corners, kind = np.asarray(layer.data[number], float), layer.shape_type[number]
        if kind == "ellipse":
            size = float(np.ptp(corners, axis=0).max())
            if before is None and size < _CLICK * self.shapes.scale:
                corners = sky_shapes.box_corners(corners.mean(axis=0), _CLICKED * self.shapes.scale)
            shape = ellipse_of(corners, reference)
            circle = (
                self.circles
                if before is None
                else isinstance(before.shape, Ellipse) and before.shape.a == before.shape.b
            )
            if circle:
                radius = (shape.a + shape.b) / 2
                shape = Ellipse(shape.ra, shape.dec, radius, radius)
            return _reshaped(before, shape)
        if kind not in ("polygon", "rectangle"):
            raise InputError("A line holds nothing; draw circles, ellipses or polygons.")
        vertices = sky_shapes.polygon_vertices(corners, reference)
        return _reshaped(before, tuple(map(tuple, vertices.tolist())))

    def _has_moved(self, layer: Shapes, number: int) -> bool:
        reference = self.project.reference
        assert reference is not None
        before = outline_of(self._drawn[number], reference).corners
        now = np.asarray(layer.data[number], float)
        return before.shape != now.shape or bool(np.abs(before - now).max() > _MOVED)

    def _on_selected(self, *_: Any) -> None:
        layer = self.shapes.layer
        if not self.shapes.quiet and layer is not None:
            self.measurements.select(sorted(i for i in layer.selected_data if i < len(self._drawn)))

    def _on_drag(self, *_: Any) -> None:
        """The one that is dragged is measured where it is held."""
        layer = self.shapes.layer
        if self.shapes.quiet or layer is None or not getattr(layer, "_is_moving", False):
            return
        if layer._is_creating:
            self._round(layer)
            return
        for number in layer.selected_data:
            if number < len(self._drawn) and self._has_moved(layer, number):
                try:
                    aperture = self._aperture(layer, number)
                except InputError:
                    continue
                self.measurements.drag(number, aperture)
                if aperture.inner or self.measurements.options.background:
                    self._show_rings((number, aperture))

    def _round(self, layer: Shapes) -> None:
        """A circle that is being drawn stays round, about where it was begun; napari would make an
        ellipse of it.
        """
        number, start = layer.nshapes - 1, getattr(layer, "_fixed_vertex", None)
        at = getattr(layer, "_moving_coordinates", None)
        if not self.circles or start is None or at is None or layer.shape_type[number] != "ellipse":
            return
        start = np.asarray(start, float)[-2:]
        radius = float(np.hypot(*(np.asarray(at, float)[-2:] - start)))
        with self.shapes.quietly():
            layer._data_view.edit(
                number, sky_shapes.box_corners(start, max(radius, _CLICK / 2 * self.shapes.scale))
            )
            sky_shapes.reselect(layer, {number})

    def _on_data(self, event: Any) -> None:
        layer = self.shapes.layer
        if self.shapes.quiet or layer is None:
            return
        action = str(getattr(event.action, "value", event.action))
        numbers: Sequence[int] = (
            [i % (layer.nshapes or 1) for i in event.data_indices] if action != "removed" else []
        )
        if action == "changed":
            self._take_changed(layer, numbers)
        elif action == "added":
            self._take_added(layer)
        elif action == "removed":
            gone = {i % (len(self._drawn) or 1) for i in event.data_indices}
            kept = [aperture for i, aperture in enumerate(self._drawn) if i not in gone]
            self._drawn = tuple(kept)
            if len(kept) < len(self.measurements.apertures):
                self.measurements.change(kept, "the deletion", ())

    def _take_changed(self, layer: Shapes, numbers: Sequence[int]) -> None:
        apertures = list(self._drawn)
        for number in numbers:
            if number < len(apertures) and self._has_moved(layer, number):
                try:
                    apertures[number] = self._aperture(layer, number)
                except InputError as error:
                    self.project.show_problem(words_of(error))
        if any(a is not b for a, b in zip(apertures, self._drawn, strict=True)):
            self.measurements.change(apertures, "the change")

    def _take_added(self, layer: Shapes) -> None:
        """What was drawn; a line or a polygon without area goes again."""
        added = []
        for number in range(len(self._drawn), layer.nshapes):
            try:
                added.append(self._aperture(layer, number))
            except InputError as error:
                self.project.show_problem(words_of(error))
        if added:
            self.measurements.add(added, "what was drawn")
        elif layer.nshapes > len(self._drawn):
            reference = self.project.reference
            assert reference is not None
            self.shapes.draw([outline_of(aperture, reference) for aperture in self._drawn])
