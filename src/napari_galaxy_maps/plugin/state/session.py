"""What one viewer is working on: files, recipe, galaxy, cube, maps, and which layer shows which of
them.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from ...data.galaxy import BandCube, BandImage, Galaxy
from ...data.maps import PropertyMaps
from ...data.recipe import Recipe
from ..canvas import status_bar as readout
from ..canvas.colour_bar import Caption, learn_letters
from ..canvas.paint_layer import Painting
from ..canvas.star_circles import Circles
from ..eventloop.idle_queue import Turns
from ..ground import viewers
from ..ground.layer_specs import METADATA_KEY, Key, LayerSpec, shown_in
from ..ground.sky_plane import Reference, centre_of
from ..jobs.refresh_maps import Following
from ..jobs.reopen_masks import Reopening
from .mask_history import Masking

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from ...fits_io.image_files import ImageFile
    from ...pipeline import FittedTruth
    from ..eventloop.worker import Job

_SESSIONS: weakref.WeakKeyDictionary[ViewerModel, Session] = weakref.WeakKeyDictionary()

_TELL_MS = 100


def session_for(viewer: ViewerModel) -> Session:
    """The session of `viewer`, begun on first use; proxies of a viewer stand for the viewer."""
    viewer = getattr(viewer, "__wrapped__", viewer)
    session = _SESSIONS.get(viewer)
    if session is None:
        session = _SESSIONS[viewer] = Session(viewer)
    return session


def current_session() -> Session | None:
    """The session of the viewer in front, or None where there is no viewer."""
    from napari.viewer import current_viewer

    viewer = current_viewer()
    return session_for(viewer) if viewer is not None else None


class Session:
    """One viewer's work. Widgets read it, change it through its methods, and hear of changes by its
    signals.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Held weakly; the session ends with it.
    """

    files_changed = Signal()
    """The list of files, what is known of them, or which of them are read."""
    recipe_changed = Signal()
    """A setting."""
    galaxy_changed = Signal()
    """The images that a preparation would start from."""
    steps_changed = Signal()
    """What the preparing steps did."""
    cube_changed = Signal()
    maps_changed = Signal()
    truths_changed = Signal()
    """What there is to compare with, or which of it is chosen."""
    layers_changed = Signal()
    job_changed = Signal()
    """A job began or ended; see `job`."""
    started_over = Signal()
    """Another galaxy follows."""
    said = Signal(str)
    """A sentence for the person, beside the notification."""

    def __init__(self, viewer: ViewerModel):
        self._viewer = weakref.ref(viewer)
        self._overlays: dict[str, weakref.ref[Layer]] = {}
        self.masking = Masking()
        self._set_state()
        self.job: Job | None = None
        self._layers: dict[Key, weakref.ref[Layer]] = {}
        self._given_names: dict[Key, str] = {}
        self.turns = Turns(self._viewer)
        self._waiting: list[Callable[[], None]] = []
        self._arranged = False
        self._steps_to_tell = False
        self._unplaced = False
        self._caption = Caption(self._viewer, self.turns)
        self.circles, self.painting, self.following = Circles(self), Painting(self), Following(self)
        self.reopening = Reopening(self)
        viewer.layers.events.inserted.connect(self._on_inserted)
        viewer.layers.events.removed.connect(self._on_removed)
        for layer in viewer.layers:
            self._adopt(layer)

    def _set_state(self) -> None:
        self.recipe = Recipe()
        self.files: list[ImageFile] = []
        self.skipped: list[str] = []
        self.pending_paths: list[Path] = []
        self.excluded: set[str] = set()
        self.images: dict[str, tuple[Any, BandImage]] = {}
        self.failed: dict[str, tuple[Any, str]] = {}
        self.galaxy: Galaxy | None = None
        self.galaxy_problem = ""
        self.cube: BandCube | None = None
        self.memory: Any = None
        self.steps: dict[tuple[str, str], BandImage] = {}
        self.told: dict[str, list[str]] = {}
        self.shown_steps: set[str] = set()
        self.maps: PropertyMaps | None = None
        self.residual: PropertyMaps | None = None
        self.compared: tuple[int, int] | None = None
        self.saved = False
        self.fitted: FittedTruth | None = None
        self.truths: dict[str, PropertyMaps] = {}
        self.truth_name = ""
        self.reference: Reference | None = None

    def start_over(self) -> None:
        """Forget files, settings and results, and take their layers away; what else is in the
        viewer stays.
        """
        if self.job is not None:
            self.job.cancel()
        self._waiting.clear()
        self.turns.clear()
        for layer in (*self.shown().values(), *self.overlays().values()):
            self.viewer.layers.remove(layer)
        self._set_state()
        self.masking.clear()
        for part in (self.circles, self.painting, self.reopening):
            part.forget()
        for signal in (
            self.files_changed, self.recipe_changed, self.galaxy_changed, self.steps_changed, self.cube_changed,
            self.truths_changed, self.maps_changed, self.layers_changed,
        ):  # fmt: skip
            signal.emit()
        self.started_over.emit()
        self.note("")

    # The viewer ------------------------------------------------------------------------------------------------------

    @property
    def viewer(self) -> ViewerModel:
        """The viewer; raises `RuntimeError` once it is gone."""
        viewer = self._viewer()
        if viewer is None:
            raise RuntimeError("The viewer is closed.")
        return viewer

    def arrange(self) -> None:
        """North up and east left, a scale bar in arcsec; once, so that a person's own choice stays."""
        if self._arranged:
            return
        self._arranged = True
        camera, scale_bar = viewers.camera_and_scale_bar(self.viewer)
        camera.orientation2d = ("up", "right")
        scale_bar.visible = True
        learn_letters(self._viewer)

    def place(self, image_or_maps: BandImage | PropertyMaps) -> Reference:
        """Where the tangent plane touches: the middle of the first thing ever shown, while any of
        it is open.
        """
        if self.reference is None:
            self.reference = centre_of(image_or_maps.wcs, image_or_maps.shape)
        return self.reference

    @property
    def name(self) -> str:
        """The galaxy's name as layers carry it: as told, or as all headers have it; else empty."""
        return self.recipe.galaxy.name or self.header_name

    @property
    def header_name(self) -> str:
        """The name that the headers agree on."""
        return self.galaxy.name if self.galaxy is not None and self.galaxy.name != "galaxy" else ""

    @property
    def bands(self) -> tuple[str, ...]:
        """The bands of the galaxy's images."""
        return tuple(self.galaxy.images) if self.galaxy is not None else ()

    # Layers ----------------------------------------------------------------------------------------------------------

    def layer(self, key: Key) -> Layer | None:
        """The layer that shows `key`, whatever it is called now; None where there is none any more."""
        reference = self._layers.get(key)
        layer = reference() if reference else None
        return layer if layer is not None and layer in self.viewer.layers else None

    def shown(self) -> dict[Key, Layer]:
        """All that is shown, by key."""
        return {key: layer for key in list(self._layers) if (layer := self.layer(key)) is not None}

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
            return self._update(layer, spec)
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
            self._caption.later()
        return layer

    def _below_overlays(self) -> int:
        """Where a layer goes that is to be uppermost but for circles and painted masks."""
        layers, overlays = self.viewer.layers, list(self.overlays().values())
        at = len(layers)
        while at and layers[at - 1] in overlays:
            at -= 1
        return at

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
        layer.name = f"{self.name} {label}".strip()
        self._overlays[label] = weakref.ref(layer)
        self._unplaced |= not layer.visible
        with (
            viewers.unselected(self.viewer.layers, len(self.viewer.layers) > 0),
            viewers.unplaced(self.viewer, not layer.visible),
        ):
            self.viewer.layers.append(layer)
        self._given_names[Key("overlay", label)] = layer.name
        readout.install(layer, self._viewer)

    def overlays(self) -> dict[str, Layer]:
        """The layers of `add_overlay` that are there, by label."""
        there = {label: reference() for label, reference in self._overlays.items()}
        return {
            label: layer
            for label, layer in there.items()
            if layer is not None and layer in self.viewer.layers
        }

    def _update(self, layer: Layer, spec: LayerSpec) -> Layer:
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

    def show_later(
        self, specs: Iterable[LayerSpec], done: Callable[[], None] | None = None
    ) -> None:
        """Show layers one per turn of the event loop (a layer costs 70 ms), then call `done` in
        another.
        """
        tasks: list[Callable[[], Any]] = [partial(self.show, spec, in_a_row=True) for spec in specs]
        if tasks:
            tasks.append(self.place_layers)
        self.turns.add(tasks if done is None else [*tasks, done])

    def place_layers(self) -> None:
        """Put layers that were inserted switched off in their place on the canvas."""
        if self._unplaced:
            self._unplaced = False
            viewers.place_layers(self.viewer)

    @property
    def busy_showing(self) -> bool:
        """Whether layers wait for their turn."""
        return self.turns.busy

    def focus(self, key: Key) -> None:
        """Switch the layer of `key` on over one image, and every other one of ours off."""
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
        self.show_later([], lambda: _select(self, key))
        self._caption.later()

    def fit(self, key: Key) -> None:
        """Point the camera at one layer, whole."""
        layer = self.layer(key)
        if layer is None:
            return
        if hasattr(self.viewer, "fit_to_view"):
            self.viewer.fit_to_view(layers=[layer])
        else:  # napari < 0.7 fits all layers only
            self.viewer.reset_view()

    @staticmethod
    def best_image(keys: Iterable[Key]) -> Key | None:
        """The image to look at first: the normalising band, else the last."""
        keys = list(keys)
        for name in ("WISE_3.4", "Spitzer_3.6"):
            for key in keys:
                if key.name == name:
                    return key
        return keys[-1] if keys else None

    def rename(self) -> None:
        """Put the galaxy's new name into the names that nobody has changed by hand."""
        for key, layer in self.shown().items():
            if layer.name == self._given_names.get(key):
                shown = shown_in(layer)
                if shown is not None and not key.kind.startswith("truth"):
                    layer.name = f"{self.name} {shown.label}".strip()
                    self._given_names[key] = layer.name
        for label, layer in self.overlays().items():
            if layer.name == self._given_names.get(Key("overlay", label)):
                layer.name = self._given_names[Key("overlay", label)] = (
                    f"{self.name} {label}".strip()
                )

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
        readout.install(layer, self._viewer)
        layer.events.visible.connect(self._caption.later)
        if self.reference is None and isinstance(shown.content, BandImage | PropertyMaps):
            self.place(shown.content)
        if shown.key.kind == "truth" and isinstance(shown.content, PropertyMaps):
            self.add_truth(shown.key.source or layer.name, shown.content)
        self.layers_changed.emit()

    def _on_removed(self, event: Any) -> None:
        self.circles.removed(event.value)
        self.painting.removed(event.value)
        key = next((k for k, ref in self._layers.items() if ref() is event.value), None)
        if key is None:
            return
        del self._layers[key]
        self._given_names.pop(key, None)
        self._caption.later()
        if not self.shown() and not self.overlays() and not self.turns.busy:
            self.reference = None
        self.layers_changed.emit()

    # State -----------------------------------------------------------------------------------------------------------

    def set_recipe(self, section: str, **values: Any) -> None:
        """Change settings of one section of the recipe.

        Raises
        ------
        RecipeError
            In words, when a value makes no sense; nothing is changed then.
        """
        new = self.recipe.model_copy(deep=True)
        part = getattr(new, section)
        from pydantic import ValidationError

        from ...exceptions import RecipeError

        for key, value in values.items():
            try:
                setattr(part, key, value)
            except ValidationError as error:
                what = type(part).model_fields[key].description
                raise RecipeError(f"{what}: {error.errors()[0]['msg'].lower()}.") from None
        if new == self.recipe:
            return
        renamed = new.galaxy.name != self.recipe.galaxy.name
        self.recipe = new
        if renamed:
            self.rename()
        self.recipe_changed.emit()

    def add_truth(self, name: str, maps: PropertyMaps, choose: bool = False) -> None:
        """Offer `maps` for comparison under `name`."""
        if self.truths.get(name) is not maps:
            self.truths[name] = maps
            if choose:
                self.truth_name = name
            self.truths_changed.emit()
        elif choose:
            self.choose_truth(name)

    def choose_truth(self, name: str) -> None:
        """Compare with the maps offered under `name`; with none when it is empty."""
        if name != self.truth_name:
            self.truth_name = name if name in self.truths else ""
            self.truths_changed.emit()

    @property
    def truth(self) -> PropertyMaps | None:
        """The maps to compare with."""
        return self.truths.get(self.truth_name)

    def note(self, text: str) -> None:
        """Say a sentence in the panels."""
        self.said.emit(text)

    def tell_steps_soon(self) -> None:
        """Tell of the steps in a moment, however many of them end until then: each telling paints
        panels anew.
        """
        if not self._steps_to_tell:
            self._steps_to_tell = True
            from qtpy.QtCore import QTimer

            QTimer.singleShot(_TELL_MS, self._tell_steps)

    def _tell_steps(self) -> None:
        self._steps_to_tell = False
        self.steps_changed.emit()

    def after_job(self, task: Callable[[], None]) -> None:
        """Call `task` once no job is running: at once, or when the one under way has ended."""
        if self.job is None:
            task()
        elif task not in self._waiting:
            self._waiting.append(task)

    @staticmethod
    def later(task: Callable[[], None]) -> None:
        """Call `task` in the next turn of the event loop."""
        from qtpy.QtCore import QTimer

        QTimer.singleShot(0, task)

    def job_ended(self) -> None:
        """The job under way is over; what waited for it follows."""
        self.job = None
        self.job_changed.emit()
        while self._waiting and self.job is None:
            self._waiting.pop(0)()


def _select(session: Session, key: Key) -> None:
    layer = session.layer(key)
    if layer is not None:
        session.viewer.layers.selection.active = layer
