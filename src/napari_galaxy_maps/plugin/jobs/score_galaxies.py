"""What the Inspect panel shows: comparisons of one galaxy or many with their scores, the figures of
them, and how files make them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.maps import PropertyMaps
from ...exceptions import GalaxyMapsError, InputError
from ...progress import Progress, Steps
from ..ground.window_words import words_of

if TYPE_CHECKING:
    from astropy.table import QTable

    from ...measure.compare.comparison import Comparison
    from ...measure.compare.pixel_metrics import Pixels

OF_PIXELS = {
    "prediction": "prediction against truth",
    "sigma": "predicted sigma against error",
    "radius": "residual against radius",
}
"""Plots in which every point is a pixel, which a box can pick; residuals against properties are
besides.
"""
OF_GALAXIES = {
    "maps": "maps side by side",
    "galaxies": "means of galaxies",
    "sums": "sums inside 2 R_half",
    "annuli": "bias and scatter by annulus",
}


@dataclass(frozen=True)
class ScoredGalaxies:
    """Comparisons with their scores.

    Attributes
    ----------
    comparisons : tuple of Comparison
        That of the galaxy in the window first, if there is one.
    opened : Comparison or None
        That of the galaxy in the window.
    scores : dict
        Of each property, `metrics` over the pixels of all galaxies, and their ``unit``.
    problem : str
        Why the galaxy in the window is not among them.
    sums : list of QTable
        Of `report.stellar_sums`, once they have been asked for.
    """

    comparisons: tuple[Comparison, ...]
    opened: Comparison | None
    scores: dict[str, dict[str, Any]]
    problem: str = ""
    sums: list[QTable] = field(default_factory=list)


def score_steps(
    pair: tuple[PropertyMaps, PropertyMaps] | None, ellipse: Any, others: Sequence[Comparison]
) -> Steps[ScoredGalaxies | str]:
    """The maps in the window and their truth brought together, and scored with other galaxies; or
    the sentence that says why not.
    """
    from ...measure.compare.comparison import compare, pixels_by_property, unit_of_scores
    from ...measure.compare.pixel_metrics import metrics

    opened, problem = None, ""
    if pair is not None:
        yield Progress("compare", 0, 1, "bringing maps and truth together")
        try:
            opened = compare(*pair, ellipse)
        except GalaxyMapsError as error:
            problem = words_of(error)
    comparisons = (*((opened,) if opened is not None else ()), *others)
    if not comparisons:
        return problem
    scores: dict[str, dict[str, Any]] = {}
    for name, pixels in pixels_by_property(comparisons):
        yield Progress("score", len(scores), 0, name)
        scores[name] = {"unit": unit_of_scores(name), **metrics(pixels)}
    return ScoredGalaxies(comparisons, opened, scores, problem)


def compare_files(paths: Sequence[str]) -> Steps[tuple[list[Comparison], list[str]]]:
    """Read files of maps, find out which belong together, and bring each pair together.

    Returns
    -------
    list of Comparison
    list of str
        What has been left out, and why.

    Raises
    ------
    InputError
        When nothing could be compared.
    """
    from ...fits_io.map_files import read_maps
    from ...measure.compare.comparison import compare
    from ...measure.compare.truth_matching import match_truths

    files: dict[str, PropertyMaps] = {}
    said: list[str] = []
    for i, path in enumerate(paths):
        yield Progress("open", i, 2 * len(paths), Path(path).name)
        try:
            files[Path(path).name if Path(path).name not in files else path] = read_maps(path)
        except GalaxyMapsError as error:
            said.append(words_of(error))
    pairs, left = match_truths(files)
    found = []
    for i, (maps, truth) in enumerate(pairs):
        yield Progress("compare", len(paths) + 2 * i, 2 * len(paths), f"{maps} with {truth}")
        try:
            found.append(compare(files[maps], files[truth]))
        except GalaxyMapsError as error:
            said.append(f"{maps}: {error}")
    said += left
    if not found:
        raise InputError(" ".join(said) or "Choose files of predicted maps and of their truths.")
    return found, said


def coordinates(
    comparisons: Sequence[Comparison], pixels: Pixels, name: str, plot: str
) -> tuple[np.ndarray, np.ndarray]:
    """What a plot of `OF_PIXELS` shows of each pixel, two arrays of shape (n,)."""
    from ...measure.compare.comparison import values_beside

    if plot == "prediction":
        return pixels.true, pixels.predicted
    if plot == "sigma":
        return pixels.sigma, np.abs(pixels.residual)
    return values_beside(comparisons, name, plot), pixels.residual


def figure_of(found: ScoredGalaxies, pixels: Pixels, name: str, plot: str) -> tuple[Any, Any]:
    """A figure and the table behind it.

    Raises
    ------
    InputError
        When there is nothing to plot.
    """
    from ...measure.figures.galaxy_figures import (
        annuli_against_truth,
        galaxies_against_truth,
        side_by_side,
        sums_against_truth,
    )
    from ...measure.figures.prediction_figures import (
        prediction_against_truth,
        residual_against,
        sigma_against_error,
    )

    if plot == "prediction":
        return prediction_against_truth(pixels, name)
    if plot == "sigma":
        return sigma_against_error(pixels, name)
    if plot == "maps":
        return side_by_side(found.comparisons, name, cell=1.6)
    if plot == "galaxies":
        return galaxies_against_truth(found.comparisons, name)
    if plot in ("sums", "annuli"):
        return (
            sums_against_truth(found.sums, columns=2)
            if plot == "sums"
            else annuli_against_truth(found.sums)
        )
    return residual_against(
        pixels, name, coordinates(found.comparisons, pixels, name, plot)[0], plot
    )
