"""Prints what a prediction takes for granted, and the option that mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..prepare import assumptions as kinds
from .console import run_steps
from .options import options_of

if TYPE_CHECKING:
    from ..data.cube import BandCube
    from ..data.galaxy import Galaxy
    from ..data.recipe import Recipe
    from ..prepare.assumptions import Assumption, Known
    from ..prepare.masks.mask_set import Masks
    from ..prepare.memory import PreparationMemory

_SETTINGS = {
    kinds.STARS: ("stars.catalogue",),
    kinds.EBV: ("reddening.ebv", "reddening.map"),
    kinds.REDSHIFT: ("galaxy.redshift", "galaxy.distance"),
    kinds.DISTANCE: ("galaxy.distance",),
    kinds.ELLIPSE: (
        "galaxy.ra", "galaxy.dec", "galaxy.d25", "galaxy.axis_ratio", "galaxy.position_angle",
    ),
    kinds.LEAVE_OUT: ("input.leave_out",),
    kinds.OLD_PIXEL: ("input.units",),
    kinds.FILES: ("input.units", "input.bands"),
    kinds.MODEL: ("model.name",),
}  # fmt: skip
"""By what mends an assumption, the settings that it takes."""
_VALUES = {
    kinds.STARS: " TABLE or gaia, or --set stars.find=true",
    kinds.LEAVE_OUT: " FILE",
    kinds.OLD_PIXEL: " {}=UNIT/oldpix",
    kinds.MODEL: " {}",
    kinds.FILES: "; galaxy-maps info says how files were understood",
}
"""What stands behind the options."""


def print_assumptions(
    galaxy: Galaxy,
    recipe: Recipe,
    masks: Masks | None,
    memory: PreparationMemory,
    quiet: bool,
) -> list[str]:
    """Look at the galaxy, and print what is taken for granted of it, a line for each; gives back
    what need not be said again after the prediction.
    """
    from ..beforehand import look_at_steps

    if quiet:
        return []
    look = run_steps(look_at_steps(galaxy, recipe, memory), quiet)
    return _print(kinds.Known(galaxy, recipe, masks, look))


def print_assumptions_of_cube(cube: BandCube, recipe: Recipe, quiet: bool) -> list[str]:
    """The same of a prepared cube."""
    from ..beforehand import known_of_cube

    return [] if quiet else _print(known_of_cube(cube, recipe))


def _print(known: Known) -> list[str]:
    found = kinds.assumptions(known)
    for one in found:
        option = option_for(one, known.recipe, known.cube is not None)
        print(f"assumed: {one.more or one.text}{f' ({option})' if option else ''}")
    said = [text for one in found for text in (one.text, one.more) if text]
    return [*said, *(text.removesuffix(".") for text in said)]


def option_for(one: Assumption, recipe: Recipe, of_cube: bool = False) -> str:
    """What mends an assumption on the command line; empty where nothing does.

    Parameters
    ----------
    one : Assumption
    recipe : Recipe
    of_cube : bool
        Whether it is about a prepared cube: most options are for images.
    """
    if one.mend == kinds.CARD:
        return f"galaxy-maps models {recipe.model.name}"
    settings = _SETTINGS.get(one.mend, ())
    if not settings or (one.mend == kinds.MODEL and not one.of):
        return ""
    if of_cube and one.mend == kinds.REDSHIFT and _looks_at_redshift(recipe):
        return options_of(("galaxy.redshift",))
    between = ", " if one.mend == kinds.ELLIPSE else " or "
    options = between.join(options_of((setting,)) for setting in settings)
    options += _VALUES.get(one.mend, "").format(*one.of[:1] or ("FILE_OR_BAND",))
    if not of_cube or one.mend == kinds.MODEL:
        return options
    return f"prepare the images anew with {options}"


def _looks_at_redshift(recipe: Recipe) -> bool:
    from ..models.registry import chosen_model

    return "redshift" in chosen_model(recipe.model).card.features
