"""How far a file is FITS, block by block, before a library reads it: headers that never end and
junk behind the last extension take astropy minutes.
"""

from __future__ import annotations

import math
import re
from typing import BinaryIO

BLOCK, CARD = 2880, 80
_LONGEST = 3000
"""Blocks of a header: 108,000 cards."""
_PLAIN, _DENSEST = 64e6, 5000
"""Bytes of an image that are believed without looking, and pixels' bytes of one packed one."""
_PRINTING = bytes(range(32, 127))
_INTEGER = re.compile(
    rb"(BITPIX|NAXIS\d*|PCOUNT|GCOUNT|TFIELDS|ZNAXIS\d*|ZTILE\d+|ZBITPIX)\s*=\s*([+-]?\d+)\b"
)


class EndlessHeaderError(ValueError):
    """The first header does not end where data begin, or at all."""


class CutShortError(ValueError):
    """The file ends before its headers say so."""


def readable_size(stream: BinaryIO, size: int) -> int:
    """Bytes from the start of a file that are headers and the data that they announce.

    Parameters
    ----------
    stream : binary stream
        Of the file, unpacked; it is left where it was.
    size : int
        Its length in bytes.

    Returns
    -------
    int
        `size`, unless what lies behind an extension is neither another one nor blank.

    Raises
    ------
    EndlessHeaderError
        When the first header does not end.
    CutShortError
        When data or a header are not all there; the padding of the last block may be missing.
    OSError
        When it does not begin as FITS.
    ValueError
        When it tells a number of axes or columns that cannot be.
    """
    began = stream.tell()
    place = 0
    try:
        while place < size:
            stream.seek(place)
            header = _header(stream)
            if header is None:
                stream.seek(place)
                if not place and stream.read(6) == b"SIMPLE":
                    raise EndlessHeaderError("its header does not end")
                if not place:
                    raise OSError("no SIMPLE card")
                return place
            place += len(header)
            data = _data_size(header, size)
            if place + data > size:
                raise CutShortError("it is smaller than its header says")
            place += -(-data // BLOCK) * BLOCK
        return size
    finally:
        stream.seek(began)


def _header(stream: BinaryIO) -> bytes | None:
    """The blocks of a header up to its END; None where there is none, or no end to it."""
    blocks: list[bytes] = []
    while len(blocks) < _LONGEST:
        block = stream.read(BLOCK)
        first = b"SIMPLE", b"XTENSION"
        if not blocks and not block.startswith(first):
            return None
        strange = len(block.translate(None, _PRINTING))
        if not block and blocks[0].startswith(b"XTENSION"):
            raise CutShortError("it ends within a header")
        if not block or strange > len(block) // 4:
            return None
        blocks.append(block)
        if any(
            block[start : start + CARD].rstrip() == b"END" for start in range(0, len(block), CARD)
        ):
            return b"".join(blocks)
    return None


def _data_size(header: bytes, size: int) -> int:
    """Bytes of data that a header announces, without the padding.

    Raises
    ------
    ValueError
        When it tells numbers that cannot be, in a file of `size` bytes.
    """
    numbers: dict[bytes, int] = {}
    for start in range(0, len(header), CARD):
        found = _INTEGER.match(header[start : start + CARD])
        if found:
            numbers.setdefault(found[1], int(found[2]))
    for key, number in numbers.items():
        # Axes and columns a library takes one after the other, and never ends with some of these.
        most = 999 if key in (b"NAXIS", b"TFIELDS", b"ZNAXIS") else number
        if not key.endswith(b"BITPIX") and not 0 <= number <= most:
            raise ValueError(f"{key.decode()} = {number}")
    _check_packed(numbers, size)
    count = numbers.get(b"NAXIS", 0)
    if not count:
        return 0
    axes = [numbers.get(b"NAXIS%d" % n, 0) for n in range(1, count + 1)]
    if axes[0] == 0 and not header.startswith(b"XTENSION"):  # random groups
        axes = axes[1:]
    pixels = numbers.get(b"GCOUNT", 1) * (numbers.get(b"PCOUNT", 0) + math.prod(axes))
    return abs(numbers.get(b"BITPIX", 8)) // 8 * pixels


def _check_packed(numbers: dict[bytes, int], size: int) -> None:
    """Refuse a packed image of more tiles than its table has rows, or of more pixels than any
    packing makes of so many bytes.
    """
    sides = [numbers.get(b"ZNAXIS%d" % n, 0) for n in range(1, numbers.get(b"ZNAXIS", 0) + 1)]
    if not sides:
        return
    count = 1
    for number, side in enumerate(sides, 1):
        tile = numbers.get(b"ZTILE%d" % number, side if number == 1 else 1)
        count *= -(-side // max(tile, 1))
    claimed = math.prod(sides) * abs(numbers.get(b"ZBITPIX", 8)) // 8
    if count > numbers.get(b"NAXIS2", 0) or claimed > max(_PLAIN, _DENSEST * size):
        raise ValueError(f"a packed image of {' x '.join(map(str, sides))} pixels")
