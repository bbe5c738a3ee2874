"""Measures stellar-unet on mocks it never saw, in all the cases of its card, and writes card and
weights.

python -m napari_galaxy_maps.training.stellar_unet.stellar_report --fit FOLDER --sets FOLDER --out
FOLDER
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...exceptions import GalaxyMapsError
from ...models.card import CardTable, ModelCard
from ...models.stellar_unet.inputs import UGRIZ
from ...models.stellar_unet.outputs import STELLAR_PROPERTIES
from ...models.stellar_unet.remarks import KNOWN, REDSHIFT_TABLE, UNKNOWN
from ...progress import run_to_end
from ..datasets.image_truth_pairs import Pairs
from ..datasets.mock_cubes import binned_pairs
from ..datasets.mock_set import FIRST_SEED
from ..model_files import write_model
from ..painted.painted_set import FIRST_SEED as PAINTED_SEED
from . import stellar_card
from .assemble_model import assemble_steps
from .domain_scores import measured_steps
from .least_scatter import RingTable, least_scatter, ring_table
from .painted_tables import painted_tables_steps
from .stellar_scoring import Radii, StellarScores, radii_of, score_steps
from .training_sets import Made, make_planned_steps, plan

if TYPE_CHECKING:
    from ...models.stellar_unet.model import StellarUNet


def _mocks(name: str, kind: str, first: int, count: int, size: int, view: str) -> Made:
    seeds = range(FIRST_SEED[kind] + first, FIRST_SEED[kind] + first + count)
    return Made(name, False, seeds, size, view)


def _painted(name: str, kind: str, first: int, count: int) -> Made:
    seeds = range(PAINTED_SEED[kind] + first, PAINTED_SEED[kind] + first + count)
    return Made(name, True, seeds, 128)


STAGES = ((0, 6000, 24_000, 4800),)
"""Of the training of the weights that ship: batches after which it (re)started, mocks of 64 x 64
pixels (and half as many of 128 x 128), painted images of 64 x 64 pixels (and a third as many of 128
x 128), batches planned.
"""
STARTED = "--start stellar-unet --rate 5e-4 --batch-pixels 65536"
"""Further options of that training: it began with the weights of version 2.0."""
BEGUN_WITH = (
    "It began with the weights of version 2.0 (8f3d76cdb69d), which had seen 8,000 batches of "
    "131,072 pixels in 72 minutes of one core, of painted galaxies with fewer old stars and metals "
    "even in the logarithm."
)
SETS: tuple[Made, ...] = (
    *(
        made
        for made in plan([STAGES[-1][1]], [STAGES[-1][2]])
        if made.name in ("train64", "painted64", "validation64")
    ),
    _painted("held128", "validation", 500_000, 300),
    _painted("paintedtest128", "test", 0, 300),
    _mocks("test128", "test", 0, 300, 128, "sdss"),
    _mocks("test64", "test", 0, 300, 64, "sdss"),
    _mocks("test256", "test", 0, 100, 256, "sdss"),
)
"""What the report looks at."""
BAND_CASES = ("ugri", "gri", "gr", "r")
SIZE_CASES = (256, 64)


def make_sets(folder: Path, say: Callable[[str], None] = print) -> None:
    """Make the sets that are not there yet."""
    run_to_end(make_planned_steps(SETS, folder, 1), lambda step: say(step.detail))


def _open(folder: Path, name: str) -> Pairs:
    """A set of `SETS`, of which there may be more galaxies than it asks for."""
    count = next(len(made.seeds) for made in SETS if made.name == name)
    return Pairs.open(folder / name).take(slice(0, count))


def measure(
    model: StellarUNet, sets: Path, say: Callable[[str], None] = print
) -> tuple[tuple[CardTable, ...], tuple[str, ...], dict[str, Any]]:
    """Tables and notes of the card, and all numbers.

    Parameters
    ----------
    model : StellarUNet
    sets : Path
        Folder of `SETS`.
    """
    start = time.monotonic()

    def scored(
        mocks: Pairs,
        label: str,
        bands: tuple[str, ...] = UGRIZ,
        radii: Radii | None = None,
        redshift: bool = True,
    ) -> StellarScores:
        scores = run_to_end(score_steps(model, mocks, bands, radii, redshift=redshift))
        say(f"{label}: {time.monotonic() - start:.0f} s")
        return scores

    test = _open(sets, "test128")
    radii = radii_of(test)
    whole = scored(test, "test128", radii=radii)
    seen, noiseless = least_scatter_of_sets(sets)
    bands = [("ugriz", whole)]
    bands += [
        (letters, scored(test, letters, tuple(f"SDSS_{b}" for b in letters), radii))
        for letters in BAND_CASES
    ]
    redshifts = [(KNOWN, whole), (UNKNOWN, scored(test, "no redshift", UGRIZ, radii, False))]
    sizes = [("128 x 128", whole)]
    sizes += [
        (f"{size} x {size}", scored(_open(sets, f"test{size}"), f"{size} pixels"))
        for size in SIZE_CASES
    ]
    tables = (
        stellar_card.table_of_sums(whole, seen, noiseless),
        stellar_card.table_of_annuli(whole),
        stellar_card.table_of_pixels(whole),
        *_tables_of_cases(bands, redshifts, sizes),
        stellar_card.table_of_tails(model.calibration),
        *run_to_end(painted_tables_steps(model, _open(sets, "paintedtest128"))),
    )
    notes = (
        f"Flagged as unlike the training set: {100 * whole.flagged:.2f} % of the test galaxies' "
        "pixels inside 2 R_half.",
    )
    numbers = {
        "whole": stellar_card.summary_of(whole),
        "least": seen,
        "least, noiseless": noiseless,
        **{f"bands {label}": stellar_card.summary_of(scores) for label, scores in bands},
        **{f"redshift {label}": stellar_card.summary_of(scores) for label, scores in redshifts},
        **{f"size {label}": stellar_card.summary_of(scores) for label, scores in sizes},
        "deltas": {name: np.round(whole.deltas[name], 4).tolist() for name in STELLAR_PROPERTIES},
    }
    return tables, notes, numbers


def _tables_of_cases(
    bands: Sequence[tuple[str, StellarScores]],
    redshifts: Sequence[tuple[str, StellarScores]],
    sizes: Sequence[tuple[str, StellarScores]],
) -> Iterator[CardTable]:
    """Scores of the same network with other bands, without a redshift, and on images of other
    sizes.
    """
    yield stellar_card.table_of_cases(
        "Bands",
        "Bias, scatter inside 2 R_half where only some bands are given to the same network.",
        bands,
    )
    yield stellar_card.coverage_rows("Coverage by bands", bands)
    yield stellar_card.table_of_cases(
        REDSHIFT_TABLE,
        "Bias, scatter inside 2 R_half where the redshift is told, and where it is not.",
        redshifts,
    )
    yield stellar_card.table_of_cases(
        "Image sizes",
        "The same galaxies on the same 51 arcsec of sky in more or fewer pixels: bias, scatter "
        "inside 2 R_half.",
        sizes,
    )
    yield stellar_card.coverage_rows("Coverage by image size", sizes)


def describe_stages(
    stages: tuple[tuple[int, int, int, int], ...] = STAGES,
    started: str = STARTED,
    begun_with: str = BEGUN_WITH,
) -> str:
    """The training sets and the commands, in words."""
    mocks, painted, commands = [], [], []
    for (after, n, m, planned), end in zip(
        stages, [*(stage[0] for stage in stages[1:]), None], strict=True
    ):
        since = f" from batch {after:,} on" if after else ""
        mocks.append(f"{n:,} and {n // 2:,}{since}")
        painted.append(f"{m:,} and {m // 3:,}{since}")
        words = ["galaxy-maps train stellar-unet --out FOLDER", *(["--resume"] if after else [])]
        words += [f"--mocks {n} --painted {m} --steps {planned} {started}".rstrip()]
        commands.append(" ".join(words) + (f", stopped after batch {end:,}" if end else ""))
    return (
        f"Mock galaxies of 64 x 64 and of 128 x 128 pixels (docs/mocks.md): {', '.join(mocks)}. "
        f"Painted images of the same sizes (docs/training.md): {', '.join(painted)}. "
        f"Commands: {'; '.join(commands)}. {begun_with}"
    ).rstrip()


def by_sharpness(held: Pairs) -> list[Pairs]:
    """Painted images in four sets by the PSF's pixels: three thirds, and with pixels averaged 4 x
    4.
    """
    parts = np.array_split(np.argsort(held.table["fwhm_pixels"], kind="stable"), 3)
    return [binned_pairs(held, 2), *(held.take(np.sort(part)) for part in parts)]


def least_scatter_of_sets(
    sets: Path,
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """`least_scatter` of the test set as it is seen, and without noise; the tables of rings are
    kept beside the sets.
    """

    def rings(name: str, isophotes: bool) -> RingTable:
        path = sets / f"rings-{name}.npz"
        if not path.exists():
            ring_table(_open(sets, name), isophotes).write(path)
        return RingTable.read(path)

    train, test = rings("train64", False), rings("test128", True)
    return least_scatter(train, test, seen=True), least_scatter(train, test, seen=False)


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    from .fit_files import load_network, read_settings

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--fit", required=True, type=Path, help="folder of a finished fit")
    parser.add_argument(
        "--sets",
        required=True,
        type=Path,
        help="folder of the sets of mocks; those that lack are made",
    )
    parser.add_argument("--out", required=True, type=Path, help="folder for weights and card")
    parser.add_argument(
        "--notes", type=Path, help="JSON list of further notes and tables for the card"
    )
    options = parser.parse_args(arguments)
    try:
        make_sets(options.sets)
        settings = read_settings(options.fit)
        network = load_network(options.fit / "best.safetensors", settings)
        log = [
            json.loads(line)
            for line in (options.fit / "log.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        recipe = (
            f"{describe_stages()} Galaxies are seen anew in each of {log[-1]['step']:,} batches "
            f"of {settings.batch_pixels:,} pixels with other noise (1/20 to 4 times SDSS's), "
            f"resolution, bands, masks and turns; {log[-1]['seconds'] / 60:.0f} minutes on one "
            f"core. Seed {settings.seed}."
        )
        network_size = stellar_card.network_in_words(network, settings)
        train, validation, mocks = (
            _open(options.sets, name) for name in ("painted64", "validation64", "train64")
        )
        held = by_sharpness(_open(options.sets, "held128"))
        card = stellar_card.base_card(settings, recipe, network_size, train)
        model = run_to_end(
            assemble_steps(network, settings.head, train, validation, card, held=held, mocks=mocks)
        )
        model = run_to_end(measured_steps(model, validation))
        tables, notes, numbers = measure(model, options.sets)
        card = replace(card, tables=(*tables, *model.card.tables), notes=notes)
        model = replace(model, card=with_more(card, options.notes))
        write_model(model, "unet", options.out, numbers)
    except GalaxyMapsError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def with_more(card: ModelCard, path: Path | None) -> ModelCard:
    """A card with notes and tables of a JSON file (`{"notes": [...], "tables": [...]}`) added."""
    if path is None:
        return card
    more = json.loads(path.read_text(encoding="utf-8"))
    tables = tuple(
        CardTable(t["title"], t["text"], tuple(t["head"]), tuple(tuple(r) for r in t["rows"]))
        for t in more["tables"]
    )
    return replace(card, notes=(*card.notes, *more["notes"]), tables=(*card.tables, *tables))


if __name__ == "__main__":
    sys.exit(main())
