"""Makes the weights and the card of dust-forest again from the DustPedia tables.

python -m napari_galaxy_maps.training.dust_forest.fit_forest --data FOLDER --out FOLDER
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from ...exceptions import GalaxyMapsError
from ...models.card import Score
from ...models.dust_forest.features import ColourTerm, normalise, select
from ...models.dust_forest.model import DustForest, Member
from ...models.dust_forest.uncertainty import QUANTITIES, TO_QUANTITIES
from ...models.registry import write_entry
from ..datasets.dustpedia import Galaxies, fit_colour_term, read_galaxies
from . import card_text
from .cases import CASES, WHOLE, Case
from .fit_spread import SpreadSettings, cross_fit, fit_spread, truth_errors
from .scoring import baseline, folds, score
from .trees import TreeSettings, fit_galaxy_colours, fit_trees, make_pool

NAME, VERSION = "dust-forest", "1.0"
UNUSUAL_SHARE = 0.5
"""Per cent of the training galaxies' copies that lie beyond the limit of the distribution."""


def train(
    data: str | Path, out: str | Path, seed: int = 0, report: Callable[[str], None] | None = print
) -> DustForest:
    """Train, score and write the model.

    Parameters
    ----------
    data : str or Path
        Folder of the DustPedia tables.
    out : str or Path
        Folder for ``dust-forest.safetensors``, ``dust-forest.json`` and ``dust-forest.md`` (the
        card) and ``registry.json``.
    seed : int
        Of everything random; the same seed gives the same files on the same package versions.
    report : callable, optional
        Told how far it is.

    Raises
    ------
    GalaxyMapsError
        When the tables are not there or the folder cannot be written.
    """
    say = report or (lambda _: None)
    start = time.monotonic()
    galaxies = read_galaxies(data)
    term = fit_colour_term(galaxies)
    say(f"{len(galaxies)} galaxies")
    members = []
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as processes:
        jobs = [
            processes.submit(train_member, galaxies.take(fit), term, 10 * seed + k)
            for k, (fit, _) in enumerate(folds(len(galaxies)))
        ]
        for k, job in enumerate(jobs):
            members.append(job.result())
            say(f"member {k + 1} of 4 after {time.monotonic() - start:.0f} s")
    bare = DustForest(tuple(members), term, card_text.card(NAME, VERSION, term, galaxies))
    scores = score_model(bare, galaxies)
    card = card_text.card(
        NAME, VERSION, term, galaxies, scores, card_text.measured_notes(bare, galaxies, scores)
    )
    model = DustForest(bare.members, term, card)
    write(model, Path(out))
    say(f"scored and written to {out} after {time.monotonic() - start:.0f} s")
    return model


def train_member(
    galaxies: Galaxies,
    term: ColourTerm,
    seed: int,
    trees: TreeSettings | None = None,
    spread: SpreadSettings | None = None,
) -> Member:
    """Train one member on galaxies: colours, trees, and the spread on cross-fitted residuals of the
    same galaxies.
    """
    trees, spread = trees or TreeSettings(), spread or SpreadSettings()
    colours = fit_galaxy_colours(galaxies, term)
    pool = make_pool(galaxies, colours, term, trees, seed)
    rows = np.arange(len(galaxies))
    mean = fit_trees(pool, rows, galaxies.targets, galaxies.target_errors, trees, seed)
    uncertainty = fit_spread(pool, cross_fit(pool, galaxies, trees, seed), galaxies, spread, seed)
    return Member(
        colours, mean, uncertainty, float(np.percentile(pool.unusual, 100 - UNUSUAL_SHARE))
    )


def predict_unseen(
    model: DustForest, galaxies: Galaxies, case: Case
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each galaxy by the member that never saw it.

    Returns
    -------
    values, sigma : ndarray, shape (n, 7)
        Of `QUANTITIES`, the surface densities per WISE 3.4 luminosity; NaN where the case leaves
        too few bands.
    unusual : ndarray, shape (n,)
    """
    values, sigma = np.full((2, len(galaxies), len(QUANTITIES)), np.nan)
    unusual = np.full(len(galaxies), np.nan)
    for member, (_, test) in zip(model.members, folds(len(galaxies)), strict=True):
        given = case.given(galaxies.take(test))
        spectra = normalise(*given, case.bands, model.colour_term, model.columns)
        rows = test[spectra.usable]
        mean, sigma[rows], unusual[rows] = member.predict(select(spectra, spectra.usable))
        values[rows] = mean @ TO_QUANTITIES
    return values, sigma, unusual


def score_model(model: DustForest, galaxies: Galaxies) -> tuple[Score, ...]:
    """Score every case, for all galaxies and for those with at least three far-infrared detections."""
    truth, error = galaxies.targets @ TO_QUANTITIES, truth_errors(galaxies)
    reference = baseline(galaxies, CASES[0])
    scores = []
    for case in (WHOLE, *CASES):
        plain = reference if case in (WHOLE, CASES[0]) else baseline(galaxies, case)
        values, sigma, _ = predict_unseen(model, galaxies, case)
        usable = np.isfinite(values[:, 0])
        for population, member in (
            ("all", usable),
            (">= 3 FIR", usable & (galaxies.n_detected >= 3)),
        ):
            for j, name in enumerate(QUANTITIES[: 7 if case is WHOLE else 3]):
                scores.append(
                    score(
                        case.name, population, name, truth[member, j], error[member, j], values[member, j],
                        sigma[member, j], plain[member, j] if j < 3 else None,
                    )
                )  # fmt: skip
    return tuple(scores)


def write(model: DustForest, out: Path) -> None:
    """Write weights, card and registry entry to the folder `out`."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        weights, card = out / f"{NAME}.safetensors", out / f"{NAME}.json"
        weights.write_bytes(model.to_bytes())
        card.write_text(model.card.to_json(), encoding="utf-8")
        (out / f"{NAME}.md").write_text(model.card.to_markdown(), encoding="utf-8")
        write_entry(out, NAME, "forest", VERSION, weights, card)
    except OSError as error:
        raise GalaxyMapsError(
            f"{out} cannot be written ({error.strerror}); choose another folder."
        ) from None


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", required=True, type=Path, help="folder of the DustPedia tables")
    parser.add_argument("--out", required=True, type=Path, help="folder for weights and card")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        train(options.data, options.out, options.seed)
    except GalaxyMapsError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
