"""From surface brightness in any of the input bands to the numbers that the trees see; the same for
galaxies and pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...bands.registry import INPUT_BANDS, get_band
from ...exceptions import ModelError
from .colours import ColourModel

NORMAL, STAND_IN = "WISE_3.4", "Spitzer_3.6"
_NORMAL, _STAND_IN = INPUT_BANDS.index(NORMAL), INPUT_BANDS.index(STAND_IN)
_OTHERS = [i for i in range(len(INPUT_BANDS)) if i != _NORMAL]
MIN_OTHERS = 2
"""Fewest bands besides the normalising one."""

FEATURE_NAMES: tuple[str, ...] = (
    *(f"log {b}" for b in INPUT_BANDS), *(f"width {b}" for b in INPUT_BANDS), *(f"ratio {INPUT_BANDS[i]}" for i in _OTHERS)
)  # fmt: skip


@dataclass(frozen=True)
class ColourTerm:
    """How WISE 3.4 follows from IRAC 3.6: log10 F_WISE = log10 F_IRAC + offset, with a scatter,
    both in dex.
    """

    offset: float
    scatter: float


@dataclass(frozen=True)
class Spectra:
    """Surface brightness relative to WISE 3.4, for every input band.

    Attributes
    ----------
    ratio, error : ndarray of float64, shape (n, 18)
        F_band / F_WISE_3.4 and its error, NaN where missing; in the normalising band's place its
        intensity in MJy/sr.
    usable : ndarray of bool, shape (n,)
        Whether the normalising band is there and positive, and two others are there.
    missing : ndarray of bool, shape (n,)
        Whether a band that was given lacks a value here.
    """

    ratio: np.ndarray
    error: np.ndarray
    usable: np.ndarray
    missing: np.ndarray


def usable_bands(bands: Sequence[str]) -> tuple[str, ...]:
    """The bands out of `bands` that the model uses.

    Raises
    ------
    ModelError
        When there is neither WISE 3.4 nor IRAC 3.6, or there are fewer than two others.
    """
    names = tuple(name for name in (get_band(b).name for b in bands) if name in INPUT_BANDS)
    have = ", ".join(names) or "none of its bands"
    if NORMAL not in names and STAND_IN not in names:
        raise ModelError(
            f"The model dust-forest needs {NORMAL} (or {STAND_IN}), to which it compares the other bands, and got {have}; "
            "add an image in that band."
        )
    normal = NORMAL if NORMAL in names else STAND_IN
    if len(names) - 1 < MIN_OTHERS:
        raise ModelError(
            f"The model dust-forest needs at least {MIN_OTHERS} input bands besides {normal} and got {have}; add images between "
            "the ultraviolet and 22 micron."
        )
    return names


def normalise(
    values: np.ndarray, errors: np.ndarray, bands: Sequence[str], colour_term: ColourTerm
) -> Spectra:
    """Divide by WISE 3.4, or by what IRAC 3.6 says WISE 3.4 would be.

    Parameters
    ----------
    values, errors : ndarray, shape (n_bands, n)
        Surface brightness and its 1-sigma error in MJy/sr; NaN where missing, negative as measured.
        Where an error is missing or zero the band's calibration error stands in for it.
    bands : sequence of str
        Band names along the first axis, in any order; far-infrared ones are left out.
    colour_term : ColourTerm
        Used where WISE 3.4 is not among `bands`; its scatter is added to the error.

    Raises
    ------
    ModelError
        As `usable_bands`.
    """
    used = usable_bands(bands)
    n = values.shape[1]
    flux, sigma = np.full((len(INPUT_BANDS), n), np.nan), np.full((len(INPUT_BANDS), n), np.nan)
    missing = np.zeros(n, bool)
    for row, band in enumerate(get_band(b) for b in bands):
        if band.name not in used:
            continue
        i = INPUT_BANDS.index(band.name)
        flux[i], sigma[i] = values[row], errors[row]
        bad = ~np.isfinite(flux[i])
        flux[i, bad] = np.nan
        missing |= bad
        sigma[i] = np.where(
            sigma[i] > 0, sigma[i], np.maximum(band.calibration * np.abs(flux[i]), 1e-12)
        )
    if NORMAL not in used:
        flux[_NORMAL] = flux[_STAND_IN] * 10**colour_term.offset
        scatter = flux[_NORMAL] * (10**colour_term.scatter - 1)
        sigma[_NORMAL] = np.hypot(sigma[_STAND_IN] * 10**colour_term.offset, scatter)
        flux[_STAND_IN] = sigma[_STAND_IN] = (
            np.nan
        )  # it has been used; its ratio would be the constant just assumed
    normal = flux[_NORMAL]
    usable = (normal > 0) & (np.isfinite(flux[_OTHERS]).sum(0) >= MIN_OTHERS)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = flux / normal
        error = np.hypot(
            sigma, np.where(np.isfinite(flux), flux, 0) * (sigma[_NORMAL] / normal)
        ) / np.abs(normal)
    ratio[_NORMAL], error[_NORMAL] = normal, sigma[_NORMAL]
    return Spectra(ratio.T.copy(), error.T.copy(), usable, missing)


def features(spectra: Spectra, colours: ColourModel) -> tuple[np.ndarray, np.ndarray]:
    """What the trees see, and how unusual each spectrum is.

    Parameters
    ----------
    spectra : Spectra
        All of them usable.
    colours : ColourModel
        Fills the gaps.

    Returns
    -------
    features : ndarray of float32, shape (n, 53)
        `FEATURE_NAMES`: the most probable log spectrum, its widths, and the ratios as observed
        (where nothing was, the most probable ones). No NaN.
    unusual : ndarray of float64, shape (n,)
        Squared Mahalanobis distance from the galaxies' colours per measured band.
    """
    spectrum, width, chi2 = colours.infer(spectra.ratio, spectra.error)
    ratio = spectra.ratio[:, _OTHERS]
    filled = np.where(np.isnan(ratio), 10 ** np.clip(spectrum[:, _OTHERS], -8, 8), ratio)
    measured = np.isfinite(spectra.ratio).sum(1)
    return np.hstack([spectrum, width, filled]).astype(np.float32), chi2 / np.maximum(measured, 1)


def build(
    values: np.ndarray,
    errors: np.ndarray,
    bands: Sequence[str],
    colours: ColourModel,
    colour_term: ColourTerm,
) -> np.ndarray:
    """`normalise` and `features` in one call: (n_bands, n) surface brightness to an (n, 53) matrix,
    NaN where unusable.
    """
    spectra = normalise(values, errors, bands, colour_term)
    matrix = np.full((values.shape[1], len(FEATURE_NAMES)), np.nan, np.float32)
    keep = spectra.usable
    matrix[keep] = features(select(spectra, keep), colours)[0]
    return matrix


def select(spectra: Spectra, keep: np.ndarray) -> Spectra:
    """The spectra where `keep` (bool or indices along n)."""
    return Spectra(
        spectra.ratio[keep], spectra.error[keep], spectra.usable[keep], spectra.missing[keep]
    )
