"""Prints what a prediction takes for granted, and the option that mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .console import run_steps

if TYPE_CHECKING:
    from ..data.galaxy import Galaxy
    from ..data.recipe import Recipe
    from ..prepare.assumptions import Assumption
    from ..prepare.masks.mask_set import Masks
    from ..prepare.memory import PreparationMemory


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
    from ..prepare.assumptions import Known, assumptions

    if quiet:
        return []
    look = run_steps(look_at_steps(galaxy, recipe, memory), quiet)
    found = assumptions(Known(galaxy, recipe, masks, look))
    for one in found:
        option = option_for(one, recipe)
        print(f"assumed: {one.more or one.text}{f' ({option})' if option else ''}")
    return [text for one in found for text in (one.text, one.text.removesuffix("."))]


def option_for(one: Assumption, recipe: Recipe) -> str:
    """What mends an assumption on the command line; empty where nothing does."""
    from ..prepare import assumptions as kinds

    return {
        kinds.STARS: "--stars TABLE or gaia, or --set stars.find=true",
        kinds.EBV: "--ebv or --reddening-map",
        kinds.REDSHIFT: "--redshift or --distance",
        kinds.DISTANCE: "--distance",
        kinds.ELLIPSE: "--ra, --dec, --d25, --axis-ratio, --position-angle",
        kinds.LEAVE_OUT: "--leave-out FILE",
        kinds.OLD_PIXEL: f"--unit {one.of[0]}=UNIT/oldpix" if one.of else "--unit",
        kinds.FILES: "galaxy-maps info says how files were understood; --unit, --band",
        kinds.MODEL: f"--model {one.of[0]}" if one.of else "",
        kinds.CARD: f"galaxy-maps models {recipe.model.name}",
    }.get(one.mend, "")
