"""The command `galaxy-maps predict`: from images, or a prepared cube, to maps."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..data import ranges
from .assumed import print_assumptions, print_assumptions_of_cube
from .console import print_maps, print_scores, run_steps
from .galaxy_input import (
    cube_and_recipe,
    masks_of,
    read_galaxy,
    say_what_changed,
)
from .options import IMAGES_OR_CUBE, add_device, add_paths, add_recipe_options, whole
from .outputs import OutputFits

if TYPE_CHECKING:
    from ..data.maps import PropertyMaps

HELP = "predict maps with their uncertainties"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command to its parser."""
    add_paths(parser, IMAGES_OR_CUBE)
    parser.add_argument(
        "--out", type=OutputFits, required=True, metavar="FILE", help="the maps to write"
    )
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="name of the model (galaxy-maps models lists them), or a folder that was trained to",
    )
    parser.add_argument(
        "--prior",
        choices=["relations", "wide"],
        help="what a model that can do either takes for likely: the scaling relations of galaxies "
        "(relations), or anything alike (wide)",
    )
    parser.add_argument(
        "--members",
        type=whole(ranges.MEMBERS),
        metavar="N",
        help="in how many orientations, 1 to 8, a model that looks at images sees the galaxy, to "
        "average what it says; N times as long",
    )
    add_device(parser, "where the model runs")
    parser.add_argument(
        "--truth", metavar="FILE", help="maps to compare with; prints how well the prediction does"
    )
    add_recipe_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the maps and print what they hold."""
    from ..device import resolve_device
    from ..exceptions import RecipeError
    from ..fits_io.map_files import read_maps, write_maps
    from ..models.registry import chosen_model
    from ..pipeline import PredictionMemory, predict_cube_steps, predict_steps
    from ..prepare.masks.mask_files import mask_hdus

    cube, recipe = cube_and_recipe(arguments, ("model",), ("hubble_stage", "redshift"))
    # What is wrong with model, device or truth is found before the work, not after.
    card = chosen_model(recipe.model).card
    told = recipe.galaxy.redshift
    if cube is not None and told != cube.redshift and "redshift" not in card.features:
        raise RecipeError(
            f"--redshift and galaxy.redshift would have no effect: {arguments.paths[0]} is a "
            f"prepared cube, and {card.name} looks at no redshift."
        )
    resolve_device(recipe.model.device)
    truth = read_maps(arguments.truth) if arguments.truth else None
    say_what_changed(arguments, recipe)
    memory, said = PredictionMemory(), []
    if cube is not None:
        said = print_assumptions_of_cube(cube, recipe, arguments.quiet)
        steps = predict_cube_steps(cube, recipe, memory=memory)
    else:
        galaxy = read_galaxy(arguments, recipe)
        masks = masks_of(arguments, galaxy)
        said = print_assumptions(galaxy, recipe, masks, memory, arguments.quiet)
        steps = predict_steps(galaxy, recipe, memory, masks)
    maps = run_steps(steps, arguments.quiet, said)
    write_maps(
        arguments.out,
        maps,
        arguments.overwrite,
        [*maps.extensions, *mask_hdus(memory.cube.masks if memory.cube else None)],
    )
    if not arguments.quiet:
        print_maps(maps)
        print(f"written to {arguments.out}")
    if truth is not None:
        _print_scores(truth, arguments)


def _print_scores(truth: PropertyMaps, arguments: argparse.Namespace) -> None:
    """How well the maps in the file do: what is wrong with the truth must not cost them, which are
    written by now.
    """
    from ..fits_io.map_files import read_maps
    from ..measure.compare.comparison import compare
    from ..measure.report.scores import scores_of

    compared = [compare(read_maps(arguments.out), truth)]
    if arguments.quiet:
        return
    print(f"\nagainst {arguments.truth}:")
    print_scores(scores_of(compared), compared)
