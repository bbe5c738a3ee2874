"""Every figure of the evaluation, with its name, its title and the table behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...data.properties import PROPERTIES
from ...exceptions import InputError
from ..compare.comparison import Comparison, both_of, pixels_of, values_beside
from ..compare.stellar_scores import STARS
from ..figures.galaxy_figures import (
    MOST_SIDE_BY_SIDE,
    annuli_against_truth,
    galaxies_against_truth,
    label_of,
    side_by_side,
    sums_against_truth,
)
from ..figures.prediction_figures import (
    prediction_against_truth,
    residual_against,
    sigma_against_error,
)
from ..figures.profile_figures import profiles_figure
from ..profiles.ellipses import recipe_ellipse
from ..profiles.radial_profile import equal_steps, radial_profile

if TYPE_CHECKING:
    from astropy.table import QTable
    from matplotlib.figure import Figure

_STEPS = 12
"""Annuli of the profiles, out to R25."""


@dataclass(frozen=True)
class Drawing:
    """A figure, the table behind it, and what to call the two."""

    name: str
    title: str
    figure: Figure
    table: QTable


def drawings(comparisons: Sequence[Comparison], sums: Sequence[QTable] = ()) -> Iterator[Drawing]:
    """The figures of every property, over all galaxies and, side by side, of each; and those of the
    galaxies' `sums`.
    """
    names = (name for comparison in comparisons for name in comparison.maps.values)
    for name in dict.fromkeys(names):
        yield from _drawings_of(name, comparisons)
    for number in range(len(comparisons)):
        yield from _profiles(comparisons, number)
    if any(np.isfinite(table["delta"]).any() for table in sums):
        yield Drawing("sums", "Sums inside 2 R_half", *sums_against_truth(sums))
        yield Drawing("annuli", "Sums by annuli", *annuli_against_truth(sums))


def _drawings_of(name: str, comparisons: Sequence[Comparison]) -> Iterator[Drawing]:
    """The figures of one property; none where no galaxy has both a prediction and a truth of it."""
    try:
        pixels = pixels_of(comparisons, name)
    except InputError:
        return
    drawn = prediction_against_truth(pixels, name)
    yield Drawing(f"{name}_prediction", "Prediction against truth", *drawn)
    if (np.isfinite(pixels.sigma) & (pixels.sigma > 0)).any():
        drawn = sigma_against_error(pixels, name)
        yield Drawing(f"{name}_sigma", "Predicted sigma against error", *drawn)
    for kind in ("radius", _map_of_stars(comparisons, name)):
        x = values_beside(comparisons, name, kind)
        if np.isfinite(x).any():
            label = "radius" if kind == "radius" else PROPERTIES[kind].label
            drawn = residual_against(pixels, name, x, kind)
            yield Drawing(f"{name}_against_{kind}", f"Residual against {label}", *drawn)
    if len(comparisons) > 1:
        drawn = galaxies_against_truth(comparisons, name)
        yield Drawing(f"{name}_galaxies", "Means of galaxies", *drawn)
    shown = [c for c in comparisons if name in c.maps.values and both_of(c, name).any()]
    pages = [shown[i : i + MOST_SIDE_BY_SIDE] for i in range(0, len(shown), MOST_SIDE_BY_SIDE)]
    for number, page in enumerate(pages, 1):
        ending = f"_{number}" if len(pages) > 1 else ""
        yield Drawing(f"{name}_maps{ending}", "Maps", *side_by_side(page, name))


def _map_of_stars(comparisons: Sequence[Comparison], name: str) -> str:
    """The first of `STARS` that has values where this property does; empty where none has."""
    for stars in STARS:
        if np.isfinite(values_beside(comparisons, name, stars)).any():
            return stars
    return ""


def _profiles(comparisons: Sequence[Comparison], number: int) -> Iterator[Drawing]:
    """Radial profiles of the `number`-th galaxy out to R25, where its ellipse is known."""
    comparison = comparisons[number]
    ellipse = recipe_ellipse(comparison.maps.provenance)
    if ellipse is None:
        return
    sources = {"prediction": comparison.maps, "truth": comparison.truth}
    edges = equal_steps(ellipse.a / _STEPS, ellipse.a)
    profile = radial_profile(sources, ellipse, edges, ellipse.a)
    figure = profiles_figure(profile, "r_kpc" if "r_kpc" in profile.colnames else "r")
    if len(comparisons) > 1:
        title = f"Radial profiles of {label_of(comparison, number)}"
        yield Drawing(f"profiles_{number + 1}", title, figure, profile)
    else:
        yield Drawing("profiles", "Radial profiles", figure, profile)
