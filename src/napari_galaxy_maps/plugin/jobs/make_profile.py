"""Makes radial profiles of maps, and of their truth, over one ellipse."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data import ranges
from ...data.galaxy import Ellipse
from ...data.maps import PropertyMaps
from ...data.setting import Range
from ...exceptions import InputError
from ...measure.figures.profile_figures import RADII
from ...progress import Progress, Steps

if TYPE_CHECKING:
    from astropy.table import QTable

    from ...measure.apertures.planes import Planes

REACH = Range(0.05, 50)
"""How far out a profile may go, in units of its ellipse."""
_NEEDS = {
    "r_kpc": "the distance (Galaxy panel)",
    "r_r25": "D25 (Galaxy panel)",
    "r_rhalf": "a map of stellar mass",
}


@dataclass(frozen=True)
class ProfileSettings:
    """What a profile is asked to be.

    Attributes
    ----------
    ellipse : str
        Which ellipse the annuli are like: ``"D25"``, ``"aperture"``, ``"isophote"`` or ``"half"``.
    step : float or None
        Width of the annuli in arcsec; None for the FWHM of the map.
    reach : float
        How far out, in units of the ellipse.
    with_truth : bool
        Whether the truth's profile is made, too.
    names : tuple of str
        The maps or bands.
    radius : str
        What the gradients are per, a key of `RADII`.
    """

    ellipse: str
    step: float | None
    reach: float
    with_truth: bool
    names: tuple[str, ...]
    radius: str


@dataclass(frozen=True)
class MadeProfile:
    """A profile, the ellipse it is over, the edges of its annuli in arcsec, and what is to be noted
    of it.
    """

    table: QTable
    ellipse: Ellipse
    edges: tuple[float, ...]
    gradients: QTable | None
    notes: str


def make_profile_steps(
    content: Any,
    planes: Planes | None,
    truth: PropertyMaps | None,
    settings: ProfileSettings,
    d25: Ellipse | None,
    drawn: Ellipse | None,
    distance: float | None,
) -> Steps[MadeProfile]:
    """The profiles of some maps, and of the truth's where it has them.

    Parameters
    ----------
    content : PropertyMaps, BandCube or BandImage
        What is measured.
    planes : Planes or None
        The same as planes, where they are made already.
    truth : PropertyMaps or None
        Its profiles stand beside the maps'.
    settings : ProfileSettings
        What the profile is to be.
    d25, drawn : Ellipse or None
        The galaxy's ellipse, and the selected aperture.
    distance : float or None
        Mpc.

    Raises
    ------
    InputError
        When there is no such ellipse or map, or nothing in it.
    RecipeError
        When a number is out of range.
    """
    from ...measure.apertures.planes import planes_of
    from ...measure.profiles.ellipses import stellar_half_radius
    from ...measure.profiles.radial_profile import equal_steps, fit_gradients, radial_profile

    planes = planes_of(content, distance_mpc=distance) if planes is None else planes
    names = [quantity.name for quantity in planes.quantities]
    wanted = list(dict.fromkeys(name for name in settings.names if name in names)) or names[:1]
    ellipse = yield from _ellipse_steps(content, planes, wanted[0], settings.ellipse, d25, drawn)
    by_half = settings.ellipse == "half"
    half = ellipse.a if by_half else stellar_half_radius(content, ellipse)
    # PICASSO's profiles reach to 5 R_half.
    REACH.check(settings.reach, "How far out")
    reach = settings.reach * (5 if by_half else 1) * ellipse.a
    step = (
        max(_psf(content), reach / 40)
        if settings.step is None
        else ranges.RADIUS.check(settings.step, "The step")
    )
    edges = equal_steps(step, reach)
    sources: dict[str, Any] = {
        "prediction" if isinstance(content, PropertyMaps) else "": only(planes, wanted)
    }
    shared = [name for name in wanted if truth is not None and name in truth.values]
    if truth is not None and shared:
        sources["truth"] = planes_of(truth, shared, distance_mpc=distance or planes.distance_mpc)
    yield Progress("profile", 0, 1, ", ".join(wanted))
    r25 = d25.a if d25 is not None else None
    table = radial_profile(sources, ellipse, edges, r25=r25, r_half=half)
    radius: Any = settings.radius if settings.radius in table.colnames else "r"
    try:
        gradients = fit_gradients(table, radius)
    except InputError:
        gradients = None
    notes = (
        f"Annuli of {step:.3g}″, axis ratio {ellipse.b / ellipse.a:.2f}, position angle "
        f"{ellipse.pa:.0f}°" + (f"; R_half {half:.1f}″." if half else ".")
    )
    if settings.radius not in table.colnames:
        need = _NEEDS.get(settings.radius, "more")
        notes += f" {RADII[settings.radius]} needs {need}; it is plotted over arcsec."
    return MadeProfile(table, ellipse, tuple(edges), gradients, notes)


def _ellipse_steps(
    content: Any,
    planes: Planes,
    name: str,
    kind: str,
    d25: Ellipse | None,
    drawn: Ellipse | None,
) -> Steps[Ellipse]:
    """The ellipse that the annuli are like."""
    from ...measure.apertures.quantities import linear
    from ...measure.profiles.ellipses import fit_isophote_steps, half_mass_ellipse_steps

    start = d25 or drawn
    if kind == "aperture":
        if drawn is None:
            raise InputError(
                "Draw a circle or an ellipse in the tab Apertures and select it; the annuli are "
                "then like it."
            )
        return drawn
    if start is None:
        raise InputError(
            "The galaxy's ellipse is not known: give or draw D25 in the Galaxy panel, or choose "
            "an aperture."
        )
    if kind == "isophote":
        number = [quantity.name for quantity in planes.quantities].index(name)
        plane = linear(planes.values[number], planes.quantities[number].log)
        middle = replace(start, a=0.5 * start.a, b=0.5 * start.b)
        found = yield from fit_isophote_steps(plane, planes.wcs, middle)
        return replace(found, a=start.a, b=start.a * found.b / found.a)
    if kind == "half":
        if not isinstance(content, PropertyMaps):
            raise InputError(
                "R_half is that of a map of stars: choose the maps to be measured, not images."
            )
        return (yield from half_mass_ellipse_steps(content, start))
    return start


def only(planes: Planes, names: list[str]) -> Planes:
    """The planes of some quantities, with a memory of their own."""
    there = [quantity.name for quantity in planes.quantities]
    if names == there:
        return planes
    chosen = [there.index(name) for name in names]
    part: Any = (
        slice(chosen[0], chosen[0] + 1) if len(chosen) == 1 else chosen
    )  # of one map nothing is copied
    return replace(
        planes,
        quantities=tuple(planes.quantities[i] for i in chosen),
        values=tuple(planes.values[i] for i in chosen),
        terms=planes.terms.of(chosen),
        correlation=planes.correlation[part],
        systematic=planes.systematic[part],
        error_kinds=tuple(planes.error_kinds[i] for i in chosen),
        memo={},
    )


def names_in(content: Any) -> list[str]:
    """What there is a profile of: properties of maps, bands of a cube, the one of an image."""
    if isinstance(content, PropertyMaps):
        return list(content.values)
    bands = getattr(content, "bands", None)
    return [str(getattr(band, "name", band)) for band in bands] if bands else []


def _psf(content: Any) -> float:
    from astropy.wcs.utils import proj_plane_pixel_area

    fwhm = getattr(content, "fwhm", None)
    return float(fwhm) if fwhm else 3 * float(np.sqrt(proj_plane_pixel_area(content.wcs))) * 3600
