"""Ionised gas: the lines and the continuum that one ionising photon makes, by case B and observed
line ratios.

Everything is for hydrogen at 10^4 K and 100 cm-3 with one helium atom in ten (OF06: Osterbrock &
Ferland 2006). Left out: [Ne III], [S III], [O I], and all lines beyond 5 micron, which add at most
a few per cent to a broad band.
"""

from __future__ import annotations

import numpy as np

from ..constants import PLANCK_CONSTANT_ERG_S, SPEED_OF_LIGHT_ANGSTROM_S

TEMPERATURE = 1e4
ALPHA_B = 2.59e-13
"""Case B recombination coefficient at 10^4 K in cm3/s (OF06, Table 2.1)."""
HBETA_PER_PHOTON = 1.235e-25 / ALPHA_B
"""Energy in Hbeta per ionising photon, erg (OF06, Table 4.4)."""
LYMAN_ALPHA_PER_PHOTON = (1 - 0.838e-13 / ALPHA_B) * 1.634e-11
"""Energy in Lyman alpha per ionising photon, erg: recombinations that do not end in two photons
(OF06, Table 4.11).
"""
HELIUM = 0.1
SOLAR_OH = 8.69
"""12 + log(O/H) of the Sun (Asplund+ 2009)."""
OH_RANGE = (7.6, 8.9)
"""Range of 12 + log(O/H) over which the line ratios were calibrated (Curti+ 2020, Table 2)."""

# Wavelength in Angstrom, ratio to Hbeta (OF06, Table 4.4; He I: Table 4.6 with He+/H+ = 0.1).
_RECOMBINATION = np.array([
    (6562.8, 2.863), (4861.3, 1.0), (4340.5, 0.468), (4101.7, 0.259), (3970.1, 0.159),
    (3889.1, 0.105), (3835.4, 0.0731),
    (3797.9, 0.0530), (18751.0, 0.339), (12818.1, 0.163), (10938.1, 0.0904), (10049.4, 0.0555),
    (40512.0, 0.0802),
    (26252.0, 0.0455), (21655.0, 0.0278), (5875.6, 0.130), (6678.2, 0.037), (4471.5, 0.047),
    (10830.3, 0.30),
])  # fmt: skip

# Polynomials in x = 12 + log(O/H) - 8.69 of log10 of the ratios (Curti+ 2020, Table 2): [O II]
# 3727,29 and [O III] 5007 to Hbeta, [N II] 6584 and [S II] 6717,31 to Halpha.
_R2 = (0.435, -1.362, -5.655, -4.851, -0.478, 0.736)
_R3 = (-0.277, -3.549, -3.593, -0.981)
_N2 = (-0.489, 1.513, -2.554, -5.293, -2.867)
_S2 = (-0.442, -0.360, -6.271, -8.339, -3.559)
_HALPHA = 2.863


def lines(oh: float) -> tuple[np.ndarray, np.ndarray]:
    """Emission lines of an H II region.

    Parameters
    ----------
    oh : float
        12 + log(O/H); beyond `OH_RANGE` its nearest end is used.

    Returns
    -------
    wavelength : ndarray, shape (n,)
        Angstrom.
    energy : ndarray, shape (n,)
        erg per ionising photon.
    """
    x = np.clip(oh, *OH_RANGE) - SOLAR_OH

    def ratio(coefficients: tuple[float, ...]) -> float:
        return float(10 ** np.polynomial.polynomial.polyval(x, coefficients))

    oxygen3, nitrogen, sulphur = ratio(_R3), ratio(_N2) * _HALPHA, ratio(_S2) * _HALPHA
    # The weaker line of each pair: 1/2.98 (Storey & Zeippen 2000); [S II] at low density 1.4 to 1.
    metals = np.array([
        (3727.5, ratio(_R2)), (5006.8, oxygen3), (4958.9, oxygen3 / 2.98), (6583.4, nitrogen),
        (6548.0, nitrogen / 2.98),
        (6716.4, sulphur * 1.4 / 2.4), (6730.8, sulphur / 2.4),
    ])  # fmt: skip
    both = np.vstack([_RECOMBINATION, metals])
    return both[:, 0], both[:, 1] * HBETA_PER_PHOTON


def continuum(wavelength: np.ndarray) -> np.ndarray:
    """Free-bound, free-free and two-photon continuum per ionising photon.

    Parameters
    ----------
    wavelength : ndarray
        Angstrom.

    Returns
    -------
    ndarray
        erg/Hz per ionising photon: free-free with the Gaunt factor of Draine (2011, eq. 10.9),
        free-bound to levels n >= 2 with Kramers' cross-sections (Brown & Mathews 1970), two photons
        after Nussbaumer & Schmutz (1984).
    """
    frequency = SPEED_OF_LIGHT_ANGSTROM_S / wavelength
    theta = 157890.0 / TEMPERATURE  # ionisation energy of hydrogen over kT
    with np.errstate(over="ignore"):
        thermal = 6.84e-38 / np.sqrt(TEMPERATURE) * np.exp(-4.799243e-11 * frequency / TEMPERATURE)
    gaunt = np.log(np.exp(5.960 - np.sqrt(3) / np.pi * np.log(frequency / 1e9)) + np.e)
    bound = np.zeros_like(frequency)
    for n in range(2, 40):
        edge = 3.28805e15 / n**2
        bound += np.where(frequency >= edge, 2 * theta / n**3 * np.exp(theta / n**2), 0)
    emitted = (1 + HELIUM) * thermal * (gaunt + bound)
    # Photons of more than 13.6 eV ionise again (case B): nothing leaves.
    return np.where(frequency < 3.28805e15, (emitted + _two_photon(frequency)) / ALPHA_B, 0)


def _two_photon(frequency: np.ndarray) -> np.ndarray:
    """erg cm3/s/Hz; recombinations to 2s 0.838e-13 cm3/s (OF06, Table 4.11), one decay makes two
    photons.
    """
    lyman_alpha = 2.4661e15
    y = np.clip(frequency / lyman_alpha, 1e-9, 1 - 1e-9)
    yy = y * (1 - y)
    rate = 202 * (
        yy * (1 - (4 * yy) ** 0.8) + 0.88 * yy**1.53 * (4 * yy) ** 0.8
    )  # s-1 per unit of y
    spectrum = 0.838e-13 * PLANCK_CONSTANT_ERG_S * y * rate / 8.2249
    return np.where(frequency < lyman_alpha, spectrum, 0)
