"""Turns images and maps into layers (place, units, names, colours, limits, metadata) and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...data.flags import DOUBTS, Flag, shares_in_words, shares_of_doubt
from ...data.galaxy import BandImage
from ...data.maps import PropertyMaps
from ...data.properties import PROPERTIES, Property, get_property
from ...exceptions import InputError
from . import colormaps as colours
from .pyramids import full_resolution, levels_of
from .sky_plane import Reference, ThreadWCS, sky_affine

if TYPE_CHECKING:
    from napari.layers import Layer

METADATA_KEY = "galaxy_maps"
UNITS = ("arcsec", "arcsec")
AXIS_LABELS = ("north offset", "west offset")

Kind = Literal["image", "step", "map", "truth", "compare", "overlay"]
View = Literal["map", "error", "residual", "truth", "truth error"]
_RANK = {"image": 0, "step": 1, "truth": 2, "map": 3, "compare": 4, "overlay": 5}
VIEWS: dict[View, str] = {
    "map": "Map",
    "error": "Uncertainty",
    "residual": "Residual",
    "truth": "Truth",
}
"""What a map's layer can be switched to, and what a person calls it."""
_OF_TRUTH: dict[View, View] = {"map": "truth", "error": "truth error"}
"""What the views of a truth that has layers of its own are called."""
_SUFFIX = {
    "map": "",
    "error": " uncertainty",
    "residual": " residual",
    "truth": " truth",
    "truth error": " truth uncertainty",
}
NO_STROKES: Mapping[Flag, str] = MappingProxyType({})
_CAPTION = {
    "error": "uncertainty of {}",
    "residual": "{}, prediction minus truth",
    "truth": "{}, truth",
    "truth error": "uncertainty of {}, truth",
}


@dataclass(frozen=True)
class Key:
    """Which thing a layer shows: its kind, its band or property, and what else tells it from others
    of that kind.

    Attributes
    ----------
    kind : str
        What sort of thing it is: a result's map and a truth have a layer a property.
    name : str
        The band or the property.
    source : str
        Which step, result or truth it is of.
    view : str
        For a layer that stays with one view of a map, which; empty for the one that is switched.
    """

    kind: Kind
    name: str
    source: str = ""
    view: str = ""

    @property
    def rank(self) -> int:
        """Place in the stack of layers: images below, maps on top."""
        return _RANK[self.kind]


def unit_in_words(prop: Property) -> str:
    """A property's unit as a person writes it: ``K``, ``dex``, ``log10 of Msun/kpc²``."""
    argument = (
        prop.log_unit.replace("solMass", "Msun")
        .replace("solLum", "Lsun")
        .replace(" ", "")
        .replace("kpc2", "kpc²")
    )
    return f"log10 of {argument}" if argument else prop.unit


