"""Makes the tables of `sed`: band luminosities of simple stellar populations, of ionised gas and of
dust at several redshifts.

    python -m napari_galaxy_maps.training.datasets.photometric_tables TEMPLATES [--out FOLDER]

TEMPLATES holds bc03_lr_chabrier_ssp.npz (Bruzual & Charlot 2003, Padova 1994 tracks, Chabrier IMF)
and dust_emission_themis_dl07.npz (THEMIS: Jones+ 2017). Filter curves are those of astro-sedpy,
which only this script needs (pip install 'napari-galaxy-maps[photometry]'). A band's luminosity is
the mean of L_nu that a detector counting photons sees.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...bands.registry import MODEL_BANDS, get_band
from ...constants import LSUN_ERG_S, MSUN_G, PLANCK_CONSTANT_ERG_S, SPEED_OF_LIGHT_ANGSTROM_S
from ...exceptions import InputError
from ...sed import nebular, tables

# Those that the tables had first: what was found with them stays as it was.
_NEAR = np.array([0.0, 0.02, 0.05, 0.1, 0.15, 0.2])
REDSHIFTS = np.concatenate([_NEAR, [
    0.225, 0.25, 0.275, 0.3, 0.325, 0.3375, 0.35, 0.3625, 0.375, 0.4, 0.425, 0.45, 0.4625, 0.475,
    0.4875, 0.5,
]])  # fmt: skip
"""Of starlight: beyond 0.2, what is linear between them is within 0.9 % of the light in ugriz of
stars of 5 Myr to 13 Gyr; before, within 2.7 %.
"""
DUST_REDSHIFTS = np.concatenate([_NEAR, [
    0.20625, 0.2125, 0.21875, 0.225, 0.2375, 0.25, 0.2625, 0.275, 0.3, 0.35, 0.375, 0.4, 0.425,
    0.45, 0.475, 0.5,
]])  # fmt: skip
"""Of dust: dense where the feature at 3.3 micron leaves a band; within 1.5 % beyond 0.2."""
GAS_REDSHIFTS = np.round(np.arange(0, 0.5001, 0.005), 3)
"""Of gas, whose lines pass the edge of a band within 0.02."""
OXYGEN = np.array([7.6, 7.8, 8.0, 8.2, 8.4, 8.55, 8.69, 8.8, 8.9])
BINS_UM = np.array(
    [0.0912, 0.12, 0.15, 0.19, 0.24, 0.30, 0.37, 0.46, 0.57, 0.72, 0.95, 1.3, 1.9, 3.0, 6.0]
)
"""Edges of the broad bins in wavelength by which absorbed energy is counted, micron."""
AGES_YR = np.concatenate([[0.0], np.geomspace(3e5, 1.4e10, 63)])

SPECTRUM_EDGES_UM = np.concatenate([np.geomspace(0.0912, 3.2, 179), np.geomspace(3.2, 30, 29)[1:]])
"""Edges of the narrow bins of stars and gas, micron: 2 % wide where dust dims them, 8 % beyond."""
DUST_EDGES_UM = np.concatenate([np.geomspace(0.9927, 30, 121), np.geomspace(30, 9990, 61)[1:]])

# The templates' own solar luminosity, and the one used here (IAU 2015).
_BC03_LSUN_ERG_S = 3.826e33
_HYDROGEN_G = 1.6735e-24
DUST_TO_HYDROGEN = 7.4e-3
"""Dust mass per mass of hydrogen of THEMIS (Jones+ 2017)."""

SEDPY_NAMES: dict[str, str] = {
    name: get_band(name).curve.removeprefix("sedpy:") for name in MODEL_BANDS
}


def filter_curves() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Wavelength in Angstrom and response per photon of every band of the models.

    Raises
    ------
    InputError
        When astro-sedpy is not installed.
    """
    try:
        from sedpy.observate import Filter
    except ImportError:
        raise InputError(
            "The filter curves are astro-sedpy's; install napari-galaxy-maps[photometry]."
        ) from None
    curves = {}
    for band in MODEL_BANDS:
        curve = Filter(SEDPY_NAMES[band])
        curves[band] = np.asarray(curve.wavelength, float), np.asarray(curve.transmission, float)
    return curves


