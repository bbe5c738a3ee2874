"""A galaxy as a session keeps it: its files, settings, masks, apertures, results and truths, and
how it was shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...data.maps import PropertyMaps
from ...data.recipe import Recipe
from ...measure.apertures.aperture import Aperture
from ...measure.apertures.photometry import Options
from ...prepare.masks.mask_set import Masks

SUFFIX = ".galaxymaps"
"""What the name of a session's folder ends with."""


@dataclass(frozen=True)
class SavedFile:
    """An image file that a session names and does not hold.

    Attributes
    ----------
    path : Path
        Where it lay.
    checksum : str
        SHA-256, hexadecimal; empty where it is not known.
    size : int
        Bytes.
    label : str
        What the table of files calls it.
    relative : str
        Where it lay as seen from the session's folder; empty where no such path is (on another
        drive), or before it is written.
    """

    path: Path
    checksum: str
    size: int
    label: str = ""
    relative: str = field(default="", compare=False)


@dataclass(frozen=True, eq=False)
class SavedResult:
    """Maps that were predicted.

    Attributes
    ----------
    label : str
        What the window calls them.
    made : str
        When, as ISO 8601 has it.
    maps : PropertyMaps
        The maps.
    masks : Masks or None
        What was masked in them.
    recipe : Recipe
        By which they were made.
    saved : bool
        Whether they are in a file of the person's own, too.
    inputs_changed : str
        What has changed since they were made, in a sentence; empty where nothing has.
    """

    label: str
    made: str
    maps: PropertyMaps
    masks: Masks | None
    recipe: Recipe
    saved: bool = False
    inputs_changed: str = ""


@dataclass(frozen=True, eq=False)
class SavedTruth:
    """Maps to compare with.

    Attributes
    ----------
    name : str
        What the window calls them.
    source : PropertyMaps or SavedFile
        The maps, where they were fitted in the window; the file, where they were opened.
    chosen : bool
        Whether results are compared with them.
    """

    name: str
    source: PropertyMaps | SavedFile
    chosen: bool = False


@dataclass(frozen=True, eq=False)
class SavedGalaxy:
    """A galaxy and all that a person made of it.

    Attributes
    ----------
    name : str
        As the window calls it.
    recipe : Recipe
        Its settings.
    files : tuple of SavedFile
        Its images.
    masks : Masks or None
        What is masked; None where nothing has been looked for yet.
    masks_note : str
        Where the masks came from, in a sentence.
    apertures : tuple of Aperture
        Those that were drawn, rings among them.
    options : Options
        How they are measured.
    results : tuple of SavedResult
        Oldest first.
    result : int
        Which of the results is looked at; -1 for none.
    truths : tuple of SavedTruth
        What there is to compare with.
    view : mapping
        How it was shown, in plain values: None, bool, int, float, str, lists and mappings with text
        for keys.
    """

    name: str
    recipe: Recipe = field(default_factory=Recipe)
    files: tuple[SavedFile, ...] = ()
    masks: Masks | None = None
    masks_note: str = ""
    apertures: tuple[Aperture, ...] = ()
    options: Options = field(default_factory=Options)
    results: tuple[SavedResult, ...] = ()
    result: int = -1
    truths: tuple[SavedTruth, ...] = ()
    view: Mapping[str, Any] = field(default_factory=dict)
