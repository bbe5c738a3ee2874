"""The steps of the preparation in their order, and the preparation itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..data.cube import BandCube
from ..exceptions import InputError
from ..progress import Progress, Steps, run_to_end
from .chain.errors_step import errors_step
from .chain.fill_step import fill_step
from .chain.grid_step import grid_step
from .chain.impute_step import impute_step
from .chain.preparation import Preparation
from .chain.psf_step import psf_step
from .chain.reddening_step import reddening_step
from .chain.sky_step import sky_step
from .chain.stars_step import stars_step
from .needed_files import check_needed_files
from .step import Step

if TYPE_CHECKING:
    from ..data.cube import BandCube
    from ..data.galaxy import Galaxy
    from ..data.recipe import Recipe
    from .masks.mask_set import Masks
    from .memory import PreparationMemory


__all__ = ["STEPS", "Step", "prepare", "prepare_steps", "step_named"]

STEPS: tuple[Step, ...] = (
    Step(
        "sky",
        "Sky",
        "Subtract the sky that is left in each image",
        sky_step,
        runs_when_off=True,
        version=3,
    ),
    Step(
        "reddening",
        "Reddening",
        "Remove the reddening by the Milky Way's dust",
        reddening_step,
    ),
    Step(
        "stars",
        "Stars",
        "Mask the Milky Way's stars, band by band",
        stars_step,
        runs_when_off=True,
    ),
    Step(
        "psf",
        "One PSF",
        "Bring every band to the PSF of the widest",
        psf_step,
        runs_when_off=True,
        also=(("input", "psf"),),
    ),
    Step(
        "grid",
        "One grid",
        "Resample every band to the same pixels",
        grid_step,
    ),
    Step(
        "errors",
        "Errors",
        "Give every pixel its 1-sigma error",
        errors_step,
    ),
    Step(
        "fill",
        "Fill masks",
        "Estimate the light under masks from what surrounds them, for sums and for models that "
        "look at images",
        fill_step,
        doing="filling masks",
    ),
    Step(
        "impute",
        "Fill gaps",
        "Fill gaps and negative pixels by model spectra fitted to the other bands; "
        "off, the model takes them as they are",
        impute_step,
        doing="filling gaps",
    ),
)
"""The steps in their order. The recipe, the window and the documentation follow this list."""


def step_named(name: str) -> Step | None:
    """The step of this name; None where there is none."""
    return next((step for step in STEPS if step.name == name), None)


def prepare_steps(
    galaxy: Galaxy,
    recipe: Recipe,
    memory: PreparationMemory | None = None,
    masks: Masks | None = None,
) -> Steps[BandCube]:
    """Prepare a galaxy's images, yielding after every band of every step.

    Parameters
    ----------
    galaxy : Galaxy
        Its images; they are not changed.
    recipe : Recipe
        Settings of the steps.
    memory : PreparationMemory, optional
        Kept between calls, it spares what has not changed.
    masks : Masks, optional
        Stars and patches to mask, as a person left them; None fits those of the recipe's catalogue.

    Yields
    ------
    Progress
        ``step`` the name of one of `STEPS`, ``detail`` what was done, ``result`` the `BandImage`
        after it.

    Returns
    -------
    BandCube
        All bands at one PSF on one grid with errors.

    Raises
    ------
    InputError
        When the galaxy cannot be found, an image does not show it, or it is smaller than a pixel.
    """
    from .errors.poisson import check_gains
    from .memory import PreparationMemory

    if not galaxy.images:
        raise InputError("There is no image to prepare; add the galaxy's FITS files.")
    check_needed_files(recipe)
    gains = check_gains(recipe.errors, galaxy.images)
    work = Preparation(
        galaxy, recipe, PreparationMemory() if memory is None else memory, masks, gains
    )
    for step in STEPS:
        if step.runs_when_off or step.is_on(recipe):
            yield from step.run(work)
    return work.cube


def prepare(
    galaxy: Galaxy, recipe: Recipe, callback: Callable[[Progress], None] | None = None
) -> BandCube:
    """Prepare a galaxy's images in one call; see `prepare_steps`."""
    return run_to_end(prepare_steps(galaxy, recipe), callback)
