"""The photometric bands by name and alias; their numbers stand in the table ``bands.ecsv``."""

from __future__ import annotations

import re

from ..exceptions import InputError
from .band_table import Band as Band
from .band_table import read_bands

_ALL = read_bands()

BANDS: dict[str, Band] = {band.name: band for band in _ALL}
"""All bands by name, in order of wavelength."""

INPUT_BANDS: tuple[str, ...] = tuple(band.name for band in _ALL if band.use == "input")
"""The 18 bands, ultraviolet to 22 micron, that a prediction can start from."""

FIR_BANDS: tuple[str, ...] = tuple(band.name for band in _ALL if band.use == "truth")
"""The 8 bands, 24 to 500 micron, in which the dust itself is seen: truth, never input."""

MODEL_BANDS: tuple[str, ...] = INPUT_BANDS + FIR_BANDS
"""The 26 bands that the shipped models and the library of spectra are made of, in order of
wavelength; the others are read, prepared and measured.
"""


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9.]", "", name.lower())


def _by_alias(bands: tuple[Band, ...]) -> dict[str, Band]:
    """Bands by all the keys under which they are found.

    Raises
    ------
    ValueError
        When two bands have one name or alias.
    """
    found: dict[str, Band] = {}
    for band in bands:
        for alias in (band.name, *band.aliases):
            # One-letter filters keep their case: the u of SDSS is not the U of Johnson, and z is
            # not Z.
            key = alias if len(alias) == 1 else _key(alias)
            if found.setdefault(key, band) is not band:
                raise ValueError(f"{alias!r} names both {found[key]} and {band}")
    return found


_BY_ALIAS = _by_alias(_ALL)


def find_band(name: str) -> Band | None:
    """The band that goes by `name` or one of its aliases (case and punctuation do not matter), or
    None.
    """
    text = str(name).strip()
    if text in BANDS:  # nearly always: names are asked for at every movement of the pointer
        return BANDS[text]
    return _BY_ALIAS.get(text if len(text) == 1 else _key(text))


def get_band(name: str) -> Band:
    """The band that goes by `name`.

    Raises
    ------
    InputError
        When no band has that name or alias.
    """
    band = find_band(name)
    if band is None:
        surveys = dict.fromkeys(band.survey for band in _ALL if band.use == "other")
        raise InputError(
            f"There is no band called {name!r}; the bands are {', '.join(MODEL_BANDS)}, and those "
            f"of {', '.join(surveys)} (see the page on bands)."
        )
    return band


def bands_by_survey() -> dict[str, list[str]]:
    """Names of all bands for a person to choose from: those of the models first, then survey by
    survey, each in order of wavelength.

    Returns
    -------
    dict of str to list of str
        By survey; that of the models' bands is the empty text.
    """
    groups: dict[str, list[str]] = {"": list(MODEL_BANDS)}
    for band in BANDS.values():
        if band.name not in MODEL_BANDS:
            groups.setdefault(band.survey, []).append(band.name)
    return groups
