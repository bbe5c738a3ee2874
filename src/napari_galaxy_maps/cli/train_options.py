"""Options of the command `galaxy-maps train`, by model, and whether they fit together."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from ..data import ranges
from ..data.setting import Range, Unit
from ..exceptions import InputError
from .options import DEVICES, add_quiet, number, option_name, whole
from .outputs import OutputFolder

DEFAULTS: dict[str, Any] = {
    "mocks": 6000, "painted": 24_000, "data": None, "seed": 0, "steps": None, "rate": None,
    "patience": None, "check_every": None, "batch_pixels": 131_072, "widths": None,
    "head": "gaussian", "start": None, "freeze": 0, "recipe": None, "set": [], "truth_psf": None,
    "map": [], "map_unit": [], "imf": None, "size": None, "pixel_arcsec": None, "pixel_kpc": None,
    "distance": None,
    "unit": None, "age_unit": "Gyr", "earlier": {},
}  # fmt: skip
"""What decides the result, kept in ``training.json``; None: as suits the rest. ``earlier``: of
options that grew when it was resumed, what they were before.
"""
GROWING = ("mocks", "painted", "steps")
"""Options of which a training that is resumed may be given more."""
OPTIONS_FILE = "training.json"
_OF_PAIRS = (
    "recipe", "set", "truth_psf", "map", "map_unit", "imf", "size", "pixel_arcsec", "pixel_kpc",
    "distance", "unit", "age_unit",
)  # fmt: skip
_COUNT = whole(Range(1, 10**9))
_SEED = whole(Range(0, 2**31))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the models and their options to the command's parser."""
    models = parser.add_subparsers(title="models", required=True, metavar="MODEL", dest="model")
    dust = models.add_parser("dust-forest", help="dust from the tables of DustPedia and H-ATLAS")
    dust.add_argument("--data", required=True, metavar="DIR", help="folder of the DustPedia tables")
    dust.add_argument(
        "--hatlas", required=True, metavar="DIR", help="folder of the H-ATLAS tables of FIREnet"
    )
    dust.add_argument(
        "--out",
        type=OutputFolder,
        required=True,
        metavar="DIR",
        help="folder to write weights and card to",
    )
    dust.add_argument("--seed", type=_SEED, default=0, help="seed of all random numbers (0)")
    add_quiet(dust)

    unet = models.add_parser(
        "stellar-unet", help="stars and gas from mock galaxies or from your own pairs"
    )
    unet.add_argument(
        "--out",
        type=OutputFolder,
        required=True,
        metavar="DIR",
        help="folder for sets, checkpoints, weights and card",
    )
    _add_source(unet)
    _add_fit(unet)
    _add_pairs(unet)
    _add_zarr(unet)


def _add_source(unet: argparse.ArgumentParser) -> None:
    source = unet.add_mutually_exclusive_group()
    source.add_argument(
        "--mocks",
        type=whole(Range(32, 5_000_000)),
        metavar="N",
        help="mocks of 64 x 64 pixels, and half as many of 128 x 128 (6000); "
        "with --resume: more than before",
    )
    source.add_argument(
        "--data",
        nargs="+",
        metavar="DIR",
        help="folders of your own pairs of images and true maps, FITS or zarr",
    )
    unet.add_argument(
        "--painted",
        type=whole(Range(0, 5_000_000)),
        metavar="N",
        help="painted images of 64 x 64 pixels, and a third as many of 128 x 128; 0: none (24000); "
        "with --resume: more than before",
    )
    unet.add_argument("--resume", action="store_true", help="go on with what is in the folder")
    unet.add_argument(
        "--device",
        choices=DEVICES,
        default="auto",
        help="where it is trained (auto)",
    )
    unet.add_argument(
        "--processes",
        type=whole(Range(1, 1024)),
        default=os.cpu_count() or 1,
        metavar="N",
        help="that make mocks at one time",
    )
    add_quiet(unet)


def _add_fit(unet: argparse.ArgumentParser) -> None:
    group = unet.add_argument_group("the fit")
    group.add_argument("--seed", type=_SEED, help="seed of all random numbers (0)")
    group.add_argument(
        "--steps",
        type=_COUNT,
        metavar="N",
        help="batches (20000; 4000 on your own pairs); with --resume: more than before",
    )
    group.add_argument(
        "--rate",
        type=number(Range(1e-9, 1)),
        metavar="X",
        help="largest learning rate (2e-3; 3e-4 with --start)",
    )
    group.add_argument(
        "--patience",
        type=whole(Range(0, 10**9)),
        metavar="N",
        help="validations without a gain after which it stops; 0: never (0; 6 on your own pairs)",
    )
    group.add_argument(
        "--check-every",
        type=_COUNT,
        metavar="N",
        help="batches between validations (500; 100 on your own pairs)",
    )
    group.add_argument(
        "--batch-pixels",
        type=whole(Range(256, 10**9)),
        metavar="N",
        help="pixels of a batch (131072)",
    )
    group.add_argument(
        "--widths", metavar="A,B,C,D,E", help="channels of the five levels (16,32,64,192,384)"
    )
    group.add_argument(
        "--head", choices=["gaussian", "quantised"], help="how the uncertainty is learnt (gaussian)"
    )
    group.add_argument(
        "--start", metavar="MODEL", help="fine-tune this model, or the one in this folder"
    )
    group.add_argument(
        "--freeze",
        type=whole(Range(0, 5)),
        metavar="LEVELS",
        help="with --start: levels down, from the finest, that stay as they are (0)",
    )


