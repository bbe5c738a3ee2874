"""Whether the files that a recipe names are there, asked before the work that comes before them."""

from __future__ import annotations

from pathlib import Path

from ..data.recipe import Recipe
from ..exceptions import InputError
from ..fits_io.image_files import FITS_ENDINGS


def check_needed_files(recipe: Recipe) -> None:
    """Look whether the files are there that the steps of a recipe will read.

    Raises
    ------
    InputError
        When one is not.
    RecipeError
        When the common PSF is given by words that mean none.
    """
    from .psf.matching import is_file_of_psf
    from .stars.gaia import is_archive

    named = {f"kernel of {band}": path for band, path in recipe.psf.kernels.items()}
    if not recipe.psf.enabled:
        named = {}
    elif is_file_of_psf(recipe.psf.target):
        named["common PSF"] = str(recipe.psf.target)
    catalogue, ebv_map = recipe.stars.catalogue, recipe.reddening.map
    if recipe.stars.enabled and catalogue and not is_archive(catalogue):
        named["table of stars"] = catalogue
    # Another text is the name of a map of dustmaps.
    if recipe.reddening.enabled and (
        ebv_map.lower().endswith(FITS_ENDINGS) or len(Path(ebv_map).parts) > 1
    ):
        named["map of E(B-V)"] = ebv_map
    for use, path in named.items():
        if not Path(path).expanduser().exists():
            raise InputError(f"{path} does not exist; check the path of the {use}.")
