"""Tables put into a page of the documentation, between two marks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...exceptions import InputError
from ...fits_io.safe_writing import written_whole


def put_into(page: Path, mark: str, lines: Sequence[str]) -> None:
    """Put lines between ``<!-- MARK -->`` and ``<!-- end of its first word -->``.

    Raises
    ------
    InputError
        When the page lacks the marks, or cannot be read or written.
    """
    start, end = f"<!-- {mark} -->", f"<!-- end of {mark.partition(':')[0]} -->"
    try:
        text = page.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{page} cannot be read ({error.strerror}); name another page.") from None
    before, there, rest = text.partition(start)
    _, ends, after = rest.partition(end)
    if not there or not ends:
        raise InputError(f"{page} has no marks {start} and {end}; add them where the table goes.")
    body = "\n".join(lines)
    with written_whole(page, overwrite=True) as beside:
        beside.write_text(f"{before}{start}\n\n{body}\n\n{end}{after}", encoding="utf-8")
