"""Scores of pixels that nothing was trained on: errors, calibration and profiles, by scale, signal
and radius, beside what the members alone say and what is published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ...models.card import CardTable
from ...models.dust_forest.model import DustForest
from ...models.dust_forest.uncertainty import QUANTITIES
from ..datasets.galaxy_pixels import GalaxyPixels
from .pixel_rows import SHOWN, residuals, rows_of, spire_250
from .scoring import DUST, N_BOOTSTRAP, SEED

PUBLISHED = {
    "18 arcsec": (0.11, 0.32, 3.15), "500 pc": (0.15, 0.47, 4.67),
}  # fmt: skip
"""RMSE of `DUST` by Dobbels & Baes 2021 (Sect. 3 and 4.1; theirs are of 400 pc), trained on
pixels."""
SCALE_GROUPS = {"500 pc": (400.0, 650.0), "1 kpc": (800.0, 1350.0)}
FIGURE_SCALES = (150.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0)
"""Edges in pc by which errors are told over the scale, as in figure 8 of Dobbels & Baes 2021."""
RADII = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_FEW = 200


@dataclass(frozen=True)
class Judged:
    """Residuals of pixels whose dust shows, and what was said of them.

    Attributes
    ----------
    own, members : ndarray, shape (n, 7)
        Prediction minus truth, with and without the pixel part.
    own_sigma, members_sigma : ndarray, shape (n, 7)
    scale_pc, radius, snr : ndarray, shape (n,)
    galaxy : ndarray of int, shape (n,)
    kind : ndarray of str, shape (n,)
    """

    own: np.ndarray
    members: np.ndarray
    own_sigma: np.ndarray
    members_sigma: np.ndarray
    scale_pc: np.ndarray
    radius: np.ndarray
    snr: np.ndarray
    galaxy: np.ndarray
    kind: np.ndarray


def judge(
    model: DustForest, pixels: GalaxyPixels, zero: np.ndarray, seed: int | None = None
) -> Judged:
    """Predict pixels inside R25 whose dust far-infrared images would show.

    Parameters
    ----------
    model : DustForest
        With a pixel part.
    pixels : GalaxyPixels
    zero : ndarray, shape (5,)
        Added to the truth.
    seed : int, optional
        As of `pixel_rows.rows_of`.
    """
    assert model.pixels is not None
    shown = (pixels.radius < 1) & (spire_250(pixels.truth) > SHOWN)
    pixels = pixels.select(shown)
    rows = rows_of(model, pixels, zero, seed)
    mean, sigma = model.pixels.applied(
        rows.features, rows.mean, rows.sigma, rows.unusual, rows.scale_pc, model.columns
    )
    galaxy = pixels.galaxy[rows.pixel]
    return Judged(
        residuals(mean, rows), residuals(rows.mean, rows), sigma, rows.sigma,
        pixels.scale_pc[rows.pixel], pixels.radius[rows.pixel], rows.snr, galaxy,
        np.array(pixels.kinds)[galaxy],
    )  # fmt: skip


def mean_of_galaxies(
    values: np.ndarray, galaxy: np.ndarray, seed: int = SEED
) -> tuple[float, float]:
    """Mean with one vote a galaxy, and its standard deviation over draws of the galaxies."""
    _, place = np.unique(galaxy, return_inverse=True)
    count = np.bincount(place)
    each = np.bincount(place, values) / count
    draws = np.random.default_rng(seed).integers(0, len(each), (N_BOOTSTRAP, len(each)))
    return float(each.mean()), float(each[draws].mean(1).std())


def rmse(values: np.ndarray, galaxy: np.ndarray) -> tuple[float, float]:
    """Root of the mean square, one vote a galaxy, and its error."""
    square, error = mean_of_galaxies(values**2, galaxy)
    return float(np.sqrt(square)), error / (2 * float(np.sqrt(square)))


def groups_of(judged: Judged) -> dict[str, np.ndarray]:
    """Which pixels each row of the table has: by scale, quarter of signal, and radius."""
    found = {"all": np.ones(len(judged.galaxy), bool)}
    for name, (low, high) in SCALE_GROUPS.items():
        found[name] = (judged.scale_pc > low) & (judged.scale_pc < high)
    quarter = np.digitize(judged.snr, np.percentile(judged.snr, [25, 50, 75]))
    for k, name in enumerate(("faintest", "faint", "bright", "brightest")):
        found[f"{name} quarter"] = quarter == k
    for low, high in pairwise(RADII):
        found[f"{low:g} to {high:g} R25"] = (judged.radius >= low) & (judged.radius < high)
    return found


def score_rows(
    name: str, judged: Judged, groups: Mapping[str, np.ndarray], properties: tuple[str, ...]
) -> list[tuple[str, ...]]:
    """Rows of the card's table of pixels, as text."""
    rows: list[tuple[str, ...]] = []
    for group, members in groups.items():
        for prop in properties:
            j = QUANTITIES.index(prop)
            use = members & np.isfinite(judged.own[:, j])
            if use.sum() < _FEW:
                continue
            galaxy, own, old = judged.galaxy[use], judged.own[use, j], judged.members[use, j]
            inside, inside_old = (
                100.0 * (np.abs(r) < s[use, j])
                for r, s in ((own, judged.own_sigma), (old, judged.members_sigma))
            )
            published = PUBLISHED.get(group if name != "A, 18 arcsec" else "18 arcsec")
            told = published[DUST.index(prop)] if published and prop in DUST else None
            rows.append((
                name, group, prop, f"{use.sum():,} of {len(np.unique(galaxy))}",
                _pm(rmse(own, galaxy)), f"{rmse(old, galaxy)[0]:.3f}",
                f"{told:g}" if told else "–",
                _pm(mean_of_galaxies(own, galaxy), "+.3f"),
                f"{mean_of_galaxies(old, galaxy)[0]:+.3f}",
                _pm(mean_of_galaxies(inside, galaxy), ".0f"),
                f"{mean_of_galaxies(inside_old, galaxy)[0]:.0f}",
            ))  # fmt: skip
    return rows


def _pm(pair: tuple[float, float], form: str = ".3f") -> str:
    return f"{pair[0]:{form}} ± {pair[1]:{form.lstrip('+')}}"


HEAD = (
    "set", "pixels", "property", "n of galaxies", "RMSE", "members", "DB21", "mean error",
    "members", "68 %", "members",
)  # fmt: skip


def pixel_table(sets: Mapping[str, Judged]) -> CardTable:
    """Errors and calibration on each set of pixels."""
    rows: list[tuple[str, ...]] = []
    for name, judged in sets.items():
        groups = groups_of(judged)
        rows += score_rows(name, judged, {"all": groups.pop("all")}, QUANTITIES)
        rows += score_rows(name, judged, groups, DUST)
    return CardTable("Pixels of mock galaxies", TEXT, HEAD, tuple(rows))


TEXT = (
    "No galaxy at hand has both images from the ultraviolet to 22 micron and a resolved far "
    "infrared: real pixels were never scored. A: mock galaxies of the recipe that the pixel part "
    "was trained on, none of these among them. B: another recipe that shares no code with the "
    "first, which was looked at for no choice (docs/mocks.md). Pixels inside R25 whose dust SPIRE "
    "250 would show (0.2 MJy/sr); one vote a galaxy, error bars by bootstrap over galaxies. "
    "Members: what the model says without its pixel part. DB21: Dobbels & Baes 2021, on real "
    "pixels of 18 arcsec and of 400 pc, trained on such (trained on whole galaxies: 0.23, 0.51, "
    "5.0)."
)
