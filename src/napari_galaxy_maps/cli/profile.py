"""The command `galaxy-maps profile`: radial profiles over elliptical annuli, and gradients."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from ..data import ranges
from ..data.maps import PropertyMaps
from ..exceptions import InputError
from .console import print_table
from .measurable import (
    Source,
    add_table_options,
    d25_of,
    planes_to_sum,
    read_sources,
    write_and_print,
)
from .options import (
    MEASURABLE,
    add_input_options,
    ellipse_of,
    number,
    parse_numbers,
    refuse_idle,
)
from .outputs import OutputFigure

if TYPE_CHECKING:
    from astropy.table import QTable

    from ..measure.apertures.planes import Planes
    from ..measure.profiles.galaxy_profile import Annuli

HELP = "radial profiles over elliptical annuli, with gradients"

_OVER = {"arcsec": "r", "kpc": "r_kpc", "r25": "r_r25", "r-half": "r_rhalf"}
"""Column of a profile by the radius that is asked for."""
_SHOWN_PROFILE = (
    "source",
    "map",
    "r_in",
    "r_out",
    "r_kpc",
    "mean",
    "mean_err",
    "median",
    "p16",
    "p84",
    "mean_unit",
    "n_pixels",
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command to its parser."""
    parser.add_argument("file", metavar="FILE", help=MEASURABLE)
    parser.add_argument(
        "--ellipse",
        metavar="RA,DEC,A,B,PA",
        help="out to this ellipse; without it D25 of the recipe",
    )
    parser.add_argument(
        "--isophote",
        type=number(ranges.RADIUS),
        metavar="ARCSEC",
        help="take the shape of the isophote at this radius",
    )
    steps = parser.add_mutually_exclusive_group()
    steps.add_argument(
        "--step",
        type=number(ranges.RADIUS),
        metavar="ARCSEC",
        help="width of the annuli (default: 3 pixels)",
    )
    steps.add_argument(
        "--r-half",
        action="store_true",
        help="annuli of 0.5 R_half out to 5, in the shape of the stellar mass map",
    )
    parser.add_argument("--truth", metavar="FILE", help="maps to measure over the same annuli")
    parser.add_argument(
        "--fit", metavar="INNER,OUTER", help="limits of the gradients' fit in arcsec"
    )
    parser.add_argument(
        "--figure",
        type=OutputFigure,
        metavar="FILE",
        help="draw the profiles, one above the other: .png, .pdf or .svg",
    )
    parser.add_argument(
        "--over", choices=list(_OVER), help="radius of the figure (default: kpc where it is known)"
    )
    parser.add_argument(
        "--show", choices=["mean", "median", "growth"], help="what the figure shows (mean)"
    )
    add_table_options(parser, "profile")
    add_input_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the table of profiles; print it and the gradients, and draw them where asked."""
    from ..fits_io.map_files import read_maps
    from ..measure.profiles.galaxy_profile import profile_over

    if not arguments.figure:
        refuse_idle(arguments, ("over", "show"), "it is about the figure; give --figure")
    if arguments.r_half:
        refuse_idle(arguments, ("isophote",), "--r-half takes the shape of the stellar mass map")
    limits = (0.0, float("inf"))
    if arguments.fit:
        inner, outer = parse_numbers(arguments.fit, 2, "--fit", "INNER,OUTER")
        for radius in (inner, outer):
            ranges.FIT_RADIUS.check(radius, f"--fit {arguments.fit}")
        if inner >= outer:
            raise InputError(f"--fit {arguments.fit}: give the inner limit first.")
        limits = (inner, outer)
    source = _lone_source(arguments)
    annuli = _annuli(arguments, source)
    named = {"measured": planes_to_sum(source, arguments)}
    if arguments.truth:
        named["truth"] = planes_to_sum(read_maps(arguments.truth), arguments, shared=source)
    table = profile_over(named, annuli, d25_of(source))
    # The figure takes its place after the table's: where one fails, the other is not there either.
    with _drawn_profiles(arguments, table) if arguments.figure else nullcontext():
        if not arguments.quiet:
            _print_gradients(table, limits)
        shown = tuple(name for name in _SHOWN_PROFILE if name in table.colnames)
        write_and_print(arguments, table, shown)


def _lone_source(arguments: argparse.Namespace) -> Source:
    sources = read_sources(arguments)
    if len(sources) > 1:
        raise InputError(
            f"{arguments.file} holds {len(sources)} images; "
            "give the file of one, or a prepared cube."
        )
    return sources[0]


def _annuli(arguments: argparse.Namespace, source: Source) -> Annuli:
    """Where the profile is measured: out to --ellipse or D25, in the shape that is asked for."""
    from ..measure.profiles import galaxy_profile

    ellipse = ellipse_of(arguments.ellipse) if arguments.ellipse else d25_of(source)
    if ellipse is None:
        raise InputError(
            f"{arguments.file} does not say where its D25 ellipse is; give --ellipse RA,DEC,A,B,PA."
        )
    if arguments.isophote is not None:
        planes = planes_to_sum(source, arguments)
        number = _first_that_adds_up(planes, arguments)
        ellipse = galaxy_profile.isophote_shape(source, planes, number, ellipse, arguments.isophote)
    if not arguments.r_half:
        return galaxy_profile.annuli_in_steps(source, ellipse, arguments.step)
    if not isinstance(source, PropertyMaps):
        raise InputError(
            f"{arguments.file} holds no stellar mass map, by which R_half is measured; give maps."
        )
    return galaxy_profile.annuli_of_half_radii(source, ellipse)


def _first_that_adds_up(planes: Planes, arguments: argparse.Namespace) -> int:
    """Which map isophotes are fitted to: the first that was asked for, or the stellar mass, or the
    first that adds up.
    """
    names = [quantity.name for quantity in planes.quantities]
    order = sorted(range(len(names)), key=lambda i: names[i] != "LOG_SIGMA_STAR")
    for i in [0] if arguments.map else order:
        if planes.quantities[i].sum_unit:
            return i
    raise InputError(
        f"{arguments.file} has no map that adds up, to which isophotes could be fitted; "
        "give --ellipse."
    )


def _print_gradients(table: QTable, limits: tuple[float, float]) -> None:
    """Straight lines through the profiles, per arcsec and, where it is known, per kpc."""
    from ..measure.profiles.radial_profile import fit_gradients

    gradients = fit_gradients(table, "r", *limits)
    print("Gradients per arcsec" + (", and per kpc:" if "r_kpc" in table.colnames else ":"))
    print_table(gradients, gradients.colnames)
    if "r_kpc" in table.colnames:
        kpc = table["r_kpc"][0].value / table["r"][0].value
        per_kpc = fit_gradients(table, "r_kpc", *(limit * kpc for limit in limits))
        print_table(per_kpc, per_kpc.colnames)


@contextmanager
def _drawn_profiles(arguments: argparse.Namespace, table: QTable) -> Iterator[None]:
    """The figure, which is in its place once the block has ended well."""
    from ..fits_io.safe_writing import written_whole
    from ..measure.figures.profile_figures import profiles_figure

    radius = (
        _OVER[arguments.over] if arguments.over else "r_kpc" if "r_kpc" in table.colnames else "r"
    )
    figure = profiles_figure(table, radius, arguments.show or "mean")
    with written_whole(arguments.figure, arguments.overwrite) as beside:
        figure.savefig(beside, dpi=200)
        yield
