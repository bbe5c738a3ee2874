"""Which bands stellar-unet uses of those that it is given, and what it says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...bands.stand_ins import offer
from ...exceptions import ModelError

if TYPE_CHECKING:
    from ..card import ModelCard


def usable(card: ModelCard, bands: Sequence[str]) -> tuple[str, ...]:
    """The bands out of `bands` that the model uses; raises `ModelError` where there is none."""
    used = tuple(band for band in card.bands if band in bands)
    if not used:
        there = f"there is {', '.join(bands)}" if bands else "no band is there"
        raise ModelError(
            f"{card.name} needs at least one of {', '.join(card.bands)}; {there}. "
            "Open such an image, or choose another model. "
            f"{offer(bands, card.bands)}".rstrip()
        )
    return used


def advice_on(card: ModelCard, bands: Sequence[str]) -> str:
    """A sentence on the bands that it is given: what is missing, what would make it better."""
    there = [band for band in card.bands if band in bands]
    lacking = [band for band in card.bands if band not in bands]
    if not there:
        return f"None of {', '.join(lacking)} is there: add at least one of these images."
    if not lacking:
        return "All five bands are there."
    are = "is" if len(there) == 1 else "are"
    return (
        f"{', '.join(there)} {are} used. "
        f"The answer would be more certain with {', '.join(lacking)}."
    )
