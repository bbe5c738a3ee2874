"""Emission of Draine & Li's (2007) dust by field and PAH fraction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...bands.registry import get_band
from ...constants import SPEED_OF_LIGHT_MICRON_S
from ..datasets.band_numbers import filter_curve
from .template_files import table_in

LSUN_PER_MSUN = 138.0
"""Of Draine & Li's dust at U = 1."""
_TABLE = "dust_emission_themis_dl07.npz"
_U_MAX = 1e6
_MOST_HOT = 0.5


@dataclass(frozen=True, eq=False)
class DustSpectra:
    """Spectra of dust per luminosity.

    Attributes
    ----------
    fields : ndarray, shape (n_u,)
        Umin.
    pah_percent : ndarray, shape (n_q,)
    light : ndarray, shape (n_q, n_u, 2, n_bands)
        Mean L_nu of a band in Lsun/Hz per Lsun: in the single field Umin, and in a power law of
        fields (slope -2) upward from it.
    """

    fields: np.ndarray
    pah_percent: np.ndarray
    light: np.ndarray


def read_table(templates: Path, dust: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Wavelength in micron, spectra j_nu (n_q, n_u, 2, n_waves) in Jy cm2 / (sr H), Umin and the
    fraction of small grains of a dust of the folder of templates.

    Parameters
    ----------
    templates : Path
    dust : str
        ``"dl07"`` or ``"themis"``.

    Raises
    ------
    InputError
        When the table is not there.
    """
    small = {"dl07": "dl07_qpah_percent", "themis": "themis_qhac"}[dust]
    names = (f"{dust}_wavelength_um", f"{dust}_jy_cm2_per_sr_per_h", f"{dust}_umin", small)
    with np.load(table_in(templates, _TABLE), allow_pickle=False) as table:
        micron, spectra, umin, grains = (table[name].astype(float) for name in names)
    return micron, spectra, umin, grains


def read_dust(templates: Path, bands: Sequence[str]) -> DustSpectra:
    """Read Draine & Li's dust from the folder of templates.

    Raises
    ------
    InputError
        When the table is not there.
    """
    micron, spectra, fields, pah = read_table(templates, "dl07")
    total = np.trapezoid(spectra * SPEED_OF_LIGHT_MICRON_S / micron**2, micron, axis=-1)
    seen = band_means(micron, spectra, bands)
    return DustSpectra(fields, pah, (seen / total[..., None]).astype(np.float32))


def band_means(micron: np.ndarray, spectra: np.ndarray, bands: Sequence[str]) -> np.ndarray:
    """Means of spectra per Hz (..., n_waves) that a detector of photons sees, shape (..., n_bands);
    0 in bands short of the spectra.

    Raises
    ------
    InputError
        When the package of filter curves is not installed.
    """
    return np.stack([_band_mean(micron, spectra, band) for band in bands], axis=-1)


def _band_mean(micron: np.ndarray, spectra: np.ndarray, band: str) -> np.ndarray:
    curve = filter_curve(get_band(band).curve)
    if curve.micron[0] < micron[0]:
        return np.zeros(spectra.shape[:-1])
    weight = curve.response / curve.micron
    right = np.clip(np.searchsorted(micron, curve.micron), 1, len(micron) - 1)
    share = (curve.micron - micron[right - 1]) / (micron[right] - micron[right - 1])
    values = spectra[..., right - 1] * (1 - share) + spectra[..., right] * share
    mean = np.trapezoid(values * weight, curve.micron, axis=-1)
    return np.asarray(mean / np.trapezoid(weight, curve.micron))


def field_of(
    luminosity: np.ndarray, hot: np.ndarray, mass: np.ndarray, fields: np.ndarray
) -> np.ndarray:
    """Umin of dust that emits `luminosity` in a single field and `hot` in a power law of fields
    upward from it.

    The power law's dust, luminosity over its mean field, is taken from the mass.

    Parameters
    ----------
    luminosity, hot : ndarray, shape (n,)
        Lsun.
    mass : ndarray, shape (n,)
        Msun of Draine & Li's dust.
    fields : ndarray
        Umin of the table, whose ends are the least and the most.
    """
    low, high = float(fields[0]), float(fields[-1])
    scale = LSUN_PER_MSUN * np.maximum(mass, 1e-30)
    umin = np.clip(luminosity / scale, low, high)
    for _ in range(3):
        part = np.minimum(hot / (scale * umin * np.log(_U_MAX / umin)), _MOST_HOT)
        umin = np.clip(luminosity / scale / (1 - part), low, high)
    return np.asarray(umin)


def emission(
    spectra: DustSpectra, umin: np.ndarray, pah: np.ndarray, cold: np.ndarray, hot: np.ndarray
) -> np.ndarray:
    """Light by band of dust.

    Parameters
    ----------
    spectra : DustSpectra
    umin, pah : ndarray, shape (n,)
        Field, and mass fraction of PAHs in percent.
    cold, hot : ndarray, shape (n,)
        Luminosity in the single field and in the power law, Lsun.

    Returns
    -------
    ndarray of float32, shape (n, n_bands)
        Lsun/Hz.
    """
    steps_u, steps_q = (
        np.arange(len(k), dtype=float) for k in (spectra.fields, spectra.pah_percent)
    )
    at_u = np.interp(np.log10(umin), np.log10(spectra.fields), steps_u)
    at_q = np.interp(pah, spectra.pah_percent, steps_q)
    i, j = (
        np.minimum(at_u.astype(int), len(steps_u) - 2),
        np.minimum(at_q.astype(int), len(steps_q) - 2),
    )
    a, b = (at_u - i)[:, None].astype(np.float32), (at_q - j)[:, None].astype(np.float32)
    out = np.zeros((len(umin), spectra.light.shape[-1]), np.float32)
    for kind, light in ((0, cold), (1, hot)):
        table = spectra.light[:, :, kind]
        lower = table[j, i] * (1 - a) + table[j, i + 1] * a
        upper = table[j + 1, i] * (1 - a) + table[j + 1, i + 1] * a
        out += (lower * (1 - b) + upper * b) * light[:, None].astype(np.float32)
    return out
