"""What a person has entered of one galaxy, which Undo takes back: the files, what was said of them,
and what is known of the galaxy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...data.recipe import GalaxySettings, InputSettings, Recipe
from .opened_files import ImageFiles

if TYPE_CHECKING:
    from ...fits_io.image_file import ImageFile
    from ...fits_io.images_of_file import PassedOver

SECTIONS = ("galaxy", "input")
"""The sections of the recipe that the Galaxy panel shows."""


@dataclass(frozen=True, eq=False)
class Entries:
    """What was entered.

    Attributes
    ----------
    galaxy : GalaxySettings
        Name, position, distance, Hubble stage and ellipse.
    given : InputSettings
        What was said of the files.
    found : tuple of ImageFile
        The files.
    passed : tuple of PassedOver
        The images that are not read.
    """

    galaxy: GalaxySettings
    given: InputSettings
    found: tuple[ImageFile, ...] = ()
    passed: tuple[PassedOver, ...] = ()

    def same_as(self, other: Entries) -> bool:
        """Whether nothing differs."""
        return (
            self.galaxy == other.galaxy
            and self.given == other.given
            and [id(file) for file in self.found] == [id(file) for file in other.found]
            and [one.place for one in self.passed] == [one.place for one in other.passed]
        )


def entries_of(recipe: Recipe, files: ImageFiles) -> Entries:
    """What was entered so far."""
    galaxy, given = recipe.galaxy.model_copy(deep=True), recipe.input.model_copy(deep=True)
    return Entries(galaxy, given, tuple(files.found), tuple(files.passed))


def with_entries(recipe: Recipe, entries: Entries) -> Recipe:
    """A recipe with what was entered once."""
    new = recipe.model_copy(deep=True)
    new.galaxy = entries.galaxy.model_copy(deep=True)
    new.input = entries.given.model_copy(deep=True)
    return new
