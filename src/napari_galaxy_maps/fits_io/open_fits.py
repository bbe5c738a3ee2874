"""Opening FITS files, so that whatever is wrong with one becomes one sentence."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import warnings
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..exceptions import InputError

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


def brief(error: BaseException) -> str:
    """The first line of an error's message, or what it is called, in at most 120 characters."""
    return (str(error).splitlines() or [type(error).__name__])[0][:120]


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def opened(path: Path) -> Iterator[HDUList]:
    """The file's extensions; whatever is wrong with the file becomes one sentence."""
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyUserWarning
    from astropy.wcs import FITSFixedWarning

    if not path.exists():
        raise InputError(f"{path} does not exist; check the path.")
    with ExitStack() as closing:  # astropy leaves a file open that it fails on
        try:
            size = path.stat().st_size
            stream = closing.enter_context(path.open("rb"))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                warnings.simplefilter("ignore", FITSFixedWarning)
                warnings.filterwarnings(
                    "error", message=".*truncated.*", category=AstropyUserWarning
                )
                hdus = fits.open(stream, memmap=False, lazy_load_hdus=False)
        except PermissionError:
            raise InputError(f"{path} may not be read; check its permissions.") from None
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
