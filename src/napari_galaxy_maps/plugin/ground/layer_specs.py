"""Turns images and maps into layers (place, units, names, colours, limits, metadata) and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...data.galaxy import BandImage
from ...data.maps import PropertyMaps
from ...data.properties import PROPERTIES, Property, get_property
from ...exceptions import InputError
from . import colormaps as colours
from .sky_plane import Reference, ThreadWCS, sky_affine

if TYPE_CHECKING:
    from napari.layers import Layer

METADATA_KEY = "galaxy_maps"
UNITS = ("arcsec", "arcsec")
AXIS_LABELS = ("north offset", "west offset")

Kind = Literal["image", "step", "map", "error", "residual", "truth", "truth error", "overlay"]
_RANK = {
    "image": 0,
    "step": 1,
    "truth error": 2,
    "truth": 3,
    "error": 4,
    "residual": 5,
    "map": 6,
    "overlay": 7,
}
_SUFFIX = {
    "map": "",
    "error": " error",
    "residual": " residual",
    "truth": " truth",
    "truth error": " truth error",
}


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
    """

    kind: Kind
    name: str
    source: str = ""

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
    """

    key: Key
    content: BandImage | PropertyMaps
    label: str
    unit: str
    sky: ThreadWCS = field(repr=False)

    @property
    def caption(self) -> str:
        """What a map is, in words, and its unit."""
        prop = PROPERTIES.get(self.key.name)
        if prop is None:
            return f"{self.label} ({self.unit})"
        kind = _CAPTION.get(self.key.kind, "{}").format(prop.label)
        unit = unit_in_words(prop)
        if self.key.kind not in ("map", "truth"):
            unit = prop.unit
        return f"{kind} ({unit})"

    @property
    def error(self) -> np.ndarray | None:
        """1-sigma errors that belong to the values, where there are any."""
        if isinstance(self.content, PropertyMaps):
            return (
                self.content.errors.get(self.key.name)
                if self.key.kind in ("map", "truth", "residual")
                else None
            )
        return None

    @property
    def tail(self) -> float | None:
        """For an uncertainty, the sigmas within which 95 % of the errors are, where that was
        measured.
        """
        if isinstance(self.content, PropertyMaps) and self.key.kind in ("error", "truth error"):
            return self.content.tails.get(self.key.name)
        return None

    @property
    def flags(self) -> np.ndarray | None:
        """Bits of `properties.Flag`, where there are any."""
        return self.content.flags if isinstance(self.content, PropertyMaps) else None


@dataclass(frozen=True)
class LayerSpec:
    """All that an image layer is made of; made in a worker, turned into a layer in the main
    thread.
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

    def as_layer_data(self) -> tuple[np.ndarray, dict[str, Any], str]:
        """What an npe2 reader gives back."""
        return self.data, self.arguments(), "image"


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
        Comes first in the layer's name.
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
    return LayerSpec(
        key=key,
        name=f"{galaxy_name} {label}".strip(),
        data=image.data,
        affine=sky_affine(image.wcs, image.shape, reference),
        limits=(low, high),
        shown=Shown(key, image, label, "MJy/sr", ThreadWCS(image.wcs)),
        softening=softening,
        visible=visible,
    )


def map_specs(
    maps: PropertyMaps,
    reference: Reference,
    galaxy_name: str = "",
    *,
    kind: Literal["map", "truth", "residual"] = "map",
    source: str = "",
    names: Iterable[str] | None = None,
    visible: str | None = None,
) -> list[LayerSpec]:
    """The layers of maps and, but for residuals, of their uncertainties.

    Parameters
    ----------
    maps : PropertyMaps
        Maps, or residuals in the place of maps.
    reference : tuple of float
        RA and Dec in degrees where the tangent plane touches.
    galaxy_name : str
        Comes first in the layers' names.
    kind : str
        What the maps are.
    source : str
        Tells maps of one kind from each other, e.g. a file's path.
    names : iterable of str, optional
        The properties wanted; all by default.
    visible : str, optional
        The one property whose layer is switched on.

    Returns
    -------
    list of LayerSpec
        In the order in which they should be added: errors before the maps that lie over them.
    """
    affine = sky_affine(maps.wcs, maps.shape, reference)
    sky = ThreadWCS(maps.wcs)
    wanted = [n for n in (names or maps.values) if n in maps.values]

    def spec(
        key: Key, data: np.ndarray, colormap: str, limits: tuple[float, float], prop: Property
    ) -> LayerSpec:
        suffix = _SUFFIX[key.kind]
        label = prop.name + suffix
        shown = Shown(key, maps, label, prop.unit, sky)
        on = key.kind == kind and prop.name == visible
        return LayerSpec(
            key, f"{galaxy_name} {label}".strip(), data, affine, limits, shown, colormap, visible=on
        )

    specs = []
    error_kind: Kind | None = {"map": "error", "truth": "truth error"}.get(kind)  # type: ignore[assignment]
    for name in wanted:
        prop = get_property(name)
        if error_kind and name in maps.errors:
            errors = maps.errors[name]
            specs.append(
                spec(
                    Key(error_kind, name, source),
                    errors,
                    "cividis",
                    colours.error_limits(errors),
                    prop,
                )
            )
    for name in wanted:
        prop, values = get_property(name), maps.values[name]
        if kind == "residual":
            limits, colormap = colours.residual_limits(values), colours.DIVERGING
        else:
            limits, colormap = prop.limits, prop.colormap
        specs.append(spec(Key(kind, name, source), values, colormap, limits, prop))
    return specs


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
        The properties whose map is among the layers; the values are the layers' own.
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
            found.append((shown, np.asarray(data)))
        else:
            left_out.append(str(attributes.get("name", "a layer")))
    # A file holds one result. Predictions go first: who saves all layers wants them, not their
    # residuals.
    for kinds in (("map", "error"), ("truth", "truth error"), ("residual",)):
        if any(shown.key.kind in kinds for shown, _ in found):
            break
    else:
        raise InputError(
            "None of the layers to save shows a map; select layers that Predict or a maps file "
            "made."
        )
    left_out += [shown.label for shown, _ in found if shown.key.kind not in kinds]
    found = [(shown, data) for shown, data in found if shown.key.kind in kinds]
    contents = {id(shown.content): shown.content for shown, _ in found}
    if len(contents) > 1:
        raise InputError(
            "The layers to save come from different results; select those of one and save them "
            "apart."
        )
    maps = next(iter(contents.values()))
    assert isinstance(maps, PropertyMaps)
    names = dict.fromkeys(shown.key.name for shown, _ in found)
    values = {name: maps.values[name] for name in names}
    errors = {name: maps.errors[name] for name in names if name in maps.errors}
    for shown, data in found:
        if data.shape != maps.shape:
            raise InputError(
                f"The layer of {shown.label} has another shape than its map; open or predict it "
                "again."
            )
        (errors if "error" in shown.key.kind else values)[shown.key.name] = data.astype(
            np.float32, copy=False
        )
    return replace(maps, values=values, errors=errors), left_out
