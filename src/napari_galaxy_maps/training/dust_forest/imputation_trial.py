"""Whether dust-forest does better with gaps as they are or with gaps filled too, measured on the
real galaxies that it did not see.

    python -m napari_galaxy_maps.training.dust_forest.imputation_trial --data FOLDER [--card OUT]

prints the table, and with --card also writes the shipped model's card with its notes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...bands.registry import INPUT_BANDS
from ...data.recipe import ImputeSettings, Recipe, filling_settings
from ...exceptions import GalaxyMapsError
from ...measure.compare.coverage import coverage
from ...models.dust_forest.model import AS_OBSERVED, DustForest, together
from ...models.dust_forest.uncertainty import QUANTITIES, quantities_of
from ...models.registry import load_model
from ...prepare.impute import fill_steps
from ...progress import run_to_end
from ...sed.library import Library, build_library
from ..datasets.dustpedia import read_galaxies
from ..datasets.galaxies import Galaxies
from ..model_files import write_model
from .band_sets import ALL_BANDS, BAND_SETS, BandSet
from .pool import limited_errors
from .scoring import N_BOOTSTRAP, SEED, predict_unseen

if TYPE_CHECKING:
    from ...models.card import ModelCard

TRIED_BAND_SETS: tuple[BandSet, ...] = (
    ALL_BANDS,
    *(case for case in BAND_SETS if not case.imputed and not case.with_stage),
)
HOW = {
    "gaps": "gaps and negative fluxes of the bands given",
    "all": "also the bands that are not given",
}


@dataclass(frozen=True)
class Compared:
    """One property without and with imputation; errors are standard deviations over bootstraps of
    the galaxies.

    Attributes
    ----------
    case, filled, population, property : str
    n : int
        Galaxies.
    observed, imputed, both : float
        RMSE with gaps as they are, with gaps filled, and of the two as the program puts them
        together.
    r2, me : tuple of float
        R2 and mean error: observed, both.
    difference : tuple of float
        RMSE of both less observed, of the same galaxies, and its error.
    chi2, coverage68 : tuple of float
        Observed, both.
    """

    case: str
    filled: str
    population: str
    property: str
    n: int
    observed: float
    imputed: float
    both: float
    r2: tuple[float, float]
    me: tuple[float, float]
    difference: tuple[float, float]
    chi2: tuple[float, float]
    coverage68: tuple[float, float]

    def verdict(self) -> str:
        """``"better"``, ``"worse"`` or, within two sigma, ``"as good"``."""
        value, error = self.difference
        return "as good" if abs(value) <= 2 * error else "better" if value < 0 else "worse"


def filled_galaxies(
    galaxies: Galaxies, case: BandSet, wanted: Sequence[str], library: Library
) -> Galaxies:
    """The galaxies as a case gives them, with the bands `wanted` filled from those that the case
    gives.
    """
    given, errors = case.given(galaxies)
    filled = run_to_end(fill_steps(given, errors, case.bands, wanted, library, "cpu"))
    full = np.full((2, *galaxies.values.shape), np.nan)
    full[:, [INPUT_BANDS.index(band) for band in wanted]] = filled.values, filled.errors
    return replace(galaxies, values=full[0], errors=full[1])


def compare(model: DustForest, galaxies: Galaxies, library: Library) -> list[Compared]:
    """Every set of bands, both ways of filling, all galaxies and those with at least three
    far-infrared detections.
    """
    found = []
    for case in TRIED_BAND_SETS:
        plain = _predicted(model, galaxies, case)
        for how in HOW:
            wanted = case.bands if how == "gaps" else INPUT_BANDS
            if how == "all" and case is ALL_BANDS:
                continue
            filled = filled_galaxies(galaxies, case, wanted, library)
            other = _predicted(model, filled, BandSet(case.name, wanted))
            found += _scores(case.name, how, galaxies, plain, other)
    return found


def _predicted(
    model: DustForest, galaxies: Galaxies, case: BandSet
) -> tuple[np.ndarray, np.ndarray]:
    found = predict_unseen(model, galaxies, case)
    return found.values, found.sigma


def _scores(
    case: str,
    how: str,
    galaxies: Galaxies,
    plain: tuple[np.ndarray, np.ndarray],
    other: tuple[np.ndarray, np.ndarray],
) -> list[Compared]:
    truth, error = quantities_of(galaxies.targets), limited_errors(galaxies)
    usable = np.isfinite(plain[0][:, 0]) & np.isfinite(other[0][:, 0])
    both = together(plain, other)
    found = []
    for population, use in (("all", usable), (">= 3 FIR", usable & (galaxies.n_detected >= 3))):
        n = int(use.sum())
        draws = np.random.default_rng(SEED).integers(0, n, (N_BOOTSTRAP, n))
        for j, name in enumerate(QUANTITIES[:3]):
            residual = [(values[use, j] - truth[use, j]) for values, _ in (plain, both)]
            z = [
                r / np.hypot(s[use, j], error[use, j])
                for r, (_, s) in zip(residual, (plain, both), strict=True)
            ]
            rmse = [float(np.sqrt(np.mean(r**2))) for r in residual]
            alone = float(np.sqrt(np.mean((other[0][use, j] - truth[use, j]) ** 2)))
            drawn = [np.sqrt((r[draws] ** 2).mean(1)) for r in residual]
            found.append(
                Compared(
                    case,
                    how,
                    population,
                    name,
                    n,
                    rmse[0],
                    alone,
                    rmse[1],
                    _two(1 - np.mean(r**2) / truth[use, j].var() for r in residual),
                    _two(r.mean() for r in residual),
                    (rmse[1] - rmse[0], float((drawn[1] - drawn[0]).std())),
                    _two(np.mean(v**2) for v in z),
                    _two(100 * coverage(v).within_68 for v in z),
                )
            )
    return found


def _two(values) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    one, other = (float(value) for value in values)
    return one, other


def markdown(rows: Sequence[Compared]) -> str:
    """The comparison as a table."""
    head = ["bands given", "filled", "galaxies", "n", "property", "RMSE as observed", "filled",
        "both", "both - observed", "R2",
            "mean error", "chi2", "68 %", ""]  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for r in rows:
        cells = [
            r.case,
            r.filled,
            r.population,
            str(r.n),
            r.property,
            f"{r.observed:.3f}",
            f"{r.imputed:.3f}",
            f"{r.both:.3f}",
            f"{r.difference[0]:+.3f} ± {r.difference[1]:.3f}",
            "{:.3f}, {:.3f}".format(*r.r2),
            "{:+.3f}, {:+.3f}".format(*r.me),
            "{:.2f}, {:.2f}".format(*r.chi2),
            "{:.0f}, {:.0f}".format(*r.coverage68),
            r.verdict(),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


NOTE = "Gaps filled by model spectra (`impute`)"


def notes(rows: Sequence[Compared]) -> tuple[str, ...]:
    """The comparison in words, for the card."""

    def verdicts(how: str) -> str:
        found = [row.verdict() for row in rows if row.filled == how]
        return (
            f"of {len(found)} rows {found.count('better')} are better, {found.count('as good')} "
            f"as good, {found.count('worse')} worse"
        )

    def against(case: str, how: str, population: str) -> str:
        found = [r for r in rows if (r.case, r.filled, r.population) == (case, how, population)]
        return ", ".join(
            f"{r.property} {r.observed:.3f}, {r.imputed:.3f}, {r.both:.3f}" for r in found
        )

    worst = max((r for r in rows if r.filled == "all"), key=lambda r: r.chi2[1])
    return (
        f"{NOTE} in the bands that are given, negative fluxes with them. The prediction is the "
        "mean of that with gaps as they are and that with gaps filled, half their difference adds "
        f"to the uncertainty, and {', '.join(AS_OBSERVED)} is that with gaps as they are. RMSE "
        "with gaps, filled, and so, with all bands: of all galaxies "
        f"{against(ALL_BANDS.name, 'gaps', 'all')}; with >= 3 FIR "
        f"{against(ALL_BANDS.name, 'gaps', '>= 3 FIR')}. Against gaps as they are, by two sigma "
        "of the difference (six sets of bands, two populations, three properties), "
        f"{verdicts('gaps')}. The step is on unless switched off.",
        f"{NOTE} in bands that are not given at all: {verdicts('all')}, and the uncertainties "
        f"become too small (chi2 of {worst.property} up to {worst.chi2[1]:.1f}, {worst.case}). "
        "The colours filled in are the models', not these galaxies'. Fill such bands to look at "
        "them, not to predict from them.",
    )


def with_notes(card: ModelCard, rows: Sequence[Compared]) -> ModelCard:
    """A card with these notes in the place of earlier ones of the kind."""
    return replace(
        card, notes=(*(note for note in card.notes if not note.startswith(NOTE)), *notes(rows))
    )


def library_for_galaxies(settings: ImputeSettings | None = None) -> Library:
    """The library by which the program fills gaps, for galaxies as near as DustPedia's."""
    recipe = Recipe() if settings is None else Recipe(impute=settings)
    return build_library(filling_settings(recipe), 0.0)


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", required=True, type=Path, help="folder of the DustPedia tables")
    parser.add_argument(
        "--card",
        type=Path,
        help="folder to write the model's files to, with the card's notes made anew",
    )
    options = parser.parse_args(arguments)
    try:
        model = load_model("dust-forest")
        assert isinstance(model, DustForest)
        rows = compare(model, read_galaxies(options.data), library_for_galaxies())
        print(markdown(rows))
        if options.card is not None:
            noted = replace(model, card=with_notes(model.card, rows))
            write_model(noted, "forest", options.card)
    except GalaxyMapsError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
