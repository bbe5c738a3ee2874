"""The command `galaxy-maps evaluate`: scores of maps against truths."""

from __future__ import annotations

import argparse

from ..data import ranges
from ..exceptions import InputError
from .console import print_scores
from .options import add_quiet, ellipse_of, number
from .outputs import OutputFolder

HELP = "score maps against truths: metrics.json, tables, figures and a report"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command to its parser."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="MAPS TRUTH",
        help="maps and their truth, a pair for each galaxy",
    )
    parser.add_argument(
        "--out", type=OutputFolder, required=True, metavar="DIR", help="folder to write to"
    )
    parser.add_argument(
        "--format", choices=["png", "pdf", "svg"], default="png", help="of the figures"
    )
    parser.add_argument("--ellipse", metavar="RA,DEC,A,B,PA", help="D25, in place of the recipe's")
    parser.add_argument(
        "--fwhm",
        type=number(ranges.FWHM),
        metavar="ARCSEC",
        help="PSF of the maps, in place of what the file says",
    )
    parser.add_argument(
        "--truth-fwhm",
        type=number(ranges.FWHM),
        metavar="ARCSEC",
        help="PSF of the truth, in place of what the file says",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there")
    add_quiet(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the scores, tables, figures and the report, and print the scores."""
    from ..fits_io.map_files import read_maps
    from ..measure.compare.comparison import compare
    from ..measure.report.evaluation import check_evaluation_folder, write_evaluation
    from ..models.registry import list_models, load_card

    if len(arguments.files) % 2:
        raise InputError("Give maps and their truth in turn, two files for each galaxy.")
    check_evaluation_folder(arguments.out, arguments.overwrite)
    ellipse = ellipse_of(arguments.ellipse) if arguments.ellipse else None
    pairs = [
        (read_maps(arguments.files[i]), read_maps(arguments.files[i + 1]))
        for i in range(0, len(arguments.files), 2)
    ]
    comparisons = [
        compare(maps, truth, ellipse, arguments.fwhm, arguments.truth_fwhm) for maps, truth in pairs
    ]
    model = str(pairs[0][0].provenance.get("model", ""))
    card = load_card(model).to_markdown() if model in list_models() else ""
    scores = write_evaluation(
        arguments.out, comparisons, card, arguments.format, arguments.overwrite
    )
    if arguments.quiet:
        return
    print_scores(scores, comparisons)
    print(f"written to {arguments.out}, which report.html shows")
