"""The command `galaxy-maps`: its parser, and the run of what it is asked for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .. import __version__
from . import (
    attenuation,
    demo,
    evaluate,
    info,
    measure,
    mock,
    models,
    predict,
    prepare,
    profile,
    sharpen,
    train,
    truth,
)
from .console import make_printable
from .error_boundary import exit_status
from .outputs import inputs_kept, outputs_of
from .parser import Parser

COMMANDS = {
    "info": info,
    "prepare": prepare,
    "predict": predict,
    "truth": truth,
    "attenuation": attenuation,
    "sharpen": sharpen,
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
    """Run the command; returns its exit status, of `exit_status`."""
    make_printable(sys.stdout, sys.stderr)
    outputs: list[str] = []

    def run() -> int | None:
        arguments = _parser().parse_args(argv)
        outputs.extend(outputs_of(arguments))
        with inputs_kept(arguments):
            status: int | None = arguments.run(arguments)
        return status

    return exit_status(run, outputs)


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
