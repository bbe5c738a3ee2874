"""The front door's `sharpen`."""

from __future__ import annotations

import os
from typing import Literal

from ._arguments import Listener, run_told, with_settings
from .data.maps import PropertyMaps
from .data.recipe import Recipe
from .sharpen.by_recipe import sharpen_by_recipe_steps


def sharpen(
    maps: PropertyMaps,
    coarse: str | os.PathLike[str],
    *,
    image: str | None = None,
    fwhm: float | None = None,
    coarse_fwhm: float | None = None,
    signal_to_noise: float | None = None,
    beyond: Literal["prediction", "galaxy"] | None = None,
    progress: Listener | None = None,
) -> PropertyMaps:
    """Make predicted maps of dust agree with a coarse map that is trusted more.

    Parameters
    ----------
    maps : PropertyMaps
        As predicted, finer than the coarse map.
    coarse : path
        Maps of dust, as `fit_truth` makes them, or a far-infrared image.
    image : str, optional
        The band of the image, such as ``"SPIRE_250"``.
    fwhm, coarse_fwhm : float, optional
        Of the PSFs in arcsec, in place of what the two say.
    signal_to_noise : float, optional
        Of the coarse map, above which it is trusted; 3 by default.
    beyond : str, optional
        What fades in where it is not: the ``"prediction"`` (the default), or the prediction with
        the correction that the whole ``"galaxy"`` shares.
    progress : callable, optional
        Given a `Progress` after every step.

    Returns
    -------
    PropertyMaps
        What adds up is rescaled, ratios follow, and `T_DUST` is as predicted.

    Raises
    ------
    GalaxyMapsError
        Whatever is wrong, in a sentence.
    """
    text = str(maps.provenance.get("recipe", ""))
    own = Recipe.from_toml(text, "the recipe of the maps") if text.strip() else Recipe()
    asked = {
        "coarse": os.fspath(coarse), "image": image, "fwhm": coarse_fwhm,
        "signal_to_noise": signal_to_noise, "beyond": beyond,
    }  # fmt: skip
    return run_told(
        sharpen_by_recipe_steps(maps, with_settings(own, sharpen=asked), fwhm), progress
    )
