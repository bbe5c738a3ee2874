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
from ...models.dust_forest.features import ColourTerm
from ...models.dust_forest.model import DustForest, Member
from ..datasets.dustpedia import Galaxies, fit_colour_term, read_galaxies
from ..model_files import write_model
from .card_notes import measured_notes
from .card_text import card
from .fit_spread import SpreadSettings, cross_fit, fit_spread
from .fit_trees import TreeSettings, fit_galaxy_colours, fit_trees, make_pool
from .scoring import folds, score_model

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
    bare = DustForest(tuple(members), term, card(NAME, VERSION, term, galaxies))
    scores = score_model(bare, galaxies)
    notes = measured_notes(bare, galaxies, scores)
    model = DustForest(bare.members, term, card(NAME, VERSION, term, galaxies, scores, notes))
    write_model(model, "forest", Path(out))
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
