"""Writes the files of a trained model: weights, card and entry in the registry of a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exceptions import GalaxyMapsError
from ..models.registry import write_entry

if TYPE_CHECKING:
    from ..models.dust_forest.model import DustForest
    from ..models.stellar_unet.model import StellarUNet


def write_model(
    model: DustForest | StellarUNet, kind: str, out: Path, scores: dict[str, Any] | None = None
) -> None:
    """Write ``NAME.safetensors``, the card as ``NAME.json`` and ``NAME.md``, and ``registry.json``.

    Parameters
    ----------
    model : DustForest or StellarUNet
    kind : str
        As in the registry: ``"forest"`` or ``"unet"``.
    out : Path
        Folder, which is made where it is not there.
    scores : dict, optional
        Measured numbers, for ``scores.json``.

    Raises
    ------
    GalaxyMapsError
        When the folder cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        weights, card = out / f"{model.name}.safetensors", out / f"{model.name}.json"
        weights.write_bytes(model.to_bytes())
        card.write_text(model.card.to_json(), encoding="utf-8")
        (out / f"{model.name}.md").write_text(model.card.to_markdown(), encoding="utf-8")
        if scores is not None:
            (out / "scores.json").write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
        write_entry(out, model.name, kind, model.card.version, weights, card)
    except OSError as error:
        raise GalaxyMapsError(
            f"{out} cannot be written ({error.strerror}); choose another folder."
        ) from None
