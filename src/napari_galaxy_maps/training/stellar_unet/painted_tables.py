"""Tables of the card on painted images: by size, by redshift, with and without the relations of
galaxies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...exceptions import ModelError
from ...measure.compare.coverage import coverage
from ...measure.compare.stellar_scores import INSIDE, galaxy_sums
from ...models.card import CardTable
from ...models.stellar_unet.outputs import TARGETS
from ...progress import Progress, Steps
from ..datasets.mock_cubes import noisy_cube, radius_of, true_maps

if TYPE_CHECKING:
    from ...data.cube import BandCube
    from ...models.stellar_unet.model import StellarUNet
    from ..datasets.image_truth_pairs import Pairs

SCORED = ("LOG_SIGMA_STAR", "LOG_SIGMA_ZSTAR", "AGE_STAR", "LOG_SIGMA_SFR")


@dataclass(frozen=True)
class Miss:
    """One galaxy and map: log10 true - log10 predicted of the sum inside 2 R_half, the error told
    for it (dex), and the shares of pixels within one sigma and within 95 % intervals.
    """

    delta: float
    told: float
    within: float
    nearly_all: float


def miss_of(
    model: StellarUNet, cube: BandCube, mocks: Pairs, truth: dict[str, np.ndarray]
) -> dict[str, Miss]:
    """The errors of a galaxy by map of `SCORED`; none where it is too small for the model."""
    try:
        maps = model.predict(cube, "cpu")
    except ModelError:
        return {}
    away, outline = radius_of(mocks, truth)
    sums = galaxy_sums(maps.values, truth, radius=(away, outline), edges=(0.0, INSIDE))
    found = {}
    for name in SCORED:
        target, inside = TARGETS[name], away < INSIDE
        delta = sums["delta"][(sums["property"] == name) & (sums["region"] == "sum")]
        value, sigma = target.in_dex(maps.values[name][inside], maps.errors[name][inside])
        with np.errstate(invalid="ignore", divide="ignore"):
            z = (value - target.from_map(truth[name][inside])) / sigma
        good = np.isfinite(z)
        if good.any():
            shares = coverage(z[good], maps.tail(name))
            found[name] = Miss(float(delta[0]), float(sigma[good].mean()), *shares)
    return found


def painted_tables_steps(model: StellarUNet, test: Pairs) -> Steps[list[CardTable]]:
    """Measure on painted images never trained on; yields after every image."""
    found: list[dict[str, dict[str, Miss]]] = []
    for row in range(len(test)):
        truth, cube = true_maps(test, row), noisy_cube(test, row)
        alone = model.without_relations()
        cases = {
            "told": miss_of(model, cube, test, truth),
            "unknown": miss_of(model, replace(cube, pixel_pc=None, redshift=None), test, truth),
            "wide": miss_of(alone, cube, test, truth),
        }
        found.append(cases)
        yield Progress("painted", row + 1, len(test), f"painted image {row + 1} of {len(test)}")
    table = test.table
    size, z, usual = table["r_half_pixels"], table["redshift"], table["usual"] > 0.5
    everything = np.ones(len(test), bool)
    rows: list[tuple[str, str, np.ndarray]] = [
        ("all", "told", everything),
        *(
            (f"R_half {low:g} to {high:g} pixels", "told", (size >= low) & (size < high))
            for low, high in ((1.4, 2), (2, 3), (3, 6), (6, 12), (12, 64))
        ),
        *(
            (f"redshift {low:g} to {high:g}{words}", case, (z >= low) & (z < high))
            for low, high in ((0, 0.06), (0.06, 0.2), (0.2, 0.5))
            for case, words in (("told", ""), ("unknown", ", not told"))
        ),
        ("by the relations", "told", usual),
        ("by the relations, which are switched off", "wide", usual),
        ("by no relation", "told", ~usual),
        ("by no relation, which are switched off", "wide", ~usual),
    ]
    made = [
        _row(label, [found[i][case] for i in np.flatnonzero(here)]) for label, case, here in rows
    ]
    return [
        CardTable(
            "Painted images",
            "Painted galaxies (docs/training.md) never trained on, of any size and place in images "
            "of 128 x 128 pixels, with companions and stars, as SDSS sees them: bias and scatter "
            "in dex of the sums inside 2 R_half (log10 true - log10 predicted), the mean error "
            "told there, and per cent of pixels within one sigma. R_half is that of the galaxy's "
            "mass before the PSF; galaxies that are refused as too small are left out.",
            ("case", "n", *SCORED),
            tuple(made),
        )
    ]


def _row(label: str, galaxies: Sequence[dict[str, Miss]]) -> tuple[str, ...]:
    """Cells of a table's row."""
    cells = [label, str(sum(map(bool, galaxies)))]
    for name in SCORED:
        misses = [galaxy[name] for galaxy in galaxies if name in galaxy]

        def mean(of: Callable[[Miss], float], misses: list[Miss] = misses) -> float:
            return float(np.nanmean([of(miss) for miss in misses])) if misses else float("nan")

        delta = np.array([miss.delta for miss in misses])
        delta = delta[np.isfinite(delta)]
        cells.append(
            f"{delta.mean():+.2f}, {delta.std():.2f}, {mean(lambda m: m.told):.2f}, "
            f"{100 * mean(lambda m: m.within):.0f} %"
            if len(delta)
            else "–"
        )
    return tuple(cells)
