"""The command `galaxy-maps sharpen`: fine maps of dust that agree with a coarse one."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..data import ranges
from .console import print_maps, run_steps
from .galaxy_input import say_what_changed
from .options import add_quiet, number
from .outputs import OutputFits

if TYPE_CHECKING:
    from ..data.maps import PropertyMaps
    from ..data.recipe import Recipe

HELP = "make predicted maps of dust agree with a coarse map that is trusted more"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command to its parser."""
    from ..data.setting import range_of
    from ..data.sharpen_settings import SharpenSettings

    parser.add_argument("maps", metavar="MAPS", help="predicted maps, as predict writes them")
    parser.add_argument(
        "coarse",
        nargs="?",
        metavar="COARSE",
        help="coarse maps of dust, as truth writes them, or a far-infrared image; by default that "
        "of the recipe",
    )
    parser.add_argument(
        "--out", type=OutputFits, required=True, metavar="FILE", help="the maps to write"
    )
    parser.add_argument(
        "--image", metavar="BAND", help="COARSE is an image of this band, such as SPIRE_250"
    )
    parser.add_argument(
        "--fwhm",
        type=number(ranges.FWHM),
        metavar="ARCSEC",
        help="PSF of the predicted maps, in place of what the file says",
    )
    parser.add_argument(
        "--coarse-fwhm",
        type=number(ranges.FWHM),
        metavar="ARCSEC",
        help="PSF of the coarse map, in place of what the file says",
    )
    limits = range_of(SharpenSettings.model_fields["signal_to_noise"])
    assert limits is not None
    parser.add_argument(
        "--signal-to-noise",
        type=number(limits),
        metavar="X",
        help="signal-to-noise of the coarse map above which it is trusted; by default 3",
    )
    parser.add_argument(
        "--beyond",
        choices=["prediction", "galaxy"],
        help="what fades in where the coarse map is not trusted: the prediction as it is, or with "
        "the correction that the whole galaxy shares",
    )
    parser.add_argument(
        "--recipe", metavar="FILE", help="a TOML file, or a sharpened result, to do the same again"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there")
    add_quiet(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the maps and print what was done."""
    from ..fits_io.map_files import read_maps, write_maps
    from ..prepare.masks.mask_files import mask_hdus, read_masks
    from ..sharpen.by_recipe import sharpen_by_recipe_steps

    maps = read_maps(arguments.maps)
    recipe = _recipe(arguments, maps)
    say_what_changed(arguments, recipe)
    sharp = run_steps(sharpen_by_recipe_steps(maps, recipe, arguments.fwhm), arguments.quiet)
    masks = mask_hdus(read_masks(arguments.maps))
    write_maps(arguments.out, sharp, arguments.overwrite, [*sharp.extensions, *masks])
    if not arguments.quiet:
        print_maps(sharp)
        print(f"written to {arguments.out}, with the corrections in NAME_CORRECTION")


def _recipe(arguments: argparse.Namespace, maps: PropertyMaps) -> Recipe:
    """The recipe of the maps, sharpened as the one of --recipe and the options say."""
    from ..data.recipe import Recipe
    from ..exceptions import RecipeError
    from ..fits_io.recipe_files import read_recipe

    text = str(maps.provenance.get("recipe", ""))
    own = Recipe.from_toml(text, arguments.maps) if text.strip() else Recipe()
    tree = own.model_dump()
    if arguments.recipe:
        tree["sharpen"] = read_recipe(arguments.recipe).sharpen.model_dump()
    asked = {
        "coarse": arguments.coarse, "image": arguments.image, "fwhm": arguments.coarse_fwhm,
        "signal_to_noise": arguments.signal_to_noise, "beyond": arguments.beyond,
    }  # fmt: skip
    tree["sharpen"] |= {key: value for key, value in asked.items() if value is not None}
    if not tree["sharpen"]["coarse"]:
        raise RecipeError("Which coarse map is trusted is not told; name its file after the maps.")
    return Recipe.from_tree(tree, "The options")
