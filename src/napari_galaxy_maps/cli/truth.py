"""The command `galaxy-maps truth`: true maps where there is far infrared."""

from __future__ import annotations

import argparse

from .console import print_maps, run_steps
from .galaxy_input import (
    cube_and_recipe,
    masks_of,
    read_galaxy,
    say_what_changed,
)
from .options import IMAGES_OR_CUBE, add_device, add_paths, add_recipe_options
from .outputs import OutputFits

HELP = "fit true maps where there is far infrared, to compare predictions with"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command to its parser."""
    add_paths(parser, IMAGES_OR_CUBE)
    parser.add_argument(
        "--out", type=OutputFits, required=True, metavar="FILE", help="the maps to write"
    )
    add_device(parser, "where the fit runs")
    add_recipe_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the truth and print what it holds."""
    from ..device import resolve_device
    from ..fits_io.map_files import write_maps
    from ..pipeline import truth_cube_steps, truth_maps_steps
    from ..prepare.masks.mask_files import mask_hdus

    cube, recipe = cube_and_recipe(arguments, ("sed", "model.device"), ("redshift",))
    resolve_device(recipe.model.device)
    say_what_changed(arguments, recipe)
    if cube is not None:
        truth = run_steps(truth_cube_steps(cube, recipe), arguments.quiet)
    else:
        galaxy = read_galaxy(arguments, recipe)
        fitted = run_steps(
            truth_maps_steps(galaxy, recipe, masks_of(arguments, galaxy)), arguments.quiet
        )
        truth, cube = fitted.truth, fitted.cube
    write_maps(
        arguments.out, truth.maps, arguments.overwrite, [*truth.hdus(), *mask_hdus(cube.masks)]
    )
    if not arguments.quiet:
        print_maps(truth.maps)
        print(f"at {cube.fwhm:.3g}″, from {len(cube.bands)} bands; written to {arguments.out}")
