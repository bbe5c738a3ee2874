"""How the commands that prepare a galaxy read it, and what they mask."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..exceptions import RecipeError
from .console import run_steps
from .options import PREPARING, changed_by_options, join_words, recipe_of, refuse_idle

if TYPE_CHECKING:
    from ..data.cube import BandCube
    from ..data.galaxy import Galaxy
    from ..data.recipe import Recipe
    from ..prepare.masks.mask_set import Masks


def read_galaxy(arguments: argparse.Namespace, recipe: Recipe) -> Galaxy:
    """The galaxy in the files that are named; what cannot be used is said on standard error."""
    from ..fits_io.galaxies import read_galaxy_steps
    from ..fits_io.image_files import check_names, find_images
    from ..prepare.needed_files import check_needed_files

    check_needed_files(recipe, arguments.mask)
    check_names(arguments.paths, recipe.input)
    skipped: list[str] = []
    files = find_images(arguments.paths, skipped, told=recipe.input)
    for reason in skipped:
        print(f"left out: {reason}", file=sys.stderr)
    return run_steps(read_galaxy_steps(files, recipe), arguments.quiet)


def masks_of(arguments: argparse.Namespace, galaxy: Galaxy) -> Masks | None:
    """What --mask and the result named by --recipe say is to be masked, or None where they say
    nothing.
    """
    from ..pipeline import masks_given

    left_out: list[str] = []
    masks = masks_given(
        arguments.recipe,
        arguments.mask,
        list(galaxy.images),
        left_out,
        other_stars=arguments.stars is not None,
    )
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


def cube_and_recipe(
    arguments: argparse.Namespace, sections: Sequence[str], also: Sequence[str] = ()
) -> tuple[BandCube | None, Recipe]:
    """The prepared cube where that is all that is named, and the recipe; parameters as of
    `recipe_of_cube`.
    """
    cube = read_lone_cube(arguments.paths)
    if cube is None:
        return None, recipe_of(arguments)
    return cube, recipe_of_cube(arguments, cube, sections, also)


def recipe_of_cube(
    arguments: argparse.Namespace, cube: BandCube, sections: Sequence[str], also: Sequence[str] = ()
) -> Recipe:
    """The recipe of a prepared cube, with what the options say of what is done to it.

    Parameters
    ----------
    arguments : argparse.Namespace
        With the options of `add_recipe_options`.
    cube : BandCube
    sections : sequence of str
        Of the recipe, that have an effect on a cube; of them `--set` may speak.
    also : sequence of str
        Settings of the galaxy that have one, too.

    Raises
    ------
    RecipeError
        When an option has no effect on a cube.
    """
    from ..data.recipe import Recipe

    allowed = (*(f"{section}." for section in sections), *(f"galaxy.{key}" for key in also))
    why = (
        f"{arguments.paths[0]} is a prepared cube, and has its recipe; leave this out, or give "
        "the images"
    )
    refuse_idle(arguments, [option for option in PREPARING if option not in also], why)
    idle = [f"--set {text}" for text in arguments.set if not text.strip().startswith(allowed)]
    if idle:
        raise RecipeError(f"{join_words(idle)} would have no effect: {why}.")
    text = str(cube.provenance.get("recipe", ""))
    own = Recipe.from_toml(text, arguments.paths[0]) if text.strip() else Recipe()
    return changed_by_options(own, arguments)


def say_what_changed(arguments: argparse.Namespace, recipe: Recipe) -> None:
    """Say, where the recipe is that of an earlier result, what has changed since it was made."""
    from ..provenance import changed_since_file

    for sentence in changed_since_file(arguments.recipe or "", recipe):
        print(sentence, file=sys.stderr)
