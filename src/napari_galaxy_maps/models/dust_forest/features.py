"""From surface brightness in any of the input bands to the numbers that the trees see; the same for
galaxies and pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...bands.registry import get_band
from .colour_model import ColourModel
from .columns import MIN_OTHERS, NORMAL, Columns
from .columns import STAND_IN as STAND_IN  # for training


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
    ratio, error : ndarray of float64, shape (n, n_bands)
        F_band / F_WISE_3.4 and its error, NaN where missing; in the normalising band's place its
        intensity in MJy/sr.
    usable : ndarray of bool, shape (n,)
        Whether the normalising band is there and positive, and two others are there.
    missing : ndarray of bool, shape (n,)
        Whether a band that was given lacks a value here.
    columns : Columns
        Of the model that the spectra are for; their bands are the second axis.
    """

    ratio: np.ndarray
    error: np.ndarray
    usable: np.ndarray
    missing: np.ndarray
    columns: Columns


def normalise(
    values: np.ndarray,
    errors: np.ndarray,
    bands: Sequence[str],
    colour_term: ColourTerm,
    columns: Columns,
) -> Spectra:
    """Divide by WISE 3.4, or by what IRAC 3.6 says WISE 3.4 would be.

    Parameters
    ----------
    values, errors : ndarray, shape (n_bands, n)
        Surface brightness and its 1-sigma error in MJy/sr; NaN where missing, negative as measured.
        Where an error is missing or zero the band's calibration error stands in for it.
    bands : sequence of str
        Band names along the first axis, in any order; those that are not of the model are left out.
    colour_term : ColourTerm
        Used where WISE 3.4 is not among `bands`; its scatter is added to the error.
    columns : Columns
        Of the model.

    Raises
    ------
    ModelError
        As `Columns.usable`.
    """
    used = columns.usable(bands)
    normal_place, stand_in = columns.normal, columns.stand_in
    n = values.shape[1]
    flux, sigma = np.full((2, len(columns.bands), n), np.nan)
    missing = np.zeros(n, bool)
    for row, band in enumerate(get_band(b) for b in bands):
        if band.name not in used:
            continue
        i = columns.bands.index(band.name)
        flux[i], sigma[i] = values[row], errors[row]
        bad = ~np.isfinite(flux[i])
        flux[i, bad] = np.nan
        missing |= bad
        sigma[i] = np.where(
            sigma[i] > 0, sigma[i], np.maximum(band.calibration * np.abs(flux[i]), 1e-12)
        )
    if NORMAL not in used:
        flux[normal_place] = flux[stand_in] * 10**colour_term.offset
        scatter = flux[normal_place] * (10**colour_term.scatter - 1)
        sigma[normal_place] = np.hypot(sigma[stand_in] * 10**colour_term.offset, scatter)
        # It has been used; its ratio would be the constant just assumed.
        flux[stand_in] = sigma[stand_in] = np.nan
    normal = flux[normal_place]
    usable = (normal > 0) & (np.isfinite(flux[columns.others]).sum(0) >= MIN_OTHERS)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = flux / normal
        shared = np.where(np.isfinite(flux), flux, 0) * (sigma[normal_place] / normal)
        error = np.hypot(sigma, shared) / np.abs(normal)
    ratio[normal_place], error[normal_place] = normal, sigma[normal_place]
    return Spectra(ratio.T.copy(), error.T.copy(), usable, missing, columns)


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
    features : ndarray of float32, shape (n, n_features)
        `Columns.features`: the most probable log spectrum, its widths, and the ratios as observed
        (where nothing was, the most probable ones). No NaN.
    unusual : ndarray of float64, shape (n,)
        Squared Mahalanobis distance from the galaxies' colours per measured band.
    """
    columns = spectra.columns
    spectrum, width, chi2 = colours.infer(spectra.ratio, spectra.error)
    ratio = spectra.ratio[:, columns.others]
    filled = np.where(np.isnan(ratio), 10 ** np.clip(spectrum[:, columns.others], -8, 8), ratio)
    matrix = np.hstack([spectrum, width, filled]).astype(np.float32)
    if columns.feature_places is not None:
        matrix = matrix[:, columns.feature_places]
    measured = np.isfinite(spectra.ratio).sum(1)
    return matrix, chi2 / np.maximum(measured, 1)


def build(
    values: np.ndarray,
    errors: np.ndarray,
    bands: Sequence[str],
    colours: ColourModel,
    colour_term: ColourTerm,
    columns: Columns,
) -> np.ndarray:
    """`normalise` and `features` in one call: (n_bands, n) surface brightness to an (n, n_features)
    matrix, NaN where unusable.
    """
    spectra = normalise(values, errors, bands, colour_term, columns)
    matrix = np.full((values.shape[1], len(columns.features)), np.nan, np.float32)
    keep = spectra.usable
    matrix[keep] = features(select(spectra, keep), colours)[0]
    return matrix


def select(spectra: Spectra, keep: np.ndarray) -> Spectra:
    """The spectra where `keep` (bool or indices along n)."""
    return Spectra(
        spectra.ratio[keep],
        spectra.error[keep],
        spectra.usable[keep],
        spectra.missing[keep],
        spectra.columns,
    )
