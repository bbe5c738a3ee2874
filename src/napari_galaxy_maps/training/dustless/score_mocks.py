"""Scores images without dust on mock galaxies:

    python -m napari_galaxy_maps.training.dustless.score_mocks [--data FOLDER] [--galaxies 20]
        [--others 10] [--seed 70100] [--models 50000] [--page docs/attenuation.md]

FOLDER holds the `templates` and `simulated` galaxies of the second recipe; without it only the
project's own mocks are scored. Prints the tables, and puts them into the page. The prior and how
far dust's light is trusted were chosen on seeds 70000 to 70015, which are not scored.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from ...data.recipe import LibrarySettings
from ...progress import run_to_end
from ...sed.attenuation_maps import loosened
from ...sed.compose import DIMMED
from ...sed.dustless import dustless_steps
from ...sed.library import Library, build_library
from ...sed.priors import for_attenuation
from ..pages import put_into
from .mock_light import BRIGHT, CASES, MockLight, other_mocks, own_mocks

WITHIN: Final = 0.1
"""mag of the light without dust."""
FEWEST: Final = 10
"""Bright pixels that a galaxy must have in a band to be scored in it."""
SETS: Final = {
    "FUV to far infrared": lambda band: True,
    "no far infrared": lambda band: (
        not band.startswith(("PACS", "SPIRE", "Spitzer_24", "Spitzer_7"))
    ),
    "no ultraviolet": lambda band: (
        band not in DIMMED[:2] and not band.startswith(("PACS", "SPIRE", "Spitzer_24", "Spitzer_7"))
    ),
    "optical alone": lambda band: band in DIMMED[2:],
}
"""Which bands are fitted."""


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of galaxies in `DIMMED`, each shape (n_galaxies, n_dimmed); NaN where a galaxy has too
    few bright pixels.

    Attributes
    ----------
    within : ndarray
        Share of pixels within `WITHIN` of their light without dust.
    before : ndarray
        The same of the light as it is seen, without noise.
    covered : ndarray
        Share of pixels whose truth lies between the 16th and 84th percentile.
    bias : ndarray
        Median of found less true, mag: positive where too little was taken away.
    total : ndarray
        Of the sum of the pixels, mag.
    told : ndarray
        The error of it that is told, mag: all of what pixels have counts as shared.
    """

    within: np.ndarray
    before: np.ndarray
    covered: np.ndarray
    bias: np.ndarray
    total: np.ndarray
    told: np.ndarray


@lru_cache(maxsize=8)
def _library(n_models: int, redshift: float, bands: tuple[str, ...]) -> Library:
    settings = for_attenuation(LibrarySettings(n_models=n_models), bands)
    return build_library(settings, redshift)


def score_galaxy(mock: MockLight, which: str, n_models: int) -> np.ndarray:
    """The scores of one galaxy, shape (6, n_dimmed), in the order of `Scores`."""
    rows = [k for k, band in enumerate(mock.bands) if SETS[which](band)]
    bands = [mock.bands[k] for k in rows]
    data, error = mock.data[rows], mock.uncertainty[rows]
    library = _library(n_models, round(mock.redshift * 200) / 200, tuple(bands))
    found = run_to_end(dustless_steps(data, loosened(data, error, bands), bands, library, "cpu"))
    scores = np.full((6, len(DIMMED)), np.nan)
    for k, band in enumerate(DIMMED):
        bright = mock.signal[mock.bands.index(band)] > BRIGHT
        low, middle, high = found.light[:, k, bright].astype(float)
        truth, seen = mock.bare[k, bright], mock.dimmed[k, bright]
        good = np.isfinite(middle)
        if good.sum() < FEWEST:
            continue
        low, middle, high, truth, seen = (x[good] for x in (low, middle, high, truth, seen))
        off = -2.5 * np.log10(middle / truth)
        inside = (low <= truth) & (truth <= high)
        scores[:, k] = (
            np.mean(np.abs(off) < WITHIN), np.mean(-2.5 * np.log10(seen / truth) < WITHIN),
            np.mean(inside), np.median(off), -2.5 * np.log10(middle.sum() / truth.sum()),
            1.0857 * ((high - low) / 2).sum() / middle.sum(),
        )  # fmt: skip
    return scores


