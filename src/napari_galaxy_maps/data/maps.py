"""Maps of properties on one grid, as predicted or fitted, and one of them with its error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .flags import Flag
from .masked_light import Holes, MapFilling
from .methods import call
from .properties import GAUSSIAN_95, PROPERTIES, Property

if TYPE_CHECKING:
    from astropy.table import QTable
    from astropy.wcs import WCS
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class PropertyMap:
    """The map of one property; wherever an array is wanted it stands for its values.

    Attributes
    ----------
    value : ndarray of float32, shape (ny, nx)
        In the property's unit; NaN where there is none.
    error : ndarray of float32, shape (ny, nx), or None
        1-sigma uncertainty.
    property : Property
        What it is a map of.
    wcs : astropy.wcs.WCS
        Celestial coordinates.
    """

    value: np.ndarray
    error: np.ndarray | None
    property: Property
    wcs: WCS

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        values = np.asarray(self.value, dtype)
        return values.copy() if copy else values

    def __repr__(self) -> str:
        ny, nx = self.value.shape
        prop = self.property
        unit = f"{prop.unit} of {prop.log_unit}" if prop.log_unit else prop.unit
        return f"{prop.name}, {prop.label}: {nx} x {ny} pixels, {self.summary()} {unit}".rstrip()

    def summary(self) -> str:
        """Median of the values, and of their errors, in words."""
        good = np.isfinite(self.value)
        if not good.any():
            return "nowhere a value,"
        error = "" if self.error is None else f" +- {np.nanmedian(self.error[good]):.3f}"
        return f"median {np.median(self.value[good]):.3f}{error}"

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the map in the colours and limits of its property, on the sky.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure by default.
        **options
            For `matplotlib.axes.Axes.imshow`, e.g. ``vmin``, ``vmax``, ``cmap``.
        """
        axes: Axes = call("PropertyMap.plot", self, ax, **options)
        return axes


