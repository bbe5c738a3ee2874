"""Scores stellar-unet on galaxies that its generator never made.

    python -m napari_galaxy_maps.training.outside.score --data FOLDER --model NAME --out FOLDER

FOLDER holds templates/ (bc03_lr_chabrier_ssp.npz) and simulated/ (views of two simulated galaxies),
which are read in place; filter curves are astro-sedpy's. NAME is a model's name, a folder that
training wrote a model to, or that of a fit that still goes on: its best weights, whose
uncertainties are not calibrated. Writes ``outside.json`` and ``outside.md``. Settings of a model
may be chosen by the rows that are looked at without --last, and by no others.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...data.cube import BandCube
from ...data.flags import Flag
from ...data.maps import PropertyMaps
from ...data.recipe import ModelSettings, Recipe
from ...exceptions import GalaxyMapsError, InputError, ModelError
from ...fits_io.safe_writing import check_output_folder, write_text
from ...measure.compare.stellar_scores import INSIDE
from ...models.registry import model_hash
from ...models.stellar_unet.outputs import STELLAR_PROPERTIES
from ...pipeline import predict_cube_steps
from ...progress import run_to_end
from ..pages import page_with, put_into
from ..stellar_unet.stellar_scoring import galaxy_scores
from . import table_of_rows
from .cases import Case, Studio, all_cases, chosen, rows_of
from .sights import Seen
from .unfinished_model import model_of

SCORED = ("LOG_SIGMA_STAR", "AGE_STAR", "LOG_SIGMA_ZSTAR", "LOG_SIGMA_SFR")
NUMBERS = ("delta", "told", "coverage68", "coverage95")
_ROWS = [STELLAR_PROPERTIES.index(name) for name in SCORED]

Predict = Callable[[BandCube], PropertyMaps]


@dataclass(frozen=True, eq=False)
class CaseScore:
    """How a model did on a case.

    Attributes
    ----------
    values : ndarray, shape (4, 4)
        By `SCORED` and `NUMBERS`: log10 true - log10 predicted of the sums inside 2 R_half, mean
        told sigma of the pixels there (dex), per cent of pixels within one sigma and within those
        that should hold 95 %; NaN where there is no truth or no prediction.
    flagged : float
        Share of the pixels inside 2 R_half that are flagged as unlike the training set.
    refused : str
        What the model said where it refused.
    """

    values: np.ndarray
    flagged: float = float("nan")
    refused: str = ""


def score_case(seen: Seen, predict: Predict) -> CaseScore:
    """Score a prediction of a galaxy."""
    try:
        maps = predict(seen.cube)
    except (InputError, ModelError) as error:
        return CaseScore(np.full((len(SCORED), len(NUMBERS)), np.nan), refused=str(error))
    values = galaxy_scores(maps, seen.truth, seen.radius)[_ROWS] * (1, 1, 100, 100)
    inside = seen.radius[0] < INSIDE
    flagged = float(((maps.flags[inside] & Flag.OUT_OF_DISTRIBUTION) != 0).mean())
    return CaseScore(values, flagged)


def summary(scores: list[CaseScore]) -> dict[str, Any]:
    """Numbers of a row, one galaxy one vote: ``n refused flagged``, and by property ``n bias
    scatter told coverage68 coverage95``.
    """
    values = np.array([score.values for score in scores])
    found: dict[str, Any] = {
        "n": len(scores), "refused": sum(bool(score.refused) for score in scores)
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no galaxy has it
        found["flagged"] = float(np.nanmean([score.flagged for score in scores]))
        means, spread = np.nanmean(values, axis=0), np.nanstd(values[..., 0], axis=0, ddof=1)
    for k, name in enumerate(SCORED):
        bias, told, one, two = (float(v) for v in means[k])
        found[name] = {
            "n": int(np.isfinite(values[:, k, 0]).sum()), "bias": bias,
            "scatter": float(spread[k]), "told": told, "coverage68": one, "coverage95": two,
        }  # fmt: skip
    return found


def score_cases(
    cases: list[Case], studio: Studio, predict: Predict, say: Callable[[str], None] = print
) -> dict[str, Any]:
    """Numbers of all rows of some cases: ``rows`` and ``pooled`` (`summary`), and ``cases``."""
    scores: list[CaseScore] = []
    for number, case in enumerate(cases):
        scores.append(score_case(studio.seen(case), predict))
        if (number + 1) % 20 == 0 or number + 1 == len(cases):
            say(f"{number + 1} of {len(cases)} galaxies")
    paired = list(zip(cases, scores, strict=True))

    def of(wanted: Callable[[Case], bool]) -> dict[str, Any]:
        return summary([score for case, score in paired if wanted(case)])

    rows = {}
    for row in rows_of(cases):
        last = all(case.last for case in cases if row in case.rows)
        rows[row] = {"last": last, **of(partial(_counts_in, row))}
    pooled = {"settings": of(lambda case: not case.last)}
    if any(case.last for case in cases):
        pooled |= {"last": of(lambda case: case.last), "all": of(lambda case: True)}
    each = [
        {
            "rows": case.rows, "last": case.last, "subject": vars(case.subject),
            "sight": vars(case.sight), "flagged": score.flagged, "refused": score.refused,
            **{
                name: dict(zip(NUMBERS, score.values[k].tolist(), strict=True))
                for k, name in enumerate(SCORED)
            },
        }
        for case, score in paired
    ]  # fmt: skip
    return {"rows": rows, "pooled": pooled, "cases": each}


def _counts_in(row: str, case: Case) -> bool:
    return row in case.rows


def predictor(model: str, device: str, members: int = 1) -> Predict:
    """Predicts as the program does."""
    recipe = Recipe(model=ModelSettings(name=model, device=device, members=members))
    return lambda cube: run_to_end(predict_cube_steps(cube, recipe, {"object": cube.name}))


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of templates and views")
    parser.add_argument(
        "--model", default="stellar-unet", help="name, or folder that training wrote"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for numbers and table")
    parser.add_argument("--rows", nargs="+", metavar="NAME", help="rows to look at; default all")
    parser.add_argument("--last", action="store_true", help="the rows that choose nothing as well")
    parser.add_argument("--quick", action="store_true", help="a few galaxies of each row")
    parser.add_argument("--docs", type=Path, help="page whose table is written anew")
    parser.add_argument("--device", default="cpu", choices=("auto", "cpu", "cuda", "mps"))
    parser.add_argument(
        "--members", type=int, default=1, choices=range(1, 9), help="orientations that it sees"
    )
    options = parser.parse_args(arguments)
    try:
        check_output_folder(options.out)
        if options.docs:  # what is wrong with the page is found before the work
            page_with(options.docs, table_of_rows.MARK)
        cases = chosen(all_cases(), options.rows, options.last, options.quick)
        studio = Studio(options.data)
        with model_of(options.model) as model:
            about = {
                "model": options.model,
                "weights": model_hash(model),
                "members": options.members,
            }
            found = score_cases(cases, studio, predictor(model, options.device, options.members))
        table = table_of_rows.markdown({**about, **found})
        options.out.mkdir(parents=True, exist_ok=True)
        numbers = json.dumps(_plain({**about, **found}), indent=1)
        write_text(options.out / "outside.json", numbers + "\n", overwrite=True)
        write_text(options.out / "outside.md", table, overwrite=True)
        if options.docs:
            put_into(options.docs, table_of_rows.MARK, table.rstrip().splitlines())
    except GalaxyMapsError as error:
        print(error, file=sys.stderr)
        return 2
    print(table)
    return 0


def _plain(value: Any) -> Any:
    """The value with numbers rounded, and None for NaN, which JSON has not."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        return round(value, 4) if np.isfinite(value) else None
    return value


if __name__ == "__main__":
    sys.exit(main())
