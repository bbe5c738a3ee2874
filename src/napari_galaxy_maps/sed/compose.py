"""Model spectra from their parameters: stars, ionised gas and attenuation, and dust that emits what
was absorbed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np

from ..constants import SPEED_OF_LIGHT_MICRON_S
from . import formation, imf
from .attenuation import V_UM, modified_starburst
from .nebular import SOLAR_OH
from .tables import at_redshift, dust_table, dust_temperature, spectrum_table, star_table

SOLAR_METALLICITY = 0.0142
"""Mass fraction of metals of the Sun (Asplund+ 2009)."""
EXTENSIVE: Final = ("Ldust", "Mdust", "Mstar", "Lbolo", "SFR")
"""Properties that scale with a model: Lsun (dust; stars before attenuation), Msun (dust; stars and
remnants), Msun/yr over 100 Myr.
"""
INTENSIVE: Final = ("Tdust", "A_FUV", "A_V", "SLD", "SMD")
"""Properties that do not: K, mag in FUV and at 0.55 micron, Ldust / Lbolo, Mdust / Mstar."""
DIMMED: Final = (
    "GALEX_FUV", "GALEX_NUV", "SDSS_u", "SDSS_g", "SDSS_r", "SDSS_i", "SDSS_z",
)  # fmt: skip
"""The ultraviolet and optical bands, of which the light before attenuation is kept."""
PROPERTY_NAMES: Final = EXTENSIVE + INTENSIVE


@dataclass(frozen=True, eq=False)
class Stage:
    """The tables at one redshift, for one initial mass function."""

    light: np.ndarray  # (6 * n_ages, n_bands), Lsun/Hz
    bins: np.ndarray  # (6 * n_ages, n_bins), Lsun
    photons: np.ndarray  # (6 * n_ages,), 1e40 per second
    bolometric: np.ndarray  # (6 * n_ages,)
    surviving: np.ndarray  # (6 * n_ages,)
    gas: np.ndarray  # (n_oh, n_bands), per 1e40 photons per second
    gas_bins: np.ndarray
    response: np.ndarray  # (n_bins, n_short_bands)
    dust: np.ndarray  # (11, 37, 2, n_dust_bands)


@lru_cache(maxsize=4)
def stage(redshift: float, which_imf: str) -> Stage:
    """The tables at a redshift.

    Raises
    ------
    InputError
        When the redshift lies beyond the tables.
    """
    stars, spectra, dust = star_table(), spectrum_table(), dust_table()
    factor, surviving = np.ones_like(stars.surviving), stars.surviving
    if which_imf == "salpeter":
        factor, surviving = imf.from_chabrier_to_salpeter(
            stars.age_yr, stars.metallicity, stars.surviving
        )

    def flat(table: np.ndarray) -> np.ndarray:
        return np.asarray(table.reshape(-1, *table.shape[2:]), dtype=np.float32)

    light = at_redshift(stars.stars, stars.redshift, redshift)
    return Stage(
        flat(light * factor[..., None]), flat(spectra.stars * factor[..., None]),
        flat(stars.photons * factor / 1e40),
        flat(stars.bolometric * factor), flat(np.asarray(surviving)),
        at_redshift(stars.gas, stars.gas_redshift, redshift) * 1e40, spectra.gas * 1e40,
        at_redshift(spectra.response, spectra.redshift, redshift),
        at_redshift(dust.light, dust.redshift, redshift),
    )  # fmt: skip


@lru_cache(maxsize=1)
def _threads() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Numpy's matrix products on one core: on a busy machine its threads wait for each other a
    hundred times longer than they work.
    """
    with _threads().limit(limits=1, user_api="blas"):
        yield


