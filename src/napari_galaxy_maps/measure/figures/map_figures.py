"""Figures of maps and of images as they lie on the sky, for a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.cube import BandCube
from ...data.galaxy import BandImage, Galaxy
from ...data.maps import PropertyMap, PropertyMaps
from ...exceptions import InputError
from .prediction_figures import axis_label

if TYPE_CHECKING:
    from astropy.wcs import WCS
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CELL = 3.6
"""Width of a panel in inches."""
_COLUMNS = 4


def draw_map(one: PropertyMap, ax: Axes | None = None, **options: Any) -> Axes:
    """Draw a map in the colours and limits of its property, with a colour bar in its unit.

    Parameters
    ----------
    one : PropertyMap
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure, with axes on the sky, by default.
    **options
        For `matplotlib.axes.Axes.imshow`.
    """
    prop = one.property
    options = {
        "cmap": prop.colormap, "vmin": prop.limits[0], "vmax": prop.limits[1],
        "interpolation": "nearest", "origin": "lower", **options,
    }  # fmt: skip
    axes = _panels([one.wcs])[1][0] if ax is None else ax
    picture = axes.imshow(one.value, **options)
    axes.figure.colorbar(picture, ax=axes, label=axis_label(prop.name))
    axes.set_title(prop.name)
    return axes


def maps_figure(maps: PropertyMaps, names: Sequence[str] | None = None) -> Figure:
    """Maps side by side, all by default; see `draw_map`."""
    chosen = [maps[name] for name in _known(names, maps.values)]
    figure, panels = _panels([one.wcs for one in chosen])
    for one, axes in zip(chosen, panels, strict=True):
        draw_map(one, axes)
    return figure


def bands_figure(source: Galaxy | BandCube, names: Sequence[str] | None = None) -> Figure:
    """The bands of a galaxy or of a cube side by side, all by default, in MJy/sr."""
    planes: dict[str, tuple[np.ndarray, WCS]]
    if isinstance(source, Galaxy):
        planes = {name: (image.data, image.wcs) for name, image in source.images.items()}
    else:
        planes = {name: (source.data[i], source.wcs) for i, name in enumerate(source.bands)}
    chosen = [(name, *planes[name]) for name in _known(names, planes)]
    figure, panels = _panels([wcs for _, _, wcs in chosen])
    for (name, data, _), axes in zip(chosen, panels, strict=True):
        _draw_band(axes, data)
        axes.set_title(name)
    return figure


def draw_image(image: BandImage, ax: Axes | None = None) -> Axes:
    """Draw an image in one band, in MJy/sr."""
    axes = _panels([image.wcs])[1][0] if ax is None else ax
    _draw_band(axes, image.data)
    axes.set_title(image.band.name)
    return axes


def _draw_band(axes: Axes, data: np.ndarray) -> None:
    """Faint light stretched, bright light pressed together: linear near the noise, then
    logarithmic.
    """
    from matplotlib.colors import AsinhNorm

    good = data[np.isfinite(data)]
    low, middle, high = np.percentile(good, (1, 50, 99.8)) if good.size else (0.0, 0.0, 1.0)
    noise = 1.4826 * float(np.median(np.abs(good - middle))) if good.size else 1.0
    norm = AsinhNorm(linear_width=3 * noise or 1.0, vmin=low, vmax=max(high, low + 1e-12))
    picture = axes.imshow(data, norm=norm, cmap="gray", interpolation="nearest", origin="lower")
    axes.figure.colorbar(picture, ax=axes, label="MJy/sr")


def _panels(grids: Sequence[WCS]) -> tuple[Figure, list[Axes]]:
    """A new figure, and in it, in rows, axes on the sky for pixels of some coordinates."""
    from matplotlib import pyplot as plt

    columns = min(len(grids), _COLUMNS)
    rows = -(-len(grids) // columns)
    figure = plt.figure(figsize=(1.25 * _CELL * columns, _CELL * rows), layout="constrained")
    panels = []
    for number, wcs in enumerate(grids):
        axes = figure.add_subplot(rows, columns, number + 1, projection=wcs)
        # Not xlabel and ylabel: on a turned image RA stands on the left.
        for coordinate, label in zip(axes.coords, ("RA", "Dec"), strict=True):
            coordinate.set_axislabel(label)
        panels.append(axes)
    return figure, panels


def _known(names: Sequence[str] | None, there: Mapping[str, Any]) -> list[str]:
    chosen = [names] if isinstance(names, str) else list(there if names is None else names)
    missing = [name for name in chosen if name not in there]
    if missing or not chosen:
        raise InputError(
            f"There is no {', '.join(missing) or 'map'} to draw; there are {', '.join(there)}."
        )
    return chosen