@dataclass(frozen=True, repr=False)
class PropertyMaps:
    """Maps of properties on one grid.

    Attributes
    ----------
    values : mapping of str to ndarray of float32, shape (ny, nx)
        The maps by property name, in the property's unit; NaN where there is none.
    errors : mapping of str to ndarray of float32, shape (ny, nx)
        Their 1-sigma uncertainties; a map without one is missing here.
    wcs : astropy.wcs.WCS
        Celestial coordinates of the grid.
    flags : ndarray of int16, shape (ny, nx)
        Bits of `Flag`.
    provenance : mapping
        What made them: recipe (TOML text), model, its hash, versions, inputs with checksums, IMF,
        name of the galaxy.
    correlation : float or None
        Pixels over which the noise of the maps is shared
        (`prepare.errors.error_budget.correlation`): that of the band where it is shared most. None
        where it is not known.
    tails : mapping of str to float
        By property, the sigmas within which 95 % of the errors were found to be; where it is
        missing here a Gaussian's, 1.96.
    extensions : tuple of astropy.io.fits HDUs
        What goes into its file besides: what was masked, how well a truth fits.
    galaxy_errors : mapping of str to ndarray of float32, shape (ny, nx)
        The part of `errors` that all pixels of the galaxy share, so that a sum does not average it
        down; a pixel's own part is the root of the difference of their squares. Missing where it
        is not known.
    filling : MapFilling or None
        What the maps are thought to be under masks, where `values` are NaN. Sums count it; means,
        medians, profiles and scores do not.
    unknown_flags : mapping of int to str
        Bits of `flags` of a newer program, with what its file says that they mean.
    """

    values: Mapping[str, np.ndarray]
    errors: Mapping[str, np.ndarray]
    wcs: WCS
    flags: np.ndarray
    provenance: Mapping[str, Any] = field(default_factory=dict)
    correlation: float | None = None
    tails: Mapping[str, float] = field(default_factory=dict)
    extensions: tuple[Any, ...] = ()
    galaxy_errors: Mapping[str, np.ndarray] = field(default_factory=dict)
    filling: MapFilling | None = None
    unknown_flags: Mapping[int, str] = field(default_factory=dict)
    _whole: dict[tuple[str, bool], np.ndarray] = field(
        default_factory=dict, init=False, compare=False
    )

    def __getitem__(self, name: str) -> PropertyMap:
        """The map of one property, as in ``maps["LOG_SMD"]``."""
        if name not in self.values:
            raise KeyError(f"there is no map of {name}; there are {', '.join(self.values)}")
        return PropertyMap(self.values[name], self.errors.get(name), PROPERTIES[name], self.wcs)

    def __iter__(self) -> Iterator[str]:
        """Names of the properties."""
        return iter(self.values)

    def __contains__(self, name: object) -> bool:
        return name in self.values

    def __repr__(self) -> str:
        ny, nx = self.shape
        made = [
            str(self.provenance[key]) for key in ("object", "model") if self.provenance.get(key)
        ]
        lines = [f"PropertyMaps of {nx} x {ny} pixels" + "".join(f", {text}" for text in made)]
        for name in self.values:
            one = self[name]
            lines.append(f"  {name:16} {one.summary()} {one.property.unit} ({one.property.label})")
        return "\n".join(lines)

    def plot(self, names: Sequence[str] | None = None) -> Figure:
        """Draw the maps side by side, each in its colours and limits, on the sky.

        Parameters
        ----------
        names : sequence of str, optional
            The properties wanted; all by default.
        """
        figure: Figure = call("PropertyMaps.plot", self, names)
        return figure

    def write(self, path: str | Path, overwrite: bool = False) -> None:
        """Write the maps to a FITS file, with their errors, flags and provenance.

        Raises
        ------
        InputError
            When the file is there already and may not be replaced, or cannot be written.
        """
        call("PropertyMaps.write", self, path, overwrite)

    def to_table(self) -> QTable:
        """The pixels that have a value, a row each: ``x``, ``y`` (from 0), ``ra``, ``dec``, every
        map and its error (``NAME_ERR``; ``NAME_ERR_GALAXY`` is the part that the galaxy's pixels
        share) in their units, and ``flags``.
        """
        table: QTable = call("PropertyMaps.to_table", self)
        return table

    def take_apart(self, holes: Holes) -> PropertyMaps:
        """The maps with what they are under masks taken out of their arrays and put beside, as
        `filling`, and flagged.

        The arrays are changed: it is for who has just made them.

        Parameters
        ----------
        holes : Holes
            The pixels under masks.
        """
        found = [plane[holes.where] for plane in self.values.values()]
        there = np.isfinite(found).any(axis=0) if found else np.zeros(holes.rows.shape, bool)
        places = holes.rows[there], holes.columns[there], holes.holes[there]
        known = Holes(*places)
        parts = map(known.taken_from, (self.values, self.errors, self.galaxy_errors))
        filling = MapFilling(*places, *parts)
        flags = self.flags & ~int(Flag.FILLED)
        flags[known.where] |= Flag.FILLED
        return replace(self, flags=flags, filling=filling)

    def whole(self, name: str, error: bool = False) -> np.ndarray:
        """A map, or its error, with what it is thought to be under masks; not to be changed."""
        plane = (self.errors if error else self.values)[name]
        if self.filling is None or not self.filling.rows.size:
            return plane
        known = (self.filling.errors if error else self.filling.values).get(name)
        if known is None:
            return plane
        if (name, error) not in self._whole:
            filled = np.array(plane)
            filled[self.filling.where] = known
            self._whole[name, error] = filled
        return self._whole[name, error]

    def tail(self, name: str) -> float:
        """Sigmas of a property within which 95 % of the errors are."""
        return self.tails.get(name, GAUSSIAN_95)

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx) of the grid."""
        ny, nx = self.flags.shape
        return ny, nx
