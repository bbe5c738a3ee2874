"""The front door's `attenuation`."""

from __future__ import annotations

from ._arguments import Listener, run_told, settled_recipe
from .attenuate import attenuation_cube_steps, attenuation_maps_steps
from .data.cube import BandCube
from .data.galaxy import Galaxy
from .data.recipe import Recipe
from .sed.attenuation_maps import Attenuation


def attenuation(
    galaxy: Galaxy | BandCube,
    *,
    device: str | None = None,
    recipe: Recipe | None = None,
    progress: Listener | None = None,
) -> Attenuation:
    """Map how much light dust takes, and take it away from the ultraviolet and optical images.

    Parameters
    ----------
    galaxy : Galaxy or BandCube
        Its images, or a cube that was prepared of them with nothing filled in.
    device : str, optional
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    recipe : Recipe, optional
        In place of the galaxy's.
    progress : callable, optional
        Given a `Progress` after every band and every piece of the fit.

    Returns
    -------
    Attenuation
        ``maps`` has A_FUV and A_V in mag, with errors; ``cube`` the images without dust in MJy/sr.

    Raises
    ------
    GalaxyMapsError
        Whatever is wrong, in a sentence.
    """
    settings = settled_recipe(galaxy, recipe, model={"device": device})
    if isinstance(galaxy, BandCube):
        steps = attenuation_cube_steps(galaxy, settings)
    else:
        steps = attenuation_maps_steps(galaxy, settings, galaxy.masks)
    return run_told(steps, progress)
