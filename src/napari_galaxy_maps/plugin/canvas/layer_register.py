"""Which layer shows what: puts images and maps into layers, finds them again whatever they are
called, and keeps order among them.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from ...data.galaxy import BandImage
from ...data.maps import PropertyMaps
from ...data.properties import PROPERTIES
from ..eventloop.idle_queue import IdleQueue
from ..ground import viewers
from ..ground.layer_specs import METADATA_KEY, Key, LayerSpec, shown_in
from ..state.project import Project
from . import status_bar
from .canvas_legend import CanvasLegend, learn_letters

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

    def __init__(self, viewer: ViewerModel, project: Project, idle: IdleQueue):
        self._viewer = weakref.ref(viewer)
        self._project = project
        self._idle = idle
        self._layers: dict[Key, weakref.ref[Layer]] = {}
        self._overlays: dict[str, weakref.ref[Layer]] = {}
        self._given_names: dict[Key, str] = {}
        self._arranged = False
        self._unplaced = False
        self._legend = CanvasLegend(self._viewer, idle)
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
        scale_bar.visible = True
        learn_letters(self._viewer)

    # Finding -------------------------------------------------------------------------------------

    def layer(self, key: Key) -> Layer | None:
        """The layer that shows `key`, whatever it is called now; None where there is none any
        more.
        """
        reference = self._layers.get(key)
        layer = reference() if reference else None
        return layer if layer is not None and layer in self.viewer.layers else None

    def shown(self) -> dict[Key, Layer]:
        """All that is shown, by key."""
        return {key: layer for key in list(self._layers) if (layer := self.layer(key)) is not None}

    def overlays(self) -> dict[str, Layer]:
        """The layers of `add_overlay` that are there, by label."""
        there = {label: reference() for label, reference in self._overlays.items()}
        return {
            label: layer
            for label, layer in there.items()
            if layer is not None and layer in self.viewer.layers
        }

    def looked_at(self) -> Key | None:
        """The map, uncertainty or residual that is switched on; the uppermost of several."""
        on = [
            key
            for key, layer in self.shown().items()
            if key.kind in ("map", "error", "residual") and layer.visible
        ]
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
        if layer is not None:
            return _update(layer, spec)
        from napari.layers import Image

        self.arrange()
        layer = Image(spec.data, **spec.arguments())
        self._given_names[spec.key] = spec.name
        layers = self.viewer.layers
        above = [
            i
            for i, other in enumerate(layers)
            if (s := shown_in(other)) and s.key.rank > spec.key.rank
        ]
        off = in_a_row and not layer.visible
        self._unplaced |= off
        with viewers.unselected(layers, len(layers) > 0), viewers.unplaced(self.viewer, off):
            layers.insert(min(above, default=self._below_overlays()), layer)
        if layer.visible:
            self._legend.later()
        return layer

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
        """Put a layer of circles or the like over all others, under the galaxy's name; what is
        selected stays so.

        A layer that is switched off is left to `place_layers`.

        Parameters
        ----------
        layer : napari.layers.Layer
            In arcsec on the tangent plane, as the images are.
        label : str
            What it is called beside the galaxy's name; a layer of that label that is there already
            is forgotten.
        """
        layer.name = f"{self._project.name} {label}".strip()
        self._overlays[label] = weakref.ref(layer)
        self._unplaced |= not layer.visible
        with (
            viewers.unselected(self.viewer.layers, len(self.viewer.layers) > 0),
            viewers.unplaced(self.viewer, not layer.visible),
        ):
            self.viewer.layers.append(layer)
        self._given_names[Key("overlay", label)] = layer.name
        status_bar.install(layer, self._viewer)

    def place_layers(self) -> None:
        """Put layers that were inserted switched off in their place on the canvas."""
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
        images = [k for k in layers if k.kind == "image"]
        below = next((k for k in reversed(images) if layers[k].visible), None) or self.best_image(
            images
        )
        keep = {key} if key.kind == "image" else {key, below}
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

    def fit(self, key: Key) -> None:
        """Point the camera at one layer, whole."""
        layer = self.layer(key)
        if layer is None:
            return
        if hasattr(self.viewer, "fit_to_view"):
            self.viewer.fit_to_view(layers=[layer])
        else:  # napari < 0.7 fits all layers only
            self.viewer.reset_view()

    # Names ---------------------------------------------------------------------------------------

    def rename(self) -> None:
        """Put the galaxy's name into the names that nobody has changed by hand."""
        name = self._project.name
        for key, layer in self.shown().items():
            if layer.name == self._given_names.get(key):
                shown = shown_in(layer)
                if shown is not None and not key.kind.startswith("truth"):
                    layer.name = f"{name} {shown.label}".strip()
                    self._given_names[key] = layer.name
        for label, layer in self.overlays().items():
            key = Key("overlay", label)
            if layer.name == self._given_names.get(key):
                layer.name = self._given_names[key] = f"{name} {label}".strip()

    # Coming and going ----------------------------------------------------------------------------

    def clear(self) -> None:
        """Take all that is shown away; what else is in the viewer stays."""
        for layer in (*self.shown().values(), *self.overlays().values()):
            self.remove(layer)

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
            self._layers[shown.key] = weakref.ref(layer)
            self._given_names.setdefault(shown.key, layer.name)
        status_bar.install(layer, self._viewer)
        layer.events.visible.connect(self._legend.later)
        if isinstance(shown.content, BandImage | PropertyMaps):
            self._project.place(shown.content)
        if shown.key.kind == "truth" and isinstance(shown.content, PropertyMaps):
            self._project.add_truth(shown.key.source or layer.name, shown.content)
        self.changed.emit()

    def _on_removed(self, event: Any) -> None:
        self.removed.emit(event.value)
        key = next((k for k, ref in self._layers.items() if ref() is event.value), None)
        if key is None:
            return
        del self._layers[key]
        self._given_names.pop(key, None)
        self._legend.later()
        if not self.shown() and not self.overlays() and not self._idle.busy:
            self._project.forget_place()
        self.changed.emit()


def _update(layer: Layer, spec: LayerSpec) -> Layer:
    """New data into a layer that is there: its name, visibility and colours stay as the person
    left them.
    """
    old = layer.metadata.get(METADATA_KEY)
    layer.metadata = {**layer.metadata, METADATA_KEY: spec.shown}
    layer.data = spec.data
    if not np.array_equal(layer.affine.affine_matrix, spec.affine):
        layer.affine = spec.affine
    if spec.key.kind in ("image", "step", "residual", "error") and old is not None:
        # Limits that follow from the data follow it; the maps' own are the property's usual
        # range.
        layer.contrast_limits_range = (
            min(layer.contrast_limits_range[0], spec.limits[0]),
            max(layer.contrast_limits_range[1], spec.limits[1]),
        )
        layer.contrast_limits = spec.limits
        if spec.softening is not None:
            layer.colormap = spec.make_colormap()
    return layer
