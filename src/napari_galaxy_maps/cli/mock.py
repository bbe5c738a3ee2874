"""The command `galaxy-maps mock`: a galaxy that is invented, and its true maps."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..data.setting import Range
from ..mocks.view import INCLINATION, LOG_MASS, RANGES
from ..progress import Steps
from .console import run_steps
from .options import add_quiet, number, whole
from .outputs import OutputFolder

HELP = "make a mock galaxy: its images in any bands, and its true maps"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command to its parser."""
    parser.add_argument(
        "--seed",
        type=whole(Range(0, 2**63)),
        required=True,
        help="the same seed makes the same galaxy",
    )
    parser.add_argument(
        "--size",
        type=whole(RANGES["size"]),
        default=128,
        metavar="PIXELS",
        help="pixels along each side (128)",
    )
    parser.add_argument(
        "--out", type=OutputFolder, required=True, metavar="DIR", help="folder to write to"
    )
    parser.add_argument(
        "--bands",
        default="all",
        metavar="SET",
        help="all, input, ugriz, or names with commas (all)",
    )
    _add_galaxy(parser)
    _add_view(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there")
    add_quiet(parser)


def _add_galaxy(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the galaxy; what is not given is drawn")
    group.add_argument(
        "--kind",
        metavar="KIND",
        help="elliptical, lenticular, spiral, flocculent, barred, ring, ...",
    )
    group.add_argument(
        "--log-mass",
        type=number(LOG_MASS),
        metavar="X",
        help="log10 of the stellar mass in Msun",
    )
    group.add_argument("--inclination", type=number(INCLINATION), metavar="X", help="degrees")
    group.add_argument(
        "--distance",
        type=number(RANGES["distance_mpc"]),
        metavar="MPC",
        help="such that the galaxy fills the image",
    )


def _add_view(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how it is seen")
    group.add_argument(
        "--pixel",
        type=number(RANGES["pixel_arcsec"]),
        metavar="ARCSEC",
        help="side of a pixel (0.396 for ugriz, else 2)",
    )
    for name, default, text in (
        ("noise", 1.0, "times the surveys' noise"), ("seeing", 1.0, "times the surveys' PSFs"),
        ("sky", 1.0, "level and slope of the sky that was left, in units of the noise"),
        ("ebv", 0.0, "E(B-V) of the Milky Way in mag"),
        ("stars", 0.0, "stars of the Milky Way per arcmin2"),
        ("neighbours", 0.0, "galaxies behind per arcmin2"),
    ):  # fmt: skip
        group.add_argument(
            f"--{name}",
            type=number(RANGES[name]),
            default=default,
            metavar="X",
            help=f"{text} ({default:g})",
        )


def run(arguments: argparse.Namespace) -> None:
    """Write the images and the maps, and print what the galaxy is."""
    summary = run_steps(_steps(arguments), arguments.quiet)
    if not arguments.quiet:
        print(summary)


def _steps(arguments: argparse.Namespace) -> Steps[str]:
    """Make and write the mock galaxy; returns what it is, in words.

    Raises
    ------
    InputError
        When the wishes make no sense, or a file is there already or cannot be written.
    """
    from ..mocks.writing import mock_steps, view_for

    options = {
        name: getattr(arguments, name)
        for name in ("noise", "seeing", "ebv", "stars", "neighbours", "sky")
    }
    view = view_for(
        arguments.bands, arguments.size, arguments.pixel, distance_mpc=arguments.distance, **options
    )
    wishes = (arguments.kind, arguments.log_mass, arguments.inclination)
    mock, written = yield from mock_steps(
        arguments.seed, view, Path(arguments.out), *wishes, overwrite=arguments.overwrite
    )
    galaxy = mock.galaxy
    return (
        f"{galaxy.kind}, 10^{galaxy.log_mass:.2f} Msun, {10**galaxy.log_sfr:.3g} Msun/yr, "
        f"inclined by {galaxy.inclination:.0f} degrees, at {mock.view.distance_mpc:.4g} Mpc\n"
        f"{len(written)} files written to {arguments.out}"
    )
