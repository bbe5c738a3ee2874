"""Opening FITS files, so that whatever is wrong with one becomes one sentence."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import os
import re
import stat
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from ..exceptions import InputError, about_file, brief
from .quiet import quiet

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header
    from astropy.wcs import WCS


# What astropy raises for files that are damaged, cut short or no FITS.
BROKEN = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    zlib.error,
    lzma.LZMAError,
    gzip.BadGzipFile,
)


COORDINATES = re.compile(r"(CTYPE|CRVAL|CRPIX|CDELT|CROTA)[12]|(CD|PC)[12]_[12]")
"""Keywords without which an image lies elsewhere."""


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def open_bytes(path: Path) -> BufferedReader:
    """The file, opened to be read.

    Raises
    ------
    InputError
        When it cannot be opened, or is a pipe or a device.
    """
    try:
        kind = path.stat().st_mode
        if stat.S_ISREG(kind) or stat.S_ISDIR(kind):
            return path.open("rb")
    except OSError as error:
        raise InputError(about_file(path, error)) from None
    raise InputError(f"{path} is a pipe or a device, not a file; give the name of a file.")


def read_text(path: Path) -> str:
    """The text of a file, without the mark that some editors put first.

    Raises
    ------
    InputError
        When it cannot be read, or is no text in UTF-8.
    """
    with open_bytes(path) as stream:
        try:
            return stream.read().decode("utf-8-sig")
        except OSError as error:
            raise InputError(about_file(path, error)) from None
        except UnicodeDecodeError as error:
            raise InputError(
                f"{path} is not text in UTF-8 (byte {error.start}); save it again as UTF-8."
            ) from None


@contextmanager
def opened(path: Path) -> Iterator[HDUList]:
    """The file's extensions; whatever is wrong with the file becomes one sentence.

    A file that lacks nothing but the padding of its last block is complete.
    """
    from astropy.io import fits

    with ExitStack() as closing:  # astropy leaves a file open that it fails on
        closing.enter_context(quiet())
        stream = closing.enter_context(open_bytes(path))
        size = os.fstat(stream.fileno()).st_size
        packed = True
        try:
            packed = stream.peek(6)[:6] != b"SIMPLE"
            hdus = fits.open(stream, memmap=False, lazy_load_hdus=False)
            for hdu in hdus:
                _drop_unreadable(getattr(hdu, "header", None))
            short = not packed and _is_cut_short(hdus, stream, size)
        except EOFError:
            raise InputError(
                f"{path} is cut short: its compressed data end too early; fetch it again."
            ) from None
        except BROKEN as error:
            if size and not packed:
                raise InputError(
                    f"{path} has a damaged header ({brief(error)}); fetch it again."
                ) from None
            begins = "SIMPLE" in str(error)
            why = "it does not begin as one" if begins else brief(error)
            what = "is empty" if size == 0 else f"is not a FITS file ({why})"
            raise InputError(
                f"{path} {what}; give FITS images, packed with gzip, bzip2 or fpack or not."
            ) from None
        if short:
            raise InputError(
                f"{path} is cut short: it is smaller than its header says; fetch it again."
            )
        try:
            yield hdus
        finally:
            hdus.close()


def _drop_unreadable(header: Header | None) -> None:
    """Takes out of a header the cards whose value cannot be read, so that nobody stumbles on them;
    those of the coordinates stay, for `sky_coordinates` to name.
    """
    from astropy.io.fits import VerifyError

    for number in range(len(header.cards) - 1 if header is not None else -1, -1, -1):
        assert header is not None
        try:
            card = header.cards[number]
            str(card.value)
        except (VerifyError, ValueError):
            if not COORDINATES.fullmatch(card.keyword):
                del header[number]


def _is_cut_short(hdus: HDUList, stream: BufferedReader, size: int) -> bool:
    """Whether the data of the last extension of a plain file are not all there; of a packed one,
    only reading them tells.
    """
    from astropy.io import fits

    if not hasattr(hdus[-1], "fileinfo"):  # astropy's stand-in for what it could not understand
        return False
    last = hdus[-1].fileinfo()
    if last is None or size >= last["datLoc"] + last["datSpan"]:
        return False
    stream.seek(0)
    plain = fits.open(stream, memmap=False, lazy_load_hdus=False, disable_image_compression=True)
    return bool(size < last["datLoc"] + plain[-1].size)


def image_wcs(header: Header, shape: tuple[int, ...]) -> WCS | None:
    """Two-dimensional celestial WCS, or None."""
    try:
        return celestial_wcs(header)
    except Exception:  # wcslib's and astropy's errors for broken headers have no common base
        return None


def celestial_wcs(header: Header) -> WCS | None:
    """As `image_wcs`, with the errors of astropy and wcslib."""
    from astropy.wcs import WCS

    with quiet():
        try:
            wcs = WCS(header)
        except ValueError as error:
            if "only work" not in str(error):
                raise
            # Distortions are of the first two axes, which astropy asks for where there are more.
            wcs = WCS(header, naxis=2)
        if not wcs.has_celestial:
            return None
        # A plain image keeps its whole WCS: `.celestial` would drop distortion tables.
        return wcs if wcs.naxis == 2 else wcs.celestial


def is_more(hdus: HDUList) -> bool:
    """Whether a file has an extension after those that could be understood."""
    last = hdus[-1].fileinfo() if hasattr(hdus[-1], "fileinfo") else None
    if last is None:
        return False
    try:
        last["file"].seek(last["datLoc"] + last["datSpan"])
        return bool(last["file"].read(8) == b"XTENSION")
    except BROKEN:
        return False
