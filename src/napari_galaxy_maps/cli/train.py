"""The command `galaxy-maps train`: its options by model, what it does, and how it is interrupted
and resumed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..exceptions import InputError
from ..progress import Progress, Steps

if TYPE_CHECKING:
    from ..models.stellar_unet.model import StellarUNet
    from ..training.datasets.image_truth_pairs import Pairs
    from ..training.stellar_unet.fit_network import FitSettings


T = TypeVar("T")

DEFAULTS: dict[str, Any] = {
    "mocks": 20_000, "data": None, "seed": 0, "steps": None, "rate": None, "patience": None, "check_every": None, "batch_pixels": 131_072,
    "widths": None, "head": "gaussian", "start": None, "freeze": 0, "recipe": None, "set": [], "truth_psf": None, "map": [], "map_unit": [],
    "imf": None, "size": None, "pixel_arcsec": None, "pixel_kpc": None, "distance": None, "unit": None, "age_unit": "Gyr", "earlier": {},
}  # fmt: skip
"""What decides the result, kept in ``training.json``; None: as suits the rest. ``earlier``: of
options that grew when it was resumed, what they were before.
"""
_GROW = ("mocks", "steps")
"""Options of which a training that is resumed may be given more."""
_OF_PAIRS = (
    "recipe", "set", "truth_psf", "map", "map_unit", "imf", "size", "pixel_arcsec", "pixel_kpc", "distance", "unit", "age_unit",
)  # fmt: skip
KEPT = "training.json"
MOCK_SIZES = (64, 128, 64)
"""Pixels along each side of the images of mocks: two training sets and the validation set."""
_LIBRARY = 3000
_SHARE = {"gaussian": 1.0, "quantised": 1 / 16}
"""Of the pixels that teach in each batch (`FitSettings.share`): a quantised regression says forty
numbers a map.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Tell the parser of the models and their options."""
    models = parser.add_subparsers(title="models", required=True, metavar="MODEL", dest="model")
    dust = models.add_parser("dust-forest", help="dust from the DustPedia tables")
    dust.add_argument("--data", required=True, metavar="DIR", help="folder of the DustPedia tables")
    dust.add_argument(
        "--out", required=True, metavar="DIR", help="folder to write weights and card to"
    )
    dust.add_argument("--seed", type=int, default=0, help="seed of all random numbers (0)")
    dust.add_argument("--quiet", action="store_true", help="say nothing unless something is wrong")

    unet = models.add_parser(
        "stellar-unet", help="stars and gas from mock galaxies or from your own pairs"
    )
    unet.add_argument(
        "--out", required=True, metavar="DIR", help="folder for sets, checkpoints, weights and card"
    )
    source = unet.add_mutually_exclusive_group()
    source.add_argument(
        "--mocks",
        type=int,
        metavar="N",
        help="mocks of 64 x 64 pixels, and half as many of 128 x 128 (20000); with --resume: more than before",
    )
    source.add_argument(
        "--data",
        nargs="+",
        metavar="DIR",
        help="folders of your own pairs of images and true maps, FITS or zarr",
    )
    unet.add_argument("--resume", action="store_true", help="go on with what is in the folder")
    unet.add_argument(
        "--device",
        choices=["auto", "cpu", "cuda", "mps"],
        default="auto",
        help="where it is trained (auto)",
    )
    unet.add_argument(
        "--processes",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="that make mocks at one time",
    )
    unet.add_argument("--quiet", action="store_true", help="say nothing unless something is wrong")
    group = unet.add_argument_group("the fit")
    group.add_argument("--seed", type=int, help="seed of all random numbers (0)")
    group.add_argument(
        "--steps",
        type=int,
        metavar="N",
        help="batches (20000; 4000 on your own pairs); with --resume: more than before",
    )
    group.add_argument(
        "--rate", type=float, metavar="X", help="largest learning rate (2e-3; 3e-4 with --start)"
    )
    group.add_argument(
        "--patience",
        type=int,
        metavar="N",
        help="validations without a gain after which it stops; 0: never (0; 6 on your own pairs)",
    )
    group.add_argument(
        "--check-every",
        type=int,
        metavar="N",
        help="batches between validations (500; 100 on your own pairs)",
    )
    group.add_argument("--batch-pixels", type=int, metavar="N", help="pixels of a batch (131072)")
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
        type=int,
        metavar="LEVELS",
        help="with --start: levels down, from the finest, that stay as they are (0)",
    )
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
        type=float,
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
        type=int,
        metavar="PIXELS",
        help="side of the images, a multiple of 16 (the largest's, up to 256)",
    )
    group = unet.add_argument_group(
        "zarr arrays (with --data): two of the first three, and the unit"
    )
    group.add_argument("--pixel-arcsec", type=float, metavar="X", help="side of a pixel in arcsec")
    group.add_argument("--pixel-kpc", type=float, metavar="X", help="the same in kpc")
    group.add_argument("--distance", type=float, metavar="MPC", help="of the galaxies")
    group.add_argument(
        "--unit", metavar="UNIT", help="of the images, e.g. nanomaggy (of a pixel) or MJy/sr"
    )
    group.add_argument("--age-unit", choices=["Gyr", "Myr", "yr"], help="of the ages (Gyr)")


def steps(arguments: argparse.Namespace) -> Steps[str]:
    """Train the model that the options name; returns what to tell of it.

    Raises
    ------
    GalaxyMapsError
        When options do not fit together, or data cannot be used.
    KeyboardInterrupt
        When a person interrupts it, with a sentence that says how to go on.
    """
    out = Path(arguments.out)
    if arguments.model == "dust-forest":
        from ..training.dust_forest import fit_forest as dust_forest

        yield Progress("train", 0, 1, "dust-forest")
        dust_forest.train(
            Path(arguments.data), out, arguments.seed, None if arguments.quiet else print
        )
        return f"dust-forest written to {out}"
    options = settle_options(arguments, out)
    return (yield from _interruptible(_stellar_steps(options, arguments, out), out))


def settle_options(arguments: argparse.Namespace, out: Path) -> dict[str, Any]:
    """What decides the result: the options, of a training that is resumed those that it began with,
    but for more mocks or batches.

    Raises
    ------
    InputError
        When options contradict each other or the training that is in the folder, or make no sense.
    """
    given = {key: value for key in DEFAULTS if (value := getattr(arguments, key, None)) is not None}
    kept = out / KEPT
    if arguments.resume:
        try:
            before: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise InputError(
                f"{out} holds no training that could go on (no {KEPT}); start without --resume."
            ) from None
        earlier: dict[str, list[int]] = before.get("earlier") or {}
        for key, value in given.items():
            if key in _GROW and before.get(key) and value > before[key]:
                earlier[key] = [*earlier.get(key, []), before[key]]
                before[key] = value
            elif value != before.get(key):
                raise InputError(
                    f"The training in {out} began with {_option(key)} {_words(before.get(key))}, not {_words(value)}; leave the option out, "
                    "or start in another folder."
                )
        return {**DEFAULTS, **before, "earlier": earlier}
    if kept.exists():
        raise InputError(
            f"{out} holds a training already; go on with it with --resume, or choose another folder."
        )
    options = {**DEFAULTS, **given}
    _check(options, given)
    if options["data"]:
        options |= {"mocks": None, "data": [str(folder) for folder in options["data"]]}
    suited = _suited(options)
    return {key: suited.get(key) if value is None else value for key, value in options.items()}


def _suited(options: dict[str, Any]) -> dict[str, Any]:
    """What is taken for options that are not given and depend on others."""
    own = bool(options["data"])
    return {
        "steps": 4000 if own else 20_000, "rate": 3e-4 if options["start"] else 2e-3, "patience": 6 if own else 0,
        "check_every": 100 if own else 500, "imf": "Chabrier",
    }  # fmt: skip


def _check(options: dict[str, Any], given: dict[str, Any]) -> None:
    if not options["data"]:
        for key in _OF_PAIRS:
            if key in given:
                raise InputError(
                    f"{_option(key)} is for your own pairs; give their folder with --data, or leave it out."
                )
    if not options["start"] and options["freeze"]:
        raise InputError("--freeze keeps what a model has learnt: name the model with --start.")
    if options["start"] and {"widths", "head"} & set(given):
        raise InputError("--start takes the network as it is: leave --widths and --head out.")
    for key, least, most in (
        ("mocks", 32, 5_000_000), ("steps", 1, 10**9), ("rate", 1e-9, 1.0), ("patience", 0, 10**9), ("check_every", 1, 10**9),
        ("batch_pixels", 256, 10**9), ("freeze", 0, 5), ("seed", 0, 2**31),
    ):  # fmt: skip
        value = options[key]
        if value is not None and not least <= value <= most:
            raise InputError(
                f"{_option(key)} {value} makes no sense; choose a value from {least:g} to {most:g}."
            )
    if options["size"] is not None and (options["size"] < 16 or options["size"] % 16):
        raise InputError(
            f"--size {options['size']}: the network takes images whose sides are multiples of 16."
        )
    if options["widths"] is not None:
        _widths(options["widths"])


def _widths(text: str) -> tuple[int, ...]:
    try:
        widths = tuple(int(part) for part in text.split(","))
    except ValueError:
        widths = ()
    if len(widths) != 5 or min(widths) < 1:
        raise InputError(
            f"--widths {text!r}: give five numbers of channels with commas, as in 16,32,64,192,384."
        )
    return widths


def _option(key: str) -> str:
    return "--" + key.replace("_", "-")


def _words(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _stellar_steps(options: dict[str, Any], arguments: argparse.Namespace, out: Path) -> Steps[str]:
    from ..device import resolve_device
    from ..models.registry import INDEX

    if (out / INDEX).exists():
        return f"the training in {out} is finished; use it with: galaxy-maps predict --model {out}"
    device = resolve_device(arguments.device)
    start = (
        _start_model(options["start"]) if options["start"] else None
    )  # what is wrong is told before the work
    settings = _fit_settings(options, start)
    if not options["data"]:
        _keep(options, out)
        sets, validation, test = (
            (yield from _mock_steps(_stages(options, "mocks"), out / "sets", arguments.processes)),
            None,
            None,
        )
        validation = sets.pop()
    else:
        from ..training.own.make_own_sets import make_own_sets_steps

        reading = _reading(options)
        _keep(options, out)
        try:
            made = yield from make_own_sets_steps(
                [Path(folder) for folder in options["data"]], out / "sets", reading
            )
        except InputError:
            if not any(out.glob("sets/read/*")):
                (
                    out / KEPT
                ).unlink()  # nothing has begun: the same command may be given again once the mistake is put right
            raise
        sets, validation, test = [made["train"]], made["validation"], made["test"]
    from ..training.own.make_own_model import Origin, finish_steps
    from ..training.stellar_unet.fit_network import fit_steps

    fit = out / "fit"
    going = arguments.resume and (fit / "checkpoint.safetensors").exists()
    network = yield from fit_steps(
        sets,
        validation,
        fit,
        settings,
        device,
        resume=going,
        start=None if start is None or going else start.network,
    )
    log = [
        json.loads(line) for line in (fit / "log.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    origin = Origin(
        _told_of(options, sets),
        start.card.name if start else "",
        options["imf"],
        bool(options["data"]),
    )
    library = min(_LIBRARY, len(sets[0]))
    yield from finish_steps(
        network, settings, sets[0], validation, test, origin, out, log, device, library
    )
    return f"written to {out}; use it with: galaxy-maps predict --model {out}"


def _start_model(name: str) -> StellarUNet:
    from ..exceptions import ModelError
    from ..models.registry import load_model
    from ..models.stellar_unet.model import StellarUNet

    model = load_model(name)
    if not isinstance(model, StellarUNet):
        raise ModelError(
            f"{name} is no network; --start takes a stellar-unet or a folder with one."
        )
    return model


def _fit_settings(options: dict[str, Any], start: StellarUNet | None) -> FitSettings:
    from ..training.stellar_unet.fit_network import FitSettings

    chosen: dict[str, Any] = {
        "steps": options["steps"], "rate": options["rate"], "patience": options["patience"], "seed": options["seed"],
        "check_every": min(options["check_every"], options["steps"]), "batch_pixels": options["batch_pixels"], "frozen": options["freeze"],
    }  # fmt: skip
    if start is not None:
        chosen |= {**start.settings, "widths": tuple(start.settings["widths"]), "normalised": False}
    else:
        chosen |= {"head": options["head"]} | (
            {"widths": _widths(options["widths"])} if options["widths"] else {}
        )
    return FitSettings(**chosen, share=_SHARE[chosen["head"]])


def _keep(options: dict[str, Any], out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / KEPT).write_text(json.dumps(options, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{out} cannot be written ({error.strerror}); choose another folder."
        ) from None


def _stages(options: dict[str, Any], key: str) -> list[int]:
    """Rising values of one of `_GROW`: that with which a training began, and those with which it
    was resumed.
    """
    return [*options["earlier"].get(key, []), options[key]]


def _mock_steps(counts: list[int], folder: Path, processes: int) -> Steps[list[Pairs]]:
    """The training sets, in as many steps as there are rising numbers of mocks, and, last, the
    validation set; those that are there are not made again.
    """
    from ..training.datasets.image_truth_pairs import Pairs
    from ..training.datasets.mock_set import FIRST_SEED, make_set_steps

    small, large = FIRST_SEED["train"], FIRST_SEED["train"] + max(50_000, counts[0])
    plan: list[tuple[str, int, int, int]] = []
    for before, n in pairwise([0, *counts]):
        more = f"-{n}" if before else ""
        plan += [
            (f"train64{more}", small + before, n - before, MOCK_SIZES[0]),
            (f"train128{more}", large + before // 2, max(1, n // 2 - before // 2), MOCK_SIZES[1]),
        ]
    plan.append(
        ("validation64", FIRST_SEED["validation"], max(32, round(0.075 * counts[0])), MOCK_SIZES[2])
    )
    made: list[Pairs] = []
    for name, first, count, size in plan:
        if (folder / name / "set.json").exists():
            made.append(Pairs.open(folder / name))
        else:
            made.append(
                (
                    yield from make_set_steps(
                        folder / name, range(first, first + count), size, processes=processes
                    )
                )
            )
    return made


def _reading(options: dict[str, Any]) -> Any:
    """How pairs are to be read; whatever is wrong with it is told before any is."""
    from ..data.recipe import Recipe
    from ..fits_io.recipe_files import read_recipe
    from ..training.own.make_own_sets import Reading
    from ..training.own.picasso_zarr import make_scale
    from ..training.own.read_own_truth import parse_options

    recipe = (read_recipe(options["recipe"]) if options["recipe"] else Recipe()).with_values(
        options["set"]
    )
    truth = parse_options(options["map"], options["map_unit"], options["truth_psf"])
    scale = None
    if any(options[key] is not None for key in ("pixel_arcsec", "pixel_kpc", "distance", "unit")):
        scale = make_scale(
            *(options[key] for key in ("pixel_arcsec", "pixel_kpc", "distance", "unit", "age_unit"))
        )
    return Reading(recipe, truth, scale, options["size"], options["seed"])


def _told_of(options: dict[str, Any], sets: list[Pairs]) -> str:
    """What a model was trained on, and the command, in words."""
    command = ["galaxy-maps train stellar-unet --out DIR"]
    for key, value in {
        **options,
        **{key: _stages(options, key)[0] for key in _GROW},
        "earlier": {},
    }.items():
        if value in (None, [], {}, DEFAULTS[key], _suited(options).get(key)):
            continue
        if key in ("set", "map", "map_unit"):
            command += [f"{_option(key)} '{text}'" for text in value]
        else:
            shown = (
                " ".join(Path(p).name for p in value)
                if key == "data"
                else Path(value).name
                if key in ("start", "recipe")
                else value
            )
            command.append(f"{_option(key)} {shown}")
    if options["data"]:
        names = ", ".join(Path(folder).name for folder in options["data"])
        what = f"{len(sets[0]):,} galaxies of {sets[0].size} x {sets[0].size} pixels out of {names}; a fifth of all was held out for the test, of the rest a fifth for validation (split.json)."
    else:
        what = (
            " and ".join(f"{len(s):,} mock galaxies of {s.size} x {s.size} pixels" for s in sets)
            + " (docs/mocks.md)."
        )
    more = [f"{_option(key)} {n}" for key in _GROW for n in _stages(options, key)[1:]]
    resumed = (
        f" It was resumed with {', '.join(more)}: the first sets and batches are those of the command."
        if more
        else ""
    )
    return f"{what} Command: {' '.join(command)}.{resumed}"


def _interruptible(steps: Steps[T], out: Path) -> Steps[T]:
    """Steps that Ctrl-C ends between two of them, so that a fit can leave a checkpoint; a second
    Ctrl-C ends them at once.
    """
    asked: list[bool] = []

    def ask(*_: Any) -> None:
        if asked:
            raise KeyboardInterrupt(_how_to_go_on(out, "at once"))
        asked.append(True)

    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, ask) if main else None
    try:
        while True:
            try:
                progress = next(steps)
            except StopIteration as stop:
                result: T = stop.value
                return result
            if asked:
                steps.close()
                raise KeyboardInterrupt(
                    _how_to_go_on(out, f"{progress.step}, {progress.done:,} of {progress.total:,}")
                )
            yield progress
    finally:
        if main:
            signal.signal(signal.SIGINT, before)


def _how_to_go_on(out: Path, where: str) -> str:
    return f"interrupted ({where}); go on with: galaxy-maps train stellar-unet --out {out} --resume"