def _between(values: np.ndarray, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of the node at or below each value, and how far it is to the next."""
    low = np.clip(np.searchsorted(nodes, values, side="right") - 1, 0, len(nodes) - 2)
    return low, np.clip((values - nodes[low]) / (nodes[low + 1] - nodes[low]), 0, 1)


def _stellar_weights(
    parameters: Mapping[str, np.ndarray],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights of young and old stars over metallicities and ages, (n, 6 * n_ages) each, and the
    recent fraction.
    """
    table = star_table()
    young, old, recent = formation.age_weights(
        table,
        parameters["age_myr"],
        parameters["tau_myr"],
        parameters["change_age_myr"],
        parameters["change"],
    )
    low, part = _between(np.log10(parameters["metallicity"]), np.log10(table.metallicity))
    n, n_ages = young.shape
    both = []
    for weights in (young, old):
        spread = np.zeros((n, len(table.metallicity), n_ages), np.float32)
        rows = np.arange(n)
        spread[rows, low] = weights * (1 - part)[:, None]
        spread[rows, low + 1] += weights * part[:, None]
        both.append(spread.reshape(n, -1))
    return both[0], both[1], recent


def _gas(table: np.ndarray, metallicity: np.ndarray) -> np.ndarray:
    """What a photon's gas emits at each model's metallicity, (n, ...)."""
    oxygen = SOLAR_OH + np.log10(metallicity / SOLAR_METALLICITY)
    low, part = _between(oxygen, star_table().oxygen)
    return np.asarray(table[low] * (1 - part)[:, None] + table[low + 1] * part[:, None])


def _dust(table: np.ndarray, parameters: Mapping[str, np.ndarray]) -> np.ndarray:
    """Of a table over q_hac, Umin and the kind of field, per Msun of dust: what each model's dust
    has, (n, ...).
    """
    grid = dust_table()
    at_q, part_q = _between(parameters["qhac"], grid.qhac)
    at_u, part_u = _between(np.log(parameters["umin"]), np.log(grid.umin))
    gamma = parameters["gamma"]
    tail = (1,) * (table.ndim - 3)
    found = np.zeros((len(gamma), *table.shape[3:]))
    for dq in (0, 1):
        for du in (0, 1):
            weight = (part_q if dq else 1 - part_q) * (part_u if du else 1 - part_u)
            both = table[at_q + dq, at_u + du]
            found += (weight * (1 - gamma)).reshape(-1, *tail) * both[:, 0]
            found += (weight * gamma).reshape(-1, *tail) * both[:, 1]
    return found


@dataclass(frozen=True, eq=False)
class _Attenuated:
    """One part of the stars with the gas that it ionises."""

    bands: np.ndarray  # (n, n_bands), Lsun/Hz, after attenuation
    bare: np.ndarray  # (n, n_bands), before
    visual: np.ndarray  # (n,), Lsun in the bin at 0.55 micron, after
    bare_visual: np.ndarray  # (n,), before
    absorbed: np.ndarray  # (n,), Lsun


def _bins(
    weights: np.ndarray, ebv: np.ndarray, curve: np.ndarray, metallicity: np.ndarray, tables: Stage
) -> tuple[np.ndarray, np.ndarray]:
    """Luminosity of stars and their gas in the bins of the spectrum table, (n, n_bins) in Lsun,
    before and after attenuation.
    """
    photons = (weights @ tables.photons)[:, None]
    before = weights @ tables.bins + photons * _gas(tables.gas_bins, metallicity)
    return before, before * np.exp(-0.4 * np.log(10) * ebv[:, None] * curve)


def _attenuated(
    weights: np.ndarray, ebv: np.ndarray, curve: np.ndarray, metallicity: np.ndarray, tables: Stage
) -> _Attenuated:
    photons = (weights @ tables.photons)[:, None]
    bare = weights @ tables.light + photons * _gas(tables.gas, metallicity)
    before, after = _bins(weights, ebv, curve, metallicity, tables)
    n_short = tables.response.shape[1]
    passed = np.ones_like(bare)
    seen = before @ tables.response
    passed[:, :n_short] = np.divide(
        after @ tables.response, seen, out=np.ones_like(seen), where=seen > 0
    )
    at_v = _visual_bin()
    return _Attenuated(
        bare * passed, bare, after[:, at_v], before[:, at_v], (before - after).sum(1)
    )


def _visual_bin() -> int:
    """The bin of the spectra that 0.55 micron lies in."""
    return int(np.searchsorted(spectrum_table().edges_um, V_UM, side="right")) - 1


@dataclass(frozen=True, eq=False)
class Spectra:
    """Spectra of models, per Msun of stars ever formed.

    Attributes
    ----------
    star_bins, dust_bins : ndarray
        Luminosity in the bins of the spectrum table, Lsun: stars and gas after attenuation; dust.
    """

    star_bins: np.ndarray
    dust_bins: np.ndarray


@dataclass(frozen=True, eq=False)
class Composed:
    """Models, per Msun of stars ever formed.

    Attributes
    ----------
    bands : ndarray, shape (n, 26)
        Lsun/Hz in the order of `bands.MODEL_BANDS`, of stars, gas and dust, after attenuation.
    bare : ndarray, shape (n, n_dimmed)
        The same of stars and gas in `DIMMED`, before attenuation.
    visual : ndarray, shape (n,)
        nu L_nu at 0.55 micron before attenuation, Lsun.
    properties : dict of ndarray, shape (n,)
        `PROPERTY_NAMES`.
    """

    bands: np.ndarray
    bare: np.ndarray
    visual: np.ndarray
    properties: dict[str, np.ndarray]


def compose(parameters: Mapping[str, np.ndarray], redshift: float, which_imf: str) -> Composed:
    """Models from their parameters.

    Parameters
    ----------
    parameters : mapping of ndarray, shape (n,)
        `priors.PARAMETERS`.
    redshift : float
    which_imf : {"salpeter", "chabrier"}

    Raises
    ------
    InputError
        When the redshift lies beyond the tables.
    """
    with one_blas_thread():
        return _compose(parameters, stage(redshift, which_imf))


def compose_spectra(
    parameters: Mapping[str, np.ndarray], redshift: float, which_imf: str
) -> Spectra:
    """The spectra of models that `compose` makes the light of; parameters as of that."""
    tables = stage(redshift, which_imf)
    with one_blas_thread():
        young, old, _ = _stellar_weights(parameters)
        (bare, dimmed), (bare_old, dimmed_old) = (
            _bins(weights, ebv, curve, parameters["metallicity"], tables)
            for weights, ebv, curve in _screens(parameters, young, old)
        )
        l_dust = (bare - dimmed).sum(1) + (bare_old - dimmed_old).sum(1)
        m_dust = l_dust / _dust(dust_table().total, parameters)
        dust = m_dust[:, None] * _dust(spectrum_table().dust, parameters)
    return Spectra(dimmed + dimmed_old, dust)


def _screens(
    parameters: Mapping[str, np.ndarray], young: np.ndarray, old: np.ndarray
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]:
    """Weights of young and of old stars, the E(B-V) before each, and the curve."""
    edges = spectrum_table().edges_um
    curve = modified_starburst(
        np.sqrt(edges[1:] * edges[:-1]), parameters["slope"], parameters["bump"]
    )
    ebv = parameters["ebv"]
    return (young, ebv, curve), (old, ebv * parameters["old_factor"], curve)


def _compose(parameters: Mapping[str, np.ndarray], tables: Stage) -> Composed:
    table = star_table()
    spectrum = spectrum_table()
    young, old, recent = _stellar_weights(parameters)
    parts = [
        _attenuated(weights, ebv, curve, parameters["metallicity"], tables)
        for weights, ebv, curve in _screens(parameters, young, old)
    ]
    bands = parts[0].bands + parts[1].bands
    bare = parts[0].bare + parts[1].bare
    l_dust = parts[0].absorbed + parts[1].absorbed
    per_mass = _dust(dust_table().total, parameters)
    m_dust = l_dust / per_mass
    columns = [table.bands.index(band) for band in dust_table().bands]
    fuv = table.bands.index("GALEX_FUV")
    attenuation = -2.5 * np.log10(bands[:, fuv] / bare[:, fuv])
    at_v = _visual_bin()
    visual = parts[0].bare_visual + parts[1].bare_visual
    dimmed_v = -2.5 * np.log10((parts[0].visual + parts[1].visual) / visual)
    # L_lambda is flat within a bin, so that nu L_nu = lambda L_lambda is what the bin has over its
    # width in ln lambda.
    visual = visual / np.log(spectrum.edges_um[at_v + 1] / spectrum.edges_um[at_v])
    bands[:, columns] += m_dust[:, None] * _dust(tables.dust, parameters)
    both = young + old
    m_star, l_star = both @ tables.surviving, both @ tables.bolometric
    properties = {
        "Ldust": l_dust, "Mdust": m_dust, "Mstar": m_star, "Lbolo": l_star, "SFR": recent / 1e8,
        "Tdust": dust_temperature(parameters["umin"]), "A_FUV": attenuation,
        "A_V": dimmed_v,
        "SLD": l_dust / l_star, "SMD": m_dust / m_star,
    }  # fmt: skip
    kept = bare[:, [table.bands.index(band) for band in DIMMED]]
    return Composed(bands, kept, visual, properties)


def spectrum_on_grid(spectra: Spectra) -> tuple[np.ndarray, np.ndarray]:
    """Mean L_nu in bins of wavelength.

    Returns
    -------
    wavelength : ndarray, shape (n,)
        Rest wavelength in micron: stars' bins up to 3.2 micron, dust's bins beyond.
    light : ndarray, shape (n_models, n)
        Lsun/Hz.
    """
    wavelength, stars, dust = _grid()
    return wavelength, stars.of(spectra.star_bins) + dust.of(spectra.dust_bins)


@dataclass(frozen=True, eq=False)
class _OnGrid:
    """How bins of luminosity become L_nu at other wavelengths: linearly in the logarithm of the
    wavelength, none before the first bin.
    """

    per_hz: np.ndarray  # (n_bins,), widths of the bins, negative as frequencies fall
    low: np.ndarray  # (n,), the bin at or below each wavelength
    part: np.ndarray  # (n,), how far it is to the next
    outside: np.ndarray  # (n,), wavelengths before the first bin
    falling: np.ndarray  # (n_beyond,), beyond the last bin: of its light, so much is there

    def of(self, luminosity: np.ndarray) -> np.ndarray:
        """L_nu, shape (n_models, n)."""
        light = luminosity / self.per_hz
        found = light[:, self.low] * (1 - self.part) + light[:, self.low + 1] * self.part
        found[:, self.outside] = 0
        if len(self.falling):
            found[:, -len(self.falling) :] = light[:, -1:] * self.falling
        return np.asarray(found)


@lru_cache(maxsize=1)
def _grid() -> tuple[np.ndarray, _OnGrid, _OnGrid]:
    """Wavelengths of spectra in micron, and how the bins of stars and of dust are brought to them.

    Starlight falls as the wavelength's square beyond its bins.
    """
    table = spectrum_table()
    star_um, dust_um = (
        np.sqrt(edges[1:] * edges[:-1]) for edges in (table.edges_um, table.dust_edges_um)
    )
    wavelength = np.concatenate([star_um[star_um < 2.5], dust_um[dust_um >= 2.5]])

    def of(edges: np.ndarray, at: np.ndarray, beyond: bool) -> _OnGrid:
        low, part = _between(np.log(wavelength), np.log(at))
        falling = (at[-1] / wavelength[wavelength > at[-1]]) ** 2 if beyond else np.empty(0)
        return _OnGrid(
            -np.diff(SPEED_OF_LIGHT_MICRON_S / edges), low, part, wavelength < at[0], falling
        )

    return wavelength, of(table.edges_um, star_um, True), of(table.dust_edges_um, dust_um, False)
