"""Brightness that no galaxy has, in one band or in one beside another: a wrong unit, as a rule, or
values per pixel of images that were interpolated since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING

import numpy as np

from ..bands.cameras import CAMERAS
from ..bands.registry import get_band
from ..bands.units import parse_unit

if TYPE_CHECKING:
    from ..data.galaxy import BandImage

_MICRON = (0.355, 0.480, 0.624, 0.766, 0.908, 1.24, 1.65, 2.16, 3.37, 4.62)
_USUAL = (-0.75, -0.26, -0.02, 0.12, 0.18, 0.31, 0.37, 0.29, 0.0, -0.24)
"""Wavelengths, and the median log10 of the flux there over that at 3.4 micron, of DustPedia's
galaxies (Clark+ 2018; 254 to 649 of them above 5 sigma in each of these bands).
"""
_REACH = (0.3, 5.0)
"""Micron between which starlight is what is seen, and colours of galaxies are alike."""
_APART, _WITH_WAVELENGTH = 0.5, 0.6
"""Dex by which two bands may be off, and how much more a factor of 10 in wavelength may be: beyond
all of DustPedia's galaxies, and enough for colours at redshift 0.4.
"""
_FAINTEST, _BRIGHTEST = -4.2, 1.8
"""log10 MJy/sr in the middle of a galaxy: 31 and 16 mag/arcsec2. The mean in DustPedia's
apertures is -2.6 to 0.4.
"""
_EXPLAINS = 0.3
"""Dex by which the area of a pixel may differ from what it is to explain."""


@dataclass(frozen=True)
class Odd:
    """Bands of a brightness that galaxies have not.

    Attributes
    ----------
    text : str
        What is odd, in a sentence.
    bands : tuple of str
    old_pixel : bool
        Whether values per pixel of the survey's own images would explain it.
    """

    text: str
    bands: tuple[str, ...]
    old_pixel: bool = False


def odd_brightness(brightness: Mapping[str, float], images: Mapping[str, BandImage]) -> list[Odd]:
    """What is odd about the brightness of a galaxy's middle; empty where nothing is.

    Parameters
    ----------
    brightness : mapping of str to float
        In MJy/sr over the sky by band; NaN and what is not positive say nothing.
    images : mapping of str to BandImage
        By band, with their pixels and units.
    """
    logs = {
        name: log10(value)
        for name, value in brightness.items()
        if value > 0 and _REACH[0] < get_band(name).pivot < _REACH[1]
    }
    extreme = {name: value for name, value in logs.items() if not _FAINTEST < value < _BRIGHTEST}
    found = _extreme(extreme)
    rest = sorted(logs.keys() - extreme.keys(), key=lambda name: get_band(name).pivot)
    parts = _parts({name: logs[name] - usual(name) for name in rest})
    return found + _beside(parts, images)


def usual(band: str) -> float:
    """Median log10 of the flux of galaxies in a band over that at 3.4 micron."""
    return float(np.interp(log10(get_band(band).pivot), np.log10(_MICRON), _USUAL))


def _extreme(logs: Mapping[str, float]) -> list[Odd]:
    found = []
    for names, words in (
        ([n for n, value in logs.items() if value >= _BRIGHTEST], "brighter"),
        ([n for n, value in logs.items() if value <= _FAINTEST], "fainter"),
    ):
        if names:
            value = 10 ** float(np.median([logs[name] for name in names]))
            found.append(
                Odd(
                    f"{', '.join(names)}: {_number(value)} MJy/sr in the middle of the galaxy, "
                    f"{words} than any galaxy: is the unit right?",
                    tuple(names),
                )
            )
    return found


def _parts(offsets: Mapping[str, float]) -> list[dict[str, float]]:
    """Bands, in the order of their wavelengths, cut where two neighbours do not go together."""
    parts: list[dict[str, float]] = []
    last: tuple[str, float] | None = None
    for name, offset in offsets.items():
        pivot = get_band(name).pivot
        if last is None or abs(offset - last[1]) > _apart(get_band(last[0]).pivot, pivot):
            parts.append({})
        parts[-1][name] = offset
        last = name, offset
    return parts


def _apart(micron: float, other: float) -> float:
    return _APART + _WITH_WAVELENGTH * abs(log10(micron / other))


def _beside(parts: Sequence[dict[str, float]], images: Mapping[str, BandImage]) -> list[Odd]:
    """Each part that is off the largest, or the largest where its pixels explain it."""
    if len(parts) < 2:
        return []
    largest = max(parts, key=len)
    found = []
    for part in parts:
        if part is largest:
            continue
        off = float(np.median([*part.values()]) - np.median([*largest.values()]))
        for bands, by, others in ((part, off, largest), (largest, -off, part)):
            if all(_explained(by, images[name]) for name in bands):
                found.append(_of_old_pixels(tuple(bands), by, others, images))
                break
        else:
            if abs(off) <= _APART:
                continue  # the bands between are what is off
            found.append(
                Odd(
                    f"{', '.join(part)}: {_times(off)} beside {_some(largest)} as in galaxies: is "
                    "a unit wrong?",
                    tuple(part),
                )
            )
    return found


def _explained(off: float, image: BandImage) -> bool:
    """Whether values per pixel of the survey's own images would explain that an image's are off."""
    side = old_side(image, off)
    return side is not None and abs(off - _by_area(side, image)) < _EXPLAINS


def _by_area(side: float, image: BandImage) -> float:
    """Dex by which values per pixel of such a side are off when taken as per pixel of an image."""
    return 2 * log10(side / image.pixel_arcsec)


def old_side(image: BandImage, off: float) -> float | None:
    """Side in arcsec of the pixels of the survey's own images, where an image has others and its
    values are per pixel; of several the one that best explains that it is off, in dex. Else None.
    """
    unit, camera = parse_unit(image.unit), CAMERAS.get(image.band.survey)
    if unit is None or camera is None or not camera.pixels or unit.per != "pix":
        return None
    if any(abs(image.pixel_arcsec / side - 1) <= 0.05 for side in camera.pixels):
        return None
    return min(camera.pixels, key=lambda side: abs(off - _by_area(side, image)))


def _of_old_pixels(
    bands: tuple[str, ...], off: float, others: Mapping[str, float], images: Mapping[str, BandImage]
) -> Odd:
    image = images[bands[0]]
    return Odd(
        f"{', '.join(bands)} look as if per old pixel: {_times(off)} beside {_some(others)} as in "
        f"galaxies, and {image.band.survey}'s own pixels are {old_side(image, off):g}″, these "
        f"{image.pixel_arcsec:.3g}″.",
        bands,
        old_pixel=True,
    )


def _times(off: float) -> str:
    return f"{_number(10 ** abs(off))} times as {'bright' if off > 0 else 'faint'}"


def _number(value: float) -> str:
    return f"{float(f'{value:.2g}'):,.10g}"


def _some(bands: Mapping[str, float]) -> str:
    first, *rest = bands
    return first if not rest else f"{first} to {rest[-1]}"
