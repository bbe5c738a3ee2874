"""The command `galaxy-maps measure`: sums, means and errors inside apertures."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.maps import PropertyMaps
from ..exceptions import InputError
from .measurable import (
    Source,
    add_table_options,
    d25_of,
    planes_to_sum,
    read_sources,
    write_and_print,
)
from .options import MEASURABLE, add_input_options, ellipse_of, parse_numbers, refuse_idle

if TYPE_CHECKING:
    from astropy.table import QTable

    from ..measure.apertures.aperture import Aperture

HELP = "sums, means and errors inside apertures, of maps, a cube or images"

_SHOWN = (
    "name",
    "map",
    "sum",
    "sum_err",
    "filled_share",
    "sum_unit",
    "mean",
    "mean_err",
    "median",
    "mean_unit",
    "n_pixels",
    "n_masked",
    "flags",
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command to its parser."""
    parser.add_argument("file", metavar="FILE", help=MEASURABLE)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--ellipse",
        metavar="RA,DEC,A,B,PA",
        help="degrees, semi-axes in arcsec, degrees east of north",
    )
    where.add_argument(
        "--regions",
        metavar="FILE.reg",
        help="DS9 regions: circles, ellipses, rings, boxes, polygons",
    )
    where.add_argument(
        "--total",
        action="store_true",
        help="whole-galaxy values inside the D25 ellipse of the recipe",
    )
    parser.add_argument(
        "--annulus", metavar="IN,OUT", help="local background from a ring, in units of the aperture"
    )
    parser.add_argument(
        "--background",
        choices=["median", "mean"],
        help="of the ring's clipped pixels (median)",
    )
    parser.add_argument(
        "--correct-masked",
        action="store_true",
        help="scale sums to the whole aperture where it has blanks",
    )
    parser.add_argument(
        "--no-fill",
        dest="fill",
        action="store_false",
        help="leave out of sums what is thought to lie under masks",
    )
    parser.add_argument(
        "--cube",
        metavar="CUBE",
        help="with --total: the prepared cube, for what its integrated fluxes give",
    )
    add_table_options(parser, "table")
    add_input_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the table of sums, means and errors."""
    from astropy.table import vstack

    from ..measure.apertures.photometry import Options, measure_apertures

    ring = parse_numbers(arguments.annulus, 2, "--annulus", "IN,OUT") if arguments.annulus else None
    if arguments.total:
        refuse_idle(arguments, ("annulus",), "--total adds up the galaxy without a background")
    else:
        refuse_idle(arguments, ("cube",), "it is compared with the whole galaxy; give --total")
    if ring is None:
        refuse_idle(arguments, ("background",), "it is that of a ring; give --annulus")
    options = Options(
        (ring[0], ring[1]) if ring else None,
        arguments.background or "median",
        arguments.correct_masked,
        arguments.fill,
    )
    sources = read_sources(arguments)
    if not isinstance(sources[0], PropertyMaps):
        refuse_idle(arguments, ("distance",), "fluxes in Jy do not need one")
    if arguments.total:
        table = _totals(arguments, sources)
        shown = tuple(
            name
            for name in table.colnames
            if name not in ("n_masked", "what", "err_max", "log10_err_max")
        )
    else:
        tables = [
            measure_apertures(
                planes_to_sum(source, arguments), _apertures(arguments, source), options
            )
            for source in sources
        ]
        notes = list(dict.fromkeys(note for part in tables for note in part.meta.pop("notes")))
        made_from = _joined([part.meta.pop("made_from", {}) for part in tables])
        for part in tables:
            part.meta.clear()
        table = vstack(tables) if len(tables) > 1 else tables[0]
        table.meta |= {"notes": notes, "made_from": made_from}
        shown = _SHOWN
    if not np.nan_to_num(table["filled_share"]).any():
        shown = tuple(name for name in shown if name != "filled_share")
    write_and_print(arguments, table, shown)


def _joined(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """What the sources say of themselves; several are the images of a galaxy, each a file."""
    inputs = {band: text for part in parts for band, text in part.get("inputs", {}).items()}
    return {**parts[0], **({"inputs": inputs} if inputs else {})}


def _totals(arguments: argparse.Namespace, sources: list[Source]) -> QTable:
    from ..fits_io.cube_files import read_cube
    from ..fits_io.recipe_files import read_recipe
    from ..measure.apertures.totals import galaxy_totals
    from ..pipeline import predict_global

    maps = sources[0]
    if not isinstance(maps, PropertyMaps):
        raise InputError(f"{arguments.file} holds no maps; --total adds up maps of properties.")
    ellipse = d25_of(maps)
    single = None
    if arguments.cube:
        # Maps may have been made with another Hubble stage or redshift than their cube was
        # prepared with.
        recipe = read_recipe(arguments.file)
        known = recipe.galaxy
        cube = replace(
            read_cube(arguments.cube), hubble_stage=known.hubble_stage, redshift=known.redshift
        )
        fill = arguments.fill and maps.filling is not None  # of the pixels that the maps count
        single = predict_global(cube, recipe, ellipse, fill)
        if single is None:
            raise InputError(
                "The maps' model looks at images, integrated fluxes tell it nothing; "
                "leave --cube out."
            )
    planes = planes_to_sum(maps, arguments)
    return galaxy_totals(planes, ellipse, single, arguments.correct_masked, arguments.fill)


def _apertures(arguments: argparse.Namespace, source: Source) -> list[Aperture]:
    from ..measure.apertures.aperture import Aperture
    from ..measure.apertures.aperture_files import read_apertures

    if arguments.ellipse:
        return [Aperture(ellipse_of(arguments.ellipse), "ellipse")]
    left_out: list[str] = []
    found = read_apertures(arguments.regions, source.wcs, left_out)
    for reason in left_out:
        print(f"left out: {reason}", file=sys.stderr)
    return found
