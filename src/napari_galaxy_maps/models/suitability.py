"""Whether a model can work on some bands and which others can, what it lacks where no redshift or
distance is known, and what its card says of real images.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..exceptions import ModelError
from .registry import list_models, load_card, model_class

if TYPE_CHECKING:
    from ..data.galaxy import Galaxy

_REAL = "On real images"


def why_not(model: str, bands: Sequence[str]) -> str:
    """Why a model cannot work on some bands, in a sentence; empty where it can.

    Parameters
    ----------
    model : str
        Its name in the registry, or its folder.
    bands : sequence of str
        That a galaxy has.
    """
    try:
        _used(model, bands)
    except ModelError as error:
        return str(error)
    return ""


def used(model: str, bands: Sequence[str]) -> list[str]:
    """The bands that a model uses of some; all of them where it cannot be told."""
    try:
        return list(_used(model, bands))
    except ModelError:
        return list(bands)


def _used(model: str, bands: Sequence[str]) -> Sequence[str]:
    kind = model_class(model)
    if not hasattr(kind, "bands_used"):
        return bands
    found: Sequence[str] = kind.bands_used(load_card(model), bands)
    return found


def able(bands: Sequence[str]) -> list[str]:
    """The shipped models that can work on some bands."""
    return [name for name in list_models() if not why_not(name, bands)]


def without_distance(model: str, galaxy: Galaxy, pixel_arcsec: float | None) -> str:
    """What a model lacks of a galaxy's redshift and distance, and what that costs, in a sentence;
    empty where it lacks nothing.

    Parameters
    ----------
    model : str
        Its name in the registry, or its folder.
    galaxy : Galaxy
        With what is known of it.
    pixel_arcsec : float or None
        Side of the pixels of its maps, where that is known.
    """
    try:
        kind = model_class(model)
        if not hasattr(kind, "without_distance"):
            return ""
        words: str = kind.without_distance(load_card(model), galaxy, pixel_arcsec)
    except ModelError:
        return ""
    return words


def on_real_images(model: str) -> str:
    """What a model's card says, in a sentence, of trusting it on real images; empty where that is
    not the first of what it is not to be trusted on.
    """
    try:
        doubts = load_card(model).do_not_trust
    except ModelError:
        return ""
    sentence = doubts[0].split(". ")[0].rstrip(".") if doubts else ""
    if not sentence.startswith(_REAL):
        return ""
    return f"{model} is not to be trusted {sentence[:1].lower()}{sentence[1:]}."