def _add_pairs(unet: argparse.ArgumentParser) -> None:
    group = unet.add_argument_group("your own pairs (with --data)")
    group.add_argument(
        "--recipe", metavar="FILE", help="how images are prepared: a TOML file or an earlier result"
    )
    group.add_argument(
        "--set",
        action="append",
        metavar="STEP.KEY=VALUE",
        help="any setting of the preparation (repeatable)",
    )
    group.add_argument(
        "--truth-psf",
        type=number(ranges.FWHM),
        metavar="ARCSEC",
        help="FWHM of the true maps' PSF, where the files do not say it",
    )
    group.add_argument(
        "--map",
        action="append",
        metavar="PROPERTY=EXTNAME",
        help="extension, or plane EXTNAME[N] of a cube, with a property (repeatable)",
    )
    group.add_argument(
        "--map-unit",
        action="append",
        metavar="PROPERTY=UNIT",
        help="its unit where BUNIT does not say it, e.g. dex(solMass/spaxel) (repeatable)",
    )
    group.add_argument(
        "--imf", metavar="NAME", help="of the truths' masses, for the card (Chabrier)"
    )
    group.add_argument(
        "--size",
        type=whole(Range(16, 16384)),
        metavar="PIXELS",
        help="side of the images, a multiple of 16 (the largest's, up to 256)",
    )


def _add_zarr(unet: argparse.ArgumentParser) -> None:
    group = unet.add_argument_group(
        "zarr arrays (with --data): two of the first three, and the unit"
    )
    group.add_argument(
        "--pixel-arcsec", type=number(ranges.PIXEL), metavar="X", help="side of a pixel in arcsec"
    )
    group.add_argument(
        "--pixel-kpc",
        type=number(Range(1e-4, 1000, Unit("kpc"))),
        metavar="X",
        help="the same in kpc",
    )
    group.add_argument(
        "--distance", type=number(ranges.DISTANCE), metavar="MPC", help="of the galaxies"
    )
    group.add_argument(
        "--unit", metavar="UNIT", help="of the images, e.g. nanomaggy (of a pixel) or MJy/sr"
    )
    group.add_argument("--age-unit", choices=["Gyr", "Myr", "yr"], help="of the ages (Gyr)")


def settle_options(arguments: argparse.Namespace, out: Path) -> dict[str, Any]:
    """What decides the result: the options, of a training that is resumed those that it began with,
    but for more mocks or batches.

    Raises
    ------
    InputError
        When options contradict each other or the training that is in the folder, or make no sense.
    """
    given = {key: value for key in DEFAULTS if (value := getattr(arguments, key, None)) is not None}
    if arguments.resume:
        return _resumed(given, out)
    if (out / OPTIONS_FILE).exists():
        raise InputError(
            f"{out} holds a training already; go on with it with --resume, "
            "or choose another folder."
        )
    options = {**DEFAULTS, **given}
    _check(options, given)
    if options["data"]:
        options |= {
            "mocks": None,
            "painted": None,
            "data": [str(folder) for folder in options["data"]],
        }
    suited = options_by_need(options)
    return {key: suited.get(key) if value is None else value for key, value in options.items()}


def _resumed(given: dict[str, Any], out: Path) -> dict[str, Any]:
    """The options with which the training in a folder began, but for those that may grow."""
    try:
        before: dict[str, Any] = json.loads((out / OPTIONS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(
            f"{out} holds no training that could go on (no {OPTIONS_FILE}); start without --resume."
        ) from None
    earlier: dict[str, list[int]] = before.get("earlier") or {}
    for key, value in given.items():
        if key in GROWING and before.get(key) and value > before[key]:
            earlier[key] = [*earlier.get(key, []), before[key]]
            before[key] = value
        elif value != before.get(key):
            raise InputError(
                f"The training in {out} began with {option_name(key)} "
                f"{_as_given(before.get(key))}, not {_as_given(value)}; "
                "leave the option out, or start in another folder."
            )
    return {**DEFAULTS, **before, "earlier": earlier}


def options_by_need(options: dict[str, Any]) -> dict[str, Any]:
    """What is taken for options that are not given and depend on others."""
    own = bool(options["data"])
    return {
        "steps": 4000 if own else 20_000,
        "rate": 3e-4 if options["start"] else 2e-3,
        "patience": 6 if own else 0,
        "check_every": 100 if own else 500,
        "imf": "Chabrier",
    }


def _check(options: dict[str, Any], given: dict[str, Any]) -> None:
    if not options["data"]:
        for key in _OF_PAIRS:
            if key in given:
                raise InputError(
                    f"{option_name(key)} is for your own pairs; give their folder with --data, "
                    "or leave it out."
                )
    elif "painted" in given:
        raise InputError("--painted goes with mocks, not with your own pairs; leave it out.")
    if not options["start"] and options["freeze"]:
        raise InputError("--freeze keeps what a model has learnt: name the model with --start.")
    if options["start"] and {"widths", "head"} & set(given):
        raise InputError("--start takes the network as it is: leave --widths and --head out.")
    if options["size"] is not None and options["size"] % 16:
        raise InputError(
            f"--size {options['size']}: the network takes images whose sides are multiples of 16."
        )
    if options["widths"] is not None:
        parse_widths(options["widths"])


def parse_widths(text: str) -> tuple[int, ...]:
    """Channels of the network's five levels."""
    try:
        widths = tuple(int(part) for part in text.split(","))
    except ValueError:
        widths = ()
    if len(widths) != 5 or min(widths) < 1:
        raise InputError(
            f"--widths {text!r}: give five numbers of channels with commas, as in 16,32,64,192,384."
        )
    return widths


def _as_given(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
