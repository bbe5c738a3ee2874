"""The card's tables of pixels: errors and calibration by scale, signal and radius, beside what the
members alone say and what is published.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from ...mocks.population import EARLY
from ...models.card import CardTable
from ...models.dust_forest.uncertainty import QUANTITIES
from .score_pixels import Judged, mean_of_galaxies, rmse
from .scoring import DUST

TITLE = "Pixels of mock galaxies"
TEXT = (
    "No galaxy at hand has both images from the ultraviolet to 22 micron and a resolved far "
    "infrared: **real pixels were never scored**. A: mock galaxies of the recipe that the part for "
    "pixels was fitted to, none of these among them. B: another recipe that shares no code with "
    "the first, and that nothing was trained on (docs/mocks.md). B was scored once before, when 68 "
    "% intervals held 53, 62 and 63 % of LOG_SLD, LOG_SMD and T_DUST; then A's recipe was given a "
    "scatter of what dust emits from place to place, and of gradients in early types. Pixels "
    "inside R25 whose dust SPIRE 250 would show (0.2 MJy/sr); one vote a galaxy, error bars "
    "by bootstrap over galaxies. "
    "Members: what the model says without its part for pixels. DB21: Dobbels & Baes 2021 on real "
    "pixels of 18 arcsec and of 400 pc, trained on such (trained on whole galaxies: 0.23, 0.51, "
    "5.0 on pixels of 400 pc)."
)
HEAD = (
    "set", "pixels", "property", "n of galaxies", "RMSE", "members", "DB21", "mean error",
    "members", "68 %", "members",
)  # fmt: skip
ANGULAR, UNKNOWN, FEWER = "A, 18 arcsec", "A, scale unknown", "A, bands left out"
"""Sets that are looked at as a whole."""
PUBLISHED = {ANGULAR: (0.11, 0.32, 3.15), "500 pc": (0.15, 0.47, 4.67)}
"""RMSE of `DUST` by Dobbels & Baes 2021 (Sect. 3 and 4.1), trained on pixels."""
SCALE_GROUPS = {"500 pc": (400.0, 650.0), "1 kpc": (800.0, 1350.0)}
SCALES = (150.0, 300.0, 600.0, 1300.0, 2400.0, 4000.0)
"""Edges in pc by which errors are told over the scale, as in figure 8 of Dobbels & Baes 2021."""
RADII = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_FEW = 200


def groups_of(judged: Judged) -> dict[str, np.ndarray]:
    """Which pixels each row of the table has: by scale, quarter of signal, radius and type."""
    found = {}
    for name, (low, high) in SCALE_GROUPS.items():
        found[name] = (judged.scale_pc > low) & (judged.scale_pc < high)
    quarter = np.digitize(judged.snr, np.percentile(judged.snr, [25, 50, 75]))
    for k, name in enumerate(("faintest", "faint", "bright", "brightest")):
        found[f"{name} quarter"] = quarter == k
    for low, high in pairwise(RADII):
        found[f"{low:g} to {high:g} R25"] = (judged.radius >= low) & (judged.radius < high)
    early = np.isin(judged.kind, EARLY)
    return found | {"early types": early, "late types": ~early}


def pixel_tables(sets: Mapping[str, Judged]) -> tuple[CardTable, ...]:
    """Errors and calibration on each set of pixels; and errors over the scale."""
    rows = []
    for name, judged in sets.items():
        everything = {"all": np.ones(len(judged.galaxy), bool)}
        rows += _rows(name, judged, everything, QUANTITIES)
        if name not in (ANGULAR, UNKNOWN, FEWER):
            rows += _rows(name, judged, groups_of(judged), DUST)
    return CardTable(TITLE, TEXT, HEAD, tuple(rows)), _over_scale(sets)


def _rows(
    name: str, judged: Judged, groups: Mapping[str, np.ndarray], properties: tuple[str, ...]
) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for group, members in groups.items():
        published = PUBLISHED.get(name) or PUBLISHED.get(group)
        for prop in properties:
            j = QUANTITIES.index(prop)
            use = members & np.isfinite(judged.own[:, j])
            if use.sum() < _FEW:
                continue
            galaxy, own, old = judged.galaxy[use], judged.own[use, j], judged.members[use, j]
            inside, inside_old = (
                100.0 * (np.abs(off) < sigma[use, j])
                for off, sigma in ((own, judged.own_sigma), (old, judged.members_sigma))
            )
            told = f"{published[DUST.index(prop)]:g}" if published and prop in DUST else "–"
            rows.append((
                name, group, prop, f"{use.sum():,} of {len(np.unique(galaxy))}",
                _pm(rmse(own, galaxy)), f"{rmse(old, galaxy)[0]:.3f}", told,
                _pm(mean_of_galaxies(own, galaxy), "+.3f"),
                f"{mean_of_galaxies(old, galaxy)[0]:+.3f}",
                _pm(mean_of_galaxies(inside, galaxy), ".0f"),
                f"{mean_of_galaxies(inside_old, galaxy)[0]:.0f}",
            ))  # fmt: skip
    return rows


def _over_scale(sets: Mapping[str, Judged]) -> CardTable:
    """RMSE over the pixel's side."""
    rows = []
    for name, judged in sets.items():
        if name in (ANGULAR, UNKNOWN, FEWER):
            continue
        for prop in DUST:
            j = QUANTITIES.index(prop)
            cells = []
            for low, high in pairwise(SCALES):
                use = (judged.scale_pc >= low * 0.99) & (judged.scale_pc < high)
                use &= np.isfinite(judged.own[:, j])
                pair = (
                    [
                        rmse(off[use, j], judged.galaxy[use])[0]
                        for off in (judged.own, judged.members)
                    ]
                    if use.sum() >= _FEW
                    else []
                )
                cells.append(" (".join(f"{value:.3f}" for value in pair) + ")" * bool(pair))
            rows.append((name, prop, *cells))
    return CardTable(
        "Errors over the pixel's side",
        "RMSE in each range of the side in pc, in brackets that of the members alone: what Dobbels "
        "& Baes 2021 show in their figure 8.",
        ("set", "property", *(f"{low:g} to {high:g}" for low, high in pairwise(SCALES))),
        tuple(rows),
    )


def _pm(pair: tuple[float, float], form: str = ".3f") -> str:
    return f"{pair[0]:{form}} ± {pair[1]:{form.lstrip('+')}}"
