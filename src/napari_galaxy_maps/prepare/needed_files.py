"""Whether the files that a recipe names are there, asked before the work that comes before them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..data.recipe import Recipe
from ..exceptions import InputError


def check_needed_files(recipe: Recipe, regions: Sequence[str | Path] = ()) -> None:
    """Look whether the files are there that the steps of a recipe will read, and region files.

    Raises
    ------
    InputError
        When one is not.
    RecipeError
        When the common PSF is given by words that mean none.
    """
    from .psf.matching import is_file_of_psf
    from .reddening import is_file_of_map
    from .stars.gaia import is_archive

    psf, catalogue, ebv_map = recipe.psf, recipe.stars.catalogue, recipe.reddening.map
    needed: list[tuple[str | Path, str]] = [(path, "region file") for path in regions]
    if psf.enabled:
        needed += [(path, f"kernel of {band}") for band, path in psf.kernels.items()]
        if is_file_of_psf(psf.target):
            needed.append((str(psf.target), "common PSF"))
    if recipe.stars.enabled and catalogue and not is_archive(catalogue):
        needed.append((catalogue, "table of stars"))
    if recipe.reddening.enabled and is_file_of_map(ebv_map):
        needed.append((ebv_map, "map of E(B-V)"))
    for path, use in needed:
        if not Path(path).expanduser().exists():
            raise InputError(f"{path} does not exist; check the path of the {use}.")
