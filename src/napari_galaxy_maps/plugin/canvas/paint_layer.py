"""Freehand masks as napari Labels layers, brush and eraser in hand: one for all bands, one for each
band that has its own.
"""

from __future__ import annotations

import copy
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from ...prepare.masks.mask_set import Patch
from ..ground.layer_specs import AXIS_LABELS, UNITS, Key, shown_in
from ..ground.sky_plane import sky_affine
from ..state.mask_history import MaskHistory
from ..state.project import Project
from .layer_register import LayerRegister
from .sky_overlay import bind_undo

if TYPE_CHECKING:
    from napari.layers import Labels, Layer

Bands = tuple[str, ...]

_COLOUR = (1.0, 0.25, 0.35, 1.0)
_BRUSH_FWHM = 1.5


class PaintedMasks:
    """Keeps the layers and the painted masks the same.

    Parameters
    ----------
    project : Project
        Whose images are masked.
    masks : MaskHistory
        The masks.
    layers : LayerRegister
        Of the viewer in which they are painted.
    """

    def __init__(self, project: Project, masks: MaskHistory, layers: LayerRegister):
        self.project, self.masks, self.layers = project, masks, layers
        self._layers: dict[Bands, weakref.ref[Labels]] = {}
        self._grids: dict[Bands, Any] = {}
        self._drawn: dict[Bands, Patch | None] = {}
        self._dismissed: set[Bands] = set()
        self._quiet = False
        masks.changed.connect(self.sync)
        layers.removed.connect(self._on_removed)

    def layer(self, bands: Bands) -> Labels | None:
        """The layer that paints the mask of some bands, or None where there is none."""
        layer = self._layers[bands]() if bands in self._layers else None
        return layer if layer is not None and self.layers.holds(layer) else None

    def owns(self, layer: Layer) -> bool:
        """Whether a layer is one of these."""
        return any(reference() is layer for reference in self._layers.values())

    def begin(self, mode: str = "paint") -> bool:
        """Give the person a brush, or an eraser, for the band that is looked at, or for all; False
        while there is no image to paint on.
        """
        band = self.masks.band
        bands: Bands = (band,) if band else ()
        layer = self.layer(bands)
        if layer is None:
            self._dismissed.discard(bands)
            patch = self._patch(bands) or self._blank(bands)
            if patch is None:
                return False
            layer = self._make(patch)
        layer.visible = True
        self.layers.activate(layer)
        layer.selected_label = 1
        layer.mode = mode
        return True

    def put_aside(self) -> set[Bands]:
        """The masks whose layers a person has taken away."""
        return self._dismissed

    def take_up(self, state: set[Bands] | None) -> None:
        """Go on with another galaxy, whose masks are on other pixels."""
        for layer in [self.layer(bands) for bands in self._layers]:
            if layer is not None:
                self.layers.remove(layer)
        for table in (self._layers, self._grids, self._drawn):
            table.clear()
        self._dismissed = state or set()

    def _on_removed(self, layer: Any) -> None:
        """A layer was taken away: if it was one of these, it comes back only when somebody asks for
        it.
        """
        self._dismissed |= {
            bands for bands, reference in self._layers.items() if reference() is layer
        }

    def _patch(self, bands: Bands) -> Patch | None:
        now = self.masks.now
        return (
            next((patch for patch in now.patches if patch.bands == bands), None)
            if now is not None
            else None
        )

    def _blank(self, bands: Bands) -> Patch | None:
        """An empty mask on the pixels of the image that is looked at."""
        layers = {key: layer for key, layer in self.layers.shown().items() if key.kind == "image"}
        if bands:
            key: Key | None = Key("image", bands[0])
        else:
            on = [key for key, layer in layers.items() if layer.visible]
            key = on[-1] if on else self.layers.best_image(layers)
        layer = layers.get(key) if key is not None else None
        shown = shown_in(layer) if layer is not None else None
        if layer is None or shown is None:
            return None
        # A copy of its own: astropy's WCS is not thread-safe.
        return Patch(np.zeros(layer.data.shape, bool), copy.deepcopy(shown.sky.get()), bands)

    def _make(self, patch: Patch) -> Labels:
        from astropy.wcs.utils import proj_plane_pixel_area
        from napari.layers import Labels
        from napari.utils.colormaps import DirectLabelColormap

        reference = self.project.reference
        assert reference is not None
        wcs = copy.deepcopy(patch.wcs)
        colours = {None: (0, 0, 0, 0), 0: (0, 0, 0, 0), 1: _COLOUR}
        layer = Labels(
            patch.data.astype(np.uint8),
            affine=sky_affine(wcs, patch.data.shape, reference),
            units=UNITS,
            axis_labels=AXIS_LABELS,
            colormap=DirectLabelColormap(color_dict=colours),
            opacity=0.45,
        )
        fwhm = max(
            (image.fwhm for name, image in self._images().items() if patch.bands in ((), (name,))),
            default=6.0,
        )
        layer.brush_size = int(
            np.clip(_BRUSH_FWHM * fwhm / np.sqrt(proj_plane_pixel_area(wcs)) / 3600, 3, 40)
        )
        bands = patch.bands
        self._layers[bands], self._grids[bands] = weakref.ref(layer), patch.wcs
        self._drawn[bands] = self._patch(bands)
        self.layers.add_overlay(layer, " ".join(("painted mask", *bands)))
        layer.events.paint.connect(lambda _, bands=bands: self._on_paint(bands))
        bind_undo(layer, self.masks)
        return layer

    def _images(self) -> dict[str, Any]:
        return dict(self.project.galaxy.images) if self.project.galaxy is not None else {}

    def _on_paint(self, bands: Bands) -> None:
        layer = self.layer(bands)
        if layer is None or self._quiet:
            return
        patch = Patch(np.asarray(layer.data) != 0, self._grids[bands], bands)
        self._drawn[bands] = patch if patch.data.any() else None
        self.masks.paint(patch)

    def sync(self) -> None:
        """Show the painted masks as they are now."""
        if self.project.reference is None:
            return
        patches = {
            patch.bands: patch for patch in (self.masks.now.patches if self.masks.now else ())
        }
        for bands in {*patches, *self._layers}:
            patch, layer = patches.get(bands), self.layer(bands)
            if layer is None:
                if patch is not None and bands not in self._dismissed:
                    self._make(patch)
            elif patch is not self._drawn.get(bands):
                self._redraw(layer, bands, patch)

    def _redraw(self, layer: Labels, bands: Bands, patch: Patch | None) -> None:
        if patch is not None and (
            patch.data.shape != layer.data.shape or patch.wcs is not self._grids[bands]
        ):
            in_hand, mode = self.layers.viewer.layers.selection.active is layer, layer.mode
            self.layers.remove(layer)
            self._dismissed.discard(bands)
            layer = self._make(patch)
            if in_hand:  # the brush goes on painting
                self.layers.activate(layer)
                layer.mode = mode
            return
        self._quiet = True
        try:
            layer.data[...] = 0 if patch is None else patch.data
            layer._reset_history()  # napari's own Undo would bring back what is not there any more
            layer.refresh()
        finally:
            self._quiet = False
        self._drawn[bands] = patch