@dataclass(frozen=True)
class Shown:
    """What a layer shows; stands in its metadata, so that nothing is ever found by a layer's name.

    Attributes
    ----------
    key : Key
        Which thing it is.
    content : BandImage or PropertyMaps
        The object itself; for a residual, the maps of residuals.
    label : str
        What the read-out calls it, e.g. ``"WISE_3.4"`` or ``"LOG_SMD"``.
    unit : str
        Unit of the values.
    sky : ThreadWCS
        Its coordinates.
    view : str
        Which side of a map is shown just now.
    made_by : str
        The result or the file that a map is of, e.g. ``"dust-forest"``; empty for images.
    beside : Shown, optional
        What it is compared with, side by side.
    """

    key: Key
    content: BandImage | PropertyMaps
    label: str
    unit: str
    sky: ThreadWCS = field(repr=False)
    view: View = "map"
    made_by: str = ""
    beside: Shown | None = None

    @property
    def caption(self) -> str:
        """What a map is, in words, its unit, what it is made by, and how much of it is doubtful."""
        return self.caption_with()

    def caption_with(self, strokes: Mapping[Flag, str] = NO_STROKES) -> str:
        """The caption of a map whose doubtful pixels are hatched.

        Parameters
        ----------
        strokes : mapping of Flag to str
            How the strokes of each doubt run; empty where nothing is hatched.
        """
        prop = PROPERTIES.get(self.key.name)
        if prop is None:
            return f"{self.label} ({self.unit})"
        kind = _CAPTION.get(self.view, "{}").format(prop.label)
        unit = unit_in_words(prop)
        if self.view not in ("map", "truth"):
            unit = prop.unit
        doubt = self._doubt_in_words(strokes)
        return ", ".join(filter(None, (f"{kind} ({unit})", self.made_by, doubt)))

    def _doubt_in_words(self, strokes: Mapping[Flag, str]) -> str:
        if self.beside is not None:  # the shares of both sides stand beside their names
            both = {**self.doubt, **self.beside.doubt}
            found = dict.fromkeys(f"{DOUBTS[bit]} {strokes[bit]}" for bit in both if bit in strokes)
            text = ", ".join(found)
        elif strokes or self.view in ("map", "error"):
            text = shares_in_words(self.doubt, strokes)
        else:
            text = ""
        return f"hatched: {text}" if text and strokes else text

    @cached_property
    def doubt(self) -> dict[Flag, float]:
        """Which share of the galaxy's pixels is doubtful, and why; empty for an image."""
        return shares_of_doubt(self.flags) if self.flags is not None else {}

    def layer_name(self, galaxy: str) -> str:
        """What its layer is called: what differs from layer to layer comes first."""
        return " ".join(filter(None, (self.label, self.made_by, galaxy)))

    @property
    def error(self) -> np.ndarray | None:
        """1-sigma errors that belong to the values, where there are any."""
        content, name = self.content, self.key.name
        if not isinstance(content, PropertyMaps) or name not in content.errors:
            return None
        of_values = self.view in ("map", "truth", "residual")
        return content.whole(name, error=True) if of_values else None

    @property
    def tail(self) -> float | None:
        """For an uncertainty, the sigmas within which 95 % of the errors are, where that was
        measured.
        """
        if isinstance(self.content, PropertyMaps) and self.view in ("error", "truth error"):
            return self.content.tails.get(self.key.name)
        return None

    @property
    def flags(self) -> np.ndarray | None:
        """Bits of `flags.Flag`, where there are any."""
        return self.content.flags if isinstance(self.content, PropertyMaps) else None

    @property
    def unknown_flags(self) -> Mapping[int, str]:
        """Bits of a newer program among these, with their meanings."""
        return self.content.unknown_flags if isinstance(self.content, PropertyMaps) else {}


