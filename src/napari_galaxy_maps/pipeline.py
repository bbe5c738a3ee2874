"""Recipe and galaxy in, maps out: the whole way in one call."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from typing import Any

from . import __version__
from .galaxy import BandCube, Galaxy
from .maps import PropertyMaps
from .models.registry import load_model
from .prepare.steps import Memory, prepare_steps
from .progress import Progress, Steps, drain
from .recipe import Recipe

_VERSIONS_OF = ("numpy", "astropy", "reproject", "scikit-learn", "xgboost", "torch", "photutils")


def provenance(galaxy: Galaxy, recipe: Recipe) -> dict[str, Any]:
    """What a result says of itself: the recipe, the versions, and the input files with their checksums."""
    versions = {"napari-galaxy-maps": __version__, "python": platform.python_version()}
    for package in _VERSIONS_OF:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    inputs = {
        name: f"{image.meta.get('label', '')} [{image.unit}] sha256 {image.meta.get('checksum', 'unknown')}"
        for name, image in galaxy.images.items()
    }
    return {"object": galaxy.name, "recipe": recipe.to_toml(), "versions": versions, "inputs": inputs}


def predict_cube_steps(cube: BandCube, recipe: Recipe, known: dict[str, Any] | None = None) -> Steps[PropertyMaps]:
    """Predict maps from a prepared cube; `known` is the provenance so far."""
    model = load_model(recipe.model.name)
    maps = yield from model.predict_steps(cube, recipe.model.device)
    notes = [note for image in cube.images.values() for note in (f"{image.band}: {text}" for text in image.notes)]
    return replace(maps, provenance={**(known or {"object": cube.name}), **maps.provenance, "note": notes})


def predict_steps(galaxy: Galaxy, recipe: Recipe, memory: Memory | None = None) -> Steps[PropertyMaps]:
    """Prepare a galaxy and predict its maps, yielding after every band and every tile.

    Parameters
    ----------
    galaxy : Galaxy
        Its images.
    recipe : Recipe
        Settings of every step.
    memory : Memory, optional
        Kept between calls, it spares the preparation of what has not changed.

    Returns
    -------
    PropertyMaps
        With full provenance.

    Raises
    ------
    GalaxyMapsError
        Whatever is wrong, in a sentence.
    """
    model = load_model(recipe.model.name)
    model.check_bands(list(galaxy.images))
    cube = yield from prepare_steps(galaxy, recipe, memory)
    return (yield from predict_cube_steps(cube, recipe, provenance(galaxy, recipe)))


def predict(galaxy: Galaxy, recipe: Recipe, callback: Callable[[Progress], None] | None = None) -> PropertyMaps:
    """Prepare a galaxy and predict its maps in one call; see `predict_steps`."""
    return drain(predict_steps(galaxy, recipe), callback)
