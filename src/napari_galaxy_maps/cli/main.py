"""The command `galaxy-maps`: the library's pipeline on the command line."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..data.recipe import GalaxySettings, Recipe
from ..exceptions import GalaxyMapsError, InputError, RecipeError, UnresolvedError
from ..progress import Progress, Steps, run_to_end
from .measuring import add_commands

if TYPE_CHECKING:
    from ..fits_io.image_files import ImageFile

_GALAXY_OPTIONS = {
    "ra": "right ascension in degrees (ICRS)",
    "dec": "declination in degrees (ICRS)",
    "distance": "distance in Mpc",
    "redshift": "redshift, for model spectra, and for a distance by the Hubble flow where none is given",
    "d25": "diameter D25 in arcmin",
    "axis_ratio": "axis ratio b/a of the D25 ellipse",
    "position_angle": "position angle in degrees east of north",
}


_OPTION_SETTINGS = (
    ("grid", "pixel", "pixel"), ("model", "name", "model"), ("model", "device", "device"), ("reddening", "ebv", "ebv"),
    ("reddening", "map", "reddening_map"), ("stars", "catalogue", "stars"),
)  # fmt: skip
"""Section and key of the recipe that an option of its own sets."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status: 0, 2 for a mistake that the person can put right,
    130 when interrupted.
    """
    arguments = _parser().parse_args(argv)
    try:
        status: int | None = arguments.run(arguments)
    except UnresolvedError as error:
        print(
            f"galaxy-maps: {error} Say it with --band FILE=BAND or --unit FILE=UNIT.",
            file=sys.stderr,
        )
        return 2
    except GalaxyMapsError as error:
        print(f"galaxy-maps: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(
            f"galaxy-maps: {stop.args[0] if stop.args else 'interrupted; nothing was written.'}",
            file=sys.stderr,
        )
        return 130
    except BrokenPipeError:  # `| head` has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123  (so that the interpreter's last flush is quiet)
        return 0
    return status or 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="galaxy-maps", description="Predict resolved maps of a galaxy from its images."
    )
    parser.add_argument("--version", action="version", version=f"galaxy-maps {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int | None], text: str
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        sub.set_defaults(run=run)
        return sub

    sub = command(
        "info", _info, "say what each file is: band, unit, pixel, PSF, size, what is wrong"
    )
    sub.add_argument("paths", nargs="+", metavar="PATH", help="FITS files or folders")
    sub.add_argument("--json", action="store_true", help="print JSON")
    _add_input_options(sub)

    sub = command("prepare", _prepare, "bring all bands to one PSF and one grid, with errors")
    sub.add_argument("paths", nargs="+", metavar="PATH", help="FITS files or folders")
    sub.add_argument("--out", required=True, metavar="FILE", help="the cube to write")
    _add_recipe_options(sub)

    sub = command("predict", _predict, "predict maps with their uncertainties")
    sub.add_argument(
        "paths", nargs="+", metavar="PATH", help="FITS files or folders, or one prepared cube"
    )
    sub.add_argument("--out", required=True, metavar="FILE", help="the maps to write")
    sub.add_argument(
        "--model",
        metavar="NAME",
        help="name of the model (galaxy-maps models lists them), or a folder that was trained to",
    )
    sub.add_argument(
        "--device", choices=["auto", "cpu", "cuda", "mps"], help="where the model runs"
    )
    sub.add_argument(
        "--truth", metavar="FILE", help="maps to compare with; prints how well the prediction does"
    )
    _add_recipe_options(sub)

    sub = command(
        "truth", _truth, "fit true maps where there is far infrared, to compare predictions with"
    )
    sub.add_argument(
        "paths", nargs="+", metavar="PATH", help="FITS files or folders, or one prepared cube"
    )
    sub.add_argument("--out", required=True, metavar="FILE", help="the maps to write")
    sub.add_argument("--device", choices=["auto", "cpu", "cuda", "mps"], help="where the fit runs")
    _add_recipe_options(sub)

    add_commands(command, _add_input_options)

    sub = command("models", _models, "list the models, or show the card of one")
    sub.add_argument(
        "name", nargs="?", metavar="NAME", help="of a model, or a folder that was trained to"
    )

    from .mock import add_options

    add_options(
        command("mock", _mock, "make a mock galaxy: its images in any bands, and its true maps")
    )

    from .train import add_options as add_training

    add_training(
        command("train", _train, "train a model: the shipped ones again, or on your own galaxies")
    )

    sub = command("demo", _demo, "open napari on a sample galaxy with its maps predicted")
    sub.add_argument(
        "--screenshot", metavar="FILE", help="save a picture of the window and close it"
    )
    return parser


def _add_input_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what the files are")
    group.add_argument(
        "--band",
        action="append",
        default=[],
        metavar="FILE=BAND",
        help="band of a file (repeatable)",
    )
    group.add_argument(
        "--unit",
        action="append",
        default=[],
        metavar="FILE_OR_BAND=UNIT",
        help="unit of a file (repeatable)",
    )
    group.add_argument(
        "--psf", action="append", default=[], metavar="BAND=FWHM_OR_FILE",
        help="PSF of a band: its FWHM in arcsec, or a FITS file with its picture (repeatable)",
    )  # fmt: skip


def _add_recipe_options(parser: argparse.ArgumentParser) -> None:
    _add_input_options(parser)
    group = parser.add_argument_group("the galaxy")
    group.add_argument("--name", help="name of the galaxy")
    for name, text in _GALAXY_OPTIONS.items():
        group.add_argument(f"--{name.replace('_', '-')}", type=float, metavar="X", help=text)
    group.add_argument(
        "--table", action="append", default=[], metavar="FILE",
        help="a table of galaxies that tells all this (e.g. of HyperLEDA), by name or position; what options tell comes first "
        "(repeatable)",
    )  # fmt: skip
    group = parser.add_argument_group("the Milky Way")
    group.add_argument("--ebv", type=float, metavar="MAG", help="its reddening E(B-V)")
    group.add_argument(
        "--reddening-map", metavar="FILE", help="a map of E(B-V), or the name of one of dustmaps"
    )
    group.add_argument(
        "--stars",
        metavar="TABLE",
        help="its stars, a table with Gaia's columns, or 'gaia' to fetch them; masked band by band",
    )
    group.add_argument(
        "--mask",
        action="append",
        default=[],
        metavar="FILE.reg",
        help="DS9 regions to mask (repeatable)",
    )
    group = parser.add_argument_group("settings")
    group.add_argument(
        "--resolution",
        metavar="ARCSEC_OR_BAND",
        help="the common PSF: its FWHM, a band, or a FITS file of a PSF",
    )
    group.add_argument(
        "--kernel", action="append", default=[], metavar="BAND=FILE",
        help="a ready kernel that brings a band to the common PSF (repeatable)",
    )  # fmt: skip
    pixels = group.add_mutually_exclusive_group()
    pixels.add_argument("--pixel", type=float, metavar="ARCSEC", help="pixel of the common grid")
    pixels.add_argument(
        "--pixel-pc", type=float, metavar="PC", help="the same in parsec; needs a distance"
    )
    group.add_argument(
        "--recipe", metavar="FILE", help="settings from a TOML file or an earlier result"
    )
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="STEP.KEY=VALUE",
        help="any setting (repeatable)",
    )
    group.add_argument("--overwrite", action="store_true", help="replace the output if it is there")
    group.add_argument("--quiet", action="store_true", help="say nothing unless something is wrong")


def _pairs(texts: Sequence[str], option: str, form: str) -> dict[str, str]:
    """``KEY=VALUE`` texts as a dictionary; a value may hold an equals sign, a key may not."""
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (equals and key and value):
            raise RecipeError(f"{option} {text!r} is not of the form {form}.")
        found[key] = value
    return found


def recipe_of(arguments: argparse.Namespace) -> Recipe:
    """The recipe that the options ask for: a file's, changed by --set, changed by the options of
    their own.
    """
    from ..fits_io.recipe_files import read_recipe

    path = getattr(arguments, "recipe", None)
    recipe = read_recipe(path) if path else Recipe()
    recipe = recipe.with_values(getattr(arguments, "set", []))
    tree = recipe.model_dump()
    tree["input"]["bands"].update(_pairs(arguments.band, "--band", "FILE=BAND"))
    tree["input"]["units"].update(_pairs(arguments.unit, "--unit", "FILE_OR_BAND=UNIT"))
    for band, value in _pairs(arguments.psf, "--psf", "BAND=FWHM_OR_FILE").items():
        tree["input"]["psf"][band] = _number_or_text(value)
    tree["psf"]["kernels"].update(_pairs(getattr(arguments, "kernel", []), "--kernel", "BAND=FILE"))
    if getattr(arguments, "table", []):
        tree["galaxy"].update(_from_tables(arguments, recipe.galaxy))
    for name in ("name", *_GALAXY_OPTIONS):
        if getattr(arguments, name, None) is not None:
            tree["galaxy"][name] = getattr(arguments, name)
    resolution = getattr(arguments, "resolution", None)
    if resolution is not None:
        tree["psf"]["target"] = _number_or_text(resolution)
    if getattr(arguments, "pixel_pc", None) is not None:
        tree["grid"]["pixel"] = f"{arguments.pixel_pc:g} pc"
    for section, key, option in _OPTION_SETTINGS:
        if getattr(arguments, option, None) is not None:
            tree[section][key] = getattr(arguments, option)
    return Recipe.from_tree(tree, "The options")


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _from_tables(arguments: argparse.Namespace, known: GalaxySettings) -> dict[str, Any]:
    """What the tables of --table tell of the galaxy; the first that tells something counts."""
    from ..fits_io.galaxy_catalogue import galaxy_from_table

    name = arguments.name or known.name
    ra, dec = (
        getattr(arguments, key) if getattr(arguments, key) is not None else getattr(known, key)
        for key in ("ra", "dec")
    )
    found: dict[str, Any] = {}
    for path in arguments.table:
        told, words = galaxy_from_table(
            path, name, None if ra is None or dec is None else (ra, dec)
        )
        found = {**told, **found}
        if not arguments.quiet:
            print(words)
    return found


def _run(steps: Steps[Any], quiet: bool) -> Any:
    """Run steps to their end, with a progress bar where standard error is a terminal, then say what
    lasts of their words.
    """
    said: list[str] = []

    def hear(progress: Progress) -> None:
        if progress.lasting and progress.detail not in said:
            said.append(progress.detail)

    if quiet:
        return run_to_end(steps)
    if not sys.stderr.isatty():
        result = run_to_end(steps, hear)
    else:
        from tqdm import tqdm

        with tqdm(
            bar_format="{desc:<60.60} |{bar:20}| {n_fmt}/{total_fmt} [{elapsed}]",
            leave=False,
            file=sys.stderr,
        ) as bar:

            def show(progress: Progress) -> None:
                hear(progress)
                bar.total, bar.n = progress.total, progress.done
                bar.set_description_str(f"{progress.step}: {progress.detail}")

            result = run_to_end(steps, show)
    for words in said:
        print(words)
    return result


def _check_free(path: str, overwrite: bool) -> None:
    """Refuse an output that is there before the work is done, not after."""
    if Path(path).exists() and not overwrite:
        raise InputError(
            f"{path} is there already; choose another name, or allow it to be replaced with --overwrite."
        )


def _read(arguments: argparse.Namespace, recipe: Recipe) -> Any:
    from ..fits_io.galaxies import read_galaxy_steps
    from ..fits_io.image_files import find_images

    skipped: list[str] = []
    files = find_images(arguments.paths, skipped)
    for reason in skipped:
        print(f"left out: {reason}", file=sys.stderr)
    return _run(read_galaxy_steps(files, recipe), arguments.quiet)


def _masks(arguments: argparse.Namespace, galaxy: Any) -> Any:
    """What --mask and the result named by --recipe say is to be masked, or None where they say
    nothing.
    """
    from ..fits_io.image_files import FITS_ENDINGS
    from ..prepare.masks.mask_files import masks_from_regions, read_masks
    from ..prepare.masks.mask_set import Masks

    masks = None
    if arguments.recipe and str(arguments.recipe).lower().endswith(FITS_ENDINGS):
        masks = read_masks(arguments.recipe)  # as a person left them: nothing is fitted again
    for path in arguments.mask:
        left_out: list[str] = []
        drawn = masks_from_regions(path, galaxy.images, left_out)
        for reason in left_out:
            print(f"left out: {reason}", file=sys.stderr)
        masks = (Masks(complete=False) if masks is None else masks) + drawn
    return masks


def _info(arguments: argparse.Namespace) -> int:
    from ..fits_io.galaxies import settle_all
    from ..fits_io.image_files import find_images

    found: list[ImageFile] = []
    wrong: list[str] = []
    for path in arguments.paths:
        try:
            found += find_images([path], wrong)
        except InputError as error:
            wrong.append(str(error))
    files = settle_all(found, recipe_of(arguments).input) if found else []
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
            "fwhm_arcsec": round(image.fwhm, 3) or None,
            "shape": list(image.shape),
            "wcs": list(image.wcs.wcs.ctype),
            "problems": list(image.problems),
        }
        for image in files
    ]
    if arguments.json:
        print(json.dumps({"images": rows, "left_out": wrong}, indent=2))
    else:
        _print_table(rows)
        for reason in [p for row in rows for p in row["problems"]] + [
            f"left out: {w}" for w in wrong
        ]:
            print(reason)
    return 0 if rows else 2


def _print_table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    table = [("file", "role", "band", "unit", "pixel", "FWHM", "size", "projection")]
    for row in rows:
        label = row["file"] if len(row["file"]) <= 48 else f"{row['file'][:30]}…{row['file'][-17:]}"
        table.append(
            (label, row["role"], row["band"] or "?", row["unit"] or "?", f"{row['pixel_arcsec']:.3g}″",
             f"{row['fwhm_arcsec']:.3g}″" if row["fwhm_arcsec"] else "?", f"{row['shape'][1]} x {row['shape'][0]}",
             row["wcs"][0][5:].strip("-"))
        )  # fmt: skip
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    for line in table:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )


def _prepare(arguments: argparse.Namespace) -> None:
    from ..fits_io.cube_files import write_cube
    from ..pipeline import provenance
    from ..prepare.masks.mask_files import mask_hdus
    from ..prepare.steps import prepare_steps

    _check_free(arguments.out, arguments.overwrite)
    recipe = recipe_of(arguments)
    galaxy = _read(arguments, recipe)
    cube = _run(prepare_steps(galaxy, recipe, masks=_masks(arguments, galaxy)), arguments.quiet)
    write_cube(
        arguments.out, cube, provenance(galaxy, recipe), arguments.overwrite, mask_hdus(cube.masks)
    )
    if not arguments.quiet:
        ny, nx = cube.shape
        print(
            f"{galaxy.name}: {len(cube.bands)} bands at {cube.fwhm:.2f}″ on {nx} x {ny} pixels of {cube.pixel_arcsec:.3g}″"
        )
        for image in cube.images.values():
            print(f"  {image.band}: {'; '.join(image.notes)}")
        print(f"written to {arguments.out}")


def _predict(arguments: argparse.Namespace) -> None:
    from ..device import resolve_device
    from ..fits_io.cube_files import is_cube, read_cube
    from ..fits_io.map_files import read_maps, write_maps
    from ..measure.compare.comparison import compare
    from ..measure.compare.residuals import score
    from ..models.registry import load_model
    from ..pipeline import PredictionMemory, predict_cube_steps, predict_steps
    from ..prepare.masks.mask_files import mask_hdus, read_masks

    _check_free(arguments.out, arguments.overwrite)
    recipe = recipe_of(arguments)
    load_model(
        recipe.model.name
    )  # what is wrong with model, device or truth is told before the work, not after
    resolve_device(recipe.model.device)
    truth = read_maps(arguments.truth) if arguments.truth else None
    memory = PredictionMemory()
    if len(arguments.paths) == 1 and is_cube(arguments.paths[0]):
        cube = replace(read_cube(arguments.paths[0]), masks=read_masks(arguments.paths[0]))
        steps = predict_cube_steps(cube, recipe, memory=memory)
    else:
        galaxy = _read(arguments, recipe)
        steps = predict_steps(galaxy, recipe, memory, _masks(arguments, galaxy))
    maps = _run(steps, arguments.quiet)
    write_maps(
        arguments.out,
        maps,
        arguments.overwrite,
        mask_hdus(memory.cube.masks if memory.cube else None),
    )
    if not arguments.quiet:
        _print_maps(maps)
        print(f"written to {arguments.out}")
    if truth is not None:
        compared = compare(maps, truth)  # what is wrong with the truth must not cost the maps
        if not arguments.quiet:
            print(
                "\n".join(
                    [f"\nagainst {arguments.truth}:", *(f"Note: {note}" for note in compared.notes)]
                )
            )
            score(compared.maps, compared.truth).pprint(max_lines=-1, max_width=-1)


def _truth(arguments: argparse.Namespace) -> None:
    from ..device import resolve_device
    from ..fits_io.cube_files import is_cube, read_cube
    from ..fits_io.map_files import write_maps
    from ..pipeline import truth_cube_steps, truth_maps_steps
    from ..prepare.masks.mask_files import mask_hdus, read_masks

    _check_free(arguments.out, arguments.overwrite)
    recipe = recipe_of(arguments)
    resolve_device(recipe.model.device)
    if len(arguments.paths) == 1 and is_cube(arguments.paths[0]):
        cube = replace(read_cube(arguments.paths[0]), masks=read_masks(arguments.paths[0]))
        truth = _run(truth_cube_steps(cube, recipe), arguments.quiet)
    else:
        galaxy = _read(arguments, recipe)
        fitted = _run(truth_maps_steps(galaxy, recipe, _masks(arguments, galaxy)), arguments.quiet)
        truth, cube = fitted.truth, fitted.cube
    write_maps(
        arguments.out, truth.maps, arguments.overwrite, [*truth.hdus(), *mask_hdus(cube.masks)]
    )
    if not arguments.quiet:
        _print_maps(truth.maps)
        print(f"at {cube.fwhm:.3g}″, from {len(cube.bands)} bands; written to {arguments.out}")


def _print_maps(maps: Any) -> None:
    import numpy as np

    from ..data.properties import FLAG_MEANING, PROPERTIES

    ny, nx = maps.shape
    print(
        f"{maps.provenance.get('object', '')}: maps of {nx} x {ny} pixels by {maps.provenance.get('model', '')}"
    )
    for name, plane in maps.values.items():
        good = np.isfinite(plane)
        prop = PROPERTIES[name]
        unit = f"{prop.unit} {prop.log_unit}".strip()
        if good.any():
            error = np.nanmedian(maps.errors[name][good]) if name in maps.errors else np.nan
            wide = f" (95 % within {maps.tails[name] * error:.3f})" if name in maps.tails else ""
            print(
                f"  {name:16} median {np.median(plane[good]):7.3f}, error {error:.3f}{wide} {unit}"
            )
        else:
            print(f"  {name:16} nowhere")
    valid = np.isfinite(next(iter(maps.values.values())))
    for flag, meaning in FLAG_MEANING.items():
        share = float(((maps.flags[valid] & flag) != 0).mean()) if valid.any() else 0.0
        if share > 0:
            print(f"  {share:.1%} of the pixels: {meaning}")


def _models(arguments: argparse.Namespace) -> None:
    from ..models.registry import list_models, load_card

    if arguments.name:
        print(load_card(arguments.name).to_markdown())
        return
    for name in list_models():
        print(f"{name}: {load_card(name).summary()}")


def _mock(arguments: argparse.Namespace) -> None:
    from . import mock as command

    said = _run(command.steps(arguments), arguments.quiet)
    if not arguments.quiet:
        print(said)


def _train(arguments: argparse.Namespace) -> None:
    from . import train as command

    said = _run(command.steps(arguments), arguments.quiet)
    if not arguments.quiet:
        print(said)


def _demo(arguments: argparse.Namespace) -> int:
    try:
        from ..plugin.manifest.demo import main as demo
    except ImportError as error:
        raise GalaxyMapsError(
            f"The window cannot open ({error}); install napari with a Qt binding: pip install 'napari-galaxy-maps[pyqt6]'."
        ) from None
    return int(demo(screenshot=arguments.screenshot) or 0)


if __name__ == "__main__":
    sys.exit(main())
