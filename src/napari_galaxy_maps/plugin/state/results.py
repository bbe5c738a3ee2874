"""The results of one galaxy: maps, what they were made with and when, and what they are compared
with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from ...bands.registry import BANDS
from ...data.maps import PropertyMaps
from ...data.recipe import Recipe
from ...exceptions import GalaxyMapsError

if TYPE_CHECKING:
    from ...prepare.masks.mask_set import Masks

_NO_MATTER = {
    "galaxy": {"name"},
    "model": {"name", "device", "prior", "members"},
    "stars": {"enabled"},
    "input": {"roles", "leave_out"},
}
"""Settings that make no other maps of the same model, or whose effect images and masks show."""
_NUMBERS = count(1)
_OF_TRUTHS = {"library"}
"""Sections that only the fit of a truth reads."""


@dataclass(eq=False, repr=False)
class Result:
    """Maps that were predicted, or opened from a file that says by which model.

    Attributes
    ----------
    label : str
        What a person calls it: the model, and a number where there are several of it.
    maps : PropertyMaps
        The maps.
    recipe : Recipe
        What they were made with.
    inputs : dict of str to str
        SHA-256 of the images they were made of, by band; of a file's as far as it says them.
    masks : Masks or None
        What was masked in them.
    made : datetime
        When.
    residual : PropertyMaps or None
        Maps minus `truth`.
    truth : PropertyMaps or None
        What they were compared with last.
    saved : bool
        Whether they are in a file as they are.
    opened : bool
        Whether they come from a file, or from a fit that does not follow edits of the masks.
    key : str
        What tells its layers from those of other results.
    """

    label: str
    maps: PropertyMaps
    recipe: Recipe
    inputs: dict[str, str] = field(default_factory=dict)
    masks: Masks | None = None
    made: datetime = field(default_factory=lambda: datetime.now().astimezone())
    residual: PropertyMaps | None = None
    truth: PropertyMaps | None = None
    saved: bool = False
    opened: bool = False
    key: str = field(default_factory=lambda: f"result {next(_NUMBERS)}")

    def __repr__(self) -> str:
        return f"Result {self.label}, made {self.made:%Y-%m-%d %H:%M:%S}"

    @property
    def model(self) -> str:
        """The model that made it, or the name of its file."""
        return str(self.maps.provenance.get("model", "")) or self.label

    def replace(
        self, maps: PropertyMaps, residual: PropertyMaps | None, truth: PropertyMaps | None
    ) -> None:
        """The same result after an edit."""
        self.maps, self.residual, self.truth = maps, residual, truth
        self.made, self.saved, self.opened = datetime.now().astimezone(), False, False

    def differences(self, recipe: Recipe, inputs: dict[str, str]) -> list[str]:
        """What is set otherwise now than when it was made, a word or two each.

        Parameters
        ----------
        recipe : Recipe
            The recipe as it is now; which model, prior and members it names makes no
            difference.
        inputs : dict of str to str
            SHA-256 of the images by band; empty while none is open.
        """
        words = changed_settings(self.recipe, recipe)
        if self.inputs and inputs:
            others = any(inputs.get(band) != known for band, known in self.inputs.items())
            # A file of maps names only the images that its model takes.
            more = not self.opened and inputs.keys() - self.inputs.keys()
            words += ["images"] if others or more else []
        return words


def result_of_file(name: str, maps: PropertyMaps) -> Result:
    """A result that was opened from a file: what it was made with is what the file says.

    Parameters
    ----------
    name : str
        The file's name.
    maps : PropertyMaps
        Its maps.
    """
    said = maps.provenance
    try:
        recipe = Recipe.from_toml(str(said.get("recipe", "")))
    except GalaxyMapsError:  # of another version, perhaps; its maps are as good
        recipe = Recipe()
    path = Path(str(said.get("file", "")))
    made = datetime.fromtimestamp(path.stat().st_mtime if path.is_file() else 0).astimezone()
    label = label_of(*(str(said.get(key, "")) for key in ("model", "prior", "members")))
    label = label or Path(name).stem
    return Result(label, maps, recipe, inputs_of(maps), made=made, saved=True, opened=True)


def inputs_of(maps: PropertyMaps) -> dict[str, str]:
    """SHA-256 of the images that maps were made of, by band, as they say it."""
    files = maps.provenance.get("inputs", {})
    found = {}
    for band, text in files.items() if isinstance(files, Mapping) else ():
        _, known, checksum = str(text).partition(" sha256 ")
        if known and band in BANDS:
            found[band] = checksum
    return found


def is_prediction(maps: PropertyMaps) -> bool:
    """Whether maps were predicted by a model, rather than being somebody's truth."""
    return bool(maps.provenance.get("model_hash"))


def changed_settings(before: Recipe, now: Recipe) -> list[str]:
    """The settings that differ between two recipes and change maps, by their names.

    Examples
    --------
    >>> from napari_galaxy_maps.data.recipe import Recipe
    >>> other = Recipe()
    >>> other.galaxy.redshift = 0.01
    >>> changed_settings(Recipe(), other)
    ['redshift']
    """
    found = []
    for section in type(before).model_fields:
        one, other = getattr(before, section), getattr(now, section)
        if one == other or section in _OF_TRUTHS:
            continue
        if section == "sharpen" and not before.sharpen.coarse:
            continue  # it has made nothing of these maps
        skipped = _NO_MATTER.get(section, set())
        for key in type(one).model_fields:
            if key not in skipped and getattr(one, key) != getattr(other, key):
                found.append(key.replace("_", " "))
    return found


def label_of(model: str, prior: str, members: str) -> str:
    """What a result is called: its model, which may be named with its weights or folder, and prior
    and members where these are not the usual ones.
    """
    if not model:
        return ""
    wide = " wide" if prior == "wide" else ""
    several = f", {members} members" if members not in ("", "1") else ""
    return f"{model.partition('@')[0]}{wide}{several}"


def free_label(model: str, results: Sequence[Result]) -> str:
    """A label that no other result has: the model, and a number from the second on."""
    taken = {result.label for result in results}
    label, number = model, 2
    while label in taken:
        label, number = f"{model} {number}", number + 1
    return label
