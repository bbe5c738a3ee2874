"""The tables of band luminosities: stars by age and metallicity, the gas that they ionise, and dust
by radiation field.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from ..exceptions import InputError
from ..fits_io.safe_writing import written_whole

FOLDER = Path(__file__).parent / "data"
MILKY_WAY_QHAC = 0.17
"""Mass fraction of small grains in the Milky Way (Jones+ 2017)."""
T_DUST_U1, T_DUST_BETA = 18.3, 1.79
"""Temperature in K of THEMIS dust at U = 1, and its emissivity's slope (as Nersesian+ 2019)."""


def dust_temperature(umin: np.ndarray) -> np.ndarray:
    """Temperature in K of the bulk of THEMIS dust in a radiation field `umin`: 18.3 K x
    Umin^(1/5.79) (Nersesian+ 2019).
    """
    return np.asarray(T_DUST_U1 * np.asarray(umin) ** (1 / (4 + T_DUST_BETA)))


@dataclass(frozen=True, eq=False)
class _Table:
    """A table of arrays in one npz file."""

    def write(self, path: Path) -> None:
        """Write it to an npz file without pickles."""
        with written_whole(path, overwrite=True) as beside, beside.open("wb") as stream:
            arrays: dict[str, Any] = {
                f.name: np.asarray(getattr(self, f.name)) for f in fields(self)
            }
            np.savez_compressed(stream, **arrays)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote.

        Raises
        ------
        InputError
            When the file is not there or is no such table.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                found = {f.name: arrays[f.name] for f in fields(cls)}
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                f"{path} is no table of {cls.__name__} ({error}); make it again with "
                "training.datasets.photometric_tables."
            ) from None
        return cls(**{**found, "bands": tuple(str(band) for band in found["bands"])})


@dataclass(frozen=True, eq=False)
class StarTable(_Table):
    """Simple stellar populations (Bruzual & Charlot 2003, Chabrier IMF) and their ionised gas, per
    Msun of stars formed.

    Attributes
    ----------
    bands : tuple of str
    redshift : ndarray, shape (n_z,)
        Of `stars`.
    gas_redshift : ndarray, shape (n_gas_z,)
        Of `gas`, denser, for lines pass the edges of bands; ends where `redshift` ends.
    metallicity : ndarray, shape (6,)
        Mass fraction of metals.
    age_yr : ndarray, shape (n_ages,)
    bin_edges_um : ndarray, shape (n_bins + 1,)
        Edges in rest wavelength of the bins of `stars_bins` and `gas_bins`, micron.
    oxygen : ndarray, shape (n_oh,)
        12 + log(O/H) of the gas.
    stars : ndarray, shape (n_z, 6, n_ages, n_bands)
        Lsun/Hz at the rest frequencies that the band sees; without ionising light.
    stars_bins : ndarray, shape (6, n_ages, n_bins)
        Lsun.
    bolometric, ionising : ndarray, shape (6, n_ages)
        Lsun, all of it and what is beyond the Lyman limit.
    photons : ndarray, shape (6, n_ages)
        Ionising photons per second.
    surviving : ndarray, shape (6, n_ages)
        Mass in stars and remnants.
    gas : ndarray, shape (n_gas_z, n_oh, n_bands)
        Lsun/Hz per ionising photon per second.
    gas_bins : ndarray, shape (n_oh, n_bins)
        Lsun per ionising photon per second.
    """

    bands: tuple[str, ...]
    redshift: np.ndarray
    gas_redshift: np.ndarray
    metallicity: np.ndarray
    age_yr: np.ndarray
    bin_edges_um: np.ndarray
    oxygen: np.ndarray
    stars: np.ndarray
    stars_bins: np.ndarray
    bolometric: np.ndarray
    ionising: np.ndarray
    photons: np.ndarray
    surviving: np.ndarray
    gas: np.ndarray
    gas_bins: np.ndarray

    @property
    def bin_um(self) -> np.ndarray:
        """Middles of the bins in wavelength, micron, shape (n_bins,)."""
        return np.sqrt(self.bin_edges_um[1:] * self.bin_edges_um[:-1])

    def age_weights(self, youngest_yr: float, oldest_yr: float) -> np.ndarray:
        """Weights over `age_yr` (summing to 1) of stars formed at a constant rate between two ages.

        What a table holds is taken as linear in age between its ages.
        """
        edges = np.clip(self.age_yr, youngest_yr, oldest_yr)
        weights = np.zeros(len(self.age_yr))
        for k in range(len(self.age_yr) - 1):
            a, b = edges[k], edges[k + 1]
            if b > a:
                low, high = self.age_yr[k], self.age_yr[k + 1]
                part = ((a + b) / 2 - low) / (high - low)
                weights[k] += (b - a) * (1 - part)
                weights[k + 1] += (b - a) * part
        return weights / weights.sum()


