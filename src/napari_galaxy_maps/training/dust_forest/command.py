"""What the commands that make or mend a dust-forest have in common: their options, and how they
end.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ...exceptions import GalaxyMapsError


def parser_of(doc: str | None) -> argparse.ArgumentParser:
    """A parser with the folders of the tables, the folder to write and the seed; described by a
    module's first line.
    """
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("--data", required=True, type=Path, help="folder of the DustPedia tables")
    parser.add_argument("--hatlas", required=True, type=Path, help="folder of the H-ATLAS tables")
    parser.add_argument("--out", required=True, type=Path, help="folder for weights and card")
    parser.add_argument("--seed", type=int, default=0)
    return parser


def status_of(work: Callable[[], object]) -> int:
    """The exit status of a command's work: 2 where it ends in a sentence for a person, which is
    printed.
    """
    try:
        work()
    except GalaxyMapsError as error:
        print(error, file=sys.stderr)
        return 2
    return 0
