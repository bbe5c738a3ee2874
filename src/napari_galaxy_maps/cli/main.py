"""The command `galaxy-maps`: its parser, and how errors become exit statuses."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from .. import __version__
from ..exceptions import GalaxyMapsError, UnresolvedError
from . import (
    demo,
    evaluate,
    info,
    measure,
    mock,
    models,
    predict,
    prepare,
    profile,
    train,
    truth,
)
from .parser import Parser

COMMANDS = {
    "info": info,
    "prepare": prepare,
    "predict": predict,
    "truth": truth,
    "measure": measure,
    "profile": profile,
    "evaluate": evaluate,
    "models": models,
    "mock": mock,
    "train": train,
    "demo": demo,
}
"""Each a module with its ``HELP``, ``add_options`` and ``run``, in the order of the work."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status: 0, 2 for a mistake that the person can put right,
    130 when interrupted.
    """
    try:
        arguments = _parser().parse_args(argv)
        status: int | None = arguments.run(arguments)
    except UnresolvedError as error:
        print(
            f"galaxy-maps: {error} Say it with --band FILE=BAND or --unit FILE=UNIT.",
            file=sys.stderr,
        )
        return 2
    except GalaxyMapsError as error:
        print(f"galaxy-maps: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(
            f"galaxy-maps: {stop.args[0] if stop.args else 'interrupted; nothing was written.'}",
            file=sys.stderr,
        )
        return 130
    except BrokenPipeError:  # `| head` has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123  (so that the interpreter's last flush is quiet)
        return 0
    return status or 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="galaxy-maps", description="Predict resolved maps of a galaxy from its images."
    )
    parser.add_argument("--version", action="version", version=f"galaxy-maps {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        text = module.HELP
        description = text[0].upper() + text[1:] + "."
        sub = commands.add_parser(name, help=text, description=description)
        sub.set_defaults(run=module.run)
        module.add_options(sub)
    return parser


if __name__ == "__main__":
    sys.exit(main())
