"""What is missing for a prediction, and what would make it better, in words."""

from __future__ import annotations

from collections.abc import Sequence

from ..exceptions import ModelError
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
        return model_class(model).band_advice(load_card(model), bands)
    except ModelError as error:
        return str(error)
