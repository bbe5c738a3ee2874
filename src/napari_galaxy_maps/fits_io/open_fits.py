"""Opening FITS files, so that whatever is wrong with one becomes one sentence."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import re
import stat
import traceback
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader, BytesIO
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, BinaryIO

from ..exceptions import InputError, about_file, brief
from .fits_blocks import CutShortError, EndlessHeaderError, readable_size
from .quiet import quiet

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header
    from astropy.wcs import WCS


PACKING = (zlib.error, lzma.LZMAError, gzip.BadGzipFile)
_PACKINGS: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
    (b"\x1f\x8b", gzip.decompress),
    (b"BZh", bz2.decompress),
    (b"\xfd7zXZ\x00", lzma.decompress),
)
_MOST_KEPT = 2**26
"""Bytes that are kept of the file that was unpacked last."""
_last_unpacked: tuple[tuple[int, ...], bytes] = ((), b"")
# What astropy raises for files that are damaged, cut short or no FITS.
BROKEN = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    *PACKING,
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
            plain, length = _unpacked(stream, size) if packed else (stream, size)
            there = readable_size(plain, length)
            if there < length:  # what lies behind is no extension
                plain = BytesIO(plain.read(there))
            hdus = fits.open(plain, memmap=False, lazy_load_hdus=False)
            for hdu in hdus:
                _drop_unreadable(getattr(hdu, "header", None))
        except Exception as error:
            if not isinstance(error, BROKEN) and not _is_of_astropy(error):
                raise
            raise _no_fits(path, error, size, packed) from None
        try:
            yield hdus
        except Exception as error:
            if not _is_of_astropy(error):
                raise
            raise InputError(f"{path} is damaged ({brief(error)}); fetch it again.") from None
        finally:
            hdus.close()


def _unpacked(stream: BufferedReader, size: int) -> tuple[BinaryIO, int]:
    """What is packed in a file, and its length; the file itself where its packing is not known.

    A file is opened several times in a row when it is found out what it is: what was unpacked last
    is kept, as long as the file is the same.
    """
    global _last_unpacked
    magic = stream.peek(6)[:6]
    unpack = next((unpack for mark, unpack in _PACKINGS if magic.startswith(mark)), None)
    if unpack is None:
        return stream, size
    known = os.fstat(stream.fileno())
    file = known.st_dev, known.st_ino, known.st_mtime_ns, known.st_ctime_ns, size
    last, data = _last_unpacked
    if last != file:
        data = unpack(stream.read())
        _last_unpacked = (file, data) if len(data) <= _MOST_KEPT else ((), b"")
    return BytesIO(data), len(data)


def _no_fits(path: Path, error: Exception, size: int, packed: bool) -> InputError:
    """What is wrong with a file that cannot be opened."""
    if isinstance(error, EOFError):
        what = "is cut short: its compressed data end too early; fetch it again."
    elif isinstance(error, CutShortError):
        what = f"is cut short: {error}; fetch it again."
    elif isinstance(error, PACKING):
        what = f"is damaged: it cannot be unpacked ({brief(error)}); fetch it again."
    elif size and (not packed or isinstance(error, EndlessHeaderError)):
        what = f"has a damaged header ({brief(error)}); fetch it again."
    else:
        why = "it does not begin as one" if "SIMPLE" in str(error) else brief(error)
        what = "is empty" if size == 0 else f"is not a FITS file ({why})"
        what += "; give FITS images, packed with gzip, bzip2 or fpack or not."
    return InputError(f"{path} {what}")


def _is_of_astropy(error: BaseException) -> bool:
    """Whether an error arose while astropy read a file, and not in what the program made of it."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    own = [n for n, frame in enumerate(frames) if _module(frame).startswith("napari_galaxy_maps")]
    behind = frames[own[-1] + 1 :] if own else frames
    return any(_module(frame).startswith("astropy.io.fits") for frame in behind)


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def shape_of(hdu: Any) -> tuple[int, ...]:
    """The shape of an image; nothing of what is none, or is damaged."""
    shape = getattr(hdu, "shape", ()) if getattr(hdu, "is_image", False) else ()
    return tuple(shape) if all(isinstance(side, int) for side in shape) else ()


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


def celestial_wcs(header: Header) -> WCS | None:
    """Two-dimensional celestial WCS, or None; raises the errors of astropy and wcslib."""
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
