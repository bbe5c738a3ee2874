"""What an image is for: the sky itself, its uncertainty, or something beside it; by the names of
extension and file, as surveys give them, or by a person's word.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cache
from itertools import pairwise
from typing import Any, get_args

from ..bands.cameras import CAMERAS, cameras_in_name, role_words
from ..data.recipe import Role
from .which_band import bands_in_name, parts_of

ROLES: tuple[str, ...] = get_args(Role)
"""What an image may be for."""
OF_THE_SKY = ("image", "uncertainty", "variance", "weight")
"""The roles of images of the sky and their errors."""
BESIDE = ("mask", "exposure")
"""The roles of images that tell which pixels of another one hold data."""

# Words that mean their role wherever they stand.
_SURE = {
    "uncertainty": {"unc", "uncert", "uncertainty", "err", "error", "errors", "sigma", "stddev",
        "rms", "stdev"},
    "variance": {"var", "variance"},
    "weight": {"ivar", "invvar", "weight", "weights", "wht", "wgt", "wei"},
    "exposure": {"cov", "coverage", "expmap", "expwt", "nexp", "exposure"},
    "mask": {"dq", "flags", "quality", "msk", "bpm", "badpix"},
    # Segments are sources: where there are any, nothing is wrong.
    "ignore": {"ctx", "segm", "seg", "segmentation"},
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
_SCIENCE = {"sci", "science", "int", "img", "image", "drz", "drc", "i2d", "intensity"}
_UTYPES = {
    "stddevuncertainty": "uncertainty", "std": "uncertainty", "stddev": "uncertainty",
    "varianceuncertainty": "variance", "var": "variance", "variance": "variance",
    "inversevariance": "weight", "ivar": "weight", "inverse_variance": "weight",
}  # fmt: skip
"""The role of a plane by its keyword UTYPE, as astropy's NDData and CCDData write it."""


_TYPES = ("IMTYPE", "IMAGETYP", "EXTTYPE")
"""Keywords with a word for what an extension is: the Legacy Surveys', the LSST's."""


def role_of_header(header: Mapping[str, Any]) -> str | None:
    """One of `ROLES` by an extension's own keywords; None where they tell nothing. An uncertainty
    of a kind that is not known is to be ignored.
    """
    text = str(header.get("UTYPE") or "").strip().lower()
    if text in _UTYPES:
        return _UTYPES[text]
    if "uncert" in text:
        return "ignore"
    found = (_role_of_words([str(header.get(key) or "").strip().lower()], {}) for key in _TYPES)
    return next((role for role in found if role), None)


def guess_role(extname: str, filename: str, cameras: Collection[str] = ()) -> str:
    """One of `ROLES`, from the names of extension and file; the extension's comes first.

    Parameters
    ----------
    extname, filename : str
        The names; the extension's is empty where it has none.
    cameras : collection of str
        The cameras or surveys that the headers call: their customs count.
    """
    bands = bands_in_name(filename)
    called = {*cameras, *cameras_in_name(parts_of(filename)), *(band.survey for band, _ in bands)}
    words = role_words(sorted(called))
    # A band's name is no end of a name: unc_SDSS_r, W1_noise, PSF_SPIRE_250.
    text = filename
    for _, part in bands:
        text = re.sub(re.escape(part).replace("_", "[_.-]?"), "_", text, flags=re.IGNORECASE)
    file_words = [part.lower() for part in parts_of(text)]
    return _of_extension(extname, words) or _role_of_words(file_words, words) or "image"


@cache
def name_without_role(filename: str) -> frozenset[str]:
    """The words of a file's name without those that tell its role: they are also in the names of
    the images that it belongs to.
    """
    role = {word for table in (_SURE, _AT_AN_END) for names in table.values() for word in names}
    role |= _SCIENCE | {part for word in role_words(CAMERAS) for part in word.split("_")}
    return frozenset(part.lower() for part in parts_of(filename)) - role


def _of_extension(extname: str, customs: Mapping[str, str]) -> str:
    words = [word.lower() for word in re.split(r"[_\-\s.]+", extname) if word]
    if set(words) & {"sci", "science"} and (len(words) < 2 or not _role_of_words(words[-1:], {})):
        return "image"
    return _role_of_words([word for word in words if word not in ("sci", "science")], customs)


def _role_of_words(words: list[str], customs: Mapping[str, str]) -> str:
    """The role that the words of a name tell, or nothing."""
    pairs = {f"{one}_{other}" for one, other in pairwise(words)}
    for word in (*words, *pairs):
        if word in customs:
            return customs[word]
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
