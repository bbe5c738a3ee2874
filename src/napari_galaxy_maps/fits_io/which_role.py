"""What an image is for: the sky itself, its uncertainty, or something beside it; by the names of
extension and file, as surveys give them, or by a person's word.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import get_args

from ..data.recipe import Role
from .which_band import bands_in_name, parts_of

ROLES: tuple[str, ...] = get_args(Role)
"""What an image may be for."""
OF_THE_SKY = ("image", "uncertainty", "variance", "weight")
"""The roles of images that are read; the others help to read them, or are left out."""

# Words that mean their role wherever they stand.
_SURE = {
    "uncertainty": {"unc", "uncert", "uncertainty", "err", "error", "errors", "sigma", "stddev",
        "rms", "stdev"},
    "variance": {"var", "variance"},
    "weight": {"ivar", "invvar", "weight", "weights", "wht", "wgt", "oow"},
    "exposure": {"cov", "coverage", "expmap", "rrhr", "expwt", "nexp", "exposure"},
    "mask": {"dq", "ood", "flags", "segm", "seg", "quality", "msk", "bpm"},
    "ignore": {"ctx", "skybg"},
}  # fmt: skip
# Words that mean it at either end of a name: "psf_matched" and "mask_applied" are images.
_AT_AN_END = {
    "uncertainty": {"noise", "std"},
    "weight": {"wt"},
    "exposure": {"exp", "num"},
    "mask": {"mask", "flag"},
    "psf": {"psf"},
    "ignore": {"con"},
}
_DONE = {
    "applied", "combined", "convolved", "corrected", "filtered", "free", "masked", "matched",
    "removed", "sub", "subtracted", "weighted", "to",
}  # fmt: skip
"""Words behind one of the others that say what was done with it."""
_SCIENCE = {"sci", "science", "int", "img", "image", "ooi", "drz", "drc", "i2d", "intensity"}
_PANSTARRS = {"skycell", "stk", "unconv", "wrp", "warp"}
_UNWISE = re.compile(r"w[1-4][_-]n[_-][mu]$", re.IGNORECASE)


def guess_role(extname: str, filename: str) -> str:
    """One of `ROLES`, from the names of extension and file; the extension's comes first."""
    return _role_of_extension(extname) or _role_of_file(filename) or "image"


def _role_of_extension(extname: str) -> str:
    words = [word.lower() for word in re.split(r"[_\-\s.]+", extname) if word]
    if set(words) & {"sci", "science"}:
        return "image"
    return _role_of_words(words)


def _role_of_file(filename: str) -> str:
    # A band's name is no end of a name: unc_SDSS_r, W1_noise, PSF_SPIRE_250.
    text = filename
    for _, part in bands_in_name(filename):
        text = re.sub(re.escape(part).replace("_", "[_.-]?"), "_", text, flags=re.IGNORECASE)
    words = [part.lower() for part in parts_of(text)]
    if _UNWISE.search("-".join(part.lower() for part in parts_of(filename))):
        return "exposure"  # unWISE's -n-m and -n-u count exposures
    if set(words) & _PANSTARRS and "wt" in words:
        return "variance"  # Pan-STARRS' weights are variances
    return _role_of_words(words)


def _role_of_words(words: list[str]) -> str:
    """The role that the words of a name tell, or nothing."""
    meant = [word for word, behind in pairwise([*words, ""]) if behind not in _DONE]
    for role, names in _SURE.items():
        if set(meant) & names:
            return role
    if set(meant) & _SCIENCE:
        return ""
    # Numbers, and letters of versions, are no end of a name.
    core = [word for word in words if not re.fullmatch(r"v?\d+[a-z]?|[a-z]", word)]
    ends = {word for word in (*core[:1], *core[-1:]) if word in meant}
    for role, names in _AT_AN_END.items():
        if ends & names:
            return role
    return ""
