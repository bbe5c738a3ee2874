"""The circles and polygons of the masks as a napari layer that a person edits with napari's own
tools.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ...fits_io.ds9_regions import Polygon
from ...prepare.masks import mask_edits
from ...prepare.masks.mask_edits import Item
from ...prepare.stars.star_list import Star
from ..eventloop.idle_queue import IdleQueue
from ..ground import sky_shapes, viewers
from ..ground.sky_shapes import Outline
from ..state.mask_history import MaskHistory, name_of
from ..state.project import Project
from .layer_register import LayerRegister
from .sky_overlay import SkyOverlay, bind_undo

if TYPE_CHECKING:
    from napari.layers import Shapes

CYAN, ORANGE, GREY = (0.25, 0.9, 1.0), (1.0, 0.6, 0.1), (0.75, 0.75, 0.75)
GREEN = (0.45, 1.0, 0.45)
_MOVED = 2e-3
"""Arcsec; napari keeps corners in single precision."""
_RESIZED = 1e-3
_CLICK = 3.0
"""Pixels on the screen under which a drawn circle was only a click."""
_CLICKED_FWHM = 1.5


class StarCircles:
    """Keeps the layer and the masks the same; only shapes that have changed are drawn anew.

    Parameters
    ----------
    project : Project
        Whose images are masked.
    masks : MaskHistory
        The masks.
    layers : LayerRegister
        Of the viewer in which they are drawn.
    idle : IdleQueue
        In which the first circles are drawn.
    """

    def __init__(
        self, project: Project, masks: MaskHistory, layers: LayerRegister, idle: IdleQueue
    ):
        self.project, self.masks, self.layers, self._idle = project, masks, layers, idle
        self.overlay = SkyOverlay(layers, "stars", CYAN)
        self._drawn: list[Item] = []
        self._band_drawn = ""
        self._dismissed = False
        self._later = False
        """Whether the circles of another galaxy wait to be drawn."""
        self._on = True
        """Whether the layer was switched on before."""
        layers.removed.connect(self._on_removed)
        self.masks.changed.connect(self.sync)
        self.masks.band_changed.connect(self.sync)
        self.masks.selection_changed.connect(self._show_selection)

    # The layer -----------------------------------------------------------------------------------

    @property
    def layer(self) -> Shapes | None:
        """The layer, or None where there is none (any more)."""
        return self.overlay.layer

    def make(self, visible: bool = True) -> Shapes | None:
        """The layer, made if need be, and then switched on or off; None while nothing on the sky is
        known.
        """
        layer = self.layer
        if layer is not None or self.project.reference is None:
            return layer
        self._dismissed = False
        self._drawn, self._band_drawn = self._wanted(), self.masks.band
        layer = self.overlay.make([self._outline(item) for item in self._drawn], visible)
        layer.mode = "select"
        layer.events.data.connect(self._on_data)
        layer.events.features.connect(self._on_features)
        # In front of napari's own listener, which draws: a circle that is dragged is round before
        # it is seen.
        layer.events.set_data.connect(self._on_redraw, position="first")
        layer.selected_data.events.items_changed.connect(self._on_selected)
        bind_undo(layer, self.masks)
        self._show_selection()
        return layer

    def put_aside(self) -> bool:
        """Whether a person has taken the layer away."""
        return self._dismissed

    def take_up(self, state: bool | None) -> None:
        """Go on with another galaxy; its circles are drawn a turn after its image."""
        self._dismissed = bool(state)
        layer = self.layer
        if layer is None:
            return
        if not self._later:
            with viewers.unplaced(self.layers.viewer):
                layer.visible, self._on = False, layer.visible
        self._later = True
        self._idle.add([self._draw_later])

    def _draw_later(self) -> None:
        layer, later = self.layer, self._later
        self._later = False
        if layer is None or not later:
            return
        self.sync()
        if self._on:
            with viewers.unplaced(self.layers.viewer):
                layer.visible = True

    def begin(self, mode: str) -> bool:
        """Give the person a tool, a mode of napari's Shapes layers; False while there is no image
        to draw on.
        """
        layer = self.make()
        if layer is None:
            return False
        layer.visible = True
        self.layers.activate(layer)
        layer.mode = mode
        return True

    def _on_removed(self, layer: Any) -> None:
        """A layer was taken away: if it was this one, it comes back only when somebody asks for
        it.
        """
        if self.overlay.owns(layer):
            self._dismissed = True

    def _wanted(self) -> list[Item]:
        band = self.masks.band
        polygons = [
            item
            for item in self.masks.items
            if isinstance(item, Polygon) and (not band or item.band in ("", band))
        ]
        stars = [
            item for item in self.masks.items if isinstance(item, Star) and self.radius(item) > 0
        ]
        # Small ones over large ones, so that each can be clicked.
        return [*polygons, *sorted(stars, key=self.radius, reverse=True)]

    def radius(self, star: Star) -> float:
        """Radius in arcsec of the circle that is drawn for a star."""
        return mask_edits.radius_of(star, self.masks.band, self.project.bands)

    def _outline(self, item: Item) -> Outline:
        assert self.project.reference is not None
        colour, pixels = _style(item)
        if isinstance(item, Star):
            corners = sky_shapes.circle_corners(
                (item.ra, item.dec), self.radius(item), self.project.reference
            )
            return Outline("ellipse", corners, colour, pixels)
        corners = sky_shapes.polygon_corners(item.vertices, self.project.reference)
        return Outline("polygon", corners, colour, pixels)

    # From the masks to the layer -----------------------------------------------------------------

    def sync(self, dirty: Sequence[int] = ()) -> None:
        """Draw what has changed since the last time, and the shapes in `dirty` whatever they
        show.
        """
        if self._later:
            return
        layer = self.layer
        wanted = self._wanted()
        if layer is None:
            if wanted and not self._dismissed and self.project.reference is not None:
                self._idle.add([self._make_in_turn])
            return
        known, new = {id(item) for item in self._drawn}, {id(item) for item in wanted}
        gone = [i for i, item in enumerate(self._drawn) if id(item) not in new]
        fresh = [item for item in wanted if id(item) not in known]
        if self.masks.band != self._band_drawn:
            dirty = range(len(self._drawn))
        anew = {i for i in dirty if i not in gone}
        while gone and fresh:
            i = gone.pop(0)
            self._drawn[i] = fresh.pop(0)
            anew.add(i)
        scale = self.overlay.scale
        with self.overlay.quietly():
            if anew:
                sky_shapes.redraw(layer, {i: self._outline(self._drawn[i]) for i in anew}, scale)
            if gone:
                layer.remove(gone)
                self._drawn = [item for i, item in enumerate(self._drawn) if i not in gone]
            if fresh:
                sky_shapes.add_outlines(layer, [self._outline(item) for item in fresh], scale)
                self._drawn += fresh
        self.overlay.widths = [_style(item)[1] for item in self._drawn]
        self._band_drawn = self.masks.band
        self._show_selection()

    def _make_in_turn(self) -> None:
        if self._dismissed or self.layer is not None:
            return
        layer = self.make(visible=False)
        if layer is not None:
            # A first shape costs the canvas 90 ms to paint: not in the turn that paints its row in
            # the list of layers, nor in one.
            parts = viewers.painted_parts(self.layers.viewer, layer)
            for part in parts:
                part.visible = False
            tasks = [partial(setattr, part, "visible", True) for part in parts]
            self._idle.add([self.layers.place_layers, self._switch_on, *tasks])

    def _switch_on(self) -> None:
        layer = self.layer
        if layer is not None:
            layer.visible = True
            layer.mode = "select"  # napari lets no layer that is switched off be in it

    def _show_selection(self) -> None:
        layer = self.layer
        if layer is None:
            return
        numbers = {
            i for i, item in enumerate(self._drawn) if mask_edits.same_as(item, self.masks.selected)
        }
        with self.overlay.quietly():
            sky_shapes.reselect(layer, numbers)

    def show(self, item: Item) -> None:
        """Point the camera at an item, closer if it would be too small to see."""
        layer = self.make()
        if layer is None:
            return
        corners = self._outline(item).corners
        camera, _ = viewers.camera_and_scale_bar(self.layers.viewer)
        camera.center = tuple(corners.mean(axis=0))
        size = float(np.ptp(corners, axis=0).max())
        if size > 0 and size * camera.zoom < 12:
            camera.zoom = 60 / size

    # From the layer to the masks -----------------------------------------------------------------

    def _on_selected(self, *_: Any) -> None:
        layer = self.layer
        if not self.overlay.quiet and layer is not None:
            numbers = sorted(layer.selected_data)
            self.masks.select([self._drawn[i] for i in numbers if i < len(self._drawn)])

    def _on_data(self, event: Any) -> None:
        layer = self.layer
        if self.overlay.quiet or layer is None:
            return
        action = str(getattr(event.action, "value", event.action))
        if action == "changed":
            self._take_changed(layer, [i for i in event.data_indices if i < len(self._drawn)])
        elif action == "removed":
            gone = {i % (len(self._drawn) or 1) for i in event.data_indices}
            items = [item for i, item in enumerate(self._drawn) if i in gone]
            self._drawn = [item for i, item in enumerate(self._drawn) if i not in gone]
            self.masks.delete(items)
        elif action == "added":
            self._take_added(layer)

    def _on_features(self, *_: Any) -> None:
        """Pasted shapes are signalled in no other way."""
        layer = self.layer
        if not self.overlay.quiet and layer is not None and not layer._is_creating:
            self._take_added(layer)

    def _take_changed(self, layer: Shapes, numbers: Sequence[int]) -> None:
        changes: list[tuple[Item, Item | None]] = []
        data = layer.data
        for i in numbers:
            old = self._drawn[i]
            new = self._as_drawn(old, data[i], alone=len(numbers) == 1)
            if new is not old:
                changes.append((old, new))
        if changes:
            description = (
                f"the change of {name_of(changes[0][0])}"
                if len(changes) == 1
                else "the change of several"
            )
            self.masks.edit(description, changes)
        self.sync(numbers)  # as they are to be: round, unrotated

    def _as_drawn(self, item: Item, corners: np.ndarray, alone: bool) -> Item:
        """The item as a person has left its shape; the item itself where that is no change."""
        reference = self.project.reference
        assert reference is not None
        before = self._outline(item).corners
        if isinstance(item, Polygon):
            if corners.shape == before.shape and np.abs(corners - before).max() < _MOVED:
                return item
            return replace(item, vertices=sky_shapes.polygon_vertices(corners, reference))
        old_centre, old_radius = sky_shapes.circle_of(before)
        centre, radius = sky_shapes.circle_of(corners)
        star = item
        larger = abs(radius - old_radius) > _RESIZED * old_radius + _MOVED
        if larger:
            star = mask_edits.resized(star, radius, self.masks.band, self.project.bands)
        # A circle that is made larger by one of its handles stays where it is: it is the same star.
        if np.abs(centre - old_centre).max() > _MOVED and not (larger and alone):
            ra, dec = sky_shapes.sky_position(centre, reference)
            star = mask_edits.moved(star, ra, dec)
        return star

    def _take_added(self, layer: Shapes) -> None:
        """What a person has drawn: an ellipse is a circle, any other area a polygon."""
        reference = self.project.reference
        if reference is None or layer.nshapes <= len(self._drawn):
            return
        added: list[Item] = []
        useless: list[int] = []
        for i in range(len(self._drawn), layer.nshapes):
            corners, kind = layer.data[i], layer.shape_type[i]
            if kind == "ellipse":
                added.append(self._circle_drawn(corners, added))
            elif kind in ("polygon", "rectangle") and len(corners) > 2:
                vertices = sky_shapes.polygon_vertices(corners, reference)
                added.append(
                    Polygon(vertices, self.masks.band, f"drawn {len(self.masks.items) + 1}")
                )
            else:
                useless.append(i)
        with self.overlay.quietly():
            if useless:
                layer.remove(useless)
                self.project.show_message(
                    "A line masks nothing; draw circles (ellipses), rectangles or polygons."
                )
        first = len(self._drawn)
        self._drawn += added
        if added:
            description = f"adding {name_of(added[0])}" if len(added) == 1 else "adding several"
            self.masks.edit(description, added=added)
            self.sync(range(first, len(self._drawn)))

    def _circle_drawn(self, corners: np.ndarray, others: Sequence[Item]) -> Star:
        project = self.project
        assert project.reference is not None
        centre, radius = sky_shapes.circle_of(corners)
        if radius < _CLICK * self.overlay.scale:
            radius = self.usual_radius()
        place = sky_shapes.sky_position(centre, project.reference)
        known = mask_edits.exchanged(self.masks.now, added=others)
        return mask_edits.circle_by_hand(known, place, radius, self.masks.band, project.bands)

    def usual_radius(self) -> float:
        """Radius in arcsec of a circle that is asked for without a size: what a star of the band,
        or the sharpest, spans.
        """
        galaxy, band = self.project.galaxy, self.masks.band
        images = dict(galaxy.images) if galaxy is not None else {}
        widths = [
            image.fwhm for name, image in images.items() if band in ("", name) and image.fwhm > 0
        ]
        return _CLICKED_FWHM * (max(widths) if widths else 6.0)

    # While a person drags ------------------------------------------------------------------------

    def _on_redraw(self, *_: Any) -> None:
        """A circle that is drawn or made larger stays round, about its middle; napari would make an
        ellipse of it.
        """
        layer = self.layer
        if self.overlay.quiet or layer is None or not getattr(layer, "_is_moving", False):
            return
        moving: tuple[Any, Any] = getattr(layer, "_moving_value", (None, None))
        number, handle = moving
        at = getattr(layer, "_moving_coordinates", None)
        if at is None or handle is None or handle > 7 or len(layer.selected_data) != 1:
            return
        if number not in layer.selected_data or layer.shape_type[number] != "ellipse":
            return
        place = np.asarray(at, float)[-2:]
        if number < len(self._drawn):
            centre = sky_shapes.circle_of(self._outline(self._drawn[number]).corners)[0]
            away = np.abs(place - centre)
            # A handle in a corner of the box is √2 radii away from the middle, one on a side is one
            # radius away.
            radius = float(np.hypot(*away) / np.sqrt(2) if handle % 2 == 0 else away.max())
        else:
            start = getattr(layer, "_fixed_vertex", None)
            if start is None:
                return
            centre = np.asarray(start, float)
            radius = float(np.hypot(*(place - centre)))
        radius = max(radius, _CLICK / 2 * self.overlay.scale)
        with self.overlay.quietly():
            layer._data_view.edit(number, sky_shapes.box_corners(centre, radius))
            sky_shapes.reselect(layer, {number})


def _style(item: Item) -> tuple[tuple[float, float, float, float], float]:
    """Colour and width of an item's line: the doubtful stand out, what does not mask is faint, what
    frees its pixels is green.
    """
    if item.enabled and isinstance(item, Polygon) and item.frees:
        return (*GREEN, 1.0), 1.6
    if item.enabled:
        return ((*ORANGE, 1.0), 2.8) if item.flag else ((*CYAN, 1.0), 1.6)
    return ((*ORANGE, 0.55), 2.0) if item.flag else ((*GREY, 0.55), 1.0)
