"""The masks and exposure maps beside an image, in its own file or in others: which belong to it,
and which of its pixels they say hold no data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..bands.cameras import CAMERAS, cameras_called, cameras_in_name
from .evidence import CAMERA, KEYWORDS
from .image_file import ImageFile
from .images_of_file import understood
from .no_data import percent
from .which_band import bands_in_name, parts_of
from .which_role import BESIDE, name_without_role

MOST_FLAGGED = 0.5
"""Share of an image above which flags are no reason to leave pixels out."""
_FEW_FAULTS = 0.01
"""Share of an image up to which flags are believed to be of faults, however bright these are."""
_SECONDS = ("s", "sec", "secs", "second", "seconds")
_SAME_PLACE = 0.25
"""Pixels by which the corners of two images on one grid may differ."""


def with_beside(images: Sequence[ImageFile]) -> list[ImageFile]:
    """The images of the sky with the masks and exposure maps that belong to them.

    One belongs to the images of its own file, as far as its extension's name, version or plane do
    not speak of another; one in a file of its own to the image of its band, or, where it tells no
    band, to those whose files are called alike (`name_without_role`). Where none is, and a person
    has said what it is, it belongs to all images of its shape.

    Parameters
    ----------
    images : sequence of ImageFile
        Of all roles, with bands settled.

    Returns
    -------
    list of ImageFile
        In the same order, those that lie beside others still among them.
    """
    own = [image for image in images if image.role == "image"]
    owners = {}
    for other in (image for image in images if image.role in BESIDE):
        mine = [image.place for image in own if _belongs(other, image)]
        if not mine and other.role_told and other.band is None:
            mine = [image.place for image in own if image.shape == other.shape]
        owners[other.place] = (other, mine)
    found = []
    for image in images:
        beside = tuple(other for other, mine in owners.values() if image.place in mine)
        found.append(replace(image, beside=beside) if beside != image.beside else image)
    return found


def with_rates(images: Sequence[ImageFile]) -> list[ImageFile]:
    """The images, those of counts that lack nothing but an exposure time as counts per second where
    an exposure map in seconds lies beside them: its word is `divide_by`.

    A map is in seconds where its header says so, or its survey's custom (`Camera.exposures`); an
    image with errors of its own is left as it is, for these may be of either.

    Parameters
    ----------
    images : sequence of ImageFile
        As `with_beside` gives them.
    """
    with_errors = {image.band for image in images if image.role not in ("image", *BESIDE)}
    return [image if image.band in with_errors else _as_rate(image) for image in images]


def _as_rate(image: ImageFile) -> ImageFile:
    """An image of counts as one of counts per second, where its exposure map is known."""
    maps = [other for other in image.beside if _in_seconds(other, image)]
    if not image.needs_exposure or image.unit is None or len(maps) != 1:
        return image
    name, slash, per = image.unit.partition("/")
    rate = understood(replace(image, told=replace(image.told, unit=f"{name}/s{slash}{per}")))
    if rate.questions or _other_grid(maps[0], image):
        return image
    reason = f"{image.unit_reason}, divided by the seconds of {maps[0].label}"
    return replace(rate, told=image.told, unit_reason=reason, divide_by=maps[0])


def _in_seconds(other: ImageFile, image: ImageFile) -> bool:
    """Whether a file beside an image tells its exposure in seconds."""
    if other.role != "exposure":
        return False
    unit = str(other.header.get("BUNIT") or "").strip().lower()
    camera = CAMERAS.get(image.band.survey) if image.band is not None else None
    custom = {word for words in (camera.exposures.values() if camera else ()) for word in words}
    return unit in _SECONDS if unit else bool(custom & set(parts_of(other.path.name)))


def without_image(images: Iterable[ImageFile]) -> list[str]:
    """A sentence for each mask and exposure map that belongs to no image, of images as
    `with_beside` gives them.
    """
    images = list(images)
    taken = {other.place for image in images for other in image.beside}
    return [
        f"{other.label} belongs to no image here, by its band or its name, and is not used."
        for other in images
        if other.role in BESIDE and other.place not in taken
    ]


def _belongs(other: ImageFile, image: ImageFile) -> bool:
    """Whether a mask or an exposure map is an image's."""
    if other.path == image.path:
        planes = None not in (other.plane, image.plane) and other.plane != image.plane
        named = {band for band, _ in bands_in_name(f"{other.extension}.fits")}
        strange = bool(named) and image.band is not None and image.band not in named
        return not (planes or strange or other.place.version != image.place.version)
    if other.band is not None:
        return other.band is image.band
    own = name_without_role(other.path.name)
    return (bool(own) or other.role_told) and own <= name_without_role(image.path.name)


@dataclass(frozen=True)
class Beside:
    """What the files beside an image say of its pixels.

    Attributes
    ----------
    flagged : dict
        Arrays of bool by what flags them, in words; True where the pixel is faulty.
    coverage : ndarray or None
        Exposure or weight: where it is 0, nothing was seen.
    coverage_name : str
        What to call it.
    notes : tuple of str
        Which of them are not used, and why.
    """

    flagged: Mapping[str, np.ndarray]
    coverage: np.ndarray | None = None
    coverage_name: str = ""
    notes: tuple[str, ...] = ()


