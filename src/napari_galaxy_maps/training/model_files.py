"""Writes the files of a trained model: weights, card and entry in the registry of a folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..fits_io.safe_writing import folder_written_whole
from ..models.registry import INDEX, write_entry

if TYPE_CHECKING:
    from ..models.dust_forest.model import DustForest
    from ..models.stellar_unet.model import StellarUNet


def write_model(
    model: DustForest | StellarUNet, kind: str, out: Path, scores: dict[str, Any] | None = None
) -> None:
    """Write, all or none, ``NAME.safetensors``, the card as ``NAME.json`` and ``NAME.md``, and
    ``registry.json``.

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
    InputError
        When the folder cannot be written.
    """
    with folder_written_whole(out, overwrite=True) as stage:
        if (out / INDEX).exists():  # of other models in the folder
            shutil.copyfile(out / INDEX, stage / INDEX)
        weights, card = stage / f"{model.name}.safetensors", stage / f"{model.name}.json"
        weights.write_bytes(model.to_bytes())
        card.write_text(model.card.to_json(), encoding="utf-8")
        (stage / f"{model.name}.md").write_text(model.card.to_markdown(), encoding="utf-8")
        if scores is not None:
            text = json.dumps(scores, indent=1) + "\n"
            (stage / "scores.json").write_text(text, encoding="utf-8")
        write_entry(stage, model.name, kind, model.card.version, weights, card)