@dataclass(frozen=True, eq=False)
class DustTable(_Table):
    """THEMIS dust (Jones+ 2017), per Msun of dust.

    Attributes
    ----------
    bands : tuple of str
        Those beyond 2 micron.
    redshift : ndarray, shape (n_z,)
    qhac : ndarray, shape (11,)
        Mass fraction of small grains.
    umin : ndarray, shape (37,)
        Radiation field in units of the Sun's neighbourhood's.
    light : ndarray, shape (n_z, 11, 37, 2, n_bands)
        Lsun/Hz, in a single field U = Umin, and in a power law of fields (slope -2) upward from
        Umin.
    total : ndarray, shape (11, 37, 2)
        Luminosity in Lsun.
    """

    bands: tuple[str, ...]
    redshift: np.ndarray
    qhac: np.ndarray
    umin: np.ndarray
    light: np.ndarray
    total: np.ndarray

    @property
    def lsun_per_msun(self) -> float:
        """Luminosity per mass in a field of U = 1 for the Milky Way's small grains, Lsun/Msun."""
        return float(
            self.total[
                np.argmin(np.abs(self.qhac - MILKY_WAY_QHAC)), np.argmin(np.abs(self.umin - 1)), 0
            ]
        )


@dataclass(frozen=True, eq=False)
class SpectrumTable(_Table):
    """Spectra of the same stars, gas and dust in narrow bins: what attenuation takes from them, and
    how a model looks.

    Attributes
    ----------
    bands : tuple of str
        Those below 5 micron, which attenuation reaches.
    redshift : ndarray, shape (n_z,)
    edges_um : ndarray, shape (n_bins + 1,)
        Edges of the bins in rest wavelength, micron, from the Lyman limit on.
    stars : ndarray, shape (6, n_ages, n_bins)
        Lsun per Msun of stars formed, at the metallicities and ages of `StarTable`.
    gas : ndarray, shape (n_oh, n_bins)
        Lsun per ionising photon per second, Lyman alpha with it.
    response : ndarray, shape (n_z, n_bins, n_bands)
        Mean L_nu that a band sees per luminosity in a bin, 1/Hz, where the spectrum is flat in
        L_lambda within the bin.
    dust_edges_um : ndarray, shape (n_dust_bins + 1,)
    dust : ndarray, shape (11, 37, 2, n_dust_bins)
        Lsun per Msun of dust, axes as in `DustTable`.
    """

    bands: tuple[str, ...]
    redshift: np.ndarray
    edges_um: np.ndarray
    stars: np.ndarray
    gas: np.ndarray
    response: np.ndarray
    dust_edges_um: np.ndarray
    dust: np.ndarray


def at_redshift(table: np.ndarray, redshifts: np.ndarray, redshift: float) -> np.ndarray:
    """The first axis of a table, interpolated linearly in redshift.

    Raises
    ------
    InputError
        When the redshift lies beyond the table.
    """
    if not redshifts[0] <= redshift <= redshifts[-1]:
        raise InputError(
            f"The redshift {redshift} is not between {redshifts[0]} and {redshifts[-1]}, where the "
            "tables end."
        )
    right = int(np.clip(np.searchsorted(redshifts, redshift), 1, len(redshifts) - 1))
    part = (redshift - redshifts[right - 1]) / (redshifts[right] - redshifts[right - 1])
    return np.asarray(table[right - 1] * (1 - part) + table[right] * part)


@lru_cache(maxsize=1)
def star_table() -> StarTable:
    """The table of stars that ships with the package."""
    return StarTable.read(FOLDER / "stars.npz")


@lru_cache(maxsize=1)
def dust_table() -> DustTable:
    """The table of dust that ships with the package."""
    return DustTable.read(FOLDER / "dust.npz")


@lru_cache(maxsize=1)
def spectrum_table() -> SpectrumTable:
    """The table of spectra that ships with the package."""
    return SpectrumTable.read(FOLDER / "spectra.npz")
