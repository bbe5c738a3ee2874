"""What is missing for a prediction, and what would make it better, in words."""

from __future__ import annotations

from collections.abc import Sequence

from ..bands.registry import get_band
from ..bands.stand_ins import offer
from ..exceptions import ModelError
from .card import ModelCard
from .registry import load_card, model_class


def advice(model: str, bands: Sequence[str]) -> str:
    """A sentence on the bands that a model is given; what is wrong with the model, where that is.

    Parameters
    ----------
    model : str
        Its name in the registry, or its folder.
    bands : sequence of str
        That a galaxy has.
    """
    try:
        card = load_card(model)
        sentences = [model_class(model).band_advice(card, bands), not_used(card, bands)]
        return " ".join(filter(None, sentences))
    except ModelError as error:
        return str(error)


def unknown_bands(card: ModelCard, bands: Sequence[str]) -> tuple[str, ...]:
    """Those of some bands that no model takes but one whose card names them, and this card does
    not.
    """
    return tuple(b for b in bands if get_band(b).use == "other" and b not in card.bands)


def not_used(card: ModelCard, bands: Sequence[str]) -> str:
    """A sentence on the `unknown_bands`; empty where there are none."""
    unknown = unknown_bands(card, bands)
    if not unknown:
        return ""
    one = len(unknown) == 1
    sentence = (
        f"{', '.join(unknown)} {'is' if one else 'are'} not used: {card.name} was trained on no "
        f"such band{'' if one else 's'}."
    )
    return " ".join(filter(None, (sentence, offer(bands, card.bands))))
