"""A step of the preparation: its words for people, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ..data.recipe import Recipe
    from ..progress import Steps
    from .chain.preparation import Preparation


@dataclass(frozen=True)
class Step:
    """One step of the preparation.

    Attributes
    ----------
    name : str
        Also that of the recipe's section with its settings, and of its `Progress`.
    title : str
        The same for people.
    description : str
        What it does, in one line.
    run : callable
        Does it: changes a `Preparation`, and yields `Progress`.
    doing : str
        What it is called while it is under way; by default the title.
    runs_when_off : bool
        Whether `run` is called even where the recipe switches the step off, since later steps need
        what it leaves; it asks for the switch itself then.
    also : tuple of (str, str)
        Sections and keys of the recipe's settings that it reads besides those of its own section.
    version : int
        Grows when the same recipe gives other numbers than before; results keep it.
    """

    name: str
    title: str
    description: str
    run: Callable[[Preparation], Steps[None]]
    doing: str = ""
    runs_when_off: bool = False
    also: tuple[tuple[str, str], ...] = ()
    version: int = 1

    def __post_init__(self) -> None:
        if not self.doing:
            object.__setattr__(self, "doing", self.title[:1].lower() + self.title[1:])

    def settings(self, recipe: Recipe) -> BaseModel | None:
        """Its section of the recipe; None where it has none."""
        section: BaseModel | None = getattr(recipe, self.name, None)
        return section

    def has_switch(self, recipe: Recipe) -> bool:
        """Whether the recipe can switch it off."""
        return hasattr(self.settings(recipe), "enabled")

    def is_on(self, recipe: Recipe) -> bool:
        """Whether the recipe has it switched on; a step without a switch always is."""
        return bool(getattr(self.settings(recipe), "enabled", True))
