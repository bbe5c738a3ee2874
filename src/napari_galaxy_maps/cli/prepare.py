"""The command `galaxy-maps prepare`: from images to a cube."""

from __future__ import annotations

import argparse

from .console import run_steps
from .galaxy_input import masks_of, read_galaxy, say_what_changed
from .options import IMAGES, add_paths, add_recipe_options, recipe_of
from .outputs import OutputFits

HELP = "bring all bands to one PSF and one grid, with errors"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command to its parser."""
    add_paths(parser, IMAGES)
    parser.add_argument(
        "--out", type=OutputFits, required=True, metavar="FILE", help="the cube to write"
    )
    add_recipe_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the cube and print what was done to each band."""
    from ..fits_io.cube_files import write_cube
    from ..pipeline import prepare_galaxy_steps
    from ..prepare.masks.mask_files import mask_hdus
    from ..provenance import provenance

    recipe = recipe_of(arguments)
    say_what_changed(arguments, recipe)
    galaxy = read_galaxy(arguments, recipe)
    cube = run_steps(
        prepare_galaxy_steps(galaxy, recipe, masks=masks_of(arguments, galaxy)), arguments.quiet
    )
    write_cube(
        arguments.out, cube, provenance(galaxy, recipe), arguments.overwrite, mask_hdus(cube.masks)
    )
    if not arguments.quiet:
        ny, nx = cube.shape
        print(
            f"{galaxy.name}: {len(cube.bands)} bands at {cube.fwhm:.2f}″ "
            f"on {nx} x {ny} pixels of {cube.pixel_arcsec:.3g}″"
        )
        for image in cube.images.values():
            print(f"  {image.band}: {'; '.join(image.notes)}")
        print(f"written to {arguments.out}")
