"""The command `galaxy-maps models`: which models there are, and their cards."""

from __future__ import annotations

import argparse

HELP = "list the models, or show the card of one"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command to its parser."""
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="of a model, or a folder that was trained to"
    )


def run(arguments: argparse.Namespace) -> None:
    """Print the names, or one card."""
    from ..models.registry import list_models, load_card

    if arguments.name:
        print(load_card(arguments.name).to_markdown())
        return
    for name in list_models():
        print(f"{name}: {load_card(name).summary()}")