def _weights(wavelength: np.ndarray) -> np.ndarray:
    """Weights of the trapezium rule."""
    step = np.diff(wavelength)
    weights = np.zeros_like(wavelength)
    weights[:-1] += step / 2
    weights[1:] += step / 2
    return weights


def band_matrix(
    wavelength: np.ndarray, curves: dict[str, tuple[np.ndarray, np.ndarray]], redshift: float
) -> np.ndarray:
    """Matrix that takes L_lambda on `wavelength` (rest frame, Angstrom) to the mean L_nu of every
    band, shape (n, n_bands).

    The spectrum is interpolated linearly onto each filter's own points, seen at (1 + z) times their
    wavelength; L_nu is per rest-frame Hz.
    """
    matrix = np.zeros((len(wavelength), len(curves)))
    for column, (seen, response) in enumerate(curves.values()):
        fine = np.union1d(
            seen,
            wavelength[
                (wavelength * (1 + redshift) > seen[0]) & (wavelength * (1 + redshift) < seen[-1])
            ]
            * (1 + redshift),
        )
        through = np.interp(fine, seen, response, left=0, right=0)
        rest = fine / (1 + redshift)
        weight = _weights(fine) * through
        # <L_nu> = int L_nu T dlambda/lambda / int T dlambda/lambda, and L_nu = L_lambda lambda^2 /
        # c.
        weight = weight / fine * rest**2 / SPEED_OF_LIGHT_ANGSTROM_S / np.sum(weight / fine)
        right = np.clip(np.searchsorted(wavelength, rest, side="right"), 1, len(wavelength) - 1)
        part = np.clip(
            (rest - wavelength[right - 1]) / (wavelength[right] - wavelength[right - 1]), 0, 1
        )
        inside = (rest >= wavelength[0]) & (rest <= wavelength[-1])
        np.add.at(matrix[:, column], right - 1, np.where(inside, weight * (1 - part), 0))
        np.add.at(matrix[:, column], right, np.where(inside, weight * part, 0))
    return matrix


def line_response(
    wavelength: np.ndarray, curves: dict[str, tuple[np.ndarray, np.ndarray]], redshift: float
) -> np.ndarray:
    """Mean L_nu per luminosity of lines at `wavelength` (rest frame, Angstrom), 1/Hz, shape
    (n_lines, n_bands).
    """
    columns = []
    for seen, response in curves.values():
        at = wavelength * (1 + redshift)
        norm = np.sum(_weights(seen) * response / seen)
        # A line of luminosity L is L delta(lambda - at) in the observer's frame, where L_nu is (1 +
        # z) times narrower.
        columns.append(
            np.interp(at, seen, response, left=0, right=0)
            * at
            / norm
            / SPEED_OF_LIGHT_ANGSTROM_S
            / (1 + redshift)
        )
    return np.stack(columns, axis=1)


def bin_matrix(wavelength: np.ndarray, edges_um: np.ndarray) -> np.ndarray:
    """Matrix that takes L_lambda on `wavelength` (Angstrom) to the luminosity in each bin, shape
    (n, n_bins).
    """
    width = _weights(wavelength)
    which = np.searchsorted(edges_um * 1e4, wavelength, side="right") - 1
    matrix = np.zeros((len(wavelength), len(edges_um) - 1))
    inside = (which >= 0) & (which < matrix.shape[1])
    matrix[np.flatnonzero(inside), which[inside]] = width[inside]
    return matrix


