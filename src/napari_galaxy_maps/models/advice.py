"""What is missing for a prediction, and what would make it better, in words."""

from __future__ import annotations

from collections.abc import Sequence

from ..bands.registry import INPUT_BANDS
from ..exceptions import ModelError
from .registry import kind_of
from .stellar_unet.inputs import UGRIZ


def advice(model: str, bands: Sequence[str]) -> str:
    """A sentence on the bands that a model is given.

    Parameters
    ----------
    model : str
        Its name in the registry, or its folder.
    bands : sequence of str
        That a galaxy has.
    """
    try:
        kind = kind_of(model)
    except ModelError as error:
        return str(error)
    return _optical(bands) if kind == "unet" else _dust(bands)


def _optical(bands: Sequence[str]) -> str:
    usable, lacking = (
        [band for band in UGRIZ if (band in bands) == there] for there in (True, False)
    )
    if not usable:
        return f"None of {', '.join(UGRIZ)} is there: add at least one of these images."
    if not lacking:
        return "All five bands are there."
    return f"{', '.join(usable)} {'is' if len(usable) == 1 else 'are'} used. The answer would be more certain with {', '.join(lacking)}."


def _dust(bands: Sequence[str]) -> str:
    if not {"WISE_3.4", "Spitzer_3.6"} & set(bands):
        return "WISE 3.4 (or Spitzer 3.6) is missing: every flux is divided by it. Add that image."
    lacking = [name for name in INPUT_BANDS if name not in bands and not name.startswith("Spitzer")]
    usable = [name for name in bands if name in INPUT_BANDS]
    if len(usable) < 3:
        return f"Only {' and '.join(usable)} can be used; add at least {3 - len(usable)} more of {', '.join(lacking)}."
    if not lacking:
        return f"{len(usable)} bands, none of the usual ones is missing."
    return f"{len(usable)} bands. The answer would be more certain with {', '.join(lacking)}."