def read_beside(image: ImageFile, data: np.ndarray) -> Beside:
    """What the masks and exposure maps beside an image say.

    A mask in a file of its own of which nothing but its name is known is not used where it flags
    most of the bright pixels: it may as well show where the galaxy is.

    Parameters
    ----------
    image : ImageFile
        The image.
    data : ndarray, shape (ny, nx)
        Its pixels.

    Raises
    ------
    InputError
        When one of them is damaged.
    """
    flagged: dict[str, np.ndarray] = {}
    coverage, coverage_name = None, ""
    notes = []
    for other in image.beside:
        why = _other_grid(other, image)
        if why:
            notes.append(f"{other.label} is not used: {why}")
            continue
        plane = other.load_as_stored()
        inside = other.extension if other.path == image.path else ""
        if other.role == "mask":
            bits, words = _bad_bits(other, image)
            faults = faulty(plane, other.header, bits)
            if not inside and bits is None and not other.role_told and _hides_galaxy(faults, data):
                notes.append(
                    f"{other.label} is not used: it flags the brightest part of the image, which "
                    "may be the galaxy; tell its role, mask, to use it all the same"
                )
                continue
            flagged[f"{words}{f'its {inside}' if inside else other.label}"] = faults
        elif coverage is None:
            coverage = plane.astype(np.float32)
            coverage_name = f"the plane {inside}" if inside else other.label
        else:
            coverage = np.where(plane == 0, np.float32(0), coverage)
    return Beside(flagged, coverage, coverage_name, tuple(notes))


def _hides_galaxy(faults: np.ndarray, data: np.ndarray) -> bool:
    """Whether flags cover more than 1 % of an image, and most of its pixels that stand out of the
    sky.
    """
    from astropy.stats import mad_std

    finite = np.isfinite(data)
    if not finite.any() or not _FEW_FAULTS < faults.mean() <= MOST_FLAGGED:
        return False
    sky, noise = float(np.median(data[finite])), float(mad_std(data[finite]))
    bright = finite & (np.where(finite, data, sky) > sky + 3 * noise)
    return int((bright & faults).sum()) > 0.5 * int(bright.sum())


def _other_grid(other: ImageFile, image: ImageFile) -> str:
    """Why the pixels of one are not those of the other, or nothing."""
    if other.shape != image.shape:
        sizes = [f"{shape[1]} x {shape[0]}" for shape in (other.shape, image.shape)]
        return f"it has {sizes[0]} pixels, its image {sizes[1]}"
    if other.wcs is image.wcs:
        return ""
    ny, nx = image.shape
    x, y = np.array([0, nx - 1, nx - 1, 0]), np.array([0, 0, ny - 1, ny - 1])
    try:
        there = other.wcs.world_to_pixel(image.wcs.pixel_to_world(x, y))
        apart = float(np.max(np.hypot(there[0] - x, there[1] - y)))
    except Exception as error:  # wcslib's errors have no common base
        return f"where it lies cannot be told ({type(error).__name__})"
    return "" if apart <= _SAME_PLACE else f"it lies up to {apart:.3g} pixels off its image"


def _bad_bits(mask: ImageFile, image: ImageFile) -> tuple[tuple[str, ...] | None, str]:
    """The bits of a mask that are faults by its survey's custom, and that in words; None where
    nothing is known of it, so that every value but 0 is.
    """
    parts = {part.lower() for part in parts_of(mask.path.name)}
    parts |= {word.lower() for word in re.split(r"[_\-\s.]+", mask.extension)}
    called = cameras_in_name(parts)
    for said in mask.words.of(KEYWORDS[CAMERA]):
        called |= cameras_called(said.text)[0]
    own = image.band.survey if image.band is not None else ""
    band = image.band.name if image.band is not None else ""
    for camera in CAMERAS.values():
        for key, bits in camera.bad_bits.items():
            word, _, only = key.partition("@")
            explained = any(f"MP_{bit}" in mask.header for bit in bits)
            customary = camera.name == own and (not called or own in called)
            named = word in parts or (word == "*" and own in called)
            if explained or (customary and named and only in ("", band)):
                many = "s" if len(bits) > 1 else ""
                return bits, f"bit{many} {', '.join(bits)} of "
    return None, ""


def faulty(plane: np.ndarray, header: Mapping[str, Any], bits: Sequence[str] | None) -> np.ndarray:
    """True where a mask says that a pixel is faulty.

    Parameters
    ----------
    plane : ndarray, shape (ny, nx)
        The mask, 0 where all is well; NaN is a fault where nothing else is.
    header : mapping
        Its header, which may tell the bits' names (``MP_NAME``, as the LSST's pipelines write
        them).
    bits : sequence of str or None
        The bits that are faults, as numbers or names; None for any value but 0.
    """
    numbers = []
    for bit in bits or ():
        number = bit if bit.isdigit() else header.get(f"MP_{bit}")
        if number is not None:
            numbers.append(int(number))
    if not numbers:
        known = np.isfinite(plane)
        faults = known & (plane != 0)
        return faults if faults.any() or bits else ~known
    values = np.where(np.isfinite(plane), plane, 0).astype(np.int64)
    return (values & sum(1 << number for number in set(numbers))) != 0


def blank_flagged(
    data: np.ndarray, flagged: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The pixels with NaN where they are flagged, and what is said of it.

    Flags of more than half of the image are left out: they are states (of the detector, of the
    reduction) and not faults, or a mask that says 1 for good.

    Parameters
    ----------
    data : ndarray of float, shape (ny, nx)
        Pixel values; not changed.
    flagged : mapping
        Arrays of bool of the same shape by what flags them, in words.
    """
    notes = []
    for name, flags in flagged.items():
        share = float(flags.mean())
        if share > MOST_FLAGGED:
            notes.append(
                f"{name} flags {percent(share)} of the pixels, too many for faults: left out, "
                "all pixels stay"
            )
        elif share:
            data = np.where(flags, data.dtype.type(np.nan), data)
            notes.append(f"{percent(share)} of the pixels, flagged in {name}, are blank")
    return data, tuple(notes)
