"""What a file's headers say, card by card, whatever is wrong with one of the cards."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..bands.units import clean_value

if TYPE_CHECKING:
    from astropy.io.fits import Header


@dataclass(frozen=True)
class Word:
    """One card.

    Attributes
    ----------
    key : str
        The keyword.
    text : str
        Its value as text, without a comment that an archive wrote inside it.
    raw : str
        Its value as it stands, for units, which hold slashes themselves.
    comment : str
        What stands behind it, also where an archive wrote it inside the value.
    place : str
        Words for the header it stands in, where a file has several; else empty.
    """

    key: str
    text: str
    raw: str = ""
    comment: str = ""
    place: str = ""

    def __str__(self) -> str:
        number = self.number
        value = repr(self.text) if number is None else f"{number:.10g}"
        return f"{self.key} = {value}" + (f" ({self.place})" if self.place else "")

    @property
    def number(self) -> float | None:
        """Its value as a finite number, or None."""
        try:
            value = float(self.text.replace("D", "E"))
        except ValueError:
            return None
        return value if np.isfinite(value) else None


class Words:
    """The cards of an image: its own header's, and the primary's beside them.

    ``remarks`` are their lines of COMMENT and HISTORY.

    Parameters
    ----------
    own : mapping
        Header of the extension.
    primary : mapping, optional
        Header of the file's first part, where the image is in another.
    without : collection of str
        Keywords of the primary that do not speak of this image.
    instead : iterable of Word
        What the headers say of this image alone, in place of their cards of the same keyword.
    """

    def __init__(
        self,
        own: Mapping[str, Any],
        primary: Mapping[str, Any] | None = None,
        without: Collection[str] = (),
        instead: Iterable[Word] = (),
    ):
        self._words: dict[str, list[Word]] = {}
        self.remarks: tuple[str, ...] = (*_remarks(own), *_remarks(primary or {}))
        several = primary is not None
        for header, place in ((own, "extension"), (primary or {}, "primary")):
            for word in _cards(header, place if several else ""):
                if header is own or word.key not in without:
                    self._words.setdefault(word.key, []).append(word)
        own_words = list(instead)
        self._words |= {w.key: [v for v in own_words if v.key == w.key] for w in own_words}

    def __contains__(self, key: object) -> bool:
        return key in self._words

    def of(self, keys: Iterable[str]) -> list[Word]:
        """The cards of some keywords that hold anything, those of one keyword and value once."""
        found: dict[tuple[str, str], Word] = {}
        for key in keys:
            for word in self._words.get(key, ()):
                if word.text:
                    found.setdefault((key, word.text), word)
        return list(found.values())

    def number(self, keys: Iterable[str]) -> float | None:
        """The positive number that some keywords tell; None where none does, or they differ."""
        found = [w.number for w in self.of(keys) if w.number is not None and w.number > 0]
        return found[0] if found and max(found) <= 1.01 * min(found) else None


def _cards(header: Any, place: str) -> list[Word]:
    cards = getattr(header, "cards", None)
    if cards is None:
        return [
            Word(key, clean_value(value), str(value).strip(), _comment_inside(value), place)
            for key, value in header.items()
        ]
    words = []
    for card in _readable(header):
        key, value, comment = card.keyword, card.value, card.comment
        if not key or key in ("COMMENT", "HISTORY", "CONTINUE") or value is None:
            continue
        if type(value).__name__ == "Undefined":
            continue
        inside = _comment_inside(value)
        words.append(Word(key, clean_value(value), str(value).strip(), comment or inside, place))
    return words


def _remarks(header: Any) -> list[str]:
    """The lines of COMMENT and HISTORY."""
    cards = getattr(header, "cards", ())
    return [
        str(card.value) for card in cards if card.keyword in ("COMMENT", "HISTORY") and card.value
    ]


def _comment_inside(value: object) -> str:
    """The comment that an archive wrote inside the value."""
    found = re.search(r"\s+/\s*(.*)$", str(value))
    return found[1] if found else ""


def merged(own: Header, primary: Header | None) -> Header:
    """The cards of an extension that can be read, and the primary's that it has not itself."""
    from astropy.io.fits import Header

    header = Header()
    for card in _readable(own):
        header.append(card, end=True)
    for card in _readable(primary) if primary is not None else ():
        key = card.keyword
        if key and key not in own and not key.startswith(("NAXIS", "HISTORY", "COMMENT")):
            header.append(card, end=True)
    return header


def _readable(header: Header) -> list[Any]:
    """The cards of a header whose value can be read."""
    found = []
    for card in header.cards:
        try:
            card.verify("silentfix")
            card.value, card.comment  # noqa: B018  (what cannot be read raises here, not later)
        except Exception:  # astropy's errors for cards that it cannot read have no common base
            continue
        found.append(card)
    return found
