"""Simple stellar populations on bins of wavelength, and what bands see of these bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...bands.registry import get_band
from ...constants import LSUN_ERG_S, PLANCK_CONSTANT_ERG_S, SPEED_OF_LIGHT_ANGSTROM_S
from ..datasets.band_numbers import filter_curve
from .template_files import table_in

EDGES_UM = np.concatenate([np.geomspace(0.0912, 5.0, 201), np.geomspace(5.0, 30.0, 19)[1:]])
"""Edges of the bins, micron: 2 % wide where dust dims stars, 10 % beyond."""
MIDDLES_UM = np.sqrt(EDGES_UM[1:] * EDGES_UM[:-1])
N_BINS = len(MIDDLES_UM)

_TABLE = "bc03_lr_chabrier_ssp.npz"
_TABLE_LSUN_ERG_S = 3.826e33
_LYMAN_ANGSTROM = 912.0


@dataclass(frozen=True, eq=False)
class Populations:
    """Populations of one age and metallicity (Bruzual & Charlot 2003, Chabrier's initial mass
    function), per Msun formed.

    Attributes
    ----------
    age_yr : ndarray, shape (n_ages,)
    metallicity : ndarray, shape (n_metals,)
        Mass fraction of metals.
    light : ndarray, shape (n_metals, n_ages, N_BINS)
        Lsun in every bin.
    ionising : ndarray, shape (n_metals, n_ages)
        Lsun beyond the Lyman limit.
    photons : ndarray, shape (n_metals, n_ages)
        Ionising photons per second.
    bolometric : ndarray, shape (n_metals, n_ages)
        Lsun, ionising light included.
    surviving : ndarray, shape (n_metals, n_ages)
        Msun in stars and remnants.
    """

    age_yr: np.ndarray
    metallicity: np.ndarray
    light: np.ndarray
    ionising: np.ndarray
    photons: np.ndarray
    bolometric: np.ndarray
    surviving: np.ndarray

    def stacked(self) -> np.ndarray:
        """All that adds up, shape (n_metals, n_ages, N_BINS + 4): `light`, `ionising`, `photons`,
        `bolometric`, `surviving`.
        """
        rest = (self.ionising, self.photons, self.bolometric, self.surviving)
        return np.concatenate([self.light, *(part[..., None] for part in rest)], axis=-1)


def read_populations(templates: Path) -> Populations:
    """Read them from the folder of templates.

    Raises
    ------
    InputError
        When the table is not there.
    """
    with np.load(table_in(templates, _TABLE), allow_pickle=False) as table:
        wave = table["wavelength_angstrom"]
        spectra = table["lsun_per_angstrom_per_msun_formed"].astype(float)
        age, metals = table["age_yr"], table["metallicity"]
        surviving = table["surviving_mass_fraction"].astype(float)
    spectra *= _TABLE_LSUN_ERG_S / LSUN_ERG_S
    below = _integral_up_to(wave, spectra, np.concatenate([[_LYMAN_ANGSTROM], EDGES_UM * 1e4]))
    rate = spectra * wave / (PLANCK_CONSTANT_ERG_S * SPEED_OF_LIGHT_ANGSTROM_S) * LSUN_ERG_S
    return Populations(
        age_yr=age,
        metallicity=metals,
        light=np.diff(below[..., 1:], axis=-1),
        ionising=below[..., 0],
        photons=_integral_up_to(wave, rate, np.array([_LYMAN_ANGSTROM]))[..., 0],
        bolometric=np.trapezoid(spectra, wave, axis=-1),
        surviving=surviving,
    )


def _integral_up_to(wave: np.ndarray, spectra: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Integrals of spectra (..., n_waves), linear between points, from the first to each edge."""
    fine = np.union1d(wave, edges)
    part = np.clip(np.searchsorted(wave, fine, side="right"), 1, len(wave) - 1)
    share = (fine - wave[part - 1]) / (wave[part] - wave[part - 1])
    values = spectra[..., part - 1] * (1 - share) + spectra[..., part] * share
    steps = (values[..., 1:] + values[..., :-1]) / 2 * np.diff(fine)
    total = np.concatenate([np.zeros((*steps.shape[:-1], 1)), np.cumsum(steps, axis=-1)], axis=-1)
    return np.asarray(total[..., np.searchsorted(fine, edges)])


def band_response(bands: Sequence[str], redshift: float = 0.0) -> np.ndarray:
    """Mean L_nu in Lsun/Hz, at the wavelengths where it left, that a detector of photons sees per
    Lsun in a bin, shape (N_BINS, n_bands); in a bin L_lambda is flat.

    Raises
    ------
    InputError
        When the package of filter curves is not installed.
    """
    response = np.zeros((N_BINS, len(bands)))
    for column, band in enumerate(bands):
        curve = filter_curve(get_band(band).curve)
        micron = curve.micron / (1 + redshift)
        norm = np.trapezoid(curve.response / micron, micron)
        moment = np.concatenate([
            [0.0],
            np.cumsum(
                np.diff(micron)
                * (curve.response[1:] * micron[1:] + curve.response[:-1] * micron[:-1])
                / 2
            ),
        ])  # fmt: skip
        seen = np.diff(np.interp(EDGES_UM, micron, moment))
        # L_nu = L_lambda lambda^2 / c, averaged over d lambda / lambda
        response[:, column] = seen / norm / np.diff(EDGES_UM) / (SPEED_OF_LIGHT_ANGSTROM_S / 1e4)
    return response
