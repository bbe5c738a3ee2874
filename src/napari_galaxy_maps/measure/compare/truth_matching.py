"""Which of some files of maps are predictions, and which truth belongs to which of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...data.maps import PropertyMaps


def match_truths(files: Mapping[str, PropertyMaps]) -> tuple[list[tuple[str, str]], list[str]]:
    """Predictions with their truths.

    Predictions are the maps that a model has made (they carry its hash); each gets the truth that
    has one of its properties and covers its middle, of several the one of the same object, or else
    the nearest. Where all or none of the files are of a model, they are taken in turn, prediction
    first.

    Parameters
    ----------
    files : mapping of str to PropertyMaps
        By what they are called.

    Returns
    -------
    list of tuple of str
        Prediction and truth.
    list of str
        Why some have not been used, for a person.
    """
    predictions = [name for name, maps in files.items() if maps.provenance.get("model_hash")]
    truths = [name for name in files if name not in predictions]
    if not predictions or not truths:
        names = list(files)
        pairs = list(zip(names[::2], names[1::2], strict=False))
        left = (
            [f"{names[-1]} has no partner: choose a prediction and a truth for each galaxy."]
            if len(names) % 2
            else []
        )
        return pairs, left
    pairs, left, used = [], [], set()
    for name in predictions:
        found = [(_distance(files[name], files[truth]), truth) for truth in truths]
        fitting = sorted((how_far, truth) for how_far, truth in found if how_far is not None)
        if not fitting:
            left.append(
                f"No truth covers {name} and has one of its properties; open that of this galaxy, "
                "too."
            )
            continue
        truth = fitting[0][1]
        pairs.append((name, truth))
        used.add(truth)
    left += [
        f"{truth} belongs to none of the predictions." for truth in truths if truth not in used
    ]
    return pairs, left


def _distance(prediction: PropertyMaps, truth: PropertyMaps) -> tuple[bool, float] | None:
    """Whether a truth is of another object, and how far from the middle of a prediction its own is
    in pixels; None if it cannot be its truth.
    """
    if not set(prediction.values) & set(truth.values):
        return None
    ny, nx = prediction.shape
    middle = prediction.wcs.pixel_to_world((nx - 1) / 2, (ny - 1) / 2)
    x, y = (float(at) for at in truth.wcs.world_to_pixel(middle))
    rows, columns = truth.shape
    if not (np.isfinite(x + y) and -0.5 <= x < columns - 0.5 and -0.5 <= y < rows - 0.5):
        return None
    names = [str(maps.provenance.get("object", "")) for maps in (prediction, truth)]
    return bool(names[0] != names[1]), float(np.hypot(x - (columns - 1) / 2, y - (rows - 1) / 2))
