"""The image FLAGS of maps and cubes, its bits named in its header: written and read again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.flags import MEANINGS, as_flags, bits_set, words_of
from ..exceptions import InputError
from .open_fits import shape_of
from .recipe_files import ascii_text

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header

NAME = "FLAGS"
_HIGHEST = 2**31 - 1
_LONGEST = 60
"""Letters of the meaning of a bit that this program does not know."""


def flags_hdu(flags: np.ndarray, wcs: Header, told: Mapping[int, str]) -> Any:
    """The extension FLAGS: a card ``FLAGn`` for every bit of `Flag`, and for others that are set
    or told of.

    Parameters
    ----------
    flags : ndarray of int, shape (ny, nx)
    wcs : astropy.io.fits.Header
        Sky coordinates.
    told : mapping of int to str
        Bits that are not of `Flag`, with their meanings.
    """
    from astropy.io import fits

    bits = as_flags(flags)
    hdu = fits.ImageHDU(bits, wcs, name=NAME)
    for bit in sorted({*map(int, MEANINGS), *told, *bits_set(bits)}):
        meaning = words_of(bit) if bit in MEANINGS else told.get(bit) or "unknown"
        hdu.header[f"FLAG{bit}"] = (meaning, f"meaning of bit value {bit}")
    return hdu


def read_flags(
    hdus: HDUList, shape: tuple[int, ...], path: Path
) -> tuple[np.ndarray, dict[int, str]]:
    """The flags of an open file, and what its header says of bits that are not of `Flag`.

    Returns
    -------
    flags : ndarray of int16 (int32 where there are higher bits), shape (ny, nx)
        Unknown bits are kept. 0 where there is no such image.
    told : dict of int to str

    Raises
    ------
    InputError
        When its values are no sums of bits.
    """
    if NAME not in hdus or shape_of(hdus[NAME]) != shape:
        return np.zeros(shape, np.int16), {}
    hdu = hdus[NAME]
    values = np.asarray(hdu.data)
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    if not (low >= 0 and high <= _HIGHEST and (values == np.floor(values)).all()):
        raise InputError(
            f"{path}[{NAME}] holds what is no sum of bits (whole numbers from 0 to {_HIGHEST}); "
            "correct it, or take the extension out of the file."
        )
    told = {}
    for card, meaning in hdu.header.items():
        found = re.fullmatch(r"FLAG([1-9]\d*)", card)
        bit = int(found[1]) if found else 0
        if 0 < bit <= _HIGHEST and bit & (bit - 1) == 0 and bit not in MEANINGS:
            told[bit] = ascii_text(str(meaning)).strip()[:_LONGEST]
    return as_flags(values), told
