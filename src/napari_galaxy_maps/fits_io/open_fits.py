"""Opening FITS files, so that whatever is wrong with one becomes one sentence."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import os
import stat
import warnings
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ..exceptions import InputError, about_file, brief

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


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def open_bytes(path: Path) -> BinaryIO:
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
    """The file's extensions; whatever is wrong with the file becomes one sentence."""
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyUserWarning
    from astropy.wcs import FITSFixedWarning

    with ExitStack() as closing:  # astropy leaves a file open that it fails on
        stream = closing.enter_context(open_bytes(path))
        size = os.fstat(stream.fileno()).st_size
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                warnings.simplefilter("ignore", FITSFixedWarning)
                warnings.filterwarnings(
                    "error", message=".*truncated.*", category=AstropyUserWarning
                )
                hdus = fits.open(stream, memmap=False, lazy_load_hdus=False)
        except AstropyUserWarning:
            raise InputError(
                f"{path} is cut short: it is smaller than its header says; fetch it again."
            ) from None
        except EOFError:
            raise InputError(
                f"{path} is cut short: its compressed data end too early; fetch it again."
            ) from None
        except BROKEN as error:
            what = "is empty" if size == 0 else f"is not a FITS file ({brief(error)})"
            raise InputError(
                f"{path} {what}; give FITS images, packed with gzip, bzip2 or fpack or not."
            ) from None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield hdus
        finally:
            hdus.close()


def image_wcs(header: Header, shape: tuple[int, ...]) -> WCS | None:
    """Two-dimensional celestial WCS, or None."""
    from astropy.wcs import WCS

    try:
        wcs = WCS(header)
        if not wcs.has_celestial:
            return None
        # A plain image keeps its whole WCS: `.celestial` would drop distortion tables.
        return wcs if wcs.naxis == 2 else wcs.celestial
    except Exception:  # wcslib's and astropy's errors for broken headers have no common base
        return None
