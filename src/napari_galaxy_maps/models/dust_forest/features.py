"""From surface brightness in any of the input bands to the numbers that trees and networks see; the
same for galaxies and pixels.

All are relative to WISE 3.4: how bright a galaxy or a pixel is says nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from ...bands.registry import get_band
from .colour_model import ColourModel
from .columns import MIN_OTHERS, NORMAL, NOT_MEASURED, Columns
from .columns import STAND_IN as STAND_IN  # for training
from .dense_network import DenseNetwork

_SOFTENING = 0.03
"""Of a flux as usual colours make it, below which its asinh is linear."""
_SNR = (0.1, 100.0)
"""Signal-to-noise ratios are told within these limits, as log10; that of a missing flux is less."""
UNKNOWN_STAGE = -9.0
"""Stands for an unknown Hubble stage, which runs from -5 to 10."""
UNKNOWN_SCALE = 1.0
"""Stands for an unknown side, pc."""


@dataclass(frozen=True)
class ColourTerm:
    """How WISE 3.4 follows from IRAC 3.6: log10 F_WISE = log10 F_IRAC + offset, with a scatter,
    both in dex.
    """

    offset: float
    scatter: float


@dataclass(frozen=True)
class Spectra:
    """Surface brightness relative to WISE 3.4, for every other input band.

    Attributes
    ----------
    ratio, error : ndarray of float64, shape (n, n_bands - 1)
        F_band / F_WISE_3.4 and its error, NaN where missing.
    normal, normal_error : ndarray of float64, shape (n,)
        Intensity of the normalising band and its error in MJy/sr.
    stage : ndarray of float64, shape (n,)
        Hubble stage, or `UNKNOWN_STAGE`.
    scale_pc : ndarray of float64, shape (n,)
        Side of the pixel, of a whole galaxy the root of its aperture's area; or `UNKNOWN_SCALE`.
    usable : ndarray of bool, shape (n,)
        Whether the normalising band is there and positive, and two others are there.
    missing : ndarray of bool, shape (n,)
        Whether a band that was given lacks a value here.
    columns : Columns
        Of the model that the spectra are for; its bands but the normalising one are the second
        axis.
    """

    ratio: np.ndarray
    error: np.ndarray
    normal: np.ndarray
    normal_error: np.ndarray
    stage: np.ndarray
    scale_pc: np.ndarray
    usable: np.ndarray
    missing: np.ndarray
    columns: Columns


def normalise(
    values: np.ndarray,
    errors: np.ndarray,
    bands: Sequence[str],
    colour_term: ColourTerm,
    columns: Columns,
    stage: np.ndarray | float | None = None,
    scale_pc: np.ndarray | float | None = None,
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
    stage : ndarray of shape (n,), or float, optional
        Hubble stage; None or NaN where it is not known.
    scale_pc : ndarray of shape (n,), or float, optional
        Side of a pixel in pc, of a whole galaxy the root of its aperture's area; None, NaN or 0
        where it is not known.

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
    normal, normal_error = flux[normal_place], sigma[normal_place]
    flux, sigma = flux[columns.others], sigma[columns.others]
    usable = (normal > 0) & (np.isfinite(flux).sum(0) >= MIN_OTHERS)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = flux / normal
        shared = np.where(np.isfinite(flux), flux, 0) * (normal_error / normal)
        error = np.hypot(sigma, shared) / np.abs(normal)
    known, side = (np.broadcast_to(np.nan if v is None else v, (n,)) for v in (stage, scale_pc))
    return Spectra(
        ratio.T.copy(),
        error.T.copy(),
        normal,
        normal_error,
        np.where(np.isfinite(known), known, UNKNOWN_STAGE),
        np.where(side > 0, side, UNKNOWN_SCALE),
        usable,
        missing,
        columns,
    )


def features(
    spectra: Spectra, colours: ColourModel, sed: DenseNetwork
) -> tuple[np.ndarray, np.ndarray]:
    """What trees and networks see, and how unusual each spectrum is.

    Parameters
    ----------
    spectra : Spectra
        All of them usable.
    colours : ColourModel
        Fills the gaps.
    sed : DenseNetwork
        Says from `before_fit` what a fit of model spectra would say (`sed_names.NAMES`).

    Returns
    -------
    features : ndarray of float32, shape (n, n_features)
        `Columns.features`. No NaN.
    unusual : ndarray of float64, shape (n,)
        Squared Mahalanobis distance from the galaxies' colours per measured band.
    """
    columns = spectra.columns
    seen, unusual = before_fit(spectra, colours)
    matrix = np.hstack([seen, sed.predict(seen), spectra.stage[:, None].astype(np.float32)])
    if columns.feature_places is not None:
        matrix = matrix[:, columns.feature_places]
    return matrix, unusual


def before_fit(spectra: Spectra, colours: ColourModel) -> tuple[np.ndarray, np.ndarray]:
    """The features that come from the fluxes themselves, and how unusual each spectrum is.

    Returns
    -------
    ndarray of float32, shape (n, 4 (n_bands - 1) + 1)
        The most probable log spectrum and its widths, asinh of the ratios as observed (where
        nothing was, of the most probable ones), and log10 of the signal-to-noise ratios.
    unusual : ndarray of float64, shape (n,)
    """
    spectrum, width, chi2 = colours.infer(spectra.ratio, spectra.error)
    measured = np.isfinite(spectra.ratio)
    soft = np.float32(2 * _SOFTENING) * (10**colours.mean).astype(np.float32)
    ratio = spectra.ratio.astype(np.float32)
    scaled = (
        np.where(
            measured, ratio, np.power(np.float32(10), np.clip(spectrum, -8, 8).astype(np.float32))
        )
        / soft
    )
    with np.errstate(invalid="ignore"):
        snr = np.column_stack(
            [ratio / spectra.error.astype(np.float32), spectra.normal / spectra.normal_error]
        ).astype(np.float32)
        snr = np.log10(np.clip(np.nan_to_num(snr, nan=1.0), *_SNR))
    snr[:, :-1][~measured] = NOT_MEASURED
    asinh = np.arcsinh(scaled) / np.float32(np.log(10))
    matrix = np.hstack([spectrum.astype(np.float32), width.astype(np.float32), asinh, snr])
    return matrix, chi2 / np.maximum(measured.sum(1), 1)


def select(spectra: Spectra, keep: np.ndarray) -> Spectra:
    """The spectra where `keep` (bool or indices along n)."""
    rows = [f.name for f in fields(Spectra) if f.name != "columns"]
    return Spectra(**{name: getattr(spectra, name)[keep] for name in rows}, columns=spectra.columns)
