"""The rows of the package's own tables, read without astropy, which takes long to load."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path


def rows_of(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and values by column of each row of an ECSV table with commas (Astropy Proposal
    for Enhancement 6); the lines that begin with # tell other programs about its columns.
    """
    with path.open(encoding="utf-8", newline="") as stream:
        lines = [(number, line) for number, line in enumerate(stream, 1) if line[0] not in "#\r\n"]
    rows = csv.DictReader(line for _, line in lines)
    for (number, _), row in zip(lines[1:], rows, strict=True):
        yield number, row
