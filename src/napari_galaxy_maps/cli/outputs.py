"""What commands write: declared where the option is added, and looked at before the work begins."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from ..exceptions import GalaxyMapsError, InputError
from ..fits_io.named_files import files_of_recipe, path_in, same_file
from ..fits_io.safe_writing import check_output, check_output_folder, readers


class OutputFile(str):
    """The value of an option that names a file to write (``type=OutputFile``).

    Attributes
    ----------
    endings : tuple of str
        How its name may end; empty: in any way.
    """

    endings: ClassVar[tuple[str, ...]] = ()
    __slots__ = ()


class OutputFits(OutputFile):
    """A FITS file, packed or not."""

    endings = tuple(
        f".{kind}{packed}" for kind in ("fits", "fit", "fts") for packed in ("", ".gz", ".bz2")
    )
    __slots__ = ()


class OutputTable(OutputFile):
    """A table."""

    endings = (".ecsv", ".csv")
    __slots__ = ()


class OutputFigure(OutputFile):
    """A figure."""

    endings = (".png", ".pdf", ".svg")
    __slots__ = ()


class OutputFolder(str):
    """The value of an option that names a folder to write to."""

    __slots__ = ()


class Inputs:
    """The files and folders that a run reads, as its options and its recipe name them.

    Parameters
    ----------
    arguments : argparse.Namespace
        Of the command.
    """

    def __init__(self, arguments: argparse.Namespace):
        named = [
            path
            for text in _texts(vars(arguments).values())
            for part in (text, *re.split(r"""[=,\[\]{}"']""", text))
            for path in path_in(part)
        ]
        recipe = getattr(arguments, "recipe", None)
        named += _files_of_recipe(recipe) if recipe else []
        self.files = [path for path in named if not path.is_dir()]
        self.folders = [path for path in named if path.is_dir()]

    def reads(self, place: Path) -> bool:
        """Whether a file is one that is named, by whatever name, or an image in such a folder."""
        return any(same_file(place, path) for path in self.files) or (
            any(same_file(parent, folder) for parent in place.parents for folder in self.folders)
            and _is_image(place)
        )


def outputs_of(arguments: argparse.Namespace) -> list[OutputFile | OutputFolder]:
    """What a command will write."""
    return [v for v in vars(arguments).values() if isinstance(v, OutputFile | OutputFolder)]


@contextmanager
def inputs_kept(arguments: argparse.Namespace) -> Iterator[None]:
    """Refuse outputs that cannot be before the work; until the block ends, nothing that is written
    replaces an input.

    Raises
    ------
    InputError
        When an output is an input or another output, is there already and may not be replaced, has
        a name that ends otherwise than it must, or cannot be written.
    """
    inputs = Inputs(arguments)
    readers.add(inputs)
    try:
        _check(outputs_of(arguments), inputs, getattr(arguments, "overwrite", True))
        yield
    finally:
        readers.discard(inputs)


def _check(outputs: list[OutputFile | OutputFolder], inputs: Inputs, overwrite: bool) -> None:
    places: list[Path] = []
    for output in outputs:
        if isinstance(output, OutputFolder):
            place = check_output_folder(output)
            if any(same_file(place, folder) for folder in inputs.folders):
                raise InputError(f"{output} is one of the inputs; choose another folder.")
        else:
            if output.endings and not output.lower().endswith(output.endings):
                kinds = f"{', '.join(output.endings[:-1])} or {output.endings[-1]}"
                raise InputError(f"{output} has to be named {kinds}; give the file such a name.")
            place = check_output(output, overwrite)
        if any(place == other or same_file(place, other) for other in places):
            raise InputError(f"{output} is named for two outputs; give each a name of its own.")
        places.append(place)


def _texts(values: Iterable[Any]) -> Iterator[str]:
    """The texts among the values of options, and in lists of them, but for those of outputs."""
    for value in values:
        if isinstance(value, list | tuple):
            yield from _texts(value)
        elif isinstance(value, str) and not isinstance(value, OutputFile | OutputFolder):
            yield value


def _files_of_recipe(path: str) -> list[Path]:
    """What a recipe names; one that cannot be read is told of by the command."""
    from ..fits_io.recipe_files import read_recipe

    try:
        return files_of_recipe(read_recipe(path), Path(path).parent)
    except GalaxyMapsError:
        return []


def _is_image(path: Path) -> bool:
    """Whether a file in a folder is taken for an image when the folder is read."""
    from ..fits_io.cube_files import is_cube
    from ..fits_io.image_files import is_fits_name
    from ..fits_io.map_files import is_maps

    return is_fits_name(path.name) and not is_maps(path) and not is_cube(path)
