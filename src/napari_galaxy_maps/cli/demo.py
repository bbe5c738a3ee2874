"""The command `galaxy-maps demo`: the window on a sample galaxy."""

from __future__ import annotations

import argparse
import signal

from ..exceptions import GalaxyMapsError
from .outputs import OutputFile

HELP = "open napari on a sample galaxy with its maps predicted"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command to its parser."""
    parser.add_argument(
        "--screenshot",
        type=OutputFile,
        metavar="FILE",
        help="save a picture of the window and close it",
    )


def run(arguments: argparse.Namespace) -> int:
    """Open the window; returns when it is closed."""
    # Nothing is half written, and Python hears of a signal only when Qt lets it: the end of a job
    # ends the window at once.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        from ..plugin.manifest.demonstration import main as demo
    except ImportError as error:
        raise GalaxyMapsError(
            f"The window cannot open ({error}); install napari with a Qt binding: "
            "pip install 'napari-galaxy-maps[pyqt6]'."
        ) from None
    return int(demo(screenshot=arguments.screenshot) or 0)
