"""Names that are too long for their place, shortened so that no two of them look the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile

GAP = "…"


def shortened(names: Sequence[str], elide: Callable[[str], str]) -> list[str]:
    """Each name as it fits; of names that would look the same the part that differs is shown.

    Parameters
    ----------
    names : sequence of str
        The names, all different.
    elide : callable
        Shortens one name so that it fits.

    Examples
    --------
    >>> shortened(["0138m107_ac51-w1-int", "0138m107_ac51-w2-int"], lambda name: name[:4] + GAP)
    ['…1…', '…2…']
    """
    short = [elide(name) for name in names]
    for text in {text for text in short if short.count(text) > 1}:
        alike = [i for i, other in enumerate(short) if other == text]
        begin = _common([names[i] for i in alike])
        end = _common([names[i][begin:][::-1] for i in alike])
        for i in alike:
            differs = names[i][begin : len(names[i]) - end]
            short[i] = f"{GAP if begin else ''}{differs}{GAP if end else ''}"
        short = _numbered(short, alike, elide)
    return short


def _common(names: list[str]) -> int:
    """How many characters names begin with in common."""
    same = (len(set(letters)) == 1 for letters in zip(*names, strict=False))
    return sum(takewhile(bool, same))


def _numbered(short: list[str], alike: list[int], elide: Callable[[str], str]) -> list[str]:
    """What is still too long is shortened, and counted where that makes it look the same again."""
    fitting = [elide(short[i]) for i in alike]
    others = {text for i, text in enumerate(short) if i not in alike}
    for number, (i, text) in enumerate(zip(alike, fitting, strict=True), start=1):
        unique = fitting.count(text) == 1 and text not in others
        short[i] = text if unique else f"{number} {text}"
    return short
