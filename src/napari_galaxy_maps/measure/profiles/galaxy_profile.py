"""The radial profile of a galaxy with what is usual: its D25 ellipse, annuli of three pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...data import ranges
from ...data.cube import BandCube
from ...data.galaxy import BandImage, Ellipse
from ...data.maps import PropertyMaps
from ..apertures.planes import Planes, pixel_arcsec
from ..apertures.quantities import linear
from .ellipses import fit_isophote, half_mass_ellipse, stellar_half_radius
from .radial_profile import equal_steps, radial_profile

if TYPE_CHECKING:
    from astropy.table import QTable

_PIXELS = 3
"""Width of an annulus in pixels where none is asked for."""


@dataclass(frozen=True)
class Annuli:
    """Where a profile is measured.

    Attributes
    ----------
    ellipse : Ellipse
        Centre, axis ratio and position angle, and how far out.
    edges : tuple of float
        Semi-major axes in arcsec at which the annuli begin and end.
    r_half : float or None
        Semi-major axis in arcsec that holds half of the stellar mass, where there is such a map.
    """

    ellipse: Ellipse
    edges: tuple[float, ...]
    r_half: float | None


def annuli_in_steps(
    source: PropertyMaps | BandCube | BandImage, ellipse: Ellipse, step: float | None = None
) -> Annuli:
    """Annuli of a width in arcsec, three pixels by default, out to an ellipse.

    Raises
    ------
    RecipeError
        When the width is out of range.
    """
    width = (
        _PIXELS * pixel_arcsec(source.wcs)
        if step is None
        else ranges.RADIUS.check(step, "The width of the annuli")
    )
    edges = equal_steps(width, ellipse.a)
    return Annuli(ellipse, tuple(edges), stellar_half_radius(source, ellipse))


def annuli_of_half_radii(maps: PropertyMaps, start: Ellipse) -> Annuli:
    """Annuli of half an R_half out to five, in the shape of the stellar mass map."""
    half = half_mass_ellipse(maps, start)
    edges = equal_steps(0.5 * half.a, 5 * half.a)
    return Annuli(replace(half, a=5 * half.a, b=5 * half.b), tuple(edges), half.a)


def isophote_shape(
    source: PropertyMaps | BandCube | BandImage, planes: Planes, number: int, ellipse: Ellipse,
    radius: float,
) -> Ellipse:  # fmt: skip
    """The ellipse with the shape of a map's isophote at a radius in arcsec, as large as before.

    Parameters
    ----------
    source : PropertyMaps, BandCube or BandImage
    planes : Planes
        The source ready to be summed.
    number : int
        Which of its maps.
    ellipse : Ellipse
        Where to begin.
    radius : float
        Semi-major axis of the isophote in arcsec.

    Raises
    ------
    RecipeError
        When the radius is out of range.
    """
    ranges.RADIUS.check(radius, "The radius of the isophote")
    values = linear(planes.values[number], planes.quantities[number].log)
    start = replace(ellipse, a=radius, b=radius * ellipse.b / ellipse.a)
    fitted = fit_isophote(values, source.wcs, start)
    return replace(fitted, a=ellipse.a, b=ellipse.a * fitted.b / fitted.a)


def profile_over(sources: dict[str, Planes], annuli: Annuli, d25: Ellipse | None = None) -> QTable:
    """The profiles of sources over the same annuli; `radial_profile` says what the table holds."""
    r25 = d25.a if d25 else None
    return radial_profile(sources, annuli.ellipse, annuli.edges, r25, annuli.r_half)
