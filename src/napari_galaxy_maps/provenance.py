"""What a result says of how it was made, and what has changed since."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from . import __version__
from .data.cube import BandCube
from .data.galaxy import Galaxy
from .data.recipe import Recipe
from .exceptions import ModelError
from .fits_io.galaxies import READING
from .fits_io.image_files import FITS_ENDINGS
from .fits_io.named_files import files_named_by
from .fits_io.open_fits import sha256
from .fits_io.recipe_files import read_provenance
from .models.registry import model_hash
from .prepare.assumptions import MADE_UP, made_up
from .prepare.steps import STEPS, step_named

_VERSIONS_OF = ("numpy", "astropy", "reproject", "scikit-learn", "xgboost", "torch", "photutils")


def provenance(galaxy: Galaxy, recipe: Recipe) -> dict[str, Any]:
    """What a result of images says of itself.

    Returns
    -------
    dict
        ``object``, the galaxy's name; ``recipe``, as TOML; ``versions`` of packages; ``steps``, the
        version of the reading and of each step of the preparation; ``inputs``, the files that were
        used with their checksums; ``galaxy_note``, what had to be said of the galaxy, if anything;
        ``mock``, where it is a mock galaxy.
    """
    inputs = {
        name: f"{image.meta.get('label', '')} [{image.unit}] "
        f"sha256 {image.meta.get('checksum', 'unknown')}"
        for name, image in galaxy.images.items()
    }
    for use, path in files_named_by(recipe).items():
        if path.is_file():  # the name of a band or of an archive is none
            inputs[use] = f"{path.name} sha256 {sha256(path)}"
    found = {
        "object": galaxy.name,
        "recipe": recipe.to_toml(),
        "versions": versions(),
        "steps": step_versions(),
        "inputs": inputs,
    }
    if galaxy.notes:
        found["galaxy_note"] = list(galaxy.notes)
    if made_up(galaxy.images):
        found[MADE_UP] = "a mock galaxy of this program"
    return found


def provenance_of_cube(cube: BandCube, recipe: Recipe) -> dict[str, Any]:
    """What a result of a prepared cube says of itself: what the cube says, with the recipe by which
    the result was made, the versions of today, and the cube among the inputs.

    The versions of packages with which the cube was made are in ``cube_versions``, where they are
    others.
    """
    known = dict(cube.provenance)
    file = known.pop("file", None)
    found = {**known, "object": cube.name, "recipe": recipe.to_toml(), "versions": versions()}
    before = known.get("versions")
    if before and before != found["versions"]:
        found["cube_versions"] = before
    if file is not None:
        inputs = known.get("inputs", {})
        found["inputs"] = {**inputs, "cube": f"{Path(file).name} sha256 {sha256(Path(file))}"}
    return found


def versions() -> dict[str, str]:
    """Versions of this package, of Python, and of the packages that decide numbers."""
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    """`versions`, looked up once: each is a file that is read."""
    found = {"napari-galaxy-maps": __version__, "python": platform.python_version()}
    for package in _VERSIONS_OF:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def step_versions() -> dict[str, str]:
    """Version of the reading and of each step of the preparation: it grows when results change."""
    return {"reading": str(READING)} | {step.name: str(step.version) for step in STEPS}


def changed_since(before: Mapping[str, Any], recipe: Recipe) -> list[str]:
    """What has changed since a result was made, so that the same recipe gives another one.

    Parameters
    ----------
    before : mapping
        What the result says of itself.
    recipe : Recipe
        By which it is to be made again; another model than before is no change but a choice.

    Returns
    -------
    list of str
        A sentence each: the model's weights, the reading, a step of the preparation.
    """
    found = []
    made_by, weights = str(before.get("model", "")), str(before.get("model_hash", ""))
    if weights and made_by == recipe.model.name.partition("@")[0]:
        try:
            now = model_hash(recipe.model.name)
        except ModelError as error:
            return [str(error)]
        if now != weights:
            found.append(
                f"It was made by {made_by}@{weights[:12]}, and this version has "
                f"{made_by}@{now[:12]}: its maps will differ."
            )
    steps = before.get("steps")
    if isinstance(steps, Mapping):
        found += [
            f"The step {name} was version {steps.get(name, 'unknown')} then and is {version} now: "
            "its maps may differ."
            for name, version in step_versions().items()
            if steps.get(name) != version and not _new_and_off(name, steps, recipe)
        ]
    return found


def _new_and_off(name: str, steps: Mapping[str, Any], recipe: Recipe) -> bool:
    """Whether a step did not exist when a result was made, and its recipe has it off."""
    step = step_named(name)
    return name not in steps and step is not None and not step.is_on(recipe)


def changed_since_file(path: str | Path, recipe: Recipe) -> list[str]:
    """`changed_since` the result in a file, which is named in each sentence; nothing where the file
    is none but a recipe in TOML.
    """
    if not str(path).lower().endswith(FITS_ENDINGS):
        return []
    return [f"{path}: {sentence}" for sentence in changed_since(read_provenance(path), recipe)]
