"""How the commands that prepare a galaxy read it, and what they mask."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from .console import run_steps

if TYPE_CHECKING:
    from ..data.cube import BandCube
    from ..data.galaxy import Galaxy
    from ..data.recipe import Recipe
    from ..prepare.masks.mask_set import Masks


def read_galaxy(arguments: argparse.Namespace, recipe: Recipe) -> Galaxy:
    """The galaxy in the files that are named; what cannot be used is said on standard error."""
    from ..fits_io.galaxies import read_galaxy_steps
    from ..fits_io.image_files import find_images

    skipped: list[str] = []
    files = find_images(arguments.paths, skipped)
    for reason in skipped:
        print(f"left out: {reason}", file=sys.stderr)
    return run_steps(read_galaxy_steps(files, recipe), arguments.quiet)


def masks_of(arguments: argparse.Namespace, galaxy: Galaxy) -> Masks | None:
    """What --mask and the result named by --recipe say is to be masked, or None where they say
    nothing.
    """
    from ..pipeline import masks_given

    left_out: list[str] = []
    masks = masks_given(arguments.recipe, arguments.mask, list(galaxy.images), left_out)
    for reason in left_out:
        print(f"left out: {reason}", file=sys.stderr)
    return masks


def read_lone_cube(paths: list[str]) -> BandCube | None:
    """The prepared cube, with its masks, where that is all that is named; else None."""
    from ..fits_io.cube_files import is_cube, read_cube
    from ..prepare.masks.mask_files import read_masks

    if len(paths) != 1 or not is_cube(paths[0]):
        return None
    return replace(read_cube(paths[0]), masks=read_masks(paths[0]))
