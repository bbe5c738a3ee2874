"""The images in an open file: its extensions, and the planes of a cube whose planes are bands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..bands.cameras import CAMERAS
from .header_words import Word
from .image_names import Place, version_of
from .open_fits import is_more

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header

_MOST = 12
"""Planes up to which a cube may be one of bands; more are wavelengths or times."""
_SPECTRAL = re.compile(r"FREQ|VELO|VRAD|VOPT|WAVE|AWAV|ENER|STOKES|TIME|BETA|ZOPT", re.IGNORECASE)


@dataclass(frozen=True)
class Plane:
    """One image in a file.

    Attributes
    ----------
    number : int
        Of the extension.
    index : int or None
        Of the plane in a cube.
    label : str
        File name, with ``[n]`` where the file holds several images, ``[n,k]`` for a plane.
    name : str
        Of the extension, where the file holds several images.
    shape : tuple of int
        (ny, nx).
    header : Header
        Of the extension.
    words : tuple of Word
        What the header says of this plane alone, under the keyword of an image.
    """

    number: int
    index: int | None
    label: str
    name: str
    shape: tuple[int, int]
    header: Header
    words: tuple[Word, ...] = ()

    def place(self, path: Path) -> Place:
        """Where it is in the file at a path."""
        version = version_of(self.header)
        return Place(path, self.number, self.index, self.label, self.name, version)


def planes_of(hdus: HDUList, path: Path, skipped: list[str]) -> list[Plane]:
    """The images of a file; what cannot be one is told in `skipped`."""
    usable: list[tuple[int, Any]] = []
    for number, hdu in enumerate(hdus):
        if number == 0 and not hdu.shape and len(hdus) > 1:
            continue
        why = why_unusable(hdu)
        if why is None:
            usable.append((number, hdu))
        else:
            place = f"{path.name}[{number}]" if len(hdus) > 1 else str(path)
            skipped.append(f"{place} {why}.")
    if is_more(hdus):
        skipped.append(f"{path} has an extension {len(hdus)} with a damaged header.")
    several = len(usable) > 1
    found: list[Plane] = []
    for number, hdu in usable:
        shape = (int(hdu.shape[-2]), int(hdu.shape[-1]))
        n = number_of_planes(hdu.shape)
        name = hdu.name if several else ""
        if n == 1:
            label = f"{path.name}[{number}]" if several else path.name
            words = _words_of_plane(hdu.header, 0, 1)
            found.append(Plane(number, None, label, name, shape, hdu.header, words))
            continue
        for index in range(n):
            label = f"{path.name}[{number},{index}]"
            words = _words_of_plane(hdu.header, index, n)
            found.append(Plane(number, index, label, name, shape, hdu.header, words))
    return found


def number_of_planes(shape: tuple[int, ...]) -> int:
    """Number of images in an array; 0 for a line or a number."""
    if len(shape) < 2:
        return 0
    n = 1
    for side in shape[:-2]:
        n *= int(side)
    return n


def why_unusable(hdu: Any) -> str | None:
    """What is wrong with an extension as images, or None."""
    if not hasattr(hdu, "fileinfo"):  # astropy's stand-in for what it could not understand
        return "has a damaged header"
    if not getattr(hdu, "is_image", False):
        return "holds a table, not an image"
    shape = hdu.shape
    if not shape:
        return "holds no image"
    sides = " x ".join(map(str, shape[::-1]))
    if 0 in shape:
        return f"has an image without pixels ({sides})"
    n = number_of_planes(shape)
    if n == 0:
        return f"holds a line of {sides} pixels, not an image"
    axis = _axis_of_planes(hdu.header)
    if n > 1 and (n > _MOST or _SPECTRAL.search(axis)):
        along = f" along {axis}" if axis else ""
        return f"holds a cube of {sides} pixels{along}, not an image; extract one plane of it"
    return None


def _axis_of_planes(header: Header) -> str:
    """What the axes beyond the first two are of, in the header's words."""
    found = []
    for axis in range(3, int(header.get("NAXIS", 2) or 2) + 1):
        if header.get(f"NAXIS{axis}", 1) != 1:
            found.append(str(header.get(f"CTYPE{axis}") or "").strip())
    return ", ".join(filter(None, found))


def _words_of_plane(header: Header, index: int, n: int) -> tuple[Word, ...]:
    """What a header says of one of its planes."""
    for key in (f"BAND{index}", f"FILTER{index}"):  # the Legacy Surveys' cut-outs
        if str(header.get(key) or "").strip() and f"{key[:-1]}0" in header:
            return (_word("BAND", key, header),)
    bands = header.get("BANDS")
    if isinstance(bands, str) and len(bands.strip()) == n:
        return (
            Word("BAND", bands.strip()[index], bands.strip()[index], place=f"BANDS = {bands!r}"),
        )
    for camera in CAMERAS.values():
        keys, letters = tuple(camera.plane_zero_points), tuple(camera.plane_zero_points.values())
        if n > 1 and keys and n % len(keys) == 0 and all(key in header for key in keys):
            # The first are the galaxy, a band each; those behind may be anything.
            letter = letters[index % len(keys)]
            zero = _word("MAGZP", keys[index % len(keys)], header)
            band = Word("BAND", letter, letter, place=f"plane {index}")
            return (band, zero) if n == len(keys) else (zero,)
    return ()


def _word(key: str, told_by: str, header: Header) -> Word:
    text = str(header[told_by]).strip()
    return Word(key, text, text, place=told_by)
