"""What stands in the files of a session's folder: session.toml, which names the galaxies, and a
JSON file for each of them.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ...data.section import problem, what_is_wrong
from ...exceptions import InputError
from ...fits_io.open_fits import read_text

VERSION: Final = 1
"""Of the folder's format; one that a program does not know it refuses to read."""
FRONT = "session.toml"
"""The file that names all others. It is replaced last, and makes a folder a session."""


def _is_text(value: Any) -> str:
    if not isinstance(value, str):
        raise problem(f"{str(value)[:40]!r} is not text")
    return value


Text = Annotated[Any, AfterValidator(_is_text)]
"""Text that may hold what no UTF-8 can, as names of files do; pydantic's own may not."""


class _Entry(BaseModel):
    """Exactly these values, of exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Part(_Entry):
    """A file in the session's folder: its path there, SHA-256 and bytes."""

    path: str
    sha256: str
    size: int


class FileEntry(_Entry):
    """An image file that lies elsewhere."""

    path: Text
    relative: Text
    sha256: str
    size: int
    label: Text


class MapsEntry(_Entry):
    """Maps: their file, and what a FITS file cannot hold exactly."""

    part: Part
    provenance: dict[str, Any]
    correlation: float | None
    tails: dict[str, float]
    extensions: int
    """How many further extensions follow on MASK."""
    complete: bool | None
    """Whether the masks in the file are complete (`Masks.complete`); None where it has none."""


class MasksEntry(_Entry):
    """Masks: their file, and what it cannot hold."""

    part: Part
    complete: bool


class ResultEntry(_Entry):
    """A `SavedResult`."""

    label: Text
    made: str
    maps: MapsEntry
    recipe: Part
    saved: bool
    inputs_changed: Text


class TruthEntry(_Entry):
    """A `SavedTruth`: maps or a file."""

    name: Text
    maps: MapsEntry | None
    file: FileEntry | None
    chosen: bool


class OptionsEntry(_Entry):
    """How apertures are measured."""

    background: Annotated[list[float], Field(min_length=2, max_length=2)] | None
    background_value: Literal["median", "mean"]
    correct_masked: bool
    fill: bool = True


class GalaxyEntry(_Entry):
    """A `SavedGalaxy`, the JSON file of one."""

    name: Text
    recipe: Part
    files: list[FileEntry]
    masks: MasksEntry | None
    masks_note: Text
    apertures: Part | None
    options: OptionsEntry
    results: list[ResultEntry]
    result: int
    truths: list[TruthEntry]
    view: dict[str, Any]

    def parts(self) -> Iterator[Part]:
        """All files of the session's folder that it names."""
        yield self.recipe
        if self.masks is not None:
            yield self.masks.part
        if self.apertures is not None:
            yield self.apertures
        for result in self.results:
            yield result.maps.part
            yield result.recipe
        for truth in self.truths:
            if truth.maps is not None:
                yield truth.maps.part


class GalaxySummary(_Entry):
    """What session.toml says of a galaxy."""

    name: str
    files: int
    results: int
    part: Part


class FrontEntry(_Entry):
    """The file session.toml."""

    version: Literal[1] = VERSION
    program: str
    saved: str
    current: int
    window: Part
    galaxies: list[GalaxySummary] = []


def front_of(folder: Path) -> FrontEntry:
    """What session.toml says.

    Raises
    ------
    InputError
        When there is none, it is damaged, or a newer version of the program wrote it.
    """
    path = folder / FRONT
    if not path.exists():
        raise InputError(
            f"{folder} is no session: it holds no {FRONT}; open a folder that was saved as a "
            "session."
        )
    try:
        tree = tomllib.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged ({error}); open another session.") from None
    version = tree.get("version")
    if isinstance(version, int) and version > VERSION:
        raise InputError(
            f"{folder} was saved by a newer version of this program (session version {version}; "
            f"this one reads {VERSION}); install the newer one."
        )
    try:
        return FrontEntry.model_validate(tree)
    except ValidationError as error:
        raise InputError(f"{path} is damaged ({_first(error)}); open another session.") from None


def galaxy_of(text: str) -> GalaxyEntry:
    """What the JSON file of a galaxy says.

    Raises
    ------
    InputError
        With what is wrong alone; the caller names the file.
    """
    try:
        return GalaxyEntry.model_validate(json.loads(text))
    except ValidationError as error:
        raise InputError(_first(error)) from None
    except (ValueError, RecursionError) as error:
        raise InputError(str(error)) from None


def values_of(text: str) -> dict[str, Any]:
    """Plain values that `as_json` wrote.

    Raises
    ------
    InputError
        With what is wrong alone; the caller names the file.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(str(error)) from None
    if not isinstance(values, dict):
        raise InputError("it holds no table")
    return values


def as_json(values: Any) -> str:
    """Plain values as JSON, in ASCII: texts of any kind, NaN and all digits of numbers come back;
    tuples come back as lists.

    Raises
    ------
    TypeError
        For anything but None, bool, numbers, texts, lists and mappings with texts for keys.
    """
    _check_keys(values)
    return json.dumps(values, indent=1, default=_plain)


def _check_keys(values: Any) -> None:
    """JSON would make texts of other keys without a word."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            if not isinstance(key, str):
                raise TypeError(f"{key!r} is no text; give texts as the keys of plain values")
            _check_keys(value)
    elif isinstance(values, list | tuple):
        for value in values:
            _check_keys(value)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{value!r} is no plain value and cannot be kept in a session")


def _first(error: ValidationError) -> str:
    """What is wrong first, and where."""
    where, what = next(iter(what_is_wrong(error).items()))
    return f"{where}: {what}" if where else what
