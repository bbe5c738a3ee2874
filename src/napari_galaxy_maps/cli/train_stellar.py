"""How the command `galaxy-maps train` trains a stellar-unet: sets, the fit, weights and card."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exceptions import InputError
from ..fits_io.safe_writing import write_text
from ..progress import Steps
from .options import option_name
from .train_options import (
    DEFAULTS,
    GROWING,
    OPTIONS_FILE,
    options_by_need,
    parse_widths,
)

if TYPE_CHECKING:
    from ..models.stellar_unet.model import StellarUNet
    from ..training.datasets.image_truth_pairs import Pairs
    from ..training.stellar_unet.fit_files import FitSettings

_LIBRARY = 3000
_SHARE = {"gaussian": 1.0, "quantised": 1 / 16}
"""Of the pixels that teach in each batch (`FitSettings.share`): a quantised regression says forty
numbers a map.
"""


@dataclass
class _Sets:
    train: list[Pairs]
    validation: Pairs
    test: Pairs | None


def stellar_steps(options: dict[str, Any], arguments: argparse.Namespace, out: Path) -> Steps[str]:
    """Train a stellar-unet in a folder; returns where it is, in words.

    Parameters
    ----------
    options : dict
        Of `settle_options`.
    arguments : argparse.Namespace
        What does not decide the result: device, processes, whether it is resumed.
    out : Path
        Folder for sets, checkpoints, weights and card.

    Raises
    ------
    GalaxyMapsError
        When options do not fit the data or the model that is fine-tuned.
    """
    from ..device import resolve_device
    from ..models.registry import INDEX

    if (out / INDEX).exists():
        return f"the training in {out} is finished; use it with: galaxy-maps predict --model {out}"
    device = resolve_device(arguments.device)
    # What is wrong with the model is found before the work.
    start = _start_model(options["start"]) if options["start"] else None
    settings = _fit_settings(options, start)
    if options["data"]:
        sets = yield from _own_sets(options, out)
    else:
        _keep(options, out)
        from ..training.stellar_unet.training_sets import make_planned_steps, plan

        planned = plan(_stages(options, "mocks"), _stages(options, "painted"))
        made = yield from make_planned_steps(planned, out / "sets", arguments.processes)
        sets = _Sets(made[:-1], made[-1], None)
    from ..training.datasets.mock_cubes import is_painted
    from ..training.own.make_own_model import Origin, finish_steps
    from ..training.stellar_unet.fit_network import fit_steps

    fit = out / "fit"
    going = arguments.resume and (fit / "checkpoint.safetensors").exists()
    begin = None if start is None or going else start.network
    network = yield from fit_steps(
        sets.train, sets.validation, fit, settings, device, resume=going, start=begin
    )
    lines = (fit / "log.jsonl").read_text(encoding="utf-8").splitlines()
    log = [json.loads(line) for line in lines]
    origin = Origin(
        _account(options, sets.train),
        start.card.name if start else "",
        options["imf"],
        bool(options["data"]),
    )
    first = sets.train[0]
    # Painted galaxies are in no library: it shows mocks, which are made again.
    mocks = next((pairs for pairs in sets.train if not is_painted(pairs)), first)
    yield from finish_steps(
        network, settings, first, sets.validation, sets.test, origin, out, log, device,
        min(_LIBRARY, len(mocks)), mocks,
    )  # fmt: skip
    return f"written to {out}; use it with: galaxy-maps predict --model {out}"


def _own_sets(options: dict[str, Any], out: Path) -> Steps[_Sets]:
    """The sets of one's own pairs of images and true maps."""
    from ..training.own.make_own_sets import make_own_sets_steps

    reading = _reading(options)
    _keep(options, out)
    folders = [Path(folder) for folder in options["data"]]
    try:
        made = yield from make_own_sets_steps(folders, out / "sets", reading)
    except InputError:
        if not any(out.glob("sets/read/*")):
            # Nothing has begun: the same command may be given again once the mistake is put right.
            (out / OPTIONS_FILE).unlink()
        raise
    return _Sets([made["train"]], made["validation"], made["test"])


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
    from ..training.stellar_unet.fit_files import FitSettings

    chosen: dict[str, Any] = {
        "steps": options["steps"],
        "rate": options["rate"],
        "patience": options["patience"],
        "seed": options["seed"],
        "check_every": min(options["check_every"], options["steps"]),
        "batch_pixels": options["batch_pixels"],
        "frozen": options["freeze"],
    }
    if start is not None:
        chosen |= {**start.settings, "widths": tuple(start.settings["widths"]), "normalised": False}
    else:
        chosen |= {"head": options["head"]} | (
            {"widths": parse_widths(options["widths"])} if options["widths"] else {}
        )
    return FitSettings(**chosen, share=_SHARE[chosen["head"]])


def _keep(options: dict[str, Any], out: Path) -> None:
    write_text(out / OPTIONS_FILE, json.dumps(options, indent=1) + "\n", overwrite=True)


def _stages(options: dict[str, Any], key: str) -> list[int]:
    """Rising values of one of `GROWING`: that with which a training began, and those with which it
    was resumed.
    """
    return [*options["earlier"].get(key, []), options[key]]


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


def _account(options: dict[str, Any], sets: list[Pairs]) -> str:
    """What a model was trained on, and the command, in words."""
    from ..training.datasets.mock_cubes import is_painted

    size = sets[0].size
    if options["data"]:
        names = ", ".join(Path(folder).name for folder in options["data"])
        what = (
            f"{len(sets[0]):,} galaxies of {size} x {size} pixels out of {names}; "
            "a fifth of all was held out for the test, "
            "of the rest a fifth for validation (split.json)."
        )
    else:
        each = [
            f"{len(s):,} {'painted images' if is_painted(s) else 'mock galaxies'} of {s.size} "
            f"x {s.size} pixels"
            for s in sets
        ]
        what = " and ".join(each) + " (docs/mocks.md, docs/training.md)."
    more = [f"{option_name(key)} {n}" for key in GROWING for n in _stages(options, key)[1:]]
    resumed = (
        f" It was resumed with {', '.join(more)}: "
        "the first sets and batches are those of the command."
        if more
        else ""
    )
    return f"{what} Command: {_command_of(options)}.{resumed}"


def _command_of(options: dict[str, Any]) -> str:
    """The command with which a training began, without what is usual."""
    command = ["galaxy-maps train stellar-unet --out DIR"]
    first = {key: _stages(options, key)[0] for key in GROWING}
    usual = options_by_need(options)
    for key, value in {**options, **first, "earlier": {}}.items():
        if value in (None, [], {}, DEFAULTS[key], usual.get(key)):
            continue
        if key in ("set", "map", "map_unit"):
            command += [f"{option_name(key)} '{text}'" for text in value]
        elif key == "data":
            command.append(f"--data {' '.join(Path(folder).name for folder in value)}")
        elif key in ("start", "recipe"):
            command.append(f"{option_name(key)} {Path(value).name}")
        else:
            command.append(f"{option_name(key)} {value}")
    return " ".join(command)
