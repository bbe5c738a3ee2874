"""What a fit of THEMIS says of dust of Draine & Li's (2007): the mass and the temperature that real
galaxies' truths would have if they shone like that.

At one luminosity and field the two dusts differ by a constant in mass, 138 Lsun per Msun at U = 1
against 224. But a fit does not find the field: Draine & Li's opacity falls faster with wavelength,
so that their light is that of a warmer THEMIS. Fitted as real galaxies were (CIGALE's grid of Umin,
qhac and gamma, 10 % of the flux as error; Nersesian+ 2019), it has 0.2 dex less mass and is 2 K
warmer than those constants say. That is a difference of conventions and none of a model's, so that
the truth of this set is told as the fit tells it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...constants import LSUN_ERG_S, MSUN_G, SPEED_OF_LIGHT_MICRON_S
from .dust_emission import band_means, read_table

FITTED = (
    "Spitzer_8.0", "WISE_12", "WISE_22", "PACS_70", "PACS_100", "PACS_160", "SPIRE_250",
    "SPIRE_350", "SPIRE_500",
)  # fmt: skip
ERROR = 0.1
GAMMA = (0.0, 0.001, 0.002, 0.004, 0.008, 0.016, 0.031, 0.063, 0.13, 0.25, 0.5)
"""Of CIGALE's fits of the real galaxies. Umin and qhac are all that the table has: the fits' own 14
values of Umin are so far apart that a temperature would wander by 1 K between them.
"""
HOT_SHARES = (0.0, 0.05, 0.1, 0.2, 0.35, 0.6)
"""Shares of the luminosity in the power law of fields for which fits are made."""
_LSUN_PER_MSUN = 224.0  # of THEMIS at U = 1
_DUST_TO_HYDROGEN = 7.4e-3  # of THEMIS (Jones+ 2017)
_HYDROGEN_G = 1.6735e-24


@dataclass(frozen=True, eq=False)
class ThemisFit:
    """Fits of Draine & Li's dust, on a grid of its own.

    Attributes
    ----------
    log_field : ndarray, shape (n_u,)
        log10 of Umin.
    pah_percent : ndarray, shape (n_q,)
    log_mass : ndarray, shape (n_hot, n_q, n_u)
        log10 of THEMIS's mass in Msun per Lsun, at `HOT_SHARES`.
    kelvin : ndarray, shape (n_hot, n_q, n_u)
        Its temperature.
    """

    log_field: np.ndarray
    pah_percent: np.ndarray
    log_mass: np.ndarray
    kelvin: np.ndarray

    def at(
        self, umin: np.ndarray, pah: np.ndarray, hot_share: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """THEMIS's mass in Msun per Lsun, and its temperature in K, shape (n,)."""
        from scipy.interpolate import RegularGridInterpolator

        axes = (np.array(HOT_SHARES), self.pah_percent, self.log_field)
        place = [
            np.clip(value, axis[0], axis[-1])
            for value, axis in zip((hot_share, pah, np.log10(umin)), axes, strict=True)
        ]
        points = np.stack(place, axis=-1)
        log_mass, kelvin = (
            RegularGridInterpolator(axes, plane)(points) for plane in (self.log_mass, self.kelvin)
        )
        return 10**log_mass, kelvin


def fit_themis(templates: Path) -> ThemisFit:
    """Fit THEMIS to the dust of Draine & Li in the folder of templates.

    Each quantity is the mean over all models, weighted by their likelihood, as CIGALE gives it.

    Raises
    ------
    InputError
        When the table is not there.
    """
    library, field = _library(templates)
    seen, field_dl, pah = _to_be_fitted(templates)
    mass, kelvin = np.empty(seen.shape[:-1]), np.empty(seen.shape[:-1])
    for place in np.ndindex(mass.shape):
        mass[place], kelvin[place] = fitted(seen[place], library, field)
    return ThemisFit(np.log10(field_dl), pah, np.log10(mass), kelvin)


def fitted(flux: np.ndarray, library: np.ndarray, field: np.ndarray) -> tuple[float, float]:
    """Mean mass and temperature of the models that give a flux.

    Parameters
    ----------
    flux : ndarray, shape (n_bands,)
    library : ndarray, shape (n_models, n_bands)
        Fluxes per Msun.
    field : ndarray, shape (n_models,)
        Their Umin.
    """
    ratio = library / (ERROR * flux)
    wanted = 1 / ERROR
    mass = (ratio * wanted).sum(axis=1) / (ratio**2).sum(axis=1)
    chi2 = ((mass[:, None] * ratio - wanted) ** 2).sum(axis=1)
    weight = np.exp(-(chi2 - chi2.min()) / 2)
    weight /= weight.sum()
    return float(weight @ mass), float(weight @ (18.3 * field ** (1 / 5.79)))


def _library(templates: Path) -> tuple[np.ndarray, np.ndarray]:
    """Models of THEMIS, per Msun, and their Umin."""
    micron, spectra, umin, _ = read_table(templates, "themis")
    to_lsun = 4 * np.pi * 1e-23 / LSUN_ERG_S * MSUN_G / (_DUST_TO_HYDROGEN * _HYDROGEN_G)
    light = band_means(micron, spectra, FITTED) * to_lsun
    gamma = np.array(GAMMA)[:, None]
    models = light[:, :, None, 0] * (1 - gamma) + light[:, :, None, 1] * gamma
    field = np.broadcast_to(umin[None, :, None], models.shape[:3])
    return models.reshape(-1, len(FITTED)), field.ravel()


def _to_be_fitted(templates: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Light of Draine & Li's dust per Lsun, shape (n_hot, n_q, n_u, n_bands); Umin and percent of
    PAHs.
    """
    micron, spectra, umin, pah = read_table(templates, "dl07")
    total = np.trapezoid(spectra * SPEED_OF_LIGHT_MICRON_S / micron**2, micron, axis=-1)
    light = band_means(micron, spectra, FITTED) / total[..., None]
    share = np.array(HOT_SHARES)[:, None, None, None]
    return light[:, :, 0] * (1 - share) + light[:, :, 1] * share, umin, pah


def by_constants(umin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mass in Msun per Lsun of THEMIS, and temperature, if a fit found Draine & Li's field: what
    `ThemisFit` is to be held against.
    """
    return 1 / (_LSUN_PER_MSUN * umin), 18.3 * umin ** (1 / 5.79)
