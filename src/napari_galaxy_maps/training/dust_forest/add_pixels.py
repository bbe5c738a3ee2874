"""Adds the part for pixels to a dust-forest, scores it on pixels of two kinds of mock galaxies, and
writes the model with its card.

python -m napari_galaxy_maps.training.dust_forest.add_pixels --data FOLDER --hatlas FOLDER --others
FILE --out FOLDER
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from ...models.dust_forest.model import DustForest
from ...models.registry import load_model
from ..datasets.dustpedia import read_both
from ..datasets.galaxies import Galaxies
from ..datasets.galaxy_pixels import GalaxyPixels, read_pixels
from ..datasets.mock_pixels import make_mock_pixels, pixels_of_mock
from ..model_files import write_model
from .card_notes import measured_notes, quarters_of_sigma
from .card_text import BEYOND, NAME, VERSION, card
from .command import parser_of, status_of
from .fit_galaxy_share import galaxy_errors
from .fit_pixels import PixelSettings, fit_pixel_part
from .pixel_notes import pixel_notes
from .pixel_rows import zero_points
from .pixel_tables import ANGULAR, FEWER, UNKNOWN, pixel_tables
from .score_pixels import Judged, judge
from .scoring import score_model

GALAXIES, HELD_OUT, WHOLES = 1000, 300, 300
"""Mock galaxies: to fit to, to score, and to find zero points with."""
FIT, HELD, _WHOLE, SETS = 0, 1, 2, 3
"""Which seeds are for what: none is used twice."""


def with_pixels(
    model: DustForest,
    galaxies: int = GALAXIES,
    wholes: int = WHOLES,
    seed: int = 0,
    settings: PixelSettings | None = None,
    processes: int = 2,
    report: Callable[[str], None] = lambda _: None,
) -> tuple[DustForest, np.ndarray]:
    """The model with a part for pixels, fitted to mock galaxies; and the zero points of these
    (`pixel_rows.zero_points`).
    """
    zero = zero_points(model, wholes, SETS * seed + _WHOLE, processes)
    pixels = make_mock_pixels(galaxies, SETS * seed + FIT, processes)
    report(f"{len(pixels):,} pixels")
    part = fit_pixel_part(model, pixels, zero, seed, settings, processes, report)
    return replace(model, pixels=part), zero


def judged_sets(
    model: DustForest,
    zero: np.ndarray,
    others: GalaxyPixels | None,
    galaxies: int = HELD_OUT,
    seed: int = 0,
    processes: int = 2,
) -> dict[str, Judged]:
    """What the model says of pixels that it was not fitted to, by set: A (the recipe that it was
    fitted to) on pixels of several scales and of 18 arcsec, with the scale not told, and with bands
    left out at random; and B (another).
    """
    held = partial(make_mock_pixels, galaxies, SETS * seed + HELD, processes)
    known, angular = held(), held(partial(pixels_of_mock, scales_pc=()))
    unknown = replace(known, scale_pc=np.full_like(known.scale_pc, np.nan))
    pairs = (("A", known), (ANGULAR, angular), (UNKNOWN, unknown))
    sets = {name: judge(model, pixels, zero) for name, pixels in pairs}
    sets[FEWER] = judge(model, known, zero, seed)
    if others is not None:
        sets["B"] = judge(model, others, np.zeros(5))
    return sets


def carded(
    model: DustForest, galaxies: Galaxies, sets: Mapping[str, Judged], zero: np.ndarray, seed: int
) -> DustForest:
    """The model with the card of what was measured: on real galaxies, and on pixels of mocks."""
    scores = score_model(model, galaxies)
    shares, shared_note = galaxy_errors(sets["A"], seed)
    told = card(NAME, VERSION, model.colour_term, galaxies)
    tables = (*pixel_tables(sets), quarters_of_sigma(model, galaxies))
    kept = [t for t in model.card.tables if t.title not in {table.title for table in tables}]
    model = replace(
        model,
        card=replace(
            told,
            scores=scores,
            notes=model.card.notes,
            tables=(*tables, *kept),
            settings={**told.settings, "galaxy_errors": shares},
        ),
    )
    notes = (
        *pixel_notes(model, galaxies, sets, zero),
        shared_note,
        *measured_notes(model, galaxies, scores),
        *(note for note in model.card.notes if note.startswith(BEYOND)),
    )
    return replace(model, card=replace(model.card, notes=notes))


def add_to_shipped(
    options: argparse.Namespace, report: Callable[[str], None] = lambda _: None
) -> None:
    """Give the shipped model a part for pixels, or keep the one that it has, and write it with a
    new card.
    """
    model = load_model(NAME)
    assert isinstance(model, DustForest)
    galaxies = read_both(options.data, options.hatlas)
    others = read_pixels(options.others) if options.others else None
    if options.scores_only and model.pixels is not None:
        zero = zero_points(model, WHOLES, SETS * options.seed + _WHOLE)
    else:
        model, zero = with_pixels(model, options.galaxies, seed=options.seed, report=report)
    sets = judged_sets(model, zero, others, seed=options.seed)
    report("pixels judged")
    model = carded(model, galaxies, sets, zero, options.seed)
    write_model(model, "forest", options.out)
    report(f"written to {options.out}")


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = parser_of(__doc__)
    parser.add_argument(
        "--others", type=Path, help="pixels of mocks of another recipe (training.other_mocks)"
    )
    parser.add_argument(
        "--scores-only", action="store_true", help="keep the part for pixels that the model has"
    )
    parser.add_argument("--galaxies", type=int, default=GALAXIES)
    options = parser.parse_args(arguments)
    start = time.monotonic()

    def say(words: str) -> None:
        print(f"{time.monotonic() - start:6.0f} s  {words}", flush=True)

    return status_of(lambda: add_to_shipped(options, say))


if __name__ == "__main__":
    sys.exit(main())
