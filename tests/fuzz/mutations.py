"""Ways in which files are damaged on their way: bytes in, bytes out, each drawn by hypothesis."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Callable

from hypothesis import strategies as st

from napari_galaxy_maps.fits_io.fits_blocks import BLOCK, CARD

_KEYWORDS = (
    "SIMPLE", "XTENSION", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "NAXIS3", "PCOUNT", "GCOUNT",
    "TFIELDS", "TFORM1", "TFORM2", "THEAP", "BSCALE", "BZERO", "BLANK", "EXTEND", "ZIMAGE",
    "ZBITPIX", "ZNAXIS", "ZNAXIS1", "ZNAXIS2", "ZTILE1", "ZCMPTYPE", "ZQUANTIZ", "EXTNAME",
    "BUNIT", "CTYPE1", "CRVAL1", "CRVAL2", "CRPIX1", "CDELT1", "CDELT2", "CD1_1", "PC1_2",
    "EQUINOX", "RADESYS", "WCSAXES", "A_ORDER", "A_1_1", "PV2_1", "END", "MAGZP", "GAIN", "EXPTIME",
)  # fmt: skip
_VALUES = (
    "0", "1", "-1", "2", "3", "7", "255", "-32", "-64", "16", "999", "100000", "1000000000",
    "4294967296", "1000000000000", "9223372036854775807", "-9223372036854775808", "1E400", "NaN",
    "T", "F", "1.5", "''", "'A'", "'RA---TAN'", "'1PB(999999999)'", "'9999999999J'", "'BINTABLE'",
    "'IMAGE   '", "'GZIP_1'", "'ICRS'", "'km/s**'", "'\xff\xfe'", "(1, 2)", "1D3", "= = =", "",
)  # fmt: skip

Mutation = Callable[[bytes], bytes]


def _cut(share: float) -> Mutation:
    return lambda data: data[: int(share * len(data))]


def _flip(places: list[float], value: int) -> Mutation:
    def flipped(data: bytes) -> bytes:
        changed = bytearray(data)
        for place in places if data else ():
            changed[int(place * (len(data) - 1))] ^= value
        return bytes(changed)

    return flipped


def _fill(first: float, length: int, value: int) -> Mutation:
    def filled(data: bytes) -> bytes:
        start = int(first * len(data))
        stop = min(start + length, len(data))
        return data[:start] + bytes([value]) * (stop - start) + data[stop:]

    return filled


def _block(number: int, times: int) -> Mutation:
    """One block left out, or there several times."""

    def changed(data: bytes) -> bytes:
        start = number % max(len(data) // BLOCK, 1) * BLOCK
        return data[:start] + data[start : start + BLOCK] * times + data[start + BLOCK :]

    return changed


def _set(keyword: str, text: str, which: int) -> Mutation:
    """Another value for a keyword, where it stands or in the place of another card."""
    card = f"{keyword:8}= {text:>20}".encode("latin-1")[:CARD].ljust(CARD)
    if keyword == "END":
        card = b"END     = 1".ljust(CARD)

    def changed(data: bytes) -> bytes:
        start = data.find(f"{keyword:8}".encode())
        if start < 0 or start % CARD:
            start = which % max(len(data) // CARD, 1) * CARD
        return data[:start] + card + data[start + CARD :]

    return changed


def _swap(one: int, other: int) -> Mutation:
    """Two cards in each other's place."""

    def swapped(data: bytes) -> bytes:
        cards = min(len(data), 4 * BLOCK) // CARD
        if cards < 2:
            return data
        i, j = sorted((one % cards * CARD, other % cards * CARD))
        first, second = data[i : i + CARD], data[j : j + CARD]
        return data[:i] + second + data[i + CARD : j] + first + data[j + CARD :] if i < j else data

    return swapped


_share = st.floats(0, 1)
plain: st.SearchStrategy[Mutation] = st.one_of(
    st.builds(_cut, _share),
    st.builds(_flip, st.lists(_share, min_size=1, max_size=12), st.integers(1, 255)),
    st.builds(_fill, _share, st.integers(1, 3 * BLOCK), st.sampled_from((0, 32, 65, 255))),
    st.builds(_block, st.integers(0, 40), st.sampled_from((0, 2, 5))),
    st.builds(_set, st.sampled_from(_KEYWORDS), st.sampled_from(_VALUES), st.integers(0, 400)),
    st.builds(_set, st.sampled_from(_KEYWORDS), st.sampled_from(_VALUES), st.integers(0, 400)),
    st.builds(_swap, st.integers(0, 143), st.integers(0, 143)),
)
"""One damage to a file, or to what is packed in it."""
packing: st.SearchStrategy[tuple[str, Mutation]] = st.sampled_from(
    (
        ("", lambda data: data),
        ("", lambda data: data),
        (".gz", lambda data: gzip.compress(data, 1)),
        (".bz2", lambda data: bz2.compress(data, 1)),
    )
)
"""Ending of the name, and how the file is packed."""
