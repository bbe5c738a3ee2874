"""What lies beside an image in its file: what kind of error a plane holds, masks, exposures; and
whether weights are what they are taken for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import InputError, brief
from .no_data import percent
from .open_fits import BROKEN, opened

if TYPE_CHECKING:
    from astropy.io.fits import HDUList

UTYPES = {
    "stddevuncertainty": "uncertainty", "std": "uncertainty", "stddev": "uncertainty",
    "varianceuncertainty": "variance", "var": "variance", "variance": "variance",
    "inversevariance": "weight", "ivar": "weight", "inverse_variance": "weight",
}  # fmt: skip
"""The role of a plane by its keyword UTYPE, as astropy's NDData and CCDData write it."""
_MASKS = {"mask", "dq", "flag", "flags", "quality", "badpix", "bpm"}
_COVERAGE = {
    "exp", "expmap", "exposure", "cov", "coverage", "rrhr", "wht", "wgt", "weight", "weights", "wt",
    "ivar", "invvar",
}  # fmt: skip
MOST_FLAGGED = 0.5
"""Share of an image above which flags are no reason to leave pixels out."""
PLAUSIBLE = 3.0
"""Factor between the errors that weights make and the image's own noise up to which they agree."""


def role_of_utype(header: Mapping[str, Any]) -> str | None:
    """``"uncertainty"``, ``"variance"`` or ``"weight"`` by an extension's keyword UTYPE,
    ``"ignore"`` where that is an uncertainty of another kind; None where it tells nothing.
    """
    text = str(header.get("UTYPE") or "").strip().lower()
    if text in UTYPES:
        return UTYPES[text]
    return "ignore" if "uncert" in text else None


def what_for(extname: str) -> str:
    """What an extension that is no image of the sky is used for, as the end of a sentence."""
    if is_mask(extname):
        return "which is used for the pixels that it flags"
    if is_coverage(extname):
        return "which is used for the pixels where it is zero"
    return "which is not used"


def is_mask(extname: str) -> bool:
    """Whether an extension of this name holds pixels' flags, 0 for good."""
    return bool(_words(extname) & _MASKS)


def is_coverage(extname: str) -> bool:
    """Whether an extension of this name holds exposures or weights, 0 where nothing was seen."""
    return bool(_words(extname) & _COVERAGE)


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.split(r"[_\-\s.,]+", name)}


@dataclass(frozen=True)
class Neighbours:
    """The planes beside an image that tell which of its pixels to use.

    Attributes
    ----------
    flagged : dict
        Arrays of bool by the name of the extension, True where the pixel is flagged.
    coverage : ndarray or None
        Exposure, coverage or weight.
    coverage_name : str
        Of its extension.
    """

    flagged: dict[str, np.ndarray]
    coverage: np.ndarray | None = None
    coverage_name: str = ""


def planes_beside(path: Path, number: int, shape: tuple[int, int]) -> Neighbours:
    """The masks and the exposure or weight map that belong to an image, from its own file.

    Parameters
    ----------
    path : Path
        The file.
    number : int
        The image's extension.
    shape : (ny, nx)
        Of the image; planes of another shape belong to another. Where the file holds several
        images, the version of the extension (EXTVER) has to be the same.

    Raises
    ------
    InputError
        When such a plane is damaged.
    """
    with opened(path) as hdus:
        flagged: dict[str, np.ndarray] = {}
        coverage, coverage_name = None, ""
        for name, hdu in _named_planes(hdus, number):
            if not (is_mask(name) or (is_coverage(name) and coverage is None)):
                continue
            if tuple(n for n in hdu.shape if n != 1) != tuple(n for n in shape if n != 1):
                continue
            try:
                plane = np.asarray(hdu.data).reshape(shape)
                if is_mask(name):
                    flagged[name] = np.isfinite(plane) & (plane != 0)
                else:
                    coverage, coverage_name = plane.astype(np.float32), name
            except BROKEN as error:
                raise InputError(
                    f"{path}: its extension {name} is damaged ({brief(error)}); fetch it again."
                ) from None
    return Neighbours(flagged, coverage, coverage_name)


def coverage_beside(path: Path, shape: tuple[int, int]) -> tuple[np.ndarray | None, str]:
    """The exposure map that lies beside a GALEX image of counts or counts per second, by the names
    of GALEX's archive (``-int`` and ``-cnt`` beside ``-rrhr`` or ``-exp``), and its name; None
    where there is none, or none of this shape.
    """
    for word in ("rrhr", "exp"):
        other = path.with_name(re.sub(r"-(int|cnt)(?=[-.])", f"-{word}", path.name))
        if other == path or not other.is_file():
            continue
        try:
            with opened(other) as hdus:
                plane = next(np.asarray(hdu.data) for hdu in hdus if hdu.shape)
        except (InputError, StopIteration, *BROKEN):
            continue
        if plane.shape == shape:
            return plane.astype(np.float32), other.name
    return None, ""


def _named_planes(hdus: HDUList, number: int) -> list[tuple[str, Any]]:
    """Names and extensions of the other images of a file that may belong to image `number`."""
    images = [
        (index, str(hdu.name), hdu)
        for index, hdu in enumerate(hdus)
        if getattr(hdu, "is_image", False) and hdu.shape
    ]
    own = next((hdu for index, _, hdu in images if index == number), None)
    others = [item for item in images if item[0] != number and (item[1] or item[0])]
    versions = {getattr(hdu, "ver", 1) for _, _, hdu in images}
    if len(versions) > 1 and own is not None:
        others = [item for item in others if getattr(item[2], "ver", 1) == own.ver]
    return [(name, hdu) for _, name, hdu in others]


