"""The command `galaxy-maps attenuation`: how much light dust takes, and images without dust."""

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

HELP = "map how much light dust takes, and take it away from the images"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command to its parser."""
    add_paths(parser, IMAGES_OR_CUBE)
    parser.add_argument(
        "--out",
        type=OutputFits,
        required=True,
        metavar="FILE",
        help="the maps of attenuation to write",
    )
    parser.add_argument(
        "--images",
        type=OutputFits,
        metavar="FILE",
        help="write the ultraviolet and optical images without dust, with their errors, too",
    )
    add_device(parser, "where the fit runs")
    add_recipe_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the maps, and the images where they are wanted, and print what they hold."""
    from ..attenuate import attenuation_cube_steps, attenuation_maps_steps
    from ..device import resolve_device
    from ..fits_io.cube_files import write_cube
    from ..fits_io.map_files import write_maps
    from ..prepare.masks.mask_files import mask_hdus

    cube, recipe = cube_and_recipe(arguments, ("sed", "model.device"), ("redshift",))
    resolve_device(recipe.model.device)
    say_what_changed(arguments, recipe)
    if cube is not None:
        steps = attenuation_cube_steps(cube, recipe)
    else:
        galaxy = read_galaxy(arguments, recipe)
        steps = attenuation_maps_steps(galaxy, recipe, masks_of(arguments, galaxy))
    found = run_steps(steps, arguments.quiet)
    masks = mask_hdus(found.cube.masks)
    if arguments.images:
        extra = [*found.cube_hdus(), *masks]
        write_cube(arguments.images, found.cube, found.maps.provenance, arguments.overwrite, extra)
    write_maps(arguments.out, found.maps, arguments.overwrite, [*found.hdus(), *masks])
    if not arguments.quiet:
        print_maps(found.maps)
        print(f"written to {arguments.out}")
        if arguments.images:
            bands = ", ".join(found.cube.bands)
            print(f"{bands} without dust, written to {arguments.images}")