def score(mocks: Iterable[MockLight], which: str, n_models: int) -> Scores:
    """The scores of galaxies with some of their bands (`SETS`)."""
    every = np.array([score_galaxy(mock, which, n_models) for mock in mocks])
    return Scores(*(every[:, k] for k in range(6)))


def _with_error(values: np.ndarray, times: float = 1.0, digits: int = 0) -> str:
    """Mean over galaxies and its error."""
    known = values[np.isfinite(values)] * times
    if known.size < 2:
        return "-"
    return f"{known.mean():.{digits}f} ± {known.std(ddof=1) / np.sqrt(known.size):.{digits}f}"


def table(scores: dict[str, Scores]) -> list[str]:
    """Lines of Markdown: a row for each set of bands and each image."""
    lines = [
        "| bands fitted | image | n | within 0.1 mag, % | as seen, % | inside 16-84, % | "
        "bias, mag | sum: rms, mag | sum within 0.1 mag, % | sum inside its error, % |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, s in scores.items():
        for k, band in enumerate(DIMMED):
            there = np.isfinite(s.within[:, k])
            total = s.total[there, k]
            rms = np.sqrt(np.mean(total**2)) if there.any() else np.nan
            lines.append(
                f"| {name if k == 0 else ''} | {band} | {there.sum()} | "
                f"{_with_error(s.within[:, k], 100)} | {_with_error(s.before[:, k], 100)} | "
                f"{_with_error(s.covered[:, k], 100)} | {_with_error(s.bias[:, k], 1, 2)} | "
                f"{rms:.2f} | {100 * np.mean(np.abs(total) < WITHIN):.0f} | "
                f"{100 * np.mean(np.abs(total) < s.told[there, k]):.0f} |"
            )
    return lines


def _short(scores: dict[str, Scores]) -> list[str]:
    """Lines of Markdown with a row for each case: the share of pixels within 0.1 mag by band."""
    names = [band.split("_")[1] for band in DIMMED]
    lines = [
        f"| mocks | {' | '.join(names)} | inside 16-84, all bands |",
        "|---" * (len(names) + 2) + "|",
    ]
    for name, s in scores.items():
        cells = " | ".join(_with_error(s.within[:, k], 100) for k in range(len(names)))
        lines.append(f"| {name} | {cells} | {_with_error(np.nanmean(s.covered, 1), 100)} |")
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--galaxies", type=int, default=20)
    parser.add_argument("--others", type=int, default=10)
    parser.add_argument("--seed", type=int, default=70100)
    parser.add_argument("--models", type=int, default=50_000)
    parser.add_argument("--page", type=Path)
    given = parser.parse_args(arguments)
    first = next(iter(CASES))
    mocks = {case: list(own_mocks(case, given.galaxies, given.seed)) for case in CASES}
    by_bands = {which: score(mocks[first], which, given.models) for which in SETS}
    everything = next(iter(SETS))
    by_case = {case: score(mocks[case], everything, given.models) for case in CASES}
    if given.data:
        others = list(other_mocks(given.data, given.others, given.seed))
        for which in ("no far infrared", "no ultraviolet", "optical alone"):
            by_case[f"second recipe, {which}"] = score(others, which, given.models)
    lines = [
        f"{given.galaxies} mocks of seeds {given.seed} to {given.seed + given.galaxies - 1}, "
        f"{first}; up to 150 pixels of each over {BRIGHT:g} sigma in the image; "
        f"{given.models:,} models. Means over galaxies with their errors.",
        "", *table(by_bands), "",
        f"Pixels within {WITHIN:g} mag, %, with {everything} unless noted"
        + (f"; {given.others} galaxies of the second recipe:" if given.data else ":"),
        "", *_short(by_case),
    ]  # fmt: skip
    print("\n".join(lines))
    if given.page:
        put_into(given.page, "mocks: made by training/dustless/score_mocks.py", lines)


if __name__ == "__main__":
    main()