def blank_flagged(
    data: np.ndarray, flagged: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The pixels with NaN where they are flagged, and what is said of it.

    Flags of more than half of the image are left out: they are states (of the detector, of the
    reduction) and not faults, or a mask that says 1 for good.

    Parameters
    ----------
    data : ndarray of float, shape (ny, nx)
        Pixel values; not changed.
    flagged : mapping
        Arrays of bool of the same shape by name.
    """
    notes = []
    for name, flags in flagged.items():
        share = float(flags.mean())
        if share > MOST_FLAGGED:
            notes.append(
                f"its {name} flags {percent(share)} of the pixels, too many for faults: left out, "
                "all pixels stay"
            )
        elif share:
            data = np.where(flags, data.dtype.type(np.nan), data)
            notes.append(f"{percent(share)} of the pixels, flagged in its {name}, are blank")
    return data, tuple(notes)


def sigma_from_weights(
    data: np.ndarray, weight: np.ndarray, label: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    """1-sigma errors from a weight map that may be an inverse variance, an exposure or a variance.

    The noise of the image itself decides: differences of pixels a few apart, divided by the errors
    that the weights make, scatter by 1 where these are inverse variances. By more than a factor of
    3 off, weights are relative (HST's are exposure times), and are scaled to the noise; where the
    noise grows with the weight as it does with a variance, they are variances.

    Parameters
    ----------
    data : ndarray of float, shape (ny, nx)
        The image in its own unit, NaN where blank.
    weight : ndarray, shape (ny, nx)
        The weights.
    label : str
        What to call them.

    Returns
    -------
    sigma : ndarray of float32, shape (ny, nx)
        In the image's unit; NaN where the weight is not positive.
    notes : tuple of str
        What was found wrong, in words.
    """
    good = np.isfinite(weight) & (weight > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        sigma = np.where(good, 1 / np.sqrt(weight.astype(np.float64)), np.nan)
        variance = np.where(good, np.sqrt(weight.astype(np.float64)), np.nan)
    slope = _slope(data, weight)
    if slope is not None and slope > 0.5:
        ratio = _noise_over(data, variance)
        if ratio is not None and 1 / PLAUSIBLE < ratio < PLAUSIBLE:
            return variance.astype(np.float32), (
                f"the noise grows with the weights of {label}: taken as a variance",
            )
    ratio = _noise_over(data, sigma)
    if ratio is None or 1 / PLAUSIBLE <= ratio <= PLAUSIBLE:
        return sigma.astype(np.float32), ()
    return (sigma * ratio).astype(np.float32), (
        f"the weights of {label} are no inverse variance (errors from them are "
        f"{1 / ratio:.3g} times the image's noise): taken as relative, and scaled to the noise",
    )


LAGS = (8, 4)
"""Pixels between those whose second difference is taken as noise, in images of 64 pixels and more
and in smaller ones: beyond what resampling ties together.
"""
FAINT = 40
"""Percent of the image that are taken as sky, the faintest when smoothed."""
FEWEST = 100
"""Differences from which the noise is told."""


def _sky_differences(data: np.ndarray) -> list[tuple[np.ndarray, list[tuple[slice, ...]]]]:
    """Second differences along each axis, which know no gradient, NaN outside the sky; with where
    the three pixels of each are.
    """
    from scipy import ndimage

    finite = np.isfinite(data)
    if not finite.any():
        return []
    filled = np.where(finite, data, np.median(data[finite])).astype(np.float64)
    smooth = ndimage.gaussian_filter(filled, 4)
    sky = np.where(finite & (smooth <= np.percentile(smooth[finite], FAINT)), filled, np.nan)
    lag = LAGS[0] if min(data.shape) >= 64 else LAGS[1]
    found = []
    for axis in (0, 1):
        size = data.shape[axis]
        if size <= 2 * lag:
            continue
        parts = [
            tuple(slice(n, size - 2 * lag + n) if k == axis else slice(None) for k in (0, 1))
            for n in (0, lag, 2 * lag)
        ]
        before, here, after = (sky[part] for part in parts)
        found.append((before - 2 * here + after, parts))
    return found


def _noise_over(data: np.ndarray, sigma: np.ndarray) -> float | None:
    """Robust noise of the sky in units of `sigma`, or None where it cannot be told."""
    from astropy.stats import mad_std

    scaled = [np.empty(0)]
    for step, (before, here, after) in _sky_differences(data):
        step = step / np.sqrt(sigma[before] ** 2 + 4 * sigma[here] ** 2 + sigma[after] ** 2)
        scaled.append(step[np.isfinite(step)])
    values = np.concatenate(scaled)
    noise = float(mad_std(values)) if values.size >= FEWEST else 0.0
    return noise if noise > 0 else None


def _slope(data: np.ndarray, weight: np.ndarray) -> float | None:
    """How the log of the noise's square goes with the log of the weight (-1 for inverse variances,
    1 for variances), from its lowest to its highest quarter; None where weights are too much alike.
    """
    from astropy.stats import mad_std

    steps, weights = [np.empty(0)], [np.empty(0)]
    log = np.log10(np.where(weight > 0, weight, np.nan).astype(np.float64))
    for step, parts in _sky_differences(data):
        three = np.stack([log[part] for part in parts])
        alike = np.isfinite(step) & (np.ptp(three, axis=0) < 0.3)
        steps.append(step[alike])
        weights.append(three.mean(axis=0)[alike])
    found, log = np.concatenate(steps), np.concatenate(weights)
    if found.size < 4 * FEWEST:
        return None
    low, high = np.percentile(log, [25, 75])
    if high - low < 0.6:
        return None
    noise = [float(mad_std(found[part])) for part in (log <= low, log >= high)]
    if min(noise) <= 0:
        return None
    return 2 * float(
        np.log10(noise[1] / noise[0]) / (np.median(log[log >= high]) - np.median(log[log <= low]))
    )
