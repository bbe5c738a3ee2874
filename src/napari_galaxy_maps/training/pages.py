"""Tables put into a page of the documentation, between two marks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..exceptions import InputError
from ..fits_io.safe_writing import write_text


def marks(mark: str) -> tuple[str, str]:
    """``<!-- MARK -->`` and ``<!-- end of its first word -->``."""
    return f"<!-- {mark} -->", f"<!-- end of {mark.partition(':')[0]} -->"


def page_with(page: Path, mark: str) -> str:
    """The text of a page that has the marks.

    Raises
    ------
    InputError
        When it cannot be read, or lacks them.
    """
    start, end = marks(mark)
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{page} cannot be read: {error}; name another page.") from None
    if start not in text or end not in text.partition(start)[2]:
        raise InputError(
            f"{page} has no lines {start} and {end}, so no marks between which the table goes; add "
            "them."
        )
    return text


def put_into(page: Path, mark: str, lines: Sequence[str]) -> None:
    """Put lines between the marks of a page, of which nothing else changes.

    Raises
    ------
    InputError
        When the page lacks the marks, or cannot be read or written.
    """
    start, end = marks(mark)
    before, _, rest = page_with(page, mark).partition(start)
    body = "\n".join(lines)
    text = f"{before}{start}\n\n{body}\n\n{end}{rest.partition(end)[2]}"
    write_text(page, text, overwrite=True)
