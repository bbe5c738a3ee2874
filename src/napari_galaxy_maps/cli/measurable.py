"""What the commands `measure` and `profile` share: what they measure, and the table they write."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import __version__
from ..data import ranges
from ..data.cube import BandCube
from ..data.flags import bits_set, words_of
from ..data.galaxy import BandImage, Ellipse
from ..data.maps import PropertyMaps
from ..exceptions import InputError
from .console import print_table
from .options import INPUT_PAIRS, add_quiet, number, recipe_of, refuse_idle
from .outputs import OutputTable

if TYPE_CHECKING:
    from astropy.table import QTable

    from ..measure.apertures.planes import Planes

Source = PropertyMaps | BandCube | BandImage


def add_table_options(parser: argparse.ArgumentParser, what: str) -> None:
    """The table to write, and what of the file it is about."""
    parser.add_argument(
        "--out",
        type=OutputTable,
        required=True,
        metavar="FILE",
        help=f"the {what} to write, .ecsv or .csv",
    )
    parser.add_argument(
        "--map", action="append", metavar="NAME", help="only this property or band (repeatable)"
    )
    parser.add_argument(
        "--distance",
        type=number(ranges.DISTANCE),
        metavar="MPC",
        help="in place of the one in the file",
    )
    parser.add_argument(
        "--correlation",
        type=number(ranges.IN_PIXELS),
        metavar="PIXELS",
        help="pixels over which noise is shared, 0 for none",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the output if it is there"
    )
    add_quiet(parser)


def read_sources(arguments: argparse.Namespace) -> list[Source]:
    """What the file holds: maps, a cube, or the images in it."""
    from ..fits_io.cube_files import is_cube, read_cube
    from ..fits_io.galaxies import read_galaxy
    from ..fits_io.map_files import is_maps, read_maps

    path = Path(arguments.file)
    kind = "images"
    if path.is_file():
        kind = "maps" if is_maps(path) else "a prepared cube" if is_cube(path) else kind
    if kind != "images":
        refuse_idle(arguments, (*INPUT_PAIRS, "leave_out"), f"{path} holds {kind}")
        return [read_maps(path) if kind == "maps" else read_cube(path)]
    images = read_galaxy([path], recipe_of(arguments)).images
    names = arguments.map or list(images)
    missing = [name for name in names if name not in images]
    if missing:
        raise InputError(f"{path} has no {', '.join(missing)}; it has {', '.join(images)}.")
    return [images[name] for name in names]


def planes_to_sum(
    source: Source, arguments: argparse.Namespace, shared: Source | None = None
) -> Planes:
    """The source ready to be summed; with `shared`, only those maps that the other has too."""
    from ..measure.apertures.planes import planes_of

    names = arguments.map if isinstance(source, PropertyMaps | BandCube) else None
    if isinstance(shared, PropertyMaps) and isinstance(source, PropertyMaps):
        names = [name for name in (arguments.map or shared.values) if name in source.values]
    return planes_of(source, names, arguments.distance, arguments.correlation)


def d25_of(source: Source) -> Ellipse | None:
    """The D25 ellipse with which maps were made, where they say it."""
    from ..measure.profiles.ellipses import recipe_ellipse

    return recipe_ellipse(source.provenance) if isinstance(source, PropertyMaps) else None


def write_and_print(arguments: argparse.Namespace, table: QTable, shown: tuple[str, ...]) -> None:
    """Write the table, and print some of its columns and its notes."""
    from ..measure.apertures.aperture_files import write_table

    table.meta["file"] = str(arguments.file)
    table.meta["made_by"] = f"napari-galaxy-maps {__version__}"
    write_table(arguments.out, table, arguments.overwrite)
    if arguments.quiet:
        return
    print_table(table, shown)
    if "flags" in table.colnames and (found := bits_set(np.asarray(table["flags"]))):
        print(f"flags: {'; '.join(f'{bit} {words_of(bit)}' for bit in found)}")
    for note in table.meta["notes"]:
        print(f"Note: {note}")
    print(f"written to {arguments.out}")
