"""What is subtracted of stars, in and out: as columns and a table of a result file, and as tags of
DS9 regions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from ...bands.registry import BANDS
from .star_light import StarLight
from .star_wings import StarPsf

Lights = Mapping[str, StarLight]
"""What is subtracted of a star, by band."""

_NUMBERS = tuple(field.name for field in fields(StarLight) if field.name != "psf")
_COLUMN = "LIGHT_"
_RINGS = ("radius", "profile", "doubt")


def psf_numbers(stars: Iterable[Lights]) -> dict[StarPsf, int]:
    """The PSFs of subtracted stars, and their numbers from 1 in the order of the bands."""
    numbers: dict[StarPsf, int] = {}
    stars = list(stars)
    for name in BANDS:
        for lights in stars:
            if name in lights:
                numbers.setdefault(lights[name].psf, len(numbers) + 1)
    return numbers


def light_columns(stars: Sequence[Lights]) -> list[Any]:
    """Columns of the table STARS: what is subtracted in each band, and the row of STARPSF that it
    is shaped by; NaN where a star is not subtracted.
    """
    from astropy.io import fits

    numbers = psf_numbers(stars)
    nothing = (np.nan,) * (len(_NUMBERS) + 1)
    columns = []
    for name in BANDS:
        if any(name in lights for lights in stars):
            rows = [
                (*(getattr(light, key) for key in _NUMBERS), numbers[light.psf])
                if (light := lights.get(name)) is not None
                else nothing
                for lights in stars
            ]
            columns.append(fits.Column(_COLUMN + name, f"{len(nothing)}D", array=np.array(rows)))
    return columns


def psf_table(stars: Sequence[Lights]) -> list[Any]:
    """The table STARPSF as a list of one; empty where nothing is subtracted."""
    from astropy.io import fits

    psfs = psf_numbers(stars)
    if not psfs:
        return []
    longest = max(1, *(len(psf.radius) for psf in psfs))
    columns = [
        fits.Column("FWHM", "D", "arcsec", array=[psf.fwhm for psf in psfs]),
        fits.Column("BETA", "D", array=[psf.beta for psf in psfs]),
    ]
    for key in _RINGS:
        rings = np.full((len(psfs), longest), np.nan)
        for row, psf in zip(rings, psfs, strict=True):
            row[: len(getattr(psf, key))] = getattr(psf, key)
        columns.append(fits.Column(key.upper(), f"{longest}D", array=rings))
    return [fits.BinTableHDU.from_columns(columns, name="STARPSF")]


def read_psfs(table: Any) -> list[StarPsf]:
    """The PSFs of a table STARPSF; none of None."""
    if table is None:
        return []
    rings = [np.reshape(table[key.upper()], (len(table), -1)) for key in _RINGS]
    return [
        StarPsf(
            float(row["FWHM"]),
            float(row["BETA"]),
            *(tuple(values[i][np.isfinite(values[i])].tolist()) for values in rings),
        )
        for i, row in enumerate(table)
    ]


def read_lights(table: Any, psfs: Sequence[StarPsf]) -> list[dict[str, StarLight]]:
    """What is subtracted of each star of a table STARS.

    Raises
    ------
    ValueError
        When a star is shaped by a PSF that is not there.
    """
    lights: list[dict[str, StarLight]] = [{} for _ in range(len(table))]
    for column in table.names:
        name = column.removeprefix(_COLUMN)
        if column.startswith(_COLUMN) and name in BANDS:
            for own, row in zip(lights, np.asarray(table[column], float), strict=True):
                if np.isfinite(row).all():
                    own[name] = _light(row[:-1].tolist(), int(row[-1]), psfs)
    return lights


def _light(numbers: Sequence[float], psf: int, psfs: Sequence[StarPsf]) -> StarLight:
    if not 1 <= psf <= len(psfs):
        raise ValueError("a subtracted star without its PSF")
    return StarLight(**dict(zip(_NUMBERS, numbers, strict=True)), psf=psfs[psf - 1])


def light_tag(light: StarLight, radius: float, number: int) -> str:
    """A tag of the circle of a subtracted star: the light's numbers, the radius (arcsec) that is
    masked, and its PSF's number.
    """
    numbers = (*(getattr(light, key) for key in _NUMBERS), radius, number)
    return " ".join(repr(float(value)) for value in numbers)


def psf_tag(psf: StarPsf, number: int) -> str:
    """A tag that tells a PSF and its number."""
    rings = [" ".join(map(repr, getattr(psf, key))) for key in _RINGS]
    return " / ".join([str(number), f"{psf.fwhm!r} {psf.beta!r}", *rings])


def psfs_of_tags(tags: Iterable[str]) -> dict[int, StarPsf]:
    """The PSFs of tags by their numbers; what a person has garbled is left out."""
    found = {}
    for text in tags:
        try:
            number, shape, *rings = text.split("/")
            fwhm, beta = map(float, shape.split())
            found[int(number)] = StarPsf(
                fwhm, beta, *(tuple(map(float, ring.split())) for ring in rings)
            )
        except (ValueError, TypeError):
            continue
    return found


def light_of_tag(
    text: str, psfs: Mapping[int, StarPsf]
) -> tuple[StarLight | None, float, float] | None:
    """What `light_tag` tells: the light (None where its PSF is not known), and the radii (arcsec)
    of its circle and of the one that masks it whole; None where a person has garbled it.
    """
    try:
        *numbers, radius, number = map(float, text.split())
        shape = psfs.get(int(number), _ANY)
        told = StarLight(**dict(zip(_NUMBERS, numbers, strict=True)), psf=shape)
    except (ValueError, OverflowError):
        return None
    return (told if told.psf is not _ANY else None), radius, told.circle


_ANY = StarPsf(1.0, 2.5)
"""Stands for one that is not known."""
