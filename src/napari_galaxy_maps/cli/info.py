"""The command `galaxy-maps info`: what each file is."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from ..data.question import Question, asked_in_lines
from ..exceptions import InputError
from .options import IMAGES, add_input_options, add_paths, recipe_of

if TYPE_CHECKING:
    from ..fits_io.image_file import ImageFile

HELP = "say what each file is: band, unit, pixel, PSF, size, what is wrong"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command to its parser."""
    add_paths(parser, IMAGES)
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_input_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print a table of the files, or JSON; 2 where there is no image among them."""
    from ..fits_io.beside_files import with_beside, with_rates, without_image
    from ..fits_io.galaxies import questions_of, settle_all
    from ..fits_io.image_files import check_names, find_images

    told = recipe_of(arguments).input
    check_names(arguments.paths, told)
    found: list[ImageFile] = []
    wrong: list[str] = []
    for path in arguments.paths:
        try:
            found += find_images([path], wrong, told=told)
        except InputError as error:
            wrong.append(str(error))
    files = with_rates(with_beside(settle_all(found, told))) if found else []
    wrong += without_image(files)
    rows: list[dict[str, Any]] = [
        {
            "file": image.label,
            "path": str(image.path),
            "role": image.role,
            "band": image.band.name if image.band else None,
            "band_reason": image.band_reason,
            "unit": image.unit,
            "unit_reason": image.unit_reason,
            "pixel_arcsec": round(image.pixel_arcsec, 4),
            "zero_point": image.zero_point.words if image.zero_point else None,
            "beam_arcsec2": round(image.beam[0], 3) if image.beam else None,
            "fwhm_arcsec": round(image.fwhm, 3) or None,
            "shape": list(image.shape),
            "wcs": list(image.wcs.wcs.ctype),
            "notes": list(image.notes),
            "problems": list(image.problems),
            "questions": [_as_json(question) for question in image.questions],
        }
        for image in files
    ]
    if arguments.json:
        print(json.dumps({"images": rows, "left_out": wrong}, indent=2))
    else:
        _print_files(rows)
        for line in asked_in_lines(questions_of(files)) + [f"left out: {w}" for w in wrong]:
            print(line)
    return 0 if rows else 2


def _as_json(question: Question) -> dict[str, Any]:
    return {
        "about": question.about,
        "text": question.text,
        "answers": list(question.answers),
        "option": question.option,
    }


def _print_files(rows: list[dict[str, Any]]) -> None:
    from ..fits_io.which_role import BESIDE

    if not rows:
        return
    table = [("file", "role", "band", "unit", "pixel", "FWHM", "size", "projection")]
    for row in rows:
        beside = row["role"] in BESIDE
        label = row["file"] if len(row["file"]) <= 48 else f"{row['file'][:30]}…{row['file'][-17:]}"
        table.append(
            (
                label,
                row["role"],
                row["band"] or "?",
                row["unit"] or ("-" if beside else "?"),
                f"{row['pixel_arcsec']:.3g}″",
                f"{row['fwhm_arcsec']:.3g}″" if row["fwhm_arcsec"] else "-" if beside else "?",
                f"{row['shape'][1]} x {row['shape'][0]}",
                row["wcs"][0][5:].strip("-"),
            )
        )
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    for line in table:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )
