"""Whether a file holds an image, or its uncertainty, or what is neither, by its names."""

from __future__ import annotations

import re

from .which_band import parts_of

_ROLE_WORDS = {
    "uncertainty": {"unc", "uncert", "uncertainty", "err", "error", "errors", "sigma", "std",
        "stddev", "rms", "stdev", "noise"},
    "variance": {"var", "variance"},
    "weight": {"ivar", "invvar", "weight", "weights", "wt", "wht", "wgt", "oow"},
    "other": {"mask", "dq", "flags", "flag", "cov", "coverage", "exp", "expmap", "rrhr", "psf",
        "segm", "seg", "quality", "ood"},
}  # fmt: skip


def guess_role(extname: str, filename: str) -> str:
    """``"image"``, ``"uncertainty"``, ``"variance"``, ``"weight"`` or ``"other"``, from the names
    of extension and file.
    """
    words = {w.lower() for w in re.split(r"[_\-\s.]+", extname)}
    for role, names in _ROLE_WORDS.items():
        if words & names:
            return role
    tokens = {t.lower() for t in parts_of(filename)}
    for role, names in _ROLE_WORDS.items():
        if tokens & names:
            return role
    return "image"
