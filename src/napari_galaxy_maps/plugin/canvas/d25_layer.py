"""The D25 ellipse drawn on the sky: a shape that a person moves, resizes and turns, and the
recipe's numbers, kept the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.galaxy import Ellipse
from ...exceptions import GalaxyMapsError
from ..eventloop.idle_queue import next_turn
from ..ground import sky_shapes, viewers
from ..ground.sky_shapes import Outline, ellipse_corners, ellipse_of
from ..ground.window_words import words_of
from ..state.project import Project
from .layer_register import LayerRegister
from .sky_overlay import SkyOverlay, bind_undo

if TYPE_CHECKING:
    from napari.layers import Shapes

_YELLOW = (1.0, 0.85, 0.2, 1.0)
_PIXELS = 2.0
_FIRST_RADIUS = 120.0
"""Pixels on the screen of an ellipse of which nothing is known."""
_SMALL = 100.0
"""Pixels on the screen under which an ellipse is looked at closer."""


class D25Layer:
    """Keeps the shape and the recipe's D25 ellipse the same.

    Parameters
    ----------
    project : Project
        Whose galaxy it is.
    layers : LayerRegister
        Of the viewer in which it is drawn.
    """

    def __init__(self, project: Project, layers: LayerRegister):
        self.project, self.layers = project, layers
        self.overlay = SkyOverlay(layers, "D25", _YELLOW[:3])
        project.recipe_changed.connect(self.follow)

    @property
    def layer(self) -> Shapes | None:
        """The layer, or None where there is none (any more)."""
        return self.overlay.layer

    def put_aside(self) -> bool:
        """Whether the ellipse is shown."""
        return self.layer is not None

    def take_up(self, state: bool | None) -> None:
        """Go on with another galaxy, whose ellipse is shown again where it was before."""
        if self.layer is not None:
            self.layers.remove(self.layer)
        ellipse = self.in_recipe
        if state and ellipse is not None and self.project.reference is not None:
            self._make(ellipse)

    @property
    def in_recipe(self) -> Ellipse | None:
        """The ellipse that the recipe has."""
        galaxy = self.project.recipe.galaxy
        if galaxy.ra is None or galaxy.dec is None or galaxy.d25 is None:
            return None
        a = galaxy.d25 * 30
        return Ellipse(galaxy.ra, galaxy.dec, a, a * galaxy.axis_ratio, galaxy.position_angle)

    def draw(self) -> None:
        """Show the ellipse to be edited, begun anew where none is known yet."""
        if self.project.reference is None:
            self.project.show_message("Open an image first; then the ellipse can be drawn on it.")
            return
        if self.in_recipe is None:
            self._write(self._first())
        ellipse, layer = self.in_recipe, self.layer
        if ellipse is None:
            return
        if layer is None:
            layer = self._make(ellipse)
        camera, _ = viewers.camera_and_scale_bar(self.layers.viewer)
        if 2 * ellipse.a * camera.zoom < _SMALL:  # too small to take hold of
            camera.center = tuple(layer.data[0].mean(axis=0))
            camera.zoom = _FIRST_RADIUS / ellipse.a
        layer.visible = True
        self.layers.activate(layer)
        layer.mode = "select"
        sky_shapes.reselect(layer, {0})

    def _make(self, ellipse: Ellipse) -> Shapes:
        layer = self.overlay.make([self._outline(ellipse)])
        layer.events.data.connect(self._on_data)
        bind_undo(layer, self.project)
        return layer

    def follow(self) -> None:
        """Draw what the recipe has now; where that is nothing, take the layer away."""
        layer = self.layer
        if layer is None or self.overlay.quiet:
            return
        ellipse = self.in_recipe
        if ellipse is None or self.project.reference is None:
            self.layers.remove(layer)
            return
        self.overlay.draw([self._outline(ellipse)])
        with self.overlay.quietly():
            sky_shapes.reselect(layer, {0} if str(layer.mode) == "select" else set())

    def _first(self) -> Ellipse:
        """The ellipse that was measured, else a circle at the galaxy's position or in the middle of
        the view.
        """
        measured = self.project.measured_ellipse()
        if measured is not None:
            return measured
        assert self.project.reference is not None
        galaxy = self.project.recipe.galaxy
        camera, _ = viewers.camera_and_scale_bar(self.layers.viewer)
        ra, dec = sky_shapes.sky_position(camera.center[-2:], self.project.reference)
        if galaxy.ra is not None and galaxy.dec is not None:
            ra, dec = galaxy.ra, galaxy.dec
        radius = _FIRST_RADIUS * self.overlay.scale
        return Ellipse(ra, dec, radius, radius, 0.0)

    def _write(self, ellipse: Ellipse) -> None:
        """Write an ellipse into the recipe, no finer than a hand can draw."""
        try:
            self.project.set_recipe(
                "galaxy",
                ra=round(ellipse.ra, 6),
                dec=round(ellipse.dec, 6),
                d25=float(f"{ellipse.a / 30:.4g}"),
                axis_ratio=min(1.0, max(0.01, round(ellipse.b / ellipse.a, 3))),
                position_angle=round(ellipse.pa, 1),
            )
        except GalaxyMapsError as error:
            self.project.show_problem(words_of(error))
            return
        self.project.make_galaxy()
        self.project.show_problem(self.project.galaxy_problem)

    def _on_data(self, event: Any) -> None:
        layer = self.layer
        if self.overlay.quiet or layer is None or self.project.reference is None:
            return
        action = str(getattr(event.action, "value", event.action))
        if action == "removed" and layer.nshapes == 0:
            next_turn(self._gone)
        elif action in ("changed", "added") and layer.nshapes:
            corners = np.asarray(
                layer.data[-1], float
            )  # what is drawn anew takes the place of what was there
            drawn = ellipse_of(corners, self.project.reference) if corners.shape == (4, 2) else None
            if drawn is not None and drawn.b > 0:
                with self.overlay.quietly():
                    self._write(drawn)
            self.follow()

    def _gone(self) -> None:
        """The shape was deleted: the layer goes, the numbers stay."""
        if self.layer is not None:
            self.layers.remove(self.layer)

    def _outline(self, ellipse: Ellipse) -> Outline:
        assert self.project.reference is not None
        return Outline(
            "ellipse", ellipse_corners(ellipse, self.project.reference), _YELLOW, _PIXELS
        )
