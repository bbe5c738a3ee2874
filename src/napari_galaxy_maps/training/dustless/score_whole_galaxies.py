"""Scores the attenuation of whole galaxies beside that of Nersesian+ 2019:

    python -m napari_galaxy_maps.training.dustless.score_whole_galaxies --data FOLDER
        [--models 50000] [--seed 0] [--page docs/attenuation.md]

FOLDER holds the folder `dustpedia`. Their A_FUV is CIGALE's, with the far infrared. The library of
spectra sees the same fluxes, or those up to 22 micron; a regressor is trained on the latter and
scored on galaxies that it has not seen, in five folds.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ...bands.registry import FIR_BANDS, INPUT_BANDS, MODEL_BANDS
from ...data.recipe import LibrarySettings
from ...progress import run_to_end
from ...sed.attenuation_maps import loosened
from ...sed.dustless import dustless_steps
from ...sed.library import build_library
from ...sed.priors import for_attenuation
from ..datasets.cigale_fits import CigaleFits, read_cigale
from ..pages import put_into

FOLDS: Final = 5
REFERENCE: Final = "WISE_3.4"
DETECTIONS: Final = 3
"""Far-infrared bands over 3 sigma, from which on a galaxy is scored: else their A_FUV rests on
little more than the prior."""


@dataclass(frozen=True, eq=False)
class Guess:
    """A_FUV of galaxies: middle, and the ends of what should hold 68 %, shape (n,), mag."""

    low: np.ndarray
    middle: np.ndarray
    high: np.ndarray


def by_library(fits: CigaleFits, bands: Sequence[str], prior: str, n_models: int) -> Guess:
    """What the library of spectra says of the galaxies from some bands."""
    settings = for_attenuation(LibrarySettings(n_models=n_models, prior=prior), bands)
    rows = [MODEL_BANDS.index(band) for band in bands]
    data, error = fits.flux[rows], fits.error[rows]
    error = loosened(data, error, bands) if prior == "broad" else error
    # Of attenuation the distance does not matter.
    steps = dustless_steps(
        data, error, list(bands), build_library(settings, 0.0), "cpu", distance_mpc=10.0
    )
    return Guess(*run_to_end(steps).properties["A_FUV"].astype(float))


def features(fits: CigaleFits, bands: Sequence[str]) -> np.ndarray:
    """Colours against `REFERENCE`, their signal, and the brightest's luminosity, shape (n, k); NaN
    where a flux is missing or not positive.
    """
    rows = [MODEL_BANDS.index(band) for band in bands]
    at = bands.index(REFERENCE)
    flux, error = fits.flux[rows], fits.error[rows]
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log10(np.where(flux > 0, flux, np.nan))
        signal = np.log10(np.clip(flux / error, 0.1, 100))
    luminosity = log[at] + 2 * np.log10(fits.distance)
    return np.column_stack([(log - log[at]).T, signal.T, luminosity])


def by_regressor(fits: CigaleFits, bands: Sequence[str], folds: np.ndarray) -> Guess:
    """Gradient boosting, each fold by the others; its errors are the middle 68 % of what it is off
    by on galaxies that the fit for them had not seen, within the others.
    """
    given, wanted = features(fits, bands), fits.n19["A_FUV"]
    low, middle, high = np.full((3, len(wanted)), np.nan)
    for fold in range(FOLDS):
        mine, others = folds == fold, np.flatnonzero((folds != fold) & np.isfinite(wanted))
        inner = np.arange(len(others)) % FOLDS
        left = np.empty(len(others))
        for part in range(FOLDS):
            out = inner == part
            model = _boosting().fit(given[others[~out]], wanted[others[~out]])
            left[out] = wanted[others[out]] - model.predict(given[others[out]])
        middle[mine] = _boosting().fit(given[others], wanted[others]).predict(given[mine])
        below, above = np.percentile(left, [16, 84])
        low[mine], high[mine] = middle[mine] + below, middle[mine] + above
    return Guess(low, middle, high)


def _boosting():  # type: ignore[no-untyped-def]
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(
        max_iter=200, learning_rate=0.05, min_samples_leaf=10, l2_regularization=1.0, random_state=0
    )


def row(name: str, guess: Guess, truth: np.ndarray, error: np.ndarray, use: np.ndarray) -> str:
    """A line of Markdown on galaxies in `use`."""
    use = use & np.isfinite(guess.middle)
    off = (guess.middle - truth)[use]
    half = (guess.high - guess.low)[use] / 2
    inside = np.abs(off) < np.hypot(half, error[use])
    rng = np.random.default_rng(0)
    again = [np.sqrt(np.mean(rng.choice(off, off.size) ** 2)) for _ in range(300)]
    return (
        f"| {name} | {off.size} | {np.sqrt(np.mean(off**2)):.2f} ± {np.std(again):.2f} | "
        f"{off.mean():+.2f} | {np.percentile(np.abs(off), 68):.2f} | {np.median(half):.2f} | "
        f"{100 * inside.mean():.0f} |"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--page", type=Path)
    given = parser.parse_args(arguments)
    fits = read_cigale(given.data / "dustpedia")
    truth, error = fits.n19["A_FUV"], np.nan_to_num(fits.n19_error["A_FUV"])
    seen = {
        "FUV to far infrared": tuple(b for b in MODEL_BANDS if b in (*INPUT_BANDS, *FIR_BANDS)),
        "up to 22 micron": INPUT_BANDS,
    }
    folds = np.random.default_rng(given.seed).permutation(len(truth)) % FOLDS
    use = np.isfinite(truth) & (fits.n_far_infrared >= DETECTIONS)
    lines = [
        f"{use.sum()} galaxies of DustPedia with at least {DETECTIONS} far-infrared detections; "
        f"{given.models:,} models; {FOLDS} folds by galaxy, seed {given.seed}. Their own error is "
        f"{np.median(error[use]):.2f} mag in the median, and their scatter among galaxies "
        f"{np.std(truth[use]):.2f} mag.",
        "",
        "| by | n | rms, mag | mean, mag | 68 % within, mag | error told, mag | inside it, % |",
        "|---|---|---|---|---|---|---|",
    ]
    for words, bands in seen.items():
        for prior, called in (("dustpedia", "CIGALE's prior"), ("broad", "the prior of maps")):
            guess = by_library(fits, bands, prior, given.models)
            lines.append(row(f"library, {called}, {words}", guess, truth, error, use))
    guess = by_regressor(fits, seen["up to 22 micron"], folds)
    lines.append(row("gradient boosting, up to 22 micron", guess, truth, error, use))
    print("\n".join(lines))
    if given.page:
        put_into(given.page, "galaxies: made by training/dustless/score_whole_galaxies.py", lines)


if __name__ == "__main__":
    main()
