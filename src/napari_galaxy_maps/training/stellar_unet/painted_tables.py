"""Tables of the card on painted images: by size, by redshift, with and without the relations of
galaxies.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...exceptions import ModelError
from ...models.card import CardTable
from ...models.stellar_unet.outputs import STELLAR_PROPERTIES
from ...models.stellar_unet.remarks import NOT_TOLD, PAINTED_TABLE
from ...progress import Progress, Steps
from ..datasets.mock_cubes import noisy_cube, radius_of, true_maps
from .stellar_scoring import galaxy_scores

if TYPE_CHECKING:
    from ...data.cube import BandCube
    from ...models.stellar_unet.model import StellarUNet
    from ..datasets.image_truth_pairs import Pairs

SCORED = ("LOG_SIGMA_STAR", "LOG_SIGMA_ZSTAR", "AGE_STAR", "LOG_SIGMA_SFR")
_ROWS = [STELLAR_PROPERTIES.index(name) for name in SCORED]


def scores_of(
    model: StellarUNet,
    cube: BandCube,
    truth: dict[str, np.ndarray],
    radius: tuple[np.ndarray, dict[str, Any]],
) -> np.ndarray:
    """`galaxy_scores` of `SCORED`; NaN where the galaxy is too small for the model."""
    try:
        maps = model.predict(cube, "cpu")
    except ModelError:
        return np.full((len(SCORED), 4), np.nan)
    return galaxy_scores(maps, truth, radius)[_ROWS]


def painted_tables_steps(model: StellarUNet, test: Pairs) -> Steps[list[CardTable]]:
    """Measure on painted images never trained on; yields after every image."""
    found: list[dict[str, np.ndarray]] = []
    alone = model.without_relations()
    for row in range(len(test)):
        truth, cube = true_maps(test, row), noisy_cube(test, row)
        radius, untold = radius_of(test, truth), replace(cube, pixel_pc=None, redshift=None)
        cases = {
            "told": scores_of(model, cube, truth, radius),
            "unknown": scores_of(model, untold, truth, radius),
            "wide": scores_of(alone, cube, truth, radius),
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
            for case, words in (("told", ""), ("unknown", NOT_TOLD))
        ),
        ("by the relations", "told", usual),
        ("by the relations, which are switched off", "wide", usual),
        ("by no relation", "told", ~usual),
        ("by no relation, which are switched off", "wide", ~usual),
    ]
    made = [
        _row(
            label,
            np.array([found[i][case] for i in np.flatnonzero(here)]).reshape(-1, len(SCORED), 4),
        )
        for label, case, here in rows
    ]
    return [
        CardTable(
            PAINTED_TABLE,
            "Painted galaxies (docs/training.md) never trained on, of any size and place in images "
            "of 128 x 128 pixels, with companions and stars, as SDSS sees them: bias and scatter "
            "in dex of the sums inside 2 R_half (log10 true - log10 predicted), the mean error "
            "told there, and per cent of pixels within one sigma. R_half is that of the galaxy's "
            "mass before the PSF; galaxies that are refused as too small are left out.",
            ("case", "n", *SCORED),
            tuple(made),
        )
    ]


def _row(label: str, scores: np.ndarray) -> tuple[str, ...]:
    """Cells of a table's row, of scores of shape (n, 4, 4)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no galaxy has it
        means, spread = np.nanmean(scores, axis=0), np.nanstd(scores[..., 0], axis=0)
    cells = [
        f"{bias:+.2f}, {scatter:.2f}, {told:.2f}, {100 * within:.0f} %"
        if np.isfinite(bias)
        else "–"
        for (bias, told, within, _), scatter in zip(means, spread, strict=True)
    ]
    return label, str(int(np.isfinite(scores).any(axis=(1, 2)).sum())), *cells