def binned(wavelength: np.ndarray, spectra: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Luminosity in bins of a spectrum that is linear between its points, last axis wavelength;
    same unit for all three.
    """
    fine = np.union1d(wavelength, edges)
    fine = fine[(fine >= edges[0]) & (fine <= edges[-1])]
    right = np.clip(np.searchsorted(wavelength, fine, side="right"), 1, len(wavelength) - 1)
    part = np.clip(
        (fine - wavelength[right - 1]) / (wavelength[right] - wavelength[right - 1]), 0, 1
    )
    values = spectra[..., right - 1] * (1 - part) + spectra[..., right] * part
    pieces = (values[..., 1:] + values[..., :-1]) / 2 * np.diff(fine)
    return np.asarray(np.add.reduceat(pieces, np.searchsorted(fine, edges[:-1]), axis=-1))


def _populations(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Wavelength in Angstrom; Lsun/Angstrom per Msun formed (6, n_ages, n); surviving mass (6,
    n_ages); metallicity.
    """
    with np.load(path) as template:
        wavelength, age = template["wavelength_angstrom"], template["age_yr"]
        spectra = template["lsun_per_angstrom_per_msun_formed"].astype(float) * (
            _BC03_LSUN_ERG_S / LSUN_ERG_S
        )
        surviving, metallicity = template["surviving_mass_fraction"], template["metallicity"]
    # Beyond 10 micron the templates have few points, between which starlight falls as a power of
    # the wavelength.
    first = int(np.searchsorted(wavelength, 1e5)) - 1
    fine = np.geomspace(wavelength[first], wavelength[-1], 300)[1:]
    low = np.clip(np.searchsorted(wavelength, fine, side="right") - 1, first, len(wavelength) - 2)
    part = np.log(fine / wavelength[low]) / np.log(wavelength[low + 1] / wavelength[low])
    tail = np.exp(np.log(spectra[..., low]) * (1 - part) + np.log(spectra[..., low + 1]) * part)
    wavelength, spectra = (
        np.append(wavelength[: first + 1], fine),
        np.append(spectra[..., : first + 1], tail, axis=-1),
    )
    at = np.clip(np.interp(AGES_YR, age, np.arange(len(age))), 0, len(age) - 1)
    low = np.minimum(at.astype(int), len(age) - 2)
    part = at - low
    spectra = spectra[:, low] * (1 - part[:, None]) + spectra[:, low + 1] * part[:, None]
    return (
        wavelength,
        spectra,
        surviving[:, low] * (1 - part) + surviving[:, low + 1] * part,
        metallicity,
    )


def _dust(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Wavelength in Angstrom; Lsun/Angstrom per Msun of dust (11, 37, 2, n); Umin; q_hac."""
    with np.load(path) as template:
        wavelength = template["themis_wavelength_um"] * 1e4
        per_h = template["themis_jy_cm2_per_sr_per_h"].astype(float)
        umin, qhac = template["themis_umin"], template["themis_qhac"]
    # 4 pi j_nu per H atom, to Lsun/Angstrom per Msun of dust.
    per_mass = (
        per_h
        * 1e-23
        * 4
        * np.pi
        / (_HYDROGEN_G * DUST_TO_HYDROGEN)
        * MSUN_G
        / LSUN_ERG_S
        * SPEED_OF_LIGHT_ANGSTROM_S
        / wavelength**2
    )
    return wavelength, per_mass, umin, qhac


def star_table(path: Path, curves: dict[str, tuple[np.ndarray, np.ndarray]]) -> tables.StarTable:
    """The table of stars and of the gas that they ionise, from the templates of Bruzual & Charlot
    (2003).
    """
    wavelength, spectra, surviving, metallicity = _populations(path)
    width = _weights(wavelength)
    ionising = wavelength < 912
    # Ionising photons are counted in s-1 per Msun formed.
    photons = (
        (spectra * (wavelength * width * ionising)).sum(-1)
        * LSUN_ERG_S
        / (PLANCK_CONSTANT_ERG_S * SPEED_OF_LIGHT_ANGSTROM_S)
    )
    soft = np.where(ionising, 0, spectra)
    fine = np.geomspace(912, 2e5, 6000)
    # Lsun/Angstrom per photon/s
    glow = nebular.continuum(fine) / LSUN_ERG_S * SPEED_OF_LIGHT_ANGSTROM_S / fine**2
    gas, gas_bins = [], []
    for oh in OXYGEN:
        at_line, energy = nebular.lines(float(oh))
        gas.append(
            [
                glow @ band_matrix(fine, curves, z)
                + energy / LSUN_ERG_S @ line_response(at_line, curves, z)
                for z in GAS_REDSHIFTS
            ]
        )
        counts, _ = np.histogram(at_line, BINS_UM * 1e4, weights=energy / LSUN_ERG_S)
        gas_bins.append(glow @ bin_matrix(fine, BINS_UM) + counts)
    return tables.StarTable(
        bands=tuple(curves),
        redshift=REDSHIFTS,
        gas_redshift=GAS_REDSHIFTS,
        metallicity=metallicity,
        age_yr=AGES_YR,
        bin_edges_um=BINS_UM,
        oxygen=OXYGEN,
        stars=np.stack([soft @ band_matrix(wavelength, curves, z) for z in REDSHIFTS]).astype(
            np.float32
        ),
        stars_bins=(soft @ bin_matrix(wavelength, BINS_UM)).astype(np.float32),
        bolometric=(spectra @ width).astype(np.float32),
        ionising=(spectra @ (width * ionising)).astype(np.float32),
        photons=photons,
        surviving=surviving.astype(np.float32),
        gas=np.array(gas).swapaxes(0, 1).astype(np.float64),
        gas_bins=np.array(gas_bins),
    )


def dust_table(path: Path, curves: dict[str, tuple[np.ndarray, np.ndarray]]) -> tables.DustTable:
    """The table of THEMIS dust."""
    wavelength, per_mass, umin, qhac = _dust(path)
    bands = {band: curve for band, curve in curves.items() if get_band(band).pivot > 2}
    return tables.DustTable(
        bands=tuple(bands),
        redshift=DUST_REDSHIFTS,
        qhac=qhac,
        umin=umin,
        light=np.stack(
            [per_mass @ band_matrix(wavelength, bands, z) for z in DUST_REDSHIFTS]
        ).astype(np.float32),
        total=(per_mass @ _weights(wavelength)).astype(np.float32),
    )


def spectrum_table(
    stars: Path, dust: Path, curves: dict[str, tuple[np.ndarray, np.ndarray]]
) -> tables.SpectrumTable:
    """The table of spectra in narrow bins."""
    wavelength, spectra, _, _ = _populations(stars)
    edges = SPECTRUM_EDGES_UM * 1e4
    fine = np.geomspace(edges[0], edges[-1], 8000)
    glow = binned(
        fine, nebular.continuum(fine) / LSUN_ERG_S * SPEED_OF_LIGHT_ANGSTROM_S / fine**2, edges
    )
    gas = []
    for oh in OXYGEN:
        at_line, energy = nebular.lines(float(oh))
        at_line, energy = (
            np.append(at_line, 1215.67),
            np.append(energy, nebular.LYMAN_ALPHA_PER_PHOTON),
        )
        gas.append(glow + np.histogram(at_line, edges, weights=energy / LSUN_ERG_S)[0])
    # A spectrum of one Lsun, flat within a bin, sampled at many points of it.
    n = 16
    inner = edges[:-1, None] + np.diff(edges)[:, None] * (np.arange(n) + 0.5) / n
    bands = {band: curve for band, curve in curves.items() if get_band(band).pivot < 5}
    response = [
        band_matrix(inner.ravel(), bands, z).reshape(len(inner), n, -1).sum(1)
        / np.diff(edges)[:, None]
        for z in REDSHIFTS
    ]
    wavelength_dust, per_mass, _, _ = _dust(dust)
    return tables.SpectrumTable(
        bands=tuple(bands), redshift=REDSHIFTS, edges_um=SPECTRUM_EDGES_UM,
        stars=binned(wavelength, spectra, edges).astype(np.float32), gas=np.array(gas),
        response=np.array(response).astype(np.float32), dust_edges_um=DUST_EDGES_UM,
        dust=binned(wavelength_dust, per_mass, DUST_EDGES_UM * 1e4).astype(np.float32),
    )  # fmt: skip


def main(argv: Sequence[str] | None = None) -> None:
    """Make the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("templates", type=Path, help="folder of the templates")
    parser.add_argument("--out", type=Path, default=tables.FOLDER, help="folder to write to")
    arguments = parser.parse_args(argv)
    curves = filter_curves()
    stars, dust = (
        arguments.templates / f"{name}.npz"
        for name in ("bc03_lr_chabrier_ssp", "dust_emission_themis_dl07")
    )
    star_table(stars, curves).write(arguments.out / "stars.npz")
    dust_table(dust, curves).write(arguments.out / "dust.npz")
    spectrum_table(stars, dust, curves).write(arguments.out / "spectra.npz")


if __name__ == "__main__":
    main()
