"""Which layer shows what: puts images and maps into layers, finds them again whatever they are
called, and keeps order among them.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from ...data.galaxy import BandImage
from ...data.maps import PropertyMaps
from ...data.properties import PROPERTIES
from ..eventloop.idle_queue import IdleQueue
from ..ground import viewers
from ..ground.colormaps import paint, spread
from ..ground.layer_specs import METADATA_KEY, Key, LayerSpec, View, shown_in
from ..ground.pyramids import put_data
from ..state.project import Project
from . import status_bar
from .canvas_legend import CanvasLegend, learn_letters
from .doubtful_pixels import DoubtfulPixels
from .shown_galaxy import ShownGalaxy

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


class LayerRegister:
    """The layers of one viewer that show something of ours.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Held weakly.
    project : Project
        Gives the galaxy's name and the tangent plane; takes truths that are opened as layers.
    idle : IdleQueue
        In which layers are shown one by one.
    """

    changed = Signal()
    """A layer of ours came or went."""
    removed = Signal(object)
    """Any layer was taken out of the viewer."""
    focused = Signal()
    """One thing is to be looked at in the place of others."""

    def __init__(self, viewer: ViewerModel, project: Project, idle: IdleQueue):
        self._viewer = weakref.ref(viewer)
        self._project = project
        self._idle = idle
        self._galaxy = ShownGalaxy()
        """The layers of the galaxy that is looked at."""
        self._overlay_names: dict[str, str] = {}
        self._overlays: dict[str, weakref.ref[Layer]] = {}
        """Circles and the like: they show what belongs to the galaxy that is looked at."""
        self._arranged = False
        self._unplaced = False
        self.doubtful = DoubtfulPixels(self._viewer, idle)
        self._legend = CanvasLegend(self._viewer, idle, self.doubtful)
        project.name_changed.connect(self.rename)
        viewer.layers.events.inserted.connect(self._on_inserted)
        viewer.layers.events.removed.connect(self._on_removed)
        for layer in viewer.layers:
            self._adopt(layer)

    # The viewer ----------------------------------------------------------------------------------

    @property
    def viewer(self) -> ViewerModel:
        """The viewer; raises `RuntimeError` once it is gone."""
        viewer = self._viewer()
        if viewer is None:
            raise RuntimeError("The viewer is closed.")
        return viewer

    @property
    def is_closed(self) -> bool:
        """Whether the viewer is gone, or has lost its window."""
        viewer = self._viewer()
        return viewer is None or viewers.is_closed(viewer)

    @property
    def has_window(self) -> bool:
        """Whether the viewer has a window, in which work can go on by itself."""
        return not self.is_closed and hasattr(self.viewer, "window")

    def holds(self, layer: Layer) -> bool:
        """Whether a layer is in the viewer, which may be gone."""
        viewer = self._viewer()
        return viewer is not None and layer in viewer.layers

    def remove(self, layer: Layer) -> None:
        """Take a layer out of the viewer."""
        self.viewer.layers.remove(layer)

    def activate(self, layer: Layer) -> None:
        """Select a layer alone, so that its tools are at hand."""
        self.viewer.layers.selection.active = layer

    def arrange(self) -> None:
        """North up and east left, a scale bar in arcsec; once, so that a person's own choice
        stays.
        """
        if self._arranged:
            return
        self._arranged = True
        camera, scale_bar = viewers.camera_and_scale_bar(self.viewer)
        camera.orientation2d = ("up", "right")
        scale_bar.visible, scale_bar.position = True, "bottom_left"  # not under notifications
        learn_letters(self._viewer)

    # Finding -------------------------------------------------------------------------------------

    def layer(self, key: Key) -> Layer | None:
        """The layer that shows `key`, whatever it is called now; None where there is none any
        more.
        """
        reference = self._galaxy.layers.get(key)
        layer = reference() if reference else None
        return layer if layer is not None and layer in self.viewer.layers else None

    def shown(self) -> dict[Key, Layer]:
        """All that is shown, by key."""
        return {
            key: layer
            for key in list(self._galaxy.layers)
            if (layer := self.layer(key)) is not None
        }

    def overlays(self) -> dict[str, Layer]:
        """The layers of `add_overlay` that are there, by label."""
        there = {label: reference() for label, reference in self._overlays.items()}
        return {
            label: layer
            for label, layer in there.items()
            if layer is not None and layer in self.viewer.layers
        }

    def looked_at(self) -> Key | None:
        """The map of a result that is switched on; the uppermost of several."""
        on = [key for key, layer in self.shown().items() if key.kind == "map" and layer.visible]
        return max(on, key=lambda key: (key.rank, list(PROPERTIES).index(key.name)), default=None)

    @staticmethod
    def best_image(keys: Iterable[Key]) -> Key | None:
        """The image to look at first: the normalising band, else the last."""
        keys = list(keys)
        for name in ("WISE_3.4", "Spitzer_3.6"):
            for key in keys:
                if key.name == name:
                    return key
        return keys[-1] if keys else None

    # Showing -------------------------------------------------------------------------------------

    def show(self, spec: LayerSpec, in_a_row: bool = False) -> Layer:
        """Put `spec` into the layer that shows its key already, else into a new one; main thread
        only.

        Parameters
        ----------
        spec : LayerSpec
            What is shown.
        in_a_row : bool
            Others follow, and `place_layers` after them all.
        """
        layer = self.layer(spec.key)
        if layer is not None and layer.multiscale == bool(spec.levels):
            return self._update(layer, spec)
        if layer is not None:
            spec = self._make_room(layer, spec)
        from napari.layers import Image

        self.arrange()
        layer = Image(spec.layer_data, **spec.arguments())
        galaxy = self._galaxy
        galaxy.given_names[spec.key] = spec.name
        layer.name = galaxy.own_names.pop(spec.key, spec.name)
        known = galaxy.colours.get((spec.key, spec.shown.view))
        if known is not None:
            paint(layer, *known)
        if galaxy.visible.pop(spec.key, None) is not None:
            layer.visible = True
        layers = self.viewer.layers
        above = [
            i
            for i, other in enumerate(layers)
            if (s := shown_in(other)) and s.key.rank > spec.key.rank
        ]
        off = in_a_row and not layer.visible
        self._unplaced |= off
        self._insert(layer, min(above, default=self._below_overlays()), off, not in_a_row)
        if spec.name == layer.name.removesuffix(f" [{layer.name[-2:-1]}]"):
            galaxy.given_names[spec.key] = layer.name  # napari tells two of one name apart
        if layer.visible:
            self._legend.later()
        return layer

    def _insert(self, layer: Layer, at: int, unplaced: bool, select: bool = True) -> None:
        """Insert a layer without selecting it, but for the first, if that is wanted; where napari
        points the camera at its first layer, it is pointed again to where the galaxy was left.
        """
        layers, camera = self.viewer.layers, self._galaxy.camera
        lone = not layers
        off = not (lone and select)
        with viewers.unselected(layers, off), viewers.unplaced(self.viewer, unplaced):
            layers.insert(at, layer)
        if lone and camera is not None:
            self._point_camera(camera)

    def _below_overlays(self) -> int:
        """Where a layer goes that is to be uppermost but for circles and painted masks."""
        layers, overlays = self.viewer.layers, list(self.overlays().values())
        at = len(layers)
        while at and layers[at - 1] in overlays:
            at -= 1
        return at

    def show_later(
        self, specs: Iterable[LayerSpec], done: Callable[[], None] | None = None
    ) -> None:
        """Show layers one per turn of the event loop (a layer costs 70 ms), then call `done` in
        another.
        """
        tasks: list[Callable[[], Any]] = [partial(self.show, spec, in_a_row=True) for spec in specs]
        if tasks:
            tasks.append(self.place_layers)
        self._idle.add(tasks if done is None else [*tasks, done])

    @property
    def busy_showing(self) -> bool:
        """Whether layers wait for their turn."""
        return self._idle.busy

    def add_overlay(self, layer: Layer, label: str) -> None:
        """Put a layer of circles or the like over all others; what is selected stays so.

        A layer that is switched off is left to `place_layers`.

        Parameters
        ----------
        layer : napari.layers.Layer
            In arcsec on the tangent plane, as the images are.
        label : str
            What it is called beside the galaxy's name; a layer of that label that is there already
            is forgotten.
        """
        layer.name = f"{label} {self._project.name}".strip()
        self._overlays[label] = weakref.ref(layer)
        self._unplaced |= not layer.visible
        self._insert(layer, len(self.viewer.layers), not layer.visible)
        self._overlay_names[label] = layer.name
        status_bar.install(layer, self._viewer)

    def place_layers(self) -> None:
        """Put layers that were inserted switched off in their place on the canvas, and select one
        of a row where none is: its tools take as long to show as the layer itself.
        """
        viewers.select_one(self.viewer)
        if self._unplaced:
            self._unplaced = False
            viewers.place_layers(self.viewer)

    def focus(self, key: Key, select: bool = True) -> None:
        """Switch the layer of `key` on over one image, and every other one of ours off; where it is
        not selected, a tool in hand stays there.
        """
        layers = self.shown()
        if key not in layers:
            return
        self.focused.emit()
        self._galaxy.visible.clear()
        images = [k for k in layers if k.kind == "image"]
        below = next((k for k in reversed(images) if layers[k].visible), None) or self.best_image(
            images
        )
        keep = {key} if key.kind == "image" else {key, below}
        with viewers.unplaced(self.viewer):
            for other, layer in layers.items():
                if layer.visible != (other in keep):
                    layer.visible = other in keep
        # The rest in turns of its own: a first colour bar and a first text cost 130 and 40 ms.
        self.show_later([], partial(self._select, key) if select else None)
        self._legend.later()

    def _select(self, key: Key) -> None:
        layer = self.layer(key)
        if layer is not None:
            self.activate(layer)

    def fit(self, *keys: Key) -> None:
        """Point the camera at some layers, whole."""
        layers = [layer for layer in map(self.layer, keys) if layer is not None]
        if not layers:
            return
        if hasattr(self.viewer, "fit_to_view"):
            self.viewer.fit_to_view(layers=layers)
        else:  # napari < 0.7 fits all layers only
            self.viewer.reset_view()

    # Names ---------------------------------------------------------------------------------------

    def rename(self) -> None:
        """Put the galaxy's name into the names that nobody has changed by hand."""
        name = self._project.name
        for key, layer in self.shown().items():
            if layer.name == self._galaxy.given_names.get(key):
                shown = shown_in(layer)
                if shown is not None:
                    layer.name = shown.layer_name(name)
                    self._galaxy.given_names[key] = layer.name
        for label, layer in self.overlays().items():
            if layer.name == self._overlay_names.get(label):
                layer.name = f"{label} {name}".strip()
                self._overlay_names[label] = layer.name

    # Coming and going ----------------------------------------------------------------------------

    def put_aside(self) -> ShownGalaxy:
        """The layers of the galaxy, which of them are on and where the camera points."""
        galaxy = self._galaxy
        camera, _ = viewers.camera_and_scale_bar(self.viewer)
        galaxy.camera = (tuple(float(v) for v in camera.center[-2:]), float(camera.zoom))
        for key, layer in self.shown().items():
            shown = shown_in(layer)
            if shown is None:
                continue
            galaxy.remember(key, layer)
            if layer.visible:
                galaxy.visible[key] = shown.view
        return galaxy

    def state_now(self) -> ShownGalaxy:
        """How the galaxy is shown just now, for a session; it goes on being looked at."""
        awaited = dict(self._galaxy.visible)
        state = copy(self.put_aside())
        self._galaxy.visible = awaited
        return state

    def take_up(self, state: ShownGalaxy | None) -> None:
        """Switch the layers of the galaxy off, and those of another one on that were on before."""
        with viewers.unplaced(self.viewer):
            for layer in self.shown().values():
                if layer.visible:
                    layer.visible = False
            galaxy = self._galaxy = state or ShownGalaxy()
            shown = self.shown()
            on = [key for key in galaxy.visible if key in shown]
            for key in on:
                shown[key].visible = True
                del galaxy.visible[key]
        if galaxy.camera is not None:
            self._point_camera(galaxy.camera)
        self.rename()
        self._legend.later()
        if on:
            self.show_later([], partial(self._select, max(on, key=lambda key: key.rank)))

    def _point_camera(self, where: tuple[tuple[float, ...], float]) -> None:
        camera, _ = viewers.camera_and_scale_bar(self.viewer)
        camera.center, camera.zoom = where

    @property
    def awaited(self) -> dict[Key, View]:
        """The layers that were on when the galaxy was put aside and have to be made again, and the
        view that each showed.
        """
        return self._galaxy.visible

    @property
    def is_new(self) -> bool:
        """Whether the galaxy is looked at for the first time."""
        return self._galaxy.camera is None

    def clear(self) -> None:
        """Take all that the galaxy shows away; what else is in the viewer stays."""
        self.drop(self._galaxy)

    def drop(self, state: ShownGalaxy) -> None:
        """Take all layers of a galaxy away, and remember how they were left."""
        with viewers.unplaced(self.viewer):
            for key, reference in list(state.layers.items()):
                layer = reference()
                if layer is not None and self.holds(layer):
                    state.remember(key, layer)
                    self.remove(layer)
                state.layers.pop(key, None)
                state.given_names.pop(key, None)

    def _on_inserted(self, event: Any) -> None:
        self._adopt(event.value)

    def _adopt(self, layer: Layer) -> None:
        """Take charge of a layer that shows something of ours, wherever it came from: reader,
        sample, duplicate.
        """
        shown = shown_in(layer)
        if shown is None:
            return
        self.arrange()
        if self.layer(shown.key) is None:
            self._galaxy.layers[shown.key] = weakref.ref(layer)
            self._galaxy.given_names.setdefault(shown.key, layer.name)
        status_bar.install(layer, self._viewer)
        layer.events.visible.connect(self._legend.later)
        self.doubtful.follow(layer)
        if isinstance(shown.content, BandImage | PropertyMaps):
            self._project.place(shown.content)
        if shown.key.kind == "truth" and isinstance(shown.content, PropertyMaps):
            self._project.add_truth(shown.key.source or layer.name, shown.content)
        self.changed.emit()

    def _on_removed(self, event: Any) -> None:
        self.removed.emit(event.value)
        key = next((k for k, ref in self._galaxy.layers.items() if ref() is event.value), None)
        if key is None:
            return
        del self._galaxy.layers[key]
        self._galaxy.given_names.pop(key, None)
        self._legend.later()
        if not self.shown() and not self.overlays() and not self._idle.busy:
            self._project.forget_place()
        self.changed.emit()

    # Other data ----------------------------------------------------------------------------------

    def _update(self, layer: Layer, spec: LayerSpec) -> Layer:
        """New data into a layer that is there: its name, visibility and colours stay as the person
        left them, for each view of a map on its own.
        """
        old = shown_in(layer)
        layer.metadata = {**layer.metadata, METADATA_KEY: spec.shown}
        put_data(layer, spec.layer_data)
        if not np.array_equal(layer.affine.affine_matrix, spec.affine):
            layer.affine = spec.affine
        if old is not None and old.view != spec.shown.view:
            self._galaxy.colours[spec.key, old.view] = (
                tuple(layer.contrast_limits),
                layer.colormap,
            )
            limits, colormap = self._galaxy.colours.get(
                (spec.key, spec.shown.view), (spec.limits, spec.make_colormap())
            )
            paint(layer, limits, colormap)
            if layer.name == self._galaxy.given_names.get(spec.key):
                layer.name = self._galaxy.given_names[spec.key] = spec.name
            self._legend.later()
        elif spec.shown.view in ("error", "residual") or spec.key.kind in ("image", "step"):
            # Limits that follow from the data follow it; a map keeps its own while it is edited.
            spread(layer, spec.limits)
            if spec.softening is not None:
                layer.colormap = spec.make_colormap()
        return layer

    def _make_room(self, layer: Layer, spec: LayerSpec) -> LayerSpec:
        """Take a layer away whose data had levels and have none any more, or the other way round,
        which napari cannot change; the one that takes its place is switched on as it was.
        """
        self._galaxy.remember(spec.key, layer)
        if spec.softening is not None:  # its limits follow from the data
            self._galaxy.colours.pop((spec.key, spec.shown.view), None)
        self.remove(layer)
        return replace(spec, visible=layer.visible)

    def recolour(self, spec: LayerSpec) -> None:
        """Give the layer of `spec`, where there is one, the limits that it begins with."""
        self._galaxy.colours = {
            (key, view): known
            for (key, view), known in self._galaxy.colours.items()
            if key != spec.key
        }
        layer = self.layer(spec.key)
        shown = shown_in(layer) if layer is not None else None
        if layer is not None and shown is not None and shown.view == spec.shown.view:
            spread(layer, spec.limits)