@dataclass(frozen=True)
class LayerSpec:
    """All that an image layer is made of; made in a worker, turned into a layer in the main
    thread.

    Attributes
    ----------
    data : ndarray, shape (ny, nx)
        The values.
    levels : tuple of ndarray
        Coarser levels of a large image, see `pyramids.levels_of`.
    """

    key: Key
    name: str
    data: np.ndarray
    affine: np.ndarray
    limits: tuple[float, float]
    shown: Shown
    colormap: str = "gray"
    softening: float | None = None
    visible: bool = True
    opacity: float = 1.0
    levels: tuple[np.ndarray, ...] = ()

    @property
    def layer_data(self) -> np.ndarray | list[np.ndarray]:
        """What the layer is given: the values, or all levels from the finest down."""
        return [self.data, *self.levels] if self.levels else self.data

    def make_colormap(self) -> Any:
        """The napari colour map (or its name)."""
        if self.softening is not None:
            return colours.asinh_colormap(self.softening, self.colormap)
        if self.colormap == colours.DIVERGING:
            return colours.diverging_colormap()
        return self.colormap

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of `napari.layers.Image`."""
        return {
            "name": self.name,
            "multiscale": bool(self.levels),
            "affine": self.affine,
            "units": UNITS,
            "axis_labels": AXIS_LABELS,
            "colormap": self.make_colormap(),
            "contrast_limits": self.limits,
            "visible": self.visible,
            "opacity": self.opacity,
            "metadata": {METADATA_KEY: self.shown},
        }

    def switched_off(self) -> LayerSpec:
        """The same layer, switched off."""
        return replace(self, visible=False)

    def as_layer_data(self) -> tuple[np.ndarray | list[np.ndarray], dict[str, Any], str]:
        """What an npe2 reader gives back."""
        return self.layer_data, self.arguments(), "image"


def shown_in(layer: Layer) -> Shown | None:
    """What of ours `layer` shows, or None."""
    shown = layer.metadata.get(METADATA_KEY)
    return shown if isinstance(shown, Shown) else None


def image_spec(
    image: BandImage,
    reference: Reference,
    galaxy_name: str = "",
    *,
    step: str = "",
    visible: bool = True,
) -> LayerSpec:
    """The layer of an image in a band, or of what a preparing step made of it.

    Parameters
    ----------
    image : BandImage
        The image.
    reference : tuple of float
        RA and Dec in degrees where the tangent plane touches.
    galaxy_name : str
        Stands in the layer's name.
    step : str
        Name of the preparing step that made it, or empty for the image as read.
    visible : bool
        Whether the layer is switched on.

    Raises
    ------
    InputError
        When the image cannot be placed beside the others.
    """
    low, high, softening = colours.stretch_limits(image.data)
    key = Key("step", image.band.name, step) if step else Key("image", image.band.name)
    label = f"{image.band.name} {step}".strip()
    shown = Shown(key, image, label, "MJy/sr", ThreadWCS(image.wcs))
    return LayerSpec(
        key=key,
        name=shown.layer_name(galaxy_name),
        data=image.data,
        affine=sky_affine(image.wcs, image.shape, reference),
        limits=(low, high),
        shown=shown,
        softening=softening,
        visible=visible,
        levels=levels_of(image.data),
    )


def map_specs(
    maps: PropertyMaps,
    reference: Reference,
    galaxy_name: str = "",
    *,
    view: View = "map",
    kind: Literal["map", "truth"] = "map",
    source: str = "",
    made_by: str = "",
    apart: bool = False,
    usual: bool = False,
    beside: PropertyMaps | None = None,
    names: Iterable[str] | None = None,
    visible: str | None = None,
) -> list[LayerSpec]:
    """The layers of one view of maps, one a property, with what was filled under masks.

    Parameters
    ----------
    maps : PropertyMaps
        Maps, whose uncertainties are the view ``"error"``; residuals or a truth for the views that
        are called so.
    reference : tuple of float
        RA and Dec in degrees where the tangent plane touches.
    galaxy_name : str
        Stands in the layers' names.
    view : str
        What the layers show.
    kind : str
        Whether they are the layers of a result or those of a truth.
    source, made_by : str
        Which result or truth: its key, and what a person calls it.
    apart : bool
        The layers stay with this view, beside those that are switched.
    usual : bool
        Whether the colours span each property's usual range, rather than that of the galaxy.
    beside : PropertyMaps, optional
        Maps whose range the colours span in the place of these, so that both can be compared.
    names : iterable of str, optional
        The properties wanted; all by default. Those without this view are passed over.
    visible : str, optional
        The one property whose layer is switched on.
    """
    affine = sky_affine(maps.wcs, maps.shape, reference)
    sky = ThreadWCS(maps.wcs)
    error = view in ("error", "truth error")
    there = maps.errors if error else maps.values
    specs = []
    for name in names or maps.values:
        if name not in there:
            continue
        prop, data = get_property(name), maps.whole(name, error)
        limits, colormap = _colours(maps, name, view, usual, beside)
        key = Key(kind, name, source, view if apart else "")
        seen = _OF_TRUTH.get(view, view) if kind == "truth" else view
        shown = Shown(key, maps, prop.name + _SUFFIX[seen], prop.unit, sky, seen, made_by)
        layer_name = shown.layer_name(galaxy_name)
        specs.append(
            LayerSpec(
                key, layer_name, data, affine, limits, shown, colormap, visible=name == visible
            )
        )
    return specs


def _colours(
    maps: PropertyMaps, name: str, view: View, usual: bool, beside: PropertyMaps | None
) -> tuple[tuple[float, float], str]:
    """The colour limits of a map and the name of its colour map."""
    prop = get_property(name)
    if view == "residual":
        return colours.residual_limits(maps.values[name]), colours.DIVERGING
    if view in ("error", "truth error"):
        return colours.error_limits(maps.errors[name]), "cividis"
    if usual:
        return prop.limits, prop.colormap
    of = beside if beside is not None and name in beside.values else maps
    return colours.galaxy_limits(of.values[name], of.flags, prop.limits), prop.colormap


def maps_from_layers(
    layers: Sequence[tuple[np.ndarray, Mapping[str, Any]]],
) -> tuple[PropertyMaps, list[str]]:
    """Back from layers to the maps that they show, errors, flags and provenance included.

    Parameters
    ----------
    layers : sequence of (data, attributes)
        Attributes as npe2 writers get them: ``name`` and ``metadata`` are used.

    Returns
    -------
    maps : PropertyMaps
        The properties whose map is among the layers; the values are the layers' own, those under
        masks apart.
    left_out : list of str
        Names of layers that have no place in a file of maps.

    Raises
    ------
    InputError
        When no layer shows a map, or they come from several results.
    """
    found: list[tuple[Shown, np.ndarray]] = []
    left_out: list[str] = []
    for data, attributes in layers:
        shown = (attributes.get("metadata") or {}).get(METADATA_KEY)
        if (
            isinstance(shown, Shown)
            and isinstance(shown.content, PropertyMaps)
            and shown.key.name in PROPERTIES
        ):
            found.append((shown, full_resolution(data)))
        else:
            left_out.append(str(attributes.get("name", "a layer")))
    # A file holds one result. Predictions go first: who saves all layers wants them, not their
    # residuals.
    for views in (("map", "error"), ("truth", "truth error"), ("residual",)):
        if any(shown.view in views for shown, _ in found):
            break
    else:
        raise InputError(
            "None of the layers to save shows a map; select layers that Predict or a maps file "
            "made."
        )
    left_out += [shown.label for shown, _ in found if shown.view not in views]
    found = [(shown, data) for shown, data in found if shown.view in views]
    contents = {id(shown.content): shown.content for shown, _ in found}
    if len(contents) > 1:
        raise InputError(
            "The layers to save come from different results; select those of one and save them "
            "apart."
        )
    maps = next(iter(contents.values()))
    assert isinstance(maps, PropertyMaps)
    names = dict.fromkeys(shown.key.name for shown, _ in found)
    values = {name: maps.whole(name) for name in names}
    errors = {name: maps.whole(name, error=True) for name in names if name in maps.errors}
    shared = {name: maps.galaxy_errors[name] for name in names if name in maps.galaxy_errors}
    for shown, data in found:
        if data.shape != maps.shape:
            raise InputError(
                f"The layer of {shown.label} has another shape than its map; open or predict it "
                "again."
            )
        (errors if "error" in shown.view else values)[shown.key.name] = data.astype(
            np.float32, copy=False
        )
    return _apart_again(replace(maps, values=values, errors=errors, galaxy_errors=shared)), left_out


def _apart_again(maps: PropertyMaps) -> PropertyMaps:
    """Maps of whole planes with what lies under masks apart, where `maps.filling` has it."""
    filling = maps.filling
    if filling is None:
        return maps
    values, errors = (
        {name: np.array(plane) for name, plane in planes.items()}
        for planes in (maps.values, maps.errors)
    )
    shared = {
        name: plane for name, plane in filling.galaxy_errors.items() if name in maps.galaxy_errors
    }
    kept = replace(
        filling,
        values=filling.taken_from(values),
        errors=filling.taken_from(errors),
        galaxy_errors=shared,
    )
    return replace(maps, values=values, errors=errors, filling=kept)
